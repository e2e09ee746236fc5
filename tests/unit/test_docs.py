"""Every command and every piece of Python printed in the README and in docs/ runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from armprof.cli import VERBS

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Commands that are shown and not run here, each with the reason.
NOT_RUN = {
    "make report": "continuous integration runs it on a fresh machine",
    "make test": "this test is a part of it",
    "sudo sysctl": "changes the machine",
    "cd tests": "the suite of programs is in the repository, beside these tests",
    "python -m diagnosis": "tests/diagnosis runs it",
}


def blocks(kind: str) -> list[object]:
    return [
        pytest.param(page, text, id=f"{page.name}:{page.read_text()[: found.start()].count(chr(10)) + 1}")
        for page in PAGES
        for found in BLOCK.finditer(page.read_text())
        if (text := found[2]) and found[1] == kind
    ]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", COLUMNS="80")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with what the pages name: the examples and the C sources."""
    for name in ("examples", "csrc"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("page", "text"), blocks("sh"))
def test_the_commands_of_a_page_run(page: Path, text: str, workplace: Path) -> None:
    script = "\n".join(line for line in text.splitlines() if not line.startswith(tuple(NOT_RUN)))
    done = run(["bash", "-euc", script], workplace)
    assert done.returncode == 0, f"{page.name}:\n{script}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_the_python_of_a_page_runs(page: Path, text: str, workplace: Path) -> None:
    done = run([sys.executable, "-c", text], workplace)
    assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stderr}"


def test_the_readme_shows_commands_and_python() -> None:
    kinds = {found[1] for found in BLOCK.finditer((PROJECT / "README.md").read_text())}
    assert kinds == {"sh", "python"}


def test_every_page_is_in_the_index_once() -> None:
    index = (PROJECT / "docs" / "README.md").read_text()
    named = re.findall(r"\]\(([a-z-]+\.md)\)", index)
    assert sorted(named) == sorted(page.name for page in (PROJECT / "docs").glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_has_every_verb() -> None:
    assert [verb for verb in VERBS if f"armprof {verb}" not in (PROJECT / "README.md").read_text()] == []
