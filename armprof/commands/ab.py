"""armprof ab -- OLD -- NEW: two builds timed in turns, and whether the new one is slower."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.commands.benching import known, number
from armprof.commands.reporting import add_format, show
from armprof.errors import ArmprofError
from armprof.report import harmless

if TYPE_CHECKING:
    from armprof.compare.paired import Comparison, Progress
    from armprof.components import Definition


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armprof ab [--seconds S] [--tolerance PERCENT] [--format FORMAT]\n"
        "                  [--output FILE] -- OLD [ARG...] -- NEW [ARG...]\n"
        "       armprof ab --symbol NAME [--symbol NAME...] [--loop] [...] OLD.so NEW.so\n"
        "       armprof ab --component [...] OLD NEW\n"
        "       armprof ab --base REV [--head REV] [--build COMMAND] [...]\n"
        "                  [COMPONENT...]\n"
        "       armprof ab --base REV [--head REV] [--build COMMAND] [...]\n"
        "                  -- CMD [ARG...]"
    )
    parser.add_argument(
        "--symbol",
        action="append",
        metavar="NAME",
        help="compare this function of two shared libraries, void NAME(void), instead of commands; may be given again",
    )
    parser.add_argument(
        "--loop",
        action="store_true",
        help="the symbols are loops instead, uint64_t f(void *state, uint64_t operations), as in armprof bench --loop",
    )
    parser.add_argument(
        "--component", action="store_true", help="the sides are names of components: kernels, or those of armprof.toml"
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="compare this git revision with HEAD: components of armprof.toml, or a command that is run in both trees",
    )
    parser.add_argument("--head", metavar="REV", help="the revision to compare with it (default: HEAD)")
    parser.add_argument("--build", metavar="COMMAND", help="what builds a tree, a line for the shell")
    parser.add_argument(
        "--seconds",
        type=number(0.001, 100_000, "number"),
        default=3.0,
        metavar="S",
        help="time at most, for each pair; setting components up comes on top (default: %(default)g)",
    )
    parser.add_argument(
        "--tolerance",
        type=number(0.001, 100_000, "number"),
        default=1.0,
        metavar="PERCENT",
        help="a smaller change of the median counts as none (default: %(default)g)",
    )
    add_format(parser)
    parser.add_argument(
        "sides", nargs=argparse.REMAINDER, metavar="-- OLD -- NEW", help="the old side, then the new one"
    )
    parser.epilog = "Exit status: 0 the new side is not shown to be slower; 1 it is slower; 2 bad usage or bad input."


def run(args: argparse.Namespace) -> int:
    from armprof.commands.progress import progress
    from armprof.report import ab as report
    from armprof.report.reviews import paired

    with progress() as tell:
        found = _compared(args, tell)

    def html() -> Iterable[str]:
        from armprof.report.html import comparison as pages
        from armprof.report.html import page

        return page.render(pages.of_pairs(found))

    show(
        args,
        lambda to: report.render(found, to),
        lambda: report.render_json(found),
        lambda: paired.review(found),
        html=html,
    )
    if args.output or args.format not in ("text", "json"):
        for compared in found.compared:
            harmless.tell(report.sentence(compared))
    return int(found.is_regression)


def _compared(args: argparse.Namespace, tell: Progress) -> Comparison:
    from armprof.compare.paired import ab_commands, ab_symbols
    from armprof.compare.revised import ab_components, ab_revisions

    _refuse_mixed(args)
    given: dict[str, Any] = {"seconds": args.seconds, "tolerance": args.tolerance / 100, "progress": tell}
    if args.base is not None:
        names, command = _names_or_command(args.sides)
        load = partial(_in_tree, command)
        return ab_revisions(
            args.base, args.head or "HEAD", load, names=["command"] if command else names, command=args.build, **given
        )
    old, new = _sides(args.sides)
    if args.symbol:
        return ab_symbols(_library(old), _library(new), args.symbol, loop=args.loop, **given)
    if args.component:
        return ab_components(_one(old, "component", "name"), _one(new, "component", "name"), known, **given)
    return ab_commands(old, new, **given)


def _refuse_mixed(args: argparse.Namespace) -> None:
    ways = [f"--{way}" for way in ("symbol", "component", "base") if getattr(args, way) not in (None, False)]
    if len(ways) > 1:
        raise ArmprofError(f"{' and '.join(ways)} name other sides each: give one of them")
    if args.base is None and (args.head is not None or args.build is not None):
        raise ArmprofError("--head and --build are for revisions: --base REV")
    if args.loop and not args.symbol:
        raise ArmprofError("--loop is for --symbol")


def _names_or_command(words: list[str]) -> tuple[list[str], list[str]]:
    """Components, or what stands behind --."""
    if words[:1] == ["--"]:
        if not words[1:]:
            raise ArmprofError("no command behind --")
        return [], words[1:]
    return words, []


def _in_tree(command: list[str]) -> Mapping[str, Definition]:
    """What there is to compare in the folder of a revision: the command, or what armprof.toml defines."""
    from armprof.components import KERNELS
    from armprof.components.processes import command as command_

    if command:
        return {"command": command_(command, "command", "", "", "the command line")}
    return {name: definition for name, definition in known().items() if name not in KERNELS}


def _sides(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands behind the first -- and behind the second; two words need none."""
    rest = words[1:] if words[:1] == ["--"] else words
    if len(rest) == 2 and "--" not in rest:
        return rest[:1], rest[1:]
    at = rest.index("--") if "--" in rest else len(rest)
    old, new = rest[:at], rest[at + 1 :]
    if not old or not new:
        raise ArmprofError(
            "two sides are compared, options before them: armprof ab [OPTION...] -- OLD [ARG...] -- NEW [ARG...]"
        )
    return old, new


def _library(side: list[str]) -> Path:
    return Path(_one(side, "symbol", "shared library"))


def _one(side: list[str], option: str, what: str) -> str:
    if len(side) > 1:
        raise ArmprofError(f"with --{option} a side is one {what}, not {' '.join(side)!r}")
    return side[0]
