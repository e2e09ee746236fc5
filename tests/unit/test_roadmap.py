"""The roadmap: stability, then the headroom, then micro-optimizations; nothing before what it depends on."""

from dataclasses import replace

import pytest
import report_runs as runs
from analysis_readings import n1
from hypothesis import given
from hypothesis import strategies as st

from armprof.analysis import Concern, Horizon, Priority, Room, analyze, roadmap
from armprof.analysis.joint import joint
from armprof.analysis.result import ImplementationEffort
from armprof.budget import defaults
from armprof.report.document import document
from armprof.report.planned import planned

BOTH = n1(
    cpu_cycles=200_000_000,
    stall_frontend=60_000_000,
    stall_backend=80_000_000,
    l1d_cache_refill=3_000_000,
    l1i_cache_refill=5_000_000,
)


def advice(*efforts, depends=None):
    """Recommendations a, b, ... of these efforts, the first with the most to gain."""
    one = analyze(BOTH).recommendations[0]
    made = [
        replace(one, rule=name, effort=ImplementationEffort(effort), score=9.0 - number)
        for number, (name, effort) in enumerate(zip("abcdef", efforts, strict=False))
    ]
    return [("x", replace(r, depends_on=tuple((depends or {}).get(r.rule, ())))) for r in made]


def placed(phases):
    return {step.rule or step.title: phase.horizon for phase in phases for step in phase.steps}


def test_effort_decides_when():
    assert placed(roadmap(advice("High", "Low", "Medium"))) == {
        "b": Horizon.IMMEDIATE,
        "c": Horizon.SHORT,
        "a": Horizon.MEDIUM,
    }


def test_phases_without_steps_are_none_and_the_others_are_numbered():
    phases = roadmap(advice("High", "Low"))
    assert [(p.number, p.horizon) for p in phases] == [(1, Horizon.IMMEDIATE), (2, Horizon.MEDIUM)]
    assert roadmap([]) == ()


def test_nothing_comes_before_what_it_depends_on():
    phases = roadmap(advice("Low", "Medium", "High", depends={"a": ["b"], "b": ["c"]}))
    (phase,) = phases
    assert phase.horizon is Horizon.MEDIUM
    assert [step.rule for step in phase.steps] == ["c", "b", "a"]


def test_a_circle_of_dependencies_ends():
    phases = roadmap(advice("Low", "Low", depends={"a": ["b"], "b": ["a"]}))
    assert sorted(step.rule for phase in phases for step in phase.steps) == ["a", "b"]


def test_stability_comes_first_and_takes_the_advice_for_its_component_along():
    phases = roadmap(
        [*advice("High"), ("y", advice("Low")[0][1])], [Concern("x", "Back within", "over")], [Room("r", "")]
    )
    assert [(s.priority, s.component, s.title) for s in phases[0].steps] == [
        (Priority.STABILITY, "x", "Back within"),
        (Priority.MICRO, "y", phases[0].steps[1].title),
    ]
    assert [step.priority for step in phases[1].steps] == [Priority.STABILITY]
    assert all(step.priority is not Priority.HEADROOM for phase in phases for step in phase.steps)


def test_headroom_is_used_before_micro_optimizations():
    phases = roadmap(advice("Low"), (), [Room("models", "40 %"), Room("monitoring", "5 %", later=True)])
    assert [(phase.title, phase.steps[0].title) for phase in phases] == [
        ("use of headroom", "models"),
        ("use of headroom", "monitoring"),
    ]
    assert phases[1].steps[1].priority is Priority.MICRO


def test_changes_against_one_cause_gain_of_what_the_others_leave_of_its_cycles():
    phases = roadmap(advice("Low", "Low"))
    (impact,) = phases[0].impacts
    gain = phases[0].steps[0].impact
    assert impact.high == pytest.approx(gain.ceiling * (1 - (1 - gain.high / gain.ceiling) ** 2))
    assert impact.low == 0


def test_a_phase_gains_no_more_than_what_its_changes_are_against_takes():
    counts = {"strex_spec": 6_000_000, "strex_fail_spec": 2_000_000}
    found = analyze(n1(cpu_cycles=200_000_000, stall_backend=120_000_000, **counts)).recommendations
    assert {r.rule for r in found} >= {"lse-atomics", "contended-atomics"}
    (phase,) = roadmap([("x", replace(r, effort=ImplementationEffort.LOW, depends_on=())) for r in found])
    (impact,) = phase.impacts
    assert max(r.expected_improvement.high for r in found) < impact.high < 60


