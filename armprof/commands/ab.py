"""armprof ab -- OLD -- NEW: two builds timed in turns, and whether the new one is slower."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.commands.reporting import put
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    from armprof.compare.paired import Comparison


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof ab [--seconds S] [--tolerance PERCENT] [--format text|json] [--output FILE] -- OLD [ARG...] -- NEW [ARG...]\n"
        "       armprof ab --symbol NAME [--symbol NAME...] [...] OLD.so NEW.so"
    )
    parser.add_argument(
        "--symbol",
        action="append",
        metavar="NAME",
        help="compare this function of two shared libraries, void NAME(void), instead of commands; may be given again",
    )
    parser.add_argument(
        "--seconds",
        type=_above_zero,
        default=3.0,
        metavar="S",
        help="time at most, for each symbol (default: %(default)g)",
    )
    parser.add_argument(
        "--tolerance",
        type=_above_zero,
        default=1.0,
        metavar="PERCENT",
        help="a smaller change of the median counts as none (default: %(default)g)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of stdout")
    parser.add_argument(
        "sides", nargs=argparse.REMAINDER, metavar="-- OLD -- NEW", help="the old side, then the new one"
    )
    parser.epilog = "Exit status: 0 the new side is not shown to be slower; 1 it is slower; 2 bad usage or bad input."


def run(args: argparse.Namespace) -> int:
    from armprof.commands.progress import progress
    from armprof.compare.paired import ab_commands, ab_symbols
    from armprof.report import ab as report

    old, new = _sides(args.sides)
    given = {"seconds": args.seconds, "tolerance": args.tolerance / 100}
    with progress() as tell:
        if args.symbol:
            libraries = _library(old), _library(new)
            found: Comparison = ab_symbols(*libraries, args.symbol, **given, progress=tell)
        else:
            found = ab_commands(old, new, **given, progress=tell)
    if args.format == "json":
        put(report.render_json(found), args.output)
    else:
        put(report.render(found, None if args.output else sys.stdout), args.output)
    if args.output:
        for compared in found.compared:
            print(f"armprof: {report.sentence(compared)}", file=sys.stderr)
    return int(found.is_regression)


def _sides(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands behind the first -- and behind the second; two words need none."""
    rest = words[1:] if words[:1] == ["--"] else words
    if len(rest) == 2 and "--" not in rest:
        return rest[:1], rest[1:]
    at = rest.index("--") if "--" in rest else len(rest)
    old, new = rest[:at], rest[at + 1 :]
    if not old or not new:
        raise ArmprofError(
            "two sides are compared, options before them: armprof ab [OPTION...] -- OLD [ARG...] -- NEW [ARG...]"
        )
    return old, new


def _library(side: list[str]) -> Path:
    if len(side) > 1:
        raise ArmprofError(f"with --symbol a side is one shared library, not {' '.join(side)!r}")
    return Path(side[0])


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0.001 to 100000")
    return value
