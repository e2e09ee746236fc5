"""Which code did it: functions, lines, regions, threads, and what threads contend for."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from armprof import cli, model
from armprof.counters.model.where import FALSE_SHARING
from armprof.errors import ArmprofError, CannotCount

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module")
def walked(arm64):
    command = [str(arm64("walks")), "step", str(2 * MIB), "64", "2"]
    return model.run(command, "neoverse-n1", ["inst_retired", "l1d_cache_refill", "cpu_cycles"], prefetch=0)


def test_the_function_that_misses_is_named(walked):
    function, misses = next(iter(walked.functions("l1d_cache_refill").items()))
    assert function.startswith(("step", "work"))  # the one may be inlined into the other
    assert misses == pytest.approx(4 * 2 * MIB // 64, rel=0.01)


def test_the_line_that_misses_is_named(walked):
    line, misses = next(iter(walked.lines("l1d_cache_refill").items()))
    assert "walks.c:" in line
    assert misses == pytest.approx(4 * 2 * MIB // 64, rel=0.01)


@pytest.mark.parametrize("event", ["inst_retired", "l1d_cache_refill", "cpu_cycles"])
def test_functions_and_lines_add_up_to_the_whole(walked, event):
    whole = walked.reading.value(event)
    assert sum(walked.functions(event).values()) == pytest.approx(whole, abs=1)
    assert sum(walked.lines(event).values()) == pytest.approx(whole, abs=1)


def test_what_is_not_modelled_is_in_no_function(walked):
    with pytest.raises(CannotCount, match="stall_slot: the model estimates stalls of"):
        walked.functions("stall_slot")


def test_a_region_that_was_not_entered_is_told(walked):
    assert walked.regions == ("work",)
    with pytest.raises(ArmprofError, match="no region 'works'; it entered: work"):
        walked.region("works")


def test_the_regions_and_what_is_around_them_add_up(walked):
    inside = walked.region("work").value("l1d_cache_refill")
    assert inside == pytest.approx(walked.reading.value("l1d_cache_refill") / 2, rel=0.02)
    assert "entered 1 times" in walked.region("work").scope


def test_functions_and_lines_of_a_region_add_up_to_the_region(walked):
    inside = walked.region("work").value("l1d_cache_refill")
    assert sum(walked.functions("l1d_cache_refill", region="work").values()) == inside
    assert sum(walked.lines("l1d_cache_refill", region="work").values()) == inside
    assert inside < 0.6 * sum(walked.functions("l1d_cache_refill").values())
    with pytest.raises(ArmprofError, match="no region 'works'"):
        walked.lines("l1d_cache_refill", region="works")


def of_counters(outcome):
    return [c for c in outcome.atlas.contended if c.variable and c.variable.startswith("counters")]


def test_two_threads_that_write_to_one_line_are_told_with_functions_lines_and_variable(arm64):
    outcome = model.run([str(arm64("sharing")), "100"], events=["inst_retired"])
    (worst,) = of_counters(outcome)
    assert (worst.kind, worst.variable, worst.threads) == (FALSE_SHARING, "counters", (1, 2))
    assert {place.function for place in worst.places} == {"count_left", "count_right"}
    assert {Path(place.line.file).name for place in worst.places} == {"sharing.c"}
    assert any("false sharing: threads 1 and 2 took counters from each other" in n for n in outcome.reading.notes)


def test_padded_apart_they_are_not(arm64):
    outcome = model.run([str(arm64("sharing", "-DAPART=64")), "100"], events=["inst_retired"])
    assert not of_counters(outcome)
    assert not any("took counters" in note for note in outcome.reading.notes)


def test_two_threads_that_write_to_one_word_share_it_truly(arm64):
    outcome = model.run([str(arm64("sharing", "-DAPART=0")), "100"], events=["inst_retired"])
    assert {c.kind for c in of_counters(outcome)} == {"sharing"}


@pytest.mark.parametrize(
    ("apart", "event", "other"),
    [(8, "model_false_sharing", "model_true_sharing"), (0, "model_true_sharing", "model_false_sharing")],
)
def test_transfers_between_threads_are_events_of_functions_and_lines(arm64, apart, event, other):
    outcome = model.run([str(arm64("sharing", f"-DAPART={apart}")), "100"], events=[event, other])

    def counting(found):  # without the meeting, whose line goes to and fro, too
        return sum(value for name, value in found.items() if name.startswith("count_"))

    assert counting(outcome.functions(event)) >= 100
    assert counting(outcome.functions(other)) <= 10
    assert sum(v for line, v in outcome.lines(event).items() if "sharing.c:" in line) >= 100


def test_every_thread_is_counted(arm64):
    outcome = model.run([str(arm64("sharing")), "100"], events=["inst_retired"])
    by_thread = {int(bank.facts["order"]): int(bank.block("executed").sum()) for bank in outcome.counts.banks}
    assert len(by_thread) == 3
    assert by_thread[1] == pytest.approx(by_thread[2], rel=0.02)


def test_json_tells_where_with_every_event_and_the_contended_lines(arm64, capfd):
    command = ["stat", "--source", "model", "--core", "neoverse-n1", "--where", "--format", "json"]
    assert cli.main([*command, "--", str(arm64("sharing")), "100"]) == 0
    report = json.loads(capfd.readouterr().out)
    schema = json.loads((files("armprof.report") / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)
    (component,) = report["components"]
    counted = {name: c["value"] for name, c in component["counts"].items() if c["value"] is not None}
    where = component["where"]
    for shares in (where["functions"], where["lines"]):
        assert all(share["counts"].keys() == counted.keys() for share in shares)
        # What helpers of atomics count is shared out among the lines that call them: fractions.
        assert sum(share["counts"]["inst_retired"] for share in shares) == pytest.approx(counted["inst_retired"])
    assert {("count_left", "sharing.c"), ("count_right", "sharing.c")} <= {
        (share["place"]["function"], Path(share["place"]["file"] or "").name) for share in where["lines"]
    }
    (counters,) = (c for c in where["contended"] if c["variable"] == "counters")
    assert (counters["kind"], counters["threads"]) == ("false sharing", [1, 2])
    assert {place["function"] for place in counters["places"]} == {"count_left", "count_right"}


def test_without_where_json_says_nothing_of_it(arm64, capfd):
    assert cli.main(["stat", "--source", "model", "--format", "json", "--", str(arm64("ends")), "return"]) == 0
    assert json.loads(capfd.readouterr().out)["components"][0]["where"] is None


def test_the_command_line_tells_where(arm64, capfd):
    command = [str(arm64("walks")), "step", str(MIB), "64", "2"]
    assert cli.main(["stat", "--source", "model", "--core", "neoverse-n1", "--where", "--", *command]) == 0
    told = capfd.readouterr().err
    assert "cycles (est.)" in told
    assert "walks.c:" in told
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "cpu_cycles (estimate)" in told


def test_threads_count_into_what_those_before_them_left(arm64):
    outcome = model.run([str(arm64("threads")), "400"], events=["inst_retired"])
    assert outcome.status == 0
    looped = sum(v for name, v in outcome.functions("inst_retired").items() if name.startswith("loop "))
    assert looped == pytest.approx(400 * 3000, rel=0.02)
    assert len(outcome.counts.banks) <= 3
