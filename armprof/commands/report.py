"""armprof report: what the counts of a run or of somebody's perf output mean."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import armprof
from armprof.commands import sampled
from armprof.commands.benching import bench_all
from armprof.commands.reporting import RUN_FORMATS, add_options, put, report
from armprof.counters.imported import source
from armprof.errors import ArmprofError
from armprof.run.record import Component, Run

if TYPE_CHECKING:
    from armprof.budget import Plan
    from armprof.samples import Samples


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a run file (of `armprof bench`, of a C program with ARMPROF_OUTPUT), what `perf stat` printed (text, -x "
        "or -j), or samples (of `armprof record`, `perf script`, `perf report`, or the perf.data of `perf record -e "
        "arm_spe//`); - is standard input; without it the built-in kernels and the components of armprof.toml are benched "
        "first",
    )
    parser.add_argument(
        "--annotate",
        nargs="?",
        const="",
        metavar="FUNCTION",
        help="text or markdown: the source of a function, of the hottest ones without a name, with what part of each event "
        "was at each line; of samples, and of runs that the modelled core counted",
    )
    parser.add_argument(
        "--samples",
        metavar="FILE",
        help="samples of the same program (of `armprof record`, `perf script`): the advice stands on their lines",
    )
    parser.add_argument("--core", metavar="NAME", help="the core that a perf output is from, as in neoverse-n1")
    add_options(parser, "stdout", (one for one in sampled.EXPORTS if one != "json"))


def run(args: argparse.Namespace) -> int:
    if args.file is None and args.core is not None:
        raise ArmprofError("--core is for a perf output: what is benched here runs on this machine's core")
    if args.file is None and args.annotate is not None:
        raise ArmprofError("--annotate is of a file: armprof report FILE --annotate [FUNCTION]")
    if args.file is None and args.samples is not None:
        raise ArmprofError("--samples is of a program that was counted: armprof report FILE --samples FILE")
    samples = None if args.file is None else sampled.of_perf_data(args.file, args.core)
    text, origin = (None, args.file or "") if args.file is None or samples is not None else source.load(args.file)
    if text is not None and args.core is None:
        samples = sampled.parse(text, origin)
    if samples is not None:
        if args.samples is not None:
            raise ArmprofError(f"{origin} holds samples, too: --samples goes with a file of counts")
        return _of_samples(args, samples)
    if args.format in sampled.EXPORTS and args.format != "json":
        raise ArmprofError(f"--format {args.format} is for samples: armprof record -- CMD makes some")
    outcome = bench_all() if text is None else _run_in(text, origin, args.file, args.core)
    if args.samples is not None:
        outcome = _with_samples(outcome, args.samples)
    if args.annotate is not None:
        _annotate(args, outcome)
        return 0
    report(outcome, args, sys.stdout, _plan(outcome))
    return 0


def _of_samples(args: argparse.Namespace, samples: Samples) -> int:
    """Shows them, or what follows from the counts that came with them."""
    if args.annotate is not None:
        _annotate(args, samples)
    elif args.format in RUN_FORMATS and args.format not in sampled.FORMATS:
        report(sampled.run_of(samples), args, sys.stdout)
    else:
        sampled.show(samples, args.format, args.output)
    return 0


def _with_samples(outcome: Run, path: str) -> Run:
    from armprof.samples import joined

    origin, samples = path, sampled.of_perf_data(path)
    if samples is None:
        text, origin = source.load(path)
        samples = sampled.parse(text, origin)
    if samples is None:
        raise ArmprofError(f"{origin} holds no samples of `armprof record`, `perf script` or `perf report`")
    return joined.placed(outcome, samples, origin)


def _annotate(args: argparse.Namespace, what: Run | Samples) -> None:
    """Writes the annotated source: of a run each component's whose lines are known."""
    from armprof.report import annotate

    if args.format not in ("text", "markdown"):
        raise ArmprofError(
            f"--annotate is text or markdown, not {args.format}; --format html has the source without it"
        )
    if isinstance(what, Run):
        known = [component for component in what.components if component.where is not None] or what.components[:1]
        found = [annotate.of_component(component) for component in known]
    else:
        found = [annotate.of_samples(what)]
    put(annotate.rendered(found, args.annotate or None, args.format, None if args.output else sys.stdout), args.output)


def _plan(outcome: Run) -> Plan | None:
    """The targets and budgets to hold the run against; None where they are of nothing that was timed."""
    from armprof.budget import find

    timed = {component.name for component in outcome.components if component.latency}
    plan = find() if timed else None
    return plan if plan is not None and timed & plan.components else None


def load(path: str, core: str | None = None) -> Run:
    """The run in a run file or a perf output; "-" is standard input.

    ``core`` names the core that a perf output is from. Raises ArmprofError where the file is neither, and for a core
    that there is no table of.
    """
    return _run_in(*source.load(path), path, core)


def _run_in(text: str, origin: str, path: str, core: str | None) -> Run:
    from armprof import cpu
    from armprof.commands.progress import progress
    from armprof.counters.imported import parse
    from armprof.run import file

    named = cpu.core(core) if core is not None else None
    if file.is_run_file(text):
        if named is not None:
            raise ArmprofError(f"--core is for perf outputs; {origin} is a run file, which names its core")
        return file.parse(text, origin)
    try:
        with progress() as tell:
            imported = parse(text, origin, lambda done: tell(f"reading {origin}", done))
    except ArmprofError as error:
        raise ArmprofError(f"{error}; nor is it a run file of `armprof bench`") from None
    reading = imported.total
    if named is not None:
        name = f"{named.name}-{named.revision}" if named.revision else named.name
        reading = replace(reading, core=name)
    component = Component(
        name="standard input" if path == source.STDIN else Path(path).name,
        title=imported.command or "",
        kind="imported",
        operation="the command",
        reading=reading,
        groups=imported.groups,
    )
    return Run((component,), armprof_version=armprof.__version__)
