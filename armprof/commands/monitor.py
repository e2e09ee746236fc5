"""armprof monitor: samples the machine, a process or a cgroup until it is stopped."""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alarm
from armprof.monitor.moments import Mark
from armprof.monitor.settings import DEFAULT_INTERVAL, Settings, read
from armprof.monitor.store import Session, Store, connect
from armprof.report import live
from armprof.report.pieces import listed
from armprof.run.codec import MismatchError

if TYPE_CHECKING:
    from armprof.monitor.loop import Loop
    from armprof.monitor.notify import Notifier
    from armprof.monitor.reports import Report
    from armprof.monitor.rules import Figure
    from armprof.monitor.targets import Scope
    from armprof.report.live import View


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "With --duration the exit status is 1 where an alert was raised meanwhile."
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--pid", type=int, metavar="N", help="a process with its threads and children; default: the machine"
    )
    whom.add_argument(
        "--cgroup", type=Path, metavar="PATH", help="a cgroup of version 2, as in system.slice/nginx.service"
    )
    parser.add_argument(
        "--interval", metavar="TIME", help=f"how often to sample, as in 100ms or 1s (default: {DEFAULT_INTERVAL})"
    )
    parser.add_argument(
        "--duration", metavar="TIME", help="end after that long, as in 10m; default: when it is stopped"
    )
    parser.add_argument("--store", type=Path, metavar="FILE", help="keep what was sampled in this SQLite file")
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: ./armprof.toml where there is one")
    parser.add_argument("--quiet", action="store_true", help="no view: alerts and what goes wrong alone, on stderr")


def run(args: argparse.Namespace) -> int:
    from armprof.monitor.loop import Loop
    from armprof.monitor.notify import Notifier

    settings = _settings(args)
    duration = _duration(args.duration, "--duration") if args.duration else None
    scope = open_scope(args, settings)
    try:
        store = open_store(settings, scope) if settings.store else None
    except BaseException:
        scope.close()
        raise
    with (
        Loop(scope, settings.interval_ns, _metrics(settings, scope), store, settings.keep) as loop,
        _view(args, loop) as view,
    ):
        watch = Watch(settings, loop, Notifier(settings.notify, platform.node(), view.tell), view)
        loop.listeners.append(watch)
        with _signals(loop, lambda: watch.reload(args)) as woken:
            loop.run(duration, woken)
        watch.notifier.close()
    return 1 if watch.raised and duration is not None else 0


class Watch:
    """What listens to the loop: holds each report against the rules, tells whom the settings name, shows it."""

    def __init__(self, settings: Settings, loop: Loop, notifier: Notifier, view: View) -> None:
        self._loop, self._view = loop, view
        self._settings = settings
        self.notifier = notifier
        self._began_ns = time.time_ns()
        self.alarm = Alarm(settings.rules, self._baseline)
        self.raised = 0

    def __call__(self, report: Report) -> list[Mark]:
        for alert in self.alarm.see(report):
            self.raised += alert.ended_ns is None
            self.notifier.send(alert)
            self._view.alert(alert)
            if self._loop.store:
                self._loop.store.alert(alert)
        self._view.show(report, list(map(str, self.alarm.standing)))
        return []

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

    def reload(self, args: argparse.Namespace) -> None:
        """Reads the configuration again. One that is malformed changes nothing."""
        try:
            settings = _settings(args)
        except ArmprofError as error:
            self._view.tell(f"{error}; the configuration stays as it was")
            return
        alarm = Alarm(settings.rules, self._baseline)
        alarm.adopt(self.alarm)
        self.alarm = alarm
        self.notifier.notify = settings.notify
        self._loop.keep(settings.keep)
        told = "rules, receivers and retention are those of the file now"
        changed = [
            what for what in ("interval_ns", "metrics", "events", "store") if _differ(settings, self._settings, what)
        ]
        if changed:
            told += f"; what is sampled stays until a restart: {', '.join(changed).replace('_ns', '')}"
        self._view.tell(f"configuration reloaded: {told}")
        if self._loop.store:
            self._loop.store.marks([Mark(time.time_ns(), "", "reloaded", told)])


def _differ(one: Settings, other: Settings, what: str) -> bool:
    return bool(getattr(one, what) != getattr(other, what))


def _settings(args: argparse.Namespace) -> Settings:
    settings = read(args.config)
    if args.interval:
        settings = replace(settings, interval_ns=_duration(args.interval, "--interval", 0.01))
    return replace(settings, store=args.store) if args.store else settings


def _duration(value: str, option: str, least: float = 0.0) -> int:
    from armprof.monitor.rules import duration_ns

    try:
        return duration_ns(value, option, least)
    except MismatchError as error:
        raise ArmprofError(str(error)) from None


def open_scope(args: argparse.Namespace, settings: Settings) -> Scope:
    """The counters on whom the arguments name."""
    from armprof.counters.machine import machine
    from armprof.metrics.wanted import wanted
    from armprof.monitor.targets import Cgroup, Cpus, Process

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a descriptor for each event of each thread or CPU
    sought = wanted(settings.metrics, machine().core)
    events = list(dict.fromkeys([*sought.events, *settings.events]))
    if args.pid is not None:
        return Process(args.pid, events, sought.together)
    if args.cgroup is not None:
        return Cgroup(args.cgroup, events, sought.together)
    return Cpus(events, sought.together)


def _metrics(settings: Settings, scope: Scope) -> tuple[str, ...]:
    from armprof.metrics.wanted import wanted

    return wanted(settings.metrics, scope.machine.core).metrics


def open_store(settings: Settings, scope: Scope) -> Store:
    """The store, with a session begun."""
    from armprof import __version__

    assert settings.store is not None
    session = Session(
        host=platform.node(),
        core=scope.machine.core_name,
        whole=scope.whole,
        scope=scope.title,
        mode=scope.mode,
        interval_ns=settings.interval_ns,
        version=__version__,
    )
    return Store(settings.store, session, time.time_ns(), live.tell)


@contextmanager
def _view(args: argparse.Namespace, loop: Loop) -> Iterator[View]:
    """A dashboard on a terminal that can show one, columns elsewhere."""
    size = shutil.get_terminal_size()
    if not args.quiet and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        with live.Screen(loop.scope.title) as screen:
            yield screen
        return
    columns = live.Columns(sys.stdout, sys.stderr, size.columns if sys.stdout.isatty() else 80, args.quiet)
    columns.tell(f"sampling {loop.scope.title}")
    for reason, events in not_counted(loop.scope).items():
        columns.tell(f"not counted: {reason}: {listed(events, 4)}")
    yield columns


def not_counted(scope: Scope) -> dict[str, list[str]]:
    """Events that no target can count, by reason."""
    found: dict[str, list[str]] = {}
    for event, refusal in scope.targets[0].refused.items() if scope.targets else ():
        if all(event in target.refused for target in scope.targets):
            found.setdefault(str(refusal), []).append(event)
    return found


@contextmanager
def _signals(loop: Loop, reload: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """SIGINT and SIGTERM end the loop, SIGHUP asks for a reload at its next wake."""
    asked = []
    handlers = {
        signal.SIGINT: lambda *_: loop.stop(),
        signal.SIGTERM: lambda *_: loop.stop(),
        signal.SIGHUP: lambda *_: asked.append(True),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    wakeup = signal.set_wakeup_fd(loop.waker, warn_on_full_buffer=False)

    def woken() -> None:
        if asked:
            asked.clear()
            reload()

    try:
        yield woken
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
