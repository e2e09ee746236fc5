"""What a region counts, and what it costs: in C, from Python, and with PAPI."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import armprof

from .conftest import LINE, LINES, LONG_AND_SHORT

# Cycles, instructions and four more, which one group of the smallest common PMU can hold.
SIX = ("cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "br_mis_pred", "l2d_cache_refill")
MOST_INSTRUCTIONS = 350
PAPI_SIX = tuple(f"arm_n1::{event.upper()}" for event in SIX)

Program = Callable[[str], Path]
Walk = Callable[[], int]


def words(*command: str | Path) -> dict[str, list[float]]:
    """What a program prints, one `name number...` a line."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (line.split() for line in done.stdout.splitlines())
    return {name: [float(number) for number in numbers] for name, *numbers in lines}


@pytest.mark.emulator_only
def test_a_region_with_six_events_costs_few_instructions_and_no_system_call(program: Program) -> None:
    cost = words(program("region_cost"), "1000", *SIX)
    assert 100 < cost["instructions"][0] <= MOST_INSTRUCTIONS
    assert cost["by_syscall"] == [0]
    assert words(program("region_cost"), "--sealed", "10000", *SIX) == {"calls": [10_000]}


def test_the_filter_for_system_calls_does_kill(program: Program) -> None:
    """Else nothing would follow from a program that survives it."""
    done = subprocess.run([program("region_cost"), "--sealed", "0", "inst_retired"], check=False, capture_output=True)
    assert done.returncode == -signal.SIGSYS


@pytest.mark.emulator_only
@pytest.mark.parametrize("way", ["high", "low"])
def test_a_region_costs_less_than_one_of_papi(program: Program, way: str) -> None:
    ours = words(program("region_cost"), "1000", *SIX)["instructions"][0]
    user, everything = (
        words(program("papi_cost"), way, mode, "1000", *PAPI_SIX)["instructions"][0] for mode in ("user", "all")
    )
    assert ours < user < everything
    assert ours * 10 < everything


@pytest.mark.one_cpu
def test_a_region_in_c_counts_every_instruction_of_its_work_and_no_other(program: Program) -> None:
    found = {
        lines: words(program("walk_region"), str(lines * LINE), "21", "inst_retired")["inst_retired"]
        for lines in (LINES, LINES // 2)
    }
    call = found[LINES][0] - LINES * 5
    assert 0 <= call < 30, "the loop, and little more for the call around it"
    assert found[LINES // 2][0] == LINES // 2 * 5 + call
    for middle, least, most in found.values():
        assert middle - 2 <= least
        assert most < middle + 500, "of an interrupt the kernel counts its own part, and the reader looks again"


@pytest.mark.emulator_only
def test_a_region_in_c_counts_every_refill_of_its_work_and_hardly_another(program: Program) -> None:
    counted = words(program("walk_region"), str(LINES * LINE), "20", *SIX)
    assert counted["l1d_cache_refill"] == pytest.approx([LINES] * 3, rel=0.002)
    assert counted["l1d_cache"][0] == pytest.approx(LINES, rel=0.002)


@pytest.mark.emulator_only
def test_a_region_of_python_counts_its_work_and_the_call(walking: Callable[..., Walk]) -> None:
    regions = {lines: armprof.region(f"{lines} lines") for lines in LONG_AND_SHORT}
    for _ in range(200):
        for lines, region in regions.items():
            work = walking(lines)
            with region:
                work()
    spreads = [region.per_call("inst_retired") for region in regions.values()]
    least = [spread.smallest for spread in spreads if spread and spread.smallest is not None]
    assert least[0] - least[1] == pytest.approx((LONG_AND_SHORT[0] - LONG_AND_SHORT[1]) * 5, abs=50)
    for lines, region in regions.items():
        assert region.reading.access.startswith("user reads")
        refills = region.per_call("l1d_cache_refill")
        assert refills is not None
        assert refills.mean == pytest.approx(lines, rel=0.02), "what Python touches between two walks is among them"


@pytest.mark.emulator_only
def test_reads_in_user_space_can_be_taken_away_inside_a_region(walk: Walk, user_access: Callable[[int], None]) -> None:
    def passes(name: str, setting: int) -> armprof.Region:
        region = armprof.region(name)
        for number in range(20):
            with region:
                walk()
                if number == 10:
                    user_access(setting)
        return region

    kept, taken = passes("kept", 1).reading, passes("taken", 0).reading
    for event in ("inst_retired", "l1d_cache_refill"):
        assert taken.counts[event].status == armprof.Status.COUNTED
        assert taken.value(event) == pytest.approx(kept.value(event), rel=0.01)
    assert taken.duration_ns == pytest.approx(kept.duration_ns, rel=0.1)
    assert taken.access == "read()"
    assert any("perf_user_access" in note for note in taken.notes)
    # What was counted before does not change with the way in which later reads are made.
    assert armprof.region("kept").reading.value("inst_retired") == pytest.approx(kept.value("inst_retired"), rel=0.001)


def test_a_region_costs_little_more_than_python_takes_for_any_block() -> None:
    class Nothing:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *error: object) -> None:
            pass

    def cost(block: object) -> float:
        with armprof.measure(["inst_retired"]) as m:
            for _ in range(1000):
                with block:  # type: ignore[attr-defined]
                    pass
        return (m.counts["inst_retired"].value or 0) / 1000

    region = armprof.region("empty")
    cost(region), cost(Nothing())
    assert cost(region) < cost(Nothing())
