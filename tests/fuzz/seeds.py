"""What the fuzzers of Python start from: python tests/fuzz/seeds.py FOLDER writes small right files to FOLDER/TARGET.

They are those of the tests, so that nothing is told twice.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS), str(TESTS / "unit"), str(TESTS / "binary")]

import report_runs  # noqa: E402
import spe_packets as spe  # noqa: E402
import test_monitor_store  # noqa: E402
import test_run_regions  # noqa: E402
import test_samples_formats  # noqa: E402
import test_samples_perf  # noqa: E402
from building import ARM64, build  # noqa: E402
from monitored import START, GivenScope, GivenTarget, sample  # noqa: E402

from armprof.counters.model import counts  # noqa: E402
from armprof.run import file as run_file  # noqa: E402
from armprof.samples import file as samples_file  # noqa: E402

LARGEST = 16_000

GOOGLE = {
    "context": {"date": "2026-01-01", "num_cpus": 2},
    "benchmarks": [{"name": "a", "run_type": "iteration", "real_time": 12.5, "time_unit": "us"}],
}
PYTEST = {
    "machine_info": {"machine": "aarch64", "cpu": {"count": 2}},
    "benchmarks": [{"name": "a", "fullname": "x.py::a", "stats": {"mean": 0.1, "data": [0.1, 0.2]}}],
}
TOML = """
[budget]
total = {p99 = "10us"}
[budgets.ring]
p50 = "100ns"
[monitor]
interval = "100ms"
[monitor.notify]
command = ["true"]
[monitor.prometheus]
address = "127.0.0.1:9100"
[alerts.slow]
metric = "cycles_per_instruction"
above = 2.0
for = "5s"
"""
CPUINFO = """processor\t: 0
Features\t: fp asimd evtstrm aes atomics
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
"""
MAPS = """aaaab6f70000-aaaab6f71000 r-xp 00001000 fe:01 9437280                    /usr/bin/true
ffff8c0b0000-ffff8c0b1000 r--p 00000000 00:00 0                          [vvar]
"""
STAT = """cpu  10 20 30 40 50 60 70 80 90 100
MemTotal:       24000000 kB
MemAvailable:   23000000 kB
"""
WHO = "alice:scrypt:2:1:1:c2FsdA==:" + "A" * 43 + "=\n\0Basic YWxpY2U6c2VjcmV0"
PROMETHEUS = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1, "2.5"]}]},
}


def seeds(folder: Path) -> Iterator[tuple[str, str | bytes]]:
    for run in (report_runs.run(), report_runs.without_pmu("pool"), report_runs.imported()):
        yield "run_file", run_file.render(run)
    yield "run_file", test_run_regions.text_of(test_run_regions.PART)
    yield "run_file", json.dumps(GOOGLE)
    yield "run_file", json.dumps(PYTEST)
    for path in sorted((TESTS / "unit" / "fixtures" / "perf").iterdir()):
        yield "perf_stat", path.read_bytes()
    for text in (test_samples_perf.WITH_STACKS, test_samples_perf.WITHOUT_STACKS, test_samples_perf.REPORT):
        yield "samples", text
    yield "samples", samples_file.render(test_samples_formats.samples(*test_samples_formats.ROWS))
    for flags in (("-g",), ("-s",), ("-g", "-gdwarf-4")):
        made = build(
            "gcc", "frames.c", "-O2", *flags, "-shared", "-nostdlib", "-fPIC", "-DLIBRARY", "-Wl,-z,noseparate-code"
        )
        yield "elf", made.read_bytes()
    if shutil.which(ARM64):
        small = "-Wl,-z,noseparate-code,-z,max-page-size=4096"
        yield "inspection", build(ARM64, "planted.c", "-O2", "-shared", "-nostdlib", "-fPIC", "-s", small).read_bytes()
    yield "toml", TOML
    yield "spe_records", bytes([0xB0, *range(7), 0xC0, 0x42, 0x02, 0x49, 0x01, 0x98, 5, 0, 0x71, *range(8)])
    yield "perf_data", _perf_data()
    yield "process", "\0".join([MAPS, STAT, "usage_usec 12\n"])
    yield "scraper", WHO
    yield (
        "machine",
        "\0".join([CPUINFO, "CapEff:\t000001ffffffffff\nSeccomp:\t0\n", "0::/\n", "2", "0-3", "0x413fd0c1"]),
    )
    yield "modelled", _counts()
    yield "prometheus", json.dumps(PROMETHEUS)
    yield "monitor_store", _store(folder)
    yield "distribution", '{"0":5,"17":2,"123456":1}'


def _counts() -> bytes:
    """A file of counts with nothing counted."""
    import numpy as np

    header = np.zeros(1, counts._HEADER)
    header["magic"] = counts.MAGIC
    for section in ("blocks", "words", "sites", "modules", "regions", "lines", "banks"):
        header[f"{section}_at"] = header.itemsize
    return header.tobytes() + struct.pack("<40960x")


def _perf_data() -> bytes:
    """Two processes, of which one is forked; loads and a branch."""
    where = 0x400000
    forked = spe.record(7, struct.pack("<IIIIQ", 78, 77, 78, 77, 5))
    branch = (
        spe.address(0, spe.EL0 | where + 8) + spe.BRANCH + spe.sized(0x42, spe.RETIRED | spe.MISPREDICTED, 1) + spe.END
    )
    loads = spe.load(where, 300, spe.RETIRED | spe.LLC_MISS, 0xE, 77) + spe.load(where + 4, 9, thread=78)
    mapped = spe.mapped(77, where, 0x1000, 0, "/no/such/prog", "ab" * 20)
    return spe.perf_data([spe.named(77, "prog"), mapped, forked, spe.auxiliary(9), spe.spe_bytes(loads + branch)])


def _store(folder: Path) -> bytes:
    path = folder / "store.db"
    path.unlink(missing_ok=True)
    store = test_monitor_store.open_store(path)
    scope = GivenScope(GivenTarget("cpu0"))
    for second in range(3):
        store.sample(sample(scope, START + second, 300, 150))
    store.refused("cpu0", {"l1d_cache": ("unsupported", "not on this core")})
    store.close(START + 3)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, (target, content) in enumerate(seeds(folder)):
        data = content.encode() if isinstance(content, str) else content
        if len(data) <= LARGEST or target in ("elf", "inspection", "monitor_store", "modelled"):
            (folder / target).mkdir(exist_ok=True)
            (folder / target / f"seed-{number}").write_bytes(data)
    (folder / "store.db").unlink()


if __name__ == "__main__":
    main()
