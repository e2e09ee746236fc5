"""Each rule speaks where its cause is, is silent where it is not, and gives way to what says the same more exactly."""

import analysis_readings as readings
import pytest

from armprof.analysis import Judgement, analyze
from armprof.analysis.causes import tree
from armprof.analysis.rules import cases, gate, rules
from armprof.analysis.terms import CONSTANTS
from armprof.cpu import core_names
from armprof.metrics import Confidence
from armprof.metrics.table import definitions
from armprof.metrics.wanted import groups

NAMES = [rule.name for rule in rules() if not rule.aside]


def spoken(reading):
    return [r.rule for r in analyze(reading).recommendations]


def why_silent(reading, rule):
    return next(s.reason for s in analyze(reading).silent if s.rule == rule)


@pytest.mark.parametrize("rule", NAMES)
def test_a_program_with_one_cause_gets_the_advice_for_it_first(rule):
    analysis = analyze(readings.PROGRAMS[rule])
    assert analysis.recommendations[0].rule == rule
    gain = analysis.recommendations[0].expected_improvement
    assert 0 <= gain.low < gain.high < (gain.ceiling or 101)
    assert gain.ceiling is not None


@pytest.mark.parametrize("rule", NAMES)
def test_the_same_program_without_its_cause_does_not(rule):
    assert rule not in spoken(readings.n1())
    assert rule not in spoken(readings.modelled())
    assert why_silent(readings.n1(), rule)


@pytest.mark.parametrize("reading", [readings.n1(), readings.modelled(), readings.n3()])
def test_a_healthy_program_gets_no_advice(reading):
    analysis = analyze(reading)
    assert analysis.verdict is Judgement.JUDGED
    assert analysis.recommendations == ()


def test_that_nothing_is_left_in_the_core_is_told_aside():
    busy = analyze(readings.n1(cpu_cycles=30_000_000, stall_backend=1_000_000))
    assert busy.recommendations == ()
    (aside,) = busy.asides
    assert aside.rule == "do-less-work"
    assert aside.evidence[0] == "0.833 of what the core can finish was finished"
    assert busy.to_dict()["asides"][0]["rule"] == "do-less-work"
    assert analyze(readings.n1(cpu_cycles=100_000_000)).asides == ()


@pytest.mark.parametrize(
    ("counts", "rule"),
    [
        ({"sparse": 1, "wide": 1}, "blocking"),  # the neighbours would be used, were they not gone by then
        ({"sparse": 1}, "data-layout"),
        ({}, "memory-bandwidth"),  # all of each line is used
    ],
)
def test_loads_at_regular_distances_are_told_apart_by_what_they_use_of_the_lines(counts, rule):
    refills = {f"model_refill_{name}": 2_500_000 * of for name, of in ({"sparse": 0, "wide": 0} | counts).items()}
    far = {**readings.STRIDED, "ll_cache_rd": 2_900_000, "ll_cache_miss_rd": 2_800_000, "l2d_cache_refill": 2_900_000}
    assert spoken(readings.modelled(**far, **refills))[0] == rule


@pytest.mark.parametrize(
    ("counts", "rule"),
    [
        ({"model_gathered_cycles": 20_000_000}, "working-set-l2"),  # 3 cycles each: as many wait at once as can
        ({"ll_cache_miss_rd": 2_800_000, "model_gathered_cycles": 30_000_000}, "working-set-llc"),
        (
            {"ll_cache_miss_rd": 2_800_000, "model_gathered_cycles": 135_000_000},
            "prefetch",
        ),  # 22 cycles each: one waits for the other
        (readings.OBJECTS, "hot-cold-split"),
        ({"l1d_tlb_refill": 3_000_000, "dtlb_walk": 2_500_000, "l2d_cache_refill": 1_000}, "huge-pages"),
    ],
)
def test_loads_at_scattered_addresses_are_told_apart_by_where_the_data_is_and_how_long_each_waits(counts, rule):
    base = {
        **readings.GATHERED,
        "l2d_cache_refill": 2_900_000,
        "ll_cache_rd": 2_900_000,
        "ll_cache_miss_rd": 1_000,
        "model_refill_gathered": 6_000_000,
        "l1d_cache": 60_000_000,
    }
    assert spoken(readings.modelled(**(base | counts)))[0] == rule


