"""Readings for the tests of the analysis, and programs that each have one cause to be slow."""

from __future__ import annotations

from armprof.counters.reading import Count, Fact, Reading, Status

SECOND = 1_000_000_000


def reading(coverage=1.0, duration_ns=SECOND, core=None, source="pmu", facts=None, **values):
    status = Status.COUNTED if coverage == 1.0 else Status.SCALED
    counts = {
        event: Count(event, float(value), value * coverage, duration_ns, int(duration_ns * coverage), status)
        for event, value in values.items()
    }
    return Reading(counts, source=source, core=core, duration_ns=duration_ns, facts=facts or {})


def n1(**values):
    """A healthy program on a Neoverse N1 but for these counts."""
    return reading(core="neoverse-n1", **(HEALTHY | values))


def n3(**values):
    """A healthy program on a Neoverse N3, which counts what stalls waited for, but for these counts."""
    return reading(core="neoverse-n3", **(SLOTS | values))


def modelled(**values):
    return reading(core="neoverse-n1", source="model", **(HEALTHY | values))


HEALTHY = {
    "cpu_cycles": 50_000_000,
    "inst_retired": 100_000_000,
    "stall_frontend": 1_000_000,
    "stall_backend": 5_000_000,
    "l1d_cache": 30_000_000,
    "l1d_cache_refill": 30_000,
    "l1i_cache_refill": 1_000,
    "br_retired": 15_000_000,
    "br_mis_pred_retired": 15_000,
}
SLOTS = HEALTHY | {
    "stall_slot": 50_000_000,
    "stall_slot_frontend": 5_000_000,
    "stall_slot_backend": 45_000_000,
    "op_spec": 101_000_000,
    "op_retired": 100_000_000,
    "stall_frontend_flush": 100_000,
}
# Published from git on a Neoverse N1 (system wide, 20 s).
GIT = {
    "cpu_cycles": 59_833_574_269,
    "inst_retired": 88_080_123_185,
    "stall_frontend": 14_447_993_232,
    "stall_backend": 13_878_294_869,
    "l1d_cache": 28_915_584_320,
    "l1d_cache_refill": 474_548_286,
    "br_pred": 14_358_036_326,
    "br_mis_pred": 519_909_965,
}
WAITS = {"cpu_cycles": 200_000_000, "stall_backend": 150_000_000}
MISSES = {**WAITS, "l1d_cache_refill": 3_000_000}
MEMORY = {**MISSES, "stall_backend_mem": 140_000_000}
GATHERED = {**MEMORY, "model_gathered_cycles": 120_000_000, "model_refill_gathered": 2_900_000}
OBJECTS = {
    "l1d_cache_refill": 20_000_000,
    "model_refill_gathered": 19_000_000,
    "l1d_tlb_refill": 6_000_000,
    "model_gathered_cycles": 60_000_000,
}
STRIDED = {**MEMORY, "model_strided_cycles": 120_000_000, "model_refill_strided": 2_900_000}
FAR = {**MISSES, "l2d_cache_refill": 2_900_000, "ll_cache_rd": 2_900_000}
# What each rule needs to speak, and nothing else to: rule -> reading.
PROGRAMS = {
    "data-layout": modelled(**STRIDED, model_refill_sparse=2_500_000),
    "hot-cold-split": modelled(**GATHERED | OBJECTS),
    "pointer-chasing": modelled(**MEMORY, model_chased_cycles=120_000_000),
    "prefetch": modelled(**GATHERED, l2d_cache_refill=2_900_000, ll_cache_rd=2_900_000, ll_cache_miss_rd=100_000),
    "blocking": modelled(**STRIDED, model_refill_wide=2_500_000),
    "working-set-llc": n1(**FAR, ll_cache_miss_rd=2_800_000),
    "working-set-l2": n1(**FAR, ll_cache_miss_rd=100_000),
    "cache-misses": n1(**MISSES),
    "huge-pages": n1(**WAITS, dtlb_walk=2_000_000),
    "line-crossing": modelled(**MEMORY, ld_spec=20_000_000, st_spec=5_000_000),
    "memory-bandwidth": reading(
        core="neoverse-n1",
        facts={"line_bytes": Fact(64, "bytes"), "peak_bandwidth": Fact(1e9, "bytes/s")},
        **(HEALTHY | FAR | {"ll_cache_miss_rd": 14_000_000, "ll_cache_rd": 15_000_000, "l2d_cache_refill": 15_000_000}),
    ),
    "numa-placement": n1(**MISSES, ll_cache_rd=1_000_000, remote_access=600_000),
    "code-layout": n1(stall_frontend=20_000_000, l1i_cache_refill=3_000_000),
    "hugetext": n1(stall_frontend=20_000_000, itlb_walk=300_000),
    "branch-prediction": n1(stall_frontend=20_000_000, br_mis_pred_retired=1_500_000),
    "indirect-calls": modelled(stall_frontend=20_000_000, br_mis_pred_retired=1_500_000, model_indirect_call=4_000_000),
    "dependency-chain": modelled(
        stall_backend=30_000_000, stall_backend_mem=1_000_000, model_latency_cycles=25_000_000
    ),
    "divides": modelled(stall_backend=30_000_000, stall_backend_mem=1_000_000, model_divide_cycles=25_000_000),
    "vectorize": modelled(model_scalar_inst=80_000_000),
    "barriers": modelled(stall_backend=30_000_000, model_barrier_cycles=25_000_000),
    "false-sharing": modelled(stall_backend=30_000_000, model_contended_cycles=25_000_000, model_false_sharing=200_000),
    "contended-atomics": modelled(
        stall_backend=30_000_000, model_contended_cycles=25_000_000, model_true_sharing=200_000
    ),
    "lse-atomics": modelled(stall_backend=30_000_000, model_atomic_cycles=25_000_000, model_atomic=0),
}
