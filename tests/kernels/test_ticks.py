"""Single ticks: the shares of their stages, and what a schedule of arrivals sees that a closed loop does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from armprof import _native
from armprof.components import feed
from armprof.components.kernels import KERNELS
from armprof.components.ticks import STAGES, Ticks, critical_path, open_loop, with_counts
from armprof.components.timing import Clock, latency
from armprof.counters.machine import machine
from armprof.counters.reading import Reading
from armprof.counters.stages import count_pass, count_stages
from armprof.errors import CannotCount
from armprof.run.record import OpenLoop

ffi, lib = _native.ffi, _native.lib


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    monkeypatch.setattr(feed.generate, "__defaults__", (5000,))
    made = KERNELS["tick_to_trade"].set_up(1, None).ticks
    assert made is not None
    return made


# The shares of stages

MATRICES = arrays(np.uint64, st.tuples(st.integers(1, 300), st.just(len(STAGES))), elements=st.integers(0, 10_000))


def matrix(*rows: list[int]) -> NDArray[np.uint64]:
    return np.array(rows, dtype=np.uint64).reshape(-1, len(STAGES))


def test_each_group_of_ticks_has_shares_of_its_own() -> None:
    """98 alike, and two in which the book is slow: those at and above p99."""
    path = critical_path(matrix(*[[30, 20, 110, 30, 30]] * 98, [30, 920, 10, 30, 30], [30, 1920, 10, 30, 30]), 10)
    assert path is not None
    assert (path.p50_ns, path.p99_ns) == (170, 970)
    assert (path.operations, path.p50_operations, path.p99_operations) == (100, 10, 2)
    shares = [(stage.name, stage.p50_share, stage.p99_share) for stage in path.stages]
    assert shares[0] == ("feed", pytest.approx(20 / 170), pytest.approx((20 / 970 + 20 / 1970) / 2))
    assert shares[1] == ("book", pytest.approx(10 / 170), pytest.approx((910 / 970 + 1910 / 1970) / 2))
    assert shares[2] == ("decision", pytest.approx(100 / 170), 0)


@given(MATRICES, st.floats(0, 5000))
def test_shares_are_parts_of_one_whole(rows: NDArray[np.uint64], cost: float) -> None:
    path = critical_path(rows, cost)
    if path is None:
        assert 2 * (rows <= cost).all(axis=1).sum() >= len(rows)
        return
    assert sum(stage.p50_share for stage in path.stages) == pytest.approx(1)
    assert sum(stage.p99_share for stage in path.stages) == pytest.approx(1)
    assert all(0 <= share <= 1 for stage in path.stages for share in (stage.p50_share, stage.p99_share))
    assert 0 < path.p50_ns <= path.p99_ns
    assert 1 <= path.p99_operations <= path.operations == len(rows)
    assert 1 <= path.p50_operations <= path.operations
    again = critical_path(rows[::-1], cost)
    assert again is not None
    assert (again.p50_ns, again.p99_ns) == (path.p50_ns, path.p99_ns)


def test_one_tick_that_an_interrupt_met_weighs_no_more_than_another() -> None:
    rows = [[10, 10, 100, 10, 10]] * 9900 + [[10, 200, 100, 10, 10]] * 99 + [[10_000_000, 10, 100, 10, 10]]
    path = critical_path(matrix(*rows), 0)
    assert path is not None
    shares = {stage.name: stage.p99_share for stage in path.stages}
    assert shares["book"] > 0.5
    assert shares["feed"] < 0.1


@pytest.mark.parametrize("rows", [[], [[5, 5, 5, 5, 5]] * 10])
def test_what_the_clock_cannot_tell_from_nothing_has_no_path(rows: list[list[int]]) -> None:
    assert critical_path(matrix(*rows), 5) is None


# The real loop


def test_single_ticks_are_timed_whole_and_by_stages(ticks: Ticks) -> None:
    assert len(ticks.times(100, at_least=300)) >= 300
    stages = ticks.stages(100, at_least=300)
    assert stages.shape[1] == len(STAGES) == lib.AP_STAGES
    assert len(stages) >= 300
    assert (stages.sum(axis=1) > 0).any()
    assert ticks.clock.cost_ns > 0
    assert ticks.stamp_cost_ns > 0


def test_counts_of_stages_are_those_of_ticks_that_send_orders(ticks: Ticks) -> None:
    """By software events, which are there on every Linux; the clock of the thread never stands still."""
    readings, counted = count_pass(ticks.run_day, ["task_clock", "page_faults"], only_user_reads=False)
    assert len(readings) == len(STAGES)
    again = ticks.stages(ticks.period, at_least=0)
    assert counted == len(again) > 50
    for reading in readings:
        assert reading.counts["task_clock"].enabled_ns
        assert (reading.counts["task_clock"].raw or 0) > 0
        assert set(reading.overhead) <= {"task_clock"}


def test_stages_are_counted_where_counters_are_read_in_user_space_and_else_not() -> None:
    def work(watch: Any) -> None:
        raise AssertionError("there is nothing to count with")

    with pytest.raises(CannotCount, match="by system call"):
        count_pass(work, ["task_clock"])
    with pytest.raises(CannotCount, match="nothing to count"):
        count_pass(work, [])
    if machine().missing() is not None:
        with pytest.raises(CannotCount):
            count_stages(work)
        with pytest.raises(CannotCount):
            count_pass(work, ["inst_retired"])


def test_counts_stand_with_their_stages_or_the_reason_does(ticks: Ticks) -> None:
    path = critical_path(matrix([1, 2, 3, 4, 5]), 0)
    assert path is not None
    readings = [Reading({}, "pmu", scope=str(stage)) for stage in range(len(STAGES))]
    counted = with_counts(path, (readings, 7), None)
    assert [stage.reading for stage in counted.stages] == readings
    assert (counted.reading_operations, counted.uncounted) == (7, None)
    assert with_counts(path, None, "no PMU").uncounted == "no PMU"


# A simulated queue

SERVICE, STALL = 100, 300_000
READING = 10  # of the clock: coarse, as each is a call into Python


class Queue:
    """Operations of SERVICE ns on a simulated clock, one of them stalled; the C loops serve it."""

    def __init__(self, stalled: int) -> None:
        self.time = self.served = 0
        self.stalled = stalled
        self.callbacks = (
            ffi.callback("bool(void *)", self.serve),
            ffi.callback("void(void *)", lambda state: None),
            ffi.callback("uint64_t(void *)", self.now),
        )
        self.service = ffi.new("ap_service *", {"serve": self.callbacks[0], "settle": self.callbacks[1]})
        self.clock = ffi.new("ap_pace_clock *", {"now_ns": self.callbacks[2]})

    def serve(self, state: Any) -> bool:
        self.time += SERVICE + (STALL if self.served == self.stalled else 0)
        self.served += 1
        return True

    def now(self, context: Any) -> int:
        self.time += READING
        return self.time


OPERATIONS, INTERVAL = 2_000, 1_000
ROOM = np.empty(2 * OPERATIONS, dtype=np.uint64)
OUT = ffi.from_buffer("uint64_t[]", ROOM, require_writable=True)
EXACT = Clock(READING, READING)


def test_a_closed_loop_hides_a_stall() -> None:
    queue = Queue(stalled=500)
    pace = lib.ap_pace_closed(queue.service, queue.clock, OPERATIONS, OUT, OPERATIONS)
    times = latency(ROOM[: pace.kept], 1, EXACT)
    assert (times.p50_ns, times.p999_ns, times.max_ns) == (SERVICE, SERVICE, SERVICE + STALL)


def at_rate(queue: Queue, interval_ns: float) -> OpenLoop:
    duration = round(OPERATIONS * interval_ns)
    pace = lib.ap_pace_open(queue.service, queue.clock, interval_ns, duration, OUT, len(ROOM))
    loop = open_loop(1e9 / interval_ns, pace, ROOM[: pace.kept], EXACT)
    assert loop is not None
    return loop


def test_at_a_rate_a_stall_shows_in_the_percentiles_as_arithmetic_says() -> None:
    """The k-th behind the stall waits k times the time to spare less: the share q of the highest begins at
    STALL - q * OPERATIONS * spare.
    """
    loop = at_rate(Queue(stalled=500), INTERVAL)
    spare = INTERVAL - SERVICE - 2 * READING
    assert loop.operations == OPERATIONS
    assert loop.latency.p50_ns == pytest.approx(SERVICE, abs=READING)
    for share, found in ((0.05, loop.latency.p95_ns), (0.01, loop.latency.p99_ns), (0.001, loop.latency.p999_ns)):
        assert found == pytest.approx(SERVICE + STALL - share * OPERATIONS * spare, rel=0.01), share
    assert loop.latency.max_ns == pytest.approx(SERVICE + STALL, abs=READING)
    assert loop.most_behind_ns == pytest.approx(STALL - spare, abs=2 * READING)
    assert loop.is_sustained
    assert loop.achieved_per_s == pytest.approx(1e9 / INTERVAL, rel=0.001)


def test_a_rate_beyond_what_can_be_served_is_not_sustained() -> None:
    """Twice as many arrive as are served: at the end of the run half of it is behind."""
    takes = SERVICE + 2 * READING
    loop = at_rate(Queue(stalled=-1), takes / 2)
    duration = OPERATIONS * takes / 2
    assert not loop.is_sustained
    assert loop.on_time_until < 0.01
    assert loop.behind_ns == pytest.approx(duration / 2, rel=0.02)
    assert loop.latency.p50_ns == pytest.approx(duration / 4, rel=0.02)
    assert loop.achieved_per_s == pytest.approx(1e9 / takes, rel=0.01)


def test_a_stall_at_the_end_is_one_that_it_did_not_catch_up_with() -> None:
    late = at_rate(Queue(stalled=int(OPERATIONS * 0.84)), INTERVAL)
    assert not late.is_sustained
    assert late.on_time_until == pytest.approx(0.84, abs=0.02)
    assert at_rate(Queue(stalled=int(OPERATIONS * 0.7)), INTERVAL).is_sustained


def test_nobody_who_sent_orders_has_no_latency() -> None:
    pace = lib.ap_pace_open(Queue(-1).service, Queue(-1).clock, 1.0, 0, OUT, 1)
    assert open_loop(1e9, pace, ROOM[:0], EXACT) is None
