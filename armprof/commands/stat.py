"""armprof stat -- CMD: counts a command."""

from __future__ import annotations

import argparse
import shlex
import sys

from armprof.commands.reporting import add_options, report
from armprof.errors import ArmprofError, CannotCount


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof stat [-e EVENT,...] [--source auto|pmu] [--format text|json] [--output FILE] [--explain] "
        "-- CMD [ARG...]"
    )
    parser.epilog = "The exit status is the command's, 128 + N where signal N ended it."
    parser.add_argument(
        "-e", "--event", action="append", metavar="EVENT,...", help="what to count; default: what the metrics need"
    )
    parser.add_argument(
        "--source", choices=("auto", "pmu"), default="auto", help="pmu: exit with 3 where no PMU counts"
    )
    add_options(parser, "stderr (text) or stdout (json)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")


def run(args: argparse.Namespace) -> int:
    from armprof.counters.command import count_command
    from armprof.counters.machine import machine
    from armprof.report.tables import is_software
    from armprof.run.here import run_here
    from armprof.run.record import Component

    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise ArmprofError("no command to count: armprof stat -- CMD")
    missing = machine().missing()
    if args.source == "pmu" and missing is not None:
        raise CannotCount(missing.reason, missing.remedy)
    events = [e for part in args.event or () for e in part.split(",") if e] or None
    outcome = count_command(command, events)
    component = Component(
        name=shlex.join(command),
        title="",
        kind="command",
        operation="the command",
        reading=outcome.reading,
        notes=(f"the command ended with exit status {outcome.status}",) if outcome.status else (),
    )
    if args.format == "text" and not args.output:
        print(file=sys.stderr)  # apart from what the command said there
    report(run_here([component]), args, sys.stderr)
    counted = (count for count in outcome.reading.counts.values() if count.value is not None)
    if args.source == "pmu" and all(map(is_software, counted)):
        raise CannotCount("no hardware event was counted", "the reasons stand in the report")
    return outcome.status
