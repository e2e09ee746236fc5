"""armprof doctor says what was tried, what limits counting and how to change it, and never fails."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cpu_machines as machines
import pytest
from contract import described

from armprof import cpu
from armprof.commands import doctor
from armprof.counters.probe import Probe
from armprof.cpu.detect import host as read_host
from armprof.errors import CannotCount

SOFTWARE = Probe("software events", True, "task_clock, page_faults")
COUNTERS = Probe("hardware counters", True, "6 at once, and the cycle counter")
NO_USER_READS = Probe(
    "user reads", False, reason="kernel.perf_user_access is 0", remedy="sudo sysctl kernel.perf_user_access=1"
)

NO_MODULE = CannotCount("the native module is missing", "python -m pip install .")

Examine = Callable[..., str]


def answer(tried: Sequence[Probe] | CannotCount) -> list[Probe]:
    if isinstance(tried, CannotCount):
        raise tried
    return list(tried)


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Examine:
    """What doctor prints on a machine where these things were tried."""

    def run(machine: Callable[[Path], Path], tried: Sequence[Probe] | CannotCount, form: str = "text") -> str:
        host = read_host(machine(tmp_path))
        monkeypatch.setattr(cpu, "host", lambda: host)
        monkeypatch.setattr(doctor, "probe", lambda: answer(tried))
        parser = argparse.ArgumentParser()
        doctor.prepare(parser)
        assert doctor.run(parser.parse_args(["--format", form])) == 0
        return capsys.readouterr().out

    return run


def test_text_shows_machine_trials_and_limits(examine: Examine) -> None:
    lines = examine(machines.ec2_small_guest, [SOFTWARE, COUNTERS, NO_USER_READS]).splitlines()
    assert lines[0].startswith("machine   aarch64: 4 x Neoverse V1 r1p1, Linux 6.8.0, Amazon EC2 m7g.xlarge")
    assert "  yes  hardware counters: 6 at once, and the cycle counter" in lines
    assert "  no   user reads: kernel.perf_user_access is 0" in lines
    assert "settings  perf_event_paranoid 2, perf_user_access 0, CAP_PERFMON no" in lines
    assert any(line.startswith("  1. ") for line in lines)


def with_spe(root: Path) -> Path:
    return machines.write(machines.graviton2_metal(root), {f"{machines.DEVICES}/arm_spe_0/type": "10"})


def said_of_spe(answer: str) -> str:
    """Its lines, in one."""
    rows = answer.splitlines()
    at = next(n for n, row in enumerate(rows) if row.startswith("SPE"))
    return " ".join(
        row.strip() for row in rows[at : next(n for n, row in enumerate(rows) if row.startswith("settings"))]
    )


def test_the_sampling_of_the_core_itself_is_found(examine: Examine) -> None:
    assert said_of_spe(examine(with_spe, [COUNTERS])).startswith("SPE       arm_spe_0: the kernel has it")


@pytest.mark.parametrize(
    ("machine", "reason"),
    [(machines.ec2_small_guest, "virtual machine"), (machines.graviton2_metal, "modprobe arm_spe_pmu")],
)
def test_without_it_the_reason_is_told(examine: Examine, machine: Callable[[Path], Path], reason: str) -> None:
    told = said_of_spe(examine(machine, [COUNTERS]))
    assert told.startswith("SPE       none: ")
    assert reason in told


def test_of_other_architectures_nothing_is_said_of_it(examine: Examine) -> None:
    assert "SPE" not in examine(machines.x86, [COUNTERS])


def test_the_same_remedy_is_said_once(examine: Examine) -> None:
    answer = examine(machines.graviton2_metal, [SOFTWARE, COUNTERS, NO_USER_READS])
    assert answer.count("sudo sysctl kernel.perf_user_access=1") == 1


def test_a_remedy_that_the_settings_do_not_tell_stands_beside_its_trial(examine: Examine) -> None:
    busy = Probe("hardware counters", False, reason="another user holds the PMU", remedy="stop perf")
    assert "  no   hardware counters: another user holds the PMU\n       -> stop perf\n" in examine(
        machines.graviton2_metal, [SOFTWARE, busy]
    )


def test_prose_fits_80_columns_and_commands_stay_whole(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = examine(machines.rk3588, [SOFTWARE, COUNTERS, NO_USER_READS]).splitlines()
    assert all(len(line) <= 80 for line in lines if "->" not in line)
    assert "     -> taskset -c 4-7 COMMAND" in lines


def test_where_everything_works_nothing_limits(examine: Examine) -> None:
    def free(root: Path) -> Path:
        pmu = machines.core_pmu("armv8_pmuv3_0", 8, "0", machines.announced_by("neoverse-n1"))
        return machines.write(root, machines.arm64({0: machines.NEOVERSE_N1}, paranoid=1, user=1) | pmu)

    assert examine(free, [SOFTWARE, COUNTERS]).endswith("\nThe machine's settings put no limit on counting.\n")


@pytest.mark.parametrize("machine", [machines.x86, machines.rk3588, machines.qemu_guest, machines.guest_without_pmu])
def test_json_says_the_same_for_programs(examine: Examine, machine: Callable[[Path], Path]) -> None:
    answer = described(examine(machine, [SOFTWARE, NO_USER_READS], "json"), "report/doctor")
    assert answer["memory"] is None
    assert answer["tried"][0] == {
        "what": "software events",
        "ok": True,
        "detail": "task_clock, page_faults",
        "reason": "",
        "remedy": "",
    }
    assert all(limit["why"] for limit in answer["limits"])


def test_json_tells_pmus_apart(examine: Examine) -> None:
    answer = json.loads(examine(machines.rk3588, [SOFTWARE], "json"))
    assert [(p["name"], p["cpus"], p["core"]) for p in answer["pmus"]] == [
        ("armv8_cortex_a55", "0-3", "cortex-a55"),
        ("armv8_cortex_a76", "4-7", "cortex-a76"),
    ]
    assert answer["machine"]["perf_user_access"] == 0


def test_without_the_native_module_nothing_is_tried_and_that_is_said(examine: Examine) -> None:
    answer = examine(machines.graviton2_metal, NO_MODULE)
    assert "  no   counters: nothing was tried: the native module is missing\n" in answer
    assert "       -> python -m pip install .\n" in answer


def test_a_setting_is_believed_where_nothing_was_tried_and_not_against_the_trial(examine: Examine) -> None:
    forbids = "kernel.perf_event_paranoid is 3: without CAP_PERFMON nothing may be counted"
    assert forbids in " ".join(examine(machines.qemu_guest, NO_MODULE).split())
    assert forbids not in " ".join(examine(machines.qemu_guest, [SOFTWARE]).split())


def test_doctor_really_tries_on_this_machine() -> None:
    tried, opens = doctor.try_counters()
    assert tried
    assert opens in (None, any(p.ok for p in tried))
    for one in tried:
        assert one.what
        assert one.detail if one.ok else one.reason
