"""What `doctor` tries: each answer comes from having done it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cpu_machines
import pytest

from armprof.counters import probe
from armprof.counters.machine import Machine, machine
from armprof.counters.plan import Capacity
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.refusal import Refusal
from armprof.cpu import Host, host

HARDWARE, USER, SOFTWARE = range(3)  # where their probes stand, on a machine with one PMU at most
ROOMY = Capacity(6, True)

Pretend = Callable[..., list[probe.Probe]]


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Probes a machine that is made up: its files, what groups it held, and what reading an event gave."""

    def probes(
        files: Callable[[Path], Path],
        budget: Capacity | Refusal = ROOMY,
        access: str = "read()",
        refused: Refusal | None = None,
        change: Callable[[Host], Host] = lambda host: host,
    ) -> list[probe.Probe]:
        here = Machine(change(host(files(tmp_path))))
        here._budgets = {pmu.type: budget for pmu in here.host.pmus}

        def reading(event: str, scope: str = "thread") -> Reading:
            if refused is None:
                count = Count(event, 1.0, 1.0, 1, 1, Status.COUNTED)
            else:
                count = uncounted(event, refused.status, str(refused))
            return Reading({event: count}, "pmu", access=access)

        monkeypatch.setattr(probe, "machine", lambda: here)
        monkeypatch.setattr(probe, "_reading", reading)
        return probe.probe()

    return probes


def test_on_this_machine_every_answer_is_given_and_a_no_has_a_reason():
    before = len(os.listdir("/proc/self/fd"))
    found = probe.probe()
    assert len(found) == 4 + max(1, len(machine().host.pmus))
    for each in found:
        assert each.ok != bool(each.reason)
    software = next(p for p in found if p.what == "software events")
    assert software.ok
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(bool(machine().host.pmus), reason="this machine has a PMU")
def test_without_a_pmu_that_is_said_once_and_the_rest_is_tried():
    hardware, user, *_ = probe.probe()
    assert (hardware.ok, hardware.reason.startswith("no PMU")) == (False, True)
    assert (user.ok, user.reason) == (False, "there is no hardware counter to read")


def test_the_counters_that_one_group_held_are_told(pretend):
    found = pretend(cpu_machines.graviton2_metal, Capacity(6, True))[HARDWARE]
    assert found == probe.Probe(
        "hardware counters of armv8_pmuv3_0", True, "6 events in one group, and the cycle counter besides"
    )
    assert pretend(cpu_machines.graviton2_metal, Capacity(2, False))[HARDWARE].detail == (
        "2 events in one group, cycles among them"
    )


def test_each_pmu_is_tried(pretend):
    found = pretend(cpu_machines.rk3588)
    assert [p.what for p in found[:2]] == [
        "hardware counters of armv8_cortex_a55",
        "hardware counters of armv8_cortex_a76",
    ]
    assert len(found) == 6


def test_a_pmu_that_counts_nothing_says_why(pretend):
    busy = Refusal(Status.NOT_COUNTED, "another user of the PMU holds it", "look for a running `perf`")
    hardware, user, *_ = pretend(cpu_machines.graviton2_metal, busy)
    assert (hardware.ok, hardware.reason, hardware.remedy) == (False, busy.reason, busy.remedy)
    assert (user.ok, user.reason) == (False, "there is no hardware counter to read")


@pytest.mark.parametrize(
    ("access", "detail"),
    [
        ("user reads (64-bit), fenced", "64-bit"),
        ("user reads (32-bit extended by the kernel), fenced", "32-bit extended by the kernel"),
    ],
)
def test_user_reads_are_told_by_their_width(pretend, access, detail):
    found = pretend(cpu_machines.graviton2_metal, access=access)[USER]
    assert (found.ok, found.detail) == (True, detail)


def test_where_user_reads_are_switched_off_the_switch_is_named(pretend):
    found = pretend(cpu_machines.graviton2_metal)[USER]
    assert not found.ok
    assert found.remedy == "sudo sysctl kernel.perf_user_access=1"


def test_a_kernel_that_knows_no_user_reads_is_not_told_to_switch_them_on(pretend):
    found = pretend(cpu_machines.graviton2_metal, change=lambda h: replace(h, perf_user_access=None))[USER]
    assert "Linux before 5.17 has none" in found.reason
    assert not found.remedy


def test_user_reads_that_are_switched_on_and_do_not_come_are_not_the_kernels_age(pretend):
    found = pretend(cpu_machines.graviton2_metal, change=lambda h: replace(h, perf_user_access=1))[USER]
    assert not found.ok
    assert "5.17" not in found.reason


def test_on_x86_there_are_no_user_reads(pretend):
    found = pretend(lambda root: cpu_machines.x86(root, cpu_machines.x86_pmu()))[USER]
    assert "ARM64 alone" in found.reason


def test_what_was_refused_has_its_reason_and_its_remedy_apart(pretend):
    forbidden = Refusal(Status.NOT_PERMITTED, "forbidden to you", "`sudo sysctl a=b`, or else; so")
    for found in pretend(cpu_machines.graviton2_metal, refused=forbidden)[SOFTWARE:]:
        assert (found.ok, found.reason, found.remedy) == (False, forbidden.reason, forbidden.remedy)


def test_what_was_counted_is_a_yes(pretend):
    found = pretend(cpu_machines.graviton2_metal)
    assert [(p.what, p.ok) for p in found[SOFTWARE:]] == [
        ("software events", True),
        ("what happens in kernel mode", True),
        ("this process with its threads and children", True),
    ]
