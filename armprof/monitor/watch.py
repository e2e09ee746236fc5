"""What listens to a loop: holds each report against the rules and tells whom the settings name of alerts."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alarm, Alert
from armprof.monitor.loop import Loop
from armprof.monitor.moments import Mark
from armprof.monitor.notify import Notifier
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure
from armprof.monitor.settings import Settings
from armprof.monitor.store import connect

# Settings that a reload does not change.
LASTING = ("interval_ns", "metrics", "events", "store", "prometheus", "otlp")


class View(Protocol):
    """Where a monitor shows what it sees."""

    def show(self, report: Report, alerts: list[Alert]) -> None:
        """A report, and the alerts that stand."""

    def alert(self, alert: Alert) -> None:
        """An alert that begins or ends."""

    def tell(self, line: str) -> None:
        """A line about the monitor itself."""


class Watch:
    """Listens to ``loop``. ``raised`` counts the alerts that began."""

    def __init__(self, settings: Settings, loop: Loop, view: View) -> None:
        self._loop, self._view, self._settings = loop, view, settings
        self._began_ns = time.time_ns()
        self._notifier = Notifier(settings.notify, platform.node(), view.tell)
        self._alarm = Alarm(settings.rules, self._baseline)
        self.raised = 0
        loop.listeners.append(self)

    def __call__(self, report: Report) -> list[Mark]:
        for alert in self._alarm.see(report):
            self.raised += alert.ended_ns is None
            self._notifier.send(alert)
            self._view.alert(alert)
            if self._loop.store:
                self._loop.store.alert(alert)
        self._view.show(report, self._alarm.standing)
        return []

    def reload(self, read: Callable[[], Settings]) -> None:
        """Takes the settings that are read now. Malformed ones change nothing."""
        try:
            settings = read()
        except ArmprofError as error:
            self._view.tell(f"{error}; the configuration stays as it was")
            return
        alarm = Alarm(settings.rules, self._baseline)
        alarm.adopt(self._alarm)
        self._alarm = alarm
        self._notifier.notify = settings.notify
        self._loop.keep(settings.keep)
        told = "rules, receivers and retention are those of the file now"
        changed = [what for what in LASTING if getattr(settings, what) != getattr(self._settings, what)]
        if changed:
            told += f"; what was changed of the rest holds from a restart on: {', '.join(changed).replace('_ns', '')}"
        self._view.tell(f"configuration reloaded: {told}")
        if self._loop.store:
            self._loop.store.marks([Mark(time.time_ns(), "", "reloaded", told)])

    def close(self) -> None:
        """Lets the last alerts be told."""
        self._notifier.close()

    def _baseline(self, figure: Figure, target: str, past_ns: int) -> float | None:
        """From the store's own past; told where that is not enough."""
        found = None
        if self._loop.store is not None:
            from armprof.monitor.history import History

            with closing(connect(self._loop.store.path)) as db:
                found = History(db).baseline(figure, target, self._began_ns, past_ns)
        if found is None:
            self._view.tell(
                f"there is no baseline of {figure} for {target}: the store has no five minutes of it before now"
            )
        return found
