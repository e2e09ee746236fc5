"""armprof history: the runs of a store, its baselines, and where what they measured moved."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from armprof.commands.reporting import add_format, put
from armprof.history.store import FOLDER, RunStore
from armprof.run import file


def add_store(parser: argparse.ArgumentParser) -> None:
    """--store, of every verb that looks into one."""
    parser.add_argument(
        "--store", type=Path, default=FOLDER, metavar="DIR", help="the store, a folder (default: %(default)s)"
    )


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof history [--store DIR] [--format FORMAT] [--output FILE]\n"
        "       armprof history [--store DIR] add RUN...\n"
        "       armprof history [--store DIR] approve NAME RUN\n"
        "       armprof history [--store DIR] forget NAME\n"
        "       armprof history [--store DIR] prune N"
    )
    add_store(parser)
    add_format(parser, more=())
    doings = parser.add_subparsers(dest="doing", metavar="DOING", title="what else can be done", prog="armprof history")
    add = doings.add_parser("add", help="keep run files")
    add.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run file")
    approve = doings.add_parser(
        "approve", help="make a run file the baseline NAME, for: armprof compare --baseline NAME HEAD"
    )
    approve.add_argument("name", metavar="NAME", help="of the baseline")
    approve.add_argument("run", type=Path, metavar="RUN", help="a run file")
    forget = doings.add_parser("forget", help="remove the baseline NAME")
    forget.add_argument("name", metavar="NAME", help="of the baseline")
    prune = doings.add_parser("prune", help="remove the oldest runs, all but N; baselines stay")
    prune.add_argument("keep", type=_whole, metavar="N", help="how many to keep")


def run(args: argparse.Namespace) -> int:
    store = RunStore(args.store)
    match args.doing:
        case "add":
            runs = [file.read(path) for path in args.runs]  # all of them, before any is kept
            for one in runs:
                print(store.add(one))
        case "approve":
            store.approve(args.name, file.read(args.run))
        case "forget":
            store.forget(args.name)
        case "prune":
            print(f"armprof: {store.prune(args.keep)} runs removed", file=sys.stderr)
        case _:
            _tell(store, args)
    return 0


def _tell(store: RunStore, args: argparse.Namespace) -> None:
    from armprof.history.trend import moved, series
    from armprof.report import history as report

    kept = list(store.runs())
    names, baselines, all_series = [one.name for one in kept], store.baselines(), series(kept)
    found = names, baselines, all_series, moved(all_series)
    if args.format == "json":
        put(report.render_json(*found), args.output)
    else:
        put(report.render(*found, None if args.output else sys.stdout), args.output)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)
