"""What contradicts itself in a reading is found, and what does not is left alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.imported import read
from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import compute
from armprof.metrics.quality import WITHIN, Quality

SECOND = 1_000_000_000


def reading(coverage: float = 1.0, **values: float) -> Reading:
    status = Status.COUNTED if coverage == 1.0 else Status.SCALED
    counts = {e: Count(e, float(v), v, SECOND, int(SECOND * coverage), status) for e, v in values.items()}
    return Reading(counts, source="pmu", duration_ns=SECOND)


def quality(counted: Reading, core: str | None = None) -> Quality:
    return compute(counted, core).quality


def test_coverage_and_length_are_those_of_the_whole() -> None:
    counted = reading(0.5, cpu_cycles=1e9, inst_retired=2e9)
    counts = {**counted.counts, "l1d_cache": replace(counted["l1d_cache" if "l1d_cache" in counted else "cpu_cycles"],
              event="l1d_cache", running_ns=SECOND // 10)}  # fmt: skip
    found = quality(replace(counted, counts=counts))
    assert (found.lowest_event, found.lowest_coverage) == ("l1d_cache", 0.1)
    assert found.stretch_ns == SECOND
    assert found.findings == ()


@pytest.mark.parametrize(("part", "whole"), WITHIN)
def test_a_part_larger_than_the_whole_is_found(part: str, whole: str) -> None:
    found = quality(reading(**{part: 1.1e6, whole: 1e6}))
    assert len(found.findings) == 1
    assert found.findings[0].startswith(f"{part} is 1,100,000 and {whole}, which includes it, only 1,000,000")
    assert "multiplexed" in quality(reading(0.5, **{part: 1.1e6, whole: 1e6})).findings[0]
    assert quality(reading(**{part: 1.005e6, whole: 1e6})).findings == ()


@given(st.sampled_from(WITHIN), st.floats(0, 1), st.integers(1, 10**12))
def test_a_part_within_the_whole_is_never_found(pair: tuple[str, str], share: float, whole: int) -> None:
    found = quality(reading(**{pair[0]: int(whole * share), pair[1]: whole}))
    assert not [text for text in found.findings if "includes it" in text]


def test_an_event_that_stays_0_beside_a_busy_parent_is_found() -> None:
    found = quality(reading(ll_cache_rd=0, ll_cache_miss_rd=7e6))
    assert found.findings == (
        "ll_cache_rd: 0 although ll_cache_miss_rd is 7,000,000: every one of them is also one of these",
    )


def test_more_empty_slots_than_slots_are_found() -> None:
    found = quality(reading(cpu_cycles=1e9, stall_slot=9e9), "neoverse-v2")
    assert found.findings == (
        "1.125 empty slots for each slot of Neoverse V2: this is another core, or another revision",
    )
    assert quality(reading(cpu_cycles=1e9, stall_slot=7e9), "neoverse-v2").findings == ()


def test_what_an_erratum_adds_is_no_contradiction() -> None:
    counted = reading(cpu_cycles=1e9, stall_slot=5.5e9, stall_slot_frontend=2e9)
    assert quality(counted, "neoverse-n2-r0p0").findings == ()
    assert len(quality(counted, "neoverse-n2-r0p3").findings) == 1


def test_a_clock_that_no_product_has_contradicts_the_core() -> None:
    found = quality(reading(cpu_cycles=4e9, task_clock=1e9), "neoverse-v1")
    assert found.clock_ghz == pytest.approx(4.0)
    assert "4.00 GHz" in found.findings[0]
    assert "2.6 GHz (Graviton3)" in found.findings[0]
    assert quality(reading(cpu_cycles=2.59e9, task_clock=1e9), "neoverse-v1").findings == ()
    assert quality(reading(cpu_cycles=4e9, task_clock=1e9)).findings == ()


def test_a_slow_clock_is_no_contradiction_for_the_task_was_in_the_kernel_too() -> None:
    assert quality(reading(cpu_cycles=1e8, task_clock=1e9), "neoverse-v1").findings == ()


def test_nothing_counted_has_no_quality_and_no_findings() -> None:
    assert quality(reading()) == Quality(None, None, SECOND, None, None, ())


FOLDER = os.environ.get("ARMPROF_FIELD_DATA")


@pytest.mark.skipif(not FOLDER, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")
def test_published_files_contradict_themselves_only_where_that_is_known() -> None:
    for name in ("n1-git-ops-perf-stat.txt", "n1-openssl-crypto-perf-stat.txt", "n1-sqlite-perf-stat.txt"):
        imported = read(Path(FOLDER or "") / "perfstat" / name)
        assert compute(imported.total, "neoverse-n1", imported.groups).quality.findings == (), name
    yitian = read(Path(FOLDER or "") / "perfstat/n2-yitian710-cache-false-sharing.txt")
    assert any("ll_cache_rd: 0 although" in text for text in compute(yitian.total, "neoverse-n2").quality.findings)
