"""What verbs that report have in common: --format, --output, --explain, and where the report goes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from armprof.errors import ArmprofError
from armprof.output import destination, write_bytes
from armprof.report import formats
from armprof.report.harmless import tell
from armprof.run.record import Run

if TYPE_CHECKING:
    from armprof.budget import Plan
    from armprof.report.review import Review

# Of a run; a gate, which JUnit is for, is another verb's.
RUN_FORMATS = ("html", *(one for one in formats.REVIEWS if one != "junit"), *formats.RUNS)


def add_format(
    parser: argparse.ArgumentParser, without_output: str = "stdout", more: Iterable[str] = ("html", *formats.REVIEWS)
) -> None:
    """--format, one of text, JSON and ``more``, and --output; ``without_output`` says where the report goes without it."""
    choices = ("text", "json", *more)
    parser.add_argument(
        "--format", choices=choices, default="text", metavar="FORMAT", help=f"{', '.join(choices)} (default: text)"
    )
    parser.add_argument("--output", type=destination, metavar="FILE", help=f"write there instead of {without_output}")


def add_options(parser: argparse.ArgumentParser, without_output: str, more: Iterable[str] = ()) -> None:
    """Those of the verbs that report on a run; ``more`` are formats of what else the verb reports on."""
    add_format(parser, without_output, (*RUN_FORMATS, *more))
    parser.add_argument(
        "--explain",
        action="store_true",
        help="text: also tell how each metric was formed, where cycles went and on what evidence, and what was considered and "
        "not advised (JSON and HTML always do)",
    )


def report(run: Run, args: argparse.Namespace, stream: TextIO, plan: Plan | None = None) -> None:
    """Writes the report on the run to --output, else text to ``stream`` and other formats to stdout.

    With a ``plan`` the text starts with how the run stands beside it.
    """
    from armprof.commands.progress import progress
    from armprof.report import json, text
    from armprof.report.document import document
    from armprof.report.reviews import advice

    def html() -> Iterable[str]:
        from armprof.report.html import page
        from armprof.report.html import run as pages

        return page.render(pages.page(found, plan))

    if args.format in formats.RUNS:
        put(formats.run(args.format, run), args.output)
        return
    with progress(after=1.0) as tell:
        found = document(run, plan, lambda done: tell("analyzing", done))
    show(
        args,
        lambda to: text.render(found, to, args.explain, plan),
        lambda: json.pieces(found),
        lambda: advice.review(found),
        stream,
        html,
    )


def show(
    args: argparse.Namespace,
    text: Callable[[TextIO | None], str],
    json: Callable[[], str | Iterable[str]],
    review: Callable[[], Review],
    stream: TextIO | None = None,
    html: Callable[[], str | Iterable[str]] | None = None,
) -> None:
    """Writes what was found to --output, else text to ``stream`` and other formats to stdout."""
    if args.format == "text":
        to = stream or sys.stdout
        put(text(None if args.output else to), args.output, to)
    else:
        whole = {"json": json, "html": html}.get(args.format)
        put(whole() if whole else _reviewed(args.format, review()), args.output)


def _reviewed(format: str, review: Review) -> str:
    """The review in that format; what the format cannot hold is told on stderr."""
    if format == "github":
        add_to_step_summary(formats.review("markdown", review))
    if format in formats.NEED_LOCATION and review.unplaced:
        count = len(review.unplaced)
        tell(
            f"{count} finding{'s' * (count != 1)} of no known line, which {format} has no place for; the first: "
            f"{review.unplaced[0].message}"
        )
    return formats.review(format, review)


def add_to_step_summary(markdown: str) -> None:
    """Adds to the summary of the GitHub workflow's step, where this is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or not markdown:
        return
    try:
        with open(path, "a", encoding="utf-8") as summary:
            summary.write(markdown)
    except OSError as error:
        raise ArmprofError(f"cannot write GITHUB_STEP_SUMMARY, {path}: {error.strerror or error}") from None


def put(rendered: str | Iterable[str], output: Path | None, stream: TextIO | None = None) -> None:
    """Writes what was rendered, whole or in pieces, to the file, or to the stream, stdout where none is given."""
    pieces = (rendered,) if isinstance(rendered, str) else rendered
    if output is not None:
        write_bytes(output, (piece.encode("utf-8", "backslashreplace") for piece in pieces))
    else:
        to = stream or sys.stdout
        to.writelines(pieces)
        to.flush()
