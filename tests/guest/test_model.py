"""The modelled core against an independent model: the kernels and ten programs, under the plugin and in the guest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

import pytest

import armprof
from armprof import model
from armprof.counters.model import emulator
from armprof.errors import CannotCount

from .cache import MissingError
from .compile import compile_c
from .machine import EMULATOR_VARIABLES, Guest
from .wheel import PROJECT

PROGRAMS = PROJECT / "tests/model/programs"
GOLDEN = ("sieve", "sort", "matrix", "hash", "chase", "tree", "search", "stencil", "machine", "queens")
KERNELS = ("treasury", "strategy", "risk", "object_pool", "spsc_ring", "itch50", "feed_handler", "order_book")
COMMANDS = {
    **{name: ("golden", name) for name in GOLDEN},
    "code": ("code",),
    **{name: ("kernels", name, "1", "100000", "100000") for name in KERNELS},
    "tick_to_trade": ("kernels", "tick_to_trade", "1", "30000", "30000"),
}
# One more sets itself up by reading a clock for a millisecond: as many times as go into that, in no two runs the same.
# What its loop takes is what more turns of it add: so many that what the set-up loads, now more, now less, is little beside.
TURNS = (100_000, 1_100_000)
CLOCK = {f"timing-{turns}": ("kernels", "timing", "1", "100000", str(turns)) for turns in TURNS}

# As many as its six counters take at once.
PASSES = (
    ("inst_retired", "l1d_cache", "l1d_cache_refill", "l2d_cache_refill", "dtlb_walk", "page_faults"),
    ("inst_retired", "l1i_cache_refill", "l1d_tlb_refill", "l1i_tlb_refill", "itlb_walk", "br_retired"),
)
COMPARED = ("l1d_cache_refill", "l2d_cache_refill", "l1i_cache_refill", "itlb_walk")
GEOMETRY: dict[str, Any] = {"prefetch": 0, "ll_bytes": 8 << 20, "inclusive": 0}

# How far apart they may be where counts are small: the guest's kernel uses the same caches. Instructions are as many but for
# those of the C library's start, which finds a vDSO there and none here: 3250, the same in most of these programs.
NOISE = {
    "inst_retired": 4000,
    "l1d_cache_refill": 1500,
    "l2d_cache_refill": 1000,
    "l1i_cache_refill": 2000,
    "itlb_walk": 250,
    "dtlb_walk": 150,
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not all(map(os.environ.get, EMULATOR_VARIABLES)):
        pytest.skip(f"{' and '.join(EMULATOR_VARIABLES)} do not name an emulator with a full PMU")
    folder = tmp_path_factory.mktemp("golden")
    csrc = PROJECT / "csrc"
    flags = ["-O2", "-std=gnu17", "-static", f"-I{csrc}/include", f"-I{csrc}/counters", f"-I{csrc}/kernels"]
    library = [*sorted((csrc / "counters").glob("*.c"))]
    end = ["-lpthread", "-lm"]
    try:
        emulator.require()
        compile_c([*flags, PROGRAMS / "golden.c", PROGRAMS / "plain_memset.c", *end], folder / "golden")
        compile_c([*flags, PROGRAMS / "code.c", *end], folder / "code")
        compile_c([*flags, PROGRAMS / "count_command.c", *library, *end], folder / "count_command")
        kernels = [csrc / "model/kernels.c", PROGRAMS / "plain_memset.c", *sorted((csrc / "kernels").glob("*.c"))]
        compile_c([*flags, *kernels, *library, *end], folder / "kernels")
    except (MissingError, CannotCount) as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="module")
def in_the_guest(programs: Path) -> Mapping[str, Mapping[str, int]]:
    """By program and event: what the guest's PMU counted in user mode."""
    lines = ["cd programs"]
    for name, words in {**COMMANDS, **CLOCK}.items():
        for events in PASSES:
            command = f"./count_command {' '.join(events)} -- ./{' '.join(words)}"
            lines.append(f'{command} > /dev/null 2>> "$ARMPROF_OUT/{name}"')
    result = Guest("emulator").run("\n".join(lines), {"armprof/programs": programs})
    counted: dict[str, dict[str, int]] = {}
    for name in {**COMMANDS, **CLOCK}:
        rows = [line.split() for line in result.files[name].decode().splitlines()]
        assert all(row[2] == "1" for row in rows), f"{name}: counters were shared: {rows}"
        counted[name] = {event: int(value) for event, value, _ in rows}
    return counted


@pytest.mark.parametrize("name", COMMANDS)
def test_two_models_of_one_geometry_count_alike(
    name: str, programs: Path, in_the_guest: Mapping[str, Mapping[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, *words = COMMANDS[name]
    for variable in os.environ:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PATH", "/usr/bin")
    events = [*dict.fromkeys(event for events in PASSES for event in events if event != "page_faults")]
    reading = model.run([str(programs / program), *words], "neoverse-n1", events, **GEOMETRY).reading
    guest = in_the_guest[name]
    told = {event: (reading.value(event), guest[event]) for event in events}
    assert reading.value("inst_retired") == pytest.approx(guest["inst_retired"], rel=1e-4, abs=NOISE["inst_retired"]), (
        told
    )
    for event in COMPARED:
        assert reading.value(event) == pytest.approx(guest[event], rel=0.05, abs=NOISE[event]), (event, told)
    # Once the L2 TLB is full, the kernel pushes out a page of the program with each page that it maps.
    walks = reading.value("dtlb_walk") or 0
    least, most = 0.95 * walks - NOISE["dtlb_walk"], 1.05 * (walks + guest["page_faults"]) + NOISE["dtlb_walk"]
    assert least <= guest["dtlb_walk"] <= most, told


def test_the_loop_of_a_kernel_that_reads_a_clock_counts_alike(
    programs: Path, in_the_guest: Mapping[str, Mapping[str, int]]
) -> None:
    events = ["inst_retired", "br_retired", "l1d_cache", *COMPARED]
    few, many = (
        armprof.model.run([str(programs / program), *words], "neoverse-n1", events, **GEOMETRY)
        for program, *words in CLOCK.values()
    )
    assert_type(few, model.Modelled)  # to type checkers too, though it is imported when it is first used
    for event in events:
        in_region = [counted.region("timing").value(event) or 0 for counted in (few, many)]
        added = 2 * (in_region[1] - in_region[0])  # the loop runs a first time before the region
        in_guest = [in_the_guest[name][event] for name in CLOCK]
        assert added == pytest.approx(in_guest[1] - in_guest[0], rel=0.05, abs=NOISE.get(event, 0)), event
