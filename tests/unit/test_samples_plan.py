"""Which events interrupt, and which are read at the samples of another one."""

from __future__ import annotations

from pathlib import Path

import cpu_machines
import pytest

from armprof.counters.machine import EventTarget, Machine
from armprof.counters.plan import Capacity
from armprof.cpu import Pmu, host
from armprof.errors import ArmprofError, CannotCount
from armprof.samples.plan import plan


class Graviton2(Machine):
    """With a PMU of two counters beside that of cycles, which interrupts for these events alone."""

    interrupting = frozenset({"cpu_cycles"})

    def interrupts(self, target: EventTarget) -> bool:
        return target.is_software or target.name in self.interrupting

    def budget(self, pmu: Pmu | None = None) -> Capacity:
        return Capacity(2, True)


@pytest.fixture
def machine(tmp_path: Path) -> Graviton2:
    return Graviton2(host(cpu_machines.graviton2_metal(tmp_path)))


def names(machine: Machine, *events: str, group: bool = False) -> list[str]:
    return [target.name for target in plan(machine, events, group).targets]


def test_without_a_wish_it_is_cycles(machine: Graviton2) -> None:
    made = plan(machine, None, False)
    assert [target.name for target in made.targets] == ["cpu_cycles"]
    assert made.leader is None


def test_events_that_interrupt_are_sampled_each_for_itself(machine: Graviton2) -> None:
    machine.interrupting = frozenset({"cpu_cycles", "l1d_cache_refill", "inst_retired", "l2d_cache_refill"})
    made = plan(machine, ["l1d_cache_refill", "inst_retired", "l2d_cache_refill", "cycles"], False)
    assert made.leader is None
    assert len(made.targets) == 4  # they need not fit together
    assert made.notes == ()


def test_one_that_does_not_interrupt_is_read_at_the_samples_of_cycles(machine: Graviton2) -> None:
    made = plan(machine, ["l1d_cache_refill"], False)
    assert made.leader == "cpu_cycles"
    assert [target.name for target in made.targets] == ["cpu_cycles", "l1d_cache_refill"]
    assert made.notes == ("l1d_cache_refill cannot interrupt on this PMU: read at the samples of cpu_cycles",)
    assert names(machine, "l1d_cache_refill", "cycles", "page-faults") == [
        "cpu_cycles",
        "l1d_cache_refill",
        "page_faults",
    ]


def test_where_not_even_cycles_interrupt_the_clock_does(machine: Graviton2) -> None:
    machine.interrupting = frozenset()
    made = plan(machine, None, False)
    assert made.leader == "cpu_clock"
    assert [target.name for target in made.targets] == ["cpu_clock", "cpu_cycles"]


def test_a_group_that_is_asked_for_is_led_by_its_first(machine: Graviton2) -> None:
    assert plan(machine, ["cpu-clock", "l1d_cache_refill"], True).leader == "cpu_clock"
    with pytest.raises(
        CannotCount, match=r"l1d_cache_refill does not interrupt here, and cannot lead .* put cycles first"
    ):
        plan(machine, ["l1d_cache_refill", "cycles"], True)
    with pytest.raises(ArmprofError, match="a group is of two events or more"):
        plan(machine, ["cycles"], True)


def test_a_group_is_not_larger_than_the_pmu(machine: Graviton2) -> None:
    assert len(names(machine, "l1d_cache_refill", "inst_retired", "cycles")) == 3
    with pytest.raises(CannotCount, match="4 events at once, of which the PMU can count 3 together; ask for fewer"):
        plan(machine, ["l1d_cache_refill", "inst_retired", "l2d_cache_refill"], False)


def test_cores_of_several_kinds_make_no_group(tmp_path: Path) -> None:
    two = Graviton2(host(cpu_machines.rk3588(tmp_path)))
    with pytest.raises(CannotCount, match="cores of several kinds"):
        plan(two, ["l1d_cache_refill"], False)


def test_what_no_core_has_is_told_and_the_rest_sampled(machine: Graviton2) -> None:
    made = plan(machine, ["cycles", "model_latency_cycles"], False)
    assert list(made.refused) == ["model_latency_cycles"]
    assert len(made.targets) == 1
    with pytest.raises(CannotCount, match="model_latency_cycles cannot be counted here"):
        plan(machine, ["cycles", "model_latency_cycles"], True)
