"""The sampler and its loop: what comes of samples, gaps and ends."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from itertools import pairwise

import pytest
from monitored import START, TENTH, GivenScope, GivenTarget, S, counted, report, sample

from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal
from armprof.counters.standing import Interval, intervals, row_of
from armprof.errors import ArmprofError
from armprof.monitor.figures import value
from armprof.monitor.loop import Loop
from armprof.monitor.moments import Clocks, Mark
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure
from armprof.monitor.sampler import Sample, Sampler
from armprof.monitor.targets import Cgroup, Cpus, Own, Process, cgroup_root, processes_of


class Ticking:
    """Clocks of which each look is a tenth of a second after the one before."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> Clocks:
        self.n += 1
        return Clocks(START + self.n * TENTH, self.n * TENTH, self.n * TENTH)


def test_a_target_that_cannot_be_read_is_a_gap_and_is_opened_again():
    target = GivenTarget("cpu0", given=[[counted(1), counted(2)], None])
    sampler = Sampler(GivenScope(target), TENTH, Ticking())
    assert [intervals(row) for _, row in sampler.take().counts] == [[counted(1), counted(2)]]
    failed = sampler.take()
    assert failed.counts == []
    assert [mark.kind for mark in failed.marks] == ["failed"]
    assert sampler.take().counts == []
    assert [mark.kind for mark in sampler.mend(START)] == ["online"]
    assert len(sampler.take().counts) == 1


def test_a_cpu_that_came_back_counts_from_the_next_sample_on():
    scope = GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"))
    sampler = Sampler(scope, TENTH, Ticking())
    scope.news = [Mark(START, "cpu1", "online", "CPU 1 is on-line")]
    assert [target.name for target, _ in sampler.take().counts] == ["cpu0"]
    assert [target.name for target, _ in sampler.take().counts] == ["cpu0", "cpu1"]


def test_a_report_has_each_target_and_their_sum():
    scope = GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"))
    made = report(scope, [sample(scope, START, 300, 100), sample(scope, START + TENTH, 100, 100)])
    assert made.reading("cpu0").value("cpu_cycles") == 400
    assert made.reading().value("cpu_cycles") == 800
    assert made.metrics().explain("cycles_per_instruction").value == 2
    assert value(made, Figure("metric", "ipc"), "cpu1") == 0.5
    assert value(made, Figure("event", "inst_retired", "per_s")) == pytest.approx(2000)


def test_what_was_refused_is_in_every_reading_with_its_reason():
    scope = GivenScope(GivenTarget("cpu0", refused={"l1d_cache": Refusal(Status.UNSUPPORTED, "not on this core")}))
    count = report(scope, [sample(scope, START, 1, 1)]).reading()["l1d_cache"]
    assert (count.value, count.status, count.reason) == (None, Status.UNSUPPORTED, "not on this core")


def test_a_metric_is_none_where_its_group_had_no_turn():
    scope = GivenScope(GivenTarget("cpu0"))
    one = sample(scope, START, 1, 1)
    one.counts[0] = (scope.targets[0], row_of([counted(100), Interval(None, 0, TENTH, 0)]))
    assert value(report(scope, [one]), Figure("metric", "ipc")) is None


def run_for(loop: Loop, reports: int) -> list[Report]:
    found: list[Report] = []

    def listen(report: Report) -> list[Mark]:
        found.append(report)
        if len(found) == reports:
            loop.stop()
        return []

    loop.listeners.append(listen)
    loop.run()
    return found


