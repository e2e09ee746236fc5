"""ComponentMetrics: the design's figures of a component, each with a value or a reason."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import report_runs as runs
from hypothesis import given
from test_run_file import runs as any_runs

import armprof
from armprof.metrics import compute
from armprof.run.metrics import UNITS
from armprof.run.record import Component

UNTIMED = Component("f", "", "symbol", "call")


def test_every_figure_of_a_component_that_was_timed_and_counted() -> None:
    component = runs.kernel()
    found = armprof.ComponentMetrics.of(component)
    times = component.latency
    assert times is not None
    assert (found.avg_latency, found.p50_latency, found.p95_latency) == (times.mean_ns, times.p50_ns, times.p95_ns)
    assert (found.p99_latency, found.p999_latency, found.max_latency) == (times.p99_ns, times.p999_ns, times.max_ns)
    assert found.throughput == component.throughput_per_s
    reading = component.reading
    assert reading is not None
    assert found.cache_miss_rate == pytest.approx(
        (reading.value("l1d_cache_refill") or 0) / (reading.value("l1d_cache") or 0)
    )
    assert found.branch_miss_rate == pytest.approx(
        (reading.value("br_mis_pred_retired") or 0) / (reading.value("br_retired") or 0)
    )
    assert found.cycles_per_operation == (reading.value("cpu_cycles") or 0) / runs.OPERATIONS
    assert found.instructions_per_operation == (reading.value("inst_retired") or 0) / runs.OPERATIONS
    assert found.reasons == {}


def test_what_was_not_measured_is_none_with_a_reason() -> None:
    found = armprof.ComponentMetrics.of(UNTIMED)
    assert all(getattr(found, name) is None for name in UNITS)
    assert found.reasons["p99_latency"] == "it was not timed"
    assert found.reasons["cache_miss_rate"] == "nothing was counted"
    failed = armprof.ComponentMetrics.of(replace(UNTIMED, failure="SIGSEGV while it was timed"))
    assert set(failed.reasons.values()) == {"SIGSEGV while it was timed"}


def test_without_a_pmu_rates_and_counts_say_so() -> None:
    found = armprof.ComponentMetrics.of(runs.without_pmu("ring").components[0])
    assert found.avg_latency is not None
    for name in ("cache_miss_rate", "branch_miss_rate", "cycles_per_operation", "instructions_per_operation"):
        assert getattr(found, name) is None
        assert runs.NO_PMU in found.reasons[name]


def test_counts_of_unknown_many_operations_and_events_not_asked_for() -> None:
    component = runs.kernel(reading_operations=None)
    assert armprof.ComponentMetrics.of(component).reasons["cycles_per_operation"].startswith("it is not known how many")
    assert component.reading is not None
    fewer = replace(component.reading, counts={"inst_retired": component.reading["inst_retired"]})
    found = armprof.ComponentMetrics.of(runs.kernel(made=fewer))
    assert found.reasons["cycles_per_operation"] == "cpu_cycles is not among the events that were counted"
    assert found.instructions_per_operation is not None


def test_metrics_that_are_computed_already_are_taken() -> None:
    component = runs.kernel()
    assert component.reading is not None
    of_another = compute(runs.reading(**runs.TROUBLED))
    found = armprof.ComponentMetrics.of(component, of_another)
    assert found.cache_miss_rate == pytest.approx(1 - (of_another.l1_cache_hit_rate or 0))
    assert found.cache_miss_rate != armprof.ComponentMetrics.of(component).cache_miss_rate


def test_every_figure_has_a_unit() -> None:
    assert [field.name for field in fields(armprof.ComponentMetrics)] == [*UNITS, "reasons"]


@given(any_runs)
def test_a_figure_has_a_value_or_a_reason(run: object) -> None:
    for component in run.components:  # type: ignore[attr-defined]
        for figure in armprof.ComponentMetrics.of(component).to_dict().values():
            assert figure["value"] is not None or figure["reason"]
