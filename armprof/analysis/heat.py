"""What part of the cycles was at each place of one binary, from samples or from what the modelled core counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from armprof.errors import ArmprofError
from armprof.run.record import Component, Share
from armprof.samples import Frame, Samples

CYCLES = "cpu_cycles"
TIME = (CYCLES, "cpu_clock", "task_clock")  # what a share of is a share of the time, the best first
RULE_OF_THREE = 3.0  # what n samples did not see once is, 19 times of 20, no more than 3 / n of all

At = tuple[str, str, int]  # function, name of the file, line


@dataclass
class Heat:
    """Shares of an event, 0 to 1, at places of one binary. ``reached`` is that of a line with all that it calls.

    ``unseen`` is what a place may have that is not among them, ``basis`` what it all was counted from, in words.
    """

    event: str
    basis: str
    unseen: float
    lines: dict[At, float] = field(default_factory=dict)
    reached: dict[At, float] = field(default_factory=dict)
    functions: dict[str, float] = field(default_factory=dict)
    files: dict[str, float] = field(default_factory=dict)
    whole: float = 0.0

    @property
    def is_time(self) -> bool:
        return self.event in TIME or self.event.endswith("_cycles")

    def add(self, function: str, file: str | None, line: int | None, share: float) -> None:
        """So much was at that place itself."""
        self.functions[function] = self.functions.get(function, 0.0) + share
        self.whole += share
        if file is not None:
            self.files[name(file)] = self.files.get(name(file), 0.0) + share
            if line is not None:
                at = (function, name(file), line)
                self.lines[at] = self.lines.get(at, 0.0) + share


def name(file: str) -> str:
    """Without its folders: the same file bears other paths where others compiled or looked."""
    return PurePath(file).name


def of_samples(samples: Samples, binary: Path) -> Heat:
    """Of the event that is most like time. Raises ArmprofError where no sample is in the binary."""
    taken = {row.event for row in samples.rows}
    sampled = [each.name for number, each in enumerate(samples.events) if number in taken]
    event = next((one for one in TIME if one in sampled), next(iter(sampled), None))
    if event is None:
        raise ArmprofError(f"the samples of {samples.command} are none")
    rows = samples.rows_of(event)
    total = sum(row.weight for row in rows) or 1
    count = sum(row.samples for row in rows)
    heat = Heat(event, f"{count:,} samples of {event}", min(1.0, RULE_OF_THREE / count))
    for row in rows:
        share, seen = row.weight / total, set()
        for depth, (module, function, frame) in enumerate(
            _calls([samples.frames[n] for n in samples.stacks[row.stack]])
        ):
            if not _is(module, binary):
                continue
            if depth == 0:
                heat.add(function, frame.file, frame.line, share)
            if frame.file is not None and frame.line is not None:
                seen.add((function, name(frame.file), frame.line))
        for at in seen:  # a function that calls itself counts once
            heat.reached[at] = heat.reached.get(at, 0.0) + share
    return _found(heat, binary, (frame.module for frame in samples.frames))


def _calls(stack: Sequence[Frame]) -> Iterator[tuple[str, str, Frame]]:
    """Each function that was called: its module, its name as the linker has it, and the innermost frame in it."""
    inner: Frame | None = None
    for frame in stack:
        inner = inner or frame
        if not frame.inlined:
            yield frame.module, frame.function or "", inner
            inner = None


def of_components(components: Sequence[Component], binary: Path) -> Heat:
    """Of a run that the modelled core counted. Raises ArmprofError where nothing of the binary is told."""
    heat = of_event(components, binary, CYCLES)
    if heat is None:
        raise ArmprofError(
            "its counts are of no line: `armprof stat --source model --save FILE -- CMD` and record tell lines"
        )
    return _found(heat, binary, (share.place.module for c in components if c.where for share in c.where.lines))


def of_event(components: Sequence[Component], binary: Path, event: str) -> Heat | None:
    """Of an event of such a run, as shares of its cycles; None where it was not counted."""
    known = [
        (c.where.lines, c.reading) for c in components if c.where and c.reading and c.reading.value(event) is not None
    ]
    counted = [(lines, cycles) for lines, reading in known if (cycles := reading.value(CYCLES))]
    if not counted:
        return None
    total = sum(cycles for _, cycles in counted)
    heat = Heat(event, f"the {event} of the modelled core", max(_least(lines) for lines, _ in counted) / total)
    for share in (share for lines, _ in counted for share in lines):
        place = share.place
        if _is(place.module, binary) and event in share.counts:
            heat.add(place.function, place.file, place.line, share.counts[event] / total)
    # Callers are not told; only what helpers of atomics count is at the lines that call them.
    heat.reached = heat.lines
    return heat


def _least(lines: Sequence[Share]) -> float:
    """The least that a line has: a run keeps those with the most, so a line that it has not may have as much."""
    return min((share.counts[CYCLES] for share in lines if share.counts.get(CYCLES)), default=0.0)


def _is(module: str, binary: Path) -> bool:
    """Whether it is that file, or one of its name: a library may be installed elsewhere than it was looked at."""
    return PurePath(module).name == binary.resolve().name or PurePath(module).name == binary.name


def _found(heat: Heat, binary: Path, modules: Iterable[str]) -> Heat:
    if heat.whole or heat.reached:
        return heat
    names = list(dict.fromkeys(PurePath(module).name for module in modules if module))
    raise ArmprofError(
        f"nothing of it was counted in {binary.name}, but in {', '.join(names[:5]) or 'files without a name'}"
        + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    )
