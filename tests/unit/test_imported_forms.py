"""Every form that perf 6.1 prints: the same few software events, captured by fixtures/perf/capture.sh."""

from pathlib import Path

import pytest

from armprof.counters.imported import read
from armprof.counters.reading import Status
from armprof.errors import ArmprofError

FIXTURES = Path(__file__).parent / "fixtures" / "perf"

# file: (form, task_clock in ms, page_faults, context_switches, readings), added up by hand from the files.
GOLDEN = {
    "plain.txt": ("text", 0.75, 50, 1, 1),
    "verbose.txt": ("text", 0.74, 49, 0, 1),
    "mixed.txt": ("text", 2.24, 166, 6, 1),
    "process.txt": ("text", 9.34, 945, 10, 1),
    "cpus.txt": ("text", 203.52, 1922, 64, 1),
    "plain.csv": ("csv", 0.82, 50, 0, 1),
    "semicolon.csv": ("csv", 0.74, 49, 0, 1),
    "tab.csv": ("csv", 0.72, 48, 0, 1),
    "pipe.csv": ("csv", 0.72, 50, 0, 1),
    "colons.csv": ("csv", 0.75, 50, 0, 1),
    "space.csv": ("csv", 0.72, 49, 0, 1),
    "plain.json": ("json", 0.730797, 49, 0, 1),
    "interval.txt": ("text", 1.00, 77, 1, 3),
    "interval.csv": ("csv", 1.05, 79, 1, 3),
    "interval.json": ("json", 0.965787, 76, 1, 3),
    "repeat.txt": ("text", 1.04, 76, 1, 1),
    "repeat-table.txt": ("text", 0.95, 78, 1, 1),
    "repeat.csv": ("csv", 0.75, 49, 1, 1),
    "repeat.json": ("json", 0.705754, 48, 0, 1),
    "percpu.txt": ("text", 203.25, 4529, 171, 2),
    "percpu.csv": ("csv", 204.69, 5179, 120, 2),
    "percpu.json": ("json", 206.185387, 4044, 100, 2),
    "percpu-interval.txt": ("text", 203.23, 5448, 115, 4),
    "percpu-interval.csv": ("csv", 203.20, 1018, 113, 4),
    "percpu-interval.json": ("json", 203.332501, 379, 95, 4),
    "core.txt": ("text", 203.53, 264, 43, 2),
    "core.csv": ("csv", 202.84, 9637, 222, 2),
    "core.json": ("json", 205.606528, 7786, 233, 2),
    "socket.txt": ("text", 205.60, 4076, 77, 2),
    "node.txt": ("text", 219.26, 2983, 87, 1),
    "die.json": ("json", 205.401966, 3113, 70, 1),
    "thread.txt": ("text", 8.13, 769, 12, 2),
    "thread.csv": ("csv", 6.15, 631, 6, 1),
    "thread.json": ("json", 6.128098, 631, 6, 1),
    "cgroup.txt": ("text", 211.72, 939, None, 2),
    "cgroup.csv": ("csv", 212.91, 5574, None, 1),
    "cgroup.json": ("json", 207.51968, 3779, None, 1),
    "de_DE.csv": ("csv", 0.68, 49, 0, 1),
    "de_DE.json": ("json", 0.791694, 50, 0, 1),
    "de_DE-percpu-interval.csv": ("csv", 221.97, 1596, 83, 4),
    "appended.txt": ("text", 2.16, 151, 3, 2),
    "appended.csv": ("csv", 1.94, 149, 2, 2),
    "appended.json": ("json", 1.911174, 150, 2, 2),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_every_form_gives_the_counts_that_stand_in_it(name):
    form, clock_ms, faults, switches, parts = GOLDEN[name]
    imported = read(FIXTURES / name)
    assert imported.format == form
    assert imported.total.value("task_clock") == pytest.approx(clock_ms * 1e6, abs=0.5)
    assert imported.total["task_clock"].unit == "ns"
    assert imported.total.value("page_faults") == faults
    assert imported.total.value("context_switches") == switches
    assert len(imported.readings) == parts
    # No PMU on the machine that printed them: with -x and -j perf says <not supported> and 100.00 running.
    cycles = imported.total["cpu_cycles"]
    assert (cycles.value, cycles.status, cycles.coverage) == (None, Status.UNSUPPORTED, None)
    assert not any("left out (" in note for note in imported.notes), imported.notes


@pytest.mark.parametrize("name", [name for name, golden in GOLDEN.items() if golden[3] is None])
def test_what_never_ran_is_not_counted_although_perf_prints_100_percent(name):
    switches = read(FIXTURES / name).total["context_switches"]
    assert switches.status is Status.NOT_COUNTED
    assert switches.coverage is None
    assert "nothing ran" in switches.reason


@pytest.mark.parametrize(
    ("name", "faults", "duration_ns", "clock_ms"),
    [
        ("de_DE.txt", 1284, 35_157_281, 19.15),  # 1.284, 35.157.281 and 19,15
        ("fr_FR.txt", 1291, 40_921_264, 19.09),  # a narrow no-break space
        ("fr_FR-latin1.txt", 1285, 52_007_911, 19.52),  # a no-break space that is no UTF-8
        ("de_CH.txt", 1285, 47_889_586, 19.35),  # a right single quotation mark
        ("en_IN.txt", 1287, 40_746_073, 19.22),  # 4,07,46,073
    ],
)
def test_every_locale_groups_digits_its_own_way(name, faults, duration_ns, clock_ms):
    total = read(FIXTURES / name).total
    assert total.value("page_faults") == faults
    assert total.value("duration_time") == duration_ns
    assert total.value("task_clock") == clock_ms * 1e6
    assert total.duration_ns == pytest.approx(duration_ns, abs=2)


@pytest.mark.parametrize("form", ["txt", "csv", "json"])
def test_intervals_are_summed_once_and_the_summary_is_not_added(form):
    imported = read(FIXTURES / f"interval.{form}")
    assert sum(r.value("page_faults") or 0 for r in imported.readings) == imported.total.value("page_faults")
    assert "the sum of 3 intervals" in imported.notes
    assert any("summary" in note for note in imported.notes)
    # Only the text says how long it took until the command was gone.
    durations = {"txt": 151_555_480, "csv": 151_495_537, "json": 151_690_596}
    assert imported.total.duration_ns == durations[form]
    assert imported.readings[2].scope in ("interval to 0.151 s", "interval to 0.152 s")
    # Nothing ran in the second one: not counted, which is not 0.
    assert imported.readings[1]["page_faults"].status is Status.NOT_COUNTED


def test_what_was_counted_is_told():
    scopes = {
        "plain.txt": "command",
        "percpu.txt": "system wide",
        "cpus.txt": "CPU(s) 0,1",
        "process.txt": "process 1667",
        "thread.csv": "bash-1667",
    }
    assert {name: read(FIXTURES / name).total.scope for name in scopes} == scopes
    assert read(FIXTURES / "interval.txt").command == "sleep 0.15"
    assert read(FIXTURES / "percpu.txt").command is None


def test_the_parts_are_told_apart():
    per_cpu = read(FIXTURES / "percpu-interval.csv").readings
    assert per_cpu[0].scope == "CPU0, interval to 0.060 s"
    assert per_cpu[0].duration_ns == 60_135_458
    assert read(FIXTURES / "core.json").readings[1].scope == "S0-D0-C1"
    assert read(FIXTURES / "cgroup.csv").readings[0].value("page_faults") == 5574


def test_processor_time_under_the_table_becomes_counts():
    total = read(FIXTURES / "mixed.txt").total
    assert (total.value("user_time"), total.value("system_time")) == (0.0, 2_565_000.0)
    assert total["system_time"].label == "seconds sys"


def test_perfs_own_time_events_are_kept():
    total = read(FIXTURES / "tool-events.txt").total
    assert total.value("cpu_clock") == 690_000
    assert total.value("user_time") == 1_140_000
    assert total["user_time"].label is None
    assert total.value("minor_faults") == 47


@pytest.mark.parametrize(("name", "runs"), [("repeat.txt", "3"), ("repeat.csv", "several")])
def test_counts_of_repeated_runs_are_means(name, runs):
    assert f"perf stat -r printed means per run, of {runs} runs" in read(FIXTURES / name).notes


@pytest.mark.parametrize("name", ["appended.txt", "appended.csv", "appended.json"])
def test_outputs_appended_to_one_file_are_summed(name):
    assert "the sum of 2 perf outputs in one file" in read(FIXTURES / name).notes


def test_durations_of_appended_outputs_are_summed():
    assert read(FIXTURES / "appended.txt").total.duration_ns == 43_424_625


@pytest.mark.parametrize("name", ["null.txt", "metric-only.txt"])
def test_a_perf_output_without_counts_is_told_apart_from_no_perf_output(name):
    with pytest.raises(ArmprofError, match="perf printed no counts"):
        read(FIXTURES / name)


def test_no_fixture_is_forgotten():
    used = {*GOLDEN, "null.txt", "metric-only.txt", "tool-events.txt", "capture.sh"}
    used |= {"de_DE.txt", "fr_FR.txt", "fr_FR-latin1.txt", "de_CH.txt", "en_IN.txt"}
    assert {path.name for path in FIXTURES.iterdir()} == used
