"""Standing counters that are sampled together, several times in one call.

Waking Python ten times a second cost more than reading the counters: what it left in the caches is gone after a tenth of
a second. So C waits, samples, and comes back with as many as it may hold, or as soon as something else happened.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from armprof.counters.standing import INTERVAL, Row, Standing

Taken = tuple[tuple[int, int, int], list[Row | None]]

_moment = struct.Struct("=3q")  # armprof_moment


class Batch:
    """The standing counters, to be sampled at most so many times at once."""

    def __init__(self, standings: Sequence[Standing], most: int) -> None:
        module = standings[0].module
        ffi, self._lib = module.ffi, module.lib
        assert ffi.sizeof("armprof_moment") == _moment.size
        self.standings = standings
        self._most = most
        self._row = sum(one.size for one in standings)
        self._moments = ffi.new("armprof_moment[]", most)
        self._since = ffi.new("armprof_interval[]", max(1, most * self._row))
        self._errors = ffi.new("int[]", len(standings))
        self._natives = ffi.new("armprof_standing *[]", [one.native for one in standings])
        self._batch = ffi.new("armprof_batch *", {"standing": self._natives, "count": len(standings)})
        self._new = ffi.new
        self._at, self._counts = ffi.buffer(self._moments), memoryview(ffi.buffer(self._since))

    def take(
        self, due_ns: int, interval_ns: int, until_ns: int, ends: tuple[int, int], listing: tuple[int, bytes]
    ) -> Iterator[Taken]:
        """Waits and samples, the first time at ``due_ns`` of the monotonic clock and then at each interval until that moment.
        Of each sample the wall, monotonic and boot time, and the row of each standing, None where it could not be read.

        Fewer, or none, where one of the descriptors ``ends`` can be read, or that of ``listing`` gives
        something else than the bytes beside it; -1 is no descriptor. Also where a signal came.
        """
        listed = self._new("char[]", listing[1])
        self._batch.due_ns, self._batch.interval_ns, self._batch.until_ns = due_ns, interval_ns, until_ns
        self._batch.ends = ends
        self._batch.listing, self._batch.listed, self._batch.listed_size = listing[0], listed, len(listing[1])
        taken = self._lib.armprof_batch_take(self._batch, self._most, self._moments, self._since, self._errors)
        for n in range(taken):
            at = INTERVAL.size * n * self._row
            found: list[Row | None] = []
            for standing, error in zip(self.standings, self._errors, strict=True):
                is_lost = error and n == taken - 1  # what cannot be read ends it
                found.append(None if is_lost else standing.row(self._counts, at))
                at += INTERVAL.size * standing.size
            yield _moment.unpack_from(self._at, _moment.size * n), found
