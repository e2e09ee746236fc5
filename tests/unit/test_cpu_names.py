"""Whatever perf calls an event, it has one canonical name here."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.cpu import canonical, event, events, names, split_label, tables
from armprof.errors import ArmprofError


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("INST_RETIRED", "inst_retired"),
        ("l1d_cache_refill", "l1d_cache_refill"),
        ("armv8_pmuv3_0/l1d_cache/", "l1d_cache"),
        ("armv8_pmuv3_0/L1D_CACHE/u", "l1d_cache"),
        ("armv8_cortex_a76/l1d_cache,long=1/", "l1d_cache"),
        ("armv9_neoverse_n2/stall_slot/", "stall_slot"),
        ("cpu_core/cycles/u", "cpu_cycles"),
        ("cycles:u", "cpu_cycles"),
        ("cycles:ukhH", "cpu_cycles"),
        (" cpu-cycles ", "cpu_cycles"),
        ("instructions", "inst_retired"),
        ("bus-cycles", "bus_cycles"),
        ("stalled-cycles-frontend", "stall_frontend"),
        ("idle-cycles-backend", "stall_backend"),
    ],
)
def test_labels_of_perf_become_the_names_of_arm(label: str, name: str) -> None:
    assert canonical(label) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cache-references", "l1d_cache"),  # and not the last level
        ("cache-misses", "l1d_cache_refill"),
        ("branches", "br_retired"),
        ("branch-misses", "br_mis_pred"),  # speculative, not retired
        ("branch-loads", "br_pred"),
        ("branch-load-misses", "br_mis_pred"),
        ("L1-dcache-loads", "l1d_cache"),
        ("L1-dcache-load-misses", "l1d_cache_refill"),
        ("L1-dcache-stores", "l1d_cache_wr"),
        ("L1-icache-loads", "l1i_cache"),
        ("L1-icache-load-misses", "l1i_cache_refill"),
        ("L1-icache-misses", "l1i_cache_refill"),
        ("dTLB-loads", "l1d_tlb"),
        ("dTLB-load-misses", "l1d_tlb_refill"),
        ("iTLB-loads", "l1i_tlb"),
        ("iTLB-load-misses", "l1i_tlb_refill"),
        ("LLC-loads", "ll_cache_rd"),
        ("LLC-load-misses", "ll_cache_miss_rd"),
    ],
)
def test_generic_names_are_what_the_kernel_makes_of_them_on_arm64(label: str, name: str) -> None:
    assert canonical(label) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("task-clock", "task_clock"),
        ("task-clock:u", "task_clock"),
        ("page-faults", "page_faults"),
        ("faults", "page_faults"),
        ("cs", "context_switches"),
        ("migrations", "cpu_migrations"),
        ("duration_time", "duration_time"),
    ],
)
def test_software_events_keep_the_name_of_perf(label: str, name: str) -> None:
    assert canonical(label) == name


@pytest.mark.parametrize(
    "label",
    ["r1b", "0x1b", "R1B", "r001b:u", "raw 0x1b", "armv8_pmuv3_0/event=0x1b/", "armv8_pmuv3/config=0x1b/u"],
)
def test_a_raw_code_is_its_architected_event(label: str) -> None:
    assert canonical(label) == "inst_spec"


def test_event_terms_are_decimal_unless_they_say_hexadecimal() -> None:
    assert canonical("armv8_pmuv3_0/event=17/") == "cpu_cycles"
    assert canonical("armv8_pmuv3_0/event=0x17/") == "l2d_cache_refill"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cpu_core/cache-misses/", "ll_cache_miss"),
        ("cpu/cache-references/u", "ll_cache"),
        ("cpu_atom/branch-misses/", "br_mis_pred_retired"),
        ("cpu_core/L1-dcache-loads/", "l1d_cache"),
    ],
)
def test_a_label_that_names_an_x86_pmu_means_what_x86_makes_of_it(label: str, name: str) -> None:
    assert canonical(label) == name


def test_a_raw_code_that_only_a_core_can_tell_stays_raw() -> None:
    assert canonical("armv8_pmuv3_0/event=0x108/") == "r108"
    assert event("0x108").code == 0x108


@pytest.mark.parametrize(
    "label",
    [
        "arm_dsu_0/cycles/",  # the cluster's cycles are not the core's
        "arm_cmn_0/hnf_cache_miss/",
        "arm_spe_0//",
        "msr/tsc/",
        "sched:sched_switch",
        "cpu/event=0x3c/",  # an x86 code: 0x3c is STALL on ARM64
        "L1-dcache-prefetches",
        "LLC-stores",
        "l1d",
        "no_such_event",
        "",
    ],
)
def test_what_is_not_an_event_of_a_core_has_no_name(label: str) -> None:
    assert canonical(label) is None


def test_a_label_comes_apart_into_pmu_event_and_modifiers() -> None:
    label = split_label("armv8_pmuv3_1/l1d_cache,long=1/ukH")
    assert label is not None
    assert (label.pmu, label.event, label.modifiers) == ("armv8_pmuv3_1", "l1d_cache", "ukH")
    assert split_label("cycles:u") == names.Label("cycles", "", "u")


@given(st.text(max_size=60))
def test_any_text_has_a_known_name_or_none(label: str) -> None:
    name = canonical(label)
    assert name is None or name in events() or names.raw_code(name) is not None


@given(
    st.sampled_from(sorted(events())),
    st.sampled_from(["{}", "{}:u", "armv8_pmuv3_0/{}/", "armv8_pmuv3_0/{}/k"]),
)
def test_a_canonical_name_stays_what_it_is(name: str, form: str) -> None:
    assert canonical(form.format(name)) == name
    assert canonical(form.format(name.upper())) == name


@given(st.text(max_size=30))
def test_an_event_is_found_or_refused_in_one_line(name: str) -> None:
    if canonical(name) is not None:
        assert event(name).title
        return
    with pytest.raises(ArmprofError, match=r"\Aunknown event .*\Z"):
        event(name)


def test_an_unknown_event_names_what_was_perhaps_meant() -> None:
    with pytest.raises(ArmprofError, match=r"'l1d_cache_refil' \(did you mean l1d_cache_refill"):
        event("l1d_cache_refil")


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(tables).failed == 0
