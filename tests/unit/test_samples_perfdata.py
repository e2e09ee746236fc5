"""perf.data of SPE: from the bytes that a core wrote to functions, lines and the latency of memory."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spe_packets import (
    BRANCH,
    EL0,
    END,
    L1D,
    LLC_MISS,
    MISPREDICTED,
    REFILL,
    REMOTE,
    RETIRED,
    STORE,
    TLB,
    WALK,
    address,
    auxiliary,
    load,
    mapped,
    named,
    perf_data,
    record,
    sized,
    spe_bytes,
)

import armprof
from armprof.cli import main
from armprof.errors import ArmprofError
from armprof.samples import Samples, operations, perfdata, spe

N1, V1 = 0x410FD0C0, 0x410FD400
MISS = RETIRED | L1D | REFILL | TLB | LLC_MISS
DRAM, L2, ANOTHER_CHIP = 0xE, 0x8, 0xD
START = 0x400000
PROGRAM = [named(77, "prog"), mapped(77, START, 0x1000, 0, "/no/such/prog")]


def read(tmp_path: Path, *records: bytes, **header: object) -> Samples:
    path = tmp_path / "perf.data"
    path.write_bytes(perf_data(records, **header))
    return operations.samples(perfdata.read(path), str(path))


def own(samples: Samples, event: str) -> dict[str, float]:
    return {place: share.own for place, share in samples.lines(event).items()}


def test_latency_is_told_of_the_instructions_whose_loads_took_it(tmp_path: Path) -> None:
    content = load(START + 0x100, 300, MISS) + load(START + 0x104, 100) + load(START + 0x104, 200)
    samples = read(tmp_path, *PROGRAM, spe_bytes(content))
    assert own(samples, "spe_load_latency") == {"prog+0x100": 0.5, "prog+0x104": 0.5}
    assert own(samples, "spe_llc_miss") == {"prog+0x100": 1.0}
    assert own(samples, "spe_operation") == {"prog+0x104": pytest.approx(2 / 3), "prog+0x100": pytest.approx(1 / 3)}
    assert sum(row.samples for row in samples.rows_of("spe_operation")) == 3
    assert sum(row.weight for row in samples.rows_of("spe_operation")) == 3 * 1024  # one sample stands for the period
    assert sum(row.weight for row in samples.rows_of("spe_load_latency")) == 600 * 1024


def test_events_are_of_the_operations_that_had_them(tmp_path: Path) -> None:
    pc = address(0, EL0 | START + 8)
    branch = pc + BRANCH + sized(0x42, RETIRED | MISPREDICTED, 1) + END
    store = pc + STORE + sized(0x42, RETIRED | TLB | WALK, 1) + END
    samples = read(tmp_path, *PROGRAM, spe_bytes(branch + store + load(START, 40, REMOTE | MISS)))
    assert own(samples, "spe_mispredicted") == own(samples, "spe_tlb_walk") == {"prog+0x8": 1.0}
    assert own(samples, "spe_remote_access") == {"prog+0x0": 1.0}
    assert "spe_llc_miss" in [event.name for event in samples.events]


def test_whose_operation_it_is_says_the_context_else_the_buffer_else_who_alone_ran(tmp_path: Path) -> None:
    two = [*PROGRAM, named(78, "other"), mapped(78, START, 0x1000, 0, "/no/such/other")]
    for records, expected in (
        ([*two, spe_bytes(load(START, 9, thread=78))], "other+0x0"),
        ([*two, spe_bytes(load(START, 9), thread=78)], "other+0x0"),
        ([*two, spe_bytes(load(START, 9, thread=4))], "?+0x400000"),  # of none that is known
        ([*PROGRAM, spe_bytes(load(START, 9))], "prog+0x0"),
    ):
        assert own(read(tmp_path, *records), "spe_load_latency") == {expected: 1.0}


def test_a_program_that_is_replaced_takes_its_mappings_along(tmp_path: Path) -> None:
    records = [mapped(77, START, 0x1000, 0, "/usr/bin/perf"), *PROGRAM, spe_bytes(load(START, 9))]
    assert own(read(tmp_path, *records), "spe_load_latency") == {"prog+0x0": 1.0}


def test_a_process_that_is_forked_has_what_its_parent_had_mapped_then(tmp_path: Path) -> None:
    forked = record(7, struct.pack("<IIIIQ", 78, 77, 78, 77, 5))
    later = mapped(77, START + 0x1000, 0x1000, 0, "/no/such/later")
    theirs = spe_bytes(
        load(START, 9, thread=78) + load(START + 0x1000, 9, thread=78) + load(START + 0x1000, 9, thread=77)
    )
    samples = read(tmp_path, *PROGRAM, forked, later, theirs)
    assert own(samples, "spe_operation") == {
        "prog+0x0": pytest.approx(1 / 3), "?+0x401000": pytest.approx(1 / 3), "later+0x0": pytest.approx(1 / 3),
    }  # fmt: skip


def test_forks_without_end_take_no_copies_of_what_was_mapped(tmp_path: Path) -> None:
    many = 5_000
    maps = [mapped(77, START + 0x1000 * n, 0x1000, 0, "/no/such") for n in range(many)]
    forks = [record(7, struct.pack("<IIIIQ", 100 + n, 77, 100 + n, 77, 5)) for n in range(many)]
    tracemalloc.start()
    read(tmp_path, *maps, *forks, spe_bytes(load(START, 9, thread=77)))
    assert tracemalloc.get_traced_memory()[1] < 50 << 20  # copies would be 200 MB
    tracemalloc.stop()


# ---- the latency of memory --------------------------------------------------------------------------------------------


def latency(samples: Samples) -> armprof.ARM64Metrics:
    return armprof.analyze(samples).metrics


def test_memory_latency_is_that_of_the_loads_that_memory_answered(tmp_path: Path) -> None:
    answers = [(260, DRAM), (520, DRAM), (900, ANOTHER_CHIP), (12, L2)]
    content = b"".join(load(START, cycles, MISS, source) for cycles, source in answers)
    metrics = latency(read(tmp_path, *PROGRAM, spe_bytes(content), midr=V1))
    assert metrics.memory_latency_ns == pytest.approx((260 + 520) / 2 / 2.6)  # Graviton3 runs at 2.6 GHz
    explained = metrics.explain("memory_latency_ns")
    assert "loads that SPE sampled and memory answered" in explained.reason
    assert "2.6 GHz in Graviton3" in explained.reason
    assert explained.source == "imported"


def test_of_a_core_with_other_codes_the_architectures_event_tells_what_memory_answered(tmp_path: Path) -> None:
    content = load(START, 300, MISS, 3) + load(START, 20, RETIRED | L1D, DRAM)
    samples = read(tmp_path, *PROGRAM, spe_bytes(content), midr=0xC00FAC30)
    assert samples.reading.facts["loaded_latency_cycles"].value == 300


def test_where_the_clock_is_not_known_there_is_no_time_and_the_reason(tmp_path: Path) -> None:
    metrics = latency(read(tmp_path, *PROGRAM, spe_bytes(load(START, 300, MISS, DRAM)), midr=N1))
    assert metrics.memory_latency_ns is None
    assert "Neoverse N1 runs at 2.5 GHz in Graviton2" in metrics.explain("memory_latency_ns").reason
    metrics = latency(read(tmp_path, *PROGRAM, spe_bytes(load(START, 300, MISS)), midr=None))
    assert "the core that was sampled is not known" in metrics.explain("memory_latency_ns").reason


def test_where_memory_answered_nothing_there_is_no_latency(tmp_path: Path) -> None:
    samples = read(tmp_path, *PROGRAM, spe_bytes(load(START, 4)), midr=V1)
    assert latency(samples).memory_latency_ns is None
    assert "none of 1 sampled loads" in latency(samples).explain("memory_latency_ns").reason
    assert "none of 1 sampled loads was answered by memory" in samples.notes


# ---- names ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = "aarch64-linux-gnu-gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    folder = tmp_path_factory.mktemp("program")
    (folder / "walk.c").write_text(
        "long table[1 << 20];\n"
        "static inline long next(long at) {\n"
        "    return table[at];\n"
        "}\n"
        "long walk(long at, int n) {\n"
        "    while (n-- > 0)\n"
        "        at = next(at);\n"
        "    return at;\n"
        "}\n"
    )
    flags = ("-O2", "-g", "-fPIC", "-shared", "-nostdlib", "-Wl,--build-id")
    subprocess.run([compiler, *flags, "walk.c", "-o", "libwalk.so"], cwd=folder, check=True)
    return folder / "libwalk.so"


def load_of(program: Path) -> int:
    """Where the load of the loop is: in the library at the same place of the file and of memory."""
    from armprof.binary import Binary

    binary = Binary(program)
    (walk,) = [function for function in binary.functions if function.name == "walk"]
    return next(a for a in range(walk.start, walk.end, 4) if str(binary.line(a)) == "walk.c:3")


def test_functions_lines_and_inlined_calls_of_the_file_that_was_mapped(program: Path, tmp_path: Path) -> None:
    start = 0xFFFF_8000_0000
    records = [
        named(77, "prog"),
        mapped(77, start, 0x10000, 0, str(program)),
        spe_bytes(load(start + load_of(program), 9)),
    ]
    samples = read(tmp_path, *records)
    (row,) = samples.rows_of("spe_load_latency")
    frames = [samples.frames[number] for number in samples.stacks[row.stack]]
    assert [(frame.function, frame.line, frame.inlined) for frame in frames] == [("next", 3, True), ("walk", 7, False)]
    assert samples.threads[row.thread].name == "prog"


@pytest.mark.parametrize("build_id", ["ab" * 20, ""])
def test_a_file_of_another_build_gives_no_names(build_id: str, program: Path, tmp_path: Path) -> None:
    records = [
        named(77, "prog"),
        mapped(77, 0, 0x10000, 0, str(program), build_id),
        spe_bytes(load(load_of(program), 9)),
    ]
    samples = read(tmp_path, *records)
    told = any("is another one here (its build id differs)" in note for note in samples.notes)
    assert told == bool(build_id)
    assert (set(samples.functions("spe_load_latency")) == {"[libwalk.so]"}) == bool(build_id)


def test_the_findings_of_a_binary_are_weighed_by_latency(program: Path, tmp_path: Path, capsys) -> None:
    records = [named(77, "prog"), mapped(77, 0, 0x10000, 0, str(program)), spe_bytes(load(load_of(program), 9))]
    (tmp_path / "perf.data").write_bytes(perf_data(records))
    words = [
        "inspect",
        str(program),
        "--core",
        "neoverse-n1",
        "--counts",
        str(tmp_path / "perf.data"),
        "--format",
        "json",
    ]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"]["event"] == "spe_load_latency"
    (generic,) = [one for one in document["findings"] if one["rule"] == "generic-target"]
    assert (generic["share"], generic["gain"]) == (1.0, None)


# ---- the verb, and what is no such file ---------------------------------------------------------------------------------


def test_report_shows_it_and_writes_what_other_tools_read(tmp_path: Path, capsys) -> None:
    path = tmp_path / "perf.data"
    path.write_bytes(perf_data([*PROGRAM, spe_bytes(load(START, 260, MISS, DRAM)), auxiliary(1), auxiliary(8)], V1))
    assert main(["report", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "spe_load_latency: 1 samples, one of 1,024 operations" in shown
    assert "Memory latency: 100 ns" in shown
    assert "the buffer was full 1 times" in shown
    assert "samples collided in 1 stretches" in shown
    assert main(["report", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((files("armprof.samples") / "samples.schema.json").read_text()))
    from armprof.samples import file

    assert latency(file.parse(json.dumps(document))).memory_latency_ns == pytest.approx(100)
    assert main(["report", str(path), "--format", "collapsed"]) == 0
    assert capsys.readouterr().out.startswith("[prog] ")


def test_the_core_may_be_named_where_the_file_does_not(tmp_path: Path, capsys) -> None:
    path = tmp_path / "perf.data"
    path.write_bytes(perf_data([*PROGRAM, spe_bytes(load(START, 260, MISS, DRAM))], None))
    assert main(["report", str(path), "--core", "neoverse-v1"]) == 0
    assert "Memory latency: 100 ns" in " ".join(capsys.readouterr().out.split())


def test_nothing_is_read_ahead_of_a_pipe(tmp_path: Path) -> None:
    command = [
        "bash",
        "-c",
        f"{sys.executable} -m armprof report <(printf 'prog 8 1.0: 5 cycles: 40 walk+0x4 (/bin/prog)')",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "cycles: 1 samples" in done.stdout, done.stderr


GOOD = perf_data([*PROGRAM, spe_bytes(load(START, 9))])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PERFILE2", "is damaged, or was not written to its end"),
        (GOOD[:-60], "is damaged, or was not written to its end: its samples would end at byte"),
        (GOOD[:24] + b"\xff" * 8 + GOOD[32:], "the descriptions of its events would end at byte 18,446,744,"),
        (GOOD[:-39] + b"\xff" * 8 + GOOD[-31:], "what its header tells would end at byte 18,446,744,"),
        (GOOD[:8] + (16).to_bytes(8, "little") + GOOD[16:], "it was written to a pipe"),
        (perf_data([*PROGRAM, record(81, bytes(8))]), "packed with zstd"),
        (perf_data(PROGRAM), "has nothing of SPE in it: record with `perf record -e arm_spe//u -- CMD`"),
        (perf_data([*PROGRAM, spe_bytes(load(START, 9))], trace=1), "has nothing of SPE in it"),  # of Intel's
        (perf_data([*PROGRAM, spe_bytes(b"\xff" * 64)]), "has no whole record of SPE"),
    ],
)
def test_what_cannot_be_read_is_one_line(content: bytes, told: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "perf.data").write_bytes(content)
    assert main(["report", str(tmp_path / "perf.data")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert str(tmp_path / "perf.data") in line


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 400)
)
def test_changed_and_truncated_files_give_samples_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], less: int
) -> None:
    content = bytearray(GOOD)
    for at, byte in changes:
        content[at] = byte
    path = tmp_path_factory.getbasetemp() / "changed.data"
    path.write_bytes(content[: len(content) - less])
    with contextlib.suppress(ArmprofError):
        assert operations.samples(perfdata.read(path), "x").rows


# ---- beside perf --------------------------------------------------------------------------------------------------------


def test_perf_reads_the_same_out_of_the_same_bytes(tmp_path: Path) -> None:
    if shutil.which("perf") is None:
        pytest.skip("perf is not installed")
    packets = [load(START + 4 * n, 17 * n + 3, MISS if n % 3 else RETIRED, n % 16, 77) for n in range(50)]
    packets += [address(0, EL0 | START) + BRANCH + sized(0x42, RETIRED | MISPREDICTED, 1) + END]
    (tmp_path / "perf.data").write_bytes(perf_data([*PROGRAM, spe_bytes(b"".join(packets))]))
    done = subprocess.run(["perf", "script", "-D", "-i", "perf.data"], capture_output=True, text=True, cwd=tmp_path)
    if "ARM SPE data" not in done.stdout:
        pytest.skip("this perf was built without SPE")
    told = {
        kind: [
            int(found, 16 if found.startswith("0x") else 10)
            for found in re.findall(rf" {kind} (0x[0-9a-f]+|\d+)", done.stdout)
        ]
        for kind in ("PC", "DATA-SOURCE", "CONTEXT")
    }
    told["TOT"] = [int(found) for found in re.findall(r" LAT (\d+) TOT", done.stdout)]
    events = re.findall(r" EV (.*)", done.stdout)
    records = spe.decode(b"".join(packets)).records
    assert told["PC"] == [one.pc for one in records]
    assert told["TOT"] == [one.latency["total"] for one in records if one.latency]
    assert told["DATA-SOURCE"] == [one.source for one in records if one.source is not None]
    assert told["CONTEXT"] == [one.context for one in records if one.context is not None]
    names = {"retired": "RETIRED", "l1d_access": "L1D-ACCESS", "l1d_refill": "L1D-REFILL", "tlb_access": "TLB-ACCESS"}
    names |= {"llc_miss": "LLC-REFILL", "mispredicted": "MISPRED"}
    assert [set(line.split()) for line in events] == [{names[event] for event in one.events} for one in records]
