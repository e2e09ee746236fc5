"""What runs a program of the suite: the modelled core and this machine's PMU, which count it, and a clock alone."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from armprof import model
from armprof.counters import pmu
from armprof.counters.machine import machine
from armprof.counters.model import readings
from armprof.counters.reading import Reading
from armprof.run import file as run_file
from armprof.run.attribution import attributed
from armprof.run.record import Component

from .suite import SLOW, Builder, Pair

REGION = "work"


class RunError(Exception):
    """A program that did not end well, or that answers another thing than the slow one."""


@dataclass(frozen=True)
class Counted:
    """What was counted of a program within its region, and its answer."""

    component: Component
    checksum: str

    @property
    def reading(self) -> Reading:
        """The counts."""
        assert self.component.reading is not None
        return self.component.reading

    @property
    def cycles(self) -> float:
        """By which gains are told. Raises RunError where they were not counted."""
        count = self.reading["cpu_cycles"]
        if count.value is None:
            raise RunError(f"without cpu_cycles no gain can be told: {count.reason}")
        return count.value


class Source(Protocol):
    """What counts programs."""

    def shows(self, pair: Pair) -> bool:
        """Whether the program can be had and counted there."""

    def names(self, pair: Pair, cause: str) -> str:
        """The rule by which the cause shows there."""

    def count(self, pair: Pair, fixed: int = SLOW) -> Counted:
        """Runs the program. Raises RunError, BuildError, ArmprofError."""


@dataclass(frozen=True)
class Modelled:
    """The modelled core: any ARM64 program, on any machine."""

    builder: Builder
    core: str = "neoverse-n1"

    def shows(self, pair: Pair) -> bool:
        return "aarch64" in pair.targets

    def names(self, pair: Pair, cause: str) -> str:
        return cause

    def count(self, pair: Pair, fixed: int = SLOW) -> Counted:
        program = self.builder.program(pair, fixed)
        with tempfile.NamedTemporaryFile("r") as out:
            command = [str(program), str(pair.rounds), out.name, "turns"]
            counted = model.run(command, self.core, None, None, **pair.settings_of(fixed))
            if counted.status != 0:
                raise RunError(f"{program.name} ended with status {counted.status}")
            banks = readings.within(counted.counts, REGION)
            component = attributed(_region(counted.region(REGION)), counted.counts, counted.geometry, banks)
            return Counted(component, out.read().split()[0])


@dataclass(frozen=True)
class Counters:
    """This machine's PMU: a pass over the work for each group of events, nothing multiplexed."""

    builder: Builder
    seconds: float = 0.5  # of one pass
    rounds: int | None = None  # of one pass; None: as many as take so long
    found: dict[str, int] = field(default_factory=dict)  # rounds by program

    def shows(self, pair: Pair) -> bool:
        return pair.in_program and platform.machine() in pair.targets

    def names(self, pair: Pair, cause: str) -> str:
        return pair.pmu[pair.causes.index(cause)] if pair.pmu else cause

    def count(self, pair: Pair, fixed: int = SLOW) -> Counted:
        command = [str(self.builder.program(pair, fixed)), str(self._rounds(pair))]
        names = machine().default_events()
        passes: list[Reading] = []
        checksum = ""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "regions.json"
            for group in pmu.groups_of(names, pmu.ANCHORS):
                wanted = {"ARMPROF_OUTPUT": str(path), "ARMPROF_EVENTS": ",".join(group)}
                checksum, _ = answer(command, wanted)
                passes += [c.reading for c in run_file.read(path).components if c.reading is not None]
        return Counted(_region(pmu.joined(passes, names)), checksum)

    def _rounds(self, pair: Pair) -> int:
        """As many of the mended program: gains are told by the cycles of the same work."""
        if pair.program not in self.found:
            self.found[pair.program] = self.rounds or rounds_for(self.builder.program(pair), self.seconds)
        return self.found[pair.program]


@dataclass(frozen=True)
class Clock:
    """This machine's clock: slow and mended in turn, so that what else the machine does meets both."""

    builder: Builder
    seconds: float = 0.2  # of one run
    runs: int = 7

    def shows(self, pair: Pair) -> bool:
        return pair.in_program and platform.machine() in pair.targets

    def gain(self, pair: Pair, fixed: int) -> float:
        """The share of the time that went away: the median of the pairs of runs."""
        slow, mended = self.builder.program(pair), self.builder.program(pair, fixed)
        rounds = str(rounds_for(slow, self.seconds))
        shares = []
        for _ in range(self.runs):
            (expected, before), (found, after) = answer([str(slow), rounds]), answer([str(mended), rounds])
            if expected != found:
                raise RunError(f"{pair.program} answers {expected}, mended {found}")
            shares.append(1 - after / before)
        return statistics.median(shares)


def _region(reading: Reading) -> Component:
    return Component(name=REGION, title="", kind="region", operation="the work", reading=reading)


def rounds_for(program: Path, seconds: float) -> int:
    """How often the program does its work in so much time."""
    rounds, ns = 1, 0
    while ns < seconds * 1e8:
        rounds *= 4
        _, ns = answer([str(program), str(rounds)])
    return max(1, round(rounds * seconds * 1e9 / ns))


def answer(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, int]:
    """The program's checksum and nanoseconds. Raises RunError where it fails."""
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise RunError(f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()}")
    checksum, ns = done.stdout.split()
    return checksum, max(1, int(ns))
