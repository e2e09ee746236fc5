"""What verbs that report have in common: --format, --output, --explain, and where the report goes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from armprof.output import write_text
from armprof.run.record import Run

if TYPE_CHECKING:
    from armprof.budget import Plan


def add_options(parser: argparse.ArgumentParser, without_output: str) -> None:
    """``without_output`` says where the report goes without --output."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"write there instead of {without_output}")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="text: also tell how each metric was formed, where cycles went and on what evidence, and what was considered and "
        "not advised (JSON always does)",
    )


def report(run: Run, args: argparse.Namespace, stream: TextIO, plan: Plan | None = None) -> None:
    """Writes the report on the run to --output, else text to ``stream`` and JSON to stdout.

    With a ``plan`` the text starts with how the run stands beside it.
    """
    from armprof.report import json, text
    from armprof.report.document import document

    to = sys.stdout if args.format == "json" else stream
    if args.format == "json":
        rendered = json.render(document(run, plan))
    else:
        rendered = text.render(document(run, plan), None if args.output else to, args.explain, plan)
    if args.output:
        write_text(args.output, rendered)
    else:
        to.write(rendered)
        to.flush()


def put(rendered: str, output: Path | None) -> None:
    """Writes what was rendered to the file, or to stdout."""
    if output is not None:
        write_text(output, rendered)
    else:
        print(rendered, end="", flush=True)
