"""`perf stat -x`: columns in front, columns in the middle, and separators that stand in other places too."""

import pytest

from armprof.counters.imported import parse
from armprof.counters.reading import Status

CYCLES = "11787674937,,cycles,2463588945,49.95,2.390,GHz"


def test_the_columns_of_a_count():
    cycles = parse(CYCLES).total["cpu_cycles"]
    assert (cycles.value, cycles.raw, cycles.status) == (11787674937, None, Status.SCALED)
    assert cycles.running_ns == 2463588945
    assert cycles.enabled_ns == round(2463588945 / 0.4995)
    assert cycles.coverage == pytest.approx(0.4995)


def test_access_and_form():
    imported = parse(CYCLES)
    assert (imported.format, imported.total.access, imported.total.scope) == ("csv", "perf stat -x", "")


@pytest.mark.parametrize("sep", [",", ";", "\t", "|", ":", "::", "@", "!", " | ", "~", "#", " ", "\u00a7"])
def test_any_separator(sep):
    text = "\n".join(
        sep.join(fields)
        for fields in (
            ("0.92", "msec", "task-clock", "919913", "100.00", "0.334", "CPUs utilized"),
            ("49", "", "page-faults", "919913", "100.00", "53.266", "K/sec"),
            ("<not supported>", "", "cycles", "0", "100.00", "", ""),
            ("<not counted>", "", "instructions", "0", "0.00", "", ""),
        )
    )
    total = parse(text).total
    assert total.value("task_clock") == 920_000
    assert total.value("page_faults") == 49
    assert total["cpu_cycles"].status is Status.UNSUPPORTED
    assert total["inst_retired"].status is Status.NOT_COUNTED


@pytest.mark.parametrize(
    ("prefix", "scope"),
    [
        ("CPU0,", "CPU0"),
        ("S0-D0-C0,1,", "S0-D0-C0"),
        ("S0,64,", "S0"),
        ("N0,4,", "N0"),
        ("S0-D0-L3-ID8,16,", "S0-D0-L3-ID8"),
        ("a.out-4711,", "a.out-4711"),
        ("summary,", ""),
        ("         summary,", ""),
        ("     1.500000000,CPU0,", "CPU0"),
    ],
)
def test_columns_in_front(prefix, scope):
    imported = parse(f"{prefix}1000,,cycles,5,50.00,,\n{prefix}2000,,armv8_pmuv3_0/l1d_cache/,5,50.00,,")
    assert imported.total.value("cpu_cycles") == 1000
    assert imported.total["l1d_cache"].coverage == 0.5
    assert imported.total.scope == scope


@pytest.mark.parametrize(
    ("middle", "cgroup", "averaged"),
    [
        (",5.73%", "", True),
        (",/user.slice", "/user.slice", False),
        (",/a/b,0.50%", "/a/b", True),
        (",", "", False),
    ],
)
def test_columns_in_the_middle(middle, cgroup, averaged):
    imported = parse(f"1000,,cycles{middle},2463588945,50.00,,")
    assert imported.total["cpu_cycles"].coverage == 0.5
    assert imported.readings[0].scope == ""
    assert any("means per run" in note for note in imported.notes) is averaged


def test_commas_inside_the_label_separate_nothing():
    total = parse("1000,,armv8_pmuv3_0/event=0x11,long=1/u,2463588945,50.00,,").total
    assert (total.value("cpu_cycles"), total["cpu_cycles"].coverage) == (1000, 0.5)
    assert total["cpu_cycles"].label == "armv8_pmuv3_0/event=0x11,long=1/u"


def test_decimal_commas_separate_nothing():
    # The locale puts a comma into the count, the variance, the percentage and the metric alike.
    total = parse("0,67,msec,task-clock,7,85%,666889,49,95,0,766,CPUs utilized").total
    assert total["task_clock"].value == 670_000
    assert (total["task_clock"].running_ns, total["task_clock"].coverage) == (666889, pytest.approx(0.4995))


def test_null_is_no_unit():
    assert parse("<not supported>,(null),cycles,0,100.00,,\n49,,page-faults,1,100.00,,").total["cpu_cycles"].unit == ""


def test_perf_before_3_14_says_nothing_of_the_time():
    cycles = parse("1000,cycles\n2000,instructions").total["cpu_cycles"]
    assert (cycles.value, cycles.coverage, cycles.status) == (1000, None, Status.SCALED)
    assert "does not say how long" in cycles.reason


def test_a_row_cut_off_before_its_percentage_says_nothing_of_the_time():
    cycles = parse("1000,,cycles,24635889\n2000,,instructions,2463588945,49.95,,").total["cpu_cycles"]
    assert (cycles.value, cycles.coverage, cycles.status) == (1000, None, Status.SCALED)


def test_metric_lines_have_no_count():
    imported = parse(f"{CYCLES}\n,,,,,0.16,stalled cycles per insn\nCPU0,,,,,,12.5,tma_retiring")
    assert set(imported.total) == {"cpu_cycles"}
    assert imported.notes == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("11787674937,", "a count without an event"),
        (f"{'9' * 24},,inst_retired,1,100.00,,", f"no count: {'9' * 24}"),
        ("<not counted>,", "a count without an event"),
        ("1000,,inst_retired,2463588945,149.95,,", "ran more than 100 % of the time"),
    ],
)
def test_damaged_rows_are_left_out_and_named(line, why):
    imported = parse(f"{CYCLES}\n{line}\n")
    assert set(imported.total) == {"cpu_cycles"}
    assert f"1 lines were left out (line 2: {why})" in imported.notes


def test_programs_write_between_the_rows():
    imported = parse(f"ready, steady, go\n{CYCLES}\na,b,c,d\ntotal: 5, of 7\n")
    assert set(imported.total) == {"cpu_cycles"}


def test_0_of_0_ns_is_not_100_percent():
    cycles = parse("<not counted>,,cycles,0,100.00,,\n49,,page-faults,1,100.00,,").total["cpu_cycles"]
    assert (cycles.coverage, cycles.status) == (None, Status.NOT_COUNTED)
