"""pyperf's hook: what each process of a benchmark counted goes into the metadata of its run.

    python -m pyperf timeit --hook armprof ...

pyperf makes a hook for the warm-ups of a process and another for its values, of which the later one's metadata stay: the
counts are those of the values alone, ``armprof_stretches`` of them, each of as many loops as the metadata say.
"""

from __future__ import annotations

from typing import Any

from armprof.counters.reading import Reading, Status

PREFIX = "armprof_"


class Hook:
    """Counts while it is entered; `teardown` adds ``armprof_<event>`` for what was counted, and why others were not."""

    def __init__(self) -> None:
        from armprof.errors import ArmprofError

        try:
            from armprof.measurement import measure

            self._measurement = measure()
        except ArmprofError as error:
            raise _refused(str(error)) from None
        self._readings: list[Reading] = []

    def __enter__(self) -> None:
        self._measurement.__enter__()

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        self._measurement.__exit__(kind, value, traceback)
        self._readings.append(self._measurement.reading)

    def teardown(self, metadata: dict[str, Any]) -> None:
        """Adds the sums over all stretches that were entered. What one of them did not count has no sum."""
        events = dict.fromkeys(event for reading in self._readings for event in reading)
        missing: dict[str, list[str]] = {}
        for event in events:
            counts = [reading.counts[event] for reading in self._readings]
            values = [count.value for count in counts if count.value is not None]
            if len(values) == len(counts):
                metadata[f"{PREFIX}{event}"] = round(sum(values))
                if any(count.status is Status.SCALED for count in counts):
                    coverage = min(count.coverage or 0.0 for count in counts)
                    metadata[f"{PREFIX}{event}_coverage"] = round(coverage, 4)
            else:
                reason = next(count.reason for count in counts if count.value is None)
                missing.setdefault(reason or "no reason given", []).append(event)
        if self._readings:
            metadata[f"{PREFIX}source"] = f"{self._readings[0].source}; {self._readings[0].scope}"
            metadata[f"{PREFIX}stretches"] = len(self._readings)
        if missing:
            told = (f"{', '.join(events)}: {reason}" for reason, events in missing.items())
            metadata[f"{PREFIX}not_counted"] = "; ".join(told)


def _refused(text: str) -> Exception:
    """As pyperf takes it from a hook: one line, and no benchmark is run."""
    from pyperf._hooks import HookError

    error: Exception = HookError(text)
    return error
