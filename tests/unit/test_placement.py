"""Where a program's pages lie, from what the kernel shows: one node, two nodes, and files that are not the program's own."""

from __future__ import annotations

import ctypes
import mmap
import platform
from pathlib import Path

import pytest
from cpu_machines import write
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters import pages
from armprof.counters import placement as module
from armprof.counters.pages import PAGE
from armprof.counters.placement import local_share, pages_by_node, placement, placement_of, writable
from armprof.cpu.nodes import cache_sizes, memory_bytes, memory_nodes

NUMA_MAPS = r"""
aaaac0000000 default file=/usr/bin/python3.11 mapped=700 N1=700 kernelpagesize_kB=4
aaaac0800000 default file=/usr/bin/python3.11 anon=10 dirty=10 N0=10 kernelpagesize_kB=4
aaaae0000000 default heap anon=90 dirty=90 active=0 N0=60 N1=30 kernelpagesize_kB=4
ffff70000000 default file=/dev/zero\040(deleted) dirty=5 N1=5 kernelpagesize_kB=4
ffff80000000 default anon=3 dirty=3 N1=3 kernelpagesize_kB=2048
ffffd0000000 default stack anon=2 dirty=2 N0=2 kernelpagesize_kB=4
ffffe0000000 default
"""

MAPS = """\
aaaac0000000-aaaac0010000 r-xp 00000000 fe:01 1  /usr/bin/python3.11
7f0000000000-7f0400000000 rw-p 00000000 00:00 0
ffffd0000000-ffffd0021000 rw-p 00000000 00:00 0  [stack]
"""


def machine(root: Path, nodes: dict[int, str], cpus: dict[str, int], numa_maps: str = NUMA_MAPS) -> Path:
    """``cpus``: thread id -> the CPU that it was last on; the first one is this thread."""
    files = {f"sys/devices/system/node/node{node}/cpulist": f"{listed}\n" for node, listed in nodes.items()}
    files["sys/devices/system/node/has_memory"] = ",".join(map(str, nodes)) + "\n"
    fields = [str(n) for n in range(3, 53)]
    for i, (tid, cpu) in enumerate(cpus.items()):
        stat = f"{tid} (a (b) c) {' '.join([*fields[:36], str(cpu), *fields[37:]])}\n"
        files[f"proc/self/task/{tid}/stat"] = stat
        if i == 0:
            files["proc/thread-self/stat"] = stat
    files |= {"proc/self/numa_maps": numa_maps, "proc/self/statm": "5000 2000 1000 1 0 500 0\n"}
    return write(root, files)


def test_pages_are_counted_in_their_own_size_and_mapped_files_are_not() -> None:
    assert pages_by_node(NUMA_MAPS) == {0: (10 + 60 + 2) * 4, 1: 30 * 4 + 5 * 4 + 3 * 2048}


def test_the_share_of_the_nodes_that_ran() -> None:
    by_node = pages_by_node(NUMA_MAPS)
    assert local_share(by_node, [0]) == pytest.approx(288 / (288 + 6284))
    assert local_share(by_node, [0, 1]) == 1.0
    assert local_share(by_node, [7]) == 0.0
    assert local_share(pages_by_node(""), [0]) is None


def test_one_node_is_local_and_says_why(tmp_path: Path) -> None:
    fact = placement(False, root=machine(tmp_path, {0: "0-3"}, {"1": 2}))
    assert fact.value == 1.0
    assert "one NUMA node" in fact.origin
    assert fact.uncertainty is None


@pytest.mark.parametrize(("cpu", "share"), [(1, 288 / 6572), (2, 6284 / 6572)])
def test_of_two_nodes_the_one_that_this_thread_ran_on(tmp_path: Path, cpu: int, share: float) -> None:
    fact = placement(False, root=machine(tmp_path, {0: "0-1", 1: "2-3"}, {"1": cpu, "2": 0}))
    assert fact.value == pytest.approx(share)
    assert "not accesses" in fact.origin
    assert f"ran on node {cpu // 2}" in fact.origin


def test_threads_on_one_node_are_judged_together(tmp_path: Path) -> None:
    assert placement(True, root=machine(tmp_path, {0: "0-1", 1: "2-3"}, {"1": 2, "2": 3})).value is not None


def test_threads_on_several_nodes_make_placement_say_nothing(tmp_path: Path) -> None:
    fact = placement(True, root=machine(tmp_path, {0: "0-1", 1: "2-3"}, {"1": 1, "2": 3}))
    assert fact.value is None
    assert "several nodes" in fact.origin


def test_a_command_has_no_pages_when_it_has_ended(tmp_path: Path) -> None:
    root = machine(tmp_path, {0: "0", 1: "1"}, {"1": 0})
    assert "remote_access" in placement(True, command=True, root=root).origin
    assert placement(True, command=True, root=machine(tmp_path / "one", {0: "0"}, {"1": 0})).value == 1.0


