"""armprof completion and the manual page, which the build makes from the parser of the command line."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import python

from armprof import cli
from armprof.commands.completion import SHELLS
from armprof.commands.verbs import VERBS, parser

MANUAL = Path(sys.prefix, "share/man/man1/armprof.1")

# Stands before the import system as if nothing but Python was installed, as where the package is built.
ALONE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {NEEDED} or name in ("armprof._native", "armprof._blocks", "armprof._dwarf"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
""".replace(
    "{NEEDED}",
    repr({"capstone", "cffi", "_cffi_backend", "numpy", "pandas", "pydemumble", "rich", "fcntl", "resource"}),
)


def options(of: argparse.ArgumentParser) -> Iterator[str]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)
        yield from (word for word in action.option_strings if word.startswith("--") and word != "--help")


def completed(words: list[str]) -> list[str]:
    """What bash offers for the last of the words."""
    script = """
source <(armprof completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_shtab_armprof
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.split()


def test_the_parser_of_all_verbs_needs_nothing_but_python() -> None:
    done = python(f"{ALONE}from armprof.commands.verbs import parser\nprint(parser().format_help())")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n    {verb}" in done.stdout for verb in VERBS)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_verb_and_option(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [verb for verb in VERBS if not re.search(rf"\b{verb}\b", script)] == []
    named = "-l {}" if shell == "fish" else "--{}"
    assert [word for word in options(parser()) if named.format(word[2:]) not in script] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_one_for_its_shell(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    cli.main(["completion", shell])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    subprocess.run([shell, "-n", tmp_path / "script"], check=True)


def test_bash_completes_verbs_options_and_cores() -> None:
    assert completed(["armprof", "comp"]) == ["compare", "completion"]
    assert completed(["armprof", "report", "--ann"]) == ["--annotate"]
    assert "neoverse-v2" in completed(["armprof", "inspect", "--core", "neo"])


def test_an_unknown_shell_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["completion", "cmd"])
    assert caught.value.code == 2
    assert "choose from" in capsys.readouterr().err


def test_the_manual_page_tells_of_every_verb_and_option() -> None:
    page = MANUAL.read_text().replace(r"\-", "-")
    assert [verb for verb in VERBS if f"armprof {verb}" not in page] == []
    assert [word for word in options(parser()) if f"{word}" not in page] == []
    assert "Exit status: 0 done; 1 a gate failed" in re.sub(r"\s+", " ", page)


def test_the_manual_page_is_one() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", MANUAL], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "usage: armprof stat [-e EVENT,...]" in re.sub("\x1b\\[[0-9;]*m", "", done.stdout)
