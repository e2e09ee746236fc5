"""The PMU's events by meaning, from what the model counted: each is a sum over instructions.

Nothing is executed on a wrong path here, so an event that counts speculative work (``ld_spec``) counts what was executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from armprof import cpu
from armprof.binary.flow import CHASED, GATHERED, STRIDED
from armprof.counters.model import exclusives
from armprof.counters.model.estimate import BACKEND, FRONTEND, MEMORY, PARTS, Estimate
from armprof.counters.model.estimate import why_not as no_estimate
from armprof.counters.model.geometry import Geometry
from armprof.counters.model.tally import ENDINGS, Tally
from armprof.counters.reading import Count, Status, uncounted
from armprof.errors import CannotCount

if TYPE_CHECKING:
    from armprof.counters.model.tally import Numbers

ByInstruction = Callable[[Tally], "Numbers"]


def _accesses(store: bool | None = None) -> ByInstruction:
    return lambda t: t.accesses(store) + t.sites("crossing", store)


def _executed(store: bool | None = None) -> ByInstruction:
    return lambda t: t.accesses(store)


def _sites(name: str, store: bool | None = None) -> ByInstruction:
    return lambda t: t.sites(name, store)


def _both(site: str, block: str) -> ByInstruction:
    """Of data and instructions."""
    return lambda t: t.sites(site) + t.first(block)


def _kind(*names: str) -> ByInstruction:
    return lambda t: t.kind(*names) * t.executed


def _branches(which: str) -> ByInstruction:
    return lambda t: t.last("executed", *ENDINGS[which])


def _advanced_simd(t: Tally) -> Numbers:
    return (t.kind("simd") & ~t.kind("vfp_spec", "crypto_spec")) * t.executed


def _taken(t: Tally) -> Numbers:
    return t.last("taken") + t.last("executed", *ENDINGS["unconditional"])


def _mispredicted(t: Tally) -> Numbers:
    return t.last("mispredicted")


_INSTRUCTIONS: ByInstruction = lambda t: t.executed  # noqa: E731
_CODE: ByInstruction = lambda t: t.lines()  # noqa: E731

EVENTS: Mapping[str, ByInstruction] = {
    "inst_retired": _INSTRUCTIONS,
    "inst_spec": _INSTRUCTIONS,
    "ld_retired": _executed(False),
    "st_retired": _executed(True),
    "ld_spec": _executed(False),
    "st_spec": _executed(True),
    "ldst_spec": _executed(),
    "mem_access": _accesses(),
    "mem_access_rd": _accesses(False),
    "mem_access_wr": _accesses(True),
    "l1d_cache": _accesses(),
    "l1d_cache_rd": _accesses(False),
    "l1d_cache_wr": _accesses(True),
    "l1d_cache_refill": _sites("l1d_refill"),
    "l1d_cache_refill_rd": _sites("l1d_refill", False),
    "l1d_cache_refill_wr": _sites("l1d_refill", True),
    "l1d_cache_wb": lambda t: 0 * t.executed,
    "l1d_cache_wb_victim": lambda t: 0 * t.executed,
    "l2d_cache": _both("l1d_refill", "l1i_refill"),
    "l2d_cache_rd": _both("l1d_refill", "l1i_refill"),
    "l2d_cache_wr": lambda t: 0 * t.executed,
    "l2d_cache_refill": _both("l2_refill", "l2_refill"),
    "l2d_cache_refill_rd": _both("l2_refill", "l2_refill"),
    "l2d_cache_wb": lambda t: 0 * t.executed,
    "l2d_cache_wb_victim": lambda t: 0 * t.executed,
    "l3d_cache": _both("l2_refill", "l2_refill"),
    "l3d_cache_rd": _both("l2_refill", "l2_refill"),
    "l3d_cache_refill": _both("ll_miss", "ll_miss"),
    "ll_cache": _both("l2_refill", "l2_refill"),
    "ll_cache_rd": _both("l2_refill", "l2_refill"),
    "ll_cache_miss": _both("ll_miss", "ll_miss"),
    "ll_cache_miss_rd": _both("ll_miss", "ll_miss"),
    "l1d_tlb": _accesses(),
    "l1d_tlb_rd": _accesses(False),
    "l1d_tlb_wr": _accesses(True),
    "l1d_tlb_refill": _sites("dtlb_refill"),
    "l1d_tlb_refill_rd": _sites("dtlb_refill", False),
    "l1d_tlb_refill_wr": _sites("dtlb_refill", True),
    "dtlb_walk": _sites("dtlb_walk"),
    "l2d_tlb": _both("dtlb_refill", "itlb_refill"),
    "l2d_tlb_refill": _both("dtlb_walk", "itlb_walk"),
    "l1i_cache": _CODE,
    "l1i_cache_refill": lambda t: t.first("l1i_refill"),
    "l1i_tlb": _CODE,
    "l1i_tlb_refill": lambda t: t.first("itlb_refill"),
    "itlb_walk": lambda t: t.first("itlb_walk"),
    "br_retired": _branches("any"),
    "br_pred": _branches("any"),
    "br_mis_pred": _mispredicted,
    "br_mis_pred_retired": _mispredicted,
    "br_immed_retired": _branches("immediate"),
    "br_immed_spec": _branches("immediate"),
    "br_return_retired": _branches("return"),
    "br_return_spec": _branches("return"),
    "br_indirect_spec": _branches("indirect"),
    "pc_write_retired": _taken,
    "pc_write_spec": _taken,
    "unaligned_ld_spec": _sites("unaligned", False),
    "unaligned_st_spec": _sites("unaligned", True),
    "unaligned_ldst_spec": _sites("unaligned"),
    "dp_spec": _kind("dp_spec"),
    "vfp_spec": _kind("vfp_spec"),
    "ase_spec": _advanced_simd,
    "ase_inst_spec": _advanced_simd,
    "crypto_spec": _kind("crypto_spec"),
    "ldrex_spec": _kind("ldrex_spec"),
    "strex_spec": _kind("strex_spec"),
    "strex_pass_spec": exclusives.passed,
    "strex_fail_spec": exclusives.failed,
    "model_atomic": _kind("model_atomic"),
    "model_false_sharing": _sites("false_sharing"),
    "model_true_sharing": lambda t: t.sites("contended") - t.sites("false_sharing"),
    "rc_ld_spec": _kind("rc_ld_spec"),
    "rc_st_spec": _kind("rc_st_spec"),
    "isb_spec": _kind("isb_spec"),
    "dsb_spec": _kind("dsb_spec"),
    "dmb_spec": _kind("dmb_spec"),
    "csdb_spec": _kind("csdb_spec"),
    "nop_spec": _kind("nop_spec"),
    "prf_spec": _kind("prf_spec"),
    "exc_svc": _kind("exc_svc"),
    "model_indirect_call": lambda t: t.last("executed", *ENDINGS["chosen"]),
}

# What comes on top of an event and belongs to no instruction: sums of fields of the banks.
BESIDES: Mapping[str, tuple[str, ...]] = {
    "l1d_cache_wb": ("l1d_wb",),
    "l1d_cache_wb_victim": ("l1d_wb",),
    "l2d_cache": ("l1d_wb", "prefetched"),
    "l2d_cache_rd": ("prefetched",),
    "l2d_cache_wr": ("l1d_wb",),
    "l2d_cache_refill": ("prefetch_l2_refill",),
    "l2d_cache_refill_rd": ("prefetch_l2_refill",),
    "l2d_cache_wb": ("l2_wb",),
    "l2d_cache_wb_victim": ("l2_wb",),
    "l3d_cache": ("prefetch_l2_refill", "l2_wb"),
    "l3d_cache_rd": ("prefetch_l2_refill",),
    "l3d_cache_refill": ("prefetch_ll_miss",),
    "ll_cache": ("prefetch_l2_refill", "l2_wb"),
    "ll_cache_rd": ("prefetch_l2_refill",),
    "ll_cache_miss": ("prefetch_ll_miss",),
    "ll_cache_miss_rd": ("prefetch_ll_miss",),
}

_NOT_FOLLOWED = "the model does not follow it"
_REASONS = (  # by the beginning of the name
    ("stall", "the model estimates stalls of the front end and of the back end alone"),
    ("op_", "the model does not split instructions into operations"),
    ("exc_", "the model runs user mode alone"),
    ("cid_write", "the model runs user mode alone"),
    ("ttbr_write", "the model runs user mode alone"),
)


Estimated = Callable[[Estimate], Any]


def _parts(*parts: str) -> Estimated:
    return lambda e: e.cycles(*parts)


def _refills(kind: str) -> Estimated:
    return lambda e: e.refills(kind)


# Estimates of cycles.
ESTIMATES: Mapping[str, Estimated] = {
    "cpu_cycles": _parts(*PARTS),
    "stall_frontend": _parts(*FRONTEND),
    "stall_backend": _parts(*BACKEND),
    "stall_backend_mem": _parts(*MEMORY),
    "model_latency_cycles": _parts("latency"),
    "model_divide_cycles": _parts("divide"),
    "model_chased_cycles": _parts("chased"),
    "model_gathered_cycles": _parts("gathered"),
    "model_strided_cycles": _parts("strided"),
    "model_barrier_cycles": _parts("barrier"),
    "model_atomic_cycles": _parts("atomic"),
    "model_contended_cycles": _parts("contended"),
}

# Counts that only the code tells apart.
OF_CODE: Mapping[str, Estimated] = {
    "model_refill_chased": _refills(CHASED),
    "model_refill_gathered": _refills(GATHERED),
    "model_refill_strided": _refills(STRIDED),
    "model_refill_sparse": lambda e: e.sparse(),
    "model_refill_wide": lambda e: e.wide(),
    "model_scalar_inst": lambda e: e.scalar(),
}

# What the metrics need, and what else is worth a look.
DEFAULT = (
    "cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "l2d_cache", "l2d_cache_refill", "ll_cache_rd",
    "ll_cache_miss_rd", "l1d_tlb", "l1d_tlb_refill", "dtlb_walk", "l1i_cache", "l1i_cache_refill", "l1i_tlb_refill",
    "itlb_walk", "br_retired", "br_mis_pred_retired", "ld_spec", "st_spec", "ase_spec", "vfp_spec",
    "unaligned_ldst_spec", "stall_frontend", "stall_backend", "stall_backend_mem",
    *cpu.modelled(),
)  # fmt: skip

ESTIMATE = "estimated from chains, units and misses: not a count"


def counts(tally: Tally, geometry: Geometry, events: Iterable[str]) -> dict[str, Count]:
    """Each event's Count."""
    return {event: _count(tally, geometry, event) for event in events}


