"""Programs of the diagnosis suite diagnosed from this machine's own counters: with all that it has, and with two."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from diagnosis.finding import diagnose
from diagnosis.sources import Counters
from diagnosis.suite import Builder, pair

from armprof.counters.machine import machine as this_machine
from armprof.counters.plan import Budget
from armprof.counters.refusal import Refusal

from .programs import DIAGNOSED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    ready = os.environ.get("ARMPROF_PROGRAMS")
    return Builder(Path(ready) if ready else tmp_path_factory.mktemp("suite"), ("cc",))


@pytest.fixture(params=[None, 2], ids=["all counters", "two counters"])
def counters(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many counters are left: somebody else has the others, pinned to them on every CPU."""
    this_machine.cache_clear()  # it knows how many counters there were when it looked
    budget = this_machine().budget()
    if not isinstance(budget, Budget) or isinstance(this_machine().resolve("l1d_cache_refill"), Refusal):
        pytest.skip("nothing counts caches here")
    left = request.param or budget.counters
    taken = [word for _ in range(budget.counters - left) for word in ("-e", "instructions:D")]
    if not taken:
        yield left
        return
    this_machine.cache_clear()
    with subprocess.Popen(["perf", "stat", "-a", *taken, "--", "sleep", "3600"], stderr=subprocess.DEVNULL) as perf:
        yield left
        perf.terminate()
    this_machine.cache_clear()


@pytest.mark.parametrize("program", DIAGNOSED)
def test_the_cause_is_named_first_and_the_gain_of_mending_it_is_as_promised(
    program: str, suite: Builder, counters: int
) -> None:
    budget = this_machine().budget()
    assert isinstance(budget, Budget)
    assert budget.counters == counters
    for finding in diagnose(pair(program), Counters(suite, rounds=DIAGNOSED[program])):
        assert finding.place == 1, finding
        assert not finding.above_the_ceiling, finding
        assert not finding.again, finding
