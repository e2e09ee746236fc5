"""What C and C++ programs leave in the file that ARMPROF_OUTPUT names, and what every verb makes of it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import python
from thread_time import here_without_pmu

from armprof.cli import main
from armprof.counters.reading import Reading, Status
from armprof.errors import ArmprofError
from armprof.run.file import is_run_file, parse, read, render
from armprof.run.record import Component, Run

PROJECT = Path(__file__).parents[2]
SCHEMA = json.loads((files("armprof.run") / "regions.schema.json").read_text(encoding="utf-8"))
SOURCES = [str(path) for path in sorted((PROJECT / "csrc/counters").glob("*.c"))]

# ---- What the sums mean: a file as a Neoverse N1 writes it ----

CALLS = 1000
PART: dict[str, Any] = {
    "host": {
        "arch": "aarch64",
        "kernel": "6.8.0",
        "cpus": 4,
        "perf_event_paranoid": "2",
        "perf_user_access": "1",
        "capabilities": "0000000000000000",
        "seccomp": "0",
        "pmus": [{"name": "armv8_pmuv3_0", "type": 8, "cpus": "0-3", "midr": "0x413fd0c1"}],
    },
    "created": "2025-01-02T03:04:05+00:00",
    "program": "trader",
    "pid": 77,
    "health": {"threads": 2, "failed": 0, "dropped": 0, "mismatched": 0, "inside": 0, "withdrawn": 0},
    "events": [
        {"type": 8, "config": 0x11, "kernel": False, "group": 0, "access": "user64", "error": None},
        {"type": 8, "config": 0x08, "kernel": False, "group": 0, "access": "user64", "error": None},
        {"type": 8, "config": 0x03, "kernel": False, "group": 1, "access": "user64", "error": None},
        {"type": 1, "config": 3, "kernel": True, "group": 2, "access": "closed", "error": "EACCES"},
    ],
    "missing": [{"name": "stall_slot", "error": "ENOENT"}],
    "empty": {"ns": 40, "events": [60, 90, 0, 0]},
    "regions": [
        {
            "name": "decode",
            "calls": CALLS + 5,
            "outermost": CALLS,
            "counted": CALLS,
            "ns": {"total": 2_040_000, "smallest": 1_040, "largest": 9_040},
            "enabled_ns": 2_000_000,
            "lost_ns": [0, 1_500_000, 0],
            "events": [
                {"total": 5_060_000, "smallest": 2_060, "largest": 20_060},
                {"total": 8_090_000, "smallest": 8_090, "largest": 8_090},
                {"total": 50_000, "smallest": 0, "largest": 300},
                {"total": 0, "smallest": 0, "largest": 0},
            ],
        },
        {
            "name": "idle",
            "calls": 0,
            "outermost": 0,
            "counted": 0,
            "ns": {"total": 0, "smallest": 0, "largest": 0},
            "enabled_ns": 0,
            "lost_ns": [0, 0, 0],
            "events": [{"total": 0, "smallest": 0, "largest": 0}] * 4,
        },
    ],
}


def text_of(*parts: dict[str, Any]) -> str:
    document = {"format": "armprof-regions", "version": 1, "process": "boot:77:123", "parts": list(parts)}
    jsonschema.validate(document, SCHEMA)
    return json.dumps(document)


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(PART) | changes


def reading_of(part: dict[str, Any]) -> Reading:
    reading = parse(text_of(part)).components[0].reading
    assert reading is not None
    return reading


def test_a_region_is_a_component_with_the_times_of_its_calls() -> None:
    run = parse(text_of(PART))
    decode, idle = run.components
    assert (decode.name, decode.title, decode.kind, decode.operation) == (
        "decode",
        "region of trader",
        "region",
        "call",
    )
    assert decode.reading_operations == CALLS
    times = decode.latency
    assert times is not None
    assert (times.mean_ns, times.min_ns, times.max_ns, times.clock_cost_ns) == (2_000, 1_000, 9_000, 40)
    assert (times.samples, times.batch) == (CALLS, 1)
    assert times.p50_ns is times.p99_ns is times.p999_ns is None
    assert times.reason == "a region keeps the mean, the least and the most of its times, not each of them"
    assert idle.latency is None, "no time was measured, and that is not 0"


def test_what_empty_regions_count_is_subtracted_from_the_counts() -> None:
    reading = reading_of(PART)
    assert (reading["cpu_cycles"].value, reading["cpu_cycles"].raw) == (5_000_000, 5_060_000)
    assert reading["inst_retired"].value == 8_000_000
    assert reading.overhead == {"cpu_cycles": 60_000, "inst_retired": 90_000}
    assert reading.duration_ns == 2_000_000
    assert (reading.source, reading.core, reading.access) == ("pmu", "neoverse-n1", "user reads, fenced")
    assert reading.scope == "region 'decode', 1,005 calls, user mode"


def test_a_group_that_lost_its_counters_is_scaled_and_says_so() -> None:
    refills = reading_of(PART)["l1d_cache_refill"]
    assert (refills.status, refills.coverage, refills.value) == (Status.SCALED, 0.25, 200_000)
    assert refills.group != reading_of(PART)["cpu_cycles"].group


def test_what_was_refused_has_no_value_and_the_reason() -> None:
    reading = reading_of(PART)
    assert reading["context_switches"].status is Status.NOT_PERMITTED
    assert "perf_event_paranoid is 2" in (reading["context_switches"].reason or "")
    assert reading["stall_slot"].status is Status.UNSUPPORTED
    assert {count.value for count in (reading["context_switches"], reading["stall_slot"])} == {None}


def test_a_region_that_was_never_left_counted_nothing() -> None:
    idle = parse(text_of(PART)).components[1].reading
    assert idle is not None
    assert (idle["cpu_cycles"].status, idle["cpu_cycles"].value) == (Status.NOT_COUNTED, None)
    assert idle["cpu_cycles"].reason == "the region was never left"


def test_calls_whose_counters_could_not_be_read_give_times_alone() -> None:
    part = changed()
    part["regions"][0] |= {"counted": 0, "lost_ns": [2_000_000] * 3}
    cycles = reading_of(part)["cpu_cycles"]
    assert (cycles.status, cycles.value) == (Status.NOT_COUNTED, None)
    assert cycles.reason == "the counters could not be read in any of its calls"
    assert parse(text_of(part)).components[0].latency is not None


@pytest.mark.parametrize(
    ("kernel", "mode"),
    [
        ((False, False, False), "user mode"),
        ((True, True, True), "user and kernel mode"),
        ((True, False, False), "user mode, cpu_cycles in both"),
    ],
)
def test_the_scope_says_in_which_mode_was_counted(kernel: tuple[bool, ...], mode: str) -> None:
    part = changed()
    for event, both in zip(part["events"], kernel, strict=False):
        event["kernel"] = both
    assert reading_of(part).scope.endswith(f"calls, {mode}")


def test_counts_that_contradict_others_are_suspect() -> None:
    part = changed()
    part["regions"][0]["events"][1]["total"] = 0
    part["regions"][0]["events"][0]["total"] = 1_000_000_000
    assert reading_of(part)["inst_retired"].status is Status.SUSPECT


def test_a_machine_without_pmu_is_the_reason_of_every_hardware_event() -> None:
    part = changed()
    part["host"]["pmus"] = []
    part["missing"] = [{"name": "l1d_tlb", "error": "ENOENT"}]
    reading = reading_of(part)
    assert "shows its programs no hardware counters" in (reading["l1d_tlb"].reason or "")


def test_events_without_a_name_keep_their_code() -> None:
    part = changed(events=[dict(e, config=0x10C0 + i, type=8 + i) for i, e in enumerate(PART["events"])])
    assert list(reading_of(part))[:2] == ["r10c0", "event 0x10c1 of PMU 9"]


def test_the_same_event_twice_is_two_events() -> None:
    part = changed(events=[dict(event, type=8, config=0x11, error=None, group=0) for event in PART["events"]])
    assert list(reading_of(part)) == ["cpu_cycles", "cpu_cycles (2)", "cpu_cycles (3)", "cpu_cycles (4)", "stall_slot"]


def test_generic_events_of_x86_have_the_canonical_names() -> None:
    part = changed()
    part["host"] |= {"arch": "x86_64", "pmus": [{"name": "cpu", "type": 4, "cpus": None, "midr": None}]}
    part["events"] = [dict(PART["events"][0], type=0, config=config) for config in (0, 1, 4, 5)]
    assert list(reading_of(part))[:4] == ["cpu_cycles", "inst_retired", "br_retired", "br_mis_pred_retired"]


def test_what_must_be_known_of_all_regions_is_a_note() -> None:
    health = {"threads": 3, "failed": 1, "dropped": 2, "mismatched": 1, "inside": 1, "withdrawn": 1}
    run = parse(text_of(changed(health=health)))
    notes = " ".join([*run.notes, *(run.components[0].reading or Reading({}, "")).notes])
    for said in (
        "process 77 of trader: regions of 3 threads",
        "1 call of regions was never left",
        "1 of 3 threads could not open these events",
        "2 calls were nested too deep",
        "perf_user_access was switched off",
    ):
        assert said in notes
    assert run.components[0].reading is not None
    assert run.components[0].reading.access == "read()"


def test_an_empty_region_that_could_not_be_seen_is_not_subtracted() -> None:
    run = parse(text_of(changed(empty=None)))
    assert run.components[0].latency is not None
    assert run.components[0].latency.mean_ns == 2_040
    assert any("nothing subtracted" in note for note in run.notes)


def test_every_part_gives_its_regions() -> None:
    run = parse(text_of(PART, changed(program="libfeed.so")))
    assert [c.title for c in run.components] == ["region of trader"] * 2 + ["region of libfeed.so"] * 2


def test_the_machine_is_told_as_by_other_runs() -> None:
    host = parse(text_of(PART)).host
    assert host["description"] == "aarch64: 4 x Neoverse N1 r3p1, Linux 6.8.0, PMU armv8_pmuv3_0"
    assert (host["core"], host["perf_user_access"]) == ("neoverse-n1", 1)


def test_it_is_a_run_file_and_becomes_one() -> None:
    run = parse(text_of(PART))
    assert is_run_file(text_of(PART))
    assert parse(render(run)) == run


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parts": []}, "$.parts: expected at least one part"),
        ({"parts": [{}]}, "$.parts[0]: expected a field 'host'"),
        (
            {"parts": [changed(empty={"ns": 1, "events": []})]},
            "$.parts[0].empty.events: expected as many as there are events (4), found 0",
        ),
        ({"parts": [changed(pid=-1)]}, "$.parts[0].pid: expected a whole number from 0 to 2^64 - 1, found -1"),
        ({"parts": [changed(pid=1 << 64)]}, "$.parts[0].pid: expected a whole number from 0 to 2^64 - 1"),
        ({"parts": [changed(missing=[{"name": "x", "error": "?"}])]}, "$.parts[0].missing[0].error: expected the name"),
        ({"version": 2}, "reads version 1: upgrade armprof"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ArmprofError) as caught:
        parse(json.dumps(json.loads(text_of(PART)) | change), "x")
    assert str(caught.value).startswith("x")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.data())
def test_a_field_of_any_type_gives_a_run_or_one_line(data: st.DataObject) -> None:
    document = json.loads(text_of(PART))
    place: Any = document["parts"][0]
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    if place:
        place[key] = data.draw(
            st.none()
            | st.booleans()
            | st.integers(-(2**70), 2**70)
            | st.floats(allow_nan=False)
            | st.text(max_size=3)
            | st.just([])
            | st.just({})
            | st.just([-1])
        )
    with suppress(ArmprofError):
        parse(json.dumps(document))


# ---- What programs leave ----

Build = Callable[..., Path]
Left = Callable[..., Run]

NAMES = """
#include <armprof.h>
#include <stdio.h>
#include <string.h>

