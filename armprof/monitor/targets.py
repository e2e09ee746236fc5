"""Who is sampled: each CPU of the machine, a process with its children, a cgroup, this program itself."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.counters.machine import Machine, machine
from armprof.counters.plan import TOGETHER
from armprof.counters.standing import Attachment, Row, Standing, on_process, why_not_cgroup
from armprof.cpu.sysfs import parse_cpus, text
from armprof.errors import ArmprofError
from armprof.monitor import levels
from armprof.monitor.moments import Mark

if TYPE_CHECKING:
    from armprof.counters.pmu import Layout

ONLINE = Path("/sys/devices/system/cpu/online")


class Target:
    """One thing that is counted by itself. ``open`` puts counters on it, now and whenever it comes back."""

    def __init__(self, name: str, on: Machine, open_: Callable[[], Standing]) -> None:
        self.name = name
        self.machine = on
        self._open = open_
        self.standing: Standing | None = open_()  # None in a gap
        first = self.standing
        self.events, self.units, self.groups = tuple(first.events), first.units, first.groups
        self.refused = first.refused
        self.is_wanted = True  # False while what it counts is known to be away

    @property
    def is_counting(self) -> bool:
        return self.standing is not None

    def reopen(self) -> bool:
        """Counts again after a gap; False where not all of its events can be opened any more."""
        self.close()
        opened = self._open()
        if tuple(opened.events) != self.events:
            opened.close()
            return False
        self.standing = opened
        return True

    def close(self) -> None:
        if self.standing is not None:
            self.standing.close()
        self.standing = None

    def difference(self) -> Row | None:
        """What each of ``events`` counted since the last time; None in a gap."""
        return self.standing.difference() if self.standing is not None else None


class Scope:
    """What one monitor samples. ``whole`` names it all: the sum of its targets, or the one that there is."""

    whole = ""
    title = ""
    mode = "user"  # or "all": kernel mode too
    ended = False
    end = -1  # a descriptor that can be read once it has ended; -1: none
    listing = (-1, b"")  # that of a file, and what it says as long as nobody comes or goes

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self._busy = levels.Busy()

    @property
    def machine(self) -> Machine:
        """Where all of it is counted; cores of several kinds have no one table."""
        machines = {id(target.machine): target.machine for target in self.targets}
        return next(iter(machines.values())) if len(machines) == 1 else machine()

    def changes(self, at_ns: int) -> list[Mark]:
        """What came and went since the last time. Asked before every sample."""
        return []

    def levels(self) -> dict[str, dict[str, float]]:
        """The levels by target, asked for once a report."""
        return {}

    def close(self) -> None:
        for target in self.targets:
            target.close()


def layout(events: Sequence[str], together: Sequence[Sequence[str]], on: Machine, kernel: bool) -> Layout:
    """The events in groups that take turns."""
    from armprof.counters.pmu import Layout, groups_of  # what was stored is read without the native module

    return Layout(groups_of(events, together=(*together, *TOGETHER), on=on), on, kernel)


@cache
def machine_of(cpu: int) -> Machine:
    """The machine as this CPU sees it: with the core PMU that counts on it, of several."""
    here = machine()
    own = tuple(pmu for pmu in here.host.pmus if cpu in pmu.cpus)
    return here if own == here.host.pmus else _machine_with(tuple(here.host.pmus.index(pmu) for pmu in own))


@cache
def _machine_with(pmus: tuple[int, ...]) -> Machine:
    host = machine().host
    return Machine(replace(host, pmus=tuple(host.pmus[at] for at in pmus)))


class Cpus(Scope):
    """All CPUs that are on-line, each by itself."""

    whole, mode = "machine", "all"

    def __init__(self, events: Sequence[str], together: Sequence[Sequence[str]] = ()) -> None:
        super().__init__()
        self._events, self._together = events, together
        self._file = os.open(ONLINE, os.O_RDONLY)
        self.listing = (self._file, self._list())
        self._online = set(parse_cpus(self.listing[1].decode()))
        self.targets = [self._target(cpu) for cpu in sorted(self._online)]
        self.title = f"{len(self.targets)} CPUs, user and kernel mode"

    def _list(self) -> bytes:
        return os.pread(self._file, 4096, 0)

    def _target(self, cpu: int) -> Target:
        on = machine_of(cpu)
        made = layout(self._events, self._together, on, kernel=True)
        return Target(f"cpu{cpu}", on, lambda: Standing(made, [Attachment(cpu=cpu)]))

    def changes(self, at_ns: int) -> list[Mark]:
        listed = self._list()
        if listed == self.listing[1]:
            return []
        self.listing = (self._file, listed)
        online = set(parse_cpus(listed.decode()))
        before, self._online = self._online, online
        known = {target.name: target for target in self.targets}
        marks = []
        for cpu in sorted(before - online):
            known[f"cpu{cpu}"].close()
            known[f"cpu{cpu}"].is_wanted = False
            marks.append(Mark(at_ns, f"cpu{cpu}", "offline", f"CPU {cpu} was taken off-line"))
        for cpu in sorted(online - before):
            name = f"cpu{cpu}"
            if name not in known:
                self.targets.append(self._target(cpu))
                marks.append(Mark(at_ns, name, "online", f"CPU {cpu} is on-line"))
                continue
            known[name].is_wanted = True
            if not known[name].reopen():
                marks.append(Mark(at_ns, name, "failed", f"CPU {cpu} is back, and not all events can be counted on it"))
                continue
            marks.append(Mark(at_ns, name, "online", f"CPU {cpu} is on-line"))
        return marks

    def levels(self) -> dict[str, dict[str, float]]:
        busy = self._busy.since(levels.cpu_seconds(text(Path("/proc/stat"))), time.monotonic())
        found = {("machine" if name == "cpu" else name): {"busy": share} for name, share in busy.items()}
        used = levels.memory_used(text(Path("/proc/meminfo")))
        if used is not None:
            found.setdefault("machine", {})["memory_bytes"] = used
        return found

    def close(self) -> None:
        super().close()
        os.close(self._file)


class Process(Scope):
    """A process with its threads and children, those that it has and those that it starts."""

    def __init__(self, pid: int, events: Sequence[str], together: Sequence[Sequence[str]] = ()) -> None:
        super().__init__()
        try:
            self.end = os.pidfd_open(pid)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            why = "there is no such process" if isinstance(error, ProcessLookupError) else why
            raise ArmprofError(f"cannot follow process {pid}: {why}") from None
        self.pid = pid
        self.whole = f"process {pid}"
        self.title = f"{self.whole} ({text(Path(f'/proc/{pid}/comm'))}) with its threads and children, user mode"
        on = machine()
        made = layout(events, together, on, kernel=False)
        self.targets = [Target(self.whole, on, lambda: on_process(made, pid))]

    def changes(self, at_ns: int) -> list[Mark]:
        if self.ended or not select.select([self.end], [], [], 0)[0]:
            return []
        self.ended = True
        return [Mark(at_ns, self.whole, "ended", f"process {self.pid} has ended")]

    def levels(self) -> dict[str, dict[str, float]]:
        found, seconds = levels.of_processes(processes_of(self.pid))
        return {self.whole: found | self._busy.since({"busy": seconds}, time.monotonic())} if found else {}

    def close(self) -> None:
        super().close()
        os.close(self.end)


def processes_of(pid: int) -> list[int]:
    """The process and its children, theirs too."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with suppress(OSError):
                    found += map(int, Path(f"/proc/{parent}/task/{task}/children").read_text().split())
    return found


