"""Why something takes longer: which counters moved with its time, what they cost, where, and whether its code changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CodeChange(StrEnum):
    """Whether both sides ran the same machine code; unknown where a side does not tell its hash."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CounterChange:
    """One counter of one operation. ``cycles``: what its difference costs by the core's table, nothing overlapped."""

    event: str
    base: float
    head: float
    change: float | None  # as a fraction; None where base is 0
    noise: float  # by how much it moves without a reason, as a fraction; 0 where counts are exact
    cycles: float | None  # None where the core's table gives it no price
    share: float | None  # of the change of cycles


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the source. ``file`` is as the compiler named it; None, as the line, where only the function is known."""

    function: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of why a component changed."""

    code: CodeChange
    counters: tuple[
        CounterChange, ...
    ] = ()  # the dearest first; cycles and instructions always, where both sides have them
    explained: float | None = None  # the share of the change of cycles that the counters' costs add up to
    location: Location | None = None  # where most of it came about
    sentence: str = ""  # "cycles +6.1 %, explained by L2 refills +41 %; instructions unchanged"
