"""What the system refuses in the midst of a verb or of a measurement: one line and a status, whole files, nothing left behind.

ARMPROF_INTERRUPTS=200 interrupts each verb at so many moments.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from processes import forked, in_child, python

import armprof
from armprof import cli
from armprof.errors import ArmprofError
from armprof.monitor import Monitor

CSV = "9000000000,,cpu_cycles,3600000000,100.00,,\n4500000000,,inst_retired,3600000000,100.00,,\n"

# What each verb prints on stdout, from what the folder below has.
WORDS = {
    "doctor": "",
    "events": "--core neoverse-n1",
    "bench": "spsc_ring --seconds 0.01",
    "stat": "--format json -- true",
    "record": "--format json -- true",
    "inspect": "program",
    "budget": "run.json",
    "ab": "--seconds 0.01 -- true -- true",
    "compare": "run.json run.json",
    "history": "",
    "monitor": "--duration 300ms --interval 100ms",
    "trends": "--store monitor.db",
    "report": "counts.csv",
    "completion": "bash",
}
ELSEWHERE = {"fleet"}  # needs a Prometheus to say anything


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, counts, an ARM64 program and a store of the monitor."""
    made = tmp_path_factory.mktemp("faults")
    (made / "counts.csv").write_text(CSV)
    (made / "program").write_bytes(_program())
    for words in (
        "bench spsc_ring --seconds 0.01 --output run.json",
        "monitor --quiet --duration 1200ms --store monitor.db",
    ):
        assert _verb(words.split(), made).startswith(("0\n", "1\n")), words
    return made


def _program() -> bytes:
    """Little more than an ELF header: an ARM64 library without code."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + (3).to_bytes(2, "little") + (183).to_bytes(2, "little")
    return head.ljust(256, b"\0")


def _verb(
    words: list[str], folder: Path, prepare: Callable[[], object] = lambda: None, stdout: int | None = None
) -> str:
    """Runs the verb in a child: its status, and below it what it said on stderr."""

    def run() -> str:
        os.chdir(folder)
        said = os.open(folder / f"stderr-{os.getpid()}", os.O_RDWR | os.O_CREAT)
        os.dup2(said, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY) if stdout is None else stdout, 1)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        prepare()
        try:
            status: object = cli.main(words)
        except SystemExit as end:
            status = end.code
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        return f"{status}\n" + os.pread(said, 1 << 20, 0).decode()

    return in_child(run)


def lines_of(said: str) -> list[str]:
    """What armprof said of errors; other lines tell what is measured."""
    return [line for line in said.splitlines()[1:] if line.startswith("armprof: cannot")]


# ---- streams ----------------------------------------------------------------------------------------------------------


def test_every_verb_is_tried() -> None:
    assert set(WORDS) | ELSEWHERE == set(cli.VERBS)


@pytest.mark.parametrize("verb", WORDS)
def test_a_full_disk_behind_stdout_is_one_line_and_no_success(verb: str, folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        said = _verb([verb, *WORDS[verb].split()], folder, stdout=full.fileno())
    assert said.splitlines()[0] == "2"
    assert lines_of(said) == ["armprof: cannot write to standard output: No space left on device"]
    assert "Traceback" not in said


@pytest.mark.parametrize("verb", WORDS)
def test_a_reader_that_has_left_ends_a_verb_as_a_signal_would(verb: str, folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    said = _verb([verb, *WORDS[verb].split()], folder, stdout=writer)
    os.close(writer)
    assert said.splitlines()[0] == str(128 + signal.SIGPIPE)
    assert lines_of(said) == []
    assert "Traceback" not in said


@pytest.mark.parametrize("words", ["--version", "--help", "stat --help", "completion bash"])
def test_what_is_only_printed_fails_alike(words: str, folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        said = _verb(words.split(), folder, stdout=full.fileno())
    assert said == "2\narmprof: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("closed", "words", "status", "told"),
    [
        ([1], "completion bash", "2", "armprof: cannot write to standard output: Bad file descriptor\n"),
        ([0], "report -", "2", "armprof: standard input is empty"),
        ([0, 1, 2], "stat --save saved.json -- true", "0", ""),
    ],
)
def test_streams_that_were_closed_are_no_file_of_ours(
    closed: list[int], words: str, status: str, told: str, folder: Path
) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)
            setattr(sys, ("stdin", "stdout", "stderr")[number], None)

    said = _verb(words.split(), folder, close)
    assert said.splitlines()[0] == status
    assert said.partition("\n")[2].startswith(told)
    if "--save" in words:
        assert json.loads((folder / "saved.json").read_text())["components"]


@pytest.mark.parametrize(
    ("words", "file"),
    [("stat --save kept.json -- true", "kept.json"), ("record --output samples.json -- true", "samples.json")],
)
def test_a_measurement_is_kept_where_nobody_can_be_told_of_it(words: str, file: str, folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        _verb(words.split(), folder, lambda: os.dup2(full.fileno(), 2))
    assert json.loads((folder / file).read_text())


# ---- Ctrl-C -----------------------------------------------------------------------------------------------------------


INTERRUPTS = int(os.environ.get("ARMPROF_INTERRUPTS", "3"))
INTERRUPTED = """
import os, signal, sys, time
from armprof.cli import main

