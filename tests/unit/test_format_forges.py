"""GitLab's code quality and reviewdog's diagnostics, and where in the repository a finding is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reviews import check, review, reviews, texts

from armprof.report import gitlab, rdjson
from armprof.report.location import Location, located
from armprof.report.review import Grade, Review


def test_gitlab_gets_an_entry_for_each_finding_of_a_known_line() -> None:
    entries = json.loads(gitlab.render(review(check(), check("no line", location=None), check(grade=Grade.NOTE))))
    assert [entry["severity"] for entry in entries] == ["major", "info"]
    assert entries[0]["description"] == "book: p95_latency went from 12.0 ns to 15.0 ns"
    assert entries[0]["check_name"] == "p95-latency"
    assert entries[0]["location"] == {"path": "src/book.c", "lines": {"begin": 42}}


@given(reviews)
def test_gitlab_hides_none_of_them(what: Review) -> None:
    entries = json.loads(gitlab.render(what))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries) == len(list(what.placed()))
    assert all(
        entry.keys() == {"description", "check_name", "fingerprint", "severity", "location"} for entry in entries
    )


def test_reviewdog_gets_a_diagnostic() -> None:
    found = json.loads(rdjson.render(review(check(facts=("cycles +25 %",)))))
    assert found == {
        "source": {"name": "armprof compare"},
        "diagnostics": [
            {
                "message": "book: p95_latency went from 12.0 ns to 15.0 ns\ncycles +25 %",
                "location": {"path": "src/book.c", "range": {"start": {"line": 42}}},
                "severity": "ERROR",
                "code": {"value": "p95-latency"},
            }
        ],
    }


@given(reviews)
def test_reviewdog_gets_all_of_a_known_line(what: Review) -> None:
    found = json.loads(rdjson.render(what))["diagnostics"]
    assert [one["location"]["path"] for one in found] == [location.file for _, location, _ in what.placed()]


# ---- where it is -----------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, seen from a folder in it."""
    root = tmp_path / "repo"
    sources = ("src/f.c", "lib/f.c", "lib/deep/book.c", "src/a/util.c", "src/b/util.c")
    for name in (*sources, ".venv/hidden.c", "base/.git", "base/lib/deep/book.c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / ".git").mkdir()
    (tmp_path / "outside.c").touch()
    monkeypatch.chdir(root / "src")
    return root


def test_a_path_is_relative_to_the_repository(checkout: Path) -> None:
    assert located(str(checkout / "lib" / "f.c"), 3, "f") == Location("lib/f.c", 3, "f")
    assert located("f.c", 3) == Location("src/f.c", 3)
    assert located("../lib//./f.c", 3) == Location("lib/f.c", 3)


def test_a_name_is_the_one_file_that_ends_so(checkout: Path) -> None:
    assert located("book.c", 3) == Location("lib/deep/book.c", 3)
    assert located("../../deep/book.c", 3) == Location("lib/deep/book.c", 3)
    assert located("b/util.c", 3) == Location("src/b/util.c", 3)
    assert located("../x/a/util.c", 3) == Location("src/a/util.c", 3)


@pytest.mark.parametrize(
    "file",
    [
        None,
        "",
        ".",
        "..",
        "/usr/include/stdio.h",
        "/elsewhere/lib/deep/book.c",
        "../../outside.c",
        "util.c",
        "hidden.c",
        "gone.c",
        "a\nb.c",
        "\x1b[31m.c",
        "a" * 2000,
    ],
)
def test_what_may_not_be_in_the_repository_has_no_location(checkout: Path, file: str | None) -> None:
    assert located(file, 3) is None


@pytest.mark.parametrize("line", [None, 0, -1, 2**40])
def test_without_a_line_it_is_the_first(checkout: Path, line: int | None) -> None:
    assert located("f.c", line) == Location("src/f.c", 1)


@given(texts | st.lists(st.sampled_from(["..", ".", "f.c", "lib", "/", ""]), max_size=5).map("/".join))
def test_no_path_leads_out_of_the_repository(file: str) -> None:
    found = located(file)
    assert found is None or (Path(found.file).is_file() and not found.file.startswith(("/", "..")))
