"""The machine itself, by perf alone: what the other hardware tests rely on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .perf import events_of_the_pmu, perf_stat

STEP = 64
BYTES = 1 << 20
LOADS = BYTES // STEP
INSTRUCTIONS_PER_LOAD = 5

Program = Callable[[str], Path]


def test_the_same_program_has_the_same_number_of_instructions_every_time(program: Program) -> None:
    counts = [perf_stat(["instructions"], program("walk"), str(BYTES), str(STEP), "1") for _ in range(3)]
    assert counts[0]["instructions"] > LOADS * INSTRUCTIONS_PER_LOAD
    assert counts[0] == counts[1] == counts[2]


def test_a_walk_has_the_instructions_that_its_source_says(program: Program) -> None:
    once, nine_times = (
        perf_stat(["instructions"], program("walk"), str(BYTES), str(STEP), times)["instructions"]
        for times in ("1", "9")
    )
    walk, remainder = divmod(nine_times - once, 8)
    assert remainder == 0, "each walk costs the same"
    assert 0 <= walk - LOADS * INSTRUCTIONS_PER_LOAD < 30, "the loop, and little more for the call around it"


@pytest.mark.emulator_only
def test_the_emulator_counts_one_refill_for_each_line_of_a_walk(program: Program) -> None:
    assert {"l1d_cache", "l1d_cache_refill", "l2d_cache_refill", "br_mis_pred"} <= events_of_the_pmu()
    once, nine_times = (
        perf_stat(["l1d_cache_refill"], program("walk"), str(BYTES), str(STEP), times)["l1d_cache_refill"]
        for times in ("1", "9")
    )
    assert (nine_times - once) / 8 == pytest.approx(LOADS, rel=0.01)


@pytest.mark.debian_only
def test_qemu_lists_no_cache_event_and_yet_lets_one_be_opened_that_stays_0(program: Program) -> None:
    assert {"cpu_cycles", "inst_retired"} <= events_of_the_pmu()
    assert not {event for event in events_of_the_pmu() if "cache" in event}
    assert perf_stat(["r03"], program("walk"), str(BYTES), str(STEP), "1") == {"r03": 0}


@pytest.mark.two_cpus
def test_the_pmu_counts_on_both_cpus(program: Program) -> None:
    for cpu in sorted(os.sched_getaffinity(0))[:2]:
        counts = perf_stat(["instructions"], "taskset", hex(1 << cpu), program("walk"), str(BYTES), str(STEP), "1")
        assert counts["instructions"] > LOADS * INSTRUCTIONS_PER_LOAD
