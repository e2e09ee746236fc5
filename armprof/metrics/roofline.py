"""The roofline of bandwidth: instructions per cycle beside the instructions for each byte that comes from memory.

Work that uses few instructions for a byte cannot be faster than memory brings bytes, whatever the core can do; the rest
cannot be faster than the core is wide. How far a point is below the roofs is what neither of the two explains.
"""

from __future__ import annotations

from dataclasses import dataclass

from armprof.metrics.result import ARM64Metrics

# What came from memory, the nearest to it first: the event of its lines, and what the reader must know.
TRAFFIC = (
    ("ll_cache_miss_rd", "reads that the last level cache missed; what is written is not among them"),
    ("l3d_cache_refill", "refills of the L3; a system level cache may have served some"),
    ("l2d_cache_refill", "refills of the L2, of which a last level cache serves a part: an upper bound"),
)


@dataclass(frozen=True, slots=True)
class Roof:
    """What memory brings in a cycle at most, and where that is from."""

    bytes_per_cycle: float
    origin: str


@dataclass(frozen=True, slots=True)
class Roofline:
    """Where one reading stands. ``width`` is what the core finishes in a cycle; the lowest roof is the first."""

    instructions_per_byte: float
    instructions_per_cycle: float
    width: int
    roofs: tuple[Roof, ...]
    notes: tuple[str, ...]  # what must be known of the two numbers

    @property
    def ridge(self) -> float:
        """From how many instructions for a byte on the lowest roof of memory is not what bounds."""
        return self.width / self.roofs[0].bytes_per_cycle

    @property
    def roof(self) -> float:
        """Instructions per cycle at most, for work with as many for a byte."""
        return min(float(self.width), self.roofs[0].bytes_per_cycle * self.instructions_per_byte)

    @property
    def is_memory_bound(self) -> bool:
        """Whether it stands below the roof of memory rather than that of the core."""
        return self.instructions_per_byte < self.ridge


def roofline(metrics: ARM64Metrics) -> Roofline | str:
    """Where the reading stands, or why that is not known."""
    core, ipc = metrics.core, metrics["ipc"]
    if ipc.value is None:
        return f"instructions per cycle are not known: {ipc.reason}"
    if core is None or core.width is None:
        return "how wide the core is is not known"
    roofs = _roofs(metrics)
    if not roofs:
        return f"what memory brings is not known: neither is there a number for {core.title}, nor was it measured"
    instructions = metrics.reading.value("inst_retired")
    event, note = next(((e, n) for e, n in TRAFFIC if metrics.reading.value(e) is not None), ("", ""))
    lines = metrics.reading.value(event) if event else None
    if lines is None or instructions is None:
        return f"what came from memory was not counted: {TRAFFIC[0][0]} or another of its kind"
    if lines == 0:
        return f"nothing came from memory: {event} is 0"
    line = next(iter(core.caches.values())).line_bytes if core.caches else 64
    told = [f"bytes from memory: {event}, {line} each, {note}"]
    if ipc.reason:
        told.append(ipc.reason)
    return Roofline(instructions / (lines * line), ipc.value, core.width, roofs, tuple(told))


def _roofs(metrics: ARM64Metrics) -> tuple[Roof, ...]:
    found = []
    core, clock = metrics.core, metrics.quality.clock_ghz
    if core is not None and core.pipeline is not None and core.pipeline.bytes_per_cycle:
        found.append(Roof(core.pipeline.bytes_per_cycle, f"one core, from the table of {core.title}"))
    peak = metrics.reading.facts.get("peak_bandwidth")
    if peak is not None and peak.value and clock:
        found.append(Roof(peak.value / (clock * 1e9), f"all cores together: {peak.origin}"))
    return tuple(sorted(found, key=lambda roof: roof.bytes_per_cycle))
