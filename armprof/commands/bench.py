"""armprof bench: times and counts the components, writes a run file and says what is in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from armprof.commands.benching import known, number
from armprof.commands.progress import progress
from armprof.components import KERNELS, Definition, bench
from armprof.errors import ArmprofError
from armprof.output import destination
from armprof.report import harmless

DEFAULT_OUTPUT = "armprof-run.json"


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"Built-in components: {', '.join(KERNELS)}. Code of yours runs in a process of its own; where it fails the others "
        "are still measured and written, and the exit status is 2. See docs/components.md."
    )
    parser.add_argument(
        "components",
        nargs="*",
        metavar="COMPONENT",
        help="what to bench (default: all, or those that --lib and --module add)",
    )
    parser.add_argument(
        "--lib", type=Path, metavar="FILE", help="a shared library; functions of it are components, named by --symbol"
    )
    parser.add_argument(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME",
        help="a function of it, void NAME(void); may be given again",
    )
    parser.add_argument(
        "--loop",
        action="store_true",
        help="the symbols are loops instead, uint64_t f(void *state, uint64_t operations); "
        "void *f_create(uint64_t seed) makes the state where the library has it, else it is NULL",
    )
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="NAME",
        help="a Python module whose functions @armprof.component registers; may be given again",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="defines components (default: ./armprof.toml where there is one)"
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="ITCH 5.0 file to take messages from (default: a generated stream)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=1, metavar="N", help="seed of the generated input (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=number(0.01, 60, "number of seconds"),
        default=1.0,
        metavar="S",
        help="time for each component (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="R",
        help="also run tick_to_trade with R messages arriving each second, as in 250k or 1M: latency is then that from the "
        "intended arrival",
    )
    parser.add_argument(
        "--like",
        type=Path,
        metavar="FILE",
        help="time in batches as large as in this run file, which the new one is to be compared with",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        metavar="FORMAT",
        help="of what is printed: text, json (default: text)",
    )
    parser.add_argument(
        "--output", type=destination, default=DEFAULT_OUTPUT, metavar="FILE", help="run file (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    from armprof.report import text
    from armprof.report.document import document
    from armprof.run import file

    names, components = _chosen(args)
    like = None if args.like is None else file.read(args.like)
    with progress() as tell:
        outcome = bench(names, args.input, args.seed, args.seconds, tell, args.rate, components, like)
    file.write(outcome, args.output)
    print(file.render(outcome) if args.format == "json" else text.render(document(outcome), sys.stdout), end="")
    harmless.tell(f"run file {args.output}")
    failed = [f"{component.name}: {component.failure}" for component in outcome.components if component.failure]
    if failed:
        raise ArmprofError("; ".join(failed))
    return 0


def _chosen(args: argparse.Namespace) -> tuple[list[str], Mapping[str, Definition]]:
    """What to bench, and of what: where none is named, those that the command line adds."""
    components = known(args.config, args.module, _symbols(args))
    places = tuple(f"{module}." for module in args.module)
    of_modules = [name for name, definition in components.items() if definition.origin.startswith(places)]
    if args.module and not of_modules:
        modules = ", ".join(args.module)
        raise ArmprofError(f"{modules} registers no component; @armprof.component above a function does")
    return args.components or [*of_modules, *args.symbol], components


def _symbols(args: argparse.Namespace) -> list[Definition]:
    from armprof.components import symbols

    if args.lib is None and (args.symbol or args.loop):
        raise ArmprofError("--symbol and --loop are of a shared library: --lib FILE")
    if args.lib is not None and not args.symbol:
        raise ArmprofError(
            f"--lib needs --symbol NAME; {args.lib} exports {symbols.listed(symbols.functions(args.lib))}"
        )
    names = dict.fromkeys(args.symbol)
    return [symbols.symbol(args.lib, name, args.loop, name, "", "", f"--symbol {name}") for name in names]


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2^64 - 1")
    return int(text)


def _rate(text: str) -> float:
    try:
        unit = {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:])
        rate = float(text) if unit is None else float(text[:-1]) * unit
    except ValueError:
        rate = 0.0
    if not 1 <= rate <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate from 1 to 1G in messages per second, as in 250k or 1M")
    return rate
