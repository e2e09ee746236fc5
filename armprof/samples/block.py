"""`sample`: a block of Python whose C code is sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from armprof.counters.reading import Reading
from armprof.samples.collect import Sampling
from armprof.samples.profile import Samples
from armprof.samples.rate import rate
from armprof.samples.trace import Trace

if TYPE_CHECKING:
    from armprof.run.record import Component


class Measured(Protocol):
    """What has counts: what `measure` yields."""

    @property
    def reading(self) -> Reading: ...


class SampledBlock(Sampling):
    """What `sample` yields. ``samples`` are there when the block has ended."""

    _samples: Samples | None = None
    _of: Trace | None = None  # what they were made from

    if TYPE_CHECKING:

        def __enter__(self) -> SampledBlock: ...

    @property
    def samples(self) -> Samples:
        """Functions and lines. ArmprofError before the block has ended."""
        from armprof.samples.attribute import attribute

        trace = self.trace
        if self._samples is None or self._of is not trace:
            self._samples, self._of = attribute(trace), trace
        return self._samples

    def with_counts(self, measured: Measured) -> Component:
        """The counts of the block that was measured meanwhile, with the places of these samples.

        with armprof.measure() as m, armprof.sample(["cycles", "l1d_cache_refill"]) as s:
            decode(buffer)
        armprof.analyze(s.with_counts(m)).recommendations
        """
        from armprof.run.record import Component
        from armprof.samples.joined import where

        found = where(self.samples)
        return Component("the block", "", "block", "the block", reading=measured.reading, where=found)

    def _repr_html_(self) -> str | None:
        return None if self._trace is None else self.samples._repr_html_()

    def __repr__(self) -> str:
        return "<sample: the block has not ended>" if self._trace is None else repr(self.samples)


def sample(
    events: Sequence[str] | None = None,
    frequency: int | None = None,
    period: int | None = None,
    group: bool = False,
) -> SampledBlock:
    """Samples all threads of this process, in user mode, while the block runs: C code by function and line, Python as the
    interpreter's functions.

        with armprof.sample() as s:
            decode(buffer)
        s.samples.functions()

    ``events`` are by default cycles, or the CPU's clock where no PMU counts. ``frequency`` is samples a second of running
    time, ``period`` instead events from sample to sample. In a ``group`` the first event interrupts, and the others are read
    at its samples, as they are anyway where they cannot interrupt. Shares are of all that was sampled, 0 to 1.

    Raises ArmprofError for an unknown event, and for a frequency and a period at once; CannotCount where nothing can be
    sampled.
    """
    return SampledBlock(events, rate(frequency, period), group)