@pytest.mark.parametrize(
    ("coarse", "finer"),
    [
        ("cache-misses", "pointer-chasing"),
        ("cache-misses", "prefetch"),
        ("cache-misses", "data-layout"),
        ("cache-misses", "working-set-llc"),
        ("cache-misses", "working-set-l2"),
    ],
)
def test_what_says_it_more_exactly_takes_the_place_of_what_does_not(coarse, finer):
    assert coarse not in spoken(readings.PROGRAMS[finer])
    assert "says it more exactly" in why_silent(readings.PROGRAMS[finer], coarse)


def test_two_causes_are_two_pieces_of_advice():
    both = readings.n1(
        cpu_cycles=200_000_000,
        stall_frontend=60_000_000,
        stall_backend=80_000_000,
        l1d_cache_refill=3_000_000,
        l1i_cache_refill=5_000_000,
    )
    assert spoken(both) == ["code-layout", "cache-misses"]


def test_false_sharing_is_seen_from_outside_by_lines_that_are_in_no_cache():
    """Yitian 710, published: the L1D has 97 % of the accesses, and all that it has not is in no cache."""
    shared = {
        "inst_retired": 1_107_780_139,
        "l1d_cache": 268_178_900,
        "l1d_cache_refill": 7_035_459,
        "ll_cache_miss_rd": 7_392_505,
        "task_clock": 1_549_906_000,
    }
    one = readings.reading(duration_ns=572_091_677, core="neoverse-n2", **shared)
    assert spoken(one)[0] == "false-sharing"
    alone = readings.reading(duration_ns=1_600_000_000, core="neoverse-n2", **shared)
    assert "false-sharing" not in spoken(alone)
    spread = readings.reading(duration_ns=572_091_677, core="neoverse-n2", dtlb_walk=5_000_000, **shared)
    assert "false-sharing" not in spoken(spread)


def test_without_stalls_and_misses_many_cycles_per_instruction_are_a_guess_that_says_so():
    (advice,) = analyze(
        readings.reading(core="cortex-a76", cpu_cycles=450_000_000, inst_retired=100_000_000)
    ).recommendations
    assert advice.rule == "cache-misses"
    assert advice.confidence is Confidence.LOW
    assert "was not counted" in advice.evidence[0]
    assert advice.expected_improvement.ceiling == pytest.approx(100 * (1 - 1 / 4.5 / 4))


def test_the_time_on_a_cpu_bounds_what_can_be_gained_where_cycles_were_not_counted():
    """bsort on a Graviton3, published: instructions, L1I misses and the time."""
    bsort = readings.reading(
        core="neoverse-v1", inst_retired=957_828_603, l1i_cache_refill=58_003_648, task_clock=282_541_000
    )
    (advice,) = analyze(bsort).recommendations
    assert advice.rule == "code-layout"
    gain = advice.expected_improvement
    assert gain.ceiling == pytest.approx(83.7, abs=0.1)
    assert gain.low <= 47.5 <= gain.high


def test_a_core_that_counts_what_stalls_waited_for_bounds_each_cause_by_it():
    code = readings.n3(
        stall_slot=150_000_000,
        stall_slot_frontend=105_000_000,
        stall_frontend=30_000_000,
        stall_frontend_membound=20_000_000,
        stall_frontend_l1i=8_000_000,
        stall_frontend_mem=2_000_000,
        stall_frontend_tlb=10_000_000,
        l1i_cache_refill=3_000_000,
    )
    (advice,) = analyze(code).recommendations
    assert advice.rule == "code-layout"
    assert advice.expected_improvement.ceiling == pytest.approx(20)  # 10 of 50 million cycles


