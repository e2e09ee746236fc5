"""The memory kernels from Python: figures that fit together, whatever else runs. How fast is for benchmarks to say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from armprof.commands import doctor
from armprof.components import memory
from armprof.components.memory import bandwidth, chase, mapped, measure_memory
from armprof.counters.machine import native
from armprof.counters.memory import STREAMS, load, machine_key
from armprof.cpu import host
from armprof.errors import ArmprofError

SMALL = 1 << 20


def test_the_streams_are_those_of_the_record() -> None:
    lib = native().lib
    assert [getattr(lib, f"AP_STREAM_{name.upper()}") for name in STREAMS] == list(range(lib.AP_STREAMS))


def test_a_rate_is_bytes_over_the_best_time() -> None:
    cpus = sorted(os.sched_getaffinity(0))
    rates, spread = bandwidth(cpus, SMALL)
    assert set(rates) == set(STREAMS)
    assert all(1e6 < rate < 1e14 for rate in rates.values())
    assert 0 <= spread < 1


def test_a_machine_without_the_memory_says_so() -> None:
    with pytest.raises(ArmprofError, match="cannot be measured"):
        bandwidth([min(os.sched_getaffinity(0))], 1 << 60)
    with pytest.raises(ArmprofError, match="cannot be measured"), mapped(1 << 60, huge=True):
        pass


@pytest.mark.parametrize("cells", [1, 2, 3, 1000, 16384])
def test_the_chase_visits_every_line_once(cells: int) -> None:
    ffi, lib = native().ffi, native().lib
    with mapped(cells * 64, huge=False) as mapping:
        at = start = lib.ap_chase_lay(mapping, cells, 64, 5)
        base = int(ffi.cast("uintptr_t", mapping))
        seen = set()
        for _ in range(cells):
            seen.add((int(ffi.cast("uintptr_t", at)) - base) // 64)
            at = lib.ap_chase(at, 1)
        assert seen == set(range(cells))
        assert at == start


def test_samples_are_times_of_a_load() -> None:
    with mapped(SMALL, huge=True) as mapping:
        samples = chase(mapping, 1024, 64)
    assert len(samples) == memory.SAMPLES
    assert all(0.01 < ns < 1e6 for ns in samples)


def test_a_measurement_is_whole_and_is_of_this_machine() -> None:
    doings: list[float] = []
    found = measure_memory(lambda doing, done: doings.append(done), array_bytes=SMALL)
    assert found.machine == machine_key(host())
    assert found.loads[-1][0] == SMALL
    assert [size for size, _ in found.loads] == sorted(size for size, _ in found.loads)
    assert found.peak >= found.one_core_peak > 0
    assert 0 <= found.huge_share <= 1
    assert doings == sorted(doings)
    assert doings[-1] == 1.0


def test_doctor_measures_keeps_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from argparse import ArgumentParser

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(memory, "measure_memory", lambda tell: measure_memory(tell, array_bytes=SMALL))
    parser = ArgumentParser()
    doctor.prepare(parser)
    assert doctor.run(parser.parse_args([])) == 0
    assert "memory    not measured yet: `armprof doctor --measure`" in capsys.readouterr().out
    assert doctor.run(parser.parse_args(["--measure"])) == 0
    first = capsys.readouterr().out
    assert " GB/s on one, measured " in first
    kept = load(machine_key(host()))
    assert kept is not None
    assert doctor.run(parser.parse_args([])) == 0
    assert capsys.readouterr().out == first
    assert load(machine_key(host())) == kept
