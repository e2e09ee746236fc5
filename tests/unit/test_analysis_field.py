"""Advice on published perf outputs of ARM64 machines: ARMPROF_FIELD_DATA names the folder that has them."""

import os
from pathlib import Path

import pytest

from armprof.analysis import Judgement, OptimizationType, analyze
from armprof.counters.imported import read
from armprof.metrics import Confidence, compute

FOLDER = os.environ.get("ARMPROF_FIELD_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")


def analysis_of(name, core=None):
    imported = read(Path(FOLDER) / "perfstat" / name)
    return analyze(compute(imported.total, core, imported.groups))


def advised(analysis):
    return [advice.rule for advice in analysis.recommendations]


def causes_of(analysis):
    return {cause.name: cause for cause in analysis.causes}


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("n1-openssl-crypto-perf-stat.txt", "neoverse-n1"),
        ("a76-rpi5-raytracer-multiplexed.txt", "cortex-a76"),
        ("transcribed/a76-rpi5-raytracer.csv", "cortex-a76"),
        ("transcribed/a76-rpi5-raytracer.jsonl", "cortex-a76"),
    ],
)
def test_nothing_is_recommended_where_nothing_is_wrong(name, core):
    for known in (core, None):
        analysis = analysis_of(name, known)
        assert analysis.verdict is Judgement.JUDGED
        assert analysis.recommendations == ()


def test_git_loses_most_in_the_frontend():
    analysis = analysis_of("n1-git-ops-perf-stat.txt", "neoverse-n1")
    causes = causes_of(analysis)
    assert causes["frontend"].share == pytest.approx(0.241, abs=0.001)
    assert causes["frontend"].share > causes["backend"].share
    assert advised(analysis)[0] == "code-layout"
    assert analysis.recommendations[0].confidence is Confidence.MEDIUM


def test_its_branches_are_raised_too_with_a_tenth_of_the_cycles_at_stake():
    analysis = analysis_of("n1-git-ops-perf-stat.txt", "neoverse-n1")
    (advice,) = (advice for advice in analysis.recommendations if advice.rule == "branch-prediction")
    assert advice.expected_improvement.ceiling == pytest.approx(9.6, abs=0.05)


@pytest.mark.parametrize("name", ["n1-ffmpeg-h264-1080p-perf-stat.txt", "n1-sqlite-perf-stat.txt"])
def test_ffmpeg_and_sqlite_wait_for_memory_in_the_backend(name):
    analysis = analysis_of(name, "neoverse-n1")
    assert advised(analysis) == ["cache-misses"]
    assert causes_of(analysis)["memory"].share > 0.3
    assert causes_of(analysis)["memory"].parent == "backend"
    assert analysis.recommendations[0].type in (OptimizationType.CACHE_LAYOUT, OptimizationType.MEMORY_ACCESS)


@pytest.mark.parametrize("part", ["baseline", "stalls"])
def test_the_strided_walk_is_told_to_prefetch_or_to_lay_out_with_a_range_that_holds_what_prefetching_saved(part):
    (advice,) = analysis_of(f"a76-khadas-stride-{part}.txt", "cortex-a76").recommendations
    assert advice.rule == "cache-misses"
    assert "prefetch" in advice.title
    gain = advice.expected_improvement
    assert gain.low <= 51 <= gain.high < gain.ceiling
    assert advice.confidence is Confidence.LOW  # what the cycles went to was not counted


def test_the_walk_that_prefetches_is_told_so_no_more():
    assert analysis_of("a76-khadas-stride-prefetch.txt", "cortex-a76").recommendations == ()


def test_false_sharing_on_an_n2_is_seen_by_top_down_in_the_form_of_its_erratum():
    analysis = analysis_of("n2-yitian710-topdownl1-false-sharing.txt", "neoverse-n2")
    assert "stall_slot_frontend - cpu_cycles" in analysis.metrics["frontend_bound"].formula
    assert causes_of(analysis)["backend"].share == pytest.approx(0.73, abs=0.001)
    assert advised(analysis)[0] == "false-sharing"
    assert analysis.recommendations[0].confidence is Confidence.LOW  # the misses were not counted


def test_and_by_its_misses_which_no_cache_had():
    analysis = analysis_of("n2-yitian710-cache-false-sharing.txt", "neoverse-n2")
    assert advised(analysis) == ["false-sharing"]
    assert analysis.recommendations[0].confidence is Confidence.MEDIUM


@pytest.mark.parametrize("core", ["neoverse-v1", None])
def test_bsort_is_told_to_lay_out_its_code_with_a_range_that_holds_what_bolt_saved(core):
    (advice,) = analysis_of("v1-bsort-before-bolt.txt", core).recommendations
    assert advice.rule == "code-layout"
    gain = advice.expected_improvement
    assert gain.low <= 47.5 <= gain.high
    assert (gain.ceiling is None) == (core is None)


@pytest.mark.parametrize(
    ("name", "core", "length"),
    [
        ("n1-brotli-perf-stat.txt", "neoverse-n1", "15.6 ms"),
        ("a53-juno-ls-grouped.txt", "cortex-a53", "7.6 ms"),
        ("a53-juno-ls-ungrouped-notcounted.txt", "cortex-a53", "7.9 ms"),
    ],
)
def test_a_short_multiplexed_run_is_not_judged(name, core, length):
    analysis = analysis_of(name, core)
    assert analysis.verdict is Judgement.NOT_JUDGED
    assert length in analysis.reason
    assert analysis.recommendations == ()


def test_no_file_brings_a_range_above_its_ceiling():
    files = [p for p in (Path(FOLDER) / "perfstat").rglob("*") if p.is_file() and p.suffix != ".md"]
    assert files
    for file in files:
        for core in (None, "neoverse-n1"):
            for advice in analysis_of(file, core).recommendations:
                gain = advice.expected_improvement
                assert gain.ceiling is None or gain.low <= gain.high <= gain.ceiling
