"""armprof events lists what a core has, and what of it counts on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import cpu_machines as machines
import pytest
from contract import described

from armprof import cpu
from armprof.commands import events
from armprof.cpu.detect import host as read_host
from armprof.errors import ArmprofError

ListEvents = Callable[..., tuple[str, str]]


@pytest.fixture
def list_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> ListEvents:
    """What the verb prints on a machine: (data on stdout, words on stderr)."""

    def run(machine: Callable[[Path], Path], *words: str) -> tuple[str, str]:
        host = read_host(machine(tmp_path))
        monkeypatch.setattr(cpu, "host", lambda: host)
        parser = argparse.ArgumentParser()
        events.prepare(parser)
        assert events.run(parser.parse_args(words)) == 0
        captured = capsys.readouterr()
        return captured.out, captured.err

    return run


def listed(answer: str) -> dict[str, list[str]]:
    """The rows of plain text by event: code, mark, title."""
    rows = (line.split(maxsplit=3) for line in answer.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1:] for row in rows}


def test_on_metal_the_core_s_events_are_listed_with_codes(list_events: ListEvents) -> None:
    out, err = list_events(machines.graviton2_metal)
    assert err == ""
    assert out.startswith("# Neoverse N1 (armv8_pmuv3_0): 110 events, 109 can be counted here\n")
    rows = listed(out)
    assert rows["l1d_cache_refill"] == ["0x0003", "yes", "L1 data cache refills: accesses that missed"]
    assert rows["chain"][1] == "no"
    assert "page_faults" in out


def test_a_small_guest_says_which_events_it_hides_and_why(list_events: ListEvents) -> None:
    out, _ = list_events(machines.ec2_small_guest)
    rows = listed(out)
    assert rows["ll_cache_miss_rd"][1] == "no"
    assert rows["l2d_cache_refill"][1] == "yes"
    assert rows["l2d_cache_refill_rd"][1] == "?"
    assert "perhaps: sysfs is silent on these, and the PMU hides other events of the core" in out
    assert "# 5 not here: Neoverse V1 has it, but the guest or the kernel hides it: not in sysfs" in out


def test_big_little_lists_each_kind_of_core(list_events: ListEvents) -> None:
    out, _ = list_events(machines.rk3588, "stall_*")
    assert "# Cortex-A55 (armv8_cortex_a55): 14 events, 14 can be counted here" in out
    assert "# Cortex-A76 (armv8_cortex_a76): 2 events, 2 can be counted here" in out


def test_a_named_core_can_be_listed_anywhere(list_events: ListEvents) -> None:
    out, err = list_events(machines.x86, "--core", "ampereone-ac03", "tlb")
    assert err == "This machine has no PMU of AmpereOne (AC03), so nothing is said of counting them here.\n"
    assert listed(out)["stall_frontend_tlb"][:2] == ["0xd20c", "-"]


def test_the_named_core_of_this_machine_is_judged(list_events: ListEvents) -> None:
    out, err = list_events(machines.graviton2_metal, "--core", "neoverse-n1", "l2d_cache_refill")
    assert err == ""
    assert listed(out)["l2d_cache_refill"][1] == "yes"


def test_errata_stand_beside_the_events_that_they_touch(list_events: ListEvents) -> None:
    out, _ = list_events(machines.x86, "--core", "neoverse-n2", "stall_slot")
    assert listed(out)["stall_slot"][2].endswith("(counts wrongly: erratum SDEN1982442)")
    out, _ = list_events(machines.x86, "--core", "neoverse-n2-r0p3", "stall_slot")
    assert "erratum" not in out


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("l3d", {"l3d_cache_allocate", "l3d_cache_refill", "l3d_cache", "l3d_cache_rd"}),
        ("L3D_CACHE_R*", {"l3d_cache_refill", "l3d_cache_rd"}),
        ("cache-misses", {"l1d_cache_refill"}),
        ("0x22", {"br_mis_pred_retired"}),
        ("r22", {"br_mis_pred_retired"}),
    ],
)
def test_a_pattern_is_part_of_a_name_a_wildcard_an_alias_or_a_code(
    list_events: ListEvents, pattern: str, found: set[str]
) -> None:
    out, _ = list_events(machines.graviton2_metal, "--core", "neoverse-n1", pattern)
    assert set(listed(out)) == found


def test_a_pattern_without_match_is_refused_in_one_line(list_events: ListEvents) -> None:
    with pytest.raises(ArmprofError, match=r"\Ano event matches 'l9' in the list of Neoverse N1\Z"):
        list_events(machines.graviton2_metal, "--core", "neoverse-n1", "l9")


def test_an_unknown_core_is_refused(list_events: ListEvents) -> None:
    with pytest.raises(ArmprofError, match="unknown core 'neoverse-n9'"):
        list_events(machines.graviton2_metal, "--core", "neoverse-n9")


def test_an_x86_guest_without_pmu_offers_software_events(list_events: ListEvents) -> None:
    out, err = list_events(machines.x86)
    assert err.count("\n") == 1
    assert err.startswith("This is x86_64, not an ARM64 core: there is no PMU, so only software events can be")
    assert "armprof events --core NAME" in err
    assert "page_faults" in out
    assert "cpu_cycles" not in out
    assert "duration_time" not in out, "perf's own clock: no counter can be opened for it"


def test_an_x86_with_pmu_offers_generic_events(list_events: ListEvents) -> None:
    out, err = list_events(lambda root: machines.x86(root, machines.x86_pmu()))
    assert "perf's generic events and software events" in err
    assert "17 events, 0 can be counted here, 17 perhaps" in out
    assert listed(out)["cpu_cycles"][0] == "?"
    assert "0x0011" not in out, "a code of ARM64 means something else here"


def test_an_arm64_guest_without_pmu_counts_none_of_its_core_s_events(list_events: ListEvents) -> None:
    out, err = list_events(machines.guest_without_pmu)
    assert "# Neoverse N1: 110 events, 0 can be counted here" in out
    assert "armprof doctor" in err


def test_a_forbidding_setting_is_said_before_the_list(list_events: ListEvents) -> None:
    _, err = list_events(machines.qemu_guest)
    assert err == "The kernel's settings let you count none of these at present; see `armprof doctor`.\n"


def test_json_holds_every_event_with_its_reason(list_events: ListEvents) -> None:
    out, err = list_events(machines.ec2_small_guest, "--format", "json")
    assert err == ""
    answer = described(out, "report/events")
    core, software, modelled = answer["lists"]
    by_name = {e["name"]: e for e in core["events"]}
    assert len(by_name) == 132
    assert by_name["cpu_cycles"]["countable"] is True
    assert by_name["ll_cache_rd"]["countable"] is False
    assert "hides" in by_name["ll_cache_rd"]["reason"]
    assert by_name["cpu_cycles"]["doubt"] == ""
    assert by_name["ld_spec"]["doubt"]
    assert {e["kind"] for e in software["events"]} == {"software"}
    assert {e["kind"] for e in modelled["events"]} == {"modelled"}


def test_json_of_another_core_says_nothing_of_this_machine(list_events: ListEvents) -> None:
    answer = described(list_events(machines.x86, "--core", "neoverse-v2", "--format", "json")[0], "report/events")
    assert {e["countable"] for e in answer["lists"][0]["events"]} == {None}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_a_table_fits_its_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = read_host(machines.graviton2_metal(tmp_path))
    monkeypatch.setattr(cpu, "host", lambda: host)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    parser = argparse.ArgumentParser()
    events.prepare(parser)
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert events.run(parser.parse_args(["l2d_cache_refill*"])) == 0
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert "\x1b[" in shown, "a table with styles"
    assert "l2d_cache_refill_rd" in shown
