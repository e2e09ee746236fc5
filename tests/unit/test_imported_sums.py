"""One total from many rows: intervals, CPUs, PMUs, groups, modes, control groups."""

import pytest

from armprof.counters.imported import parse
from armprof.counters.reading import Status
from armprof.errors import ArmprofError

HEADER = " Performance counter stats for './work':\n\n"
SYSTEM = " Performance counter stats for 'system wide':\n\n"


def table(*rows, header=HEADER):
    return parse(header + "".join(row + "\n" for row in rows) + "\n  1.000000000 seconds time elapsed\n")


# Intervals


def test_counts_are_summed_before_ratios_are_formed():
    rows = [("0.100000000", 1000, 10), ("0.200000000", 9000, 990)]
    text = "\n".join(f"{t},{i},,instructions,1,100.00,,\n{t},{m},,l1d_cache_refill,1,100.00,," for t, i, m in rows)
    total = parse(text).total
    # The mean of the ratios of the intervals would be 0.06.
    assert total.value("l1d_cache_refill") / total.value("inst_retired") == 0.1


def test_percentages_of_intervals_weigh_by_their_length():
    imported = parse(
        "     0.100000000     1,000      cycles   (100.00%)\n     0.400000000     1,000      cycles   (50.00%)\n"
    )
    assert imported.total["cpu_cycles"].coverage == pytest.approx(0.1 / 0.4 + 0.3 / 0.4 * 0.5)
    assert imported.total["cpu_cycles"].status is Status.SCALED


def test_times_of_intervals_are_summed():
    cycles = parse(
        "0.1,1000,,cycles,50,50.00,,\n".replace("0.1", "0.100000000") + "0.200000000,1000,,cycles,300,100.00,,"
    ).total["cpu_cycles"]
    assert (cycles.running_ns, cycles.enabled_ns, cycles.coverage) == (350, 400, 0.875)


def test_intervals_without_a_turn_are_made_up_for():
    text = "".join(
        f"     {t}.000000000     {count}      cycles   {share}\n"
        for t, count, share in [
            (1, "1,000", "(40.00%)"),
            (2, "<not counted>", "(0.00%)"),
            (3, "3,000", "(20.00%)"),
            (4, "<not counted>", ""),
        ]
    )
    cycles = parse(text).total["cpu_cycles"]
    # Two of three intervals in which it was on: 4000 in two, 6000 in three. In the fourth it was not on.
    assert (cycles.value, cycles.status) == (6000, Status.SCALED)
    assert cycles.coverage == pytest.approx(0.2)
    assert "not counted in 1 of 3 rows" in cycles.reason


def test_an_event_that_was_counted_in_no_interval_was_not_counted():
    row = "     %d.000000000     <not counted>      cycles   (0.00%%)\n"
    assert parse(row % 1 + row % 2).total["cpu_cycles"].status is Status.NOT_COUNTED


def test_recordings_appended_to_each_other_begin_at_0_again():
    text = "1.000000000,5,,cycles,1,100.00,,\n2.000000000,5,,cycles,1,100.00,,\n1.500000000,5,,cycles,1,100.00,,\n"
    imported = parse(text)
    assert (imported.total.value("cpu_cycles"), imported.total.duration_ns) == (15, 3_500_000_000)


def test_a_hundred_thousand_lines():
    text = "".join(
        f"{second:6}.000000000              1,003      cycles         (50.00%)\n" for second in range(1, 100_001)
    )
    imported = parse(text)
    assert imported.total.value("cpu_cycles") == 100_300_000
    assert imported.total["cpu_cycles"].coverage == 0.5
    assert imported.total.duration_ns == 100_000 * 10**9


# The same event twice

GROUPED = (
    "     1,107,780,139      INST_RETIRED                     #      6.7 MPKI  ll_cache_read_mpki    (29.42%)",
    "         7,392,505      LL_CACHE_MISS_RD                                                        (29.42%)",
    "     1,102,339,626      INST_RETIRED                     #      6.6 MPKI  l3d_cache_mpki        (31.46%)",
    "         7,298,601      L3D_CACHE_REFILL                                                        (31.46%)",
)


def test_an_event_of_two_groups_is_one_number_estimated_twice():
    imported = table(*GROUPED)
    instructions = imported.total["inst_retired"]
    assert (instructions.value, instructions.coverage) == (1102339626, 0.3146)
    assert any("inst_retired (1,107,780,139, 1,102,339,626)" in note for note in imported.notes)


