"""The kernels counted on the model where no PMU counts."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from arm64_programs import Compile

from armprof.components import bench
from armprof.counters.machine import machine
from armprof.counters.reading import Status


@pytest.fixture(autouse=True)
def no_pmu(arm64: Compile) -> None:
    arm64("ends")  # skips where nothing can be compiled
    if machine().missing() is None:
        pytest.skip("a PMU counts here: the model is not needed")


def test_kernels_are_counted_on_the_model_and_the_report_says_so():
    run = bench(["risk", "spsc_ring"], seconds=0.01)
    assert any("times were measured here, counts of the kernels come from a model of" in note for note in run.notes)
    for component in run.components:
        reading = component.reading
        assert reading is not None
        assert reading.source == "model"
        assert component.reading_operations
        assert (reading.value("inst_retired") or 0) > 10 * component.reading_operations
        assert reading["cpu_cycles"].status is Status.ESTIMATED


def test_the_counts_of_a_kernel_are_the_same_in_every_run():
    first, second = (bench(["risk"], seconds=0.01).components[0].reading for _ in range(2))
    assert first is not None
    assert second is not None
    assert {n: c.value for n, c in first.counts.items()} == {n: c.value for n, c in second.counts.items()}


def test_zig_compiles_the_kernels_where_no_other_compiler_does(monkeypatch, tmp_path):
    if find_spec("ziglang") is None:
        pytest.skip("zig is not tested: there is no ziglang; pip install ziglang")
    emulator = shutil.which("qemu-aarch64")
    assert emulator is not None
    (tmp_path / "qemu-aarch64").symlink_to(emulator)
    monkeypatch.setenv("PATH", str(tmp_path))
    # the kernels are compiled anew, zig's own library is not: that takes half a minute
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(Path.home() / ".cache/zig")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = bench(["risk"], seconds=0.01)
    reading = run.components[0].reading
    assert reading is not None
    assert reading.source == "model", run.notes
    assert (reading.value("inst_retired") or 0) > 0


def test_without_an_emulator_the_run_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    run = bench(["risk"], seconds=0.01)
    assert any("not counted on a modelled core either: there is no qemu-aarch64" in note for note in run.notes)
    assert run.components[0].latency is not None
