"""The instruction that what was sampled can come from: `>` is where the sample is, `*` where it comes from, if anywhere."""

from __future__ import annotations

import pytest
from building import ARM64, needs, run

from armprof.binary import Binary
from armprof.binary.code import Code
from armprof.binary.origins import Body, kinds

CASES = {
    "the nearest one before": (
        "divide",
        """
        *   udiv x0, x1, x2
            add x0, x0, x3
        >   add x0, x0, x4
            udiv x5, x0, x2
            ret
        """,
    ),
    "the instruction itself": ("divide", "> * fdiv d0, d1, d2 ; ret"),
    "what a loop has before its end, of its beginning": (
        "divide",
        """
        >1: add x0, x0, #1
            ldr x3, [x1], #8
        *   sdiv x4, x3, x2
            add x5, x5, x4
            cmp x0, #64
            b.ne 1b
            ret
        """,
    ),
    "the outer loop's, where the inner one has none": (
        "barrier",
        """
        1:  ldr x3, [x1]
        *   dmb ish
        2:  add x4, x4, x3
        >   subs x3, x3, #1
            b.ne 2b
            str x4, [x1], #8
            cbnz x4, 1b
            ret
        """,
    ),
    "that of the loop, and not one behind it": (
        "barrier",
        """
            dsb sy
        1:  subs x0, x0, #1
        >   add x1, x1, #8
        *   dmb ish
            b.ne 1b
            dmb ish
            ret
        """,
    ),
    "on the shorter way": (
        "divide",
        """
        1:  sdiv x0, x1, x2
            add x0, x0, x3
            add x0, x0, x4
            cbz x0, 2f
        *   udiv x0, x0, x5
        2:  add x6, x6, x0
        >   subs x7, x7, #1
            b.ne 1b
            ret
        """,
    ),
    "on the shorter way in the loop, whichever lead out of it and back": (
        "divide",
        """
        1:  add x9, x9, #1
        >2: add x0, x0, #1
            udiv x3, x0, x5
            cbz x3, 3f
        *   sdiv x4, x3, x5
            add x6, x6, x4
            add x6, x6, #1
            add x6, x6, #2
            add x6, x6, #3
            b 2b
        3:  cbnz x9, 1b
            ret
        """,
    ),
    "before a function's first one, the next": (
        "barrier",
        """
        >   ldr x0, [x1]
            ldr x2, [x3]
        *   dmb ish
            str x0, [x3]
            dmb ish
            ret
        """,
    ),
    "none where there is none": ("divide", "> mul x0, x1, x2 ; ret"),
    "the branch that decides, and not the one that goes round": (
        "branch",
        """
        >1: ldr x3, [x1], #8
            mul x4, x3, x3
        *   cbz x3, 2f
            add x5, x5, x4
        2:  subs x0, x0, #1
            b.ne 1b
            ret
        """,
    ),
    "the branch that goes round, where it is the only one": (
        "branch",
        """
        1:  ldr x3, [x1], #8
        >   add x5, x5, x3
            subs x0, x0, #1
        *   b.ne 1b
            ret
        """,
    ),
    "a call by a register, of what comes behind it": (
        "indirect",
        """
            stp x29, x30, [sp, #-16]!
        1:  ldr x1, [x20], #8
        *   blr x1
        >   add x19, x19, x0
            cbnz x0, 1b
            ldp x29, x30, [sp], #16
            ret
        """,
    ),
    "a store": (
        "store",
        """
        >1: ldr x3, [x1], #8
            add x2, x2, x3
        *   str x2, [x4]
            cbnz x3, 1b
            ret
        """,
    ),
    "an exclusive, of what an atomic operation was made into": (
        "atomic",
        """
        1:  ldaxr x0, [x1]
            add x0, x0, #1
        *   stlxr w2, x0, [x1]
        >   cbnz w2, 1b
            ret
        """,
    ),
    "a load at a scattered address, and not one that goes from element to element": (
        "gathered",
        """
        *1: ldr x5, [x4, x2, lsl #3]
            ldrsw x2, [x1], #4
        >   add x6, x6, x5
            subs x0, x0, #1
            b.ne 1b
            ret
        """,
    ),
    "of a loop that goes from element to element, none at a scattered address": (
        "gathered",
        """
        1:  ldr x2, [x1], #8
        >   add x6, x6, x2
            subs x0, x0, #1
            b.ne 1b
            ret
        """,
    ),
    "at regular distances": (
        "strided",
        """
            ldr x7, [x8]
        *1: ldrsw x2, [x1], #4
            ldr x5, [x4, x2, lsl #3]
        >   add x6, x6, x5
            subs x0, x0, #1
            b.ne 1b
            ret
        """,
    ),
    "the first access to a line of a list, which brings it in": (
        "chased",
        """
        *1: ldr x3, [x0, #8]
            add x4, x4, x3
            ldr x0, [x0]
        >   add x5, x5, #1
            cbnz x0, 1b
            ret
        """,
    ),
    "both accesses to a line, where neither comes after the other": (
        "chased",
        """
        1:  tbz x6, #0, 2f
            ldr x3, [x0, #8]
            b 3f
        *2: ldr x0, [x0]
        >   add x5, x5, #1
        3:  cbnz x0, 1b
            ret
        """,
    ),
    "a load at any address where there is no loop": ("chased", "* ldr x0, [x1] ; > add x0, x0, #1 ; ret"),
    "a load of which it is not known how it goes": (
        "strided",
        """
        *1: ld1d {z0.d}, p0/z, [x0, z1.d, lsl #3]
        >   add x2, x2, #8
            cmp x2, x3
            b.ne 1b
            ret
        """,
    ),
    "no spill to the stack": (
        "refill",
        """
        *1: ldr x3, [x1], #8
            str x3, [sp, #-8]
        >   ldr x4, [sp, #-8]
            add x5, x5, x4
            cbnz x3, 1b
            ret
        """,
    ),
}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace(";", "\n").splitlines() if line.strip()]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Code:
    """A function of each case."""
    needs(ARM64)
    folder = tmp_path_factory.mktemp("origins")
    functions = []
    for number, (_, text) in enumerate(CASES.values()):
        body = "\n".join(line.replace(">", "").replace("*", "") for line in lines(text))
        functions.append(f".type f{number}, %function\nf{number}:\n{body}\n.size f{number}, .-f{number}\n")
    (folder / "cases.s").write_text(".arch armv8.2-a+sve\n.text\n" + "".join(functions))
    run(ARM64, "-shared", "-nostdlib", folder / "cases.s", "-o", folder / "cases.so")
    return Code(Binary(folder / "cases.so"))