sys.argv, moment = ["armprof", *{words}], {moment}
signal.signal(signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGINT))
began = time.process_time()
signal.setitimer(signal.ITIMER_PROF, moment)
status = main()
signal.setitimer(signal.ITIMER_PROF, 0)
print(time.process_time() - began)
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("stat --save stat.json -- sleep 0.02", "stat.json"),
        ("record --output record.json -- sleep 0.02", "record.json"),
        ("report counts.csv --format json --output report.json", "report.json"),
        ("monitor --quiet --duration 400ms --store interrupted.db", "interrupted.db"),
    ],
    ids=lambda words: words.split()[0],
)
def test_an_interrupt_at_any_moment_leaves_whole_files_and_one_line(
    words: str, file: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments are of its own CPU time, so that a busy machine does not move them."""
    monkeypatch.chdir(folder)
    whole = python(INTERRUPTED.format(words=words.split(), moment=0))
    assert whole.returncode == 0, whole.stderr
    for number in range(INTERRUPTS):
        moment = float(whole.stdout) * (number + 0.5) / INTERRUPTS
        Path(file).unlink(missing_ok=True)
        done = python(INTERRUPTED.format(words=words.split(), moment=moment))
        assert done.returncode in (0, 128 + signal.SIGINT, -signal.SIGINT), (moment, done.stderr)
        assert "Traceback" not in done.stderr, (moment, done.stderr)
        if done.returncode > 0:
            assert done.stderr.endswith("armprof: interrupted\n"), (moment, done.stderr)
        if Path(file).exists():
            assert _is_whole(Path(file)), moment
        assert list(folder.glob(".*")) == [], moment  # as files that are not whole are named


def _is_whole(path: Path) -> bool:
    if path.suffix == ".json":
        return bool(json.loads(path.read_text()))
    with contextlib.closing(sqlite3.connect(path)) as store:
        return store.execute("PRAGMA quick_check").fetchone() == ("ok",)


# ---- descriptors and memory -------------------------------------------------------------------------------------------


def _few_descriptors(more: int) -> Callable[[], object]:
    def limit() -> None:
        number = len(os.listdir("/proc/self/fd")) + more
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

    return limit


@pytest.mark.parametrize(
    "words",
    ["stat -- true", "record -- true", "report counts.csv", "monitor --duration 200ms", "record --pid 1", "doctor"],
)
def test_without_descriptors_a_verb_says_so_or_does_without(words: str, folder: Path) -> None:
    for more in (0, 2, 5):
        said = _verb(words.split(), folder, _few_descriptors(more))
        assert said.splitlines()[0] in ("0", "2", "3"), said
        assert "Traceback" not in said
        assert "open files" not in said or "ulimit -n" in said, said
        if not said.startswith("0"):
            assert said.splitlines()[-1].startswith("armprof: "), said


def work() -> None:
    sum(range(20_000))


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer itself wants terabytes")
def test_without_memory_nothing_crashes_and_no_number_is_made_up() -> None:
    """A block alone: where a thread is to start, CPython itself waits for ever for one that found no memory."""

    def limited(kib: int) -> str:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + kib * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            with armprof.measure(["task_clock", "page_faults"]) as m:
                work()
            return str([(count.value is None) == bool(count.reason) for count in m.counts.values()])
        except (ArmprofError, MemoryError) as error:
            return type(error).__name__

    for kib in (0, 16, 64, 256, 1024, 4096, 16384, 65536):
        assert "False" not in in_child(partial(limited, kib))


# ---- fork, exec, CPUs -------------------------------------------------------------------------------------------------


def test_a_fork_while_a_block_is_sampled_leaves_the_sampling_to_the_parent() -> None:
    with armprof.sample() as sampled:
        told = in_child(lambda: (work(), "child")[1])
        work()
    assert told == "child"
    assert sampled.samples is not None


@forked
def test_a_fork_while_the_program_is_monitored_from_within_leaves_that_to_the_parent(tmp_path: Path) -> None:
    with Monitor(store=tmp_path / "m.db", interval="20ms"):
        time.sleep(0.05)
        assert in_child(lambda: threading.active_count()) == "1"
        time.sleep(0.05)


@pytest.mark.parametrize("inside", ["armprof.measure(['task_clock'])", "armprof.sample()", "armprof.region('r')"])
def test_exec_within_a_block_passes_nothing_on(inside: str) -> None:
    ls = "[os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')]"
    done = python(
        f"import armprof, os, sys\nblock = {inside}\nblock.__enter__()\n"
        f"os.execv(sys.executable, [sys.executable, '-S', '-c', \"import os; print({ls})\"])"
    )
    assert done.returncode == 0, done.stderr
    assert "perf_event" not in done.stdout


@forked
def test_a_block_counts_wherever_its_thread_is_sent() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    with armprof.measure(["task_clock"]) as m:
        for cpu in allowed * 3:
            os.sched_setaffinity(0, {cpu})
            work()
    count = m.counts["task_clock"]
    assert count.value is not None
    assert count.coverage == 1.0


@pytest.mark.parametrize(
    "words", ["stat -- true", "record -- true", "monitor --duration 200ms", "bench spsc_ring --seconds 0.01"]
)
def test_a_process_that_may_use_one_cpu_alone_is_served(words: str, folder: Path) -> None:
    for cpu in sorted(os.sched_getaffinity(0))[:2]:
        said = _verb(words.split(), folder, lambda cpu=cpu: os.sched_setaffinity(0, {cpu}))
        assert said.startswith("0\n"), said
