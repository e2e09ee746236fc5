"""Sampling a command, a process, or the code of this process: the rings are taken over by a thread of ours meanwhile."""

from __future__ import annotations

import errno
import os
import shlex
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from armprof.counters.command import Child, interrupts_left_to_the_command
from armprof.counters.machine import Target, canonical_events, machine, native
from armprof.counters.reading import Count, Status, uncounted
from armprof.counters.refusal import Refusal, explain
from armprof.cpu import sysfs
from armprof.errors import ArmprofError, CannotCount
from armprof.samples.trace import HIT, MAPPED, MOVE, NAMED, STACK, Losses, Sampled, Trace

# A prime, so that it does not beat with what happens every millisecond.
FREQUENCY = 997
RING_BYTES = 512 * 1024  # with its page, what kernel.perf_event_mlock_kb allows a user for each CPU
TURN_MS = 100

EVERYTHING = 0.999  # how long it counted is not told by the same clock as how long there was something to count

CLOCK = "cpu_clock"
IN_TIME = "the places where the clock struck"
PRECISE = {0: "places may be some instructions late", 1: "places are late by a constant", 2: "places are exact"}


@dataclass(frozen=True, slots=True)
class Rate:
    """How often: ``frequency`` samples a second of running time, or one every ``period`` events."""

    frequency: int = FREQUENCY
    period: int | None = None

    def __str__(self) -> str:
        return f"{self.frequency:,} times a second" if self.period is None else f"every {self.period:,} events"


