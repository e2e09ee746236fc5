"""armprof.toml: what it states, what the defaults say where it is silent, and what is refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.budget import defaults, find, parse, read
from armprof.budget.headroom import PARTS
from armprof.budget.plan import Limit, Plan
from armprof.errors import ArmprofError


def limits(plan: Plan, section: str) -> dict[tuple[str, str], float]:
    found: tuple[Limit, ...] = getattr(plan, section)
    return {(limit.component, limit.figure): limit.value for limit in found}


# The defaults


def test_the_defaults_are_the_founding_design() -> None:
    plan = defaults()
    assert (plan.total.component, plan.total.figure, plan.total.value) == ("tick_to_trade", "p50_ns", 15_000)
    assert limits(plan, "targets") == {
        ("timing", "p50_ns"): 100,
        ("object_pool", "p50_ns"): 25,
        ("spsc_ring", "p50_ns"): 50,
        ("treasury", "p50_ns"): 100,
        ("itch50", "p50_ns"): 500,
        ("feed_handler", "throughput_per_s"): 1e6,
        ("order_book", "p50_ns"): 500,
        ("strategy", "p50_ns"): 2_000,
        ("risk", "p50_ns"): 1_000,
        ("tick_to_trade", "p50_ns"): 15_000,
    }
    assert limits(plan, "budgets") == {
        ("feed_handler", "p50_ns"): 2_000,
        ("strategy", "p50_ns"): 2_000,
        ("order_book", "p50_ns"): 2_000,
        ("risk", "p50_ns"): 1_000,
    }
    assert tuple(plan.weights.values()) == (0.40, 0.20, 0.15, 0.10, 0.05, 0.05, 0.05)


def test_every_default_says_where_it_is_from_and_none_is_stated_by_the_project() -> None:
    plan = defaults()
    for limit in (plan.total, *plan.targets, *plan.budgets, *plan.references):
        assert limit.source.startswith("founding design")
        assert not limit.stated


# What a file states


def test_an_empty_file_leaves_the_defaults() -> None:
    plan = parse("", "armprof.toml")
    assert (plan.total, plan.targets, plan.budgets) == (defaults().total, defaults().targets, defaults().budgets)
    assert plan.weights == defaults().weights


def test_what_a_file_states_of_a_component_takes_the_place_of_the_default() -> None:
    plan = parse("[budgets.order_book]\np99_ns = 300\n[targets.order_book]\np50_ns = 59\np99_ns = 250", "a.toml")
    assert limits(plan, "budgets")["order_book", "p99_ns"] == 300
    assert ("order_book", "p50_ns") not in limits(plan, "budgets")
    assert limits(plan, "budgets")["risk", "p50_ns"] == 1_000
    assert [limit.value for limit in plan.targets if limit.component == "order_book"] == [59, 250]
    stated = [limit for limit in plan.budgets if limit.stated]
    assert [(limit.component, limit.source) for limit in stated] == [("order_book", "a.toml")]


def test_the_total_is_stated_key_by_key() -> None:
    assert parse("[budget]\ntotal_ns = 900").total == Limit("tick_to_trade", "p50_ns", 900, "<text>", True)
    plan = parse('[budget]\ncomponent = "replay"\npercentile = "p99.9"\nsource = "the contract"')
    assert plan.total == Limit("replay", "p999_ns", 15_000, "the contract", True)


def test_a_component_may_have_any_name() -> None:
    assert limits(parse('[budgets."my parser, v2"]\np95_ns = 1.5'), "budgets")["my parser, v2", "p95_ns"] == 1.5


def test_weights_are_stated_as_a_whole() -> None:
    plan = parse("[headroom.weights]\nadvanced_risk = 0.25\nml_processing = 0.75")
    assert plan.weights == {"advanced_risk": 0.25, "ml_processing": 0.75}


def test_sections_of_others_are_passed_over() -> None:
    assert parse('[components.mine]\nlib = "./libx.so"').budgets == defaults().budgets


def test_the_file_of_the_folder_is_taken_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find() is defaults()
    (tmp_path / "armprof.toml").write_text("[budget]\ntotal_ns = 1\n", encoding="utf-8-sig")
    assert find().total.value == 1
    assert find().origin == "armprof.toml"


def test_the_page_shows_a_plan_that_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "budgets.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    plan = parse(shown)
    assert plan.weights == defaults().weights
    assert plan.spent_by == {"ml_processing": ("signal_model", "ranker")}


# What is refused

REFUSED = {
    "[budget]\ntotal_ns = ": "armprof.toml: line 2, the end: Invalid value",
    "[budget]\ntotal_ns = 1 2": "armprof.toml: line 2, column 14: Expected newline or end of document after a statement",
    "[budget]\ntotal_ns = true": "armprof.toml: budget.total_ns: expected a number of nanoseconds above 0, found true",
    "[budget]\ntotal_ns = -1": "budget.total_ns: expected a number of nanoseconds above 0, found -1",
    "[budget]\ntotal_ns = inf": "budget.total_ns: expected a number of nanoseconds above 0, found inf",
    "[budget]\ntotal_ns = nan": "budget.total_ns: expected a number of nanoseconds above 0, found nan",
    f"[budget]\ntotal_ns = 1{'0' * 400}": "budget.total_ns: expected a number of nanoseconds above 0",
    f"[budget]\ntotal_ns = 0x{'f' * 9000}": "budget.total_ns: expected a number of nanoseconds above 0",
    '[budget]\npercentile = "p98"': "budget.percentile: expected one of p50, p95, p99, p99.9, found 'p98'",
    "[budget]\ncomponent = 1": "budget.component: expected text, found 1",
    "[budget]\ntotal = 1": "budget.total: no such key; expected one of total_ns, component, percentile, source",
    "budgets = 1": "budgets: expected a table, found 1",
    "[budgets]\nrisk = 100": "budgets.risk: expected a table, found 100",
    "[budgets.risk]": "budgets.risk: expected one of p50_ns, p95_ns, p99_ns, p999_ns",
    "[budgets.risk]\np50 = 1": "budgets.risk.p50: no such key; expected one of p50_ns, p95_ns, p99_ns, p999_ns, mean_ns, ",
    '[budgets.risk]\np50_ns = "fast"': "budgets.risk.p50_ns: expected a number of nanoseconds above 0, found 'fast'",
    "[budgets.risk]\nthroughput_per_s = 1": "budgets.risk.throughput_per_s: no such key",
    "[targets.risk]\nthroughput_per_s = 0": "expected a number of operations per second above 0, found 0",
    '[targets."a b"]\nx = 0': 'targets."a b".x: no such key',
    "[budgts.risk]\np50_ns = 1": "budgts: no such section; did you mean budgets?",
    "[target.risk]\np50_ns = 1": "target: no such section; did you mean targets?",
    "[headroom]\nweight = 1": "headroom.weight: no such key; expected one of weights, components",
    "[headroom.weights]\nrisk = 1": "headroom.weights.risk: no such key; expected one of strategy_algorithm",
    "[headroom.weights]\nadvanced_risk = 2": "headroom.weights.advanced_risk: expected a number from 0 to 1, found 2",
    "[headroom.weights]\nadvanced_risk = 0.9": "headroom.weights: the weights sum to 0.9, not to 1",
    '[headroom.components]\nadvanced_risk = "x"': "headroom.components.advanced_risk: expected a list of components",
    "[headroom.components]\nadvanced_risk = [1]": "headroom.components.advanced_risk[0]: expected text, found 1",
    f"a = {'[' * 100_000}": "armprof.toml: nested too deeply",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_wrong_is_named_with_its_place_and_what_belongs_there(text: str, message: str) -> None:
    with pytest.raises(ArmprofError) as refusal:
        parse(text, "armprof.toml")
    said = str(refusal.value)
    assert message in said
    assert said.startswith("armprof.toml: ")
    assert "\n" not in said
    assert refusal.value.exit_code == 2


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArmprofError, match=r"cannot read .*none\.toml: No such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(ArmprofError, match="cannot read"):
        read(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"[budget]\n# \xe9\n")
    with pytest.raises(ArmprofError, match=r"latin\.toml: line 2: no UTF-8"):
        read(tmp_path / "latin.toml")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from(
    ("budget", "targets", "budgets", "headroom", "weights", "components", "total_ns", "p50_ns", "risk", *PARTS)
)
documents = st.dictionaries(keys, st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=3))


@given(documents)
def test_any_document_gives_a_plan_or_one_line(document: dict[str, object]) -> None:
    def loads(text: str) -> dict[str, object]:
        return document

    defaults()  # read once, and not from this document
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", loads)
        try:
            said = parse("", "armprof.toml").origin
        except ArmprofError as refusal:
            said = str(refusal).split(": ")[0]
    assert said == "armprof.toml"