def test_another_user_of_the_counters_is_told_once_while_it_lasts():
    taken = [[Interval(None, 0, TENTH, 0), counted(1)] for _ in range(100)]
    scope = GivenScope(GivenTarget("cpu0", given=taken, groups={"cpu_cycles": 0, "inst_retired": 1}))
    with Loop(scope, 2 * S // 100) as loop:
        made = run_for(loop, 2)
    told = [mark for one in made for mark in one.marks if mark.kind == "lost"]
    assert [mark.text.partition(":")[0] for mark in told] == ["cpu_cycles"]


def test_a_group_of_which_one_event_counts_has_its_counters():
    half = [
        [Interval(None, 0, TENTH, 0), counted(1)] for _ in range(100)
    ]  # as where only one of two PMUs has the first
    with Loop(GivenScope(GivenTarget("cpu0", given=half)), 2 * S // 100) as loop:
        made = run_for(loop, 1)
    assert [mark for one in made for mark in one.marks if mark.kind == "lost"] == []


def test_the_end_of_what_is_sampled_ends_the_loop_with_a_last_report():
    scope = GivenScope(GivenTarget("process 1"))
    reports = []
    with Loop(scope, TENTH // 10, listeners=[lambda one: reports.append(one) or []]) as loop:
        threading.Timer(0.05, lambda: setattr(scope, "ended", True)).start()
        loop.run()
    assert len(reports) == 1
    assert reports[0].samples


def test_a_duration_ends_it_and_so_does_stop_from_another_thread():
    with Loop(GivenScope(GivenTarget("cpu0")), TENTH // 10) as loop:
        loop.run(duration_ns=TENTH // 2)
    with Loop(GivenScope(GivenTarget("cpu0")), 3600 * S) as loop:
        threading.Timer(0.05, loop.stop).start()
        loop.run()


def test_a_duration_of_a_second_is_one_report_of_a_second():
    spans: list[int] = []
    with Loop(GivenScope(GivenTarget("cpu0")), S // 2) as loop:
        time.sleep(0.2)  # what is between opening and running is no interval of its own
        loop.listeners.append(lambda made: spans.append(made.span_ns) or [])
        loop.run(duration_ns=S)
    assert len(spans) == 1
    assert spans[0] >= S


# ---- real scopes ----


def real(scope_of):
    try:
        scope = scope_of()
    except ArmprofError as error:
        pytest.skip(str(error))
    if not scope.targets[0].events:
        scope.close()
        pytest.skip(f"nothing can be counted here: {next(iter(scope.targets[0].refused.values()))}")
    return scope


EVENTS = ("task_clock", "context_switches", "inst_retired")


def test_every_cpu_of_the_machine_is_a_target():
    scope = real(lambda: Cpus(EVENTS))
    with Loop(scope, TENTH // 4) as loop:
        first, *_ = run_for(loop, 1)
    assert [target.name for target in scope.targets] == [f"cpu{n}" for n in sorted(os.sched_getaffinity(0))]
    assert first.reading("cpu0").value("task_clock") == pytest.approx(first.span_ns, rel=0.2)
    assert first.levels["machine"]["memory_bytes"] > 0


def test_samples_come_in_stretches_of_half_a_second_each_of_its_own_interval():
    scope = real(lambda: Cpus(EVENTS))
    came: list[tuple[float, Sample]] = []
    with Loop(scope, TENTH // 4) as loop:
        loop.each_sample.append(lambda one: came.append((time.monotonic(), one)))
        run_for(loop, 1)
    at = [moment for moment, _ in came]
    waits = [later - sooner for sooner, later in pairwise(at)]
    assert sum(wait > TENTH / 8 / S for wait in waits) < len(waits) / 2  # as soon as it is busy elsewhere some more
    samples = [one for _, one in came]
    assert sum(one.span_ns for one in samples) == pytest.approx(S, rel=0.2)
    for one in samples:
        assert [target.name for target, _ in one.counts] == [target.name for target in scope.targets]
        for _, row in one.counts:
            assert intervals(row)[0].enabled_ns == pytest.approx(one.span_ns, rel=0.2, abs=5_000_000)


def test_whoever_wakes_the_loop_is_heard_at_once():
    scope = real(lambda: Cpus(EVENTS))
    with Loop(scope, TENTH) as loop:
        threading.Timer(0.05, loop.wake).start()
        begin = time.monotonic()
        loop.run(duration_ns=600 * S, woken=loop.stop)
    assert time.monotonic() - begin < 60


def test_whoever_catches_up_sees_what_was_sampled_up_to_now():
    scope = real(lambda: Cpus(EVENTS))
    with Loop(scope, TENTH // 10) as loop:
        came: list[int] = []
        loop.each_sample.append(lambda one: came.append(one.at_ns))
        loop.catch_up()  # nothing runs yet: there is nothing to wait for
        running = threading.Thread(target=loop.run)
        running.start()
        ages = []
        for _ in range(5):
            time.sleep(0.07)
            loop.catch_up()
            ages.append(time.time_ns() - came[-1])
        loop.stop()
        running.join()
    assert sorted(ages)[2] < TENTH  # where a stretch is most of a second long


def test_a_process_is_sampled_until_it_ends():
    child = subprocess.Popen(["sh", "-c", "i=0; while :; do i=$((i+1)); done"])
    scope = real(lambda: Process(child.pid, EVENTS))
    with Loop(scope, TENTH // 4) as loop:
        reports: list[Report] = []

        def listen(made: Report) -> list[Mark]:
            reports.append(made)
            child.kill()
            child.wait()
            return []

        loop.listeners.append(listen)
        loop.run()
    assert (reports[0].reading().value("task_clock") or 0) > 0
    assert reports[0].levels[scope.whole]["processes"] == 1
    assert [mark.kind for mark in reports[-1].marks if mark.kind != "late"] == ["ended"]


def test_a_process_that_is_not_there_is_one_line():
    with pytest.raises(ArmprofError, match="cannot follow process 4194305: there is no such process"):
        Process(2**22 + 1, EVENTS)


def test_this_program_is_sampled_with_its_children():
    child = subprocess.Popen(["sleep", "60"])
    scope = real(lambda: Own(EVENTS))
    assert child.pid in processes_of(os.getpid())
    assert scope.levels()[scope.whole]["processes"] >= 2
    scope.close()
    child.kill()
    child.wait()


@pytest.mark.parametrize("name", ["no-such-cgroup", "/proc"])
def test_what_is_no_cgroup_is_one_line(name, tmp_path):
    with pytest.raises(ArmprofError, match="cgroup"):
        Cgroup(tmp_path / name, EVENTS)


def test_a_cgroup_is_sampled_until_it_is_removed():
    try:
        folder = cgroup_root() / f"armprof-test-{os.getpid()}"
        folder.mkdir()
    except (ArmprofError, OSError) as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    child = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        (folder / "cgroup.procs").write_text(str(child.pid))
        scope = real(lambda: Cgroup(folder, EVENTS))
        with Loop(scope, TENTH // 4) as loop:
            first, *_ = run_for(loop, 1)
            assert (first.reading().value("task_clock") or 0) > 0
            assert first.levels[scope.whole]["processes"] == 1
            child.kill()
            child.wait()
            while (folder / "cgroup.procs").read_text():
                time.sleep(0.01)
            folder.rmdir()
            assert [mark.kind for mark in scope.changes(START)] == ["ended"]
    finally:
        child.kill()
        child.wait()
        if folder.exists():
            folder.rmdir()
