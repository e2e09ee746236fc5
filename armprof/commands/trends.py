"""armprof trends: what a store's figures did, and when they will cross their thresholds."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
from contextlib import closing
from pathlib import Path

from armprof.commands.reporting import add_format, put
from armprof.errors import ArmprofError
from armprof.monitor.settings import STORE, Settings, read
from armprof.run.codec import MismatchError


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", default="24h", metavar="TIME", help="how far back, as in 6h or 7d (default: 24h)")
    parser.add_argument(
        "--store", type=Path, metavar="FILE", help=f"what monitor wrote (default: that of armprof.toml, else {STORE})"
    )
    parser.add_argument("--target", metavar="NAME", help="as in cpu0 (default: all that the last session sampled)")
    parser.add_argument(
        "--figure", action="append", metavar="NAME,...", help="these figures alone (default: all there are)"
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="thresholds, the store (default: ./armprof.toml where there is one)",
    )
    add_format(parser, more=("html",))


def run(args: argparse.Namespace) -> int:
    from armprof.monitor.analysis import analyze
    from armprof.monitor.history import History
    from armprof.monitor.rules import duration_ns
    from armprof.monitor.store import connect
    from armprof.report import harmless
    from armprof.report import trends as report

    try:
        since = duration_ns(args.since, "--since", 60)
        wanted = _figures(args.figure)
    except (MismatchError, ValueError) as error:
        raise ArmprofError(str(error)) from None
    settings = read(args.config)
    with closing(connect(_store(args, settings))) as db:
        history = History(db)
        if args.target and args.target not in (known := history.targets()):
            close = difflib.get_close_matches(args.target, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise ArmprofError(f"the store has no target {args.target!r}; {hint}")
        found = analyze(history, since, settings.rules, args.target or history.whole, wanted, settings.metrics)
    match args.format:
        case "json":
            rendered = report.render_json(found)
        case "html":
            from armprof.report.html import page
            from armprof.report.html import trends as pages

            rendered = "".join(page.render(pages.page(found)))
        case _:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() and not args.output else 80
            rendered = "".join(f"{harmless.line(line)}\n" for line in report.text(found, width))
    put(rendered, args.output)
    return 0


def _store(args: argparse.Namespace, settings: Settings) -> Path:
    return args.store or settings.store or STORE


def _figures(given: list[str] | None) -> list[str]:
    from armprof.monitor.rules import figure

    names = [name for part in given or () for name in part.split(",") if name]
    for name in names:
        figure(name, "--figure")
    return names
