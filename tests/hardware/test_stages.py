"""Counters at the stages of tick to trade, read in user space where the tick passes from one to the next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from armprof.analysis import bottlenecks
from armprof.components import bench, feed
from armprof.components.kernels import KERNELS
from armprof.components.ticks import STAGES, Ticks
from armprof.counters.reading import Status
from armprof.counters.stages import BY_SYSCALL, count_pass, count_stages
from armprof.errors import CannotCount

MESSAGES = 5000


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    monkeypatch.setattr(feed.generate, "__defaults__", (MESSAGES,))
    made = KERNELS["tick_to_trade"].set_up(1, None).ticks
    assert made is not None
    return made


@pytest.mark.one_cpu
def test_instructions_of_each_stage_are_those_of_its_work(ticks: Ticks) -> None:
    """The same in each pass, as they depend on the messages alone."""
    readings, counted = count_pass(ticks.run_day, ["cpu_cycles", "inst_retired"])
    first = [reading.value("inst_retired") or 0.0 for reading in readings]
    assert counted > 50
    again, counted_again = count_pass(ticks.run_day, ["cpu_cycles", "inst_retired"])
    assert counted_again == counted
    # a sample that an interrupt falls into reads once more: some hundred instructions of a hundred thousand
    assert [reading.value("inst_retired") for reading in again] == pytest.approx(first, rel=0.01)
    each = dict(zip(STAGES, (instructions / counted for instructions in first), strict=True))
    assert all(10 < instructions < 5000 for instructions in each.values()), each
    assert each["decision"] > each["feed"], each
    for reading in readings:
        assert reading.access.startswith("user reads")
        assert 0 < reading.overhead["inst_retired"] < counted * 1000


@pytest.mark.slow
@pytest.mark.emulator_only
def test_every_stage_has_all_events_and_the_bottlenecks_their_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.generate, "__defaults__", (MESSAGES,))
    (component,) = bench(["tick_to_trade"], seconds=0.05).components
    path = component.critical_path
    assert path is not None
    assert path.uncounted is None
    assert (path.reading_operations or 0) > 50
    for stage in path.stages:
        assert stage.reading is not None
        for event in ("cpu_cycles", "inst_retired", "l1d_cache", "br_retired"):
            assert stage.reading[event].status is Status.COUNTED, (stage.name, event)
            assert (stage.reading.value(event) or 0) > 0, (stage.name, event)
    found = bottlenecks(component)
    assert found
    assert all(any("instructions an operation" in fact for fact in one.evidence) for one in found)


@pytest.mark.slow
def test_without_reads_in_user_space_stages_are_not_counted(ticks: Ticks, user_access: Callable[[int], None]) -> None:
    user_access(0)
    with pytest.raises(CannotCount, match=BY_SYSCALL):
        count_stages(ticks.run_day)
