"""A book that is slowed on purpose is named as the bottleneck, where it is slow."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import native_itch
import numpy as np
import pytest

from armprof.analysis import PerformanceBottleneck, SlowedPart, bottlenecks
from armprof.components.ticks import STAGES, critical_path
from armprof.report import text
from armprof.report.document import document
from armprof.run.record import Component, Run

KERNELS = Path(__file__).parents[2] / "csrc" / "kernels"
CC = shutil.which("cc")
OTHER_LOOPS = ("loops", "loops_decision", "loops_market")
SPINS = 50_000  # tens of microseconds beside a fifth of one: whatever else the machine does

Slowed = Callable[[int], Component]

pytestmark = pytest.mark.skipif(CC is None, reason="needs a C compiler")


@pytest.fixture(scope="module")
def slowed(tmp_path_factory: pytest.TempPathFactory) -> Slowed:
    """Tick to trade as a component, with a book that is slow at one message in so many."""
    folder = tmp_path_factory.mktemp("slow")
    slow, library = folder / "tick_to_trade.o", folder / "slow_book.so"
    sources = [path for path in KERNELS.glob("*.c") if path.stem not in ("tick_to_trade", *OTHER_LOOPS)]
    flags = [str(CC), "-std=c17", "-O1", "-fPIC", f"-I{KERNELS}"]
    compiled = [*flags, "-Dap_feed_apply=slow_feed_apply", "-c", KERNELS / "tick_to_trade.c", "-o", slow]
    linked = [*flags, "-shared", *sources, Path(__file__).with_name("slow_book.c"), slow, "-o", library]
    for command in (compiled, linked):
        subprocess.run([*map(str, command)], check=True)
    function = ctypes.CDLL(str(library)).slow_book_stages
    function.restype = ctypes.c_uint64
    data = native_itch.generate(7, 50_000)

    def run(one_in: int) -> Component:
        rows, nothing = np.zeros((2, 20_000, len(STAGES)), dtype=np.uint64)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (rows, nothing)]
        size, messages, spins = (ctypes.c_uint64(n) for n in (len(data), one_in, SPINS))
        ticks = function(data, size, messages, spins, *pointers, ctypes.c_uint64(len(rows)))
        assert ticks > 500
        path = critical_path(rows[:ticks], float(np.median(nothing[:ticks])))
        assert path is not None
        return Component("tick_to_trade", "Tick to trade", "kernel", "message", critical_path=path)

    return run


def book_of(component: Component) -> PerformanceBottleneck:
    (book,) = [found for found in bottlenecks(component) if found.stage == "book"]
    return book


def test_a_slow_book_is_the_first_bottleneck_with_its_shares(slowed: Slowed) -> None:
    component = slowed(1)
    book = book_of(component)
    assert book.rank == 1
    assert book.where is SlowedPart.BOTH
    assert book.p50_share > 0.8
    assert book.p99_share > 0.5
    report = text.render(document(Run((component,))))
    assert "Bottleneck 1: Order book (median and tail)" in report
    assert f"{100 * book.p50_share:.1f} % of p50" in report
    assert f"{100 * book.p99_share:.1f} % of p99" in report


def test_a_book_that_is_slow_now_and_then_is_the_bottleneck_of_the_tail(slowed: Slowed) -> None:
    component = slowed(20)
    book = book_of(component)
    assert book.rank == 1
    assert book.p99_share > 0.5
    assert book.p50_share < 0.4
    assert any("grows in the tail" in fact for fact in book.evidence)


def test_a_book_that_is_not_slowed_is_no_worse_than_the_decision(slowed: Slowed) -> None:
    """So that it is the slowing which the others find."""
    component = slowed(0)
    assert component.critical_path is not None
    shares = {stage.name: stage.p50_share for stage in component.critical_path.stages}
    assert shares["book"] < shares["decision"]
