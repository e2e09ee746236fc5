"""The memory kernels counted, and where pages lie on two nodes."""

from __future__ import annotations

import ctypes
import mmap
import os

import pytest

import armprof
from armprof.components.memory import mapped
from armprof.counters.machine import native
from armprof.counters.placement import placement, placement_of
from armprof.cpu.nodes import memory_nodes

LINE = 64
LINES = 32768  # 2 MiB: beyond the emulator's L1D of 64 KiB and its L2 of 1 MiB


@pytest.mark.emulator_only
def test_a_chase_refills_one_line_a_step() -> None:
    lib = native().lib
    with mapped(LINES * LINE, huge=False) as memory:
        start = lib.ap_chase_lay(memory, LINES, LINE, 1)
        with armprof.measure(["l1d_cache_refill", "inst_retired"]) as m:
            lib.ap_chase(start, LINES)
    assert m.reading.value("l1d_cache_refill") == pytest.approx(LINES, rel=0.05)


@pytest.mark.emulator_only
def test_a_copy_moves_the_bytes_that_it_says() -> None:
    ffi, lib = native().ffi, native().lib
    elements = LINES * LINE // 8
    with mapped(3 * elements * 8, huge=False) as memory:
        a = ffi.cast("double *", memory)
        with armprof.measure(["l1d_cache_refill", "inst_retired"]) as m:
            lib.ap_stream_pass(lib.AP_STREAM_ADD, a, a + elements, a + 2 * elements, elements)
        moved = lib.ap_stream_bytes(lib.AP_STREAM_ADD, elements)
    assert (m.reading.value("l1d_cache_refill") or 0) * LINE == pytest.approx(moved, rel=0.05)


def test_one_node_is_fully_efficient() -> None:
    if len(memory_nodes()) > 1:
        pytest.skip("more than one node")
    with armprof.measure() as m:
        pass
    assert m.metrics.numa_efficiency == 1.0
    assert "one NUMA node" in (m.metrics.explain("numa_efficiency").reason or "")


@pytest.mark.two_cpus
def test_memory_that_one_node_touched_first_is_remote_to_the_other() -> None:
    nodes = memory_nodes()
    if len(nodes) < 2 or not all(nodes.values()):
        pytest.skip("one node with CPUs")
    (_, (near, *_)), (_, (far, *_)) = list(nodes.items())[:2]
    allowed = os.sched_getaffinity(0)
    size = 64 << 20
    try:
        os.sched_setaffinity(0, {near})
        with mmap.mmap(-1, size) as memory:
            for page in range(0, size, 4096):
                memory[page] = 1
            here = placement(whole_process=False)
            of_it = placement_of(ctypes.addressof(held := ctypes.c_char.from_buffer(memory)), size)
            os.sched_setaffinity(0, {far})
            there = placement(whole_process=False)
            of_it_there = placement_of(ctypes.addressof(held), size)
            del held
    finally:
        os.sched_setaffinity(0, allowed)
    assert here.value is not None
    assert there.value is not None
    assert here.value + there.value == pytest.approx(1.0, abs=0.02)  # of the same pages, on two nodes
    assert here.value > 0.5 > there.value
    assert "not accesses" in here.origin
    assert (of_it.value, of_it_there.value) == (1.0, 0.0)  # of the array alone, asked page by page
