"""armprof inspect ELF: static checks of an ARM64 program or library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from armprof import cpu
from armprof.commands.reporting import add_format, put
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    from armprof.binary.checks import Target

LINE_BYTES = 64  # of every core that is known


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="ELF", help="a program or shared library for ARM64")
    parser.add_argument(
        "--core",
        metavar="NAME",
        help="the core that it is to run on, by default this machine's; known: " + ", ".join(cpu.core_names()),
    )
    parser.add_argument(
        "--places",
        type=int,
        default=5,
        metavar="N",
        help="places named of each finding in text and markdown (default: 5)",
    )
    add_format(parser, more=("markdown",))
    parser.epilog = (
        "Nothing is run and nothing is counted: a finding is a possibility. Debug information is also looked for by build "
        "id in /usr/lib/debug and in the folders of ARMPROF_DEBUG_PATH."
    )


def run(args: argparse.Namespace) -> int:
    from armprof.binary.checks import inspect
    from armprof.cpu import features
    from armprof.report import inspect as report

    if args.places < 1:
        raise ArmprofError(f"--places is a number from 1 on, not {args.places}")
    inspection = inspect(args.file, target(args.core), features.of_flag)
    if args.format == "json":
        put(report.render_json(inspection), args.output)
    elif args.format == "markdown":
        put(report.render_markdown(inspection, args.places), args.output)
    else:
        put(report.render(inspection, args.places, None if args.output else sys.stdout), args.output)
    return 0


def target(name: str | None) -> Target | None:
    """The named core, or this machine's; None where there is neither, or its features are not known."""
    from armprof.binary.checks import Target
    from armprof.cpu import features

    core = cpu.core(name) if name is not None else cpu.host().core
    told = features.of_core(core.name) if core is not None else None
    if core is None or told is None:
        return None
    l1i = core.caches.get("l1i")
    l1i_kib = l1i.modelled_kib if l1i is not None else None
    mcpu = features.mcpu(core.name) or core.name
    return Target(core.name, core.title, mcpu, told, LINE_BYTES, 1024 * l1i_kib if l1i_kib else None)
