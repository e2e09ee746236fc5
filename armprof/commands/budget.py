"""armprof budget: a run held against latency budgets and targets; what is left, and how that is divided."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.commands.benching import bench_all
from armprof.commands.reporting import add_format, show
from armprof.errors import CannotCount
from armprof.report.harmless import tell
from armprof.run.record import Run

if TYPE_CHECKING:
    from armprof.budget import Assessment


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run file (of `armprof bench`, of a C program with ARMPROF_OUTPUT); - is standard input; without it the "
        "built-in kernels and the components of armprof.toml are benched first",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="components, targets, budgets and weights (default: ./armprof.toml where there is one, over those that ship)",
    )
    add_format(parser)
    parser.epilog = (
        "Exit status: 0 every budget is kept; 1 one is exceeded; 2 bad usage or bad input; 3 one that the file states, or "
        "each of them, could not be judged because it was not measured."
    )


def run(args: argparse.Namespace) -> int:
    from armprof.budget import assess, find
    from armprof.report import budget as report
    from armprof.report.reviews.budget import review

    plan = find(args.config)  # before a bench of seconds
    measured = bench_all(args.config) if args.run is None else _load(args.run)
    assessed = assess(measured, plan)

    def html() -> Iterable[str]:
        from armprof.report.html import budget as pages
        from armprof.report.html import page

        return page.render(pages.page(measured, assessed))

    show(
        args,
        lambda to: report.render(measured, assessed, to),
        lambda: report.render_json(measured, assessed),
        lambda: review(assessed),
        html=html,
    )
    if args.output or args.format != "text":  # the text on stdout has them
        for alert in assessed.alerts:
            tell(f"{alert.alert}")
    if assessed.exit_status == 3:
        raise _unmeasured(assessed)
    return assessed.exit_status


def _unmeasured(assessed: Assessment) -> CannotCount:
    required = [missing for missing in assessed.missing if missing.required]
    if required:
        whats = "; ".join(f"{missing.what}: {missing.reason}" for missing in required)
        return CannotCount(f"not judged: {whats}", f"bench it too, or take it out of {assessed.plan.origin}")
    return CannotCount(
        "nothing that has a budget was measured",
        "bench what has one, or state budgets of what the run has in armprof.toml",
    )


def _load(path: str) -> Run:
    from armprof.run import file

    if path == "-":
        return file.parse(sys.stdin.buffer.read().decode("utf-8-sig", "replace"), "standard input")
    return file.read(Path(path))
