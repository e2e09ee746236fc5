"""How atomic operations are made: in one instruction, by a helper, or by a loop; and barriers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from armprof.binary.checks.rules import Finding, found
from armprof.binary.checks.subject import Subject
from armprof.binary.code import WORD

# A helper of libgcc's or compiler-rt's (__aarch64_cas4_acq) has the instruction, a return, and the loop behind it.
HELPER_BYTES = 64
RETURN_BEFORE = 4  # words


def check(subject: Subject) -> Iterator[Finding]:
    target = subject.target
    if target is None or "lse" in target.features:
        words = {
            "core": target.title if target else "a core of Armv8.1 or later",
            "mcpu": target.mcpu if target else "NAME",
        }
        inline, helpers = exclusive(subject)
        if inline:
            yield found("exclusive-loops", subject.spots(inline, [subject.text(n) for n in inline]), words)
        calls = np.flatnonzero(subject.code.of_kind("call") & np.isin(subject.code.targets, sorted(helpers))).tolist()
        if calls:
            names = [
                subject.code.name_at(int(subject.code.targets[n])) or f"{subject.code.targets[n]:#x}" for n in calls
            ]
            details = [f"calls {name}" for name in names]
            yield found("outline-atomics", subject.spots(calls, details), {"helpers": str(len(set(names))), **words})
    barriers = subject.in_loops("barrier")
    if barriers:
        yield found("barrier-in-loop", subject.spots(barriers, [subject.text(n) for n in barriers]))


def exclusive(subject: Subject) -> tuple[list[int], frozenset[int]]:
    """The exclusive loads in place, and the addresses of the helpers that the others are in."""
    code = subject.code
    loads = np.flatnonzero(code.of_kind("load_exclusive"))
    lse, returns = code.of_kind("atomic", "compare_and_swap"), code.of_kind("return")
    called = np.unique(code.targets[code.of_kind("call")])
    inline, helpers = [], set()
    for load in loads.tolist():
        before = range(max(0, load - RETURN_BEFORE), load)
        back = next((n for n in reversed(before) if returns[n]), None)
        if back is not None and back > 0 and lse[max(0, back - 2) : back].any():
            address = int(code.addresses[load])
            begins = called[(called <= address) & (called > address - HELPER_BYTES - WORD)]
            helpers.update(begins[-1:].tolist())
        else:
            inline.append(load)
    return inline, frozenset(helpers)
