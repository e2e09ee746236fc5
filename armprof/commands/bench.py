"""armprof bench: times and counts the components and writes a run file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill

from armprof.components import KERNELS, Progress, bench
from armprof.run.record import Run

HELP = "time and count components, write a run file"

WIDTH = 80
DEFAULT_OUTPUT = Path("armprof-run.json")


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "components", nargs="*", metavar="COMPONENT", help=f"{', '.join(KERNELS)}; all where none is named"
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="ITCH 5.0 file for the parser (default: a generated stream)",
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
    from armprof.run import file

    with _progress() as progress:
        outcome = bench(args.components, args.input, args.seed, args.seconds, progress)
    file.write(outcome, args.output)
    print(args.output.read_text().rstrip() if args.format == "json" else table(outcome))
    print(f"armprof: run file {args.output}", file=sys.stderr)
    return 0


def table(run: Run) -> str:
    """The run's times as a table, its notes below."""
    lines = [
        "nanoseconds for one operation",
        f"{'component':<13}{'operation':<14}{'p50':>8}{'p99':>9}{'p99.9':>9}{'max':>10}{'batch':>7}{'M/s':>9}",
    ]
    for component in run.components:
        times = component.latency
        if times is not None:
            lines.append(
                f"{component.name:<13}{component.operation:<14}{times.p50_ns:>8.2f}{times.p99_ns:>9.2f}"
                f"{times.p999_ns:>9.2f}{times.max_ns:>10.2f}{times.batch:>7}{1e3 / times.mean_ns:>9.1f}"
            )
    notes = list(run.notes)
    for component in run.components:
        notes.append(f"{component.name}: checksum {component.checksum}")
        notes += [f"{component.name}: {note}" for note in component.notes]
    return "\n".join([*lines, "", *(fill(note, WIDTH, subsequent_indent="  ") for note in notes)])


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


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal; nothing in a log."""
    if not sys.stderr.isatty():
        yield lambda doing, done: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda doing, done: bar.update(task, description=doing, completed=done)