int main(void) { /* enters a region for each name on standard input, the n-th n times */
    static char names[1 << 16];
    size_t size = fread(names, 1, sizeof names - 1, stdin);
    int times = 1;
    for (char *name = names; name < names + size; name += strlen(name) + 1, times++) {
        armprof_region region = armprof_region_define(name);
        for (int i = 0; i < times; i++) {
            armprof_enter(region);
            armprof_leave(region);
        }
    }
    return 0;
}
"""

SCOPES = """
#include <armprof.h>
#include <cstdlib>
#include <stdexcept>
#include <thread>

static const armprof_region parse = armprof_region_define("Parser<int>::parse");

static void work(bool fails) {
    const armprof::scope scope{parse};
    if (fails) throw std::runtime_error("bad input");
}

struct at_the_end {
    ~at_the_end() { work(false); }
} last;

int main() {
    std::thread other([] { work(false); });
    other.join();
    try { work(true); } catch (const std::runtime_error &) {}
    const armprof::scope whole{armprof_region_define("main")};
    std::exit(3);
}
"""

LIBRARY = """
#include <armprof.h>

void NAME(void) {
    armprof_region region = armprof_region_define(TEXT);
    armprof_enter(region);
    armprof_leave(region);
}
"""

HOST = """
#include <dlfcn.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
        if (!library) return 1;
        ((void (*)(void))dlsym(library, argv[i + 1]))();
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """build(name, source, *flags) compiles the source with the counter core. Once for each name."""
    folder = tmp_path_factory.mktemp("programs")
    objects = []
    for source in SOURCES:
        objects.append(str(folder / f"{Path(source).stem}.o"))
        command = ["cc", "-O2", "-fPIC", "-I", str(PROJECT / "csrc/include"), "-c", source, "-o", objects[-1]]
        subprocess.run(command, check=True)

    def build(name: str, source: str, *flags: str, core: bool = True) -> Path:
        program = folder / name
        if not program.exists():
            file = folder / f"{name}.{'cpp' if name.endswith('++') else 'c'}"
            file.write_text(source)
            compiler = "c++" if name.endswith("++") else "cc"
            command = [compiler, "-O2", "-I", str(PROJECT / "csrc/include"), *flags, str(file), *objects * core]
            subprocess.run([*command, "-o", str(program), "-pthread"], check=True)
        return program

    return build


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """left(program, *words) runs it and reads what it leaves."""
    folder = tmp_path_factory.mktemp("runs")

    def left(program: Path, *words: str, status: int = 0, input: bytes = b"", **environment: str) -> Run:
        out = folder / "run.json"
        out.unlink(missing_ok=True)
        done = subprocess.run(
            [str(program), *words],
            input=input,
            capture_output=True,
            check=False,
            timeout=60,
            env={**os.environ, "ARMPROF_OUTPUT": str(out), **environment},
        )
        assert (done.returncode, done.stderr) == (status, b"")
        jsonschema.validate(json.loads(out.read_text(encoding="utf-8")), SCHEMA)
        return read(out)

    return left


