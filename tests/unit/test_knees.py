"""Knees of curves whose levels are known: the model is a random chase through caches that each hold what they hold."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.components.memory import working_sets
from armprof.counters.knees import Level, levels, rising

GRID = working_sets(4 << 10, 256 << 20)
STEP = 2**0.5


def curve(hierarchy: list[tuple[int, float]], noise: float = 0.0, seed: int = 0) -> list[tuple[int, float]]:
    """ns a load over growing working sets: of the levels (size, ns), the last of no size, each serves its share."""
    shake = random.Random(seed)
    found = []
    for working_set in GRID:
        served, mean = 0.0, 0.0
        for size, ns in hierarchy:
            share = min(1.0, size / working_set) - served
            mean += max(0.0, share) * ns
            served += max(0.0, share)
        found.append((working_set, mean * (1 + shake.uniform(-noise, noise))))
    return found


GRAVITON2 = [(64 << 10, 1.6), (1 << 20, 5.4), (32 << 20, 28.8), (1 << 62, 95.5)]


def test_the_levels_of_graviton2() -> None:
    found = levels(curve(GRAVITON2))
    assert [level.ns for level in found] == pytest.approx([1.6, 5.4, 28.8, 95.5], rel=0.15)
    assert [level.size for level in found] == [64 << 10, 1 << 20, 32 << 20, 256 << 20]


@st.composite
def hierarchies(draw: st.DrawFn) -> list[tuple[int, float]]:
    """Two to four levels: each at least 16 times as large and at least twice as slow as the one before."""
    size, ns = draw(st.integers(16 << 10, 128 << 10)), draw(st.floats(0.5, 3.0))
    found = [(size, ns)]
    for _ in range(draw(st.integers(0, 2))):
        size, ns = size * draw(st.integers(16, 24)), ns * draw(st.floats(2.0, 6.0))
        if size < 16 << 20:
            found.append((size, ns))
    return [*found, (1 << 62, found[-1][1] * draw(st.floats(2.5, 6.0)))]


@given(hierarchies(), st.floats(0, 0.015), st.integers(0, 1000))
def test_every_level_is_found_at_its_size_and_its_time(
    hierarchy: list[tuple[int, float]], noise: float, seed: int
) -> None:
    found = levels(curve(hierarchy, noise, seed))
    assert len(found) == len(hierarchy), found
    for level, (size, ns) in zip(found[:-1], hierarchy[:-1], strict=True):
        assert size / STEP / STEP < level.size <= size * STEP
        assert level.ns == pytest.approx(ns, rel=0.35)  # at 16 times the size of the one before some loads still hit it
    assert found[-1].ns == pytest.approx(hierarchy[-1][1], rel=0.3)


@given(st.floats(0.1, 1000), st.floats(0, 0.03), st.integers(0, 1000))
def test_a_flat_curve_is_one_level(ns: float, noise: float, seed: int) -> None:
    found = levels(curve([(1 << 62, ns)], noise, seed))
    assert len(found) == 1
    assert found[0].size == GRID[-1]


def test_one_disturbed_point_makes_no_level() -> None:
    quiet = curve(GRAVITON2)
    for i in range(len(quiet)):
        disturbed = [(size, ns * (3 if j == i else 1)) for j, (size, ns) in enumerate(quiet)]
        assert 3 <= len(levels(disturbed)) <= 5


def test_nothing_is_found_in_nothing() -> None:
    assert levels([]) == []
    assert levels([(4096, 1.0)]) == []
    assert levels([(4096, 1.0), (8192, 1.0)]) == [Level(8192, 1.0)]


@given(st.lists(st.floats(0.1, 1e6), max_size=60))
def test_the_rising_sequence_never_falls_and_keeps_the_sum(times: list[float]) -> None:
    found = rising(times)
    assert len(found) == len(times)
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(found))
    assert sum(found) == pytest.approx(sum(times))


@given(st.integers(1, 1 << 20), st.integers(0, 1 << 30))
def test_working_sets_grow_by_the_root_of_two_from_the_first_to_the_last(smallest: int, more: int) -> None:
    sizes = working_sets(smallest, smallest + more)
    assert sizes[-1] == smallest + more
    assert sizes == sorted(sizes)