def rate(frequency: int | None = None, period: int | None = None) -> Rate:
    """How often to sample. Raises ArmprofError for both at once, and for less than one."""
    if frequency is not None and period is not None:
        raise ArmprofError("a frequency and a period at once: give one of them")
    for what, number in (("frequency", frequency), ("period", period)):
        if number is not None and number < 1:
            raise ArmprofError(f"a {what} of {number}: at least 1")
    return Rate(period=period) if frequency is None else Rate(frequency)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` is the command's exit status, 128 + N where signal N ended it."""

    trace: Trace
    status: int


def sample_command(command: Sequence[str], events: Sequence[str] | None = None, rate: Rate = Rate()) -> Outcome:
    """Runs the command with its own stdin, stdout and stderr and samples it, with all that it starts, in user mode.

    ``events`` are by default cycles, or the CPU's clock where no PMU counts. Raises ArmprofError for a command that is
    not there, CannotCount where nothing can be sampled.
    """
    if not command or not command[0]:
        raise ArmprofError("there is no command to sample")
    with Child(command) as child, _Sampler(events, rate, shlex.join(command)) as sampler:
        sampler.open([child.pid], on_exec=True)
        with interrupts_left_to_the_command():
            status = child.run()
        return Outcome(sampler.trace(), status)


def sample_process(
    pid: int, seconds: float | None = None, events: Sequence[str] | None = None, rate: Rate = Rate()
) -> Trace:
    """Samples a process that runs already, with the threads and children that it starts: for so many seconds, until it
    ends, or until KeyboardInterrupt.
    """
    name = sysfs.line(Path(f"/proc/{pid}/comm"))
    if not name:
        raise ArmprofError(f"there is no process {pid}")
    with _Sampler(events, rate, f"{name} ({pid})") as sampler:
        sampler.open(threads_of(pid), of_process=pid)
        ends = None if seconds is None else time.monotonic() + seconds
        try:
            while _lives(pid) and (ends is None or time.monotonic() < ends):
                time.sleep(TURN_MS / 1000 if ends is None else max(0, min(TURN_MS / 1000, ends - time.monotonic())))
        except KeyboardInterrupt:
            pass
        return sampler.trace()


class Sampling:
    """A `with` block of which all threads are sampled. ``trace`` is there when it has ended."""

    def __init__(self, events: Sequence[str] | None = None, rate: Rate = Rate()) -> None:
        self._events, self._rate = events, rate
        self._sampler: _Sampler | None = None
        self._trace: Trace | None = None

    @property
    def trace(self) -> Trace:
        """What was sampled. ArmprofError before the block has ended."""
        if self._trace is None:
            raise ArmprofError("nothing sampled yet: the block has not ended")
        return self._trace

    def __enter__(self) -> Sampling:
        if self._sampler is not None:
            raise ArmprofError("this block is already being sampled; make another one for a block inside it")
        self._trace = None
        self._sampler = _Sampler(self._events, self._rate, "this process").__enter__()
        try:
            self._sampler.open(self._sampler.threads_of_this_process(), of_process=os.getpid())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._sampler is not None
        try:
            self._trace = self._sampler.trace()
        finally:
            self._end()

    def _end(self) -> None:
        sampler, self._sampler = self._sampler, None
        if sampler is not None:
            sampler.__exit__()


class _Sampler:
    """The open events, and the thread that takes their samples over. That thread is started first: one that a sampled
    thread starts would be sampled itself.
    """

    def __init__(self, events: Sequence[str] | None, rate: Rate, command: str) -> None:
        self._rate, self._command = rate, command
        self._module = native()
        self._machine = machine()
        self._named = tuple(canonical_events(events)) if events is not None else ()
        self._notes: list[str] = []
        self._native: Any = None
        self._is_of_another = False  # the process, and so not for everybody to sample
        self._of: list[int] = []  # by native event: the number of its event
        self._moves_before: list[tuple[Any, ...]] = []
        self._text_before = b""
        self._hits = tempfile.TemporaryFile(prefix="armprof-samples-")  # noqa: SIM115  # closed in __exit__
        self._go, self._stop = threading.Event(), threading.Event()
        self._failed: BaseException | None = None
        self._reading_ns = 0
        self._reader = threading.Thread(target=self._read, name="armprof samples", daemon=True)

    def __enter__(self) -> _Sampler:
        self._reader.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._end_reading()
        if self._native:
            self._module.lib.armprof_sampler_close(self._native)
            self._native = None
        self._hits.close()

    # ---- opening ----

    def open(self, threads: Sequence[int], on_exec: bool = False, of_process: int | None = None) -> None:
        """Begins, or waits for the thread's exec."""
        self._is_of_another = of_process is not None and _owner(of_process) != os.geteuid()
        targets, refused = self._targets()
        if not self._try(targets, threads, on_exec):
            fallback = self._fallback(targets, refused)
            targets, refused = [fallback], {}
            if not self._try(targets, threads, on_exec):
                self._refuse(fallback)
        self._resolved, self._refused = targets, refused
        if of_process is not None:
            self._note_what_is_mapped(of_process)
        self._began = time.monotonic_ns()
        if not on_exec:
            self._module.lib.armprof_sampler_start(self._native)
        self._go.set()

    def _targets(self) -> tuple[list[Target], dict[str, Refusal]]:
        targets: list[Target] = []
        refused: dict[str, Refusal] = {}
        for name in self._named or ("cpu_cycles",):
            target = self._machine.resolve(name)
            if isinstance(target, Refusal):
                refused[name] = target
            else:
                targets.append(target)
        return targets, refused

    def _fallback(self, targets: Sequence[Target], refused: dict[str, Refusal]) -> Target:
        """The CPU's clock, where nothing was asked for and cycles cannot be had. Raises CannotCount where it was."""
        why = [str(refusal) for refusal in refused.values()] or [str(self._explained(targets[0], self._errors[0]))]
        if self._named:
            raise CannotCount(f"{', '.join(self._named)} cannot be sampled here: {'; '.join(dict.fromkeys(why))}")
        self._notes.append(f"the CPU's clock is sampled: time, not cycles ({why[0]})")
        clock = self._machine.resolve(CLOCK)
        assert isinstance(clock, Target)
        return clock

    def _explained(self, target: Target, error: int) -> Refusal:
        if error == errno.EMFILE:
            return Refusal(Status.NOT_COUNTED, "too many descriptors are open", "raise the limit: ulimit -n")
        if error in (errno.EACCES, errno.EPERM) and self._is_of_another:
            return Refusal(
                Status.NOT_PERMITTED, "it is another user's process", "run as that user, or with CAP_PERFMON"
            )
        return explain(error, self._machine.host, target.kernel)

    def _refuse(self, target: Target) -> NoReturn:
        refusal = self._explained(target, self._errors[0])
        raise CannotCount(f"nothing can be sampled here: {refusal.reason}", refusal.remedy)

    def _try(self, targets: Sequence[Target], threads: Sequence[int], on_exec: bool) -> bool:
        if not targets:
            return False
        ffi, lib = self._module.ffi, self._module.lib
        rows = [
            {
                "type": kind,
                "config": config,
                "precision": self._precision(kind),
                "by_frequency": self._rate.period is None,
                "rate": self._rate.period or self._rate.frequency,
            }
            for target in targets
            for kind, config in target.attrs
        ]
        self._of = [number for number, target in enumerate(targets) for _ in target.attrs]
        if len(rows) > lib.ARMPROF_MAX_SAMPLED:
            raise CannotCount(f"{len(rows)} events at once, and at most {lib.ARMPROF_MAX_SAMPLED} can be sampled")
        cpus = sysfs.parse_cpus(sysfs.line(Path("/sys/devices/system/cpu/online"))) or (0,)
        _allow_descriptors(len(rows) * len(threads) * len(cpus))
        errors = ffi.new("int[]", len(rows))
        self._native = lib.armprof_sampler_open(
            rows, len(rows), list(threads), len(threads), list(cpus), len(cpus), RING_BYTES, on_exec, errors
        )
        opened = bool(self._native)
        self._errors = [error or (0 if opened else ffi.errno) for error in errors]
        if not opened:
            self._native = None
        return opened

    def _precision(self, kind: int) -> int:
        """perf_event_attr.precise_ip, as the PMU says in sysfs. ARM's says nothing: it would accept any and heed none."""
        pmus = Path("/sys/bus/event_source/devices")
        known = {sysfs.number(pmu / "type"): sysfs.number(pmu / "caps/max_precise") for pmu in pmus.glob("*")}
        return min(known.get(kind) or 0, max(PRECISE))

    def threads_of_this_process(self) -> list[int]:
        """All but the one that reads."""
        return [thread for thread in threads_of(os.getpid()) if thread != self._reader.native_id]

    def _note_what_is_mapped(self, pid: int) -> None:
        """Of a process that runs already the kernel tells what it maps from now on."""
        texts: list[bytes] = []
        at = 0

        def add(kind: int, tid: int, name: bytes, start: int = 0, length: int = 0, offset: int = 0) -> None:
            nonlocal at
            self._moves_before.append((0, start, length, offset, pid, tid, 0, at, kind, 0))
            texts.append(name + b"\0")
            at += len(name) + 1

        for start, length, offset, name in mapped_code(pid):
            add(MAPPED, pid, name, start, length, offset)
        for tid in threads_of(pid):
            add(NAMED, tid, sysfs.line(Path(f"/proc/{pid}/task/{tid}/comm")).encode())
        self._text_before = b"".join(texts)

    # ---- the thread that reads ----

    def _read(self) -> None:
        self._go.wait()
        began = time.thread_time_ns()
        try:
            while self._native and not self._stop.is_set():
                self._module.lib.armprof_sampler_wait(self._native, TURN_MS)
                self._take_over()
        except BaseException as error:  # told by whoever waits for the samples
            self._failed = error
        self._reading_ns = time.thread_time_ns() - began

    def _take_over(self) -> None:
        lib = self._module.lib
        lib.armprof_sampler_drain(self._native)
        hits = self._bytes("hits", "armprof_hit")
        if hits:
            self._hits.write(hits)
            lib.armprof_sampler_forget_hits(self._native)

    def _bytes(self, name: str, kind: str) -> bytes:
        growing = getattr(self._module.lib.armprof_sampler_records(self._native), name)
        size = growing.used * self._module.ffi.sizeof(kind)
        return bytes(self._module.ffi.buffer(growing.data, size)) if size else b""

    def _end_reading(self) -> None:
        self._stop.set()
        self._go.set()
        if self._reader.is_alive():
            self._reader.join()

    # ---- what came of it ----

    def trace(self) -> Trace:
        """Ends the sampling."""
        import numpy as np

        lib = self._module.lib
        lib.armprof_sampler_stop(self._native)
        took = time.monotonic_ns() - self._began
        self._end_reading()
        if isinstance(self._failed, OSError):
            raise ArmprofError(f"the samples could not be kept in {tempfile.gettempdir()}: {self._failed.strerror}")
        if self._failed is not None:
            raise self._failed
        self._take_over()
        self._hits.seek(0)
        records = lib.armprof_sampler_records(self._native)
        hits = np.frombuffer(self._hits.read(), HIT).copy()
        hits["event"] = np.array(self._of, "u2")[hits["event"]]
        moves = np.frombuffer(self._bytes("moves", "armprof_move"), MOVE).copy()
        moves["text"] += len(self._text_before)
        return Trace(
            events=tuple(self._sampled()),
            hits=hits,
            stacks=np.frombuffer(self._bytes("stacks", "armprof_stack"), STACK),
            frames=np.frombuffer(self._bytes("frames", "uint64_t"), "u8"),
            moves=np.concatenate([np.array(self._moves_before, MOVE), moves]),
            text=self._text_before + self._bytes("text", "char"),
            losses=Losses(*(getattr(records, name) for name in ("lost", "throttled", "malformed", "no_memory"))),
            duration_ns=took,
            reading_ns=self._reading_ns,
            command=self._command,
            notes=tuple(self._notes),
        )

    def _sampled(self) -> Iterator[Sampled]:
        for name, refusal in self._refused.items():
            yield Sampled(name, uncounted(name, refusal.status, str(refusal)), str(self._rate), "")
        lib, of = self._module.lib, self._module.ffi.new("armprof_sampled_count *")
        for number, target in enumerate(self._resolved):
            value = enabled = running = failed = 0
            for native_number in (i for i, event in enumerate(self._of) if event == number):
                failed = (
                    self._errors[native_number] or lib.armprof_sampler_count(self._native, native_number, of) or failed
                )
                value, enabled, running = value + of.value, enabled + of.enabled_ns, running + of.running_ns
            yield Sampled(
                target.name,
                self._count(target, value, enabled, running, failed),
                str(self._rate),
                IN_TIME if target.is_software else PRECISE[min(self._precision(kind) for kind, _ in target.attrs)],
            )

    def _count(self, target: Target, value: int, enabled: int, running: int, failed: int) -> Count:
        if failed:
            refusal = self._explained(target, failed)
            return uncounted(target.name, refusal.status, str(refusal))
        if not running:
            return uncounted(target.name, Status.NOT_COUNTED, "it never had a counter, or nothing ran in user mode")
        if running < EVERYTHING * enabled:
            scaled = value * enabled / running
            return Count(target.name, scaled, float(value), enabled, running, Status.SCALED, unit=target.unit)
        return Count(target.name, float(value), float(value), enabled, running, Status.COUNTED, unit=target.unit)


def threads_of(pid: int) -> list[int]:
    """The threads of a process that runs, itself first."""
    return [pid, *(thread for thread in sysfs.numbers(Path(f"/proc/{pid}/task"), r"(\d+)") if thread != pid)]


def mapped_code(pid: int) -> Iterator[tuple[int, int, int, bytes]]:
    """What a process has mapped to be executed: start, length, offset in the file, and the file."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_bytes().splitlines()
    except OSError as error:
        raise CannotCount(f"what process {pid} has mapped cannot be read: {error.strerror}") from None
    for line in lines:
        addresses, access, offset, _, _, *name = line.split(maxsplit=5)
        if b"x" in access:
            start, end = (int(part, 16) for part in addresses.split(b"-"))
            yield start, end - start, int(offset, 16), name[0] if name else b"//anon"


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _lives(pid: int) -> bool:
    return (state := sysfs.line(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()) != [] and state[0] != "Z"


def _allow_descriptors(number: int) -> None:
    """As many as there may be, where the limit is lower than what is needed."""
    import resource  # Linux has it; the module is imported elsewhere too, to say that nothing is sampled there

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + 256
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else min(needed, hard), hard)
        )
