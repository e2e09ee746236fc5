"""Counts of several threads, told apart and taken together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import armprof

from .conftest import LINE, LINES

STEP = 8
LOADS = LINES * LINE // STEP  # of one walk: enough that what threads wait for each other is little
INSTRUCTIONS = LOADS * 5
WALKS = (10, 30)

Walk = Callable[[], int]


@pytest.fixture
def walk(walking: Callable[..., Walk]) -> Walk:
    return walking(step=STEP)


@dataclass(frozen=True)
class Event:
    name: str
    of_a_walk: int


@pytest.fixture
def event(machine: str) -> Event:
    """What is counted, and what a walk has of it. QEMU counts the retired instructions of all its CPUs together: one that
    lost its turn in user mode is given the 4 million that another executed meanwhile. The emulator's caches are each CPU's.
    """
    return Event("l1d_cache", LOADS) if machine == "emulator" else Event("inst_retired", INSTRUCTIONS)


def open_regions() -> None:
    """Opens this thread's counters for regions. It takes long, and another thread that waits for the interpreter's lock
    meanwhile, inside a region of its own, executes a thousand instructions every 5 ms.
    """
    with armprof.region("before"):
        pass


def on_threads(work: Callable[[int], None], cpus: list[int], first: Callable[[], None] = lambda: None) -> None:
    """Runs work(0) and work(1) on a thread each, both at the same time, and each on its CPU where there are two."""
    together = threading.Barrier(2)
    failed: list[BaseException] = []

    def body(number: int) -> None:
        try:
            if len(cpus) > 1:
                os.sched_setaffinity(0, {cpus[number]})
            first()
            together.wait()
            work(number)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=body, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.fixture(params=["where they like", pytest.param("on two CPUs", marks=pytest.mark.two_cpus)])
def cpus(request: pytest.FixtureRequest) -> list[int]:
    return sorted(os.sched_getaffinity(0))[:2] if request.param == "on two CPUs" else []


def test_measure_counts_its_own_thread_alone(walk: Walk, cpus: list[int], event: Event) -> None:
    found: dict[int, armprof.Measurement] = {}

    def work(number: int) -> None:
        for _ in range(3):
            with armprof.measure([event.name, "cpu_cycles"]) as m:
                for _ in range(WALKS[number]):
                    walk()
            found[number] = m

    on_threads(work, cpus)
    for number, walks in enumerate(WALKS):
        reading = found[number].reading
        assert reading.value(event.name) == pytest.approx(walks * event.of_a_walk, rel=0.05)
        assert reading.access.startswith("user reads")


def test_measure_with_threads_counts_them_all(walk: Walk, cpus: list[int], event: Event) -> None:
    def work(number: int) -> None:
        for _ in range(WALKS[number]):
            walk()

    with armprof.measure([event.name], threads=True) as m:
        on_threads(work, cpus)
    assert m.counts[event.name].value == pytest.approx(sum(WALKS) * event.of_a_walk, rel=0.1)
    assert m.reading.access == "read()"
    assert "threads" in m.reading.scope


def test_measure_with_threads_counts_those_that_run_already(walk: Walk, event: Event) -> None:
    begin, done, end = threading.Event(), threading.Event(), threading.Event()

    def body() -> None:
        begin.wait()
        for _ in range(WALKS[1]):
            walk()
        done.set()
        end.wait()

    thread = threading.Thread(target=body)
    thread.start()
    with armprof.measure([event.name], threads=True) as m:
        begin.set()
        done.wait()
    end.set()
    thread.join()
    assert m.counts[event.name].value == pytest.approx(WALKS[1] * event.of_a_walk, rel=0.05)


def test_a_region_sums_over_threads(walk: Walk, cpus: list[int], event: Event) -> None:
    region = armprof.region(f"walk {len(cpus)}")

    def work(number: int) -> None:
        for _ in range(WALKS[number]):
            with region:
                walk()

    on_threads(work, cpus, open_regions)
    assert region.calls == sum(WALKS)
    assert region.counts[event.name].value == pytest.approx(sum(WALKS) * event.of_a_walk, rel=0.05)
    one = region.per_call(event.name)
    assert one is not None
    assert one.smallest == pytest.approx(event.of_a_walk, rel=0.05)
    assert region.reading.access.startswith("user reads")


def test_regions_tell_the_work_of_threads_apart(walk: Walk, cpus: list[int], event: Event) -> None:
    regions = [armprof.region(f"thread {number} of {len(cpus)}") for number in (0, 1)]

    def work(number: int) -> None:
        for _ in range(WALKS[number]):
            with regions[number]:
                walk()

    on_threads(work, cpus, open_regions)
    for region, walks in zip(regions, WALKS, strict=True):
        assert region.counts[event.name].value == pytest.approx(walks * event.of_a_walk, rel=0.05)
