"""Runs the suite and prints its table: is the cause named, and does mending it gain what was promised?

In the folder tests:

    python -m diagnosis                         all of it, in the model
    python -m diagnosis quotes orders --native  two of them, timed on this machine too
    python -m diagnosis --source pmu            by this machine's own counters, on ARM64

docs/diagnosis.md says how to read it.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from armprof.errors import ArmprofError

from .finding import Finding, advised, diagnose
from .sources import Clock, Counters, Modelled, RunError, Source
from .suite import BuildError, Pair, builder, pairs

HEAD = ("program", "cause", "named", "promised", "at most", "gained", "as promised", "advised again", "place")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m diagnosis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "programs", nargs="*", metavar="PROGRAM", help="of the table suite.toml; all where none is named"
    )
    parser.add_argument("--source", choices=("model", "pmu"), default="model", help="what counts (model)")
    parser.add_argument("--core", default="neoverse-n1", help="the core to model (neoverse-n1)")
    parser.add_argument("--native", action="store_true", help="time slow and mended in turn on this machine, too")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="where to keep what is compiled")
    args = parser.parse_args()
    known = {pair.program: pair for pair in pairs()}
    if unknown := [name for name in args.programs if name not in known]:
        parser.error(f"no program {', '.join(unknown)}; there are: {', '.join(known)}")
    chosen = [known[name] for name in args.programs] or list(pairs())
    with tempfile.TemporaryDirectory(prefix="diagnosis-") as folder:
        try:
            return _run(chosen, args, args.build or Path(folder))
        except BuildError as error:
            print(error, file=sys.stderr)
            return 2


def _run(chosen: Sequence[Pair], args: argparse.Namespace, folder: Path) -> int:
    here = platform.machine()
    source: Source = (
        Modelled(builder(folder / "aarch64", "aarch64"), args.core)
        if args.source == "model"
        else Counters(builder(folder / here, here))
    )
    clock = Clock(builder(folder / here, here)) if args.native else None
    head = (*HEAD, f"timed on {here}") if clock else HEAD
    print(_row(head), _row(["---"] * len(head)), sep="\n")
    status = 0
    for pair in filter(source.shows, chosen):
        try:
            for cells in _rows(pair, source, clock):
                print(_row(cells), flush=True)
        except (ArmprofError, BuildError, RunError) as error:  # the others are told all the same
            print(f"{pair.program}: {error}", file=sys.stderr)
            status = 2
    return status


def _rows(pair: Pair, source: Source, clock: Clock | None) -> Iterator[list[str]]:
    if not pair.causes:
        yield [pair.program, "healthy", ", ".join(advised(source.count(pair).reading)) or "nothing", *[""] * 6]
    for finding in diagnose(pair, source) if pair.causes else ():
        timed = f"{100 * clock.gain(pair, finding.fixed):.0f} %" if clock and clock.shows(pair) else ""
        yield [*_cells(finding), *([timed] if clock else [])]


def _cells(finding: Finding) -> list[str]:
    promised = finding.promised
    return [
        finding.program,
        finding.cause,
        ", ".join(finding.named) or "nothing",
        f"{promised.low:.0f} to {promised.high:.0f} %" if promised else "nothing",
        f"{promised.ceiling:.0f} %" if promised and promised.ceiling is not None else "",
        f"{finding.gained:.0f} %",
        _as_promised(finding),
        "yes" if finding.again else "no",
        _place(finding),
    ]


def _place(finding: Finding) -> str:
    if finding.location is None:
        return "none"
    file, line = finding.location["file"], finding.location["line"]
    at = ":".join([Path(file or "?").name, *([str(line)] if line else [])])
    return at if finding.on_its_line else f"{at}, elsewhere"


def _as_promised(finding: Finding) -> str:
    if finding.promised is None:
        return ""
    return "yes" if finding.inside else "above the ceiling" if finding.above_the_ceiling else "no"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
