"""A comparison from its first round to its verdict, on scripted pairs and on real ones that leave no doubt."""

from __future__ import annotations

import json
import mmap
import time
from array import array
from functools import partial
from importlib.resources import files
from pathlib import Path
from random import Random

import jsonschema
import pytest

import armprof
from armprof.cli import main
from armprof.compare.paired import Comparison, compare_pairs
from armprof.compare.verdict import Verdict
from armprof.components.pairs import PairCounts, Samples
from armprof.counters import pmu
from armprof.errors import ArmprofError, CannotCount
from armprof.report import ab as report

SCHEMA = json.loads((files("armprof.report") / "ab.schema.json").read_text(encoding="utf-8"))


class Scripted:
    """A pair that takes no time: the new side's samples are the old side's times a factor, in the noise of the seed."""

    batch = 1
    resolution = 0.0
    set_up_s = 0.0
    notes = ("scripted",)

    def __init__(self, factor: float, name: str = "", noise: float = 0.01) -> None:
        self.name = name
        self.rounds: list[bool] = []
        self._factor, self._noise, self._random = factor, noise, Random(1)

    def prepare(self, round_ns: float) -> None:
        self.round_ns = round_ns

    def round(self, new_first: bool) -> Samples:
        self.rounds.append(new_first)
        sides = [
            [factor * 1000 * self._random.lognormvariate(0, self._noise) for _ in range(100)]
            for factor in (1, self._factor)
        ]
        return array("d", sides[0]), array("d", sides[1])

    def count(self) -> PairCounts | None:
        return None

    def codes(self) -> tuple[str | None, str | None]:
        return "a", "a"


def compared(*pairs: Scripted) -> Comparison:
    return compare_pairs("old", "new", pairs, seconds=60, tolerance=0.01)


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.05, Verdict.SLOWER), (1 / 1.05, Verdict.FASTER), (1.0, Verdict.UNCHANGED)]
)
def test_a_comparison_comes_to_its_verdict(factor: float, verdict: Verdict) -> None:
    found = compared(Scripted(factor))
    assert found.verdict == verdict
    assert found.is_regression == (verdict == Verdict.SLOWER)
    assert found.compared[0].findings[0].change == pytest.approx(factor - 1, abs=0.005)


def test_the_same_code_that_is_slower_is_told() -> None:
    found = compared(Scripted(1.05))
    cause = found.compared[0].cause
    assert cause is not None
    assert (cause.code, cause.counters) == ("same", ())
    assert "its machine code is the same: a noisy host" in report.render(found)
    jsonschema.validate(json.loads(report.render_json(found)), SCHEMA)
    assert compared(Scripted(1.0)).compared[0].cause is None


def test_the_order_is_flipped_in_each_round() -> None:
    pair = Scripted(1.0)
    compared(pair)
    assert pair.rounds[:4] == [False, True, False, True]


def test_a_decided_pair_leaves_its_time_to_the_others() -> None:
    clear, noisy = Scripted(2.0, "clear"), Scripted(1.0, "noisy", noise=0.5)
    found = compared(clear, noisy)
    assert len(clear.rounds) < len(noisy.rounds)
    assert [one.rounds for one in found.compared] == [len(clear.rounds), len(noisy.rounds)]
    assert found.verdict == Verdict.SLOWER


def test_what_noise_hides_is_undecided_when_the_rounds_are_over() -> None:
    found = compared(Scripted(1.0, noise=2.0))
    assert found.verdict == Verdict.UNDECIDED
    assert not found.is_regression


def test_without_time_there_is_no_verdict_but_a_reason() -> None:
    found = compare_pairs("old", "new", [Scripted(1.5)], seconds=1e-9, tolerance=0.01)
    assert found.verdict == Verdict.UNDECIDED
    assert found.compared[0].findings[0].reason == "0 rounds, and 13 are the least to judge by: give it more seconds"
    assert report.render(found).startswith("new is undecided\n")
    assert repr(found) == "<Comparison of old with new: undecided (p50 undecided; p95 undecided; p99 undecided)>"


def test_setting_up_comes_on_top_of_the_time_up_to_a_limit() -> None:
    class Slow(Scripted):
        def round(self, new_first: bool) -> Samples:
            self.set_up_s += 1000.0
            return super().round(new_first)

    pair = Slow(1.0, noise=2.0)
    found = compare_pairs("old", "new", [pair], seconds=60, tolerance=0.01)
    assert len(pair.rounds) == 100
    assert found.seconds == 0


