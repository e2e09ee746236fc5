"""What verbs that show samples have in common: the formats, and what text holds samples."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from armprof.commands.progress import progress
from armprof.commands.reporting import put
from armprof.counters.imported import source
from armprof.errors import ArmprofError
from armprof.output import write_bytes

if TYPE_CHECKING:
    from armprof.run.record import Run
    from armprof.samples import Samples

# What a file of samples can be turned into beside text: the module that does it.
EXPORTS = {
    "collapsed": "armprof.report.collapsed",
    "flamegraph": "armprof.report.flamegraph",
    "json": "armprof.samples.file",
    "pprof": "armprof.report.pprof",
    "speedscope": "armprof.report.speedscope",
}
FORMATS = ("text", "html", *EXPORTS)


def of_perf_data(path: str, core: str | None = None) -> Samples | None:
    """What SPE sampled, where the file is one of perf's own; None where it is of another kind, or standard input."""
    from armprof import cpu
    from armprof.samples import operations, perfdata

    if path == source.STDIN or not perfdata.is_perf_data(Path(path)):
        return None
    named = cpu.core(core) if core is not None else None
    with progress(after=1.0) as tell:
        return operations.samples(perfdata.read(Path(path)), path, named, lambda done: tell(f"reading {path}", done))


def parse(text: str, origin: str) -> Samples | None:
    """The samples that the text holds, ours or what perf printed; None where it is of another kind."""
    from armprof.samples import file, perf

    if file.is_samples_file(text):
        return file.parse(text, origin)
    read = perf.reader(text)
    return None if read is None else read(text, origin)


def run_of(samples: Samples) -> Run:
    """The counts that came with the samples as a run, with their places."""
    import armprof
    from armprof.run.record import Run
    from armprof.samples import joined

    return Run((joined.component(samples),), armprof_version=armprof.__version__)


def text_of(samples: Samples, stream: TextIO | None) -> str:
    """Functions and lines, and below them what to change, where the counts that came with them tell."""
    from armprof.report import samples as report
    from armprof.report.document import document
    from armprof.report.text import advice

    return report.render(samples, stream) + advice(document(run_of(samples)), stream)


def show(samples: Samples, format: str, output: Path | None) -> None:
    """Writes them to the file, or to stdout. Raises ArmprofError for a format that is of runs."""
    if format not in FORMATS:
        raise ArmprofError(f"--format {format} is for runs; samples become {', '.join(FORMATS)}")
    if format == "text":
        put(text_of(samples, None if output else sys.stdout), output)
        return
    if format == "html":
        from armprof.report.document import document
        from armprof.report.html import page
        from armprof.report.html import samples as pages

        put(page.render(pages.page(samples, document(run_of(samples)))), output)
        return
    rendered: str | bytes = import_module(EXPORTS[format]).render(samples)
    if isinstance(rendered, str):
        put(rendered, output)
    elif output is not None:
        write_bytes(output, [rendered])
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(rendered)
