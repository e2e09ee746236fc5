"""What a machine's sysfs and procfs tell of its PMUs, and how little broken files matter."""

from __future__ import annotations

import os
from pathlib import Path

import cpu_machines as machines
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armprof import cpu
from armprof.cpu import pmu
from armprof.cpu.sysfs import parse_cpus


def test_graviton2_metal(tmp_path: Path) -> None:
    host = cpu.host(machines.graviton2_metal(tmp_path))
    assert (host.arch, host.cpus, host.virtual) == ("aarch64", 64, False)
    (found,) = host.pmus
    assert (found.name, found.type, found.core.name, len(found.cpus)) == (
        "armv8_pmuv3_0",
        8,
        "neoverse-n1",
        64,
    )
    assert found.has("ll_cache_miss_rd")
    assert found.has("l1d_cache_refill_rd")
    assert found.attr("l1d_cache_refill_rd") == (8, 0x42)
    assert not found.has("stall_slot")
    assert found.why_not("stall_slot") == "Neoverse N1 does not have it: not in sysfs"


def test_small_ec2_guest_hides_events_that_the_core_has(tmp_path: Path) -> None:
    host = cpu.host(machines.ec2_small_guest(tmp_path))
    assert host.virtual is True
    assert host.virtual_because == "EC2 instance type m7g.xlarge"
    (found,) = host.pmus
    assert found.has("l2d_cache_refill")
    for hidden in ("ll_cache_rd", "ll_cache_miss_rd", "l3d_cache", "l3d_cache_rd", "r37"):
        assert "the guest or the kernel hides" in str(found.why_not(hidden))
        assert found.attr(hidden) is None


def test_slots_come_from_the_core_where_the_guest_says_zero(tmp_path: Path) -> None:
    (found,) = cpu.host(machines.ec2_small_guest(tmp_path)).pmus
    assert (found.caps_slots, found.slots) == (0, 8)


def test_slots_come_from_the_pmu_where_no_specification_gives_them(tmp_path: Path) -> None:
    midr, events = {0: 0xC00FAC30}, machines.announced_by("ampereone-ac03")
    files = machines.arm64(midr) | machines.core_pmu("armv8_pmuv3_0", 8, "0", events, slots="0x00000004")
    (found,) = cpu.host(machines.write(tmp_path, files)).pmus
    assert found.slots == 4
    assert found.attr("stall_backend_tlb") == (8, 0xD20E)


def test_zero_slots_without_a_specification_are_unknown(tmp_path: Path) -> None:
    pmu_files = machines.core_pmu("armv8_pmuv3_0", 8, "0", {}, slots="0x00000000")
    host = cpu.host(machines.write(tmp_path, machines.arm64({0: 0xC00FAC30}) | pmu_files))
    assert host.pmus[0].slots is None


@pytest.mark.parametrize("name", ["armv8_pmuv3_0", "armv8_pmuv3", "armv8_cortex_a76", "some_other_name"])
def test_a_pmu_is_found_under_any_name(tmp_path: Path, name: str) -> None:
    files = machines.arm64({0: machines.CORTEX_A76}) | machines.core_pmu(name, 8, "0", {"cpu_cycles": 0x11})
    (found,) = cpu.host(machines.write(tmp_path, files)).pmus
    assert (found.name, found.core.name) == (name, "cortex-a76")


def test_a_big_little_machine_has_a_pmu_for_each_kind_of_core(tmp_path: Path) -> None:
    host = cpu.host(machines.rk3588(tmp_path))
    assert [(p.name, p.type, p.cpus, p.core.name) for p in host.pmus] == [
        ("armv8_cortex_a55", 9, (0, 1, 2, 3), "cortex-a55"),
        ("armv8_cortex_a76", 8, (4, 5, 6, 7), "cortex-a76"),
    ]
    assert host.cores == {"Cortex-A55 r2p0": (0, 1, 2, 3), "Cortex-A76 r4p0": (4, 5, 6, 7)}
    assert host.describe() == (
        "aarch64: 4 x Cortex-A55 r2p0, 4 x Cortex-A76 r4p0, Linux 6.8.0, Radxa ROCK 5B, "
        "PMU armv8_cortex_a55 + armv8_cortex_a76"
    )


def test_cluster_mesh_and_sampling_pmus_are_not_core_pmus(tmp_path: Path) -> None:
    assert [p.name for p in cpu.host(machines.altra(tmp_path)).pmus] == ["armv8_pmuv3_0"]


def test_a_device_trees_name_tells_the_core_where_no_midr_does(tmp_path: Path) -> None:
    files = machines.arm64({}) | machines.core_pmu("armv8_cortex_a72", 8, "0-3", {"cpu_cycles": 0x11})
    host = cpu.host(machines.write(tmp_path, files))
    assert host.pmus[0].core.name == "cortex-a72"
    assert host.core is None


