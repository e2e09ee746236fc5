"""`profile()`: a function called again and again, one pass for each group of events."""

from __future__ import annotations

import asyncio
import functools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thread_time import here_without_pmu, work

import armprof
from armprof import ArmprofError, Count, Reading, Status
from armprof.counters import pmu
from armprof.counters.machine import machine
from armprof.counters.reading import uncounted


def passes() -> int:
    return len(pmu.groups_of(machine().default_events(), pmu.ANCHORS))


# ---- on this machine -------------------------------------------------------------------------------------------------


def test_the_function_is_called_once_to_warm_up_and_once_a_pass():
    calls = []
    profile = armprof.profile(calls.append, "x")
    assert len(calls) == 1 + passes()
    assert profile.calls == 1


def test_arguments_and_result_are_the_functions():
    def function(a: int, /, b: int, *, events: int) -> tuple[int, int, int]:
        return a, b, events

    assert armprof.profile(function, 1, b=2, events=3).result == (1, 2, 3)


def test_the_counts_are_those_of_one_call():
    profile = armprof.profile(work, 20)
    value = profile.counts["task_clock"].value
    assert value is not None
    assert 20e6 <= value < 40e6
    assert profile.reading.scope == "this thread, user mode"


def test_repeated_calls_in_a_pass_are_counted_together():
    reading = pmu.count(lambda: work(2), ["task_clock"], repeat=10)
    value = reading.value("task_clock")
    assert value is not None
    assert 20e6 <= value < 40e6


def test_nothing_is_multiplexed():
    profile = armprof.profile(work)
    assert Status.SCALED not in {count.status for count in profile.counts.values()}


@here_without_pmu
def test_without_a_pmu_the_software_events_are_counted_and_the_rest_has_the_reason():
    profile = armprof.profile(work)
    assert profile.counts["task_clock"].status is Status.COUNTED
    assert (profile.counts["cpu_cycles"].reason or "").startswith("no PMU")
    assert profile.metrics.cycles_per_instruction is None
    assert profile.reading.notes == ()


@pytest.mark.parametrize("fails_at", [1, 2])
def test_an_exception_passes_and_leaves_nothing_open(fails_at):
    before = len(os.listdir("/proc/self/fd"))
    calls = []

    def fails() -> None:
        calls.append(None)
        if len(calls) == fails_at:
            raise KeyError("x")

    with pytest.raises(KeyError):
        armprof.profile(fails)
    assert len(calls) == fails_at
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_profile_inside_a_measurement_and_a_measurement_inside_a_profile():
    def measured() -> armprof.Measurement:
        with armprof.measure(["task_clock"]) as m:
            work()
        return m

    with armprof.measure(["task_clock"]) as outer:
        profile = armprof.profile(measured)
    inside = profile.result.counts["task_clock"].value
    assert inside is not None
    assert inside >= 1e6
    assert (outer.counts["task_clock"].value or 0) > inside


def test_what_the_function_returned_is_not_profiled():
    with pytest.raises(ArmprofError, match=r"profile\(f, x\), not profile\(f\(x\)\)"):
        armprof.profile(work())  # type: ignore[arg-type, func-returns-value]


def test_a_generator_is_not_profiled():
    def steps():
        yield 1

    with pytest.raises(ArmprofError, match=r"profile\(\) of the generator .*would count its creation, not its steps"):
        armprof.profile(steps)


def test_a_coroutine_is_profiled_by_what_runs_it():
    async def coroutine() -> int:
        await asyncio.sleep(0)
        return 7

    for function in (coroutine, functools.partial(coroutine)):
        with pytest.raises(ArmprofError, match="profile a function that runs it"):
            armprof.profile(function)
    assert armprof.profile(lambda: asyncio.run(coroutine())).result == 7


def test_it_reads_as_its_counts():
    profile = armprof.profile(work)
    assert repr(profile).startswith("<Profile: Reading from pmu; this thread, user mode; ")
    assert "task_clock" in profile._repr_html_()
    assert "task_clock" in profile.to_frame().index


# ---- passes put together ---------------------------------------------------------------------------------------------


def count_of(
    event: str, value: float, status: Status = Status.COUNTED, coverage: float = 1, group: int | None = 0
) -> Count:
    return Count(event, value, value, 1000, round(1000 * coverage), status, group=group)


def reading_of(*counts: Count, duration: int = 1000, **known) -> Reading:
    return Reading({c.event: c for c in counts}, "pmu", duration_ns=duration, **known)


