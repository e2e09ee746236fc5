"""What a C program that names no events leaves in the file of ARMPROF_OUTPUT: the counts of its walks are known."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import armprof
from armprof import Status
from armprof.counters.reading import Reading
from armprof.run.file import read
from armprof.run.record import Component

from .conftest import LINE, LINES

TIMES = 20


@pytest.fixture(scope="session")
def walks(program: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Component]:
    """The regions of `walk_output`, by name."""
    out = tmp_path_factory.mktemp("output") / "run.json"
    command = [str(program("walk_output")), str(LINES * LINE), str(TIMES)]
    done = subprocess.run(command, env={**os.environ, "ARMPROF_OUTPUT": str(out)}, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return {component.name: component for component in read(out).components}


def reading(component: Component) -> Reading:
    assert component.reading is not None
    return component.reading


def per_call(component: Component, event: str) -> float:
    count = reading(component)[event]
    assert (count.status, count.coverage) == (Status.COUNTED, 1)
    assert count.value is not None
    assert component.reading_operations
    return count.value / component.reading_operations


@pytest.mark.one_cpu
def test_its_regions_count_every_instruction_of_their_work(walks: dict[str, Component]) -> None:
    assert {name: walk.reading_operations for name, walk in walks.items()} == {"warm-up": 3, "walk": TIMES, "other": 1}
    for walk in walks.values():
        assert per_call(walk, "inst_retired") == pytest.approx(LINES * 5, rel=0.005), (
            "and what the first call of each costs"
        )
    assert per_call(walks["walk"], "inst_retired") == pytest.approx(LINES * 5, abs=50), (
        "the loop, and the call around it"
    )
    assert per_call(walks["walk"], "cpu_cycles") > LINES


def test_it_reads_in_user_space_on_a_known_core(walks: dict[str, Component]) -> None:
    mine = armprof.region("mine")
    with mine:
        pass
    for walk in walks.values():
        assert (reading(walk).access, reading(walk).core) == (mine.reading.access, mine.reading.core)


def test_it_counts_what_a_region_of_python_counts(walks: dict[str, Component]) -> None:
    mine = armprof.region("mine")
    with mine:
        pass

    def counted(found: Reading) -> set[str]:
        return {name for name, count in found.counts.items() if count.value is not None}

    assert counted(reading(walks["walk"])) == counted(mine.reading)


@pytest.mark.emulator_only
def test_its_regions_count_every_refill_of_their_work(walks: dict[str, Component]) -> None:
    assert per_call(walks["walk"], "l1d_cache_refill") == pytest.approx(LINES, rel=0.002)
    assert per_call(walks["other"], "l1d_cache") == pytest.approx(LINES, rel=0.01)
