"""The command line itself: verbs, help, exit status, and what a shell does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import armprof
from armprof import cli
from armprof.commands import events
from armprof.errors import ArmprofError, CannotCount


def armprof_in_a_process(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "armprof", *words],
        capture_output=True,
        text=True,
        timeout=120,
        **more,  # type: ignore[call-overload]
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert cli.main(["-V"]) == 0
    assert capsys.readouterr() == (f"armprof {armprof.__version__}\n" * 2, "")


def test_python_m_armprof_is_armprof() -> None:
    found = armprof_in_a_process("--version")
    assert (found.returncode, found.stdout, found.stderr) == (0, f"armprof {armprof.__version__}\n", "")


def test_the_version_needs_no_heavy_import() -> None:
    code = (
        "import sys; before = set(sys.modules); from armprof.cli import main; main(['--version']); "
        "print(*{'argparse', 'cffi', 'numpy', 'pandas', 'rich', 'tomllib'} & (set(sys.modules) - before))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (found.stdout, found.stderr) == (f"armprof {armprof.__version__}\n\n", "")


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_names_every_verb(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for verb, does in cli.VERBS.items():
        assert f"  {verb:11} {does}" in out
    assert "Exit status: 0 done; 1 a gate failed; 2 bad usage or bad input;\n3 " in out
    assert max(map(len, out.splitlines())) <= 80


def test_no_words_are_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: armprof VERB" in "".join(capsys.readouterr())


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help_of_80_columns(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, "--help"])
    assert caught.value.code == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"usage: armprof {verb}")
    assert err == ""
    assert [line for line in out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("verb", cli.VERBS)
def test_a_wrong_option_is_bad_usage(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, "--no-such-option"])
    assert caught.value.code == 2
    assert f"armprof {verb}: error: " in capsys.readouterr().err


def test_a_verb_below_a_verb_has_a_usage_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["history", "prune", "some"])
    assert capsys.readouterr().err.startswith("usage: armprof history prune [-h] N\n")


@pytest.mark.parametrize("output", ["nowhere/file", "folder", "file/file"])
@pytest.mark.parametrize(
    "words",
    [
        ["bench", "--output", "OUTPUT"],
        ["stat", "--output", "OUTPUT", "--", "touch", "measured"],
        ["stat", "--save", "OUTPUT", "--", "touch", "measured"],
        ["record", "--output", "OUTPUT", "--", "touch", "measured"],
        ["ab", "--output", "OUTPUT", "--", "touch", "measured", "--", "touch", "measured"],
        ["report", "--output", "OUTPUT"],
        ["budget", "--output", "OUTPUT"],
    ],
    ids=lambda words: "".join(words[:2]),
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(
    words: list[str],
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in ("bench", "benching"):  # in this order: bench is imported with what benching has
        monkeypatch.setattr(f"armprof.commands.{verb}.known", None)  # what benches would fail
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert cli.main([output if word == "OUTPUT" else word for word in words]) == 2
    out, err = capsys.readouterr()
    assert (out, err[: len("armprof: cannot write ")], err.count("\n")) == ("", "armprof: cannot write ", 1)
    assert not (tmp_path / "measured").exists()


def test_an_unknown_verb_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"armprof: no verb 'profile'; there are {', '.join(cli.VERBS)}\n")


def test_a_module_beside_the_verbs_is_no_verb(capsys: pytest.CaptureFixture[str]) -> None:
    import_module("armprof.commands.reporting")
    assert cli.main(["reporting"]) == 2


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ArmprofError("the file is broken"), 2, "armprof: the file is broken\n"),
        (CannotCount("no PMU", "another machine"), 3, "armprof: no PMU; another machine\n"),
        (ArmprofError("a\nb\x1b[31m\u202e"), 2, "armprof: a b [31m \n"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    error: ArmprofError, status: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr(events, "run", fail)
    assert cli.main(["events"]) == status
    assert capsys.readouterr() == ("", line)


def test_ctrl_c_is_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(events, "run", interrupted)
    assert cli.main(["events"]) == 130
    assert capsys.readouterr() == ("", "armprof: interrupted\n")


def test_a_reader_that_leaves_early_ends_it_in_silence() -> None:
    """With the status of a program that SIGPIPE ended: behind `| head` a gate that failed must not pass."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "armprof", "events", "--core", "neoverse-n1"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    finally:
        os.close(writer)
    assert found.returncode == 128 + signal.SIGPIPE
    assert "BrokenPipe" not in found.stderr
    assert "Traceback" not in found.stderr
