"""Types as the type checker of somebody's project sees them, in the installed package."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

USER = """
from typing import assert_type

import armprof
from armprof import ARM64Metrics, Analysis, CannotCount, Count, PerformanceTrends, Profile, Reading, Region


def work(n: int) -> int:
    return sum(range(n))


with armprof.measure(events=["cpu_cycles"]) as m:
    work(10)
assert_type(m.metrics, ARM64Metrics)
assert_type(m.metrics.l1_cache_hit_rate, float | None)
assert_type(m.counts["cpu_cycles"], Count)
assert_type(m.counts["cpu_cycles"].value, float | None)


@armprof.measure()
def measured(n: int) -> str:
    return str(n)


assert_type(measured(3), str)

region = armprof.region("parse")
assert_type(region, Region)
with region:
    work(10)
assert_type(region.calls, int)

profile = armprof.profile(work, 10)
assert_type(profile, Profile)
assert_type(armprof.analyze(profile), Analysis)

compared = armprof.ab(lambda: work(10), lambda: work(20))
print(compared)

with armprof.sample() as sampled:
    work(10)
print(sampled)

try:
    assert_type(armprof.model.run(["./program"]).reading, Reading)
except CannotCount as error:
    assert_type(error.remedy, str)

with armprof.monitor.Monitor(store="app.db"):
    work(10)
assert_type(armprof.monitor.performance_trends("app.db"), PerformanceTrends)


@armprof.component
def mine() -> None:
    work(10)
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of the user's program, and of one that is wrong."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "user.py").write_text(USER)
    (folder / "wrong.py").write_text("import armprof\n\narmprof.measure(events=3)\narmprof.measurements()\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "user.py", "wrong.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout.splitlines()


def test_a_strict_project_finds_its_types(checked: list[str]) -> None:
    assert [line for line in checked if line.startswith("user.py")] == []


def test_what_is_wrong_is_found(checked: list[str]) -> None:
    found = [re.search(r"wrong.py:(\d+):.*\[(.*)\]", line) for line in checked if line.startswith("wrong.py")]
    assert [(one[1], one[2]) for one in found if one] == [("3", "arg-type"), ("4", "attr-defined")]
