"""Advice on published perf outputs of ARM64 machines: ARMPROF_FIELD_DATA names the folder that has them."""

import os
from pathlib import Path

import pytest

from armprof.analysis import OptimizationType, Verdict, analyze
from armprof.counters.imported import read
from armprof.metrics import Confidence, compute

FOLDER = os.environ.get("ARMPROF_FIELD_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")


def analysis_of(name, core=None):
    imported = read(Path(FOLDER) / "perfstat" / name)
    return analyze(compute(imported.total, core, imported.groups))


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("n1-openssl-crypto-perf-stat.txt", "neoverse-n1"),
        ("n1-sqlite-perf-stat.txt", "neoverse-n1"),
        ("n1-ffmpeg-h264-1080p-perf-stat.txt", "neoverse-n1"),
        ("n1-ffmpeg-h264-1080p-arm-pmu.txt", "neoverse-n1"),
        ("a76-rpi5-raytracer-multiplexed.txt", "cortex-a76"),
        ("transcribed/a76-rpi5-raytracer.csv", "cortex-a76"),
        ("transcribed/a76-rpi5-raytracer.jsonl", "cortex-a76"),
    ],
)
def test_nothing_is_recommended_where_nothing_is_wrong(name, core):
    for known in (core, None):
        analysis = analysis_of(name, known)
        assert analysis.verdict is Verdict.JUDGED
        assert analysis.recommendations == ()


def test_branches_of_git_are_raised_with_a_tenth_of_the_cycles_at_stake():
    (advice,) = analysis_of("n1-git-ops-perf-stat.txt", "neoverse-n1").recommendations
    assert advice.type is OptimizationType.BRANCH_OPTIMIZATION
    assert advice.expected_improvement.ceiling == pytest.approx(9.6, abs=0.05)
    assert advice.confidence is Confidence.MEDIUM


def test_without_the_core_git_has_no_ceiling():
    (advice,) = analysis_of("n1-git-ops-perf-stat.txt").recommendations
    assert advice.expected_improvement.ceiling is None


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
    assert analysis.verdict is Verdict.NOT_JUDGED
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
