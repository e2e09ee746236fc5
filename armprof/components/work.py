"""What a bench drives: the definition of a component, and its work once that is set up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.components.timing import Clock, measure_clock
from armprof.counters.machine import native
from armprof.counters.reading import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.components.ticks import Ticks


class Work(ABC):
    """A component that is ready to run. Not to be used by two threads at once.

    Any of the methods may raise `Failed`: its code is that of users.
    """

    period = 1  # operations after which the input starts anew; counted are whole periods
    notes: tuple[str, ...] = ()
    ticks: Ticks | None = None  # its single ticks, which are then what is timed

    @abstractmethod
    def run(self, operations: int) -> int | None:
        """Runs so many operations. Returns the checksum of all outputs so far, where there is one."""

    @abstractmethod
    def sample(self, batch: int, samples: int) -> NDArray[np.uint64]:
        """Nanoseconds of each of ``samples`` batches of operations, what one without work takes included."""

    def clock(self, batch: int) -> Clock:
        """What `sample` measures of so many operations that take no time, and how finely."""
        return measure_clock()

    def count(self, operations: int) -> tuple[Reading, int]:
        """Counts of so many operations, or of as many as it says. Raises CannotCount."""
        from armprof.counters import pmu

        return pmu.count(lambda: self.run(operations)), operations


class CLoop(Work):
    """A loop in C, an ap_loop: called once for a whole batch."""

    def __init__(self, loop: Any, state: Any, keeps: Any = None) -> None:
        self._loop, self.state = loop, state
        self._keeps = keeps  # memory that the state points into

    def run(self, operations: int) -> int | None:
        checksum: int = self._loop(self.state, operations)
        return checksum

    def sample(self, batch: int, samples: int) -> NDArray[np.uint64]:
        import numpy as np

        ns = np.empty(samples, dtype=np.uint64)
        out = native().ffi.from_buffer("uint64_t[]", ns, require_writable=True)
        native().lib.ap_time_batches(self._loop, self.state, batch, samples, out)
        return ns


@dataclass(frozen=True)
class Definition:
    """A component that can be benched: ``operation`` says what is timed and counted, ``set_up(seed, input)`` makes it ready.

    ``isolated``: it runs in a process of its own, which it may bring down. ``pinned``: it runs on one CPU.
    """

    name: str
    title: str
    kind: str  # "kernel", "symbol", "callable", "command"
    operation: str
    set_up: Callable[[int, Path | None], Work]
    takes_input: bool = False
    takes_rate: bool = False  # whether it has ticks, and can be run at a rate
    isolated: bool = True
    pinned: bool = True
    origin: str = ""  # where it was registered, for who registers another of that name
    code: Callable[[], str | None] = lambda: None  # the hash of its machine code, where that can be told
