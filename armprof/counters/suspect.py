"""Counts that contradict other counts of the same reading.

A raw event bypasses the kernel's check of what the core has: the open succeeds and the count stays 0. Small
guests hide events the same way, and Yitian 710 printed LL_CACHE_RD = 0 beside 7.4 million LL_CACHE_MISS_RD. A
ratio over such a 0 looks like a perfect cache, so the 0 loses its value and keeps the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from armprof.counters.reading import Count, Reading, Status


@dataclass(frozen=True, slots=True)
class Implication:
    """``event`` cannot be 0 where ``implied_by`` is at least ``minimum``; ``because`` ends the reason."""

    event: str
    implied_by: str
    minimum: float
    because: str


_INCLUDED = "every one of them is also one of these"
_PASSES = "refills of L1 are read from L2"
_WORKS = "the core cannot do the one without the other"
# 100,000 refills of L2 that all hit the next level are possible in principle, but no published recording
# shows them: in all five that print exactly 0 here (m6g.4xlarge, r7g.4xlarge, m7g.xlarge) the guest hides the
# event.
_FAR = "exactly none of so many went further, which guests that hide the event print"

# The minimum for an inclusion is low, but not 1: at the edges of a measured stretch a few counts may fall to
# one side.
IMPLICATIONS: tuple[Implication, ...] = (
    Implication("ll_cache_rd", "ll_cache_miss_rd", 100, _INCLUDED),
    Implication("ll_cache", "ll_cache_miss", 100, _INCLUDED),
    Implication("l3d_cache", "l3d_cache_refill", 100, _INCLUDED),
    Implication("l2d_cache", "l2d_cache_refill", 100, _INCLUDED),
    Implication("l1d_cache", "l1d_cache_refill", 100, _INCLUDED),
    Implication("l1i_cache", "l1i_cache_refill", 100, _INCLUDED),
    Implication("l1d_tlb", "l1d_tlb_refill", 100, _INCLUDED),
    Implication("l1i_tlb", "l1i_tlb_refill", 100, _INCLUDED),
    Implication("l2d_tlb", "l2d_tlb_refill", 100, _INCLUDED),
    Implication("br_retired", "br_mis_pred_retired", 100, _INCLUDED),
    Implication("br_pred", "br_mis_pred", 100, _INCLUDED),
    Implication("mem_access", "l1d_cache_refill", 100, _INCLUDED),
    Implication("inst_retired", "br_retired", 100, _INCLUDED),
    Implication("op_spec", "op_retired", 100, _INCLUDED),
    Implication("stall_slot", "stall_slot_backend", 100, _INCLUDED),
    Implication("stall_slot", "stall_slot_frontend", 100, _INCLUDED),
    Implication("l2d_cache", "l1d_cache_refill", 1_000, _PASSES),
    Implication("cpu_cycles", "inst_retired", 1_000, _WORKS),
    Implication("inst_retired", "cpu_cycles", 1_000_000, _WORKS),
    Implication("inst_spec", "inst_retired", 1_000, _WORKS),
    Implication("ll_cache_rd", "l2d_cache_refill", 100_000, _FAR),
    Implication("ll_cache_miss_rd", "l2d_cache_refill", 100_000, _FAR),
    Implication("l3d_cache", "l2d_cache_refill", 100_000, _FAR),
    Implication("l3d_cache_refill", "l2d_cache_refill", 100_000, _FAR),
)


def mark_suspects(reading: Reading) -> Reading:
    """The reading with every count that contradicts another as `Status.SUSPECT`: no value, ``raw`` and the
    reason kept.

    Marks nothing twice, so that it may be applied to any reading at any step. Returns the same object where
    all is well.
    """
    marked: dict[str, Count] = {}
    for rule in IMPLICATIONS:
        zero = reading.counts.get(rule.event)
        # A raw count that only the subtraction of the measurement's own cost made 0 contradicts nothing.
        if zero is None or zero.value != 0 or zero.raw or rule.event in marked:
            continue
        evidence = reading.value(rule.implied_by)
        # A counter that ran 1 % of the time had 1 % of the chances to see one.
        if evidence is None or evidence * _share_seen(zero) < rule.minimum:
            continue
        reason = f"0 although {rule.implied_by} is {evidence:,.0f}: {rule.because}"
        marked[rule.event] = replace(zero, value=None, raw=0.0, status=Status.SUSPECT, reason=reason)
    return replace(reading, counts={**reading.counts, **marked}) if marked else reading


def _share_seen(count: Count) -> float:
    return 1.0 if count.coverage is None else count.coverage
