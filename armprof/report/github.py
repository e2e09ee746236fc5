"""Annotations of a GitHub workflow: commands that the runner finds in what a step prints.

GitHub keeps ten of a kind from each step and drops the others without a word: the worst ten are printed, and how many there are
besides. The step's summary, which has all, is `armprof.report.markdown`.
"""

from __future__ import annotations

from armprof.report.review import Check, Grade, Review

MOST = 10  # of a kind, in one step
COMMANDS = {Grade.ERROR: "error", Grade.WARNING: "warning", Grade.NOTE: "notice"}


def render(review: Review) -> str:
    """A command for each of the worst findings, one a line. Without a known line it is shown with the run."""
    lines = []
    for grade, command in COMMANDS.items():
        findings = [check for check in review.findings if check.grade is grade]
        lines += [_command(command, check) for check in findings[:MOST]]
        if len(findings) > MOST:
            lines.append(f"armprof: {len(findings) - MOST:,} more of kind {command} are not annotated")
    return "".join(f"{line}\n" for line in lines)


def _command(command: str, check: Check) -> str:
    properties = {"title": f"{check.rule.title}: {check.component}" if check.component else check.rule.title}
    if check.location:
        properties = {"file": check.location.file, "line": str(check.location.line), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {told}::{_data(chr(10).join((check.message, *check.facts)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
