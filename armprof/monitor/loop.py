"""The monitor: samples, stores, reports, until it is told to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from armprof.monitor import levels as proc
from armprof.monitor.aging import Aging, Keep
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.reports import REPORT_NS, Report
from armprof.monitor.sampler import Sample, Sampler
from armprof.monitor.store import Store
from armprof.monitor.targets import Scope

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
        self._stopping = False
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

    @property
    def waker(self) -> int:
        """The descriptor that wakes it, for `signal.set_wakeup_fd`."""
        return self._waker

    def run(self, duration_ns: int | None = None, woken: Callable[[], None] = lambda: None) -> None:
        """Samples until `stop`, the end of what is sampled, or of the duration. ``woken`` is called after each `wake`."""
        end = None if duration_ns is None else time.monotonic_ns() + duration_ns
        samples: list[Sample] = []
        reported = time.monotonic_ns()
        over = False
        while not over:
            self._sampler.wait(self._wake)
            if not self._sampler.is_due() and not self._stopping:
                with suppress(BlockingIOError):  # a sleep may end a little too early
                    os.read(self._wake, 4096)
                    woken()
                continue
            sample = self._sampler.take()
            tick = self.store.sample(sample) if self.store else 0
            samples.append(sample)
            for take in self.each_sample:
                take(sample)
            now = time.monotonic_ns()
            over = self._stopping or self.scope.ended or (end is not None and now >= end)
            if now - reported >= REPORT_NS - self._sampler.interval_ns // 2 or over:
                self._report(samples, tick)
                samples, reported = [], now
            if self.store:
                self.store.commit(sample.at_ns, now)

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
        seen: dict[tuple[str, int], list[bool]] = {}
        for sample in samples:
            for target, intervals in sample.counts:
                for event, found in zip(target.events, intervals, strict=True):
                    group = target.groups[event]
                    if group is not None and found.enabled_ns:
                        seen.setdefault((target.name, group), []).append(found.running_ns > 0)
        silent = {key for key, ran in seen.items() if not any(ran)}
        new, self._silent = silent - self._silent, silent
        named = {target.name: target for target in self.scope.targets}
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
