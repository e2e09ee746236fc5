"""Metrics of published perf outputs of ARM64 machines: ARMPROF_FIELD_DATA names the folder that has them."""

import os
from pathlib import Path

import pytest

from armprof.counters.imported import read
from armprof.counters.reading import Status
from armprof.metrics import Confidence, compute

FOLDER = os.environ.get("ARMPROF_FIELD_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")


def metrics_of(name, core=None):
    imported = read(Path(FOLDER) / "perfstat" / name)
    return compute(imported.total, core, imported.groups)


GOLDEN_METRICS = (
    "ipc",
    "frontend_stalled",
    "backend_stalled",
    "branch_mpki",
    "l1i_mpki",
    "l1d_mpki",
    "l1d_tlb_refill_pki",
)
GOLDEN = {
    "n1-brotli-perf-stat.txt": (1.54, 0.240, 0.163, None, 8.18, 1.80, 1.51),
    "n1-ffmpeg-h264-1080p-perf-stat.txt": (1.61, 0.123, 0.342, 1.84, 7.20, 7.26, 8.72),
    "n1-git-ops-perf-stat.txt": (1.47, 0.241, 0.232, 5.90, 18.91, 5.39, 4.82),
    "n1-openssl-crypto-perf-stat.txt": (2.79, 0.001, 0.192, 0.01, 0.04, 0.01, 0.00),
    "n1-sqlite-perf-stat.txt": (1.75, 0.113, 0.305, 0.77, 5.07, 6.93, 5.16),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_neoverse_n1_gives_the_published_values(name):
    metrics = metrics_of(name, "neoverse-n1")
    for metric, expected in zip(GOLDEN_METRICS, GOLDEN[name], strict=True):
        if expected is None:
            assert metrics[metric].value is None
            assert metrics[metric].reason
        else:
            # As many digits as were published: three of a fraction, two of a rate.
            digits = 0.0005 if metric.endswith("stalled") else 0.005
            assert metrics[metric].value == pytest.approx(expected, abs=digits * 1.01), metric


@pytest.mark.parametrize(
    ("name", "lowest"),
    [
        ("n1-brotli-perf-stat.txt", 0.0792),
        ("n1-ffmpeg-h264-1080p-perf-stat.txt", 0.4283),
        ("n1-git-ops-perf-stat.txt", 0.50),
        ("n1-openssl-crypto-perf-stat.txt", 0.4999),
        ("n1-sqlite-perf-stat.txt", 0.4997),
    ],
)
def test_the_lowest_coverage_is_told(name, lowest):
    metrics = metrics_of(name, "neoverse-n1")
    assert min(m.coverage for m in metrics.values() if m.coverage is not None) == pytest.approx(lowest)


def test_a_run_of_15_ms_gives_only_low_confidence_where_it_was_multiplexed():
    metrics = metrics_of("n1-brotli-perf-stat.txt", "neoverse-n1")
    assert metrics["l1d_tlb_refill_pki"].confidence is Confidence.LOW
    assert metrics["ipc"].confidence is Confidence.LOW


def test_branches_of_git_are_mispredicted_as_published():
    metric = metrics_of("n1-git-ops-perf-stat.txt").explain("branch_prediction_accuracy")
    assert metric.value == pytest.approx(0.964, abs=0.0005)
    assert "speculative" in metric.reason


def test_cache_events_in_full():
    metrics = metrics_of("n1-ffmpeg-h264-1080p-arm-pmu.txt", "neoverse-n1")
    assert metrics.l1_cache_hit_rate == pytest.approx(1 - 656_601_923 / 35_271_637_219)
    assert metrics.l2_cache_hit_rate == pytest.approx(1 - 297_284_856 / 3_044_919_826)
    assert metrics.instruction_cache_hit_rate == pytest.approx(1 - 1_413_122_475 / 28_290_976_766)
    assert metrics["l1_cache_hit_rate"].confidence is Confidence.HIGH
    assert metrics.cycles_per_instruction is None


@pytest.mark.parametrize(
    "name",
    [
        "a76-rpi5-raytracer-multiplexed.txt",
        "transcribed/a76-rpi5-raytracer.csv",
        "transcribed/a76-rpi5-raytracer.jsonl",
    ],
)
def test_raspberry_pi_misses_the_last_level_often_but_hardly_ever_goes_there(name):
    metrics = metrics_of(name, "cortex-a76")
    assert metrics["ll_read_miss_ratio"].value == pytest.approx(0.484, abs=0.0005)
    assert metrics["ll_read_mpki"].value == pytest.approx(0.006, abs=0.0005)
    assert metrics["ipc"].value == pytest.approx(2.29, abs=0.005)
    # perf printed "0.84% of all branches" of a speculative and a retired count.
    assert metrics.branch_prediction_accuracy is None


def test_yitian_counts_no_last_level_reads_beside_millions_of_misses():
    metrics = metrics_of("n2-yitian710-cache-false-sharing.txt", "neoverse-n2")
    metric = metrics["ll_read_miss_ratio"]
    assert (metric.value, metric.status) == (None, Status.SUSPECT)
    assert "ll_cache_miss_rd is 7,397,206" in metric.reason


@pytest.mark.parametrize(
    ("name", "expected", "digits"),
    [
        ("ll_read_mpki", 6.7, 0.05),
        ("l3_mpki", 6.6, 0.05),
        ("l2_mpki", 8.5, 0.05),
        ("l1i_mpki", 0.0, 0.05),
        ("l1d_mpki", 9.0, 0.05),
        ("l2_cache_hit_rate", 1 - 0.478, 0.0005),
        ("l1_cache_hit_rate", 1 - 0.027, 0.0005),
    ],
)
def test_yitian_ratios_are_those_of_their_own_group(name, expected, digits):
    metric = metrics_of("n2-yitian710-cache-false-sharing.txt", "neoverse-n2")[name]
    assert metric.value == pytest.approx(expected, abs=digits)
    assert metric.together


def test_yitian_top_down_is_what_perf_printed():
    metrics = metrics_of("n2-yitian710-topdownl1-false-sharing.txt", "neoverse-n2")
    assert metrics["frontend_bound"].value == pytest.approx(0.233, abs=0.0005)
    assert metrics["backend_bound"].value == pytest.approx(0.730, abs=0.0005)
    assert metrics["retiring"].value == pytest.approx(0.044, abs=0.0005)
    assert metrics["bad_speculation"].value == pytest.approx(0.000, abs=0.0005)


def test_stride_on_cortex_a76_waits_in_the_backend():
    stalls = metrics_of("a76-khadas-stride-stalls.txt", "cortex-a76")
    assert stalls["backend_stalled"].value == pytest.approx(0.8439, abs=0.0001)
    baseline = metrics_of("a76-khadas-stride-baseline.txt")
    prefetch = metrics_of("a76-khadas-stride-prefetch.txt")
    assert baseline["ipc"].value == pytest.approx(0.22, abs=0.005)
    assert prefetch["ipc"].value == pytest.approx(0.63, abs=0.005)


def test_of_two_pmus_the_one_that_counted_speaks():
    metrics = metrics_of("hetero-two-pmu-isoalloc.txt")
    assert metrics["ipc"].value == pytest.approx(1.33, abs=0.005)
    assert metrics["backend_stalled"].value == pytest.approx(0.8131, abs=0.0001)
    assert metrics.branch_prediction_accuracy is None


def test_bsort_on_neoverse_v1_misses_the_instruction_cache():
    assert metrics_of("v1-bsort-before-bolt.txt", "neoverse-v1")["l1i_mpki"].value == pytest.approx(60.6, abs=0.05)


def test_every_file_gives_metrics_with_a_value_or_a_reason():
    files = [p for p in (Path(FOLDER) / "perfstat").rglob("*") if p.is_file() and p.suffix != ".md"]
    assert files
    for file in files:
        for core in (None, "neoverse-n1", "neoverse-n2"):
            for metric in metrics_of(file, core).values():
                assert metric.value is not None or metric.reason
