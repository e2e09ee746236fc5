"""What an event's name stands for on a machine, and what is counted there by default."""

from __future__ import annotations

import cpu_machines
import pytest

from armprof import cpu
from armprof.counters.machine import SOFTWARE, WANTED, WANTED_SOFTWARE, EventTarget, Machine, canonical_events
from armprof.counters.plan import Capacity
from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal
from armprof.cpu import host
from armprof.cpu.names import MEASURED_BY_PERF
from armprof.cpu.names import SOFTWARE as SOFTWARE_NAMES
from armprof.errors import ArmprofError


@pytest.fixture
def graviton2(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(host(cpu_machines.graviton2_metal(tmp_path_factory.mktemp("root"))))


@pytest.fixture
def qemu(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(host(cpu_machines.qemu_guest(tmp_path_factory.mktemp("root"))))


@pytest.fixture
def rk3588(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(host(cpu_machines.rk3588(tmp_path_factory.mktemp("root"))))


@pytest.fixture
def x86(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(host(cpu_machines.x86(tmp_path_factory.mktemp("root"), cpu_machines.x86_pmu())))


@pytest.fixture
def no_pmu(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(host(cpu_machines.guest_without_pmu(tmp_path_factory.mktemp("root"))))


def test_an_event_is_opened_on_the_pmu_that_sysfs_shows(graviton2):
    assert graviton2.resolve("l1d_cache_refill") == EventTarget("l1d_cache_refill", ((8, 0x03),))


@pytest.mark.parametrize("name", ["cycles", "cpu-cycles", "CPU_CYCLES", "r11", "armv8_pmuv3_0/cpu_cycles/u"])
def test_perfs_names_and_raw_codes_are_the_same_event(graviton2, name):
    assert graviton2.resolve(name) == EventTarget("cpu_cycles", ((8, 0x11),))


def test_an_implementation_defined_code_is_opened_on_the_core_that_has_it_alone(graviton2, tmp_path):
    core = cpu.core("neoverse-v3")
    pmu = cpu_machines.core_pmu("armv8_pmuv3_0", 10, "0", cpu_machines.announced_by(core.name))
    files = cpu_machines.arm64({0: 0x410FD830}) | pmu  # MIDR of a Neoverse V3
    v3 = Machine(host(cpu_machines.write(tmp_path, files)))
    assert v3.core_name == "neoverse-v3"
    assert v3.resolve("r121").attrs == ((10, 0x121),)  # imp_ct_flush_mem_hazard
    refused = graviton2.resolve("r121")
    assert isinstance(refused, Refusal)
    assert refused.status is Status.UNSUPPORTED


def test_an_event_that_the_guest_hides_is_unsupported_not_zero(qemu):
    refused = qemu.resolve("l1d_cache_refill")
    assert isinstance(refused, Refusal)
    assert refused.status is Status.UNSUPPORTED
    assert "hides it" in refused.reason


def test_what_the_guest_shows_can_be_opened(qemu):
    assert {name: qemu.resolve(name).attrs for name in cpu_machines.QEMU_EVENTS} == {
        name: ((8, code),) for name, code in cpu_machines.QEMU_EVENTS.items()
    }


def test_on_big_little_an_event_is_opened_on_both_pmus(rk3588):
    target = rk3588.resolve("inst_retired")
    assert sorted(target.attrs) == [(8, 0x08), (9, 0x08)]


def test_on_big_little_an_event_of_one_kind_of_core_is_opened_there_alone(rk3588):
    little, big = rk3588.host.pmus
    only_big = next(e for e in sorted(big.events) if not little.has(e))
    assert [kind for kind, _ in rk3588.resolve(only_big).attrs] == [big.type]


def test_an_event_of_no_pmu_here_is_unsupported(rk3588):
    assert rk3588.resolve("stall_slot").status is Status.UNSUPPORTED


def test_an_event_of_the_model_alone_is_unsupported_on_every_pmu(graviton2, no_pmu):
    for machine in (graviton2, no_pmu):
        refused = machine.resolve("model_atomic")
        assert refused.status is Status.UNSUPPORTED
        assert "the modelled core alone tells it" in refused.reason


def test_on_x86_the_generic_events_stand_for_arms(x86):
    assert x86.resolve("inst_retired") == EventTarget("inst_retired", ((0, 1),))
    assert "x86" in x86.resolve("stall_slot").reason


def test_without_a_pmu_every_core_event_is_refused_with_that_reason(no_pmu):
    refused = no_pmu.resolve("cpu_cycles")
    assert refused.status is Status.UNSUPPORTED
    assert refused.reason == "no PMU: this aarch64 virtual machine shows its programs no hardware counters"
    assert refused.remedy


def test_without_a_pmu_there_is_no_budget_and_that_is_what_is_missing(no_pmu):
    assert no_pmu.budget() == no_pmu.missing() == no_pmu.no_pmu()


@pytest.mark.parametrize("name", sorted(SOFTWARE))
def test_software_events_need_no_pmu(no_pmu, name):
    target = no_pmu.resolve(name)
    assert target.is_software
    assert target.unit == ("ns" if name.endswith("clock") else "")


def test_every_software_event_that_has_a_name_can_be_opened_or_is_a_clock_of_perf():
    assert set(SOFTWARE) | MEASURED_BY_PERF == set(SOFTWARE_NAMES)


@pytest.mark.parametrize("name", ["context_switches", "cpu_migrations", "cgroup_switches"])
def test_what_the_kernel_does_is_counted_in_kernel_mode(no_pmu, name):
    assert no_pmu.resolve(name).kernel


def test_a_clock_of_perf_is_no_event(no_pmu):
    assert no_pmu.resolve("duration_time").status is Status.UNSUPPORTED


def test_a_name_that_means_nothing_is_an_error_with_what_comes_close(graviton2):
    with pytest.raises(ArmprofError, match=r"unknown event 'cpu_cycels'.*did you mean cpu_cycles"):
        graviton2.resolve("cpu_cycels")


@pytest.mark.parametrize("kind", ["graviton2", "qemu", "rk3588", "x86", "no_pmu"])
def test_by_default_each_metric_has_its_events_once_and_the_software_events_follow(kind, request):
    events = request.getfixturevalue(kind).default_events()
    assert len(events) == len(WANTED) + len(WANTED_SOFTWARE) == len(set(events))
    assert tuple(events[-len(WANTED_SOFTWARE) :]) == WANTED_SOFTWARE
    for event, choice in zip(events, WANTED, strict=False):
        assert event in choice


def test_by_default_the_first_choice_that_the_core_has_is_counted(graviton2, x86, rk3588):
    assert "dtlb_walk" in graviton2.default_events()
    assert "l1d_tlb_refill" in x86.default_events()  # perf has no generic event for walks
    assert "br_mis_pred_retired" in graviton2.default_events()
    little, big = rk3588.host.pmus
    for event in rk3588.default_events()[: len(WANTED)]:
        choice = next(c for c in WANTED if event in c)
        on_both = [e for e in choice if little.has(e) and big.has(e)]
        assert event == (on_both[0] if on_both else choice[0])


def test_the_table_of_the_core_is_named_where_it_is_known_and_single(graviton2, rk3588, x86, no_pmu):
    assert graviton2.core_name == "neoverse-n1"
    assert rk3588.core_name is None
    assert x86.core_name is None
    assert no_pmu.core_name is None


def test_the_budget_of_several_pmus_is_the_smallest(rk3588):
    little, big = rk3588.host.pmus
    rk3588._budgets = {little.type: Capacity(6, True), big.type: Capacity(4, True)}
    assert rk3588.budget() == Capacity(4, True)
    assert rk3588.missing() is None


def test_a_pmu_that_counts_nothing_does_not_hide_one_that_counts(rk3588):
    little, big = rk3588.host.pmus
    busy = Refusal(Status.NOT_COUNTED, "another user holds it")
    rk3588._budgets = {little.type: busy, big.type: Capacity(6, True)}
    assert rk3588.budget() == Capacity(6, True)
    rk3588._budgets = {little.type: busy, big.type: busy}
    assert rk3588.missing() == busy


def test_names_become_canonical_once_each_and_in_order():
    assert canonical_events(["instructions", "cycles", "inst_retired", "cs"]) == [
        "inst_retired",
        "cpu_cycles",
        "context_switches",
    ]


def test_any_collection_of_names_will_do():
    assert canonical_events(("cycles",)) == canonical_events({"cycles": 1}) == canonical_events(iter(["cycles"]))


@pytest.mark.parametrize("events", ["cycles", "cycles,instructions", 5])
def test_what_is_no_list_of_names_is_refused(events):
    with pytest.raises(ArmprofError, match="as a list of names"):
        canonical_events(events)


@pytest.mark.parametrize("event", [None, 17, b"cycles", ["cycles"]])
def test_what_is_no_name_is_refused(event):
    with pytest.raises(ArmprofError, match="by its name"):
        canonical_events([event])
