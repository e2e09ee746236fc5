"""What is in loops that need not be, or need not be so slow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from armprof.binary.a64 import instruction
from armprof.binary.checks.atomics import exclusive
from armprof.binary.checks.rules import Finding, found
from armprof.binary.checks.subject import Subject
from armprof.binary.code import WORD

TINY = 8  # instructions
LINE = 64
CLOBBERED = frozenset(range(19)) | {30}  # what a call may write: the procedure call standard, AAPCS64


def check(subject: Subject) -> Iterator[Finding]:
    yield from divisions(subject)
    yield from calls(subject)
    yield from innermost(subject)


def divisions(subject: Subject) -> Iterator[Finding]:
    all_ = subject.in_loops("divide", "fp_divide", "fp_root")
    constant = [n for n in all_ if _divisor_stays(subject, n)]
    others = sorted(set(all_) - set(constant))
    for rule, numbers in (("invariant-divide", constant), ("divide-in-loop", others)):
        if numbers:
            yield found(rule, subject.spots(numbers, [subject.text(n) for n in numbers]))


def _divisor_stays(subject: Subject, number: int) -> bool:
    code, word = subject.code, int(subject.code.words[number])
    if not code.of_kind("divide")[number]:
        return False
    divisor, loop = word >> 16 & 31, subject.loop(number)
    words = code.words[loop.at]
    if divisor in CLOBBERED and subject.code.of_kind("call", "indirect_call")[loop.at].any():
        return False
    for other in np.unique(words).tolist():
        one = instruction(other)
        if divisor in one.writes or (one.memory is not None and one.memory.step != 0 and one.memory.base == divisor):
            return False
    return True


def calls(subject: Subject) -> Iterator[Finding]:
    code = subject.code
    numbers = subject.in_loops("call")
    stubs = [
        (n, subject.code.stubs[int(code.targets[n])]) for n in numbers if int(code.targets[n]) in subject.code.stubs
    ]
    if stubs:
        spots = subject.spots([n for n, _ in stubs], [f"calls {name}" for _, name in stubs])
        yield found("plt-call-in-loop", spots)
    helpers = exclusive(subject)[1]
    tiny = []
    for number in numbers:
        target = int(code.targets[number])
        size = _tiny(subject, target)
        if size and target not in subject.code.stubs and target not in helpers:
            tiny.append((number, f"calls {code.name_at(target)}, {size} instructions"))
    if tiny:
        yield found(
            "tiny-call-in-loop", subject.spots([n for n, _ in tiny], [told for _, told in tiny]), {"most": str(TINY)}
        )


def _tiny(subject: Subject, address: int) -> int:
    """How many instructions the function there has; 0 where it is none, is larger, or calls another or the kernel."""
    code, first = subject.code, subject.code.number_at(address)
    if first is None or code.name_at(address) is None:
        return 0
    function = code.functions[int(code.function[first])]
    size = (function.end - function.start) // WORD
    words = slice(first, first + size)
    straight = not code.of_kind("call", "indirect_call", "indirect_jump", "load_exclusive", "system_call")[words].any()
    elsewhere = (code.of_kind("jump") & ~code.within)[words].any()
    returns = code.of_kind("return")[words].any()
    return size if 0 < size <= TINY and straight and returns and not elsewhere else 0


def innermost(subject: Subject) -> Iterator[Finding]:
    code = subject.code
    loops = [loop for loop in code.loops if loop.innermost]
    numbers = code.of_kind("fp_arithmetic")
    others = code.of_kind("call", "indirect_call", "vector", "vector_memory", "sve")
    plain = [loop for loop in loops if numbers[loop.at].any() and not others[loop.at].any()]
    if plain:
        yield found("scalar-float-loop", subject.loop_spots(plain))
    across = []
    calling = code.of_kind("call", "indirect_call")
    for loop in loops:
        if calling[loop.at].any():
            continue
        first, last = int(code.addresses[loop.at[0]]), int(code.addresses[loop.at[-1]])
        size = last - first + WORD
        if size == WORD * len(loop.at) and size <= LINE and first // LINE != last // LINE:
            across.append((loop, f"{size} bytes from {first % LINE} bytes into a line"))
    if across:
        yield found("straddling-loop", subject.loop_spots([one for one, _ in across], [told for _, told in across]))
