"""What a metric needs beside counts: the machine's measured memory, and where a program's pages lie.

A fact is taken when the counts are, and travels with them, so that a report made elsewhere divides by the peak of the
machine that counted. Nothing here measures for long: what was not measured before is a fact without a value.
"""

from __future__ import annotations

from functools import cache

from armprof.counters import memory
from armprof.counters.placement import placement
from armprof.counters.reading import Fact

UNMEASURED = f"the memory of the machine that counted was not measured; `{memory.HOW}` does that there, in some seconds"

# Every name that a formula may use beside those of events -> why it has no value where a Reading says nothing of it.
NAMES = {
    "seconds": "how long was counted is not known",
    "line_bytes": UNMEASURED,
    "peak_bandwidth": UNMEASURED,
    "idle_latency_ns": UNMEASURED,
    "loaded_latency_cycles": "no loads were sampled: perf record -e arm_spe// does that, where the core has SPE",
    "core_ghz": "the clock of the core that was sampled is not known",
    "local_share": "where the pages of the program lay is not known",
}


MODELLED = "a model has no memory of its own, and its time is an estimate"


@cache
def unknown(name: str, source: str) -> Fact:
    """The fact of a Reading that says nothing of it."""
    return Fact(None, "", MODELLED if source == "model" else NAMES[name])


def facts(*, whole_process: bool, command: bool = False) -> dict[str, Fact]:
    """The facts of this machine and this process, for a stretch that has just ended."""
    known = memory.here()
    found = {"local_share": placement(whole_process, command)}
    if known is None:
        return found
    when = f"measured {known.measured[:10]}"
    found["line_bytes"] = Fact(known.line_bytes, "bytes")
    found["peak_bandwidth"] = Fact(
        known.peak,
        "bytes/s",
        f"the peak of this machine is {known.peak / 1e9:.1f} GB/s, {when}; one core alone reaches "
        f"{known.one_core_peak / 1e9:.1f} GB/s",
        known.spread,
    )
    pages = "huge pages" if known.huge_share > 0.9 else f"{known.page_bytes >> 10} KiB pages"
    small = known.small_page_loads[-1][1]
    walks = f"; {small:.0f} ns with {known.page_bytes >> 10} KiB pages, page table walks included"
    found["idle_latency_ns"] = Fact(
        known.idle_latency_ns,
        "ns",
        f"of this machine when idle, not of this program: dependent loads over {known.loads[-1][0] >> 20} MiB in {pages}, "
        f"{when}{walks if known.huge_share > 0.9 else ''}",
        known.loads_spread,
    )
    return found