class Own(Process):
    """The calling program, sampled from within by a thread of its own."""

    def __init__(self, events: Sequence[str], together: Sequence[Sequence[str]] = ()) -> None:
        super().__init__(os.getpid(), events, together)


class Cgroup(Scope):
    """A cgroup's tasks on all CPUs."""

    mode = "all"

    def __init__(self, folder: Path, events: Sequence[str], together: Sequence[Sequence[str]] = ()) -> None:
        super().__init__()
        folder = folder if folder.is_absolute() else cgroup_root() / folder
        if why := why_not_cgroup(folder):
            raise ArmprofError(f"cannot follow a cgroup: {why}")
        self._folder = folder
        self.whole = f"cgroup {folder.name}"
        self.title = f"cgroup {folder}, user and kernel mode"
        on = machine()
        made = layout(events, together, on, kernel=True)
        self.targets = [Target(self.whole, on, lambda: self._standing(made))]

    def _standing(self, made: Layout) -> Standing:
        cpus = parse_cpus(text(ONLINE)) or tuple(range(os.cpu_count() or 1))
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return Standing(made, [Attachment(descriptor, cpu, cgroup=True) for cpu in cpus])
        finally:
            os.close(descriptor)

    def changes(self, at_ns: int) -> list[Mark]:
        if self.ended or self._folder.exists():
            return []
        self.ended = True
        return [Mark(at_ns, self.whole, "ended", f"the cgroup {self._folder} was removed")]

    def levels(self) -> dict[str, dict[str, float]]:
        found, seconds = levels.of_cgroup(self._folder)
        if seconds is not None:
            found |= self._busy.since({"busy": seconds}, time.monotonic())
        return {self.whole: found} if found else {}


def cgroup_root() -> Path:
    """Where cgroups of version 2 are mounted."""
    for root in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (root / "cgroup.controllers").exists():
            return root
    raise ArmprofError("no cgroups of version 2 are mounted here; name the cgroup's folder by its whole path")
