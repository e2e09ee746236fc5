"""Components compared with each other, and those of two revisions of a project, with whatever goes wrong on the way."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from armprof.cli import main
from armprof.compare.revised import ab_components, ab_revisions
from armprof.compare.verdict import Verdict
from armprof.components.callables import callable_
from armprof.components.revisions import Project
from armprof.errors import ArmprofError

WORK = "def work():\n    for _ in range({}):\n        pass\n"
CONFIG = "[components.work]\ncallable = 'work:work'\n"
MADE = "#!/bin/sh\nexit 0\n"


def git(folder: Path, *words: str) -> str:
    names = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=os.environ | names, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose last commit does ten times the work of the first, which is tagged `old`."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(
        folder,
        "first",
        work_py=WORK.format(2000),
        armprof_toml=CONFIG,
        make_sh=f"printf '{MADE}' > made; chmod +x made",
    )
    git(folder, "tag", "old")
    commit(folder, "second", work_py=WORK.format(20000))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def left(project: Path) -> tuple[list[str], str]:
    """Folders beside the project, and the trees that git knows."""
    return [path.name for path in project.parent.iterdir() if path != project], git(project, "worktree", "list")


def test_a_regression_between_two_revisions_is_found_and_nothing_is_left_behind(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left(project), git(project, "status", "--porcelain"), (project / "work.py").read_text()
    assert main(["ab", "--base", "old", "--seconds", "10", "work"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("work is slower: p50 +")
    assert f"old  old ({git(project, 'rev-parse', '--short=10', 'old^{commit}')})" in told
    assert (left(project), git(project, "status", "--porcelain"), (project / "work.py").read_text()) == before


def test_what_is_not_committed_is_not_compared_and_said(project: Path) -> None:
    (project / "work.py").write_text("raise SystemExit")  # of which nothing could be timed
    found = ab_revisions("HEAD", "HEAD", one("work:work"), seconds=0.3)
    (work,) = found.compared
    assert work.samples > 0
    assert "uncommitted changes of the working tree are on neither side" in found.notes
    assert (project / "work.py").read_text() == "raise SystemExit"


def one(reference: str):  # type: ignore[no-untyped-def]
    """Loads the function of a tree as its one component."""

    def load():  # type: ignore[no-untyped-def]
        from armprof.components.configured import load as module

        name, _, function = reference.partition(":")
        return {name: callable_(getattr(module(name, Path.cwd()), function), name, "", "", reference)}

    return load


def test_each_tree_is_built_and_its_command_run_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ab", "--base", "old", "--build", "sh make.sh", "--seconds", "0.5", "--", "./made"]
    assert main(words) in (0, 1)
    told = capsys.readouterr().out
    assert told.startswith("command is ")
    assert "samples of each side" in told
    assert not (project / "made").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--base=--help"], "has no revision '--help'"),
        (["--base", "; touch harm"], "has no revision '; touch harm'"),
        (["--base", "$(touch harm)"], "has no revision '$(touch harm)'"),
        (["--base=--output=harm"], "has no revision '--output=harm'"),
        (["--base", ""], "has no revision ''"),
        (["--base", "old", "--head", "nowhere"], "has no revision 'nowhere'"),
        (["--base", "old", "--build", "echo this is why >&2; exit 3"], "exit status 3, this is why"),
        (["--base", "old", "nothing"], "has no component 'nothing'"),
        (["--base", "old", "--", "./made"], "there is no such program"),
        (["--base", "old", "--symbol", "f"], "--symbol and --base name other sides each"),
        (["--build", "make", "--", "true", "--", "true"], "--head and --build are for revisions"),
        (["--loop", "--", "true", "--", "true"], "--loop is for --symbol"),
        (["--base", "old", "--"], "no command behind --"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_nothing_is_left_behind(
    words: list[str], says: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left(project)
    assert main(["ab", *words]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert left(project) == before
    assert not (project / "harm").exists()


def test_a_component_that_crashes_in_the_new_revision_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(project, "third", work_py="import os\ndef work():\n    os.abort()\n")
    assert main(["ab", "--base", "old", "work"]) == 2
    assert "component 'work' of HEAD (" in (err := capsys.readouterr().err)
    assert "SIGABRT" in err


def test_a_component_that_is_gone_in_the_new_revision_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(project, "third", armprof_toml="[components.other]\ncallable = 'work:work'\n")
    assert main(["ab", "--base", "old"]) == 2
    assert "HEAD (" in (err := capsys.readouterr().err)
    assert "has no component 'work'" in err


def test_outside_of_a_repository_there_are_no_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(ArmprofError, match=r"^git rev-parse: "):
        Project(Path("/"))


def test_two_components_are_compared_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("work.py").write_text(WORK.format(2000) + WORK.format(20000).replace("work", "more"))

    def load():  # type: ignore[no-untyped-def]
        return one("work:work")() | {"more": one("work:more")()["work"]}

    found = ab_components("work", "more", load, seconds=10)
    assert found.verdict == Verdict.SLOWER
    assert (found.old, found.new) == ("work", "more")


def test_a_kernel_is_compared_with_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "--component", "--seconds", "0.5", "object_pool", "object_pool"]) in (0, 1)
    assert "samples of each side" in capsys.readouterr().out


def test_a_component_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "--component", "object_pool", "objectpool"]) == 2
    assert "this folder has no component 'objectpool'" in capsys.readouterr().err