def test_code_is_laid_out_before_it_is_put_on_huge_pages_though_these_promise_more():
    analysis = analyze(
        readings.n1(cpu_cycles=1e9, stall_frontend=6e8, inst_retired=5e8, l1i_cache_refill=6e6, itlb_walk=4e6)
    )
    ranked = {r.rule: r for r in analysis.recommendations}
    assert list(ranked) == ["hugetext", "code-layout"]
    assert ranked["hugetext"].depends_on == ("code-layout",)
    assert [step.rule for phase in analysis.roadmap for step in phase.steps] == ["code-layout", "hugetext"]


def test_advice_depends_on_what_is_advised_too_alone():
    analysis = analyze(readings.PROGRAMS["hugetext"])
    assert analysis.recommendations[0].rule == "hugetext"
    assert analysis.recommendations[0].depends_on == ()


# The tables


def test_no_rules_depend_on_each_other_in_a_circle():
    left = {rule.name: set(rule.depends_on) for rule in rules()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def test_every_rule_speaks_of_names_that_exist():
    names = {d.name for d in definitions()} | {node.name for node in tree().nodes}
    watched = {d.name for d in definitions()} | set(groups())
    known = {rule.name for rule in rules()}
    for rule in rules():
        assert set(rule.watch) <= watched, rule.name
        assert set(rule.depends_on) | set(rule.refined_by) <= known - {rule.name}, rule.name
        for way in rule.ways:
            assert {c.name for c in (*way.when, *way.unless)} | set(way.says_names) <= names, rule.name
            assert set(way.says_names) <= {c.name for c in way.when}, f"{rule.name}: says what it may not know"
            assert way.cause in {node.name for node in tree().nodes}
            assert way.stake is None or set(way.stake.names) <= names
            assert 0 <= way.realised[0] <= way.realised[1] < 1


def test_names_of_metrics_causes_and_constants_are_different():
    metrics, nodes = {d.name for d in definitions()}, {node.name for node in tree().nodes}
    assert not metrics & nodes
    assert not (metrics | nodes) & set(CONSTANTS)


def test_every_node_stands_below_its_parent_and_formulas_name_what_is_known_by_then():
    known = {d.name for d in definitions()} | set(CONSTANTS)
    for node in tree().nodes:
        assert node.parent is None or node.parent in known
        for way in node.ways:
            assert set(way.formula.names) <= known, node.name
            assert way.within is None or way.within in known
            way.says.format(core="a core", **dict.fromkeys(way.formula.names, 1.0))
        known.add(node.name)


def test_rules_are_there_for_every_cause_of_the_list():
    assert set(NAMES) >= {
        "data-layout", "hot-cold-split", "blocking", "prefetch", "pointer-chasing", "working-set-l2", "working-set-llc",
        "huge-pages", "code-layout", "hugetext", "branch-prediction", "indirect-calls", "dependency-chain", "vectorize",
        "divides", "line-crossing", "false-sharing", "contended-atomics", "lse-atomics", "barriers", "numa-placement",
        "memory-bandwidth",
    }  # fmt: skip
    assert {rule.name for rule in rules() if rule.aside} == {"do-less-work"}


def test_every_measured_case_has_a_source_and_saved_no_more_than_its_bound():
    for name, case in cases().items():
        assert case.source, name
        assert case.saved[0] <= case.saved[1]
        assert case.bound is None or case.saved[1] <= case.bound
        assert case.bound is None or case.realised == pytest.approx(case.saved[1] / case.bound, abs=0.05)


def test_the_gate_weighs_every_confidence_and_effort():
    assert set(gate().confidence) == {"low", "medium", "high"}
    assert set(gate().effort) == {"Low", "Medium", "High"}
    assert core_names()
