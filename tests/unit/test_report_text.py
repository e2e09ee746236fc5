"""The text report: what people read on a terminal, in a log and in a file."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
import report_runs as runs
from hypothesis import given
from test_run_file import runs as any_runs

from armprof.counters.reading import Status, uncounted
from armprof.report.document import document
from armprof.report.text import render
from armprof.run.record import Component, Run


def lines(run: Run, explain: bool = False) -> list[str]:
    return render(document(run), explain=explain).splitlines()


def flat(run: Run, explain: bool = False) -> str:
    """The report without its line breaks."""
    return re.sub(r"\s+", " ", render(document(run), explain=explain))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


# What it says


def test_it_begins_with_what_was_counted_and_where() -> None:
    assert lines(runs.three_kernels())[:6] == [
        "3 components: pool, ring, parser",
        "machine  aarch64: 4 x Neoverse N1 r3p1, Linux 6.8.0, bare metal",
        "source   pmu; this thread, user mode; user reads (64-bit), fenced",
        "counted  14 of 14 hardware events all of the time, 1 of 1 software events",
        "made     2026-11-22 14:28:47 UTC, armprof 0.1.0",
        "",
    ]


def test_what_could_not_be_counted_and_why_is_said_once() -> None:
    report = flat(runs.without_pmu())
    assert "counted 0 of 14 hardware events, 1 of 1 software events" in report
    assert f"not cpu_cycles, inst_retired, l1d_cache, l1d_cache_refill and 10 more: {runs.NO_PMU}" in report
    assert report.count("no PMU") == 1
    assert report.count("`armprof doctor`") == 1
    assert len(lines(runs.without_pmu())) < 40


def test_what_one_operation_costs_stands_above_how_it_was_timed() -> None:
    report = lines(runs.run(runs.kernel("ring"), runs.kernel("alone", latency=replace(runs.TIMES, batch=1))))
    header = next(i for i, line in enumerate(report) if line.startswith("component "))
    times, timing = report[header : header + 3], report[header + 4 : header + 7]
    assert times[0].split() == ["component", "mean", "p50", "p95", "p99", "p99.9", "max"]
    assert " ".join(times[1].split()) == "ring 50.0 ns 12.3 ns 45.6 ns 78.9 ns 1.23 us 2.50 ms"
    assert timing[0].split() == ["component", "operation", "batch", "samples", "throughput"]
    assert " ".join(timing[1].split()) == "ring push 256 50,000 20.0 M/s"
    assert " ".join(timing[2].split()) == "alone push 1 50,000 20.0 M/s"
    assert "means of batches" in report[header + 7] + report[header + 8]


def test_what_failed_is_told_once_and_takes_nothing_from_the_others() -> None:
    crashed = Component("crash", "", "symbol", "call", failure="SIGSEGV while it was timed")
    report = flat(runs.run(runs.kernel("ring"), crashed))
    assert "Failed - crash: SIGSEGV while it was timed" in report
    assert report.count("SIGSEGV") == 1
    assert "cpu_cycles 1,000" in report


def test_single_operations_need_no_word_on_batches() -> None:
    assert "batches" not in flat(runs.run(runs.kernel(latency=replace(runs.TIMES, batch=1))))


def test_percentiles_of_too_few_samples_are_said_to_be_the_largest() -> None:
    few = replace(runs.TIMES, samples=60)
    said = flat(runs.run(runs.kernel("a", latency=few), runs.kernel("b", latency=few)))
    assert "; p99, p99.9 of a, b: the largest, of too few samples for them" in said
    assert "the largest" not in flat(runs.run())


def test_counts_and_metrics_stand_side_by_side_where_all_was_counted() -> None:
    report = lines(runs.run())
    header = next(line for line in report if line.startswith("event"))
    assert " ".join(header.split()) == "event per push metric (confidence high) value"
    cycles = next(line for line in report if line.startswith("cpu_cycles"))
    assert cycles.split() == ["cpu_cycles", "1,000", "L1", "data", "cache", "hit", "rate", "99.90", "%"]


def test_multiplexed_metrics_show_coverage_and_confidence() -> None:
    report = lines(runs.imported(0.5))
    rate = next(line for line in report if line.startswith("L1 data cache hit rate"))
    assert rate.split()[-5:] == ["90.00", "%", "50.0", "%", "medium"]
    assert "counted  8 of 8 hardware events 50.0 % of the time" in report
    cycles = next(line for line in report if line.startswith("cpu_cycles"))
    assert cycles.split() == ["cpu_cycles", "1,000,000,000", "50.0", "%", "perf-cpu_cycles"]


def test_what_is_modelled_and_what_was_measured_says_so_at_each_table() -> None:
    modelled = lines(runs.run(runs.kernel(made=replace(runs.reading(), source="model"))))
    assert "Time of one operation, measured on this machine" in modelled
    assert any(line.startswith("event, modelled") for line in modelled)
    assert any("metric (confidence high), modelled" in line for line in modelled)
    assert not any(
        "modelled" in line or line.startswith("Time of one operation,") for line in lines(runs.run(runs.kernel()))
    )


def test_the_nine_metrics_are_always_there_and_a_missing_one_is_a_dash_with_its_reason_below() -> None:
    report = lines(runs.imported())
    assert next(line for line in report if line.startswith("L2 cache hit rate")).split()[-1] == "-"
    assert next(line for line in report if line.startswith("NUMA efficiency")).split()[-1] == "-"
    text = flat(runs.imported())
    assert (
        "L2 cache hit rate, Data TLB miss rate, L1 instruction cache hit rate, Memory bandwidth utilization: not among the "
        "events of this reading: l2d_cache_refill, l2d_cache, dtlb_walk, l1d_tlb, l1i_cache_refill, l1i_cache, "
        "ll_cache_miss_rd" in text
    )
    assert text.count("not among the events") == 1


def test_a_cause_that_the_head_told_is_not_told_again() -> None:
    full = runs.reading()
    hidden = {event: uncounted(event, Status.UNSUPPORTED, "the guest hides it") for event in ("l2d_cache", "l1i_cache")}
    report = flat(runs.run(runs.kernel(made=replace(full, counts={**full.counts, **hidden}))))
    assert report.count("the guest hides it") == 1
    assert "L2 cache hit rate, L1 instruction cache hit rate: not counted, see above: l2d_cache, l1i_cache" in report


def test_remarks_on_metrics_are_footnotes() -> None:
    report = flat(runs.three_kernels())
    assert report.count("Data TLB miss rate (b)") == 3
    assert report.count("(b) page table walks per data TLB access") == 1


def test_recommendations_say_gain_effort_evidence_and_basis() -> None:
    report = flat(runs.three_kernels())
    assert "1. parser: Lay data out for the caches, or prefetch it 0-25.5 % latency (ceiling 30.0 %)" in report
    assert "effort high, risk medium, confidence medium" in report
    assert "- 35.00 L1D refills per 1000 instructions" in report
    assert "- 0 to 85 % of what is at stake comes true: software prefetch in a strided walk on Cortex-A76" in report
    assert "- verify: armprof ab -- CMD_BEFORE -- CMD_AFTER" in report
    assert "2. parser: Make branches predictable or remove them 0-8.5 % latency (ceiling " in report
    assert "pool, ring: judged: nothing to recommend (decided on l1d_mpki, " in report


def test_where_the_cycles_go_is_a_line_for_each_component() -> None:
    report = flat(runs.three_kernels())
    assert "- parser: lost 50.0 % (backend 30.0 % (memory 30.0 % (l2_hits 30.0 %)), " in report


def test_the_roadmap_stands_at_the_end_where_there_is_an_order_to_be_told() -> None:
    report = flat(runs.three_kernels())
    assert "Optimization roadmap" in report
    assert report.index("PHASE 1: MICRO-OPTIMIZATIONS (short term, 1 month)") < report.index("PHASE 2")
    assert "IMPLEMENTATION GUIDELINES" in report
    assert "roadmap" not in flat(runs.run())


def test_the_same_advice_for_several_components_is_described_once() -> None:
    troubled = runs.reading(**runs.TROUBLED)
    report = flat(runs.run(runs.kernel("a", troubled), runs.kernel("b", troubled)))
    assert report.count(". a: Make branches predictable") == report.count(". b: Make branches predictable") == 1
    assert report.count("profile-guided optimization") == 1


def test_a_single_component_is_not_named_again() -> None:
    report = flat(runs.imported())
    assert report.startswith(
        "counts.txt: sleep 1 source imported; command; perf stat text core Neoverse N1 took 1.00 s"
    )
    assert "1. Lay data out" in report


def test_an_unknown_core_is_asked_for_and_the_ceiling_unknown() -> None:
    report = flat(runs.imported(core=None))
    assert "core not known: --core NAME" in report
    assert "(ceiling unknown)" in report


def test_what_was_not_judged_says_why() -> None:
    report = flat(runs.imported(0.1))
    assert "not judged: a run of 1000.0 ms" not in report
    assert "not judged: cycles_per_instruction was counted 10.0 % of the time: too little to judge" in report
    assert "low" in next(line for line in lines(runs.imported(0.1)) if line.startswith("L1 data cache hit"))


def test_differences_between_components_stand_with_each() -> None:
    mixed = runs.run(runs.kernel(), *runs.imported().components)
    report = lines(mixed)
    assert not any(line.startswith("source") for line in report)
    assert "pmu; this thread, user mode; user reads (64-bit), fenced" in report
    assert "imported; command; perf stat text" in report
    assert "8 of 8 hardware events 50.0 % of the time" in report


def test_a_component_without_counts_says_so() -> None:
    bare = runs.kernel("bare", reading=None)
    assert "bare: The bare nothing was counted" in flat(runs.run(runs.kernel(), bare))
    alone = flat(replace(runs.run(bare), notes=("nothing was counted: no native module",)))
    assert "No metric has a value and nothing was judged" in alone
    assert "- nothing was counted: no native module" in alone


def test_notes_that_components_share_are_said_once() -> None:
    report = flat(runs.three_kernels())
    assert report.count("counted in 3 passes") == 1
    noted = runs.kernel("ring", notes=("its own",))
    assert "- ring: its own" in flat(runs.run(runs.kernel("pool"), noted))


def test_explain_adds_formulas_and_silent_rules() -> None:
    plain, explained = flat(runs.three_kernels()), flat(runs.three_kernels(), explain=True)
    for told in (
        "l1_cache_hit_rate = 1 - l1d_cache_refill / l1d_cache",
        "pool, ring: working-set-llc: l1d_mpki is 0.35, not above 3",
    ):
        assert told not in plain
        assert told in explained


def test_what_is_0_stands_below_the_table_and_is_not_left_out() -> None:
    made = runs.reading(**{**runs.HEALTHY, "l1i_cache_refill": 0, "dtlb_walk": 0})
    report = lines(runs.run(runs.kernel(made=made)))
    assert "0: dtlb_walk, l1i_cache_refill" in report
    assert not [line for line in report if line.split()[:1] in (["dtlb_walk"], ["l1i_cache_refill"])]
    assert "0: L1 instruction cache refills, Page table walks for data" in report
    assert [line for line in report if line.startswith("L1 instruction cache hit rate")], "the nine have their lines"


def test_a_0_that_was_not_counted_all_the_time_keeps_its_line_and_coverage() -> None:
    made = runs.reading(0.5, **{**runs.HEALTHY, "dtlb_walk": 0})
    report = lines(runs.run(runs.kernel(made=made)))
    assert ["dtlb_walk", "0", "50.0", "%"] in [line.split() for line in report]
    assert not [line for line in report if line.startswith("0")]


def test_nothing_at_all_is_a_report_too() -> None:
    assert lines(Run(()))[0] == "0 components:"


# How it looks


def test_no_line_is_wider_than_80_columns_or_ends_in_blanks() -> None:
    for run in (runs.three_kernels(), runs.without_pmu(), runs.imported()):
        for line in lines(run, explain=True):
            assert len(line) <= 80
            assert line == line.rstrip()


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("80", 80), ("200", 80)])
def test_it_fits_the_terminal_and_does_not_grow_beyond_80(
    columns: str, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for run in (runs.three_kernels(), runs.imported()):
        report = render(document(run), Terminal(), explain=True)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", report).splitlines()
        assert widest - 20 < max(map(len, plain)) <= widest
        for number in ("90.00 %", "1,000", "30.0 %"):
            assert number in "\n".join(plain)


def test_a_narrow_table_of_times_does_without_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    report = render(document(runs.run(runs.kernel("treasury"))), Terminal())
    assert re.search(r"treasury +12\.3 ns +78\.9 ns +2\.50 ms", report)


def test_colours_are_for_terminals() -> None:
    run = document(runs.three_kernels())
    assert "\x1b" in render(run, Terminal())
    assert "\x1b" not in render(run, io.StringIO())
    assert "\x1b" not in render(run)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_may_refuse_colours(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    report = render(document(runs.three_kernels()), Terminal())
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", report)
    assert "Recommendations" in report


def test_a_file_has_no_colours_even_if_they_are_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in render(document(runs.three_kernels()))


def test_the_report_is_ascii_where_the_names_are() -> None:
    for run in (runs.three_kernels(), runs.without_pmu(), runs.imported()):
        report = render(document(run), explain=True)
        assert report.translate(dict.fromkeys(map(ord, "│├└─"), " ")).isascii()  # the lines of trees


def test_other_names_are_spelled_out_where_the_stream_has_no_characters_for_them() -> None:
    run = document(runs.run(runs.kernel("rückkopplung")))
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert "r\\xfcckkopplung" in render(run, stream)
    assert "rückkopplung" in render(run)


HOSTILE = "[red]x[/red] \x1b[31m\r\n\t\x07:smile: \u202e \x00 {0} %s"


def test_hostile_names_change_nothing() -> None:
    hostile = runs.kernel(
        HOSTILE, title=HOSTILE, operation=HOSTILE, notes=(HOSTILE,), reading=replace(runs.reading(), notes=(HOSTILE,))
    )
    full = runs.reading()
    odd = {HOSTILE: uncounted(HOSTILE, Status.UNSUPPORTED, HOSTILE), **full.counts}
    run = runs.run(hostile, runs.kernel("b", replace(full, counts=odd, scope=HOSTILE, access=HOSTILE)))
    run = replace(run, host={"description": HOSTILE}, created=HOSTILE, armprof_version=HOSTILE, notes=(HOSTILE,))
    report = render(document(run), explain=True)
    assert all(c.isprintable() or c == "\n" for c in report)
    assert "[red]x[/red]" in report
    assert ":smile:" in report


@given(any_runs)
def test_any_run_makes_a_report_of_printable_characters(run: Run) -> None:
    report = render(document(run), explain=True)
    assert all(c.isprintable() or c == "\n" for c in report)


def test_absurdly_long_names_are_cut() -> None:
    assert len(render(document(runs.run(runs.kernel("x" * 100_000), runs.kernel("y"))))) < 10_000


def test_of_hundreds_of_components_the_first_are_told_and_how_many_there_are() -> None:
    parts = [runs.kernel(f"k{n}", runs.reading(**runs.TROUBLED)) for n in range(60)]
    report = lines(runs.run(*parts))
    assert "and 10 more components, of which --format json tells" in report
    assert "and 70 more, of which --format json tells" in report
    assert any(line.strip().endswith("and 40 more, of which --format json tells") for line in report)
    assert len(report) < 4000