def test_each_event_comes_from_the_pass_that_counted_it():
    reading = pmu.joined(
        [reading_of(count_of("l1d_cache", 10)), reading_of(count_of("br_retired", 20))], ["l1d_cache", "br_retired"]
    )
    assert {name: (c.value, c.status) for name, c in reading.counts.items()} == {
        "l1d_cache": (10, Status.COUNTED),
        "br_retired": (20, Status.COUNTED),
    }


def test_events_of_different_passes_are_of_different_groups():
    reading = pmu.joined(
        [reading_of(count_of("l1d_cache", 10)), reading_of(count_of("br_retired", 20))], ["l1d_cache", "br_retired"]
    )
    assert reading["l1d_cache"].group != reading["br_retired"].group


def test_an_event_that_every_pass_counted_is_the_mean_and_of_no_single_group():
    passes = [
        reading_of(count_of("inst_retired", v), count_of(e, 1)) for e, v in (("l1d_cache", 1000), ("br_pred", 1005))
    ]
    reading = pmu.joined(passes, ["inst_retired", "l1d_cache", "br_pred"])
    assert reading["inst_retired"].value == 1002.5
    assert reading["inst_retired"].raw == 1002.5
    assert reading["inst_retired"].group is None
    assert not any("differ" in note for note in reading.notes)


def test_passes_that_did_different_work_are_noted():
    passes = [reading_of(count_of("inst_retired", value)) for value in (100, 200)]
    reading = pmu.joined(passes, ["inst_retired"])
    assert "the passes differ by 50.0% in instructions: the work is not the same each time" in reading.notes


def test_a_pass_without_any_instructions_beside_others_is_different_work():
    passes = [reading_of(count_of("inst_retired", value)) for value in (0, 150)]
    assert any("not the same each time" in note for note in pmu.joined(passes, ["inst_retired"]).notes)


def test_an_event_without_a_value_keeps_its_status_and_reason():
    lacking = uncounted("l3d_cache", Status.UNSUPPORTED, "no such event")
    reading = pmu.joined([reading_of(count_of("l1d_cache", 1)), reading_of(lacking)], ["l1d_cache", "l3d_cache"])
    assert reading["l3d_cache"].value is None
    assert (reading["l3d_cache"].status, reading["l3d_cache"].reason) == (Status.UNSUPPORTED, "no such event")


def test_an_event_of_no_pass_says_so():
    reading = pmu.joined([reading_of(count_of("l1d_cache", 1))], ["l1d_cache", "l2d_cache"])
    assert reading["l2d_cache"].reason == "no pass was made for it"
    assert pmu.joined([], ["l2d_cache"])["l2d_cache"].value is None


def test_a_mean_is_as_well_counted_as_the_worst_of_its_passes():
    scaled = count_of("inst_retired", 100, Status.SCALED, 0.5)
    for order in ((count_of("inst_retired", 100), scaled), (scaled, count_of("inst_retired", 100))):
        count = pmu.joined([reading_of(c) for c in order], ["inst_retired"])["inst_retired"]
        assert (count.status, count.coverage) == (Status.SCALED, 0.5)


def test_a_contradiction_between_passes_is_suspect():
    passes = [reading_of(count_of("l1d_cache", 0)), reading_of(count_of("l1d_cache_refill", 10_000))]
    reading = pmu.joined(passes, ["l1d_cache", "l1d_cache_refill"])
    assert (reading["l1d_cache"].value, reading["l1d_cache"].status) == (None, Status.SUSPECT)


def test_the_time_is_that_of_the_mean_pass():
    passes = [reading_of(count_of("l1d_cache", 1), duration=d) for d in (100, 300)]
    assert pmu.joined(passes, ["l1d_cache"]).duration_ns == 200


def test_several_hardware_passes_are_told_and_one_is_not():
    hardware = [reading_of(count_of(e, 1), notes=("the same note",)) for e in ("l1d_cache", "br_pred")]
    software = reading_of(count_of("task_clock", 1, group=None))
    told = "counted in 2 passes over the same work, nothing multiplexed"
    assert pmu.joined([*hardware, software], ["l1d_cache", "br_pred", "task_clock"]).notes == ("the same note", told)
    assert pmu.joined([hardware[0], software], ["l1d_cache", "task_clock"]).notes == ("the same note",)


@given(st.lists(st.floats(1, 1e12), min_size=1, max_size=8))
def test_a_mean_lies_between_its_passes(values):
    count = pmu.joined([reading_of(count_of("inst_retired", v)) for v in values], ["inst_retired"])["inst_retired"]
    assert count.value is not None
    assert min(values) * (1 - 1e-9) <= count.value <= max(values) * (1 + 1e-9)
