"""What was measured of the memory is kept for one machine, and believed only where it is whole and of that machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import MACHINE, memory

from armprof.counters.memory import load, machine_key, path_of, save
from armprof.cpu.detect import Host
from armprof.errors import ArmprofError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_kept_comes_back() -> None:
    path = save(memory())
    assert load(MACHINE) == memory()
    assert path == path_of(MACHINE)


def test_before_it_was_measured_there_is_none() -> None:
    assert load(MACHINE) is None


@pytest.mark.parametrize("what", MACHINE)
def test_another_core_kernel_size_or_memory_is_another_machine(what: str) -> None:
    save(memory())
    assert load(MACHINE | {what: "another"}) is None


def test_a_file_of_another_machine_under_this_ones_name_is_not_believed() -> None:
    foreign = save(memory(machine=MACHINE | {"core": "Neoverse V1 r1p1"}))
    foreign.rename(path_of(MACHINE))
    assert load(MACHINE) is None


def test_machines_that_share_a_home_do_not_overwrite_each_other() -> None:
    other = MACHINE | {"core": "Neoverse V1 r1p1"}
    save(memory())
    save(memory(machine=other, cpus=4))
    assert load(MACHINE) == memory()
    assert load(other) == memory(machine=other, cpus=4)


BROKEN = {
    "empty": "",
    "cut": json.dumps({"format": "armprof-memory"})[:-4],
    "a list": "[1, 2]",
    "a number": "7",
    "nested": "[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_as_good_as_none(name: str) -> None:
    save(memory()).write_text(BROKEN[name])
    assert load(MACHINE) is None


def test_a_file_that_is_no_text_is_as_good_as_none() -> None:
    save(memory()).write_bytes(b"\xff\xfe\x00")
    assert load(MACHINE) is None


values = st.one_of(
    st.none(), st.booleans(), st.text(), st.floats(), st.integers(max_value=-1), st.lists(st.integers()), st.just({})
)


@given(st.data())
def test_a_field_that_is_not_what_it_must_be_is_never_a_number_in_a_report(data: st.DataObject) -> None:
    path = save(memory())
    whole = json.loads(path.read_text())
    field = data.draw(st.sampled_from([name for name in whole if name not in ("measured", "spread", "loads_spread")]))
    wrong = data.draw(values.filter(lambda value: not isinstance(value, float) or value <= 0 or value != value))
    path.write_text(json.dumps({**whole, field: wrong}))
    found = load(MACHINE)
    assert found is None or found == replace(memory(), **{field: wrong})  # huge_share may be 0.0
    assert found is None or (found.peak > 0 and found.idle_latency_ns > 0)


@pytest.mark.parametrize("field", ["one_core", "all_cores", "loads", "format", "version", "machine", "line_bytes"])
def test_a_field_that_is_missing_makes_it_none(field: str) -> None:
    path = save(memory())
    whole = json.loads(path.read_text())
    del whole[field]
    path.write_text(json.dumps(whole))
    assert load(MACHINE) is None


def test_a_later_version_is_measured_anew() -> None:
    path = save(memory())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    assert load(MACHINE) is None


def test_a_relative_cache_home_is_ignored_as_the_standard_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of(MACHINE).is_relative_to(tmp_path / ".cache/armprof")


def test_a_cache_that_cannot_be_written_is_said_in_one_line(cache: Path) -> None:
    cache.write_text("a file where a folder must be")
    with pytest.raises(ArmprofError, match="cannot write"):
        save(memory())


def test_the_key_names_core_model_kernel_cpus_and_memory(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16000000 kB\nMemFree: 1 kB\n")
    here = Host(arch="aarch64", kernel="6.8.0", cpus=64, model="m6g.metal", cores={"Neoverse N1 r3p1": (0,)})
    assert machine_key(here, tmp_path) == {
        "core": "Neoverse N1 r3p1",
        "model": "m6g.metal",
        "kernel": "6.8.0",
        "cpus": "64",
        "memory": str(16000000 * 1024),
    }
    assert machine_key(here, tmp_path / "none")["memory"] == "unknown"


def test_the_peak_is_the_most_that_anything_reached() -> None:
    assert memory().peak == 169.7e9
    assert memory(all_cores=dict.fromkeys(("copy", "scale", "add", "triad"), 1e9)).peak == 20.9e9