def _count(tally: Tally, geometry: Geometry, event: str) -> Count:
    try:
        total = float(round(_values(tally, geometry, event).sum()))
    except CannotCount as missing:
        return uncounted(event, Status.UNSUPPORTED, str(missing))
    if event in ESTIMATES:
        return Count(event, total, None, None, None, Status.ESTIMATED, ESTIMATE, stated_coverage=1.0)
    total += sum(tally.bank_total(name) for name in BESIDES.get(event, ()))
    return Count(event, total, total, None, None, Status.COUNTED, stated_coverage=1.0)


def by_instruction(tally: Tally, geometry: Geometry, event: str) -> Any:
    """The event's count, or estimate, at each instruction of the tally. Raises CannotCount where there is none."""
    try:
        return _values(tally, geometry, event)
    except CannotCount as missing:
        raise CannotCount(f"{event}: {missing}") from None


def _values(tally: Tally, geometry: Geometry, event: str) -> Any:
    missing = why_not(event, geometry)
    if missing:
        raise CannotCount(missing)
    if event in EVENTS:
        return EVENTS[event](tally)
    estimate = tally.once("estimate", lambda: Estimate(tally, geometry))
    return (ESTIMATES[event] if event in ESTIMATES else OF_CODE[event])(estimate)


def why_not(event: str, geometry: Geometry) -> str | None:
    """Why the model does not count the event; None where it does."""
    if event in ESTIMATES:
        return no_estimate(geometry.core)
    if event not in EVENTS and event not in OF_CODE:
        if event in cpu.events() and cpu.events()[event].kind == "software":
            return "the model counts the program's instructions, and the kernel that runs the emulator has other events"
        return next((why for start, why in _REASONS if event.startswith(start)), _NOT_FOLLOWED)
    absent = (("ll_", "l3d_"), "ll_bytes", "a last level"), (("l2d_cache",), "l2_bytes", "an L2")
    for starts, setting, what in absent:
        if event.startswith(starts) and not geometry.settings[setting]:
            return f"the model was set up without {what}"
    return None
