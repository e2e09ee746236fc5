"""Every command and every piece of Python that the README, the pages and the examples print runs, and prints what they show."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pages
import pytest
from pages import PAGES, PROJECT, Block, Command
from ruamel.yaml import YAML

from armprof.cli import VERBS


def named(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", [page for page in PAGES if pages.blocks(page.read_text())], ids=named)
def test_what_a_page_says_happens(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    if why := pages.missing(text):
        pytest.skip(why)
    pages.workplace(tmp_path, page)
    for block in pages.blocks(text):
        printed = pages.run(block, pages.start(page, tmp_path))
        if block.kind == "console" and (block.varies or not pages.needs_arm64(text) or pages.is_compared()):
            for command, told in zip((c for c in block.commands if c.is_run), printed, strict=True):
                shown = command.shown or ""
                assert pages.is_shown(shown, told, block.varies), f"{named(page)}: $ {command.text}\n{shown}\n{told}"


# What is on a page and does not run is at least what it says: the kind of block, and what reads it.
READERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "yaml": YAML(typ="safe").load,
    "json": json.loads,
    "c": lambda text: subprocess.run(
        ["cc", "-std=c17", "-fsyntax-only", f"-I{PROJECT}/csrc/include", "-x", "c", "-"],
        input=text,
        text=True,
        check=True,
    ),
}
OTHER = re.compile(rf"^```({'|'.join(READERS)})\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if OTHER.search(page.read_text())], ids=named)
def test_what_a_page_shows_and_does_not_run_can_be_read(page: Path) -> None:
    for kind, text in OTHER.findall(page.read_text()):
        READERS[kind](text)


def test_every_block_is_run_or_read_or_no_more_than_text() -> None:
    kinds = {
        kind
        for page in PAGES
        for kind in re.findall(r"^```(\w*)\n.*?^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    }
    assert kinds <= {"sh", "console", "python", "text", *READERS}


@pytest.mark.parametrize(
    ("shown", "printed", "varies", "same"),
    [
        ("a 1\n", "a 1\n", False, True),
        ("a 1\n", "a 2\n", False, False),
        ("a.c:24 x\n", "a.c:25 x\n", False, False),
        ("1,004 of 2.50e+06 n1\n", "1,005  of 2.51e+06 n1\n", False, True),
        ("1,004 of 2.50e+06 n1\n", "1,005 of 2.51e+06 n2\n", False, False),
        ("1.8 % of 0.1\n", "1.9 % of 0.2\n", False, True),
        ("1.8 % of 0.1\n", "1.9 % of 0.3\n", False, False),
        ("102 %, line 23\n", "103 %, line 23\n", False, False),
        ("102.0 %, line 23\n", "103.0 %, line 23\n", False, True),
        ("102.0 %, line 23\n", "102.0 %, line 24\n", False, False),
        ("a 1\n", "a 2\n", True, True),
        ("took 15 ms, 3,000 in all\n", "took  1.2 s, 9 in all\n", True, True),
        ("took 15 ms\n", "lost 15 ms\n", True, False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", False, True),
        ("a\n...\nd\n", "a\nb\nc\n", False, False),
        ("", "more\n", False, False),
        ("made ... UTC\n", "made today UTC\n", False, True),
    ],
)
def test_what_is_shown_is_held_against_what_is_printed(shown: str, printed: str, varies: bool, same: bool) -> None:
    assert pages.is_shown(shown, printed, varies) is same


def test_a_console_is_commands_and_what_they_print(tmp_path: Path) -> None:
    (block,) = pages.blocks("text\n```console\n$ echo a \\\n  b\na b\n$ echo c >&2\nc\n$ sudo x\n```\n")
    assert block.commands == [
        Command("echo a \\\n  b", "a b\n"),
        Command("echo c >&2", "c\n"),
        Command("sudo x", ""),
    ]
    assert pages.run(block, tmp_path) == ["a b\n", "c\n"]


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(pages.CommandError, match="exit status 3"):
        pages.run(Block("sh", "(exit 3)\n", 0, 0, False), tmp_path)


def test_the_readme_shows_commands_and_python() -> None:
    kinds = {block.kind for block in pages.blocks((PROJECT / "README.md").read_text())}
    assert {"sh", "python"} <= kinds


def test_every_page_is_in_the_index_once() -> None:
    index = (PROJECT / "docs" / "README.md").read_text()
    listed = re.findall(r"^- \[[^]]+\]\(([a-z0-9-]+\.md)\)", index, re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in (PROJECT / "docs").glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_has_every_verb() -> None:
    assert [verb for verb in VERBS if f"armprof {verb}" not in (PROJECT / "README.md").read_text()] == []
