"""Counts of two runs compared: exact ones gate, and the reason of a change is arithmetic over what moved."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compare_runs import SCHEMA, run, timed
from test_run_file import numbers, wheres, whole

from armprof.compare.cause import CodeChange, Location
from armprof.compare.place import location
from armprof.compare.reasons import cause
from armprof.compare.runs import detect_regressions
from armprof.compare.verdict import Verdict
from armprof.counters.reading import Count, Reading, Status
from armprof.errors import ArmprofError
from armprof.report import compare as report
from armprof.run.codec import encode
from armprof.run.record import Component, Place, Share, Where

GEOMETRY = "modelled, not measured: L1D 64 KiB"


def counted(source: str = "model", spread: float = 0.0, geometry: str = GEOMETRY, **counts: float) -> Component:
    """A component that counted so much in a thousand operations."""
    reading = Reading(
        {event: Count(event, 1000 * value, None, None, None, Status.COUNTED) for event, value in counts.items()},
        source,
        core="neoverse-n1",
        notes=(geometry,),
    )
    return Component(
        "f",
        "f",
        "kernel",
        "message",
        reading=reading,
        reading_operations=1000,
        spread=dict.fromkeys(counts, spread),
        counted_code="a",
    )


# ---- the gate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycles", "verdict"),
    [
        (100, Verdict.UNCHANGED),
        (100.9, Verdict.UNCHANGED),
        (101, Verdict.SLOWER),
        (99.1, Verdict.UNCHANGED),
        (99, Verdict.FASTER),
    ],
)
def test_modelled_cycles_are_gated_at_one_percent(cycles: float, verdict: Verdict) -> None:
    base, head = counted(cpu_cycles=100, inst_retired=50), counted(cpu_cycles=cycles, inst_retired=50)
    change, other = detect_regressions(run(base), run(head)).changes
    assert (change.metric.name, change.verdict, change.noise) == ("cycles_per_operation", verdict, 0)
    assert (other.metric.name, other.verdict) == ("instructions_per_operation", Verdict.UNCHANGED)


def test_one_instruction_more_is_seen() -> None:
    base, head = counted(inst_retired=100_000), counted(inst_retired=100_001)
    (change,) = detect_regressions(run(base), run(head)).changes
    assert change.change == pytest.approx(1e-5)
    assert change.verdict == Verdict.UNCHANGED


def test_counts_of_a_pmu_are_not_gated() -> None:
    base, head = counted("pmu", cpu_cycles=100), counted("pmu", cpu_cycles=200)
    with pytest.raises(ArmprofError, match=r"f: neither timed nor counted on the model in both runs"):
        detect_regressions(run(base), run(head))


def test_modelled_counts_of_unlike_machines_are_compared_and_their_times_are_not() -> None:
    base = replace(timed("f", 100), reading=counted(cpu_cycles=100).reading, reading_operations=1000)
    base = replace(base, spread={"cpu_cycles": 0.0, "inst_retired": 0.0})
    found = detect_regressions(run(base), run(base, cpus=64))
    assert [change.metric.name for change in found.changes] == ["cycles_per_operation"]
    assert found.not_compared == (("f", "its times are of unlike machines (cpus: 4 and 64)"),)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (
            counted(geometry="modelled, not measured: L1D 32 KiB", cpu_cycles=1, inst_retired=1),
            "modelled with other caches",
        ),
        (replace(counted(cpu_cycles=1, inst_retired=1), spread={}), "its threads wait for each other"),
    ],
)
def test_counts_that_say_nothing_of_each_other_are_not_compared(head: Component, why: str) -> None:
    with pytest.raises(ArmprofError, match=why):
        detect_regressions(run(counted(cpu_cycles=1, inst_retired=1)), run(head))


def test_two_runs_of_one_command_are_compared_wherever_it_lies() -> None:
    old, new = (replace(counted(inst_retired=9), kind="command", name=name) for name in ("./old/f", "./new/f"))
    found = detect_regressions(run(old), run(new))
    assert {change.component for change in found.changes} == {"./new/f"}
    assert [str(difference) for difference in found.differences] == ["command: ./old/f and ./new/f"]


@given(
    *[st.dictionaries(st.sampled_from(["cpu_cycles", "inst_retired", "x"]), numbers)] * 4,
    st.tuples(whole, whole),
    st.none() | wheres,
)
def test_whatever_was_counted_is_compared_or_refused(
    counts: dict[str, float],
    more: dict[str, float],
    spread: dict[str, float],
    other: dict[str, float],
    operations: tuple[int, int],
    where: Where | None,
) -> None:
    base = replace(counted(**counts), spread=spread, reading_operations=operations[0], where=where)
    head = replace(counted(**more), spread=other, reading_operations=operations[1], where=where)
    for one, two in ((base, head), (head, base), (base, base), (counted(**counts), counted(**more))):
        with suppress(ArmprofError):
            jsonschema.validate(json.loads(report.render_json(detect_regressions(run(one), run(two)))), SCHEMA)
        json.dumps(encode(cause(one, two, of_time=True)), allow_nan=False)


# ---- the reason ------------------------------------------------------------------------------------------------------


def test_what_moved_is_named_with_what_it_costs() -> None:
    """An L2 refill costs a Neoverse N1 58.5 cycles: 72 from the last level instead of 13.5."""
    base = counted(cpu_cycles=1000, inst_retired=800, l2d_cache_refill=1, br_retired=100)
    head = counted(cpu_cycles=1100, inst_retired=800, l2d_cache_refill=2.5, br_retired=100)
    found = cause(base, replace(head, counted_code="b"), of_time=False)
    assert [one.event for one in found.counters] == ["cpu_cycles", "l2d_cache_refill", "inst_retired"]
    refills = found.counters[1]
    assert refills.cycles == pytest.approx(1.5 * 58.5)
    assert found.explained == refills.share == pytest.approx(0.8775)
    assert found.sentence == "modelled cycles +10.0 %, explained by L2 refills +150.0 %; instructions unchanged"
    assert found.code == CodeChange.CHANGED


def test_where_the_model_estimates_the_waits_refills_are_what_is_behind_them() -> None:
    base = counted(cpu_cycles=1000, inst_retired=800, l2d_cache_refill=1, model_chased_cycles=100)
    head = counted(cpu_cycles=1100, inst_retired=800, l2d_cache_refill=2.5, model_chased_cycles=198)
    found = cause(base, replace(head, counted_code="b"), of_time=False)
    assert found.explained == pytest.approx(0.98)
    assert found.sentence == (
        "modelled cycles +10.0 %, explained by waits for chased loads +98.0 %; L2 refills +150.0 %; instructions unchanged"
    )


def test_of_what_there_was_hardly_any_of_both_numbers_are_told() -> None:
    base = counted(cpu_cycles=1000, inst_retired=800, model_divide_cycles=0.5)
    head = counted(cpu_cycles=1500, inst_retired=800, model_divide_cycles=480)
    assert cause(base, replace(head, counted_code="b"), of_time=False).sentence == (
        "modelled cycles +50.0 %, explained by waits for divides from 0.5 to 480 an operation; instructions unchanged"
    )


def test_counters_within_their_noise_have_not_moved() -> None:
    base = counted("pmu", 0.02, cpu_cycles=1000, inst_retired=800, l2d_cache_refill=1)
    head = counted("pmu", 0.02, cpu_cycles=1100, inst_retired=830, l2d_cache_refill=1.03)
    found = cause(base, head, of_time=True)
    assert found.sentence == "cycles +10.0 %; instructions unchanged"
    assert found.explained is None


def test_counters_whose_noise_is_not_known_say_nothing() -> None:
    head = replace(counted("pmu", cpu_cycles=1100), spread={})
    assert cause(counted("pmu", cpu_cycles=1000), head, of_time=True).counters == ()


def test_what_was_not_there_before_has_no_percent() -> None:
    base = counted(cpu_cycles=100, inst_retired=80, unaligned_ldst_spec=0)
    head = counted(cpu_cycles=100, inst_retired=80, unaligned_ldst_spec=2)
    found = cause(base, replace(head, counted_code="b"), of_time=False)
    assert found.counters[1].change is None
    assert (
        found.sentence
        == "modelled cycles unchanged; unaligned_ldst_spec from 0 to 2 an operation; instructions unchanged"
    )


def test_the_same_code_that_counts_otherwise_had_another_input() -> None:
    found = cause(counted(inst_retired=800), counted(inst_retired=900), of_time=False)
    assert found.code == CodeChange.SAME
    assert found.sentence.endswith("its machine code is the same: the input or the environment differs")


def test_the_same_code_that_takes_longer_met_a_noisy_host() -> None:
    base, head = (replace(timed("f", ns), timed_code="a") for ns in (100, 130))
    found = detect_regressions(run(base), run(head))
    (told,) = {one.cause for one in found.regressions}
    assert told is not None
    assert told.code == CodeChange.SAME
    assert told.sentence == "its machine code is the same: a noisy host, a shift of its layout, or other data"
    assert "a noisy host" in " ".join(report.render(found).split())


def test_what_is_not_known_of_the_code_is_not_said() -> None:
    found = cause(timed("f", 100), replace(timed("f", 130), timed_code="a"), of_time=True)
    assert (found.code, found.sentence) == (CodeChange.UNKNOWN, "")


# ---- the place -------------------------------------------------------------------------------------------------------


def lines(*at: tuple[int, float], file: str | None = "f.c", function: str = "f") -> tuple[Share, ...]:
    """So much at each line, or in the function where there is no file."""
    return tuple(
        Share(Place(function, "f.so", file, line if file else None), {"inst_retired": 1000 * n}) for line, n in at
    )


def spots(*at: tuple[int, float]) -> Component:
    return replace(counted(), where=Where((), lines(*at)))


def test_a_line_that_was_added_is_found_though_those_behind_it_moved() -> None:
    base = spots((10, 1), (11, 5), (12, 7), (14, 3), (20, 9))
    head = spots((10, 1), (11, 5), (12, 2), (13, 7), (15, 3), (21, 9))
    assert location(base, head, "inst_retired") == Location("f", "f.c", 12)


def test_a_line_that_counts_more_is_found() -> None:
    base, head = spots((10, 1), (11, 5), (12, 7)), spots((10, 1), (11, 6), (12, 7))
    assert location(base, head, "inst_retired") == Location("f", "f.c", 11)


def test_a_new_line_goes_before_one_that_the_compiler_gave_a_part_of_it() -> None:
    base, head = spots((10, 100), (12, 5), (13, 50)), spots((10, 100), (12, 2), (13, 5), (14, 54))
    assert location(base, head, "inst_retired") == Location("f", "f.c", 12)


def test_without_lines_it_is_the_function() -> None:
    base = replace(counted(), where=Where((), lines((0, 5), file=None, function="g") + lines((0, 1), file=None)))
    head = replace(counted(), where=Where((), lines((0, 5), file=None, function="g") + lines((0, 2), file=None)))
    assert location(base, head, "inst_retired") == Location("f", None, None)


def test_what_grew_nowhere_has_no_place() -> None:
    base = spots((10, 1), (11, 5))
    assert location(base, base, "inst_retired") is None


def test_the_json_of_a_cause_follows_the_schema() -> None:
    base = replace(counted(cpu_cycles=100, inst_retired=80), where=spots((10, 1)).where)
    head = replace(counted(cpu_cycles=130, inst_retired=90), where=spots((10, 2)).where)
    told = json.loads(report.render_json(detect_regressions(run(base), run(head))))
    jsonschema.validate(told, SCHEMA)
    assert told["regressions"][0]["cause"]["location"] == {"function": "f", "file": "f.c", "line": 10}
