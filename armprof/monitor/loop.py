"""The monitor: samples, stores, reports, until it is told to stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from armprof.counters.standing import Row
from armprof.monitor import levels as proc
from armprof.monitor.aging import Aging, Keep
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.sampler import STRETCH_NS, Sample, Sampler
from armprof.monitor.store import Store
from armprof.monitor.targets import Scope, Target

CATCH_UP_S = 0.5  # a loop that is busy for longer, as with a disk, is not waited for

Listener = Callable[[Report], Iterable[Mark]]
Latencies = Callable[[], Mapping[str, Distribution]]


class Loop:
    """One scope, sampled; what was sampled goes to the store, where there is one, and every report to the listeners.

    A listener may answer with marks, which are stored. `stop` may be called from anywhere, a signal handler too.
    """

    def __init__(
        self,
        scope: Scope,
        interval_ns: int,
        metrics: Sequence[str] = (),
        store: Store | None = None,
        keep: Keep | None = None,
        listeners: Sequence[Listener] = (),
        latencies: Latencies | None = None,
    ) -> None:
        self.scope = scope
        self.metrics = tuple(metrics)
        self.store = store
        self.listeners = list(listeners)
        self.each_sample: list[Callable[[Sample], None]] = []
        self._aging = Aging(store, keep or Keep()) if store else None
        self._latencies = latencies
        self._sampler = Sampler(scope, interval_ns)
        self._wake, self._waker = os.pipe()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)
        self._stopping = self._running = False
        self._came = threading.Condition()  # told when samples have come
        self._refused: dict[str, int] = {}
        self._silent: set[tuple[str, int]] = set()
        scope.levels()  # what is told as a difference begins here

    def keep(self, keep: Keep) -> None:
        """Another retention, from now on."""
        if self._aging:
            self._aging.keep = keep

    def stop(self) -> None:
        """Ends `run` with a last sample."""
        self._stopping = True
        self.wake()

    def wake(self) -> None:
        """Ends the wait for the next sample, so that what a signal changed is seen."""
        with suppress(BlockingIOError):  # it is full of such words already
            os.write(self._waker, b"!")

    def catch_up(self) -> None:
        """For another thread: has the samples taken over that wait for their stretch to be full, if the loop runs."""
        with self._came:
            if self._running:
                self.wake()
                self._came.wait(CATCH_UP_S)

    @property
    def waker(self) -> int:
        """The descriptor that wakes it, for `signal.set_wakeup_fd`."""
        return self._waker

    def run(self, duration_ns: int | None = None, woken: Callable[[], None] = lambda: None) -> None:
        """Samples until `stop`, the end of what is sampled, or of the duration. ``woken`` is called after each `wake`."""
        self._running = True
        try:
            self._run(None if duration_ns is None else time.monotonic_ns() + duration_ns, woken)
        finally:
            self._running = False

    def _run(self, end: int | None, woken: Callable[[], None]) -> None:
        samples: list[Sample] = []
        now = reported = time.monotonic_ns()
        self._sampler.begin()
        over = False
        while not over:
            due = reported + STRETCH_NS
            taken = self._sampler.until(min(due, end or due), self._wake)
            if self._stopping:
                taken.append(self._sampler.take())
            elif not taken:
                with suppress(BlockingIOError):  # a sleep may end a little too early
                    os.read(self._wake, 4096)
                    woken()
                self._tell_who_waits()
                continue
            tick = 0
            for sample in taken:
                tick = self.store.sample(sample) if self.store else 0
                samples.append(sample)
                for take in self.each_sample:
                    take(sample)
            self._tell_who_waits()
            now = time.monotonic_ns()
            over = self._stopping or self.scope.ended or (end is not None and now >= end)
            if now >= due - self._sampler.interval_ns // 2 or over:
                self._report(samples, tick)
                samples, reported = [], now
            if self.store:
                self.store.commit(taken[-1].at_ns, now)

    def _tell_who_waits(self) -> None:
        with self._came:
            self._came.notify_all()

    def _report(self, samples: Sequence[Sample], tick: int) -> None:
        at = samples[-1].at_ns
        marks = [mark for sample in samples for mark in sample.marks]
        more = self._sampler.mend(at) + self._without_counters(samples)
        found = self.scope.levels()
        latencies = self._latencies() if self._latencies else {}
        report = Report(
            at, sum(s.span_ns for s in samples), self.scope, samples, self.metrics, found, latencies, [*marks, *more]
        )
        for listener in self.listeners:
            more += listener(report)
        if self.store is None:
            return
        for target in self.scope.targets:
            if self._refused.get(target.name) != len(target.refused):
                self._refused[target.name] = len(target.refused)
                self.store.refused(target.name, {e: (str(r.status), str(r)) for e, r in target.refused.items()})
        self.store.levels(tick, found, proc.UNITS)
        self.store.latencies(
            tick, self.scope.whole, [(n, d.calls, d.total_ns, d.to_json()) for n, d in latencies.items() if d.calls]
        )
        self.store.marks(more)
        if self._aging:
            self._aging.work(at)

    def _without_counters(self, samples: Sequence[Sample]) -> list[Mark]:
        """Groups that wanted to count in this report and never had a counter, told when that begins."""
        rows: dict[str, list[Row]] = {}
        for sample in samples:
            for target, row in sample.counts:
                rows.setdefault(target.name, []).append(row)
        silent = set()
        named = {target.name: target for target in self.scope.targets}
        for name, found in rows.items():
            idle = {at for at, running_ns in enumerate(found[0][3::4]) if not running_ns}
            for row in found[1:]:
                if not idle:
                    break
                idle = {at for at in idle if not row[4 * at + 3]}
            for group, own in _groups(named[name]).items() if idle else ():
                if idle.issuperset(own) and any(row[4 * at + 2] for row in found for at in own):
                    silent.add((name, group))
        new, self._silent = silent - self._silent, silent
        return [
            Mark(
                samples[-1].at_ns,
                name,
                "lost",
                f"{', '.join(e for e, g in named[name].groups.items() if g == group)}: no counter for a whole report; "
                "another user of the PMU holds them",
            )
            for name, group in sorted(new)
        ]

    def close(self) -> None:
        """Closes the counters and the store."""
        self.scope.close()
        if self.store:
            self.store.close(time.time_ns())
            self.store = None
        for end in (self._wake, self._waker):
            os.close(end)
        self._wake = self._waker = -1

    def __enter__(self) -> Loop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _groups(target: Target) -> dict[int, list[int]]:
    """Where the events of each group stand."""
    found: dict[int, list[int]] = {}
    for at, event in enumerate(target.events):
        group = target.groups[event]
        if group is not None:
            found.setdefault(group, []).append(at)
    return found