def test_midr_comes_from_cpuinfo_where_sysfs_hides_it(tmp_path: Path) -> None:
    fields = "CPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n"
    info = {"proc/cpuinfo": f"processor\t: 0\n{fields}\nprocessor\t: 1\n{fields}"}
    host = cpu.host(machines.write(tmp_path, info))
    assert (host.arch, host.cpus, host.cores) == ("aarch64", 2, {"Neoverse N1 r3p1": (0, 1)})
    assert host.core is not None
    assert host.core.revision == "r3p1"


def test_a_guest_without_pmu_still_knows_its_core(tmp_path: Path) -> None:
    host = cpu.host(machines.guest_without_pmu(tmp_path))
    assert host.pmus == ()
    assert host.core is not None
    assert host.core.name == "neoverse-n1"
    assert (host.virtual, host.virtual_because) == (True, "device tree of QEMU's virt machine")
    assert host.describe() == ("aarch64: 2 x Neoverse N1 r3p1, Linux 6.8.0, linux,dummy-virt, virtual machine, no PMU")


def test_an_emulated_core_without_caches_counts_none_of_their_events(tmp_path: Path) -> None:
    (found,) = cpu.host(machines.qemu_guest(tmp_path)).pmus
    assert found.has("inst_retired")
    for hidden in ("l1d_cache", "l1d_cache_refill", "l2d_cache", "br_mis_pred", "dtlb_walk"):
        assert not found.has(hidden)
    # PMCEID says nothing of these, but they are parts of what it hides
    for part in ("l1d_cache_rd", "l1d_cache_refill_wr", "l2d_cache_wb_clean", "ld_spec", "exc_svc"):
        assert not found.has(part)


def test_a_pmu_that_hides_events_leaves_a_doubt_on_those_it_says_nothing_of(tmp_path: Path) -> None:
    (whole,) = cpu.host(machines.graviton2_metal(tmp_path / "metal")).pmus
    assert whole.hidden == ()
    assert whole.doubt("l2d_cache_refill_rd") is None
    (part,) = cpu.host(machines.ec2_small_guest(tmp_path / "guest")).pmus
    assert part.hidden[-2:] == ("ll_cache_rd", "ll_cache_miss_rd")
    assert part.has("l2d_cache_refill_rd")
    assert "a 0 may mean not counted" in str(part.doubt("l2d_cache_refill_rd"))
    assert part.doubt("l2d_cache_refill") is None


def test_an_unknown_core_counts_what_its_pmu_announces_and_no_more(tmp_path: Path) -> None:
    (found,) = cpu.host(machines.qemu_guest(tmp_path, machines.QEMU_MAX)).pmus
    assert not found.core.known
    assert found.attr("stall_backend") == (8, 0x24)
    for absent in ("l1d_cache", "l1d_cache_rd", "stall", "r108", "imp_ct_flush", "sve_inst_spec"):
        assert not found.has(absent)


def test_chain_is_never_countable(tmp_path: Path) -> None:
    (found,) = cpu.host(machines.graviton2_metal(tmp_path)).pmus
    assert "cannot be opened by itself" in str(found.why_not("chain"))


def test_implementation_defined_codes_belong_to_their_core(tmp_path: Path) -> None:
    def pmu_of(folder: str, midr: int, core: str) -> cpu.Pmu:
        files = machines.core_pmu("armv8_pmuv3_0", 8, "0", machines.announced_by(core))
        return cpu.host(machines.write(tmp_path / folder, machines.arm64({0: midr}) | files)).pmus[0]

    v3, ac03 = pmu_of("v3", 0x410FD840, "neoverse-v3"), pmu_of("ac03", 0xC00FAC30, "ampereone-ac03")
    assert v3.attr("imp_ct_flush") == ac03.attr("gpc_flush") == (8, 0x120)
    assert not v3.has("gpc_flush")
    assert not ac03.has("imp_ct_flush")
    assert v3.has("r108")  # L2 refills for fetches, on this core
    assert not ac03.has("r108")


def test_an_x86_pmu_needs_no_cpus_file(tmp_path: Path) -> None:
    host = cpu.host(machines.x86(tmp_path, machines.x86_pmu()))
    (found,) = host.pmus
    assert (found.name, found.type, found.cpus) == ("cpu", 4, (0,))
    assert found.events == {"cpu-cycles": 0x3C, "cache-misses": 0x412E}
    assert found.attr("cpu_cycles") == (pmu.PERF_TYPE_HARDWARE, 0)
    assert found.attr("l1d_cache_refill") == (pmu.PERF_TYPE_HW_CACHE, 1 << 16)
    assert not found.has("stall_slot")
    assert host.core is None


