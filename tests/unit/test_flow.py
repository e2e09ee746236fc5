"""What an iteration does with values: steps, kinds of addresses, and the chain that goes through all iterations."""

from __future__ import annotations

import pytest
from a64_words import WORDS
from hypothesis import given
from hypothesis import strategies as st

from armprof import cpu
from armprof.binary import a64, chains
from armprof.binary.a64 import Instruction
from armprof.binary.flow import CHASED, FIXED, GATHERED, STRIDED, Flow, Piece

N1 = cpu.core("neoverse-n1").pipeline
assert N1 is not None
TIMINGS = N1.instructions


def latency(instruction: Instruction) -> tuple[float, float]:
    timing = TIMINGS[instruction.kind]
    return timing.latency, timing.latency if timing.late is None else timing.late


def body(*texts: str) -> Flow:
    """A loop of one block."""
    return Flow([Piece(tuple((n, a64.instruction(WORDS[text])) for n, text in enumerate(texts)), (), 1.0)])


def kinds(flow: Flow) -> list[tuple[str, int | None]]:
    return [(access.kind, access.stride) for access in flow.accesses]


def chain(*texts: str) -> float:
    return chains.chain(body(*texts), latency).cycles


# ---- Addresses ----


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["ldr x0, [x1], #8"], [(STRIDED, 8)]),
        (["ldr x0, [x1, #8]!"], [(STRIDED, 8)]),
        (["ldr x2, [x1, #8]", "add x1, x1, #64"], [(STRIDED, 64)]),
        (["ldr x3, [x4, x2, lsl #3]", "add x3, x3, #1"], [(FIXED, 0)]),  # x2 stays
        (["ldr x2, [x1]", "add x1, x1, x6"], [(STRIDED, None)]),  # by what x6 holds
        (["ldr x0, [x0]"], [(CHASED, None)]),
        (["ldr x4, [x0, #8]", "ldr x0, [x0]"], [(CHASED, None), (CHASED, None)]),  # one line
        (["ldp x0, x4, [x0]"], [(CHASED, None)]),
        (["ldrsw x2, [x1], #4", "ldr x3, [x4, x2, lsl #3]"], [(STRIDED, 4), (GATHERED, None)]),
        (["mul x0, x1, x2", "ldr x2, [x0]"], [(CHASED, None)]),  # through a multiplication
        (["str x2, [sp, #8]", "ldr x2, [sp, #8]"], [(FIXED, 0), (FIXED, 0)]),
    ],
)
def test_an_address_is_fixed_strided_gathered_or_chased(texts, expected):
    assert kinds(body(*texts)) == expected


def test_a_computed_address_is_gathered():
    flow = body("mul w0, w0, w1", "ldr x2, [x0]")
    assert kinds(flow) == [(GATHERED, None)]


def test_what_another_register_held_before_steps_too():
    flow = body("ldr x2, [x0]", "mov x0, x1", "add x1, x1, #64")
    assert kinds(flow) == [(STRIDED, 64)]


def test_a_counter_in_memory_is_a_counter():
    flow = body("ldr x2, [sp, #8]", "mov x0, x1")
    cell = flow.cell_of[0]
    assert flow.step(cell) == (True, 0)


def test_a_call_makes_unknown_what_it_may_write():
    flow = body("ldr x2, [x1]", "bl .", "add x1, x1, #64")
    assert kinds(flow) == [(GATHERED, None)]


def test_what_the_first_access_to_a_line_brings_in_the_others_have():
    assert body("ldr x4, [x0, #8]", "ldr x2, [x1]", "ldr x0, [x0]").repeated == {2}
    assert body("ldr x2, [x0]", "add x0, x0, #8", "ldr x2, [x1, #8]").repeated == set()


def test_an_access_on_another_way_brings_nothing_in():
    load = (a64.instruction(WORDS["ldr x2, [x0]"]),)
    blocks = [Piece((), ()), Piece(((1, *load),), ((0, 1.0),)), Piece(((2, *load),), ((0, 1.0),))]
    assert Flow([*blocks, Piece(((3, *load),), ((1, 1.0), (2, 1.0)), 1.0)]).repeated == set()
    assert Flow([*blocks[:2], Piece(((3, *load),), ((1, 1.0),), 1.0)]).repeated == {3}


def test_a_branch_waits_for_the_loads_that_it_looks_at():
    flow = body("ldr x0, [x1], #8", "cmp x0, x1", "b.ne .")
    assert flow.waits_for(flow.conditions[2]) == {0}


# ---- Chains ----


@pytest.mark.parametrize(
    ("texts", "cycles"),
    [
        (["add x0, x0, #8"], 1),
        (["fadd d0, d0, d1"], 2),
        (["ldr d1, [x0], #8", "fadd d0, d0, d1"], 2),  # the loads run ahead
        (["mul w0, w0, w1"], 2),
        (["udiv w0, w1, w0"], 12),
        (["fmadd d0, d1, d2, d0"], 4),
        (["fmadd d0, d1, d2, d3"], 0),
        (["ldr x0, [x0]"], 4),
        (["add x0, x1, x2", "mov x0, x1"], 0),
        (["str x2, [sp, #8]", "ldr x2, [sp, #8]"], 5),
        (["fadd d0, d0, d1", "bl ."], 0),  # a call may begin another
    ],
)
def test_a_chain_is_as_long_as_its_instructions_take(texts, cycles):
    assert chain(*texts) == pytest.approx(cycles)


def test_a_chain_tells_who_is_in_it():
    found = chains.chain(body("udiv w0, w1, w0", "mul w0, w0, w1", "add x3, x3, #1"), latency)
    assert found.cycles == pytest.approx(14)
    assert found.shares == pytest.approx({0: 12 / 14, 1: 2 / 14}, abs=0.01)
    assert found.registers == {0}


def test_where_ways_meet_a_chain_takes_their_average():
    def piece(before: tuple[tuple[int, float], ...], again: float, *texts: str) -> Piece:
        first = 10 * len(before) + 100 * int(again)
        return Piece(tuple((first + n, a64.instruction(WORDS[t])) for n, t in enumerate(texts)), before, again)

    flow = Flow([piece((), 0, "nop"), piece(((0, 3.0),), 0, "udiv w0, w1, w0"), piece(((0, 1.0), (1, 3.0)), 4, "nop")])
    assert chains.chain(flow, latency).cycles == pytest.approx(0.75 * 12)


@given(st.lists(st.integers(0, 2**32 - 1) | st.sampled_from(sorted(WORDS.values())), max_size=12))
def test_whatever_the_code_is_it_has_kinds_and_a_chain(words):
    flow = Flow([Piece(tuple(enumerate(map(a64.instruction, words))), (), 1.0)])
    assert {access.kind for access in flow.accesses} <= {FIXED, STRIDED, GATHERED, CHASED}
    found = chains.chain(flow, latency)
    assert 0 <= found.cycles <= 30 * len(words)
    assert sum(found.shares.values()) == pytest.approx(1) or found.cycles == 0