def test_groups_have_the_counts_of_the_same_moments():
    first, second = table(*GROUPED).groups
    assert (first.value("inst_retired"), first.value("ll_cache_miss_rd")) == (1107780139, 7392505)
    assert (second.value("inst_retired"), second.value("l3d_cache_refill")) == (1102339626, 7298601)
    assert {count.group for count in first.counts.values()} == {1}
    assert first.duration_ns == 1_000_000_000


def test_groups_of_json_are_told_by_their_running_time():
    # Equal percentages, different times: two groups.
    rows = [("cycles", 400, 100), ("instructions", 300, 100), ("cycles", 404, 101), ("l1d_cache", 200, 101)]
    text = "\n".join(
        f'{{"counter-value" : "{v}", "event" : "{e}", "event-runtime" : {ns}, "pcnt-running" : 50.00}}'
        for e, v, ns in rows
    )
    groups = parse(text).groups
    assert [set(group) for group in groups] == [{"cpu_cycles", "inst_retired"}, {"cpu_cycles", "l1d_cache"}]
    assert [group.value("cpu_cycles") for group in groups] == [400, 404]


def test_groups_are_summed_over_intervals_each_by_itself():
    rows = [("cycles", "25.00"), ("instructions", "25.00"), ("cycles", "75.00"), ("l1d_cache", "75.00")]
    text = "".join(
        f"     {t}.000000000     {t * 100 + n}      {event}   ({share}%)\n"
        for t in (1, 2)
        for n, (event, share) in enumerate(rows)
    )
    imported = parse(text)
    assert [group.value("cpu_cycles") for group in imported.groups] == [300, 304]
    assert imported.total.value("cpu_cycles") == 304


def test_what_was_counted_all_the_time_is_one_group():
    total = table("  1,000  cycles", "    500  instructions  (50.00%)", "    200  l1d_cache").total
    assert (total["cpu_cycles"].group, total["inst_retired"].group, total["l1d_cache"].group) == (0, 1, 0)


def test_the_label_that_says_most_exactly_what_it_is_wins():
    imported = table(
        "    39,373,844      cache-references",
        "       334,499      cache-misses",
        "    39,373,110      L1-dcache-loads",
        "       217,817      L1-dcache-load-misses     (50.79%)",
        "       217,900      l1d_cache_refill          (20.00%)",
    )
    assert imported.total["l1d_cache"].label == "L1-dcache-loads"
    assert imported.total.value("l1d_cache_refill") == 217900
    assert imported.groups == ()
    assert any("cache-misses 334,499, L1-dcache-load-misses 217,817" in note for note in imported.notes)


def test_an_estimate_is_better_than_none():
    total = table("  <not counted>  l1d_cache_refill  (0.00%)", "  334,499  cache-misses").total
    assert total.value("l1d_cache_refill") == 334499


# Several PMUs


def test_a_pmu_on_which_nothing_ran_takes_nothing_away():
    imported = table(
        "     <not counted>      armv8_pmuv3_0/cycles/                   (0.00%)",
        "     7,910,463,871      armv8_pmuv3_1/cycles/            #    3.798 GHz",
    )
    cycles = imported.total["cpu_cycles"]
    assert (cycles.value, cycles.coverage, cycles.status) == (7910463871, 1.0, Status.COUNTED)
    assert cycles.label == "armv8_pmuv3_1/cycles/"
    assert [reading.scope for reading in imported.readings] == ["armv8_pmuv3_0", "armv8_pmuv3_1"]
    assert imported.readings[0]["cpu_cycles"].status is Status.NOT_COUNTED


def test_a_task_that_moved_between_pmus_is_counted_by_its_time_on_each():
    # perf prints each as if the task had been there all the time: 0.6e9 seen in 30 % are 2e9.
    cycles = table("  2,000,000,000  cpu_core/cycles/  (30.00%)", "  1,000,000,000  cpu_atom/cycles/  (70.00%)").total[
        "cpu_cycles"
    ]
    assert cycles.value == pytest.approx(1.3e9)
    assert cycles.coverage == pytest.approx(1.0)
    assert cycles.label == "cpu_core/cycles/ + cpu_atom/cycles/"


def test_times_on_the_pmus_of_a_task_add_up():
    text = "2000,,cpu_core/cycles/,300,30.00,,\n1000,,cpu_atom/cycles/,500,50.00,,"
    cycles = parse(text).total["cpu_cycles"]
    assert (cycles.running_ns, cycles.enabled_ns, cycles.coverage) == (800, 1000, 0.8)
    assert cycles.value == pytest.approx((2000 * 0.3 + 1000 * 0.5) / 0.8)


