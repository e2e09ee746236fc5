"""`measure()` and `profile()` around work whose counts are known."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import pytest

import armprof
from armprof.counters.reading import Reading, Status

from .conftest import LINES, LONG_AND_SHORT

INSTRUCTIONS_PER_LINE = 5
EVENTS = ["cpu_cycles", "inst_retired", "l1d_cache_refill", "l1d_cache"]
TWELVE = [
    *("cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "br_retired", "br_mis_pred_retired"),
    *("l2d_cache", "l2d_cache_refill", "l1d_tlb", "dtlb_walk", "l1i_cache", "l1i_cache_refill"),
]
WARM_UP = 10

Walk = Callable[[], int]
UserAccess = Callable[[int], None]


def measured(events: Sequence[str], work: Callable[[], object]) -> Reading:
    with armprof.measure(events) as m:
        work()
    return m.reading


def warmed(events: Sequence[str], work: Callable[[], object]) -> Reading:
    """The middle one of some readings, by instructions. What the last walk swept out of the caches Python has to fetch
    again before the block ends, now more and now less of it.
    """
    readings = [measured(events, work) for _ in range(2 * WARM_UP)][WARM_UP:]
    return sorted(readings, key=lambda reading: reading.value("inst_retired") or 0.0)[WARM_UP // 2]


def instructions(work: Callable[[], object]) -> float:
    return measured(["inst_retired"], work).value("inst_retired") or 0.0


@pytest.mark.slow
@pytest.mark.emulator_only
def test_a_walk_refills_each_line_once_and_is_read_in_user_space(walk: Walk) -> None:
    reading = warmed(EVENTS, walk)
    assert reading.value("l1d_cache_refill") == pytest.approx(LINES, rel=0.01)
    assert reading.access.startswith("user reads")
    assert {count.status for count in reading.counts.values()} == {Status.COUNTED}
    assert not reading.notes


@pytest.mark.slow
def test_instructions_are_the_same_every_time_and_what_the_work_has(walking: Callable[..., Walk]) -> None:
    """To within what Python needs now and then to find memory for a number. Regions in C have it to the last one."""
    long, short = (walking(lines) for lines in LONG_AND_SHORT)
    rows = [[instructions(work) for work in (long, short, long)] for _ in range(40)]
    difference = (LONG_AND_SHORT[0] - LONG_AND_SHORT[1]) * INSTRUCTIONS_PER_LINE
    assert median(row[0] - row[1] for row in rows) == pytest.approx(difference, abs=50)
    assert median(abs(row[0] - row[2]) for row in rows) <= 50
    assert median(row[0] for row in rows) == pytest.approx(LONG_AND_SHORT[0] * INSTRUCTIONS_PER_LINE, rel=0.1)


def test_an_empty_block_counts_next_to_nothing() -> None:
    def empty() -> float:
        with armprof.measure(["inst_retired"]) as m:
            pass
        return m.counts["inst_retired"].value or 0.0

    assert min(empty() for _ in range(20)) <= 100


@pytest.mark.emulator_only
def test_without_reads_in_user_space_the_counts_are_the_same(walk: Walk, user_access: UserAccess) -> None:
    by_user_reads = warmed(EVENTS, walk)
    user_access(0)
    reading = warmed(EVENTS, walk)
    assert reading.access == "read()"
    assert {count.status for count in reading.counts.values()} == {Status.COUNTED}
    assert reading.value("l1d_cache_refill") == pytest.approx(LINES, rel=0.01)
    assert reading.value("inst_retired") == pytest.approx(by_user_reads.value("inst_retired"), rel=0.05)


@pytest.mark.emulator_only
@pytest.mark.parametrize("then", [lambda: None, lambda: time.sleep(0.01)], ids=["read at once", "after a switch"])
def test_reads_in_user_space_can_be_taken_away_inside_a_block(
    then: Callable[[], None], walk: Walk, user_access: UserAccess
) -> None:
    """The mapped page still shows its index then, and the next read would end the process by SIGILL. Once the thread was
    switched out and in, the index is 0, as of an event that waits for a counter.
    """

    def twice(setting: int) -> Callable[[], None]:
        def work() -> None:
            walk()
            user_access(setting)
            then()
            walk()

        return work

    kept = warmed(EVENTS, twice(1))
    assert kept.access.startswith("user reads")
    taken = measured(EVENTS, twice(0))
    assert taken.access == "read()"
    assert any("perf_user_access" in note for note in taken.notes)
    assert {count.status for count in taken.counts.values()} == {Status.COUNTED}
    assert taken.value("inst_retired") == pytest.approx(kept.value("inst_retired"), rel=0.01)
    assert taken.value("l1d_cache_refill") == pytest.approx(kept.value("l1d_cache_refill"), rel=0.01)
    assert measured(EVENTS, walk).access == "read()", "the next block knows from the start"
    assert not measured(EVENTS, walk).notes


@pytest.mark.slow
@pytest.mark.emulator_only
def test_more_events_than_counters_are_scaled_and_profile_counts_them_all(walk: Walk) -> None:
    times = 400
    profile = armprof.profile(lambda: [walk() for _ in range(times // 20)])
    with armprof.measure(TWELVE) as m:
        for _ in range(times):
            walk()
    counted, scaled = profile.counts, m.counts
    for event in TWELVE:
        assert counted[event].status == Status.COUNTED
        assert counted[event].coverage == 1.0
        assert scaled[event].status == Status.SCALED
        assert 0.1 < (scaled[event].coverage or 0) < 0.9
        assert "multiplexed" in (scaled[event].reason or "")
    # Events that every walk has alike. A few mispredictions or page walks depend on when their turn came.
    for event in ("inst_retired", "l1d_cache", "l1d_cache_refill", "br_retired", "l2d_cache", "l1d_tlb", "l1i_cache"):
        per_walk = (scaled[event].value or 0) / times
        assert per_walk == pytest.approx((counted[event].value or 0) / (times // 20), rel=0.05), event


def test_a_block_inside_a_block_is_in_both(walk: Walk) -> None:
    def nested() -> tuple[float, float]:
        with armprof.measure(["inst_retired"]) as outer:
            walk()
            with armprof.measure(["inst_retired"]) as inner:
                walk()
        return outer.reading.value("inst_retired") or 0, inner.reading.value("inst_retired") or 0

    outer, inner = min(nested() for _ in range(WARM_UP))
    assert LINES * INSTRUCTIONS_PER_LINE < inner < LINES * INSTRUCTIONS_PER_LINE * 1.1
    assert outer > inner + LINES * INSTRUCTIONS_PER_LINE


def test_an_exception_passes_through_and_the_counts_stay(walk: Walk) -> None:
    def work() -> None:
        walk()
        raise KeyError("in the block")

    m = armprof.measure(["inst_retired"])
    with pytest.raises(KeyError), m:
        work()
    assert m.counts["inst_retired"].status == Status.COUNTED
    assert (m.counts["inst_retired"].value or 0) > LINES * INSTRUCTIONS_PER_LINE


def in_a_child(work: Callable[[], str]) -> str:
    """What the work returned, done in a child after fork."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, work().encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


