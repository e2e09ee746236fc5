"""Fuzzes what Python reads that others wrote: python tests/fuzz/parsers.py TARGET [OPTION OF LIBFUZZER...] [CORPUS...]

Each target takes any bytes. What it must give is the same for all: a result, from which every report can be made, or an
ArmprofError of one line; nothing else, in bounded time and memory. `atheris` brings the bytes, and knows which of them
reached new code. tools/fuzz runs the targets, from what seeds.py beside this makes.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from unittest import mock

import atheris

FOLDER = Path(tempfile.mkdtemp())

with atheris.instrument_imports(include=["armprof"]):
    from armprof import config
    from armprof.analysis.findings import uncounted
    from armprof.binary import Binary, Space, space
    from armprof.binary.checks import inspect
    from armprof.budget import plan
    from armprof.commands import inspect as inspect_command
    from armprof.commands import sampled
    from armprof.counters.imported import parse as parse_perf_stat
    from armprof.counters.imported.source import decode as decode_text
    from armprof.counters.model import counts
    from armprof.cpu import detect, features, sysfs
    from armprof.errors import ArmprofError
    from armprof.monitor import latencies, levels, passwords, promql, settings, store
    from armprof.monitor.history import History, Stretch
    from armprof.report import formats, json, text
    from armprof.report import inspect as inspection_report
    from armprof.report.document import document
    from armprof.report.reviews import advice
    from armprof.run import file
    from armprof.run.codec import encode
    from armprof.run.record import Run
    from armprof.samples import Samples, operations, perfdata, processes, spe

MOST_REPORTED = 20_000  # bytes of a run that is reported: a report takes a while


def run_file(data: bytes) -> None:
    """Run files, regions of C programs, google-benchmark, pytest-benchmark."""
    run = file.parse(data.decode("utf-8-sig", "replace"), "a file")
    assert file.parse(file.render(run), "again") == run
    if len(data) < MOST_REPORTED:
        _report(run)


def _report(run: Run) -> None:
    found = document(run)
    text.render(found, None)
    "".join(json.pieces(found))
    review = advice.review(found)
    for format in formats.REVIEWS:
        formats.review(format, review)


def perf_stat(data: bytes) -> None:
    """What perf stat printed, as text, with -x or -j."""
    encode(parse_perf_stat(decode_text(data, "a file"), "a file"))


def samples(data: bytes) -> None:
    """Files of samples, perf script, perf report."""
    found = sampled.parse(decode_text(data, "a file"), "a file")
    if found is not None:
        _show(found)


def _show(found: Samples) -> None:
    for format in sampled.FORMATS:
        with mock.patch("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")):
            sampled.show(found, format, None)


def perf_data(data: bytes) -> None:
    """perf.data with what SPE sampled."""
    with _kept(data) as path:
        _show(operations.samples(perfdata.read(path), "a file"))


def elf(data: bytes) -> None:
    """Programs and libraries, their symbols and lines."""
    with _kept(data) as path:
        binary = Binary(path)
        for function in binary.functions[:5]:
            binary.frames(function.start)
        for address in (0, 0x1000, 2**64 - 1):
            binary.frames(address)
            binary.variable(address)
        list(islice(binary.producers(), 100))


def inspection(data: bytes) -> None:
    """The code of a program or library, which is looked at instruction by instruction."""
    with _kept(data) as path:
        found = uncounted(inspect(path, _N1, features.of_flag))
        inspection_report.render(found, 3)
        inspection_report.render_json(found)


_N1 = inspect_command.target("neoverse-n1")


def toml(data: bytes) -> None:
    """armprof.toml: budgets and the monitor's settings; components are Python and libraries, which their owner trusts."""
    with _kept(data) as path:
        for read in (plan.read, settings.read):
            try:
                read(path)
            except ArmprofError as error:
                _check(error)
        config.parse(config.read(path), "a file")


def spe_records(data: bytes) -> None:
    """Records of the Statistical Profiling Extension."""
    found = spe.decode(data)
    assert found.broken + len(found.records) <= len(data)


def machine(data: bytes) -> None:
    """/proc and /sys, a file from each line between NULs."""
    root = FOLDER / "root"
    for name, content in zip(_FACTS, data.split(b"\0"), strict=False):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    host = detect.host(root)
    host.describe()


