"""What the helpers of atomic operations count is at the lines that call them, by how often each did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from armprof.binary import Line
from armprof.counters.model.outlined import to_callers
from armprof.counters.model.where import CountedPlace

HELPER = CountedPlace("__aarch64_ldadd8_relax", "/bin/x")
FIRST, SECOND = (CountedPlace("work", "/bin/x", Line("x.c", line)) for line in (3, 7))
AT = {0x1000: FIRST, 0x1004: SECOND, 0x2000: HELPER, 0x2008: HELPER}


def moved(found: dict[Any, list[float]], *branches: tuple[int, int, int]) -> dict[Any, list[float]]:
    """``branches``: from, to, and how often."""
    words = [0x94000000 | ((to - start) // 4 & 0x3FFFFFF) for start, to, _ in branches]
    tally: Any = SimpleNamespace(
        address=np.array([start for start, _, _ in branches], np.uint64),
        word=np.array(words, np.uint32),
        executed=np.array([times for _, _, times in branches], np.int64),
    )

    def places(addresses: Any, with_line: bool) -> list[CountedPlace]:
        return [AT[at] if with_line else CountedPlace(AT[at].function, AT[at].module) for at in addresses]

    to_callers(found, tally, places)
    return found


def test_each_caller_bears_its_part_of_the_calls():
    assert moved({HELPER: [800.0, 4.0], FIRST: [10.0, 0.0]}, (0x1000, 0x2000, 3), (0x1004, 0x2000, 1)) == {
        FIRST: [610.0, 3.0],
        SECOND: [200.0, 1.0],
    }


def test_branches_within_the_helper_are_no_calls():
    assert moved({HELPER: [8.0]}, (0x2008, 0x2000, 5), (0x1000, 0x2000, 5)) == {FIRST: [8.0]}


@pytest.mark.parametrize("branches", [(), ((0x1000, 0x2000, 0),), ((0x2008, 0x2000, 5),)])
def test_without_a_call_that_is_known_it_stays(branches: tuple[tuple[int, int, int], ...]):
    assert moved({HELPER: [8.0]}, *branches) == {HELPER: [8.0]}


def test_other_functions_without_lines_stay():
    copied = CountedPlace("memcpy", "/bin/x")
    assert moved({copied: [8.0]}, (0x1000, 0x2000, 5)) == {copied: [8.0]}
