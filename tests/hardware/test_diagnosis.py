"""Programs of the diagnosis suite diagnosed from this machine's own counters: with all of them, with two, and by samples."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from diagnosis.finding import diagnose
from diagnosis.lines import put
from diagnosis.sources import Counters
from diagnosis.suite import Builder, pair

from armprof.counters.machine import machine as this_machine
from armprof.counters.plan import Capacity
from armprof.counters.refusal import Refusal
from armprof.samples.rate import Rate

from .programs import DIAGNOSED, PLACED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    ready = os.environ.get("ARMPROF_PROGRAMS")
    return Builder(Path(ready) if ready else tmp_path_factory.mktemp("suite"), ("cc",))


@pytest.fixture(params=[None, 2], ids=["all counters", "two counters"])
def counters(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many counters are left: somebody else has the others, pinned to them on every CPU."""
    if isinstance(this_machine().resolve("l1d_cache_refill"), Refusal):
        pytest.skip("nothing counts caches here")
    every = left()
    wanted = request.param or every
    taken = [word for _ in range(every - wanted) for word in ("-e", "instructions:D")]
    if not taken:
        yield every
        return
    with subprocess.Popen(["perf", "stat", "-a", *taken, "--", "sleep", "3600"], stderr=subprocess.DEVNULL) as perf:
        try:
            until = time.monotonic() + 60
            while left() != wanted and time.monotonic() < until:
                time.sleep(0.01)
            assert left() == wanted
            yield wanted
        finally:
            perf.terminate()
    this_machine.cache_clear()


def left() -> int:
    """How many counters a group can have now."""
    this_machine.cache_clear()  # it knows how many there were when it looked
    budget = this_machine().budget()
    assert isinstance(budget, Capacity), budget
    return budget.counters


@pytest.mark.parametrize("program", DIAGNOSED)
def test_the_cause_is_named(program: str, suite: Builder, counters: int, machine: str) -> None:
    for finding in diagnose(pair(program), Counters(suite, rounds=DIAGNOSED[program])):
        # The emulated core has no prefetcher, and misses what it reads one after the other.
        assert finding.place in ((1, 2) if machine == "emulator" else (1,)), (counters, finding)


@pytest.mark.parametrize("program", PLACED)
def test_samples_put_the_cause_on_its_line(program: str, suite: Builder) -> None:
    if isinstance(this_machine().resolve("l1d_cache_refill"), Refusal):
        pytest.skip("nothing counts caches here")
    for line in put(pair(program), suite, Rate(period=20_011), PLACED[program]):
        assert line.is_its_own, line
