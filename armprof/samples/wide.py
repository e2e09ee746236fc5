"""Samples of all that ran on the CPUs: which of them are of the process that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from armprof.samples.trace import BECAME, ENDED, FORKED

SWITCHES = "context_switches"
DEAD = 2**32 - 1  # what the kernel says of a thread that has ended


@dataclass(frozen=True, slots=True)
class Ours:
    """The process with all that it starts, less the thread that takes the samples over. ``of_command``: from the moment on at
    which it became the command.
    """

    process: int
    reader: int | None
    of_command: bool

    def of(self, hits: Any, moves: Any) -> tuple[Any, Any]:
        """The hits and moves that are of them."""
        import numpy as np

        moves = moves[np.argsort(moves["time"], kind="stable")]
        began, ours = 0, {self.process}
        for time, kind, pid, parent in moves[["time", "kind", "pid", "parent"]].tolist():
            if kind == FORKED and parent in ours:
                ours.add(pid)
            elif kind == BECAME and pid == self.process and self.of_command and not began:
                began = time
        mine = np.array(sorted(ours), np.uint32)
        hits = _with_the_dead(hits, moves[moves["kind"] == ENDED])
        theirs = np.isin(hits["pid"], mine) & (hits["tid"] != (self.reader or 0)) & (hits["time"] >= began)
        return hits[theirs], moves[np.isin(moves["pid"], mine)]


def _with_the_dead(hits: Any, ends: Any) -> Any:
    """What a thread did after its last sample is told when it leaves the CPU for good: it has no number any more, and is the
    one that ended last.
    """
    import numpy as np

    dead = np.flatnonzero(hits["tid"] == DEAD)
    last = np.searchsorted(ends["time"], hits["time"][dead], side="right") - 1
    for name in ("pid", "tid"):
        hits[name][dead[last >= 0]] = ends[name][last[last >= 0]]
    return hits
