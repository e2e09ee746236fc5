"""armprof compare BASE HEAD: the verdict on two run files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from armprof.commands.reporting import put


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", type=Path, metavar="BASE", help="the baseline, a run file of `armprof bench`")
    parser.add_argument("head", type=Path, metavar="HEAD", help="the run file to compare with it")
    parser.add_argument(
        "--unlike", action="store_true", help="compare runs of unlike machines all the same, and mark it"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of stdout")
    parser.epilog = (
        "Exit status: 0 no regression was shown; 1 a component is slower than the policy allows, or failed, or is missing; "
        "2 bad input."
    )


def run(args: argparse.Namespace) -> int:
    from armprof.compare.runs import detect_regressions
    from armprof.report import compare as report
    from armprof.run import file

    analysis = detect_regressions(file.read(args.base), file.read(args.head), args.unlike)
    if args.format == "json":
        put(report.render_json(analysis), args.output)
    else:
        put(report.render(analysis, None if args.output else sys.stdout), args.output)
    if args.output:
        print(f"armprof: {analysis.analysis_summary}", file=sys.stderr)
    return int(analysis.gate_failed)
