"""One program diagnosed: what is advised, what is promised, and what mending it gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from armprof.analysis import Analysis, Improvement, Recommendation, analyze
from armprof.counters.reading import Reading

from .sources import RunError, Source
from .suite import Pair


@dataclass(frozen=True)
class Finding:
    """What came of one cause of a program. ``gained`` is in percent, of what ``promised`` is of."""

    program: str
    fixed: int  # how the mended one was compiled
    cause: str
    named: Sequence[
        str
    ]  # the rules that advise something, the most worthwhile first; or tell something, where none does
    promised: Improvement | None  # None where the cause is not among them
    gained: float
    again: bool  # whether the same is advised of the mended program
    location: Mapping[str, Any] | None = None  # where the advice says that the cause is
    on_its_line: bool = False  # and whether it is there

    @property
    def place(self) -> int | None:
        """1 where the cause is named first."""
        return self.named.index(self.cause) + 1 if self.cause in self.named else None

    @property
    def inside(self) -> bool:
        """Whether the gain is as promised."""
        return self.promised is not None and self.promised.low <= self.gained <= self.promised.high

    @property
    def above_the_ceiling(self) -> bool:
        """Whether it is more than there was to gain."""
        most = self.promised.ceiling if self.promised else None
        return most is not None and self.gained > most


def diagnose(pair: Pair, source: Source) -> list[Finding]:
    """A Finding for each cause of the program. Raises what the source does, RunError where mended it answers another thing."""
    slow = source.count(pair)
    analysis = analyze(slow.component)
    found = []
    for fixed, named in pair.fixes:
        cause = source.names(pair, named)
        mended = source.count(pair, fixed)
        if mended.checksum != slow.checksum:
            raise RunError(f"{pair.program} answers {slow.checksum}, mended {mended.checksum}")
        advice = next((r for r in _spoken(analysis) if r.rule == cause), None)
        promised = advice.expected_improvement if advice else None
        location = advice.location if advice else None
        found.append(
            Finding(
                program=pair.program,
                fixed=fixed,
                cause=cause,
                named=tuple(r.rule for r in _spoken(analysis)),
                promised=promised,
                gained=gain(slow.cycles, mended.cycles, promised.unit if promised else "latency"),
                again=cause in advised(mended.reading),
                location=location,
                on_its_line=pair.has(named, location),
            )
        )
    return found


def advised(reading: Reading) -> Sequence[str]:
    """The rules that advise something."""
    return [r.rule for r in analyze(reading).recommendations]


def _spoken(analysis: Analysis) -> Sequence[Recommendation]:
    """The advice; where there is none, what is told beside it."""
    return analysis.recommendations or analysis.asides


def gain(before: float, after: float, unit: str) -> float:
    """In percent: of the time that went away, or of the throughput that came on top."""
    return 100 * (before / after - 1 if unit == "throughput" else 1 - after / before)
