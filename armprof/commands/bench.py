"""armprof bench: times and counts the components, writes a run file and says what is in it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from armprof.commands.progress import progress
from armprof.components import KERNELS, bench

HELP = "time and count components, write a run file"

DEFAULT_OUTPUT = Path("armprof-run.json")


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "components", nargs="*", metavar="COMPONENT", help=f"{', '.join(KERNELS)}; all where none is named"
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="ITCH 5.0 file to take messages from (default: a generated stream)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=1, metavar="N", help="of the generated input (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="time for each component (default: %(default)s)",
    )
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="of what is printed (default: %(default)s)"
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, metavar="FILE", help="run file (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    from armprof.report import text
    from armprof.report.document import document
    from armprof.run import file

    with progress() as tell:
        outcome = bench(args.components, args.input, args.seed, args.seconds, tell)
    file.write(outcome, args.output)
    print(file.render(outcome) if args.format == "json" else text.render(document(outcome), sys.stdout), end="")
    print(f"armprof: run file {args.output}", file=sys.stderr)
    return 0


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2^64 - 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.01 to 60")
    return seconds
