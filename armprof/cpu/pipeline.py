"""How long a core's instructions take and how much it has on its way at once: the tables [pipeline] and [instructions]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """``latency`` from the operands to the result, ``busy`` the cycles that one of the ``unit``'s pipes is taken."""

    latency: float
    unit: str
    busy: float = 1
    late: float | None = None  # latency from an accumulator, where it is needed late


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``instructions`` are by the classes of armprof/binary/instructions.toml. All times are in core clock cycles."""

    reorder: int  # instructions that may be under way
    units: Mapping[str, float]  # how many pipes
    part_of: Mapping[str, str]  # a unit's pipes that are also another's
    instructions: Mapping[str, Timing] = field(repr=False)
    outstanding: int | None = None  # lines of L1D that may be on their way
    bytes_per_cycle: float | None = None  # that one core gets from memory
    from_core: float | None = None  # a line that another core holds

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Pipeline | None:
        """What a core's table says; None where it says nothing."""
        if "pipeline" not in table:
            return None
        timings = {kind: Timing(*values) for kind, values in table["instructions"].items()}
        return cls(instructions=timings, **table["pipeline"])
