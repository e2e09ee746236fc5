"""Runs for the tests of reports: a kernel counted in full, a machine without PMU, somebody's multiplexed perf output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.run.record import Component, Latency, Run

SECOND = 1_000_000_000
OPERATIONS = 1_000_000
NO_PMU = "no PMU: this machine shows its programs no hardware counters; count elsewhere"

TIMES = Latency(
    mean_ns=50.0,
    p50_ns=12.345,
    p95_ns=45.6,
    p99_ns=78.9,
    p999_ns=1234.5,
    max_ns=2_500_000.0,
    samples=50_000,
    batch=256,
    clock_cost_ns=18.6,
)

# A core that is busy and has little to complain of.
HEALTHY = {
    "cpu_cycles": 1_000_000_000,
    "inst_retired": 2_000_000_000,
    "l1d_cache": 700_000_000,
    "l1d_cache_refill": 700_000,
    "l2d_cache": 1_000_000,
    "l2d_cache_refill": 1_000,
    "br_retired": 300_000_000,
    "br_mis_pred_retired": 30_000,
    "l1d_tlb": 700_000_000,
    "dtlb_walk": 7_000,
    "l1i_cache": 500_000_000,
    "l1i_cache_refill": 5_000,
    "stall_frontend": 100_000_000,
    "stall_backend": 300_000_000,
}
# Misses in L1 and mispredicts: both of the rules on them speak, the one on L1 with more at stake.
TROUBLED = HEALTHY | {"l1d_cache_refill": 70_000_000, "br_mis_pred_retired": 10_000_000}


def counted(coverage: float = 1.0, **values: float) -> dict[str, Count]:
    status = Status.COUNTED if coverage == 1 else Status.SCALED
    return {
        event: Count(event, value, value * coverage, SECOND, round(SECOND * coverage), status, group=0)
        for event, value in values.items()
    }


def reading(coverage: float = 1.0, core: str | None = "neoverse-n1", **values: float) -> Reading:
    task_clock = Count("task_clock", 200_651_234, 200_651_234, SECOND, SECOND, Status.COUNTED, unit="ns")
    counts = counted(coverage, **(values or HEALTHY)) | {"task_clock": task_clock}
    return Reading(
        counts,
        source="pmu",
        core=core,
        duration_ns=SECOND,
        scope="this thread, user mode",
        access="user reads (64-bit), fenced",
        overhead={"cpu_cycles": 210.0},
        notes=("counted in 3 passes over the same work, nothing multiplexed",),
    )


def kernel(name: str = "ring", made: Reading | None = None, **more: Any) -> Component:
    fields: dict[str, Any] = {
        "title": f"The {name}",
        "kind": "kernel",
        "operation": "push",
        "reading": reading() if made is None else made,
        "reading_operations": OPERATIONS,
        "latency": TIMES,
        "throughput_per_s": 2e7,
        "checksum": "00ff00ff00ff00ff",
    }
    return Component(name, **(fields | more))


def run(*components: Component) -> Run:
    return Run(
        components=components or (kernel(),),
        host={"description": "aarch64: 4 x Neoverse N1 r3p1, Linux 6.8.0, bare metal", "cpus": 4, "model": None},
        created="2026-11-22T14:28:47+00:00",
        armprof_version="0.1.0",
        notes=("20 rounds in turn",),
    )


def three_kernels() -> Run:
    """Two healthy kernels and a troubled one."""
    troubled = kernel("parser", reading(**TROUBLED))
    return run(kernel("pool"), kernel("ring"), troubled)


def without_pmu(*names: str) -> Run:
    """Kernels where the software events alone were counted."""
    refused = {event: uncounted(event, Status.UNSUPPORTED, NO_PMU) for event in HEALTHY}
    full = reading()
    counts = refused | {"task_clock": full["task_clock"]}
    made = replace(full, counts=counts, core=None, access="read()", notes=(), overhead={})
    return run(*(kernel(name, made) for name in names or ("pool", "ring", "parser")))


def imported(coverage: float = 0.5, core: str | None = "neoverse-n1", **values: float) -> Run:
    """What somebody's perf printed of a command, multiplexed."""
    gone = ("l2d_cache", "l2d_cache_refill", "l1d_tlb", "dtlb_walk", "l1i_cache", "l1i_cache_refill")
    chosen = values or {event: value for event, value in TROUBLED.items() if event not in gone}
    counts = {event: replace(count, label=f"perf-{event}") for event, count in counted(coverage, **chosen).items()}
    made = Reading(counts, "imported", core=core, duration_ns=SECOND, scope="command", access="perf stat text")
    return Run((Component("counts.txt", "sleep 1", "imported", "the command", reading=made),))
