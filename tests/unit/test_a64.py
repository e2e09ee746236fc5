"""What an instruction reads, writes and accesses, and its class."""

from __future__ import annotations

import pytest
from a64_words import WORDS
from hypothesis import given
from hypothesis import strategies as st

from armprof import cpu
from armprof.binary import a64
from armprof.binary.a64 import FLAGS, SP, VECTOR, Instruction, Linear, MemoryOperand

V0, V1, V2, V3 = range(VECTOR, VECTOR + 4)


def decoded(text: str) -> Instruction:
    return a64.instruction(WORDS[text])


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("add x0, x1, x2", {1, 2}, {0}),
        ("adds w0, w1, #5", {1}, {0, FLAGS}),
        ("adcs x0, x1, x2", {1, 2, FLAGS}, {0, FLAGS}),
        ("cmp x0, x1", {0, 1}, {FLAGS}),
        ("tst x0, x1", {0, 1}, {FLAGS}),
        ("ccmp x0, #1, #0, ne", {0, FLAGS}, {FLAGS}),
        ("csel x0, x1, x2, eq", {1, 2, FLAGS}, {0}),
        ("b.ne .", {FLAGS}, set()),
        ("cbz x3, .", {3}, set()),
        ("blr x5", {5}, set()),
        ("movk x0, #1, lsl #16", {0}, {0}),
        ("mov x0, #5", set(), {0}),
        ("lsl x0, x1, #3", {1}, {0}),
        ("sxtw x0, w1", {1}, {0}),
        ("ubfx x0, x1, #3, #4", {1}, {0}),
        ("bfi x0, x1, #3, #4", {0, 1}, {0}),
        ("madd x0, x1, x2, x3", {1, 2, 3}, {0}),
        ("ldr x0, [x1], #8", set(), {0}),
        ("str x0, [x1, #8]", {0}, set()),
        ("stp x0, x1, [sp, #-16]!", {0, 1}, set()),
        ("ld1 {v0.s}[1], [x0]", {V0}, {V0}),
        ("st1 {v0.4s}, [x0], x3", {V0}, set()),
        ("stxr w0, x1, [x2]", {1}, {0}),
        ("ldadd x0, x1, [x2]", {0}, {1}),
        ("stadd x0, [x2]", {0}, set()),
        ("cas x0, x1, [x2]", {0, 1}, {0}),
        ("casp x0, x1, x2, x3, [x4]", {0, 1, 2, 3}, {0, 1}),
        ("swp x0, x1, [x2]", {0}, {1}),
        ("dc zva, x0", {0}, set()),
        ("fmadd d0, d1, d2, d3", {V1, V2, V3}, {V0}),
        ("fmla v0.4s, v1.4s, v2.4s", {V0, V1, V2}, {V0}),
        ("sdot v0.4s, v1.16b, v2.16b", {V0, V1, V2}, {V0}),
        ("fcmp d0, d1", {V0, V1}, {FLAGS}),
        ("fcsel d0, d1, d2, gt", {V1, V2, FLAGS}, {V0}),
        ("mov v0.s[1], w0", {V0, 0}, {V0}),
        ("nop", set(), set()),
    ],
)
def test_registers_are_read_and_written(text, reads, writes):
    assert (set(decoded(text).reads), set(decoded(text).writes)) == (reads, writes)