_FACTS = (
    "proc/cpuinfo", "proc/self/status", "proc/1/cgroup", "proc/sys/kernel/perf_event_paranoid",
    "sys/devices/system/cpu/online", "sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
    "sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name", "sys/firmware/devicetree/base/model",
    "sys/bus/event_source/devices/armv8_pmuv3_0/cpus", "sys/bus/event_source/devices/armv8_pmuv3_0/type",
)  # fmt: skip


def process(data: bytes) -> None:
    """What the kernel tells of processes, CPUs and cgroups: a file from each part between NULs."""
    parts = [*data.split(b"\0"), b"", b"", b""]
    text = parts[0].decode("utf-8", "replace")
    code = list(processes.code_in(parts[0]))
    try:
        mapped = Space(space.of_process(text))
    except ArmprofError as error:
        _check(error)
        mapped = Space([])
    addresses = [0, 2**64 - 1, *(mapping.start for mapping in mapped.mappings)]
    assert len(mapped.places(addresses)) == len(addresses)
    assert len(code) <= len(text.split("\n"))
    levels.cpu_seconds(parts[1].decode("utf-8", "replace"))
    levels.memory_used(parts[1].decode("utf-8", "replace"))
    sysfs.parse_cpus(parts[1][:40].decode("utf-8", "replace"))
    root = FOLDER / "cgroup"
    root.mkdir(exist_ok=True)
    for name in ("memory.current", "cgroup.procs", "cpu.stat"):
        (root / name).write_bytes(parts[2])
    levels.of_cgroup(root)


def scraper(data: bytes) -> None:
    """The file of those who may scrape, and what one who scrapes says of himself, behind a NUL."""
    content, _, said = data.partition(b"\0")
    _GUARD({"HTTP_AUTHORIZATION": said.decode("latin-1")}, lambda status, headers: None)  # type: ignore[arg-type]
    with _kept(content) as path:
        passwords.read(path)


_GUARD = passwords.Guard(lambda environ, start: [], {"alice": passwords.Hash((2, 1, 1), b"", bytes(32))})


def modelled(data: bytes) -> None:
    """The file of counts that the modelled core leaves."""
    with _kept(data) as path:
        counts.read(path)


def prometheus(data: bytes) -> None:
    """What a Prometheus answers."""
    with mock.patch("urllib.request.urlopen", return_value=io.BytesIO(data)):
        promql.QueryServer("http://localhost:9090").query("up", 0)


def monitor_store(data: bytes) -> None:
    """The store of a monitor, whose pages are damaged."""
    with _kept(data) as path:
        connection = store.connect(path)
        try:
            history = History(connection)
            ends = history.ends()
            for target in history.targets()[:3] if ends else ():
                where = Stretch(target, *ends)
                for figure in history.figures(where, ["cycles_per_instruction"])[:20]:
                    history.past(figure, where, 60_000_000_000)
                history.refused(target)
        finally:
            connection.close()


def distribution(data: bytes) -> None:
    """The distributions of latencies in a store."""
    found = latencies.from_json(1.0, data.decode("utf-8", "replace"))
    found.percentile(0.99)
    latencies.from_json(1.0, found.to_json())


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        run_file, perf_stat, samples, perf_data, spe_records, elf, inspection, toml, machine, process, scraper, modelled,
        prometheus, monitor_store, distribution,
    )
}  # fmt: skip


@contextmanager
def _kept(data: bytes) -> Iterator[Path]:
    path = FOLDER / "file"
    path.write_bytes(data)
    with mock.patch("armprof.binary.cache.load", return_value=None), mock.patch("armprof.binary.cache.save"):
        yield path


def _check(error: ArmprofError) -> None:
    assert str(error), "an error without a word"
    assert "\n" not in str(error), f"not one line: {str(error)!r}"


def attempt(target: Callable[[bytes], None], data: bytes) -> None:
    try:
        target(data)
    except ArmprofError as error:
        _check(error)


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"usage: parsers.py TARGET [OPTION...] [CORPUS...]; targets: {' '.join(TARGETS)}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: attempt(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
