"""What was sampled, as the kernel told it: hits at addresses, and what was mapped where, when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from armprof.counters.reading import Count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# As in csrc/counters/records.h, field by field.
HIT = [
    ("time", "u8"), ("period", "u8"), ("pid", "u4"), ("tid", "u4"), ("stack", "u4"), ("cpu", "u2"), ("event", "u2"),
]  # fmt: skip
STACK = [("first", "u4"), ("depth", "u4")]
MOVE = [
    *((name, "u8") for name in ("time", "start", "length", "offset")),
    *((name, "u4") for name in ("pid", "tid", "parent", "text", "kind", "padding")),
]
MAPPED, NAMED, BECAME, FORKED, ENDED = range(5)
EXACT = "places are exact"
NOWHERE = 2**64 - 1  # the address of what was counted over missing samples, or by a thread that had ended


@dataclass(frozen=True, slots=True)
class Sampled:
    """One event that was sampled. ``count`` is what it counted in all, with its coverage, or the reason why it did not."""

    name: str
    count: Count
    every: str  # "999 times a second", "every 10,000 events"
    skid: str  # how exactly the places are known
    read_at: str | None = None  # the event at whose samples it was read, where it did not interrupt itself


@dataclass(frozen=True, slots=True)
class Losses:
    """What is not among the samples."""

    lost: int = 0  # the ring was full
    throttled: int = 0  # times that the kernel slowed an event down
    malformed: int = 0  # records that are none
    no_memory: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """``hits`` are in no order of time. ``text`` holds the names of ``moves``, each with a NUL behind it."""

    events: tuple[Sampled, ...]
    hits: Any  # records of HIT
    stacks: Any  # of STACK: stretches of frames, the place of the sample first
    frames: NDArray[np.uint64]
    moves: Any  # of MOVE
    text: bytes
    losses: Losses
    duration_ns: int
    reading_ns: int  # CPU time that taking the samples over took
    command: str
    notes: tuple[str, ...] = field(default=())
    core: str | None = None  # name of the table of the core that was sampled

    def text_at(self, at: int) -> str:
        """The name that a move points to."""
        return self.text[at : self.text.index(b"\0", at)].decode(errors="replace")
