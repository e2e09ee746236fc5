"""A run held against a plan: factors, utilization, words, alerts, what was not measured, and the advice."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from budget_runs import founding_system, run, timed
from hypothesis import given
from hypothesis import strategies as st

from armprof.budget import Action, assess, defaults, parse, words
from armprof.budget.assess import Assessment, mean_factor
from armprof.report.budget import render, render_json
from armprof.run.record import Component

SCHEMA = json.loads((files("armprof.report") / "budget.schema.json").read_text(encoding="utf-8"))

times = st.floats(1e-3, 1e12)


def judged(toml: str, *components: Component) -> Assessment:
    return assess(run(*components), parse(toml, "armprof.toml"))


# Words: the founding design's figures give the founding design's words


def test_the_figures_of_the_founding_design_give_its_words() -> None:
    assessed = assess(founding_system(), defaults())
    assert {target.limit.component: target.status for target in assessed.targets} == {
        "timing": words.EXCEEDS,  # 6x better
        "object_pool": words.EXCEEDS,  # 1.8x better
        "spsc_ring": words.MEETS,
        "treasury": words.ACCEPTABLE,
        "itch50": words.MEETS,
        "feed_handler": words.EXCEEDS,  # 98 % better
        "order_book": words.EXCEEDS,  # meets/exceeds
        "strategy": words.EXCEEDS,  # 3x better
        "risk": words.MEETS,
        "tick_to_trade": words.EXCEEDS,  # 22.5x better
    }
    assert assessed.total.utilization == pytest.approx(0.0445, abs=1e-4)
    assert assessed.total.status == "Excellent"
    assert assessed.headroom_ns == 14_333
    assert assessed.headroom_status == "MASSIVE OPTIMIZATION OPPORTUNITY"
    assert assessed.recommendation[0] is Action.LEVERAGE_HEADROOM
    assert "acceptable: treasury p50" in assessed.recommendation[1]
    assert assessed.exit_status == 0


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (("timing", "object_pool", "spsc_ring"), "EXCEPTIONAL"),
        (("feed_handler", "itch50", "treasury"), "EXCEEDS TARGETS"),
        (("strategy", "order_book", "risk"), "WORLD-CLASS"),
        (("tick_to_trade",), "WORLD-CLASS"),
    ],
)
def test_the_groups_of_the_founding_design_have_its_words(names: tuple[str, ...], word: str) -> None:
    targets = assess(founding_system(), defaults()).targets
    factors = tuple(t.factor for t in targets if t.limit.component in names and t.factor is not None)
    assert words.group(mean_factor(factors) or 0, factors) == word


@pytest.mark.parametrize(
    ("share", "word"),
    [
        (0.0005, "Exceptional"),
        (0.008, "Excellent"),
        (0.056, "Excellent"),
        (0.2, "Good"),
        (0.7, "Good"),
        (1, "Within budget"),
    ],
)
def test_the_utilizations_of_the_founding_design_have_its_words(share: float, word: str) -> None:
    assert words.at_most(words.UTILIZATION, share) == word


@given(times, times)
def test_a_word_never_contradicts_its_number(measured: float, limit: float) -> None:
    assessed = judged(f"[budgets.x]\np50_ns = {limit!r}\n[targets.x]\np50_ns = {limit!r}", timed("x", measured))
    target = next(t for t in assessed.targets if t.limit.component == "x")
    budget = next(b for b in assessed.budgets if b.limit.component == "x")
    assert (target.status in (words.EXCEEDS, words.MEETS)) == (measured <= limit)
    assert (budget.status == "EXCEEDED") == (measured > limit)
    assert bool(assessed.alerts) == (measured > limit)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=5))
def test_a_group_with_a_clear_miss_is_never_praised(factors: list[float]) -> None:
    mean = mean_factor(factors)
    assert mean is not None
    assert min(factors) * 0.999 <= mean <= max(factors) * 1.001
    word = words.group(mean, tuple(factors))
    if min(factors) < 2 / 3:
        assert word == words.GROUP_MISSES


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_better_number_never_gets_a_worse_word(one: float, other: float) -> None:
    for scale in (words.TARGET, words.GROUP, words.HEADROOM):
        order = [*(word for _, word in scale[0]), scale[1]]
        better, worse = words.at_least(scale, max(one, other)), words.at_least(scale, min(one, other))
        assert order.index(better) <= order.index(worse)


# Figures


def test_each_entry_is_judged_at_its_own_percentile() -> None:
    assessed = judged("[budgets.x]\np50_ns = 10\np99_ns = 10", timed("x", p50=5, p99=20))
    assert [budget.status for budget in assessed.budgets if budget.limit.component == "x"] == ["Good", "EXCEEDED"]
    assert [alert.name for alert in assessed.alerts] == ["x p99"]


def test_a_throughput_is_better_where_it_is_more() -> None:
    assessed = judged("[targets.x]\nthroughput_per_s = 1e6", timed("x", throughput=4e6))
    target = next(t for t in assessed.targets if t.limit.component == "x")
    assert target.factor == 4
    assert target.figure.label == "x throughput"


def test_percentiles_of_batches_and_of_few_samples_are_remarked() -> None:
    toml = "[budgets.x]\np50_ns = 9\np99_ns = 9\n"
    median, tail = (b.figure for b in judged(toml, timed("x", 5, batch=64)).budgets if b.limit.component == "x")
    assert median.remark is None
    assert "batches of 64 operations" in (tail.remark or "")
    median, tail = (b.figure for b in judged(toml, timed("x", 5, samples=20)).budgets if b.limit.component == "x")
    assert median.remark is None
    assert tail.remark == "of 20 samples: the largest of them"


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        (timed("other"), "not in the run"),
        (timed("xcomponemt"), "not in the run; the run has 'xcomponemt'"),
        (Component("xcomponent", "", "imported", "the command"), "the run has no time of one operation of it"),
        (timed("xcomponent", p50=0.0), "a time of one operation of 0 ns is none that was measured"),
    ],
)
def test_what_was_not_measured_is_none_with_a_reason(component: Component, reason: str) -> None:
    assessed = judged("[budgets.xcomponent]\np50_ns = 10", component)
    budget = next(b for b in assessed.budgets if b.limit.component == "xcomponent")
    assert (budget.figure.value, budget.utilization, budget.status, budget.validation) == (None, None, None, None)
    assert budget.figure.reason == reason
    assert next(m for m in assessed.missing if m.what == "xcomponent p50").required


def test_two_components_of_one_name_are_both_judged() -> None:
    assessed = judged("[budget]\ntotal_ns = 10\n[budgets.x]\np50_ns = 10", timed("x", 5), timed("x", 15))
    assert [b.status for b in assessed.budgets if b.limit.component == "x"] == ["Good", "EXCEEDED"]
    twice = judged("[budget]\ntotal_ns = 10", timed("tick_to_trade", 15), timed("tick_to_trade", 5))
    assert twice.total.figure.value == 15


# Headroom


def test_without_the_whole_there_is_no_headroom() -> None:
    assessed = judged("", timed("risk", 100))
    assert (assessed.headroom_ns, assessed.headroom_share, assessed.allocation) == (None, None, None)
    assert assessed.recommendation[0] is Action.MAINTAIN_STATUS
    assert "the headroom is not known" in assessed.recommendation[1]


def test_an_exceeded_total_leaves_nothing_to_allocate() -> None:
    assessed = judged("[budget]\ntotal_ns = 500", timed("tick_to_trade", 667))
    assert assessed.headroom_ns == -167
    assert assessed.allocation is not None
    assert assessed.allocation["ml_processing"] == 0
    assert assessed.headroom_status == "NO HEADROOM: THE BUDGET IS EXCEEDED"
    assert assessed.recommendation == (Action.INVESTIGATE_ISSUES, "exceeds its budget: tick_to_trade p50")


SPENDING = '[budget]\ntotal_ns = 1000\n[headroom.components]\nml_processing = ["a", "b"]'


@pytest.mark.parametrize(("b", "alerts", "status"), [(39, 0, 0), (41, 1, 1)])
def test_what_lives_on_the_headroom_is_held_against_its_part_together(b: float, alerts: int, status: int) -> None:
    assessed = judged(SPENDING, timed("tick_to_trade", 500), timed("a", 61), timed("b", b))  # 20 % of 500 ns are 100
    assert len(assessed.alerts) == alerts
    assert assessed.exit_status == status
    assert "a sum that is no percentile of the whole" in " ".join(render(run(), assessed).split())


def test_what_lives_on_a_headroom_that_is_not_known_is_not_judged() -> None:
    assessed = judged(SPENDING, timed("a", 1), timed("b", 1), timed("risk", 1))
    assert assessed.spending[0].validation is None
    assert "headroom is not known" in (assessed.spending[0].reason or "")
    assert assessed.exit_status == 3


# Exit status and advice


@pytest.mark.parametrize(
    ("toml", "components", "status"),
    [
        ("", [timed("risk", 100)], 0),  # the defaults judge what there is
        ("", [timed("object_pool", 1)], 3),  # ... but something with a budget
        ("", [], 3),
        ("", [timed("risk", 1_001)], 1),
        ("[budgets.risk]\np50_ns = 99", [timed("risk", 100)], 1),
        ("[budgets.mine]\np50_ns = 99", [timed("risk", 100)], 3),  # what the file states must be measured
        ("[budgets.mine]\np50_ns = 99", [timed("risk", 1_001)], 1),
        ("[targets.mine]\np50_ns = 99", [timed("risk", 100)], 0),  # a target is no gate
        ("[targets.risk]\np50_ns = 1", [timed("risk", 100)], 0),
        ("[budget]\ntotal_ns = 9", [timed("risk", 100)], 3),
        ("[budget]\ntotal_ns = 9", [timed("risk", 100), timed("tick_to_trade", 9)], 0),
    ],
)
def test_the_exit_status_is_that_of_the_budgets(toml: str, components: list[Component], status: int) -> None:
    assert judged(toml, *components).exit_status == status


@pytest.mark.parametrize(
    ("toml", "components", "action"),
    [
        ("", [timed("tick_to_trade", 7_500)], Action.LEVERAGE_HEADROOM),
        ("", [timed("tick_to_trade", 7_501)], Action.MAINTAIN_STATUS),
        ("", [timed("tick_to_trade", 667), timed("treasury", 139)], Action.LEVERAGE_HEADROOM),
        ("", [timed("tick_to_trade", 667), timed("treasury", 151)], Action.INVESTIGATE_ISSUES),
        ("[budgets.x]\np50_ns = 1", [timed("tick_to_trade", 667)], Action.INVESTIGATE_ISSUES),
        ("", [], None),
    ],
)
def test_the_advice_follows_from_the_numbers(toml: str, components: list[Component], action: Action | None) -> None:
    assert judged(toml, *components).recommendation[0] is action


# What is said of it


def strict(schema: Any) -> Any:
    """The schema, refusing fields that it does not name; what `allOf` adds to is left open."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    if "properties" in closed and closed.get("type") == "object" and "figure" not in closed["properties"]:
        closed.setdefault("additionalProperties", False)
    if "allOf" in closed:
        closed["unevaluatedProperties"] = False
    return closed


@pytest.mark.parametrize("toml", ["", "[budget]\ntotal_ns = 500", SPENDING, "[budgets.x]\np99_ns = 1"])
@pytest.mark.parametrize("measured", [founding_system(), run()])
def test_the_json_is_as_its_schema_says(toml: str, measured: Any) -> None:
    assessed = assess(measured, parse(toml))
    document = json.loads(render_json(measured, assessed))
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(document)
    assert document["exit_status"] == assessed.exit_status


def test_the_text_fits_80_columns_and_names_what_it_judges() -> None:
    measured = replace(founding_system(), host={"description": "x86_64: 2 CPUs, " + "Linux " * 20})
    plan = parse("[budgets.order_book]\np50_ns = 50\n[budgets.rsk]\np50_ns = 1", "armprof.toml")
    report = render(measured, assess(measured, plan))
    assert max(map(len, report.splitlines())) <= 80
    assert "order_book p50: 59 ns exceeds its budget of 50 ns by 9 ns (18.0 %)" in report
    assert "rsk p50: not in the run; the run has 'risk'; required" in report
    assert "Recommendation: INVESTIGATE_ISSUES" in report