def test_what_a_child_does_is_not_its_parents(walk: Walk) -> None:
    def many() -> str:
        for _ in range(100):
            walk()
        return ""

    with armprof.measure(["inst_retired"]) as m:
        in_a_child(many)
    assert 0 < (m.counts["inst_retired"].value or 0) < 20 * LINES * INSTRUCTIONS_PER_LINE
    with armprof.measure(["inst_retired"], threads=True) as m:
        in_a_child(many)
    assert (m.counts["inst_retired"].value or 0) > 100 * LINES * INSTRUCTIONS_PER_LINE


def test_a_child_counts_for_itself_and_not_in_the_block_that_it_was_born_in(walk: Walk) -> None:
    with armprof.measure(["inst_retired"]) as outer:

        def child() -> str:
            own = warmed(["inst_retired"], walk)
            outer.__exit__(None, None, None)
            inherited = outer.counts["inst_retired"]
            return f"{own.access}|{own.value('inst_retired')}|{inherited.value}|{inherited.reason}"

        access, own, inherited, reason = in_a_child(child).split("|")
    assert access.startswith("user reads")
    assert LINES * INSTRUCTIONS_PER_LINE < float(own) < LINES * INSTRUCTIONS_PER_LINE * 1.1
    assert inherited == "None"
    assert "fork" in reason
    assert (outer.counts["inst_retired"].value or 0) > 0


def test_the_counters_of_blocks_are_closed(walk: Walk) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    warmed(EVENTS, walk)
    before = open_files()
    warmed(EVENTS, walk)
    assert open_files() == before
