"""armprof stat -- CMD: counts a command."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from armprof.commands.reporting import add_options, report
from armprof.counters.model.geometry import DEFAULT_CORE
from armprof.errors import ArmprofError, CannotCount
from armprof.metrics.wanted import groups, wanted
from armprof.output import destination

if TYPE_CHECKING:
    from armprof.counters.command import CountedCommand
    from armprof.model import Modelled
    from armprof.run.record import Component, Where


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof stat [-e EVENT,...] [-m METRIC,...] [--source auto|pmu|model]\n"
        "                    [--format FORMAT] [--output FILE] [--save FILE]\n"
        "                    [--explain] -- CMD [ARG...]\n"
        "       armprof stat --source model [--core NAME] [--sysroot DIR]\n"
        "                    [--set NAME=N,...] [--where] -- CMD [ARG...]"
    )
    parser.epilog = "The exit status is the command's, 128 + N where signal N ended it."
    parser.add_argument(
        "-e", "--event", action="append", metavar="EVENT,...", help="what to count (default: what the metrics need)"
    )
    parser.add_argument(
        "-m",
        "--metric",
        action="append",
        metavar="METRIC,...",
        help="count what these metrics or groups of metrics need: " + ", ".join(groups()),
    )
    parser.add_argument(
        "--source",
        choices=("auto", "pmu", "model"),
        default="auto",
        help="auto (default): count here; pmu: exit with 3 where no PMU counts; model: run the ARM64 program on a modelled "
        "core",
    )
    model = parser.add_argument_group("--source model")
    model.add_argument(
        "--core", metavar="NAME", help=f"the core to model (default: this machine's, else {DEFAULT_CORE})"
    )
    model.add_argument("--sysroot", metavar="DIR", help="where a dynamically linked program finds its libraries")
    model.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=N,...",
        help="change the modelled core, as in l1d_bytes=32768,l1d_ways=2 or prefetch=0",
    )
    parser.add_argument(
        "--save",
        type=destination,
        metavar="FILE",
        help="also write a run file there, to be compared: armprof compare BASE FILE",
    )
    model.add_argument("--where", action="store_true", help="also tell which functions and lines the events were in")
    add_options(parser, "stderr (text) or stdout (other formats)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")


def run(args: argparse.Namespace) -> int:
    from armprof.counters.machine import machine
    from armprof.report.tables import is_software
    from armprof.run.here import run_here
    from armprof.run.record import Component
    from armprof.run.where import where

    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise ArmprofError("no command to count: armprof stat -- CMD")
    missing = machine().missing() if args.source == "pmu" else None
    if missing is not None:
        raise CannotCount(missing.reason, missing.remedy)
    outcome = _count(args, command)
    component = Component(
        name=shlex.join(command),
        title="",
        kind="command",
        operation="the command",
        reading=outcome.reading,
        notes=(f"the command ended with exit status {outcome.status}",) if outcome.status else (),
        where=where(cast("Modelled", outcome)) if args.where else None,
    )
    if args.save:  # before what may find its reader gone
        _save(component, outcome, args)
    if args.format == "text" and not args.output:
        print(file=sys.stderr)  # apart from what the command said there
    report(run_here([component]), args, sys.stderr)
    if component.where and args.format == "text":
        _tell_where(component.where)
    counted = (count for count in outcome.reading.counts.values() if count.value is not None)
    if args.source == "pmu" and all(map(is_software, counted)):
        raise CannotCount("no hardware event was counted", "the reasons stand in the report")
    return outcome.status


def _save(component: Component, outcome: CountedCommand | Modelled, args: argparse.Namespace) -> None:
    """Writes the run file, in which the command is the one operation."""
    from armprof.components.processes import code_of
    from armprof.run import file
    from armprof.run.attribution import attributed
    from armprof.run.here import run_here

    failure = f"the command ended with exit status {outcome.status}" if outcome.status else None
    kept = replace(component, reading_operations=1, failure=failure, notes=())
    if args.source == "model":
        modelled = cast("Modelled", outcome)
        kept = attributed(kept, modelled.counts, modelled.geometry)
    else:
        kept = replace(kept, counted_code=code_of(shlex.split(component.name)))
    file.write(run_here([kept]), args.save)


def _count(args: argparse.Namespace, command: list[str]) -> CountedCommand | Modelled:
    from armprof import cpu
    from armprof.counters.machine import machine
    from armprof.counters.plan import TOGETHER

    metrics = _listed(args.metric)
    here = machine().core
    core = cpu.core(args.core) if args.core else here or (cpu.core(DEFAULT_CORE) if args.source == "model" else None)
    sought = wanted(metrics, core)
    events = [*sought.events, *_listed(args.event)] or None
    if metrics and events is None:
        raise CannotCount(f"nothing to count for {', '.join(metrics)} on {core.title if core else 'this core'}")
    if args.source == "model":
        from armprof import model

        return model.run(command, args.core, events, args.sysroot, **_settings(args.set))
    if args.core or args.sysroot or args.set or args.where:
        raise ArmprofError("--core, --sysroot, --set and --where are for --source model")
    from armprof.counters.command import count_command

    return count_command(command, events, (*sought.together, *TOGETHER))


def _listed(given: list[str] | None) -> list[str]:
    """Names that were given in several options, several in each."""
    return [name for part in given or () for name in part.split(",") if name]


def _tell_where(found: Where) -> None:
    from armprof.report import where

    counted = {event for share in found.functions[:1] for event in share.counts}
    events = [event for event in where.COLUMNS if event in counted]
    if not events:
        raise ArmprofError(f"--where tells of {', '.join(where.COLUMNS)}: none of them was counted")
    for heading, shares in (("function", found.functions), ("line", found.lines)):
        sys.stderr.write(where.render(heading, events, shares, sys.stderr))


def _settings(given: list[str]) -> dict[str, int]:
    """NAME=N,... as a dict."""
    settings: dict[str, int] = {}
    for one in (one for part in given for one in part.split(",") if one):
        name, _, number = one.partition("=")
        if not number.isdecimal():
            raise ArmprofError(f"--set {one}: not of the form NAME=N")
        settings[name] = int(number)
    return settings
