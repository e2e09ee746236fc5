"""From counters at two moments to a Count, and from Counts to a Reading that can be read."""

from __future__ import annotations

import errno
from dataclasses import FrozenInstanceError, replace

import markup
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters import pmu
from armprof.counters.combine import Difference, combined
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.refusal import Refusal

LACKING = Refusal(Status.UNSUPPORTED, "this core or guest has no such event")
FORBIDDEN = Refusal(Status.NOT_PERMITTED, "forbidden", "do something")


def one(value: int, enabled: int, running: int) -> list[list[Difference | Refusal]]:
    return [[Difference(value, enabled, running)]]


# ---- what the counters did -------------------------------------------------------------------------------------------


def test_a_counter_that_ran_all_the_time_counted():
    count = combined("cpu_cycles", one(1000, 500, 500))
    assert (count.value, count.raw, count.status, count.coverage) == (1000, 1000, Status.COUNTED, 1)
    assert count.reason is None


def test_a_counter_that_ran_a_quarter_of_the_time_is_scaled_by_four_and_says_so():
    count = combined("cpu_cycles", one(1000, 400, 100))
    assert (count.value, count.raw, count.status, count.coverage) == (4000, 1000, Status.SCALED, 0.25)
    assert count.reason is not None
    assert "multiplexed" in count.reason


def test_a_loss_below_what_the_clock_resolves_is_none():
    assert combined("cpu_cycles", one(7, 1_000_000, 999_950)).status is Status.COUNTED
    assert combined("cpu_cycles", one(7, 1_000_000, 999_950)).value == 7
    assert combined("cpu_cycles", one(7, 1_000_000, 999_800)).status is Status.SCALED


def test_a_group_that_never_had_its_turn_counted_nothing_which_is_not_zero():
    count = combined("cpu_cycles", one(0, 400, 0))
    assert (count.value, count.raw, count.status, count.coverage) == (None, None, Status.NOT_COUNTED, 0)
    assert "profile()" in (count.reason or "")


def test_a_stretch_in_which_nothing_ran_counted_nothing():
    count = combined("cpu_cycles", one(0, 0, 0))
    assert (count.value, count.status) == (None, Status.NOT_COUNTED)
    assert count.reason == "nothing ran between the two samples"


def test_a_true_zero_stays_a_zero():
    assert combined("page_faults", one(0, 100, 100)).value == 0


def test_the_cost_of_the_measurement_is_subtracted_from_the_value_and_not_from_raw():
    count = combined("cpu_cycles", one(1000, 500, 500), overhead=90)
    assert (count.value, count.raw) == (910, 1000)


def test_a_stretch_cheaper_than_the_measurement_counts_zero_not_less():
    assert combined("cpu_cycles", one(50, 500, 500), overhead=90).value == 0


def test_the_cost_is_subtracted_after_scaling():
    assert combined("cpu_cycles", one(100, 200, 100), overhead=50).value == 150


def test_two_pmus_of_one_thread_count_in_turn_and_add_up():
    count = combined("cpu_cycles", [[Difference(300, 1000, 600), Difference(100, 1000, 400)]])
    assert (count.value, count.enabled_ns, count.running_ns, count.status) == (400, 1000, 1000, Status.COUNTED)


def test_a_thread_that_stayed_on_one_kind_of_core_is_counted_in_full():
    count = combined("cpu_cycles", [[Difference(500, 1000, 1000), Difference(0, 1000, 0)]])
    assert (count.value, count.status) == (500, Status.COUNTED)


def test_a_pmu_that_lacks_the_event_leaves_the_time_on_its_cores_uncovered():
    count = combined("l3d_cache", [[Difference(300, 1000, 600), LACKING]])
    assert (count.value, count.status, count.coverage) == (500, Status.SCALED, 0.6)


def test_two_threads_add_up_with_their_times():
    count = combined("cpu_cycles", [[Difference(300, 1000, 1000)], [Difference(50, 200, 200)]])
    assert (count.value, count.enabled_ns, count.status) == (350, 1200, Status.COUNTED)


def test_each_thread_is_scaled_by_its_own_times():
    missing, computing = [Difference(10_000, 10, 10)], [Difference(30, 100, 10)]
    count = combined("l1d_cache_refill", [missing, computing])
    assert (count.value, count.raw, count.status) == (10_300, 10_030, Status.SCALED)  # not 10_030 * 110 / 20
    assert count.coverage == 20 / 110


def test_a_thread_whose_turn_never_came_is_taken_to_be_like_the_others():
    count = combined("cpu_cycles", [[Difference(300, 100, 50)], [Difference(0, 20, 0)]])
    assert (count.value, count.status) == (720, Status.SCALED)


def test_a_thread_that_slept_adds_nothing():
    count = combined("cpu_cycles", [[Difference(300, 1000, 1000)], [Difference(0, 0, 0)]])
    assert (count.value, count.status) == (300, Status.COUNTED)


