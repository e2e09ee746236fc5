"""The open events of what is sampled, and a thread of ours that takes their rings over meanwhile."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from armprof.counters.machine import PERF_TYPE_SOFTWARE, SOFTWARE, EventTarget, machine, native
from armprof.counters.reading import Count, Status, uncounted
from armprof.counters.refusal import Refusal, explain
from armprof.cpu import sysfs
from armprof.errors import ArmprofError, CannotCount
from armprof.samples import plan
from armprof.samples.processes import mapped_code, owner, threads_of
from armprof.samples.rate import Rate
from armprof.samples.trace import EXACT, HIT, MAPPED, MOVE, NAMED, STACK, Losses, Sampled, Trace
from armprof.samples.wide import SWITCHES, Ours

RING_BYTES = 512 * 1024  # with its page, what kernel.perf_event_mlock_kb allows a user for each CPU
TURN_MS = 100

EVERYTHING = 0.999  # how long it counted is not told by the same clock as how long there was something to count

IN_TIME = "the places where the clock struck"
BETWEEN = "what happened since the sample before is put where this one is"
PRECISE = {0: "places may be some instructions late", 1: "places are late by a constant", 2: EXACT}


class Sampler:
    """The open events, and the thread that takes their samples over. That thread is started first: one that a sampled
    thread starts would be sampled itself.
    """

    def __init__(self, events: Sequence[str] | None, rate: Rate, command: str, group: bool) -> None:
        self._rate, self._command = rate, command
        self._module = native()
        self._machine = machine()
        self._is_by_default = events is None
        self._plan = plan.plan(self._machine, events, group)
        self._ours: Ours | None = None  # whose samples are kept, where all that runs is sampled
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

    def __enter__(self) -> Sampler:
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
        self._is_of_another = of_process is not None and owner(of_process) != os.geteuid()
        if not self._try(threads, on_exec) and not self._try_all_that_runs(threads, on_exec):
            self._fall_back()
            if not self._try(threads, on_exec):
                self._refuse()
        if of_process is not None:
            self._note_what_is_mapped(of_process)
        self._began = time.monotonic_ns()
        if not on_exec or self._ours:
            self._module.lib.armprof_sampler_start(self._native)
        self._go.set()

    def _fall_back(self) -> None:
        """To the CPU's clock, where nothing was asked for and cycles cannot be had. Raises CannotCount where it was."""
        asked = self._plan
        why = list(asked.refused.values()) or [self._explained(asked.targets[0], self._errors[0])]
        if not self._is_by_default:
            named = ", ".join([*asked.refused, *(target.name for target in asked.targets)])
            raise CannotCount(f"{named} cannot be sampled here: {'; '.join(dict.fromkeys(map(str, why)))}")
        self._plan = plan.clock(self._machine, why[0])

    def _explained(self, target: EventTarget, error: int) -> Refusal:
        if error == errno.EMFILE:
            return Refusal(Status.NOT_COUNTED, "too many descriptors are open", "raise the limit: ulimit -n")
        if error in (errno.EACCES, errno.EPERM) and self._is_of_another:
            return Refusal(
                Status.NOT_PERMITTED, "it is another user's process", "run as that user, or with CAP_PERFMON"
            )
        return explain(error, self._machine.host, target.kernel)

    def _refuse(self) -> NoReturn:
        refusal = self._explained(self._plan.targets[0], self._errors[0])
        raise CannotCount(f"nothing can be sampled here: {refusal.reason}", refusal.remedy)

    def _try(self, threads: Sequence[int], on_exec: bool) -> bool:
        lib = self._module.lib
        return self._open(threads, on_exec, lib.ARMPROF_OF_THREAD if self._plan.group else lib.ARMPROF_ALONE)

    def _try_all_that_runs(self, threads: Sequence[int], of_command: bool) -> bool:
        """Kernels before 6.12 read no group of threads that they follow. They do of a CPU, whoever runs there: of that is kept
        what is of these threads and of what they start.
        """
        if not self._plan.group or self._errors[0] != errno.EINVAL:
            return False
        if not self._open([-1], False, self._module.lib.ARMPROF_OF_CPU):
            if self._is_by_default:
                return False
            error = self._errors[0]
            if error in (errno.EACCES, errno.EPERM):
                raise CannotCount(
                    f"what cannot interrupt is read at samples of {self._plan.leader}: that takes Linux 6.12, or the right to "
                    "sample all that runs",
                    "run as root, with CAP_PERFMON, or with kernel.perf_event_paranoid=-1",
                )
            raise CannotCount(f"no group can be sampled here: {self._explained(self._plan.targets[0], error)}")
        self._ours = Ours(threads[0], self._reader.native_id, of_command)
        return True

    def _open(self, threads: Sequence[int], on_exec: bool, reading: int) -> bool:
        ffi, lib = self._module.ffi, self._module.lib
        targets = self._plan.targets
        rows = [self._row(target, *attr, number) for number, target in enumerate(targets) for attr in target.attrs]
        self._of = [number for number, target in enumerate(targets) for _ in target.attrs]
        if reading == lib.ARMPROF_OF_CPU:  # each switch to another thread ends what the one before had
            rows.append({"type": PERF_TYPE_SOFTWARE, "config": SOFTWARE[SWITCHES][0], "rate": 1, "kernel": True})
            self._of.append(len(targets))
        if not targets:
            return False
        if len(rows) > lib.ARMPROF_MAX_SAMPLED:
            raise CannotCount(f"{len(rows)} events at once, and at most {lib.ARMPROF_MAX_SAMPLED} can be sampled")
        cpus = sysfs.parse_cpus(sysfs.line(Path("/sys/devices/system/cpu/online"))) or (0,)
        _allow_descriptors(len(rows) * len(threads) * len(cpus))
        errors = ffi.new("int[]", len(rows))
        self._native = lib.armprof_sampler_open(
            rows, len(rows), list(threads), len(threads), list(cpus), len(cpus), RING_BYTES, on_exec, reading, errors
        )
        opened = bool(self._native)
        self._errors = [error or (0 if opened else ffi.errno) for error in errors]
        if not opened:
            self._native = None
        return opened

    def _row(self, target: EventTarget, kind: int, config: int, number: int) -> dict[str, int | bool]:
        interrupts = not self._plan.group or number == 0
        return {
            "type": kind,
            "config": config,
            "precision": self._precision(kind),
            "by_frequency": interrupts and self._rate.period is None,
            "rate": (self._rate.period or self._rate.frequency) if interrupts else 0,
            "kernel": target.kernel,
        }

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
        if self._ours:
            hits = hits[hits["event"] < len(self._plan.targets)]  # what led to the switches is told by the others
            hits, moves = self._ours.of(hits, moves)
        return Trace(
            events=tuple(self._sampled(hits)),
            hits=hits,
            stacks=np.frombuffer(self._bytes("stacks", "armprof_stack"), STACK),
            frames=np.frombuffer(self._bytes("frames", "uint64_t"), "u8"),
            moves=np.concatenate([np.array(self._moves_before, MOVE), moves]),
            text=self._text_before + self._bytes("text", "char"),
            losses=Losses(
                lib.armprof_sampler_lost(self._native), records.throttled, records.malformed, records.no_memory
            ),
            duration_ns=took,
            reading_ns=self._reading_ns,
            command=self._command,
            notes=self._plan.notes,
            core=self._machine.core_name,
        )

    def _sampled(self, hits: Any) -> Iterator[Sampled]:
        for name, refusal in self._plan.refused.items():
            yield Sampled(name, uncounted(name, refusal.status, str(refusal)), str(self._rate), "")
        lib, of = self._module.lib, self._module.ffi.new("armprof_sampled_count *")
        for number, target in enumerate(self._plan.targets):
            value = enabled = running = failed = 0
            for native_number in (i for i, event in enumerate(self._of) if event == number):
                failed = (
                    self._errors[native_number] or lib.armprof_sampler_count(self._native, native_number, of) or failed
                )
                value, enabled, running = value + of.value, enabled + of.enabled_ns, running + of.running_ns
            if self._ours:  # what was counted in all is of all that ran
                value = int(hits["period"][hits["event"] == number].sum())
            leader = self._plan.leader if number else None
            yield Sampled(
                target.name,
                self._count(target, value, enabled, running, failed),
                f"at each sample of {leader}" if leader else str(self._rate),
                BETWEEN if leader else self._skid(target),
                leader,
            )

    def _skid(self, target: EventTarget) -> str:
        if target.is_software:  # the kernel itself sees them happen
            return IN_TIME if target.unit == "ns" else PRECISE[2]
        return PRECISE[min(self._precision(kind) for kind, _ in target.attrs)]

    def _count(self, target: EventTarget, value: int, enabled: int, running: int, failed: int) -> Count:
        if failed:
            refusal = self._explained(target, failed)
            return uncounted(target.name, refusal.status, str(refusal))
        if not running:
            return uncounted(target.name, Status.NOT_COUNTED, "it never had a counter, or nothing ran in user mode")
        if self._ours and self._module.lib.armprof_sampler_lost(self._native):
            why = "samples were lost, and of all that ran they alone tell what was of this process"
            return uncounted(target.name, Status.NOT_COUNTED, why, raw=float(value))
        if running < EVERYTHING * enabled:
            scaled = value * enabled / running
            return Count(target.name, scaled, float(value), enabled, running, Status.SCALED, unit=target.unit)
        return Count(target.name, float(value), float(value), enabled, running, Status.COUNTED, unit=target.unit)


def _allow_descriptors(number: int) -> None:
    """As many as there may be, where the limit is lower than what is needed."""
    import resource  # Linux has it; the module is imported elsewhere too, to say that nothing is sampled there

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + 256
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else min(needed, hard), hard)
        )
