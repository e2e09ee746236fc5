"""What loads and stores that miss L1D cost, alone and many at once.

A load that nothing overlaps waits for all of its latency. Independent ones overlap within the reorder window of the core: of
all that are in one window the slowest is waited for, as far as the window's instructions do not fill that time; and no more
lines are on their way at once than the core can have outstanding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armprof.binary.flow import CHASED, LINE
from armprof.counters.model.code import LoopBody
from armprof.cpu import Core

if TYPE_CHECKING:
    from armprof.counters.model.tally import Tally

LEVELS = ("l2", "llc", "dram")  # where what misses L1D is found
Levels = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Misses:
    """Where the refills of L1D were found, and the walks: arrays by instruction. What another thread held is left out."""

    loads: Levels
    stores: Levels
    walks: Any  # for loads

    def map(self, change: Callable[[Any], Any]) -> Misses:
        return Misses(_three(map(change, self.loads)), _three(map(change, self.stores)), change(self.walks))

    def alone(self, core: Core) -> Any:
        """The cycles of the loads, nothing overlapped."""
        return self.walks * core.load_cycles["l2"] + sum(
            found * more for found, more in zip(self.loads, penalties(core), strict=True)
        )


def misses(tally: Tally) -> Misses:
    """By entry of the tally."""
    return Misses(_found(tally, False), _found(tally, True), tally.sites("dtlb_walk", False))


def _found(tally: Tally, store: bool) -> Levels:
    import numpy as np

    contended = tally.sites("contended", store)
    l1, l2, llc = (np.maximum(tally.sites(n, store) - contended, 0) for n in ("l1d_refill", "l2_refill", "ll_miss"))
    return np.maximum(l1 - l2, 0), np.maximum(l2 - llc, 0), llc


def _three(values: Iterable[Any]) -> Levels:
    one, two, three = values
    return one, two, three


def penalties(core: Core) -> tuple[float, float, float]:
    """How much later than from L1D what a level has is there."""
    latency = core.load_cycles
    return _three(latency[level] - latency["l1"] for level in LEVELS)


def prefetched(tally: Tally, core: Core, outstanding: int, bytes_per_cycle: float | None) -> float:
    """The cycles that the lines which the prefetcher brought keep the ways to L2 and memory busy."""
    lines, beyond_l2, memory = (tally.bank_total(n) for n in ("prefetched", "prefetch_l2_refill", "prefetch_ll_miss"))
    l2, llc, dram = (penalty / outstanding for penalty in penalties(core))
    if bytes_per_cycle:
        dram = LINE / bytes_per_cycle
    return (lines - beyond_l2) * l2 + (beyond_l2 - memory) * llc + memory * dram


def walked(stride: int | None) -> float:
    """How many lines of a page a stride touches: so many a prefetcher can bring for one that is missed."""
    page = 4096
    return page / min(page, max(LINE, abs(stride or page)))


@dataclass(frozen=True)
class Window:
    """What a loop gives to overlap misses with: ``cycles`` of all its ``instructions``, without waiting."""

    instructions: float
    cycles: float
    penalties: tuple[float, float, float]
    walk: float
    reorder: int
    outstanding: int

    def hidden(self, loads: Sequence[float], queue: float, walks: float) -> float:
        """The cycles that independent ``loads``, by level, wait for.

        ``queue`` are the cycles of all lines, one by one; ``walks`` are made one at a time.
        """
        windows = max(1.0, self.instructions / self.reorder)
        fill = self.cycles / windows
        waits, rest = 0.0, 1.0
        for found, penalty in zip(reversed(loads), reversed(self.penalties), strict=True):
            among = min(1.0, found / windows)
            waits += windows * rest * among * max(0.0, penalty - fill)
            rest *= 1 - among
        return max(waits, queue - self.cycles, walks * self.walk - self.cycles)


def waits(
    body: LoopBody,
    found: Misses,
    window: Window,
    serial: Mapping[int, float],
    brought: Mapping[int, float],
) -> dict[int, float]:
    """The cycles that the loop waits for memory, by instruction.

    ``serial`` is the share of a load's executions whose latency a mispredicted branch waits for, ``brought`` the cycles of
    the lines that the prefetcher brought for it.
    """
    alone = max(0.0, 1 - body.loop.entries / max(1.0, body.loop.iterations))  # a chase waits for all but its first load
    waited: dict[int, float] = {}
    weight: dict[int, float] = {}
    loads, queue, walks = [0.0, 0.0, 0.0], 0.0, 0.0
    for access in body.flow.accesses:
        n = access.number
        by_level = [float(level[n]) for level in found.loads]
        full = sum(f * p for f, p in zip(by_level, window.penalties, strict=True)) + found.walks[n] * window.walk
        one_by_one = alone if access.kind == CHASED and access.memory.load else min(1.0, serial.get(n, 0.0))
        waited[n] = full * one_by_one
        for level, times in enumerate(by_level):
            loads[level] += times * (1 - one_by_one)
        stores = sum(float(level[n]) * p for level, p in zip(found.stores, window.penalties, strict=True))
        weight[n] = full * (1 - one_by_one) + stores + brought.get(n, 0.0) * window.outstanding
        queue += (full * (1 - one_by_one) + stores) / window.outstanding + brought.get(n, 0.0)
        walks += float(found.walks[n]) * (1 - one_by_one)
    total = sum(weight.values())
    together = window.hidden(loads, queue, walks) if total else 0.0
    for n, share in weight.items():
        waited[n] += max(0.0, together) * share / total if total else 0.0
    return waited
