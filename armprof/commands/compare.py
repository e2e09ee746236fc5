"""armprof compare BASE HEAD: the verdict on two run files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from armprof.commands.history import add_store
from armprof.commands.reporting import add_format, show
from armprof.errors import ArmprofError
from armprof.history.store import RunStore
from armprof.report.harmless import tell


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof compare [--unlike] [--format FORMAT] [--output FILE] BASE HEAD\n"
        "       armprof compare --baseline NAME [--store DIR] [...] HEAD"
    )
    parser.add_argument(
        "base",
        nargs="?",
        type=Path,
        metavar="BASE",
        help="the baseline: a run file of `armprof bench`, or JSON of google-benchmark or pytest-benchmark",
    )
    parser.add_argument("head", type=Path, metavar="HEAD", help="what to compare with it, of the same kind")
    parser.add_argument(
        "--baseline", metavar="NAME", help="one that `armprof history approve NAME` made, in BASE's place"
    )
    add_store(parser)
    parser.add_argument(
        "--unlike", action="store_true", help="compare runs of unlike machines all the same, and mark it"
    )
    add_format(parser)
    parser.epilog = (
        "Exit status: 0 no regression was shown; 1 a component is slower than the policy allows, or failed, or is missing; "
        "2 bad input."
    )


def run(args: argparse.Namespace) -> int:
    from armprof.compare.runs import detect_regressions
    from armprof.report import compare as report
    from armprof.report.reviews import comparison
    from armprof.run import file

    if (args.base is None) == (args.baseline is None):
        raise ArmprofError("two runs are compared: armprof compare BASE HEAD, or armprof compare --baseline NAME HEAD")
    base = file.read(args.base) if args.base else RunStore(args.store).baseline(args.baseline)
    head = file.read(args.head)
    analysis = detect_regressions(base, head, args.unlike)

    def html() -> Iterable[str]:
        from armprof.report.html import comparison as pages
        from armprof.report.html import page

        return page.render(pages.of_runs(analysis, base, head))

    show(
        args,
        lambda to: report.render(analysis, to),
        lambda: report.render_json(analysis),
        lambda: comparison.review(analysis),
        html=html,
    )
    if args.output or args.format not in ("text", "json"):
        tell(analysis.analysis_summary)
    return int(analysis.gate_failed)
