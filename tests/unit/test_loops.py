"""Loops are found from blocks and the ways between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from armprof.binary.loops import NaturalLoop, loops


def found(edges: dict[int, dict[int, float]], executed: list[float]) -> dict[int, NaturalLoop]:
    """By header."""
    full = {block: edges.get(block, {}) for block in range(len(executed))}
    return {loop.header: loop for loop in loops(full, executed)}


def test_straight_code_has_none():
    assert found({0: {1: 5}, 1: {2: 5}}, [5, 5, 5]) == {}


def test_a_block_that_goes_back_to_itself_is_one():
    loop = found({0: {1: 2}, 1: {1: 8, 2: 2}}, [2, 10, 2])[1]
    assert (loop.blocks, loop.order, loop.iterations, loop.entries, loop.trips) == ({1}, (1,), 10, 2, 5)


def test_a_loop_in_a_loop_knows_it():
    # 1 { 2 { } 3 }: ten times ten
    both = found({0: {1: 1}, 1: {2: 10}, 2: {2: 90, 3: 10}, 3: {1: 9, 4: 1}}, [1, 10, 100, 10, 1])
    outer, inner = both[1], both[2]
    assert (outer.parent, inner.parent, outer.inner) == (None, outer, [inner])
    assert (outer.order, outer.own, inner.order) == ((1, 2, 3), (1, 3), (2,))
    assert (outer.trips, inner.trips) == (10, 10)


def test_both_ways_of_a_branch_are_in_the_loop():
    # 1 -> 2 or 3 -> 4 -> 1
    edges = {0: {1: 1}, 1: {2: 6, 3: 4}, 2: {4: 6}, 3: {4: 4}, 4: {1: 9, 5: 1}}
    loop = found(edges, [1, 10, 6, 4, 10, 1])[1]
    assert loop.blocks == {1, 2, 3, 4}
    assert loop.order[0] == 1
    assert loop.order[-1] == 4


def test_of_a_nest_whose_entry_was_not_seen_the_outer_loop_is_outside():
    # 1 { 2 } without the block that led there
    both = found({1: {2: 10}, 2: {2: 990, 1: 9}}, [0, 10, 1000])
    assert both[1].inner == [both[2]]


@given(
    st.dictionaries(st.integers(0, 11), st.dictionaries(st.integers(0, 11), st.floats(1, 100), max_size=3), max_size=12)
)
def test_whatever_the_ways_loops_nest_and_blocks_are_in_order(edges):
    every = found(edges, [1.0] * 12).values()
    for loop in every:
        assert loop.header in loop.blocks
        assert loop.parent is None or loop.blocks < loop.parent.blocks
        assert set(loop.own) == loop.blocks - {block for inner in loop.inner for block in inner.blocks}
        place = {block: at for at, block in enumerate(loop.order)}
        for block in loop.own:
            assert all(place[block] < place[to] for to in edges.get(block, {}) if to in place and to != loop.header)
