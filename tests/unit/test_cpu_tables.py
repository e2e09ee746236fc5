"""The tables of events and cores against the published lists, and against themselves."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from armprof import cpu
from armprof.errors import ArmprofError

# The number of events that each core's published list has, and encodings picked from it by hand.
GOLDEN = {
    "cortex-a53": (34, {"inst_retired": 0x08, "pc_write_retired": 0x0C, "exc_fiq": 0x87}),
    "cortex-a55": (111, {"stall_frontend_tlb": 0xE2, "stall_backend_st": 0xE8, "ll_cache_rd": 0x36}),
    "cortex-a57": (84, {"bus_access_periph": 0x65, "ldst_spec": 0x72}),
    "cortex-a72": (84, {"bus_access_shared": 0x62, "l1d_cache_refill_rd": 0x42, "rc_st_spec": 0x91}),
    "cortex-a76": (107, {"l1d_tlb": 0x25, "ll_cache_miss_rd": 0x37, "l3d_cache_rd": 0xA0}),
    "neoverse-n1": (110, {"stall_frontend": 0x23, "dtlb_walk": 0x34, "sample_pop": 0x4000}),
    "neoverse-v1": (132, {"stall_slot": 0x3F, "op_spec": 0x3B, "sve_inst_spec": 0x8006}),
    "neoverse-n2": (155, {"stall_slot_frontend": 0x3E, "fp_hp_spec": 0x8014, "trcextout0": 0x4010}),
    "neoverse-v2": (155, {"stall_backend_mem": 0x4005, "fp_scale_ops_spec": 0x80C0}),
    "neoverse-n3": (224, {"imp_ct_flush_mem": 0x121, "ll_cache": 0x32, "cas_near_pass": 0x8171}),
    "neoverse-v3": (
        253,
        {"imp_ct_flush_mem_hazard": 0x121, "imp_l2_cache_refill_if": 0x108, "stall_frontend_flush": 0x8162},
    ),
    "ampereone-ac03": (
        214,
        {
            "stall_frontend_tlb": 0xD20C,
            "stall_backend_tlb": 0xD20E,
            "gpc_flush": 0x120,
            "bpu_btb_update": 0x11C,
        },
    ),
    "ampereone-ac04": (
        265,
        {"stall_frontend_tlb": 0x815C, "stall_backend_tlb": 0x8167, "gpc_flush_mem_fault": 0x121},
    ),
}
MATRIX_COLUMNS = {
    "A53": "cortex-a53",
    "A72": "cortex-a72",
    "A76": "cortex-a76",
    "N1": "neoverse-n1",
    "V1": "neoverse-v1",
    "N2": "neoverse-n2",
    "V2": "neoverse-v2",
    "N3": "neoverse-n3",
    "V3": "neoverse-v3",
}


@pytest.mark.parametrize("name", cpu.core_names())
def test_a_core_has_the_events_of_its_published_list(name: str) -> None:
    number, encodings = GOLDEN[name]
    core = cpu.core(name)
    assert len(core.events) == number
    assert {event: core.code(event) for event in encodings} == encodings


@pytest.fixture(scope="module")
def matrix() -> dict[str, set[tuple[str, int]]]:
    folder = os.environ.get("ARMPROF_FIELD_DATA")
    if not folder:
        pytest.skip("ARMPROF_FIELD_DATA is not set: no matrix of published events to compare with")
    path = Path(folder).parent / "reference/arm64-event-matrix.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside ARMPROF_FIELD_DATA to compare with")
    columns: dict[str, set[tuple[str, int]]] = {}
    for line in path.read_text().splitlines():
        code, event, *cores = line.split()
        for core in cores:
            columns.setdefault(core, set()).add((event.lower(), int(code, 16)))
    return columns


@pytest.mark.parametrize("column", MATRIX_COLUMNS)
def test_every_encoding_agrees_with_the_matrix(matrix: dict[str, set[tuple[str, int]]], column: str) -> None:
    core = cpu.core(MATRIX_COLUMNS[column])
    assert {(name, core.code(name)) for name in core.events} == matrix[column]


@pytest.mark.parametrize("name", cpu.core_names())
def test_every_event_of_a_core_has_a_code_and_a_title(name: str) -> None:
    core = cpu.core(name)
    for event in map(core.event, core.events):
        assert event is not None
        assert event.code is not None
        assert event.title


@pytest.mark.parametrize("name", cpu.core_names())
def test_no_code_of_a_core_has_two_names(name: str) -> None:
    core = cpu.core(name)
    assert [code for code, times in Counter(map(core.code, core.events)).items() if times > 1] == []


def test_no_architected_code_has_two_names() -> None:
    codes = Counter(e.code for e in cpu.events().values() if e.kind == "architected")
    assert [code for code, times in codes.items() if times > 1] == []


def test_a_code_means_what_its_core_says() -> None:
    assert cpu.core("neoverse-v3").event_of_code(0x120) != cpu.core("ampereone-ac03").event_of_code(0x120)
    assert cpu.core("neoverse-n1").event_of_code(0x120) is None  # nothing to gate it by


@pytest.mark.parametrize("name", cpu.core_names())
def test_every_group_of_facts_names_its_source(name: str) -> None:
    core = cpu.core(name)
    for facts in ("slots", "counters", "mispredict_cycles", "caches", "tlbs", "load_cycles", "pipeline", "events"):
        assert not getattr(core, facts) or core.sources[facts]
    assert core.sources["midr"]


@pytest.mark.parametrize("name", cpu.core_names())
def test_a_core_has_slots_only_beside_events_that_count_them(name: str) -> None:
    core = cpu.core(name)
    assert core.slots is None or core.has("stall_slot")


@pytest.mark.parametrize("name", cpu.core_names())
def test_errata_name_events_that_the_core_has(name: str) -> None:
    core = cpu.core(name)
    assert all(core.has(event) for erratum in core.errata for event in erratum.events)


@pytest.mark.parametrize(
    ("midr", "name", "revision"),
    [
        (0x413FD0C1, "neoverse-n1", "r3p1"),
        (0x411FD401, "neoverse-v1", "r1p1"),
        (0x410FD490, "neoverse-n2", "r0p0"),
        (0x6D0FD490, "neoverse-n2", "r0p0"),  # Azure Cobalt 100: Microsoft's implementer, the same core
        (0x410FD4F1, "neoverse-v2", "r0p1"),
        (0x410FD8E0, "neoverse-n3", "r0p0"),
        (0x410FD841, "neoverse-v3", "r0p1"),
        (0x410FD831, "neoverse-v3", "r0p1"),  # V3AE
        (0x414FD0B1, "cortex-a76", "r4p1"),
        (0x410FD083, "cortex-a72", "r0p3"),
        (0xC00FAC30, "ampereone-ac03", "r0p0"),
        (0xC00FAC40, "ampereone-ac04", "r0p0"),
    ],
)
def test_a_midr_names_core_and_revision(midr: int, name: str, revision: str) -> None:
    core = cpu.core_for_midr(midr)
    assert (core.name, core.revision, core.known) == (name, revision, True)


def test_an_unknown_core_gets_the_events_that_every_core_has() -> None:
    core = cpu.core_for_midr(0x411FFFF2)
    assert core.title == "unknown ARM64 core (implementer 0x41, part 0xfff)"
    assert not core.known
    assert {"cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "br_mis_pred"} <= core.events
    assert all(core.events <= cpu.core(name).events for name in cpu.core_names())


@pytest.mark.parametrize(
    ("midr", "overcounts"),
    [
        (0x410FD490, True),
        (0x410FD492, True),
        (0x410FD493, False),
        (0x6D0FD490, True),
        (0x6D0FD493, False),
        (0x410FD4F0, False),  # V2 shares the events, not the erratum
    ],
)
def test_neoverse_n2_counts_stall_slots_right_from_r0p3(midr: int, overcounts: bool) -> None:
    core = cpu.core_for_midr(midr)
    assert core.stall_slot_overcounts is overcounts
    assert bool(core.errata_of("stall_slot")) is overcounts


def test_without_a_revision_the_erratum_of_n2_stays_open() -> None:
    assert cpu.core("neoverse-n2").stall_slot_overcounts is None
    assert cpu.core("neoverse-n2").errata_of("stall_slot")
    assert cpu.core("neoverse-n2-r0p3").stall_slot_overcounts is False
    assert cpu.core("neoverse-n2-r0p0").stall_slot_overcounts is True


@pytest.mark.parametrize("name", ["neoverse-n1", "Neoverse-N1", "neoverse_n1", "Neoverse N1"])
def test_a_core_is_found_however_its_name_is_written(name: str) -> None:
    assert cpu.core(name).name == "neoverse-n1"


def test_an_unknown_core_name_is_refused_with_what_was_perhaps_meant() -> None:
    with pytest.raises(ArmprofError, match=r"unknown core 'neovers-n1' \(did you mean neoverse-n1"):
        cpu.core("neovers-n1")
