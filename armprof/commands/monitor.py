"""armprof monitor: samples the machine, a process or a cgroup until it is stopped."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from armprof.errors import ArmprofError
from armprof.monitor.rules import duration_ns
from armprof.monitor.settings import DEFAULT_INTERVAL, STORE, Otlp, Prometheus, Settings, address, read, url
from armprof.report import harmless, live
from armprof.run.codec import MismatchError

if TYPE_CHECKING:
    from armprof.monitor.loop import Loop
    from armprof.monitor.targets import Scope
    from armprof.monitor.watch import View

T = TypeVar("T")


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "With --duration the exit status is 1 where an alert was raised meanwhile."
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--pid", type=int, metavar="N", help="a process with its threads and children; default: the machine"
    )
    whom.add_argument(
        "--cgroup", type=Path, metavar="PATH", help="a cgroup of version 2, as in system.slice/nginx.service"
    )
    whom.add_argument(
        "--follow", action="store_true", help="sample nothing, and show what another monitor writes into the store"
    )
    parser.add_argument(
        "--interval", metavar="TIME", help=f"how often to sample, as in 100ms or 1s (default: {DEFAULT_INTERVAL})"
    )
    parser.add_argument(
        "--duration", metavar="TIME", help="end after that long, as in 10m; default: when it is stopped"
    )
    parser.add_argument("--store", type=Path, metavar="FILE", help="keep what was sampled in this SQLite file")
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: ./armprof.toml where there is one")
    parser.add_argument(
        "--prometheus",
        metavar="[ADDRESS:]PORT",
        help="serve what Prometheus scrapes there; on loopback without an address",
    )
    parser.add_argument(
        "--otlp", metavar="URL", help="send the same to an OpenTelemetry collector, as in http://localhost:4318"
    )
    parser.add_argument("--quiet", action="store_true", help="no view: alerts and what goes wrong alone, on stderr")


def run(args: argparse.Namespace) -> int:
    from armprof.monitor.sessions import exporting, open_loop, open_scope
    from armprof.monitor.watch import Watch

    settings = _settings(args)
    duration = _duration(args.duration, "--duration") if args.duration else None
    if args.follow:
        return _follow(args, settings, duration)
    scope = open_scope(settings, args.cgroup if args.pid is None else args.pid)
    with (
        open_loop(settings, scope, harmless.tell) as loop,
        exporting(loop, settings, harmless.tell),
        _view(args, scope) as view,
    ):
        watch = Watch(settings, loop, view)
        with _signals(loop, lambda: watch.reload(lambda: _settings(args))) as woken:
            loop.run(duration, woken)
        watch.close()
    return 1 if watch.raised and duration is not None else 0


def _follow(args: argparse.Namespace, settings: Settings, duration_ns: int | None) -> int:
    """Shows what another monitor writes, until that ends or this is stopped."""
    from armprof.counters.machine import machine
    from armprof.metrics.wanted import wanted
    from armprof.monitor.follow import Follower

    for option in ("interval", "prometheus", "otlp"):
        if getattr(args, option):
            raise ArmprofError(
                f"--{option}: with --follow nothing is sampled; it belongs to the monitor that writes the store"
            )
    end = None if duration_ns is None else time.monotonic_ns() + duration_ns
    store = settings.store or STORE
    metrics = tuple(wanted(settings.metrics, machine().core).metrics)
    was_silent = raised = False
    with closing(Follower(store, metrics)) as follower, _view(args, follower.scope) as view, _stop() as stopped:
        while end is None or time.monotonic_ns() < end:
            if (seen := follower.poll()) is not None:
                for alert in seen.changed:
                    raised |= alert.ended_ns is None
                    view.alert(alert)
                view.show(seen.report, seen.standing)
            if follower.is_silent and not was_silent:
                view.tell(f"nothing is written into {store} any more: its monitor was killed, or cannot write")
            was_silent = follower.is_silent
            if follower.has_ended:
                view.tell(f"the monitor that wrote {store} has ended")
                break
            if stopped(1):
                break
    return 1 if raised and duration_ns is not None else 0


@contextmanager
def _stop() -> Iterator[Callable[[float], bool]]:
    """Waits that many seconds; True where SIGINT or SIGTERM came meanwhile."""
    ending = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield lambda seconds: signal.sigtimedwait(ending, seconds) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settings(args: argparse.Namespace) -> Settings:
    settings = read(args.config)
    if args.interval:
        settings = replace(settings, interval_ns=_duration(args.interval, "--interval", 0.01))
    if args.prometheus:
        host, port = _usage(lambda: address(args.prometheus, "--prometheus"))
        settings = replace(settings, prometheus=replace(settings.prometheus or Prometheus(0), host=host, port=port))
    if args.otlp:
        endpoint = _usage(lambda: url(args.otlp, "--otlp"))
        settings = replace(settings, otlp=replace(settings.otlp or Otlp(""), endpoint=endpoint))
    return replace(settings, store=args.store) if args.store else settings


def _duration(value: str, option: str, least: float = 0.0) -> int:
    return _usage(lambda: duration_ns(value, option, least))


def _usage(parse: Callable[[], T]) -> T:
    """What an option's text means, or how it should have been written."""
    try:
        return parse()
    except MismatchError as error:
        raise ArmprofError(str(error)) from None


@contextmanager
def _view(args: argparse.Namespace, scope: Scope) -> Iterator[View]:
    """A dashboard on a terminal that can show one, columns elsewhere."""
    from armprof.budget import plan
    from armprof.report.pieces import listed

    budgets = live.budgets(plan.find(args.config))
    size = shutil.get_terminal_size()
    if not args.quiet and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        with live.Screen(scope.title, budgets) as screen:
            yield screen
        return
    columns = live.Columns(sys.stdout, sys.stderr, size.columns if sys.stdout.isatty() else 80, args.quiet, budgets)
    columns.tell(f"{'following' if args.follow else 'sampling'} {scope.title}")
    for reason, events in not_counted(scope).items():
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
