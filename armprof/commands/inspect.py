"""armprof inspect ELF: static checks of an ARM64 program or library."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from armprof import cpu
from armprof.commands import sampled
from armprof.commands.reporting import add_format, put, show
from armprof.counters.imported import source
from armprof.errors import ArmprofError
from armprof.report import formats

if TYPE_CHECKING:
    from armprof.analysis.findings import Weighing
    from armprof.binary.checks import Inspection, TargetCore
    from armprof.samples import Samples

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
        help="how many places of each finding text and markdown name (default: 5)",
    )
    parser.add_argument(
        "--counts",
        metavar="FILE",
        help="what the program cost when it ran: samples (of `armprof record`, `perf script`), or a run that the modelled core "
        "counted (`armprof stat --source model --save FILE -- CMD`); each finding is told with its share and its gain",
    )
    add_format(parser, more=("html", *(one for one in formats.REVIEWS if one != "junit")))
    parser.epilog = (
        "Nothing is run: without --counts a finding is a possibility, not a cost. Debug information is also looked for by "
        "build id in /usr/lib/debug and in the folders of ARMPROF_DEBUG_PATH."
    )


def run(args: argparse.Namespace) -> int:
    from armprof.analysis.findings import uncounted
    from armprof.binary.checks import inspect
    from armprof.cpu import features
    from armprof.report import inspect as report
    from armprof.report.reviews import inspection as reviews

    if args.places < 1:
        raise ArmprofError(f"--places is a number from 1 on, not {args.places}")
    samples = None if args.counts is None else sampled.of_perf_data(args.counts)
    text, origin = (None, args.counts) if args.counts is None or samples is not None else source.load(args.counts)
    inspection = inspect(args.file, target(args.core), features.of_flag)
    found = uncounted(inspection) if args.counts is None else _weighed(inspection, samples, text or "", origin)
    if args.format == "markdown":
        put(report.render_markdown(found, args.places), args.output)
    else:
        show(
            args,
            lambda to: report.render(found, args.places, to),
            lambda: report.render_json(found),
            lambda: reviews.review(found),
            html=lambda: _html(found),
        )
    return 0


def _html(found: Weighing) -> Iterable[str]:
    from armprof.report.html import inspect as pages
    from armprof.report.html import page

    return page.render(pages.page(found))


def _weighed(inspection: Inspection, samples: Samples | None, text: str, origin: str) -> Weighing:
    """The findings with what they cost by the samples, or by what the text holds. Raises ArmprofError where it is nothing."""
    from armprof.analysis import heat
    from armprof.analysis.findings import weigh
    from armprof.run import file

    binary = inspection.path
    try:
        samples = samples or sampled.parse(text, origin)
        if samples is not None:
            return weigh(inspection, heat.of_samples(samples, binary))
        if not file.is_run_file(text):
            raise ArmprofError("it holds neither samples nor a run")
        components = file.parse(text, origin).components
        return weigh(inspection, heat.of_components(components, binary), lambda e: heat.of_event(components, binary, e))
    except ArmprofError as error:
        told = str(error)
        raise ArmprofError(told if told.startswith(origin) else f"{origin}: {told}") from None


def target(name: str | None) -> TargetCore | None:
    """The named core, or this machine's; None where there is neither, or its features are not known."""
    from armprof.binary.checks import TargetCore
    from armprof.cpu import features

    core = cpu.core(name) if name is not None else cpu.host().core
    told = features.of_core(core.name) if core is not None else None
    if core is None or told is None:
        return None
    l1i = core.caches.get("l1i")
    l1i_kib = l1i.modelled_kib if l1i is not None else None
    mcpu = features.mcpu(core.name) or core.name
    return TargetCore(core.name, core.title, mcpu, told, LINE_BYTES, 1024 * l1i_kib if l1i_kib else None)