def test_a_large_process_is_not_looked_through_silently(tmp_path: Path) -> None:
    root = machine(tmp_path, {0: "0", 1: "1"}, {"1": 0})
    (root / "proc/self/statm").write_text("9000000 3000000 0 0 0 0 0\n")
    fact = placement(False, root=root)
    assert fact.value is None
    assert "numastat" in fact.origin


def test_of_a_large_process_single_pages_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = machine(tmp_path, {0: "0", 1: "1"}, {"1": 0})
    write(root, {"proc/self/statm": "9000000 3000000 0 0 0 0 0\n", "proc/self/maps": MAPS})
    asked: list[object] = []

    def nodes(addresses: list[int]) -> list[int]:
        asked.append(addresses)
        return [0, 1, 1, -2] * (len(addresses) // 4)

    monkeypatch.setattr(pages, "_nodes", nodes)
    fact = placement(False, root=root)
    assert fact.value == pytest.approx(1 / 3)
    assert "one of 65 looked at" in fact.origin
    monkeypatch.setattr(pages, "_nodes", lambda addresses: [-2] * (len(addresses) - 2) + [0, 1])
    assert "only 2 of the pages asked for" in placement(False, root=root).origin


@pytest.mark.parametrize("number", ["unknown", "refused"])
def test_where_the_kernel_does_not_answer_the_reason_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    calls = {"unknown": {}, "refused": {platform.machine(): 1 << 20}}[number]  # a system call that there is none of
    monkeypatch.setattr(pages, "_CALLS", calls)
    root = machine(tmp_path, {0: "0", 1: "1"}, {"1": 0}, numa_maps="")
    write(root, {"proc/self/maps": MAPS})
    for fact in (placement(False, root=root), placement_of(4096, 4096, root)):
        assert fact.value is None
        assert {"unknown": "is not known", "refused": "Function not implemented"}[number] in fact.origin


def test_what_a_process_may_write_to_is_its_own() -> None:
    assert writable(MAPS) == [(0x7F0000000000, 0x7F0400000000), (0xFFFFD0000000, 0xFFFFD0021000)]


@given(
    sizes=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=8),
    every=st.integers(1, 7),
)
def test_a_sample_is_at_equal_distances_through_all_ranges(sizes: list[tuple[int, int]], every: int) -> None:
    at, ranges, own = 16, [], []
    for gap, count in sizes:
        at += gap
        ranges.append((at * PAGE, (at + count) * PAGE))
        own += [page * PAGE for page in range(at, at + count)]
        at += count
    assert list(pages._addresses(ranges, every)) == own[::every]


def test_pages_that_were_touched_lie_on_a_node_and_others_nowhere() -> None:
    touched, size = 24, 64
    with mmap.mmap(-1, size * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        memory[: touched * PAGE] = b"x" * (touched * PAGE)
        address = ctypes.addressof(held := ctypes.c_char.from_buffer(memory))
        try:
            looked = pages.look([(address, address + size * PAGE)])
        except OSError as error:
            pytest.skip(f"move_pages: {error}")
        fact = placement_of(address, size * PAGE)
        del held
    assert looked.pages == touched
    assert set(looked.kib) <= set(memory_nodes())
    assert looked.kib.total() == touched * PAGE >> 10
    assert fact.value is not None
    assert 0 <= fact.value <= 1
    if len(memory_nodes()) == 1:
        assert "one NUMA node" in fact.origin


def test_a_kernel_that_shows_nothing_is_said(tmp_path: Path) -> None:
    assert placement(False, root=tmp_path).origin == "this kernel shows no NUMA nodes"
    hidden = machine(tmp_path / "two", {0: "0", 1: "1"}, {"1": 0}, numa_maps="")
    assert "numa_maps" in placement(False, root=hidden).origin


def test_nodes_without_memory_are_none(tmp_path: Path) -> None:
    write(tmp_path, {f"sys/devices/system/node/node{n}/cpulist": f"{n}\n" for n in (0, 1, 2)})
    assert memory_nodes(tmp_path) == {0: (0,), 1: (1,), 2: (2,)}
    write(tmp_path, {"sys/devices/system/node/has_memory": "0,2\n"})
    assert memory_nodes(tmp_path) == {0: (0,), 2: (2,)}


def test_caches_of_data_and_their_sizes(tmp_path: Path) -> None:
    caches = {
        "index0": ("1", "Data", "64K"),
        "index1": ("1", "Instruction", "64K"),
        "index2": ("2", "Unified", "1024K"),
    }
    for name, (level, kind, size) in (caches | {"index3": ("3", "Unified", "32M"), "index4": ("", "", "odd")}).items():
        folder = f"sys/devices/system/cpu/cpu0/cache/{name}"
        write(tmp_path, {f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": size})
    assert cache_sizes(tmp_path) == {"l1d": 64 << 10, "l2": 1 << 20, "l3": 32 << 20}
    assert cache_sizes(tmp_path / "none") == {}
    assert memory_bytes("MemTotal", tmp_path) is None


def test_here_it_is_a_share_or_a_reason() -> None:
    fact = module.placement(False)
    assert fact.value is None or 0 <= fact.value <= 1
    assert fact.origin