@pytest.mark.parametrize("case", CASES)
def test_it_is(case: str, program: Code) -> None:
    kind, text = CASES[case]
    number = next(n for n, f in enumerate(program.functions) if f.name == f"f{list(CASES).index(case)}")
    first = program.span(number)[0]
    marked = {mark: [first + n for n, line in enumerate(lines(text)) if mark in line] for mark in ">*"}
    assert Body(program, number).before(kind, *marked[">"]) == next(iter(marked["*"]), None)


def test_without_functions_there_is_no_code(program: Code) -> None:
    assert len(Code(program.binary, []).words) == 0
    assert Code(program.binary, []).loops == ()


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_finds_something_in_some_case(kind: str, program: Code) -> None:
    assert any(Body(program, number).of_kind(kind) for number in range(len(program.functions)))


def test_some_functions_alone_are_read_as_they_are_among_all(program: Code) -> None:
    chosen = program.functions[1::3]
    some = Code(program.binary, chosen)
    assert [f.name for f in some.functions] == [f.name for f in chosen]
    for function in chosen:
        first, end = (program.number_at(at) for at in (function.start, function.end - 4))
        at = some.number_at(function.start)
        assert some.words[at : at + end - first + 1].tolist() == program.words[first : end + 1].tolist()
    loops = {program.functions[loop.function].name: len(loop.at) for loop in program.loops if loop.innermost}
    assert {some.functions[loop.function].name: len(loop.at) for loop in some.loops if loop.innermost} == {
        name: size for name, size in loops.items() if name in {f.name for f in chosen}
    }
