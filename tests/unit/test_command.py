"""Counting a command: it runs as it would alone, and nothing of armprof is in its counts."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import forked, in_child

from armprof.counters import pmu
from armprof.counters.command import count_command
from armprof.counters.reading import Status
from armprof.errors import ArmprofError, CannotCount

CLOCK = ["task_clock"]
SPIN = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"  # some 20 ms of a shell


def seconds(reading: pmu.Reading) -> float:
    count = reading["task_clock"]
    assert count.status is Status.COUNTED, count
    assert count.value is not None
    return count.value / 1e9


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):  # no zombie
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(("command", "status"), [(["true"], 0), (["false"], 1), (["sh", "-c", "exit 42"], 42)])
def test_the_exit_status_is_the_commands(command, status):
    assert count_command(command, CLOCK).status == status


def test_the_command_is_counted_from_its_exec_to_its_end():
    reading = count_command(["sh", "-c", SPIN], CLOCK).reading
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert 0 < seconds(reading) <= used.ru_utime + used.ru_stime + 0.1
    assert reading.scope == "the command with the threads and children it starts, user mode"
    assert reading.access == "read()"
    assert dict(reading.overhead) == {}


def test_what_the_command_starts_is_counted_with_it():
    alone = seconds(count_command(["sh", "-c", SPIN], CLOCK).reading)
    children = seconds(count_command(["sh", "-c", f"({SPIN}); ({SPIN}); ({SPIN}) | cat"], CLOCK).reading)
    assert children > 1.5 * alone


def test_what_this_process_does_meanwhile_is_not_counted():
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)])
    busy.start()
    reading = count_command(["sleep", "0.2"], CLOCK).reading
    stop.set()
    busy.join()
    assert seconds(reading) < 0.1
    assert reading.duration_ns is not None
    assert reading.duration_ns >= 0.2e9


def test_by_default_everything_that_the_metrics_need_is_there_with_or_without_a_value():
    reading = count_command(["true"]).reading
    assert {"cpu_cycles", "inst_retired", "l1d_cache", "task_clock", "page_faults"} <= set(reading.counts)
    assert (reading.value("page_faults") or 0) > 0
    for count in reading.counts.values():
        assert (count.value is None) == bool(count.reason) or count.status is Status.SCALED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_signal_that_ends_the_command_becomes_128_and_its_number(number):
    outcome = count_command(["sh", "-c", f"kill -{int(number)} $$"], CLOCK)
    assert outcome.status == 128 + number
    assert seconds(outcome.reading) > 0


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/no/such/command"], "No such file or directory"),
        (["no-such-command-in-the-path"], "No such file or directory"),
        (["/"], "Permission denied"),
        (["true", "a\0b"], "embedded null byte"),
    ],
)
def test_a_command_that_cannot_be_run_is_one_line(command, why):
    with pytest.raises(ArmprofError) as refused:
        count_command(command, CLOCK)
    assert str(refused.value) == f"cannot run {command[0]!r}: {why}"


def test_a_file_that_may_not_be_run_or_is_no_program_is_one_line(tmp_path: Path):
    file = tmp_path / "data"
    file.write_bytes(b"\0\0no program")
    with pytest.raises(ArmprofError, match="Permission denied"):
        count_command([str(file)], CLOCK)
    file.chmod(0o755)
    with pytest.raises(ArmprofError, match="Exec format error"):
        count_command([str(file)], CLOCK)


@pytest.mark.parametrize("command", [[], [""]])
def test_no_command_is_an_error(command):
    with pytest.raises(ArmprofError, match="no command to count"):
        count_command(command, CLOCK)


def test_an_unknown_event_is_an_error_before_the_command_runs(tmp_path: Path):
    with pytest.raises(ArmprofError, match="unknown event"):
        count_command(["touch", str(tmp_path / "ran")], ["no such event"])
    assert not (tmp_path / "ran").exists()


def test_its_input_and_output_are_its_own(tmp_path: Path):
    (tmp_path / "in").write_text("from stdin\n")

    @forked
    def with_other_streams() -> None:
        for number, name, flags in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
            os.dup2(os.open(tmp_path / name, flags | os.O_CREAT), number)
        assert count_command(["sh", "-c", "cat; echo to stderr >&2"], CLOCK).status == 0

    with_other_streams()
    assert (tmp_path / "out").read_text() == "from stdin\n"
    assert (tmp_path / "err").read_text() == "to stderr\n"


def test_it_inherits_the_descriptors_that_any_command_does(tmp_path: Path):
    assert count_command(["sh", "-c", f"ls /proc/self/fd > {tmp_path}/counted"], CLOCK).status == 0
    subprocess.run(["sh", "-c", f"ls /proc/self/fd > {tmp_path}/alone"], close_fds=False, check=True)
    assert (tmp_path / "counted").read_text() == (tmp_path / "alone").read_text()


def test_it_inherits_no_ignored_signal(tmp_path: Path):
    """Python ignores SIGPIPE; a command that did too would write on into a closed pipe."""
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    assert (
        count_command(["sh", "-c", f"awk '/SigIgn/ {{print $2}}' /proc/self/status > {tmp_path}/ignored"]).status == 0
    )
    mask = int((tmp_path / "ignored").read_text(), 16)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT):
        assert not mask & (1 << (number - 1)), number


def test_the_handlers_of_this_process_are_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE)}
    count_command(["true"], CLOCK)
    assert {number: signal.getsignal(number) for number in before} == before


@forked
def test_an_interrupt_ends_the_command_and_its_counts_are_not_lost():
    os.setpgid(0, 0)
    outcome = count_command(["sh", "-c", f"{SPIN}; kill -INT 0; sleep 60"], CLOCK)  # as Ctrl-C does, to the whole group
    assert outcome.status == 128 + signal.SIGINT
    assert seconds(outcome.reading) > 0


def test_an_interrupt_right_after_its_start_does_not_lose_its_counts_either(monkeypatch: pytest.MonkeyPatch):
    write = os.write

    def write_and_be_interrupted(descriptor: int, data: bytes) -> int:
        written = write(descriptor, data)
        os.kill(os.getpid(), signal.SIGINT)
        return written

    monkeypatch.setattr(os, "write", write_and_be_interrupted)
    outcome = count_command(["true"], CLOCK)
    assert outcome.status == 0
    assert seconds(outcome.reading) > 0


def test_a_command_may_be_counted_in_any_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(count_command(["false"], CLOCK)))
    thread.start()
    thread.join()
    assert found[0].status == 1


def leave_descriptors(number: int) -> None:
    """Lets this process open that many more."""
    highest = max(int(descriptor) for descriptor in os.listdir("/proc/self/fd"))
    while (last := os.open("/", os.O_RDONLY)) < highest:
        pass  # the limit is on the number, so the holes are filled
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1 + number, 1000))


@forked
def test_events_for_which_no_descriptor_is_left_have_that_reason():
    events = ["task_clock", "page_faults", "minor_faults", "major_faults"]
    leave_descriptors(4)  # which the pipes take; two remain
    outcome = count_command(["true"], events)
    assert outcome.status == 0
    statuses = [outcome.reading[event].status for event in events]
    assert statuses == [Status.COUNTED] * 2 + [Status.NOT_COUNTED] * 2
    assert "ulimit" in (outcome.reading["major_faults"].reason or "")


@forked
@pytest.mark.parametrize("number", [0, 3])
def test_a_command_that_cannot_be_started_leaves_nothing_behind(number):
    leave_descriptors(number)
    for _ in range(3):
        with pytest.raises(CannotCount) as refused:
            count_command(["true"], CLOCK)
        assert str(refused.value) == "no process could be started for 'true': Too many open files"


def test_an_error_before_the_command_is_let_go_ends_its_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "made up")

    monkeypatch.setattr(pmu.Counters, "take_first", fails)
    with pytest.raises(OSError, match="made up"):
        count_command(["touch", str(tmp_path / "ran")], CLOCK)
    assert not (tmp_path / "ran").exists()


def test_a_command_waits_in_vain_for_no_parent():
    """The child leaves when whoever was to let it go is gone."""
    from armprof.counters import command

    def vanish() -> str:
        pid, _, _ = command._start(["sleep", "60"])
        return str(pid)

    pid = int(in_child(vanish))
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        os.sched_yield()
        threading.Event().wait(0.01)
    pytest.fail("the child is still there")


def test_its_arguments_arrive_as_they_are(tmp_path: Path):
    script = f"import sys; open({str(tmp_path / 'args')!r}, 'w').write(repr(sys.argv[1:]))"
    words = ["--", "-e", "a b", "ü", ""]
    assert count_command([sys.executable, "-S", "-c", script, *words], CLOCK).status == 0
    assert (tmp_path / "args").read_text() == repr(words)