def test_what_a_phase_gains_against_different_causes_adds_up():
    against = {"x": (("dtlb", 30.0), ("backend", 60.0)), "y": (("l1i", 20.0), ("frontend", 30.0))}
    gains = [(12.0, against["x"]), (10.0, against["y"])]
    assert joint(gains) == pytest.approx(22)
    assert joint([*gains, (45.0, (("memory", 50.0), ("backend", 60.0)))]) == pytest.approx(10 + 57)
    assert joint([(45.0, (("memory", 50.0), ("backend", 60.0))), (30.0, against["x"])]) == pytest.approx(60)
    assert joint([(30.0, (("backend", 60.0),)), (12.0, against["x"])]) == pytest.approx(12 + 24)
    assert joint([(50.0, ()), (12.0, against["x"])]) == pytest.approx(12 + 44)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["a", "b", "ab", "ac", "abd", ""])), max_size=8))
def test_all_changes_together_gain_at_least_as_much_as_each_and_never_more_than_all(drawn):
    size = {"a": 60.0, "b": 35.0, "ab": 40.0, "ac": 30.0, "abd": 20.0}
    gains = []
    for part, cause in drawn:
        bounds = tuple((cause[:end], size[cause[:end]]) for end in range(len(cause), 0, -1))
        gains.append((part * (bounds[0][1] if bounds else 100), bounds))
    together = joint(gains)
    assert max((gain for gain, _ in gains), default=0.0) <= together + 1e-9
    assert together <= 100 + 1e-9
    if all(cause.startswith("a") for _, cause in drawn):
        assert together <= 60 + 1e-9


def test_a_step_says_what_it_takes_and_how_to_verify_it():
    step = roadmap(advice("Low"))[0].to_dict()["steps"][0]
    assert step["priority"] == "micro-optimizations"
    assert step["impact"]["ceiling"] > step["impact"]["high"]
    assert step["verify"][0].startswith("armprof ab -- ")
    assert step["benefit"] == 9.0


@given(
    st.lists(st.sampled_from(["Low", "Medium", "High"]), max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)),
    st.booleans(),
    st.booleans(),
)
def test_every_recommendation_stands_in_one_phase(efforts, depends, endangered, room):
    given_advice = advice(*efforts, depends=depends)
    concerns = [Concern("x", "t", "r")] if endangered else []
    phases = roadmap(given_advice, concerns, [Room("r", "")] if room else [])
    steps = [step.rule for phase in phases for step in phase.steps if step.rule]
    assert sorted(steps) == sorted(r.rule for _, r in given_advice)
    ranks = [phase.horizon.rank for phase in phases]
    assert ranks == sorted(set(ranks))


# Of a run


def test_a_missed_budget_is_the_first_thing_to_do():
    slow = replace(runs.TIMES, p50_ns=20_000.0)
    run = runs.run(runs.kernel("tick_to_trade", latency=slow))
    phases = planned(run, [], defaults())
    assert phases[0].steps[0].title == "Bring it back within its budget"
    assert "exceeds its budget of 15,000 ns" in phases[0].steps[0].reason


def test_the_headroom_of_the_design_is_the_first_phase_where_nothing_is_wrong():
    run = runs.run(runs.kernel("tick_to_trade", latency=replace(runs.TIMES, p50_ns=667.0)))
    phases = document(run, defaults()).roadmap
    assert [step.title.split(":")[0] for step in phases[0].steps] == [
        "Strategy algorithms",
        "Machine learning",
        "Multi-agent coordination",
        "Advanced risk models",
    ]
    assert phases[0].steps[0].title.endswith("5.73 us of headroom to use")
    assert phases[1].horizon is Horizon.SHORT


def test_without_a_plan_there_is_what_is_recommended_alone():
    troubled = runs.kernel("parser", runs.reading(**runs.TROUBLED))
    steps = [step for phase in document(runs.run(runs.kernel("ring"), troubled)).roadmap for step in phase.steps]
    assert {step.component for step in steps} == {"parser"}
    assert {step.priority for step in steps} == {Priority.MICRO}
