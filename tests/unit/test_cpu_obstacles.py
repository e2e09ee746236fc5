"""What stands in the way of counting on each kind of machine, and the command that changes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cpu_machines as machines
import pytest

from armprof import cpu
from armprof.cpu.obstacles import forbidden, obstacles
from armprof.cpu.sysfs import format_cpus, parse_cpus


def told(root: Path, opens: bool | None = None) -> str:
    """Every obstacle with its remedy, a line each."""
    return "\n".join(f"{o.why} -> {o.remedy}" for o in obstacles(cpu.host(root), opens))


def arm64_with(root: Path, files: dict[str, str] | None = None, paranoid: int = 2, user: int = 1) -> Path:
    pmu = machines.core_pmu("armv8_pmuv3_0", 8, "0", machines.announced_by("neoverse-n1"))
    basis = machines.arm64({0: machines.NEOVERSE_N1}, paranoid=paranoid, user=user)
    return machines.write(root, basis | pmu | (files or {}))


def test_a_machine_with_everything_allowed_has_no_obstacle(tmp_path: Path) -> None:
    assert told(arm64_with(tmp_path, paranoid=1)) == ""


@pytest.mark.parametrize("paranoid", [3, 4])
def test_debian_and_ubuntu_forbid_counting_altogether(tmp_path: Path, paranoid: int) -> None:
    answer = told(arm64_with(tmp_path, paranoid=paranoid))
    assert answer.startswith(f"kernel.perf_event_paranoid is {paranoid}: without CAP_PERFMON nothing may be")
    assert "-> sudo sysctl kernel.perf_event_paranoid=2" in answer
    assert told(tmp_path, opens=True) == "", "where counters open, the setting does not forbid them"


def test_with_cap_perfmon_paranoid_does_not_matter(tmp_path: Path) -> None:
    status = {"proc/self/status": "CapEff:\t0000004000000000\nSeccomp:\t2\n"}
    host = cpu.host(arm64_with(tmp_path, status, paranoid=4))
    assert forbidden(host) is None
    assert obstacles(host) == []


def test_paranoid_2_counts_user_mode_alone(tmp_path: Path) -> None:
    assert told(arm64_with(tmp_path)) == (
        "kernel.perf_event_paranoid is 2: user mode alone is counted, not the kernel's work. "
        "-> sudo sysctl kernel.perf_event_paranoid=1"
    )


def test_without_perf_events_in_the_kernel_nothing_can_be_counted(tmp_path: Path) -> None:
    root = arm64_with(tmp_path, user=1)
    (root / "proc/sys/kernel/perf_event_paranoid").unlink()
    assert "has no perf events" in told(root).splitlines()[0]


def test_user_reads_are_a_setting_away(tmp_path: Path) -> None:
    assert "-> sudo sysctl kernel.perf_user_access=1" in told(arm64_with(tmp_path, user=0, paranoid=1))


def test_an_old_kernel_knows_no_user_reads(tmp_path: Path) -> None:
    root = arm64_with(tmp_path, paranoid=1)
    (root / "proc/sys/kernel/perf_user_access").unlink()
    assert "Linux 5.17 or newer" in told(root)


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        (".dockerenv", "docker run --cap-add PERFMON"),
        ("run/.containerenv", "podman run --cap-add PERFMON --cap-add SYS_ADMIN"),
        ("var/run/secrets/kubernetes.io/token", 'capabilities: {add: ["PERFMON"]}'),
        ("some/file", "allow perf_event_open in the filter"),
    ],
)
def test_a_container_s_filter_is_named_with_its_own_command(tmp_path: Path, mark: str, command: str) -> None:
    filtered = {"proc/self/status": "CapEff:\t0000000000000000\nSeccomp:\t2\n", mark: ""}
    root = arm64_with(tmp_path, filtered, paranoid=1)
    assert command in told(root)
    assert told(root, opens=True) == "", "a filter that lets the call through is no obstacle"


def test_a_virtual_machine_made_from_a_container_s_image_is_no_container(tmp_path: Path) -> None:
    mark = {".dockerenv": "", "proc/self/mounts": "/dev/vda / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n"}
    assert cpu.host(arm64_with(tmp_path / "vm", mark)).container == ""
    mark["proc/self/mounts"] = "overlay / overlay rw,relatime 0 0\n"
    assert cpu.host(arm64_with(tmp_path / "container", mark)).container == "docker"


def test_in_a_container_settings_are_the_host_s(tmp_path: Path) -> None:
    assert "kernel.perf_user_access=1 (on the container's host)" in told(
        arm64_with(tmp_path, {".dockerenv": ""}, user=0)
    )


@pytest.mark.parametrize("machine", [machines.guest_without_pmu, machines.x86])
def test_a_guest_without_pmu_is_told_how_guests_get_one(tmp_path: Path, machine: Callable[[Path], Path]) -> None:
    answer = told(machine(tmp_path), opens=True)
    assert answer.startswith("This virtual machine (")
    assert "so no hardware event can be counted" in answer
    assert "-cpu host,pmu=on" in answer


def test_bare_metal_without_a_driver_is_told_to_look_at_the_kernel(tmp_path: Path) -> None:
    board = {"sys/class/dmi/id/sys_vendor": "GIGABYTE", "sys/class/dmi/id/product_name": "G242-P32"}
    root = machines.write(tmp_path, machines.arm64({0: machines.NEOVERSE_N1}) | board)
    assert "CONFIG_ARM_PMUV3" in told(root, opens=True)


def test_a_small_ec2_guest_is_told_what_it_lacks_and_which_size_has_it(tmp_path: Path) -> None:
    answer = told(machines.ec2_small_guest(tmp_path), opens=True)
    assert "EC2 gives m7g.xlarge a part of the PMU" in answer
    assert "-> the whole PMU comes with m7g.16xlarge, m7g.metal" in answer
    assert "armv8_pmuv3_0 does not offer 5 events that Neoverse V1 has: l3d_cache_allocate, " in answer


def test_a_large_ec2_guest_has_the_whole_pmu(tmp_path: Path) -> None:
    assert "EC2" not in told(arm64_with(tmp_path, machines.ec2("c7gn.16xlarge")))


def test_an_emulated_pmu_hides_most_events(tmp_path: Path) -> None:
    answer = told(machines.qemu_guest(tmp_path), opens=True)
    assert "armv8_pmuv3 does not offer 41 events that Neoverse N1 has" in answer
    assert "and 33 more" in answer


def test_an_unknown_core_is_counted_by_what_sysfs_lists(tmp_path: Path) -> None:
    answer = told(machines.qemu_guest(tmp_path, machines.QEMU_MAX), opens=True)
    assert "no table of unknown ARM64 core (implementer 0x00, part 0x051)" in answer


def test_on_big_little_a_thread_should_be_kept_on_one_kind_of_core(tmp_path: Path) -> None:
    answer = told(machines.rk3588(tmp_path), opens=True)
    assert "Cortex-A55 on CPUs 0-3; Cortex-A76 on CPUs 4-7" in answer
    assert "-> taskset -c 4-7 COMMAND" in answer


@pytest.mark.parametrize("cpus", [(), (0,), (0, 1, 2), (0, 2, 4), (0, 1, 5, 6, 7, 9)])
def test_cpu_lists_are_written_as_they_are_read(cpus: tuple[int, ...]) -> None:
    assert parse_cpus(format_cpus(cpus)) == cpus
