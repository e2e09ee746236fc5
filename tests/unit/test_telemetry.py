"""Every formula against Arm's published specification, per core and revision, on counts drawn at random.

`spec` of a metric says how it follows from what the specification names; percentages are fractions here.
"""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from armprof import cpu
from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import ARM64Metrics, compute
from armprof.metrics.formula import Formula
from armprof.metrics.table import definitions
from armprof.metrics.topdown import TERMS
from armprof.metrics.wanted import groups, wanted

FOLDER = Path(__file__).parent / "fixtures/telemetry"
CORES = sorted(path.stem for path in FOLDER.glob("*.json"))
SECOND = 1_000_000_000
# The complement of a metric that is there, and stands beside it in the specification.
LEFT_OUT = {"ll_cache_read_hit_ratio"}
# In the groups of newer cores only, though the older ones count the events too.
ADDED = {"barrier_share": {"isb_spec", "dsb_spec", "dmb_spec"}}


@cache
def specification(core: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{core}.json").read_text())


def formula_of(core: str, metric: str) -> Formula:
    return Formula(specification(core)["metrics"][metric][0].lower())


def specified(core: str, counts: dict[str, float]) -> dict[str, float]:
    """Every metric of the specification, percentages as fractions."""
    found = {}
    for name, (_, unit) in specification(core)["metrics"].items():
        value = formula_of(core, name).evaluate(counts)
        found[name] = value / 100 if unit.startswith("percent") else value
    return found


def drawn(core: str, seed: int) -> dict[str, float]:
    """Counts of all events that the specification's formulas need, without a contradiction among them: whatever is a part of
    something is less. A small part, so that sums of parts are parts too.
    """
    names = sorted({event for metric in specification(core)["metrics"] for event in formula_of(core, metric).names})
    dice = random.Random(f"{core} {seed}")
    counts = {name: dice.uniform(1e5, 2e5) for name in names}
    cycles = counts["cpu_cycles"] = 1e7
    counts |= {"inst_retired": 2.1e7, "inst_spec": 2.5e7}
    for name in names:
        if name in ("l1d_cache", "l1i_cache", "l1d_tlb", "l1i_tlb", "br_retired"):
            counts[name] = dice.uniform(3e6, 6e6)
        elif name in (
            "l2d_cache",
            "l2d_tlb",
            "ll_cache_rd",
            "l3d_cache",
            "stall_frontend",
            "stall_backend",
            "sve_pred_spec",
        ):
            counts[name] = dice.uniform(1e6, 3e6)
        elif name == "dsb_spec":
            counts[name] = dice.uniform(1e3, 1e4)
        elif name.endswith(("_membound", "_cpubound")):
            counts[name] = dice.uniform(5e5, 9e5)
    if "op_spec" in counts:
        slots = cpu.core(core).slots or 0
        front, back = dice.uniform(0.2, 0.3) * slots * cycles, dice.uniform(0.2, 0.3) * slots * cycles
        over = cycles if cpu.core(core).stall_slot_overcounts else 0
        counts |= {"stall_slot_frontend": front + over, "stall_slot_backend": back, "stall_slot": front + back + over}
        counts |= {"op_spec": 2e7, "op_retired": dice.uniform(1.5e7, 1.9e7)}
    return counts


def measured(core: str, counts: dict[str, float]) -> ARM64Metrics:
    values = {e: Count(e, v, v, SECOND, SECOND, Status.COUNTED) for e, v in counts.items()}
    return compute(Reading(values, source="pmu", duration_ns=SECOND), core)


def with_spec(core: str) -> list[Any]:
    """Metrics whose `spec` this core's specification knows all names of."""
    known = specification(core)["metrics"]
    return [d for d in definitions() if d.spec and all(name in known for name in Formula(d.spec).names)]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("seed", range(5))
def test_every_metric_is_what_the_specification_says(core: str, seed: int) -> None:
    counts = drawn(core, seed)
    expected, found = specified(core, counts), measured(core, counts)
    checked = with_spec(core)
    assert len(checked) >= 28
    for definition in checked:
        metric = found[definition.name]
        assert metric.value is not None, (definition.name, metric.reason)
        assert metric.value == pytest.approx(Formula(definition.spec).evaluate(expected), rel=1e-9), definition.name


@pytest.mark.parametrize("core", CORES)
def test_every_metric_of_the_specification_is_there(core: str) -> None:
    covered = {name for definition in with_spec(core) for name in Formula(definition.spec).names}
    assert set(specification(core)["metrics"]) - covered - LEFT_OUT == set()


def test_every_spec_is_one_that_some_core_has() -> None:
    everywhere = {name for core in CORES for name in specification(core)["metrics"]}
    for definition in definitions():
        assert not definition.spec or set(Formula(definition.spec).names) <= everywhere, definition.name


@pytest.mark.parametrize("core", [core for core in CORES if core != "neoverse-n1"])
def test_slots_are_the_specifications(core: str) -> None:
    assert cpu.core(core).slots == specification(core)["slots"]


@pytest.mark.parametrize("core", CORES)
def test_units_are_the_specifications(core: str) -> None:
    for definition in with_spec(core):
        for name in Formula(definition.spec).names:
            unit = specification(core)["metrics"][name][1]
            if unit.startswith("percent") or name.endswith("_ratio"):
                assert definition.unit.startswith("fraction of "), definition.name
            elif unit == "MPKI":
                assert definition.unit == "per 1000 instructions"
            else:
                assert definition.unit.split()[1:] == ["per", "cycle"] or definition.name == "cycles_per_instruction"


@pytest.mark.parametrize("core", CORES)
def test_a_group_counts_what_the_specifications_group_needs(core: str) -> None:
    spec = specification(core)
    for name, members in spec["groups"].items():
        needed = {event for member in members for event in formula_of(core, member).names}
        found = wanted([name], cpu.core(core))
        added = {event for metric in found.metrics for event in ADDED.get(metric, ())}
        assert set(found.events) - added == needed - added, name
    assert set(groups()) >= {name.lower() for name in spec["groups"]}


@pytest.mark.parametrize("core", CORES)
def test_a_group_has_no_metric_that_the_specification_lacks(core: str) -> None:
    spec = {name.lower(): members for name, members in specification(core)["groups"].items()}
    by_name = {definition.name: definition for definition in definitions()}
    for name in spec:
        for metric in set(wanted([name], cpu.core(core)).metrics) - set(ADDED):
            assert set(Formula(by_name[metric].spec).names) <= set(spec.get(name, ())), (name, metric)


@pytest.mark.parametrize("core", [core for core in CORES if "-n1" not in core])
@pytest.mark.parametrize("seed", range(5))
def test_level_1_adds_up_to_one(core: str, seed: int) -> None:
    metrics = measured(core, drawn(core, seed))
    assert sum(metrics[term].value or 0 for term in TERMS) == pytest.approx(1)
    assert metrics.quality.topdown_sum == pytest.approx(1)
    assert metrics.quality.findings == ()
