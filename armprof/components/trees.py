"""Components of two trees, as the two sides of a comparison: two revisions of a project, or two components of one.

Each tree has a process that has loaded its components, so that modules of one name do not meet. For each round it forks
another, which sets the component up anew: libraries are loaded anew, and what they do to their process does no harm here.
"""

from __future__ import annotations

import os
import struct
import time
from array import array
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from armprof.components.failure import Failed
from armprof.components.pairs import PairCounts, Samples, Turn, interleaved, plan
from armprof.components.pinning import Pinning
from armprof.components.remote import Remote
from armprof.components.timing import measure_clock, warm_up
from armprof.components.work import Definition, Work
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError

SEED = 1
TURN_NS = 4e6  # longer than of functions at hand: at each two processes wait for a CPU in turn

Load = Callable[[], Mapping[str, Definition]]


class Tree:
    """A folder's components, in a process that was there when they were loaded. ``label`` names it in messages."""

    def __init__(self, label: str, folder: Path, load: Load, pinning: Pinning) -> None:
        import numpy  # noqa: F401  # here, so that no process of a round has to import it

        self.label = label
        self._remote = _refusing(f"the components of {label}", partial(Remote, partial(_Loaded, folder, load, pinning)))
        self.names: tuple[str, ...] = self.call("the components", "names")

    def call(self, what: str, method: str, *arguments: Any) -> Any:
        """What the method of `_Loaded` returns there. Raises ArmprofError where it fails."""
        return _refusing(f"{what} of {self.label}", partial(self._remote.call, method, *arguments))

    def close(self) -> None:
        """Ends its processes."""
        self._remote.close()


def _refusing(what: str, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Failed as failed:
        raise ArmprofError(f"{what}: {failed}") from None
    except ArmprofError as error:
        raise ArmprofError(f"{what}: {error}") from None


class Components:
    """A component of either tree."""

    notes: tuple[str, ...] = ("each round sets both components up anew, each in a process of its own",)

    def __init__(self, trees: tuple[Tree, Tree], names: tuple[str, str], name: str = "") -> None:
        self.name = name
        self._trees, self._names = trees, names
        self.batch, self.resolution, self.set_up_s = 1, 0.0, 0.0
        for side in (0, 1):
            if names[side] not in trees[side].names:
                raise ArmprofError(f"{trees[side].label} has no component {names[side]!r}")

    def prepare(self, round_ns: float) -> None:
        self._step_ns = measure_clock().resolution_ns
        operation_ns = []
        for side in (0, 1):
            self._call(side, "start", self._names[side])
            operation_ns.append(struct.unpack("d", self._call(side, "warm_up", round_ns))[0])
        self._plan = plan(operation_ns, self._step_ns, round_ns, TURN_NS)
        self.batch, self.resolution = self._plan.batch, self._plan.resolution

    def round(self, new_first: bool) -> Samples:
        start = time.monotonic()
        for side in (1, 0) if new_first else (0, 1):
            self._call(side, "start", self._names[side])
            self._call(side, "run", self._plan.batch)  # what the first call sets up
        self.set_up_s += time.monotonic() - start
        return interleaved(self._turn(0), self._turn(1), self._plan.turns, new_first)

    def count(self) -> PairCounts | None:
        if self._plan.is_long:
            return None
        old, new = (self._call(side, "count", self._plan.calls) for side in (0, 1))
        return PairCounts(old, new, self._plan.calls)

    def codes(self) -> tuple[str | None, str | None]:
        return self._call(0, "code", self._names[0]), self._call(1, "code", self._names[1])

    def _call(self, side: int, method: str, *arguments: Any) -> Any:
        return self._trees[side].call(f"component {self._names[side]!r}", method, *arguments)

    def _turn(self, side: int) -> Turn:
        batch, samples, least = self._plan.batch, self._plan.samples, self._step_ns
        return lambda: [max(ns, least) for ns in array("d", self._call(side, "sample", batch, samples))]


# ---- in the processes ------------------------------------------------------------------------------------------------


class _Loaded:
    """The components of the tree; it passes on what is asked of the one that was started last."""

    def __init__(self, folder: Path, load: Load, pinning: Pinning) -> None:
        os.chdir(folder)
        self._components = load()
        self._pinning = pinning
        self._started: Remote | None = None

    def names(self) -> tuple[str, ...]:
        return tuple(self._components)

    def code(self, name: str) -> str | None:
        return self._components[name].code()

    def start(self, name: str) -> None:
        """Sets the component up in a new process."""
        if self._started is not None:
            self._started.close()
        self._started = Remote(partial(_SetUp, self._components[name], self._pinning))

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_") or self._started is None:
            raise AttributeError(method)
        return partial(self._started.call, method)


class _SetUp:
    def __init__(self, definition: Definition, pinning: Pinning) -> None:
        if not definition.pinned:
            pinning.release()
        self._work: Work = definition.set_up(SEED, None)

    def warm_up(self, round_ns: float) -> bytes:
        return struct.pack("d", warm_up(lambda calls: int(self._work.sample(calls, 1)[0]), round_ns / 1e9))

    def run(self, operations: int) -> None:
        self._work.run(operations)

    def sample(self, batch: int, samples: int) -> bytes:
        return array("d", self._work.sample(batch, samples).tolist()).tobytes()

    def count(self, operations: int) -> Reading:
        return self._work.count(operations)[0]
