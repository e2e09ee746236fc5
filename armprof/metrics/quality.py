"""How well a Reading was counted: what bears on all of its metrics, beside what each of them says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from armprof.counters.reading import Reading, Status
from armprof.cpu import Core
from armprof.metrics.confidence import stretch_ns
from armprof.metrics.result import Metric, Quality
from armprof.metrics.topdown import TERMS

# Refills are counted when a line comes, accesses when it is asked for; at the edges of a stretch a few fall apart.
WITHIN = (
    ("l1d_cache_refill", "l1d_cache"),
    ("l1i_cache_refill", "l1i_cache"),
    ("l2d_cache_refill", "l2d_cache"),
    ("l3d_cache_refill", "l3d_cache"),
    ("ll_cache_miss_rd", "ll_cache_rd"),
    ("l1d_tlb_refill", "l1d_tlb"),
    ("l1i_tlb_refill", "l1i_tlb"),
    ("l2d_tlb_refill", "l2d_tlb"),
    ("br_mis_pred_retired", "br_retired"),
    ("br_mis_pred", "br_pred"),
    ("op_retired", "op_spec"),
    ("stall_slot_frontend", "stall_slot"),
    ("stall_slot_backend", "stall_slot"),
    ("stall_backend_mem", "stall_backend"),
    ("br_retired", "inst_retired"),
    ("stall_frontend", "cpu_cycles"),
    ("stall_backend", "cpu_cycles"),
)
TOLERANCE = 1.01
CLOCK_TOLERANCE = 1.03  # task_clock and cycles do not begin and end at the same instant


def quality(reading: Reading, metrics: Mapping[str, Metric], core: Core | None) -> Quality:
    """The quality of a reading whose contradictions were marked, and of what was made of it."""
    covered = {name: count.coverage for name, count in reading.counts.items() if count.value is not None}
    known = {name: coverage for name, coverage in covered.items() if coverage is not None}
    lowest = min(known, key=known.__getitem__, default=None)
    terms = [metrics[name].value if name in metrics else None for name in TERMS]
    clock = _clock(reading)
    return Quality(
        lowest_coverage=None if lowest is None else known[lowest],
        lowest_event=lowest,
        stretch_ns=stretch_ns(reading),
        topdown_sum=None if None in terms else sum(term for term in terms if term is not None),
        clock_ghz=clock,
        findings=tuple(_findings(reading, core, clock)),
    )


def _findings(reading: Reading, core: Core | None, clock: float | None) -> Iterator[str]:
    for count in reading.counts.values():
        if count.status is Status.SUSPECT:
            yield f"{count.event}: {count.reason}"
    for part, whole in WITHIN:
        small, large = reading.counts.get(part), reading.counts.get(whole)
        if small is None or large is None or not small.value or large.value is None:
            continue
        if large.value and small.value > large.value * TOLERANCE:
            if core is not None and (core.errata_of(part) or core.errata_of(whole)):
                continue
            scaled = Status.SCALED in (small.status, large.status)
            apart = " (multiplexed: they were counted at different moments)" if scaled else ""
            yield f"{part} is {small.value:,.0f} and {whole}, which includes it, only {large.value:,.0f}{apart}"
    slots = reading.value("stall_slot"), reading.value("cpu_cycles")
    if core is not None and core.slots and not core.errata_of("stall_slot") and slots[0] and slots[1]:
        empty = slots[0] / (core.slots * slots[1])
        if empty > TOLERANCE:
            yield f"{empty:.3f} empty slots for each slot of {core.title}: this is another core, or another revision"
    if core is not None and clock is not None and core.clocks_ghz:
        product, fastest = max(core.clocks_ghz.items(), key=lambda known: known[1])
        if clock > fastest * CLOCK_TOLERANCE:
            yield (
                f"a clock of {clock:.2f} GHz (cpu_cycles over task_clock), but no known product with {core.title} runs "
                f"faster than {fastest:g} GHz ({product})"
            )


def _clock(reading: Reading) -> float | None:
    """GHz while it was on a CPU. A floor where cycles were counted in user mode alone: the clock of the task runs on."""
    cycles, on_cpu = reading.value("cpu_cycles"), reading.value("task_clock")
    return cycles / on_cpu if cycles and on_cpu else None
