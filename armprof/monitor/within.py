"""The calling program, monitored from within: a thread samples its counters, and its regions give their latencies."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from armprof import regions
from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alert
from armprof.monitor.latencies import Distribution, bucket_of, lower_bound
from armprof.monitor.reports import Report
from armprof.monitor.rules import duration_ns
from armprof.monitor.sessions import OWN, exporting, open_loop, open_scope
from armprof.monitor.settings import Settings, read
from armprof.monitor.watch import Watch


class RegionLatencies:
    """The latencies of the program's regions, of each stretch between two calls."""

    def __init__(self) -> None:
        regions.keep_latencies()
        self._before = self._all()

    def __call__(self) -> dict[str, Distribution]:
        now, before = self._all(), self._before
        self._before = now
        return {
            name: Distribution(max(0.0, total - _total(before, name)), +(calls - _calls(before, name)))
            for name, (total, calls) in now.items()
        }

    @staticmethod
    def _all() -> dict[str, tuple[float, Counter[int]]]:
        found = {}
        for name, (total, calls) in regions.latencies().items():
            counter: Counter[int] = Counter()
            for ns, n in calls:
                counter[lower_bound(bucket_of(ns))] += n
            found[name] = (total, counter)
        return found


def _total(known: dict[str, tuple[float, Counter[int]]], name: str) -> float:
    return known[name][0] if name in known else 0.0


def _calls(known: dict[str, tuple[float, Counter[int]]], name: str) -> Counter[int]:
    return known[name][1] if name in known else Counter()


class Monitor:
    """Samples this program while the block runs, or from `start` to `stop`.

        with armprof.monitor.Monitor(store="app.db", interval="100ms") as monitor:
            serve()

    ``config`` is an armprof.toml whose rules, receivers and store hold; the arguments go before it. ``on_report`` gets every
    report, about one a second, in the monitor's thread. Alerts that stand are in ``alerts``.

    Raises ArmprofError for what is wrong with them, CannotCount where the native module is missing. A child after fork is
    not monitored.
    """

    def __init__(
        self,
        store: Path | str | None = None,
        interval: str | None = None,
        metrics: Sequence[str] | None = None,
        config: Path | str | None = None,
        on_report: Callable[[Report], None] | None = None,
    ) -> None:
        settings = read(Path(config)) if config is not None else read(None)
        try:
            ns = settings.interval_ns if interval is None else duration_ns(interval, "interval", 0.01)
        except ValueError as error:
            raise ArmprofError(str(error)) from None
        self.settings: Settings = replace(
            settings,
            interval_ns=ns,
            store=Path(store) if store is not None else settings.store,
            metrics=tuple(metrics) if metrics is not None else settings.metrics,
        )
        self.alerts: list[Alert] = []
        self._on_report = on_report
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Opens the counters and begins to sample."""
        if self._thread is not None:
            raise ArmprofError("this monitor runs already")
        with ExitStack() as opened:
            scope = open_scope(self.settings, OWN)
            self._loop = opened.enter_context(open_loop(self.settings, scope, self.tell, RegionLatencies()))
            opened.enter_context(exporting(self._loop, self.settings, self.tell))
            self._watch = opened.enter_context(closing(Watch(self.settings, self._loop, self)))
            self._opened = opened.pop_all()
        self._thread = threading.Thread(target=self._run, name="armprof-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes a last sample, writes it and closes everything. Raises what went wrong in the monitor's thread."""
        if self._thread is None:
            return
        self._loop.stop()
        self._thread.join()
        self._thread = None
        self._opened.close()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run(self) -> None:
        try:
            self._loop.run()
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> Monitor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---- what `Watch` shows ----

    def show(self, report: Report, alerts: list[Alert]) -> None:
        self.alerts = alerts
        if self._on_report is not None:
            self._on_report(report)

    def alert(self, alert: Alert) -> None:
        self.tell(f"{'RESOLVED' if alert.ended_ns else 'ALERT'} {alert}")

    def tell(self, line: str) -> None:
        print(f"armprof: {line}", file=sys.stderr, flush=True)
