"""Annotations as GitHub's runner reads them: what it finds is what was meant, and never a command of somebody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from reviews import check, many, review, reviews

from armprof.commands.reporting import add_to_step_summary
from armprof.errors import ArmprofError
from armprof.report import github
from armprof.report.review import Grade, Review

COMMAND = re.compile(r"^::(?P<command>[a-z-]+)(?: (?P<properties>.*?))?::(?P<message>.*)$")


def commands(rendered: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in what was printed, by the published grammar."""
    found = []
    for line in rendered.split("\n"):
        if match := COMMAND.match(line):
            properties = dict(part.split("=", 1) for part in match["properties"].split(","))
            properties = {key: decoded(value, {"%3A": ":", "%2C": ","}) for key, value in properties.items()}
            found.append((match["command"], properties, decoded(match["message"], {})))
    return found


def decoded(text: str, more: dict[str, str]) -> str:
    for code, mark in ({"%0D": "\r", "%0A": "\n"} | more | {"%25": "%"}).items():
        text = text.replace(code, mark)
    return text


def test_a_finding_is_a_command_at_its_line() -> None:
    assert github.render(review(check(facts=("cycles +25 %",)))) == (
        "::error file=src/book.c,line=42,title=Slower%3A p95 latency%3A book::"
        "book: p95_latency went from 12.0 ns to 15.0 ns%0Acycles +25 %25\n"
    )


def test_without_a_line_it_is_shown_with_the_run() -> None:
    ((command, properties, _),) = commands(github.render(review(check(grade=Grade.NOTE, location=None))))
    assert (command, list(properties)) == ("notice", ["title"])


def test_where_nothing_is_found_nothing_is_printed() -> None:
    assert github.render(review(check(grade=Grade.PASSED))) == ""


def test_ten_of_a_kind_are_annotated_the_worst_ones() -> None:
    rendered = github.render(many(13, Grade.WARNING))
    found = commands(rendered)
    assert [message.partition(":")[0] for _, _, message in found] == [f"component {i}" for i in range(12, 2, -1)]
    assert rendered.splitlines()[-1] == "armprof: 3 more of kind warning are not annotated"


@given(reviews)
def test_the_runner_finds_what_was_meant_and_nothing_else(what: Review) -> None:
    rendered = github.render(what)
    assert rendered.replace("\n", "").isprintable()
    found = commands(rendered)
    lines = [line for line in rendered.splitlines() if "::" in line]
    assert len(found) == len(lines) == len(what.findings)
    meant = [(github.COMMANDS[one.grade], "\n".join((one.message, *one.facts))) for one in what.findings]
    assert [(command, message) for command, _, message in found] == meant
    for (_, properties, _), one in zip(found, what.findings, strict=True):
        assert properties.keys() <= {"file", "line", "title"}
        assert properties.get("file") == (one.location.file if one.location else None)


def test_the_step_summary_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    add_to_step_summary("### armprof\n")
    add_to_step_summary("")
    assert summary.read_text() == "before\n### armprof\n"


def test_a_step_summary_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/null/none")
    with pytest.raises(ArmprofError, match=r"cannot write GITHUB_STEP_SUMMARY, /dev/null/none: Not a directory"):
        add_to_step_summary("### armprof\n")
