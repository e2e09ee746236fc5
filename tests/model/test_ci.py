"""The steps of the workflow of examples/ci, run: a change that makes a program slower fails, annotated at its line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from arm64_programs import Compile
from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[2]
WORKFLOW = PROJECT / "examples/ci/.github/workflows/armprof.yml"
ADDED = (Path(__file__).parent / "programs" / "added.c").read_text()


def step(name: str) -> str:
    (job,) = YAML(typ="safe").load(WORKFLOW.read_text())["jobs"].values()
    (found,) = (one["run"] for one in job["steps"] if one.get("name") == name)
    return str(found)


@pytest.mark.parametrize("is_slower", [True, False])
def test_its_steps_do_what_they_are_for(arm64: Compile, tmp_path: Path, is_slower: bool) -> None:
    arm64("ends")  # skips where nothing can be compiled
    compiler = "cc" if os.uname().machine == "aarch64" else "aarch64-linux-gnu-gcc"
    git = (
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-c",
        "commit.gpgsign=false",
        "-C",
        str(tmp_path),
    )

    def commit(source: str) -> str:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "bench.c").write_text(source)
        for words in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", "a change"]):
            subprocess.run([*git, *words], check=True)
        return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    subprocess.run([*git, "init", "-q"], check=True)
    base = commit(ADDED)
    commit(f"#define MORE 1\n{ADDED}" if is_slower else ADDED)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BASE": base,
        "BUILD": f"{compiler} -O2 -g -static src/bench.c -o bench",
        "COMMAND": "./bench",
        "CORE": "neoverse-n1",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }

    def run(name: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-e", "-o", "pipefail", "-c", step(name)]  # as the runner does
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    counted = run("Count")
    assert counted.returncode == 0, counted.stderr
    compared = run("Compare")
    assert compared.returncode == int(is_slower), compared.stderr
    assert (tmp_path / "armprof.sarif").exists()
    if is_slower:
        added = 2 + ADDED[: ADDED.index("the added load")].count("\n")
        told = re.search(r"::error file=src/bench.c,line=(\d+),title=More instructions", compared.stdout)
        assert told is not None, compared.stdout
        line = int(told[1])
        # What a line costs is all that tells it from its neighbours, and all of them moved by the line above.
        assert added <= line <= added + 2
        assert f"`src/bench.c:{line}`" in (tmp_path / "comment.md").read_text()
        assert (tmp_path / "summary.md").read_text() == (tmp_path / "comment.md").read_text()
    else:
        assert (compared.stdout, (tmp_path / "comment.md").read_text()) == ("", "")
