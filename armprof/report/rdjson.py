"""Diagnostics for reviewdog. It has no entry without a file."""

from __future__ import annotations

import json

from armprof.report.review import Grade, Review

SEVERITIES = {Grade.ERROR: "ERROR", Grade.WARNING: "WARNING", Grade.NOTE: "INFO"}


def render(review: Review) -> str:
    """The findings whose place is known as JSON text, in ASCII."""
    diagnostics = [
        {
            "message": "\n".join((check.message, *check.facts)),
            "location": {"path": location.file, "range": {"start": {"line": location.line}}},
            "severity": SEVERITIES[check.grade],
            "code": {"value": check.rule.id},
        }
        for check, location, _ in review.placed()
    ]
    return json.dumps({"source": {"name": f"armprof {review.verb}"}, "diagnostics": diagnostics}, indent=1) + "\n"
