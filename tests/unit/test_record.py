"""armprof record, by the CPU's clock where no PMU counts: what is sampled is real, so no number is certain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import armprof
from armprof.cli import main
from armprof.errors import CannotCount
from armprof.samples import file
from armprof.samples.attribute import attribute
from armprof.samples.collect import sample_command, sample_process

BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: sum(range(1000))"


@pytest.fixture(scope="module", autouse=True)
def _something_can_be_sampled() -> None:
    try:
        sample_command(["true"])
    except CannotCount as why:
        pytest.skip(str(why))


def record(*words: str) -> int:
    return main(["record", *words])


def test_a_command_is_sampled_and_its_status_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "samples.json"
    command = f"{BUSY}\nprint('its own output')\nraise SystemExit(3)"
    assert record("--output", str(out), "--", sys.executable, "-c", command) == 3
    shown = capfd.readouterr()
    assert shown.out == "its own output\n"
    assert "function" in shown.err
    samples = file.parse(out.read_text())
    assert 20 < sum(row.samples for row in samples.rows) < 2000
    assert main(["report", str(out)]) == 0
    assert capfd.readouterr().out.startswith("samples of ")


@pytest.mark.parametrize("format", ["collapsed", "flamegraph", "json", "pprof", "speedscope"])
def test_a_file_of_samples_becomes_what_other_tools_read(format: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert record("--format", format, "--output", str(out), "--", sys.executable, "-c", BUSY) == 0
    assert out.stat().st_size > 50


def test_a_process_that_runs_is_sampled_until_it_ends() -> None:
    busy = subprocess.Popen([sys.executable, "-c", f"{BUSY}\n{BUSY}"])
    trace = sample_process(busy.pid, seconds=30)
    assert busy.wait() == 0
    assert len(trace.hits) > 5
    assert set(trace.hits["pid"].tolist()) == {busy.pid}
    assert trace.duration_ns < 30e9


def test_a_block_of_this_program_is_sampled() -> None:
    with armprof.sample() as sampled:
        sum(i * i for i in range(2_000_000))
    assert sampled.samples.functions()
    assert any(".so" in frame.module or "python" in frame.module for frame in sampled.samples.frames)
    with pytest.raises(armprof.ArmprofError, match="has not ended"), armprof.sample() as unfinished:
        _ = unfinished.samples


def test_events_of_a_group_are_read_at_the_samples_of_its_first() -> None:
    """By Linux 6.12 or later of what is followed; before by those who may sample all that runs."""
    try:
        outcome = sample_command([sys.executable, "-c", BUSY], ["cpu-clock", "page-faults"], group=True)
    except CannotCount as why:
        pytest.skip(str(why))
    clock, faults = outcome.trace.events
    assert clock.read_at is None
    assert faults.read_at == "cpu_clock"
    assert faults.every == "at each sample of cpu_clock"
    samples = attribute(outcome.trace)
    assert faults.count.raw is not None
    assert 0 < sum(row.weight for row in samples.rows_of("page_faults")) <= faults.count.raw
    assert samples.placed("page_faults") == pytest.approx(1, abs=0.5)  # those after the last sample have no place


def test_a_block_is_measured_and_sampled_at_once() -> None:
    with armprof.measure(["task-clock", "page-faults"]) as measured, armprof.sample(["cpu-clock"]) as sampled:
        sum(i * i for i in range(2_000_000))
    component = sampled.with_counts(measured)
    assert component.reading is measured.reading
    assert component.where is not None
    assert component.total("cpu_clock") == sum(row.weight for row in sampled.samples.rows)
    assert armprof.analyze(component).verdict == "not judged"  # by clocks alone


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_process_of_another_user_is_refused_with_that_reason() -> None:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            sample_process(os.getppid(), seconds=0.1)
        except CannotCount as refused:
            os.write(writing, str(refused).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        assert "it is another user's process; run as that user, or with CAP_PERFMON" in told.read()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give a command after --, or a process with --pid"),
        (("--pid", "1", "--", "true"), "give a command after --, or a process with --pid"),
        (("--pid", "99999999"), "there is no process 99999999"),
        (("--seconds", "1", "--", "true"), "--seconds is for --pid"),
        (("-F", "0", "--", "true"), "a frequency of 0: at least 1"),
        (("-F", "9", "-c", "9", "--", "true"), "a frequency and a period at once"),
        (("-e", "bogus", "--", "true"), "unknown event 'bogus'"),
        (("-e", "{cpu-clock}:S", "--", "true"), "a group is of two events or more"),
        (("-e", "{cpu-clock,page-faults}", "--", "true"), "a group is one, of all events, as in -e '{cycles,"),
        (("--", "/nowhere"), "cannot run '/nowhere': No such file or directory"),
        (("-e", "arm_spe_0//u", "--", "true"), "SPE is recorded by perf: `perf record -e arm_spe//u -- CMD`"),
    ],
)
def test_wrong_words_give_one_line(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(*words) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.count("\n") == 1
