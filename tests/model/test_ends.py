"""However a program ends, what it did until then is counted; what cannot run is told in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from arm64_programs import Compile

from armprof import cli, model
from armprof.errors import ArmprofError

LOOP = 3_000_000  # instructions of a million turns


def counted(arm64: Compile, *words: str) -> tuple[float, model.Modelled]:
    """The instructions beyond the loop that every end begins with."""
    outcome = model.run([str(arm64("ends")), *words], events=["inst_retired"])
    return (outcome.reading.value("inst_retired") or 0) - LOOP, outcome


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("return", 0),
        ("exit", 3),
        ("segfault", 128 + signal.SIGSEGV),
        ("abort", 128 + signal.SIGABRT),
        ("kill", 128 + signal.SIGKILL),
    ],
)
def test_a_program_is_counted_up_to_its_end(arm64, how, status):
    beyond, outcome = counted(arm64, how)
    assert outcome.status == status
    assert 0 < beyond < 0.05 * LOOP


def test_a_program_that_is_killed_from_outside_is_counted_up_to_there(arm64):
    program = arm64("ends")
    script = (
        "import sys\nfrom armprof import model\n"
        "m = model.run(sys.argv[1:], events=['inst_retired'])\nprint(m.status, m.reading.value('inst_retired'))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(program), "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write("hello\n")
        process.stdin.flush()
        emulator = _child_that_sleeps(process.pid)
        os.kill(emulator, signal.SIGTERM)
        status, instructions = process.stdout.readline().split()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    assert int(status) == 128 + signal.SIGTERM
    assert LOOP < float(instructions) < 1.05 * LOOP


def _child_that_sleeps(parent: int) -> int:
    """The emulator, once its program has looped and waits for more to read."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children:
            words = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            if "qemu" in Path(f"/proc/{child}/cmdline").read_text() and words[0] == "S" and int(words[11]) > 0:
                return int(child)
        time.sleep(0.05)
    raise AssertionError("the emulator was not seen waiting")


def test_a_child_of_fork_is_counted_too(arm64):
    beyond, outcome = counted(arm64, "fork")
    assert 2 * LOOP < beyond < 2.05 * LOOP
    assert any("1 fork" in note for note in outcome.reading.notes)


def test_children_of_fork_count_into_what_those_before_them_left(arm64):
    beyond, outcome = counted(arm64, "forks", "40")
    assert beyond > 40 * 3000
    assert any("40 forks" in note for note in outcome.reading.notes)
    assert len(outcome.counts.banks) == 2  # one of the parent, one of all children, however they ended


def test_a_program_that_becomes_another_is_counted_up_to_there(arm64):
    beyond, outcome = counted(arm64, "exec", "/bin/true")
    assert 0 < beyond < 0.05 * LOOP
    assert any("1 exec" in note for note in outcome.reading.notes)


def test_a_program_has_its_own_input_and_output(arm64):
    command = [sys.executable, "-m", "armprof", "stat", "--source", "model", "--", str(arm64("ends")), "echo"]
    done = subprocess.run(command, input="one\ntwo\n", capture_output=True, text=True, cwd="/", check=False)
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n")
    assert "inst_retired" in done.stderr


def test_a_dynamically_linked_program_finds_the_cross_compilers_libraries(arm64):
    outcome = model.run([str(arm64("ends", "-dynamic")), "return"], events=["inst_retired"])
    assert outcome.status == 0
    assert LOOP < (outcome.reading.value("inst_retired") or 0) < 1.1 * LOOP


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\x00" + bytes(44), "not an ARM64 program but one for x86-64"),
        (b"\x7fELF\x01\x01\x01" + bytes(11) + b"\x28\x00" + bytes(44), "not an ARM64 program but one for ARM (32 bit)"),
        (b"#!/bin/sh\necho hello\n", "is a script: name its interpreter"),
        (b"MZ not a program of Linux", "it is no ELF file"),
        (b"", "it is no ELF file"),
    ],
)
def test_what_is_no_arm64_program_is_told_in_one_line(arm64, tmp_path, content, told, capsys):
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(0o755)
    assert cli.main(["stat", "--source", "model", "--", str(path)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--core", "neoverse-n9"], 2, "unknown core 'neoverse-n9'"),
        (["--set", "l1d_bites=1"], 2, "no setting 'l1d_bites'"),
        (["--set", "l1d_bytes=big"], 2, "not of the form NAME=N"),
        (["--set", "l1d_bytes=1000"], 2, "no multiple of its ways and lines"),
        (["--set", "l1d_ways=3"], 2, "no multiple of its ways and lines"),
        (["--set", "l1d_tlb=1000"], 2, "l1d_tlb=1000 is not from 2 to 254"),
        (["-e", "no_such_event"], 2, "unknown event 'no_such_event'"),
    ],
)
def test_a_wrong_word_is_told_in_one_line(arm64, words, status, told, capfd):
    assert cli.main(["stat", "--source", "model", *words, "--", str(arm64("ends"))]) == status
    error = capfd.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_the_options_of_the_model_need_the_model(capsys):
    assert cli.main(["stat", "--core", "neoverse-n1", "--", "true"]) == 2
    assert "are for --source model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("emulator", "told"),
    [
        (
            "#!/bin/sh\necho 'qemu-aarch64 version 5.2.0 (Debian 1:5.2)'; exit 1\n",
            "(qemu-aarch64 version 5.2.0) did not load the model",
        ),
        ("#!/bin/sh\nexit 1\n", "(of no version) did not load the model and ended with status 1"),
        ("not a program", "Exec format error"),
    ],
)
def test_an_emulator_that_cannot_load_the_model_is_told_in_one_line(
    arm64, tmp_path, monkeypatch, capfd, emulator, told
):
    program = str(arm64("ends"))
    (tmp_path / "qemu-aarch64").write_text(emulator)
    (tmp_path / "qemu-aarch64").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["stat", "--source", "model", "--", program, "return"]) in (2, 3)
    error = capfd.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert len(error.splitlines()) <= 2  # what is wrong, and what to do


def test_an_emulator_that_may_not_be_executed_is_named(arm64, tmp_path, monkeypatch, capfd):
    program = str(arm64("ends"))
    (tmp_path / "qemu-aarch64").write_text("")
    (tmp_path / "qemu-aarch64").chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["stat", "--source", "model", "--", program, "return"]) == 3
    assert f"{tmp_path}/qemu-aarch64, to run ARM64 programs in, is no program that may be run" in capfd.readouterr().err


def test_without_an_emulator_it_says_what_to_install(arm64, monkeypatch):
    program = str(arm64("ends"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ArmprofError, match="apt install qemu-user"):
        model.run([program])
