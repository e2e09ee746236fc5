"""Atomic operations that the compiler put into helpers (-moutline-atomics): what they count is of the lines that call them.

A helper has no line of source, and what it does is one instruction of its caller's. Which call it was for which count the model
does not know: each caller bears the part of it that it has of the calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from armprof.counters.model.tally import Tally

HELPER = re.compile(r"__aarch64_(cas|swp|ldadd|ldclr|ldeor|ldset)\d+_\w+")
BRANCH, MASK = 0x14000000, 0x7C000000  # BL; and B, which is a call where it is the last of a function
REACH = 1 << 26  # words


def to_callers(found: dict[Any, list[float]], tally: Tally, places: Callable[[Iterable[int], bool], list[Any]]) -> None:
    """Moves what was found at helpers to the places that call them; it stays where no call is known."""
    import numpy as np

    helpers = {(at.module, at.function): at for at in found if at.line is None and HELPER.fullmatch(at.function)}
    if not helpers:
        return
    calls = np.flatnonzero(((tally.word & MASK) == BRANCH) & (tally.executed > 0))
    addresses = tally.address[calls]
    targets, target = np.unique(_targets(addresses, tally.word[calls]), return_inverse=True)
    called = np.array([helpers.get((at.module, at.function)) for at in places(targets.tolist(), False)], object)[target]
    callers = places(addresses.tolist(), True)
    for helper in helpers.values():
        from_where: dict[Any, int] = {}
        for n in np.flatnonzero(called == helper).tolist():
            if (callers[n].module, callers[n].function) != (helper.module, helper.function):  # a branch of its own
                from_where[callers[n]] = from_where.get(callers[n], 0) + int(tally.executed[calls[n]])
        times = sum(from_where.values())
        if not times:
            continue
        values = found.pop(helper)
        for at, part in from_where.items():
            known = found.setdefault(at, [0.0] * len(values))
            for n, value in enumerate(values):
                known[n] += value * part / times


def _targets(addresses: Any, words: Any) -> Any:
    """Where branches lead to."""
    import numpy as np

    offset = (words & (REACH - 1)).astype(np.int64)
    offset -= np.where(offset >= REACH // 2, REACH, 0)
    return (addresses.astype(np.int64) + 4 * offset).astype(np.uint64)