def test_a_thread_that_no_counter_followed_makes_the_sum_unknown():
    count = combined("cpu_cycles", [[Difference(300, 1000, 1000)], [FORBIDDEN]])
    assert (count.value, count.status, count.reason) == (None, Status.NOT_PERMITTED, "forbidden; do something")


def test_an_event_that_no_pmu_has_is_refused_with_the_first_reason():
    count = combined("l3d_cache", [[LACKING, FORBIDDEN]])
    assert (count.value, count.status, count.reason) == (None, Status.UNSUPPORTED, LACKING.reason)


def test_no_thread_at_all_counted_nothing():
    assert combined("cpu_cycles", []).status is Status.NOT_COUNTED


def test_unit_and_group_are_kept_with_and_without_a_value():
    for threads in (one(5, 10, 10), one(0, 10, 0), [[LACKING]]):
        count = combined("task_clock", threads, unit="ns", group=3)
        assert (count.unit, count.group) == ("ns", 3)


differences = st.builds(
    lambda value, enabled, share: Difference(value, enabled, enabled * share // 100),
    st.integers(0, 2**48),
    st.integers(0, 2**44),
    st.integers(0, 100),
)


@given(
    st.lists(st.lists(st.one_of(differences, st.just(LACKING)), min_size=1, max_size=2), max_size=4), st.floats(0, 1e6)
)
def test_whatever_the_counters_say_a_value_has_a_status_and_none_a_reason(threads, overhead):
    count = combined("cpu_cycles", threads, overhead)
    if count.value is None:
        assert count.reason
        assert not count.status.has_value
    else:
        assert count.value >= 0
        assert count.raw is not None
        assert count.value >= count.raw * 0.999 - overhead or count.value == 0  # scaling never lessens
        assert count.coverage is not None
        assert 0 < count.coverage <= 1
        assert (count.status is Status.SCALED) == bool(count.reason)
        assert not any(all(isinstance(c, Refusal) for c in thread) for thread in threads)


# ---- samples of this machine's software events -----------------------------------------------------------------------


@pytest.fixture
def counters():
    opened = pmu.Counters(pmu.layout_of((("task_clock", "page_faults"),)))
    yield opened
    opened.close()


def sampled(counters: pmu.Counters, *clock: tuple[int, int, int]) -> pmu.Sample:
    """A sample in which both events have the given value, enabled and running."""
    sample = counters.new_sample()
    for at, (value, enabled, running) in enumerate(clock):
        sample.counts[at].value, sample.counts[at].enabled_ns, sample.counts[at].running_ns = value, enabled, running
    return sample


def test_a_reading_is_the_difference_of_two_samples(counters):
    before, after = sampled(counters, (100, 100, 100), (7, 100, 100)), sampled(counters, (350, 350, 350), (9, 350, 350))
    before.at_ns, after.at_ns = 1000, 1300
    reading = counters.reading(before, after, {"task_clock": 50})
    assert reading.value("task_clock") == 200
    assert reading.value("page_faults") == 2
    assert reading.duration_ns == 300
    assert dict(reading.overhead) == {"task_clock": 50}
    assert reading.scope == "this thread, user mode"
    assert reading["task_clock"].unit == "ns"


@pytest.mark.parametrize("which", ["before", "after"])
def test_samples_on_both_sides_of_a_fork_give_no_count(counters, which):
    samples = {"before": sampled(counters, (1, 1, 1), (1, 1, 1)), "after": sampled(counters, (2, 2, 2), (2, 2, 2))}
    samples[which].error = errno.ESTALE
    reading = counters.reading(samples["before"], samples["after"], {"task_clock": 50})
    for count in reading.counts.values():
        assert (count.value, count.status) == (None, Status.NOT_COUNTED)
        assert "before a fork" in (count.reason or "")
    assert dict(reading.overhead) == {}  # from no value anything was subtracted


def test_a_read_that_failed_gives_no_count_and_the_reason(counters):
    after = counters.new_sample()
    after.error = errno.EIO
    reading = counters.reading(counters.new_sample(), after)
    assert reading["task_clock"].reason == "reading the counters failed: Input/output error"


def test_what_could_not_be_resolved_stands_with_its_reason_where_it_was_asked_for():
    layout = pmu.Layout([["task_clock", "duration_time"]], pmu.machine())
    counters = pmu.Counters(layout)
    reading = counters.reading(counters.new_sample(), counters.new_sample())
    assert list(reading.counts) == ["task_clock", "duration_time"]
    assert reading["duration_time"].status is Status.UNSUPPORTED


def test_more_events_than_can_be_open_are_refused_in_one_line():
    from armprof.errors import CannotCount

    with pytest.raises(CannotCount, match="40 events at once, and at most 32 can be open; ask for fewer"):
        pmu.Layout([["task_clock"] * 40], pmu.machine())


# ---- reading a Reading -----------------------------------------------------------------------------------------------

COUNTED = Count("cpu_cycles", 1234567.0, 1234567, 1000, 1000, Status.COUNTED, group=0)
SCALED = Count("l1d_cache", 2000.0, 500, 1000, 250, Status.SCALED, reason="multiplexed", group=1)
REFUSED = uncounted("l3d_cache", Status.UNSUPPORTED, "no such <event> here")
REFUSED_TOO = uncounted("ll_cache", Status.UNSUPPORTED, "no such <event> here")
CLOCK = Count("task_clock", 5e6, 5e6, 5_000_000, 5_000_000, Status.COUNTED, unit="ns")


def reading_of(*counts: Count) -> Reading:
    return Reading(
        counts={c.event: c for c in counts},
        source="pmu",
        duration_ns=6_000_000,
        scope="this thread, user mode",
        access="read()",
        notes=("a & b",),
    )


EXAMPLE = reading_of(COUNTED, SCALED, REFUSED, REFUSED_TOO, CLOCK)


def test_the_repr_shows_source_scope_counts_and_each_reason_once():
    assert repr(EXAMPLE).splitlines() == [
        "Reading from pmu; this thread, user mode; read(); 6.000 ms",
        "  cpu_cycles             1,234,567     counted 100.0%",
        "  l1d_cache                  2,000     scaled  25.0%",
        "  task_clock             5,000,000 ns  counted 100.0%",
        "  unsupported: l3d_cache, ll_cache: no such <event> here",
        "  note: a & b",
    ]


def test_a_count_reads_in_one_line():
    assert repr(SCALED) == "<Count l1d_cache = 2,000 (scaled, 25.0% running)>"
    assert repr(CLOCK) == "<Count task_clock = 5,000,000 ns (counted, 100.0% running)>"
    assert repr(REFUSED) == "<Count l3d_cache: unsupported, no such <event> here>"


def test_the_table_for_notebooks_holds_every_event_and_no_foreign_markup():
    shown = markup.read(EXAMPLE._repr_html_())
    markup.harmless(shown)
    assert "no such <event> here" in shown.text
    cells = {cell.text for cell in shown.all("th", "td", "span")}
    assert {"cpu_cycles", "task_clock", "2,000", "25.0 % counted"} <= cells
    assert "unsupported: l3d_cache, ll_cache: no such <event> here" in shown.text
    assert "a & b" in shown.text


def test_a_frame_has_a_row_per_event_and_no_number_where_nothing_was_counted():
    frame = EXAMPLE.to_frame()
    assert list(frame.index) == ["cpu_cycles", "l1d_cache", "l3d_cache", "ll_cache", "task_clock"]
    assert frame.index.name == "event"
    assert frame.value.isna().tolist() == [False, False, True, True, False]
    assert frame.loc["l1d_cache", ["value", "raw", "coverage", "status"]].tolist() == [2000.0, 500, 0.25, "scaled"]
    assert frame.value.dtype == float
    assert frame.value.sum() == 1234567 + 2000 + 5e6


def test_a_frame_of_no_events_is_an_empty_frame_with_the_same_columns():
    empty = reading_of().to_frame()
    assert len(empty) == 0
    assert list(empty.columns) == list(EXAMPLE.to_frame().columns)
    assert empty.index.name == "event"


def test_a_reading_is_a_mapping_from_events_to_counts():
    assert EXAMPLE["l1d_cache"] is SCALED
    assert list(EXAMPLE) == list(EXAMPLE.counts)
    assert len(EXAMPLE) == 5
    assert "l1d_cache" in EXAMPLE
    assert "l2d_cache" not in EXAMPLE


@pytest.mark.parametrize("name", ["cycles", "cpu-cycles", "CPU_CYCLES", "r11"])
def test_a_count_is_found_under_every_name_that_its_event_has(name):
    assert EXAMPLE[name] is COUNTED
    assert EXAMPLE.counts[name] is COUNTED
    assert EXAMPLE.value(name) == 1234567


@pytest.mark.parametrize("name", ["l2d_cache", "no such event", 5])
def test_a_count_that_is_not_there_is_a_key_error_that_says_so(name):
    with pytest.raises(KeyError, match="is not among the events of this reading"):
        EXAMPLE.counts[name]
    assert EXAMPLE.counts.get(name) is None


def test_a_value_that_was_not_counted_or_not_asked_for_is_none():
    assert EXAMPLE.value("l3d_cache") is None
    assert EXAMPLE.value("l2d_cache") is None


def test_a_reading_cannot_be_changed_and_equals_one_with_the_same_counts():
    with pytest.raises(FrozenInstanceError):
        EXAMPLE.source = "model"  # type: ignore[misc]
    assert replace(EXAMPLE) == EXAMPLE
    assert replace(EXAMPLE, source="imported") != EXAMPLE


def test_coverage_is_the_sources_where_it_gives_no_times():
    stated = Count("cpu_cycles", 10, 10, None, None, Status.SCALED, stated_coverage=0.4)
    assert stated.coverage == 0.4
    assert Count("cpu_cycles", 10, 10, None, None, Status.COUNTED).coverage is None


def test_counts_without_value_are_found_by_their_reason():
    assert EXAMPLE.by_reason() == {(Status.UNSUPPORTED, "no such <event> here"): [REFUSED, REFUSED_TOO]}
