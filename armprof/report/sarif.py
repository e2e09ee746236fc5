"""SARIF 2.1.0 as GitHub code scanning takes it: alerts at the lines that are to be changed.

GitHub refuses a result without a location. So what is known of no line stands among the notifications of the invocation, where
SARIF has a place for what concerns no file, and no location is made up.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import armprof
from armprof.report.location import Location
from armprof.report.review import Check, Grade, Review, Rule

MOST_RESULTS = 5000  # that GitHub keeps of a run
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Grade.ERROR: "error", Grade.WARNING: "warning", Grade.NOTE: "note"}


def render(review: Review) -> str:
    """The findings of the review as JSON text, in ASCII."""
    placed = list(review.placed())
    rules = list({check.rule.id: check.rule for check in review.findings}.values())
    driver: dict[str, Any] = {
        "name": "armprof",
        "version": armprof.__version__,
        "semanticVersion": armprof.__version__,
        "rules": [_rule(rule) for rule in rules],
    }
    index = {rule.id: i for i, rule in enumerate(rules)}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"armprof {review.verb}/"},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": _notifications(review, len(placed))}
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(*one, index) for one in placed[:MOST_RESULTS]],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.description},
        "help": {"text": rule.description},
        "properties": {"tags": ["performance"]},
    }


def _result(check: Check, location: Location, fingerprint: str, index: dict[str, int]) -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(location.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": location.line},
        }
    }
    if location.function:
        place["logicalLocations"] = [{"name": location.function, "kind": "function"}]
    return {
        "ruleId": check.rule.id,
        "ruleIndex": index[check.rule.id],
        "level": LEVELS[check.grade],
        "message": {"text": "\n".join((check.message, *(f"- {fact}" for fact in check.facts)))},
        "locations": [place],
        # The one that GitHub reads, and without which what is posted twice is there twice.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "rank": min(100.0, max(0.0, check.cost)),
    }


def _notifications(review: Review, placed: int) -> list[dict[str, Any]]:
    told = [_notification(LEVELS[check.grade], check.message) for check in review.unplaced[:MOST_RESULTS]]
    left = placed - MOST_RESULTS
    if left > 0:
        told.append(
            _notification("warning", f"{left:,} more results are left out: GitHub keeps {MOST_RESULTS:,} of a run")
        )
    return told


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
