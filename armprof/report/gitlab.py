"""GitLab's code quality report. It has no entry without a file and a line."""

from __future__ import annotations

import json

from armprof.report.review import Grade, Review

SEVERITIES = {Grade.ERROR: "major", Grade.WARNING: "minor", Grade.NOTE: "info"}


def render(review: Review) -> str:
    """The findings whose place is known as JSON text, in ASCII."""
    entries = [
        {
            "description": check.message,
            "check_name": check.rule.id,
            "fingerprint": fingerprint,
            "severity": SEVERITIES[check.grade],
            "location": {"path": location.file, "lines": {"begin": location.line}},
        }
        for check, location, fingerprint in review.placed()
    ]
    return json.dumps(entries, indent=1) + "\n"
