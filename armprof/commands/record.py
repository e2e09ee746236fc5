"""armprof record: samples a command or a process, and tells functions and lines."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from armprof.commands.sampled import FORMATS, show, text_of
from armprof.errors import ArmprofError
from armprof.output import destination
from armprof.report.harmless import tell

if TYPE_CHECKING:
    from armprof.samples.rate import Rate
    from armprof.samples.trace import Trace

FILE = "armprof-samples.json"
GROUP = re.compile(r"\{([^{}]+)\}:S")


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "armprof record [OPTION...] -- CMD [ARG...]\n       armprof record [OPTION...] --pid PID"
    parser.add_argument(
        "-e",
        "--event",
        action="append",
        metavar="EVENT[,...]",
        help='what to sample (default: cycles, or the CPU\'s clock); of "{cycles,l1d_cache_refill}:S" the first one '
        "interrupts and the others are read at its samples, as they are anyway where they cannot interrupt",
    )
    parser.add_argument(
        "-F", "--frequency", type=int, metavar="HZ", help="samples in a second of running time (default: 997)"
    )
    parser.add_argument("-c", "--period", type=int, metavar="N", help="instead of -F: a sample every N events")
    parser.add_argument(
        "-p", "--pid", type=int, metavar="PID", help="sample a running process, until it ends or Ctrl-C"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="with --pid: stop after so many seconds")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        metavar="FORMAT",
        help=f"of what is shown: {', '.join(FORMATS)} (default: text, on stderr)",
    )
    parser.add_argument(
        "--output",
        type=destination,
        metavar="FILE",
        help=f"write there: what --format asks for, or by default the samples for `armprof report`, to {FILE}",
    )
    parser.add_argument("command", nargs="*", metavar="-- CMD", help="the command and its arguments")


def run(args: argparse.Namespace) -> int:
    from armprof.samples import file
    from armprof.samples.attribute import attribute
    from armprof.samples.rate import rate

    if (args.pid is None) == (not args.command):
        raise ArmprofError("give a command after --, or a process with --pid")
    if args.seconds is not None and (args.pid is None or args.seconds <= 0):
        raise ArmprofError("--seconds is for --pid, and above 0")
    to = args.output or destination(FILE) if args.format == "text" else None
    events, group = _events(args.event or [])
    if any(name.startswith("arm_spe") for name in events or ()):
        raise ArmprofError(
            "SPE is recorded by perf: `perf record -e arm_spe//u -- CMD`; then `armprof report perf.data`"
        )
    trace, status = _sampled(args, events, group, rate(args.frequency, args.period))
    samples = attribute(trace)
    if to is not None:
        file.write(samples, to)
        sys.stderr.write(text_of(samples, sys.stderr))
        tell(f"samples in {to}; armprof report {to} shows them again,")
        tell(f"armprof report RUN --samples {to} puts what a run counted on their lines")
    else:
        show(samples, args.format, args.output)
    return status


def _events(given: list[str]) -> tuple[list[str] | None, bool]:
    """The names, None for none, and whether they are a group, which perf writes as {one,another}:S."""
    group = GROUP.fullmatch(given[0]) if len(given) == 1 else None
    if group is None and any("{" in part for part in given):
        raise ArmprofError(
            f"-e {' -e '.join(given)}: a group is one, of all events, as in -e '{{cycles,l1d_cache_refill}}:S'"
        )
    parts = [group[1]] if group else given
    return [name for part in parts for name in part.split(",") if name] or None, group is not None


def _sampled(args: argparse.Namespace, events: list[str] | None, group: bool, rate: Rate) -> tuple[Trace, int]:
    from armprof.samples.collect import sample_command, sample_process

    if args.pid is not None:
        return sample_process(args.pid, args.seconds, events, rate, group), 0
    outcome = sample_command(args.command, events, rate, group)
    return outcome.trace, outcome.status