def test_system_wide_each_pmu_has_its_own_cpus_and_counts_add_up():
    rows = ("  2,000,000,000  cpu_core/cycles/", "  1,000,000,000  cpu_atom/cycles/")
    for header in (SYSTEM, HEADER):  # two PMUs cannot both have had one task all the time
        cycles = table(*rows, header=header).total["cpu_cycles"]
        assert (cycles.value, cycles.coverage, cycles.status) == (3_000_000_000, 1.0, Status.COUNTED)


def test_system_wide_multiplexed_counts_add_up_too():
    rows = ("  2,000  cpu_core/cycles/  (40.00%)", "  1,000  cpu_atom/cycles/  (20.00%)")
    cycles = table(*rows, header=SYSTEM).total["cpu_cycles"]
    assert (cycles.value, cycles.status) == (3000, Status.SCALED)
    assert cycles.coverage == pytest.approx(0.3)


def test_an_event_of_no_named_pmu_is_not_added_to_that_of_the_named():
    assert table("  1,000  cycles", "  1,000  armv8_pmuv3_0/cycles/").total.value("cpu_cycles") == 1000


def test_no_pmu_counted():
    rows = ("  <not supported>  armv8_pmuv3_0/cycles/", "  <not counted>  armv8_pmuv3_1/cycles/  (0.00%)")
    assert table(*rows).total["cpu_cycles"].status is Status.NOT_COUNTED


# Modes of the processor


def test_no_total_mixes_user_and_kernel_mode():
    imported = table("  1,000  cycles:u", "  500  instructions:u", "  300  cycles:k", "  7  page-faults")
    assert (imported.total.value("cpu_cycles"), imported.total.value("cpu_cycles:k")) == (1000, 300)
    assert imported.total.scope == "command, user mode"
    assert imported.total.value("page_faults") == 7
    assert any("cpu_cycles:k" in note for note in imported.notes)


def test_precision_is_no_mode():
    assert table("  1,000  cycles:upp", "  500  instructions:u").total.value("cpu_cycles") == 1000


def test_in_doubt_the_plain_events_are_all_modes():
    total = table("  1,000  cycles", "  500  instructions:u").total
    assert (total.value("cpu_cycles"), total.value("inst_retired"), total.value("inst_retired:u")) == (
        1000,
        None,
        500,
    )


# Control groups


def test_control_groups_are_summed_but_not_what_lies_inside_another():
    rows = [("user.slice", 100), ("user.slice/a", 60), ("system.slice", 30)]
    text = "\n".join(f"{count},,cycles,{cgroup},1000,100.00,," for cgroup, count in rows)
    imported = parse(text)
    assert imported.total.value("cpu_cycles") == 130
    assert [reading.scope for reading in imported.readings] == [f"cgroup {cgroup}" for cgroup, _ in rows]


def test_the_root_group_holds_all_others():
    assert parse("100,,cycles,/,1000,100.00,,\n60,,cycles,/a,1000,100.00,,").total.value("cpu_cycles") == 100


# Several outputs in one file


def test_two_different_measurements_in_one_file_are_refused():
    other = HEADER.replace("./work", "./other")
    with pytest.raises(ArmprofError, match=r"2 different measurements \(\./work, \./other\): put each into"):
        parse(f"{HEADER}   1,000  cycles\n{other}   1,000  cycles\n", "log")


def test_two_outputs_of_the_same_command_are_summed():
    one = f"{HEADER}   1,000  cycles\n\n  0.500000000 seconds time elapsed\n"
    imported = parse(one + one)
    assert (imported.total.value("cpu_cycles"), imported.total.duration_ns) == (2000, 10**9)
    assert len(imported.readings) == 2
    assert imported.groups == ()


# Contradictions


def test_zeros_that_contradict_other_counts_are_marked_everywhere():
    rows = (
        "  7,397,206  LL_CACHE_MISS_RD  (30.45%)",
        "  0  LL_CACHE_RD  (30.45%)",
        "  7,392,505  LL_CACHE_MISS_RD  (29.42%)",
    )
    imported = table(*rows)
    for reading in (imported.total, imported.groups[0]):
        assert reading["ll_cache_rd"].status is Status.SUSPECT
        assert reading["ll_cache_rd"].value is None
