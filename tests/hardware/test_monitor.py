"""The monitor on real CPUs: its counts are those of perf, and a CPU that goes off-line is a gap."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from armprof.counters.standing import Interval, intervals
from armprof.metrics.topdown import TERMS
from armprof.metrics.wanted import wanted
from armprof.monitor.moments import Kind
from armprof.monitor.reports import Report
from armprof.monitor.sampler import Sampler
from armprof.monitor.settings import METRICS
from armprof.monitor.targets import Cpus, machine_of

pytestmark = pytest.mark.emulator_only

EVENTS = ("cpu_cycles", "inst_retired")
SPIN = "i=0; while [ $i -lt {} ]; do i=$((i+1)); done"


def on_every_cpu(rounds: int) -> None:
    """Work on each CPU, until it is done."""
    busy = [
        subprocess.Popen(["sh", "-c", SPIN.format(rounds)], preexec_fn=partial(os.sched_setaffinity, 0, {cpu}))
        for cpu in sorted(os.sched_getaffinity(0))
    ]
    for one in busy:
        assert one.wait() == 0


@contextmanager
def perf_counting(folder: Path) -> Iterator[Callable[[str], None]]:
    """perf stat of all CPUs, which begins and ends to count when it is told to, and has answered."""
    control, answer = folder / "control", folder / "answer"
    os.mkfifo(control)
    os.mkfifo(answer)
    command = ["perf", "stat", "-a", "-A", "-x;", "-e", ",".join(EVENTS), "-D", "-1", "-o", str(folder / "perf.csv")]
    with (
        subprocess.Popen([*command, "--control", f"fifo:{control},{answer}"]) as perf,
        open(control, "w") as words,
        open(answer) as answers,
    ):

        def tell(word: str) -> None:
            words.write(f"{word}\n")
            words.flush()
            assert answers.readline().strip("\0\n") == "ack"

        yield tell
        perf.send_signal(signal.SIGINT)


def test_counts_of_each_cpu_are_those_of_perf(tmp_path: Path) -> None:
    scope = Cpus(EVENTS)
    with closing(scope), perf_counting(tmp_path) as tell:
        for target in scope.targets:
            assert target.events == EVENTS, target.refused
            target.difference()
        tell("enable")
        on_every_cpu(20_000)
        tell("disable")
        ours = {
            target.name: dict(zip(target.events, intervals(target.difference() or ()), strict=True))
            for target in scope.targets
        }
    rows = [line.split(";") for line in (tmp_path / "perf.csv").read_text().splitlines() if line.count(";") > 4]
    theirs = {(row[0].lower(), row[3].partition(":")[0]): int(row[1]) for row in rows}
    assert len(theirs) == len(EVENTS) * len(scope.targets)
    for (cpu, event), count in theirs.items():
        found: Interval = ours[cpu][event]
        assert found.running_ns == found.enabled_ns
        assert found.raw == pytest.approx(count, rel=0.01), (cpu, event)


def test_every_metric_has_a_value_in_a_report_though_groups_take_turns() -> None:
    sought = wanted(METRICS, machine_of(0).core)
    scope = Cpus(sought.events, sought.together)
    busy = [subprocess.Popen(["sh", "-c", SPIN.format(10**9)]) for _ in scope.targets]
    sampler = Sampler(scope, 40_000_000)
    # a tenth of a usual report: what takes turns had some all the same
    samples = sampler.until(time.monotonic_ns() + 80_000_000, wake=-1)
    for one in busy:
        one.kill()
        one.wait()
    report = Report(samples[-1].at_ns, sum(s.span_ns for s in samples), scope, samples, sought.metrics, {})
    scope.close()
    metrics = {name: metric for name, metric in report.metrics().items() if name not in TERMS}  # not on every core
    assert {name: metric.reason for name, metric in metrics.items() if metric.value is None} == {}
    assert any(count.coverage is not None and count.coverage < 0.9 for count in report.reading().counts.values())


@pytest.mark.two_cpus
def test_a_cpu_that_is_taken_off_line_and_back_is_a_gap() -> None:
    switch = Path("/sys/devices/system/cpu/cpu1/online")
    if not switch.exists():
        pytest.skip("this kernel takes no CPU off-line")
    scope = Cpus(EVENTS)
    sampler = Sampler(scope, 10_000_000)

    def sample() -> tuple[dict[str, list[Interval]], list[tuple[Kind, str]]]:
        (taken,) = sampler.until(time.monotonic_ns(), wake=-1)
        news = [(mark.kind, mark.target) for mark in taken.marks if mark.target]
        return {target.name: intervals(row) for target, row in taken.counts}, news

    with closing(scope):
        assert set(sample()[0]) == {"cpu0", "cpu1"}
        try:
            switch.write_text("0")
            counts, news = sample()
            assert set(counts) == {"cpu0"}
            assert news == [("offline", "cpu1")]
            counts, news = sample()
            assert set(counts) == {"cpu0"}
            assert news == []
        finally:
            switch.write_text("1")
        counts, news = sample()
        assert news == [("online", "cpu1")]
        assert set(counts) == {"cpu0"}  # of the new one the interval has only begun
        counts, news = sample()
        assert news == []
        assert set(counts) == {"cpu0", "cpu1"}
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {1})
        sum(range(200_000))
        assert sample()[0]["cpu1"][1].raw > 200_000
        os.sched_setaffinity(0, before)