def component(run: Run, name: str) -> Component:
    return next(one for one in run.components if one.name == name)


def example() -> str:
    return (PROJECT / "examples/region.c").read_text()


def test_a_c_program_is_reported(build: Build, left: Left, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = left(build("region", example()))
    summed = component(run, "sum")
    assert summed.latency is not None
    assert summed.latency.samples == summed.reading_operations == 100
    assert summed.latency.min_ns is not None
    assert summed.latency.min_ns <= summed.latency.mean_ns <= summed.latency.max_ns
    assert run.host["kernel"] == os.uname().release
    path = tmp_path / "again.json"
    environment = dict(os.environ, ARMPROF_OUTPUT=str(path))
    subprocess.run([str(build("region", example()))], env=environment, check=True, capture_output=True)
    assert main(["report", str(path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("sum: region of region\n")
    assert "Time of one call" in told
    assert "no percentiles: a region keeps the mean" in told
    assert all(len(line) <= 80 for line in told.splitlines())
    assert main(["report", str(path), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    schema = json.loads((files("armprof.report") / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, schema)
    assert report["components"][0]["latency"]["p99_ns"] is None


def test_a_region_is_held_against_a_budget_of_its_mean_or_most(
    build: Build, left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(render(left(build("region", example()))))
    monkeypatch.chdir(tmp_path)
    Path("armprof.toml").write_text("[budgets.sum]\nmean_ns = 1e15\nmax_ns = 1e15\n")
    assert main(["budget", "run.json"]) == 0
    assert "sum mean" in capsys.readouterr().out
    Path("armprof.toml").write_text("[budgets.sum]\nmax_ns = 1\n")
    assert main(["budget", "run.json"]) == 1
    Path("armprof.toml").write_text("[budgets.sum]\np99_ns = 1e15\n")
    assert main(["budget", "run.json"]) == 3
    assert "sum p99: a region keeps the mean, the least and the most" in capsys.readouterr().err


def test_a_cpp_program_leaves_what_every_way_out_of_a_scope_counted(build: Build, left: Left) -> None:
    run = left(build("scopes++", SCOPES), status=3)
    parsed = component(run, "Parser<int>::parse")
    assert parsed.reading_operations == 3, "in another thread, thrown out of, and in the destructor of a static object"
    assert component(run, "main").reading_operations == 0
    assert any("1 call of regions was never left" in note for note in run.notes)
    assert any("regions of 2 threads" in note for note in run.notes)


@here_without_pmu
def test_without_a_setup_and_a_pmu_the_kernels_own_events_are_counted(build: Build, left: Left) -> None:
    reading = component(left(build("names", NAMES), input=b"a"), "a").reading
    assert reading is not None
    assert reading["task_clock"].value is not None
    assert (reading["cpu_cycles"].status, reading["cpu_cycles"].value) == (Status.UNSUPPORTED, None)
    assert set(reading) == set(json.loads(python(DEFAULT_EVENTS).stdout))


DEFAULT_EVENTS = """
import json, armprof
print(json.dumps(list(armprof.region("r").counts)))
"""


def test_the_environment_may_name_the_events(build: Build, left: Left) -> None:
    run = left(build("names", NAMES), input=b"a", ARMPROF_EVENTS="page_faults, task_clock,no_such_event")
    reading = component(run, "a").reading
    assert reading is not None
    assert list(reading) == ["page_faults", "task_clock", "no_such_event"]
    assert reading["page_faults"].status is Status.COUNTED
    assert reading["no_such_event"].value is None
    assert reading["no_such_event"].reason == "no event of that name is known; `armprof events` lists them"


names = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda name: 0 not in name), min_size=1, max_size=255, unique=True
)


@settings(max_examples=40)
@given(names=names)
def test_names_of_any_bytes_come_back(names: list[bytes], build: Build, left: Left) -> None:
    run = left(build("names", NAMES), input=b"\0".join(names) + b"\0")
    found = {one.name.encode("utf-8", "surrogateescape"): one.reading_operations for one in run.components}
    assert found == {name: times for times, name in enumerate(names, 1)}


def test_a_name_cannot_move_the_cursor(
    build: Build, left: Left, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(render(left(build("names", NAMES), input=b"\x1b[31mred\xff\n[bold]\0")))
    assert main(["report", str(tmp_path / "run.json")]) == 0
    assert "?[31mred??[bold]" in capsys.readouterr().out


def test_every_copy_of_the_library_in_a_process_adds_its_regions(build: Build, left: Left) -> None:
    libraries = [
        build(f"lib{name}.so", LIBRARY, "-shared", "-fPIC", f"-DNAME={name}", f'-DTEXT="{name}"')
        for name in ("left_side", "right_side")
    ]
    host = build("host", HOST, core=False)
    run = left(host, *(word for path in libraries for word in (str(path), path.stem.removeprefix("lib"))))
    assert {one.name: one.reading_operations for one in run.components} == {"left_side": 1, "right_side": 1}


def test_linked_libraries_share_one_copy_and_count_once(build: Build, left: Left) -> None:
    libraries = [
        build(f"libl{name}.so", LIBRARY, "-shared", "-fPIC", f"-DNAME={name}", f'-DTEXT="{name}"')
        for name in ("one", "two")
    ]
    source = "void one(void); void two(void); int main(void) { one(); two(); return 0; }"
    folder = libraries[0].parent
    (folder / "linked.c").write_text(source)
    command = [
        "cc",
        str(folder / "linked.c"),
        *map(str, libraries),
        f"-Wl,-rpath,{folder}",
        "-o",
        str(folder / "linked"),
    ]
    subprocess.run(command, check=True)
    run = left(folder / "linked")
    assert {one.name: one.reading_operations for one in run.components} == {"one": 1, "two": 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a program that runs as somebody else")
def test_a_program_with_other_rights_than_its_user_takes_no_name_from_him(build: Build, tmp_path: Path) -> None:
    program = tmp_path / "privileged"
    shutil.copy(build("names", NAMES), program)
    os.chown(program, 65534, 65534)
    program.chmod(0o6755)
    environment = {**os.environ, "ARMPROF_OUTPUT": str(tmp_path / "run.json")}
    done = subprocess.run([str(program)], input=b"a", env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tmp_path / "run.json").exists()


def test_reading_a_file_writes_none(build: Build, left: Left, tmp_path: Path) -> None:
    """With the variable exported, armprof itself holds a copy of the library too."""
    path = tmp_path / "run.json"
    path.write_text(render(left(build("region", example()))))
    before = path.read_text()
    command = [sys.executable, "-P", "-m", "armprof", "report", str(path)]
    done = subprocess.run(command, env={**os.environ, "ARMPROF_OUTPUT": str(path)}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert path.read_text() == before


def test_the_regions_of_python_are_left_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARMPROF_OUTPUT", str(tmp_path / "run.json"))
    done = python("import armprof\nwith armprof.region('block', ['task_clock']): pass\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert [one.name for one in read(tmp_path / "run.json").components] == ["block"]