def test_an_accumulator_is_needed_late():
    assert decoded("fmadd d0, d1, d2, d3").late == (V3,)
    assert decoded("fmla v0.4s, v1.4s, v2.4s").late == (V0,)
    assert decoded("fmul d0, d1, d2").late == ()


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        ("ldr x0, [x1], #8", MemoryOperand(1, None, 1, 0, 8, True, False, 8)),
        ("ldr x0, [x1, #8]!", MemoryOperand(1, None, 1, 8, 8, True, False, 8)),
        ("ldr x0, [x1, x2, lsl #3]", MemoryOperand(1, 2, 8, 0, 8, True, False)),
        ("ldrb w0, [x1]", MemoryOperand(1, None, 1, 0, 1, True, False)),
        ("ldrsw x2, [x1], #4", MemoryOperand(1, None, 1, 0, 4, True, False, 4)),
        ("ldp q0, q1, [x0], #32", MemoryOperand(0, None, 1, 0, 32, True, False, 32)),
        ("ld1 {v0.4s, v1.4s}, [x0], #32", MemoryOperand(0, None, 1, 0, 32, True, False, 32)),
        ("ld1 {v0.s}[1], [x0]", MemoryOperand(0, None, 1, 0, 4, True, False)),
        ("st1 {v0.4s}, [x0], x3", MemoryOperand(0, None, 1, 0, 16, False, True, None)),
        ("str q0, [x1, x2]", MemoryOperand(1, 2, 1, 0, 16, False, True)),
        ("stp x0, x1, [sp, #-16]!", MemoryOperand(SP, None, 1, -16, 16, False, True, -16)),
        ("stxr w0, x1, [x2]", MemoryOperand(2, None, 1, 0, 8, False, True)),
        ("casp x0, x1, x2, x3, [x4]", MemoryOperand(4, None, 1, 0, 16, True, True)),
    ],
)
def test_accesses_have_an_address_a_size_and_a_step(text, memory):
    assert decoded(text).memory == memory


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        ("add x0, x1, x2, lsl #3", Linear(((1, 1), (2, 8)), 0)),
        ("add x0, x1, w2, sxtw #2", Linear(((1, 1), (2, 4)), 0)),
        ("sub x0, x0, #4095", Linear(((0, 1),), -4095)),
        ("mov x0, #5", Linear((), 5)),
        ("lsl x0, x1, #3", Linear(((1, 8),), 0)),
        ("lsl x0, x1, x2", None),
        ("mul x0, x1, x2", None),
        ("fadd d0, d0, d1", None),
    ],
)
def test_sums_are_told(text, linear):
    assert decoded(text).linear == linear


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("add x0, x1, x2, lsl #3", "alu"),
        ("add x0, x1, x2, lsl #9", "shifted"),
        ("add x0, x1, w2, sxtw #2", "shifted"),
        ("bfi x0, x1, #3, #4", "shifted"),
        ("mul w0, w0, w1", "multiply"),
        ("mul x0, x1, x2", "multiply_long"),
        ("smull x0, w1, w2", "multiply"),
        ("umulh x0, x1, x2", "multiply_high"),
        ("udiv w0, w1, w0", "divide"),
        ("sdiv x0, x1, x2", "divide_long"),
        ("ldr x0, [x0]", "load"),
        ("ldp q0, q1, [x0], #32", "load_vector"),
        ("str q0, [x1, x2]", "store_quad"),
        ("ldxr x0, [x1]", "load_exclusive"),
        ("stadd x0, [x2]", "atomic"),
        ("dmb ish", "barrier"),
        ("bl .", "call"),
        ("ret", "branch"),
        ("fadd v0.4s, v0.4s, v1.4s", "fp"),
        ("fmadd d0, d1, d2, d3", "fp_accumulate"),
        ("fdiv s0, s1, s2", "fp_divide"),
        ("fdiv d0, d1, d2", "fp_divide_double"),
        ("fsqrt d0, d1", "fp_root_double"),
        ("fmov x0, d1", "from_vector"),
        ("fmov d1, x0", "to_vector"),
        ("mov w0, v1.s[1]", "from_vector"),
        ("mov v0.s[1], w0", "to_vector"),
        ("dup v0.2d, x0", "to_vector"),
        ("scvtf d0, x1", "convert_to_vector"),
        ("add v0.4s, v1.4s, v2.4s", "simd"),
        ("aese v0.16b, v1.16b", "crypto"),
        ("nop", "nothing"),
    ],
)
def test_an_instruction_has_a_class(text, kind):
    assert decoded(text).kind == kind


def test_vectors_are_told_from_scalars():
    assert decoded("fadd v0.4s, v0.4s, v1.4s").vector
    assert decoded("str q0, [x1, x2]").vector
    assert not decoded("fadd d0, d0, d1").vector


@pytest.mark.parametrize("core", [name for name in cpu.core_names() if cpu.core(name).pipeline])
@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
def test_a_core_with_a_pipeline_knows_every_class(core, word):
    pipeline = cpu.core(core).pipeline
    assert pipeline is not None
    timing = pipeline.instructions[a64.instruction(word).kind]
    assert timing.unit in pipeline.units
    assert pipeline.part_of.get(timing.unit, timing.unit) in pipeline.units


@given(st.integers(0, 2**32 - 1))
def test_every_word_is_something(word):
    instruction = a64.instruction(word)
    pipeline = cpu.core("neoverse-n1").pipeline
    assert pipeline is not None
    assert instruction.kind in pipeline.instructions
    registers = {*instruction.reads, *instruction.writes, *instruction.addresses}
    assert registers <= set(range(a64.REGISTERS))
    assert (instruction.memory is None) == (not instruction.addresses) or instruction.memory.base is None
