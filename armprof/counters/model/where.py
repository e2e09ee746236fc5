"""Which code did it: the model's counts by function and by line of source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from armprof.binary import Line, Mapping, Space
from armprof.counters.model.counts import Counts
from armprof.counters.model.outlined import to_callers
from armprof.counters.model.tally import Tally

FALSE_SHARING, SHARING = "false sharing", "sharing"
NO_FILE = "no file"  # code that the program made itself
OFTEN = 10  # times that a line was lost: fewer come of starting and ending threads


@dataclass(frozen=True, slots=True)
class CountedPlace:
    """A function and, where it was asked for and is known, a line of it."""

    function: str
    module: str
    line: Line | None = None

    def __str__(self) -> str:
        return f"{self.function} ({self.line or Path(self.module).name or NO_FILE})"


@dataclass(frozen=True, slots=True)
class Contended:
    """A line of the cache that two threads took from each other ``times`` times.

    ``kind`` is false sharing where they touch different bytes of it. ``places`` are where each of them touched it last.
    """

    kind: str
    address: int
    variable: str | None
    times: int
    threads: tuple[int, int]
    places: tuple[CountedPlace, CountedPlace]


class Atlas:
    """From addresses of the program to files, functions and lines."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self._space = Space(
            Mapping(int(m["start"]), int(m["end"]), int(m["offset"]), m["path"].decode(errors="replace"))
            for m in counts.modules
        )

    def places(self, addresses: Iterable[int], with_line: bool = False) -> list[CountedPlace]:
        """The places of instructions. A function without a name is called ``?``."""
        return [
            CountedPlace(
                found.function or "?", "?" if found.module is None else found.module, found.line if with_line else None
            )
            for found in self._space.places(addresses)
        ]

    def variable(self, address: int) -> str | None:
        """The variable at an address of data, and how far into it: "counters + 8"."""
        found = self._space.variable(address)
        if found is None:
            return None
        name, into = found
        return f"{name} + {into}" if into else name

    @cached_property
    def contended(self) -> tuple[Contended, ...]:
        """The lines that threads took from each other often, the worst first."""
        return tuple(sorted(map(self._contended, self._often()), key=lambda c: -c.times))

    def _often(self) -> list[Any]:
        return [line for line in self.counts.lines if line["times"] >= OFTEN]

    def _contended(self, line: Any) -> Contended:
        touched = [int(bytes_) for bytes_ in line["touched"]]
        address = int(line["line"])
        used = touched[0] | touched[1]
        first = (used & -used).bit_length() - 1 if used else 0
        left, right = self.places([int(self.counts.sites["address"][site]) for site in line["site"]], with_line=True)
        return Contended(
            kind=SHARING if touched[0] & touched[1] else FALSE_SHARING,
            address=address,
            variable=self.variable(address + first),
            times=int(line["times"]),
            threads=(int(line["thread"][0]) - 1, int(line["thread"][1]) - 1),
            places=(left, right),
        )


def totals(atlas: Atlas, tally: Tally, values: Sequence[Any], by_line: bool) -> dict[CountedPlace, list[float]]:
    """Sums of each of the values, arrays by instruction, by function or by line."""
    import numpy as np

    addresses, which = np.unique(tally.address, return_inverse=True)
    sums = [np.bincount(which, weights=value, minlength=len(addresses)) for value in values]
    found: dict[CountedPlace, list[float]] = {}
    counted = np.flatnonzero(sum(np.abs(s) for s in sums))
    for i, place in zip(counted, atlas.places(addresses[counted], by_line), strict=True):
        at = found.setdefault(place, [0.0] * len(values))
        for n, one in enumerate(sums):
            at[n] += float(one[i])
    if by_line:
        to_callers(found, tally, atlas.places)
    return found