def test_a_hybrid_x86_has_two_pmus_and_says_whose_event_is_meant(tmp_path: Path) -> None:
    files = machines.x86_pmu("cpu_core", 4, "0-3") | machines.x86_pmu("cpu_atom", 10, "4-7")
    host = cpu.host(machines.x86(tmp_path, files))
    assert [(p.name, p.cpus) for p in host.pmus] == [("cpu_core", (0, 1, 2, 3)), ("cpu_atom", (4, 5, 6, 7))]
    assert host.pmus[1].attr("inst_retired") == (pmu.PERF_TYPE_HARDWARE, 10 << 32 | 1)


def test_an_x86_guest_without_pmu(tmp_path: Path) -> None:
    host = cpu.host(machines.x86(tmp_path))
    assert host.pmus == ()
    assert host.perf_user_access is None
    assert (host.virtual, host.perfmon, host.seccomp) == (True, True, False)
    assert host.describe() == "x86_64: 1 CPU, Linux 6.12.0, Some Processor, virtual machine, no PMU"


@pytest.mark.parametrize(
    ("vendor", "product", "virtual"),
    [
        ("Amazon EC2", "c7g.metal", False),
        ("Amazon EC2", "c8g.metal-24xl", False),
        ("Amazon EC2", "c8g.large", True),
        ("Microsoft Corporation", "Virtual Machine", True),
        ("Google", "Google Compute Engine", True),
        ("Alibaba Cloud", "Alibaba Cloud ECS", True),
        ("GIGABYTE", "G242-P32-QZ", None),  # says nothing of what runs on it
        ("", "", None),
    ],
)
def test_the_firmware_tells_machines_from_guests(
    tmp_path: Path, vendor: str, product: str, virtual: bool | None
) -> None:
    dmi = {"sys/class/dmi/id/sys_vendor": vendor, "sys/class/dmi/id/product_name": product}
    root = machines.write(tmp_path, machines.arm64({0: machines.NEOVERSE_N1}) | dmi)
    assert cpu.host(root).virtual is virtual


@pytest.mark.parametrize(
    ("caps", "perfmon"),
    [("0000004000000000", True), ("0000000000200000", True), ("00000000a80425fb", False), ("what", None)],
)
def test_capabilities_are_those_of_this_process(tmp_path: Path, caps: str, perfmon: bool | None) -> None:
    files = {"proc/self/status": f"CapEff:\t{caps}\nSeccomp:\t2\n", ".dockerenv": ""}
    host = cpu.host(machines.write(tmp_path, machines.arm64({}) | files))
    assert (host.perfmon, host.seccomp, host.container) == (perfmon, True, "docker")


def test_an_empty_tree_is_a_machine_of_which_nothing_is_known(tmp_path: Path) -> None:
    host = cpu.host(tmp_path)
    assert (host.kernel, host.cpus, host.model, host.pmus, host.virtual) == ("unknown", 1, "", (), None)
    assert (host.perf_event_paranoid, host.perf_user_access, host.seccomp, host.perfmon) == (None,) * 4
    assert host.describe()


def test_this_machine_can_be_described() -> None:
    host = cpu.host()
    assert host.kernel == os.uname().release
    assert host.arch == os.uname().machine
    assert host.describe()


SMALL = (
    machines.arm64({0: machines.NEOVERSE_N1})
    | machines.core_pmu("armv8_pmuv3_0", 8, "0-3", {"cpu_cycles": 0x11, "stall": 0x3C}, slots="0x8")
    | machines.ec2("m6g.large")
    | {"proc/cpuinfo": "", "proc/device-tree/model": "", "sys/hypervisor/type": ""}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(SMALL)), st.binary(max_size=80), min_size=1))
def test_broken_files_make_facts_unknown_and_never_raise(
    tmp_path_factory: pytest.TempPathFactory, broken: dict[str, bytes]
) -> None:
    root = machines.write(tmp_path_factory.mktemp("broken"), SMALL)
    for name, content in broken.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    host = cpu.host(root)
    assert "\n" not in host.describe()
    for found in host.pmus:
        assert found.has("cpu_cycles") in (True, False)


def test_folders_in_place_of_files_are_unknown_too(tmp_path: Path) -> None:
    for name in SMALL:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    assert cpu.host(tmp_path).describe()


@pytest.mark.parametrize(
    ("listed", "cpus"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("0", (0,)),
        ("0-1,4,6-7\n", (0, 1, 4, 6, 7)),
        ("", ()),
        ("3-1", ()),
        ("x,2", (2,)),
    ],
)
def test_cpu_lists(listed: str, cpus: tuple[int, ...]) -> None:
    assert parse_cpus(listed) == cpus
