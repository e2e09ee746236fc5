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
        "--rate",
        type=_rate,
        metavar="R",
        help="also run tick_to_trade with R messages arriving each second, as in 250k or 1M: latency is then that from the "
        "intended arrival",
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
        outcome = bench(args.components, args.input, args.seed, args.seconds, tell, args.rate)
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


def _rate(text: str) -> float:
    try:
        unit = {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:])
        rate = float(text) if unit is None else float(text[:-1]) * unit
    except ValueError:
        rate = 0.0
    if not 1 <= rate <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate from 1 to 1G in messages per second, as in 250k or 1M")
    return rate