def test_functions_are_compared() -> None:
    short, long = (lambda: sum(range(300))), (lambda: sum(range(1500)))
    found = armprof.ab(short, long, seconds=30)
    assert found.verdict == Verdict.SLOWER
    assert found.seconds < 30
    assert found.compared[0].findings[0].change > 1  # type: ignore[operator]
    assert found.compared[0].counted is not None
    jsonschema.validate(json.loads(report.render_json(found)), SCHEMA)


def test_both_sides_are_counted_in_passes_of_their_own() -> None:
    def touch(pages: int) -> None:
        with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
            memory.write(bytes(len(memory)))

    found = armprof.ab(partial(touch, 50), partial(touch, 200), seconds=1)
    counted = found.compared[0].counted
    assert counted is not None
    old, new = (side["page_faults"].value for side in (counted.old, counted.new))
    assert old is not None
    assert new is not None
    assert new > 2 * old, "each call touches four times as many pages"
    assert "page_faults " in report.render(found)


def test_long_calls_are_not_counted() -> None:
    found = armprof.ab(lambda: time.sleep(0.01), lambda: time.sleep(0.01), seconds=0.1)
    assert found.compared[0].counted is None


def test_where_nothing_can_be_counted_the_times_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(work: object) -> object:
        raise CannotCount("no counters today", "come back")

    monkeypatch.setattr(pmu, "count", count)
    found = armprof.ab(lambda: None, lambda: None, seconds=2)
    assert found.compared[0].rounds > 0
    assert found.notes[-1] == "nothing was counted: no counters today; come back"


def test_what_a_function_raises_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        armprof.ab(lambda: 1 // 0, lambda: None)


def generator() -> object:
    yield


async def coroutine() -> None:
    pass


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (coroutine, r"ab\(\) of the coroutine coroutine\(\) would time its creation"),
        (3, r"ab\(\) calls two functions again and again, and 3 is none"),
        (generator, r"ab\(\) of the generator generator\(\) would count its creation"),
    ],
)
def test_what_is_no_function_is_refused(new: object, says: str) -> None:
    with pytest.raises(ArmprofError, match=says):
        armprof.ab(lambda: None, new)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"tolerance": -1}, {"seconds": float("nan")}, {"seconds": float("inf")}]
)
def test_a_budget_is_above_zero(wrong: dict[str, float]) -> None:
    with pytest.raises(ArmprofError, match="numbers above 0"):
        armprof.ab(lambda: None, lambda: None, **wrong)  # type: ignore[arg-type]


# ---- what is printed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [[Scripted(1.05)], [Scripted(1.0, "f"), Scripted(1.0, "g", noise=2.0)]])
def test_the_json_follows_its_schema(pairs: list[Scripted]) -> None:
    found = compared(*pairs)
    told = json.loads(report.render_json(found))
    jsonschema.validate(told, SCHEMA)
    assert told["exit_status"] == int(found.is_regression)
    assert [one["name"] for one in told["compared"]] == [pair.name for pair in pairs]
    assert all((one["reason"] is None) == (one["verdict"] != "undecided") for one in told["compared"][0]["percentiles"])


def test_the_text_says_it_first_and_fits_80_columns() -> None:
    lines = report.render(compared(Scripted(1.05, "decode"))).splitlines()
    assert lines[0].startswith("decode is slower: p50 +4.9")
    assert max(map(len, lines)) <= 80


def test_names_are_not_taken_for_markup() -> None:
    found = compare_pairs("[red]\x1b[2J", "b\nc", [Scripted(1.0)], seconds=60, tolerance=0.01)
    shown = report.render(found)
    assert "[red]?[2J" in shown
    assert "b?c" in shown


# ---- the verb --------------------------------------------------------------------------------------------------------


def test_a_slower_command_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "--seconds", "20", "--", "true", "--", "sleep", "0.1"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("new is slower: p50 +")
    assert "\nnew  sleep 0.1\n" in out
    assert err == ""


def test_a_report_goes_to_a_file_and_its_sentence_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "ab.json"
    assert main(["ab", "--seconds", "0.001", "--format", "json", "--output", str(output), "true", "true"]) == 0
    jsonschema.validate(json.loads(output.read_text()), SCHEMA)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("armprof: new is ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "two sides are compared"),
        (["--", "true"], "two sides are compared"),
        (["--", "true", "--"], "two sides are compared"),
        (["--symbol", "f", "--", "a.so", "more", "--", "b.so"], "with --symbol a side is one shared library"),
        (["--symbol", "f", "gone.so", "gone.so"], "cannot read gone.so"),
        (["--", "true", "--", "/nowhere"], "cannot run '/nowhere'"),
    ],
)
def test_bad_usage_is_one_line_and_2(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", *words]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
