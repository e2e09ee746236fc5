"""Counters that stay open: differences of intervals, each with its own times."""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.machine import machine, native
from armprof.counters.pmu import Layout
from armprof.counters.reading import Status
from armprof.counters.standing import (
    WHOLE,
    Attachment,
    Interval,
    Standing,
    count_of,
    interval,
    intervals,
    joined,
    on_process,
    row_of,
    threads_of_tree,
)

MS = 1_000_000


# ---- arithmetic ----


def test_an_event_that_ran_all_the_time_is_what_its_counter_said():
    assert interval(1000, 100, 100) == Interval(1000, 1000, 100, 100)


def test_an_event_that_took_turns_is_scaled_by_the_times_of_the_interval():
    assert interval(1000, 100, 25) == Interval(4000, 1000, 100, 25)


def test_an_event_that_had_no_turn_has_no_value_and_never_0():
    found = interval(0, 100, 0)
    assert found.value is None
    count = count_of("l1d_cache", found, group=1)
    assert (count.value, count.status) == (None, Status.NOT_COUNTED)
    assert count.reason is not None
    assert "others took them" in count.reason


def test_where_nothing_ran_the_reason_says_so():
    assert count_of("cpu_cycles", interval(0, 0, 0)).reason == "nothing ran in this interval"


def test_intervals_without_a_turn_are_taken_to_be_like_the_rest():
    found = joined([interval(100, 10, 10), interval(0, 10, 0), interval(300, 10, 10)])
    assert found == Interval(600, 400, 30, 20)
    count = count_of("l1d_cache", found)
    assert count.status is Status.SCALED
    assert count.coverage == pytest.approx(2 / 3)


def test_each_interval_is_scaled_by_its_own_times_not_by_those_of_all():
    # busy while it had the counters all the time, idle while it had them a tenth of it: a lifetime ratio gives 1,818
    found = joined([interval(1000, 100, 100), interval(0, 100, 10)])
    assert found.value == 1000


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(1, 10**9)), min_size=1))
def test_joining_intervals_that_ran_all_the_time_is_their_sum(rows):
    found = joined([interval(raw, ns, ns) for raw, ns in rows])
    assert found.value == found.raw == sum(raw for raw, _ in rows)
    assert found.enabled_ns == found.running_ns == sum(ns for _, ns in rows)


@given(st.lists(st.tuples(*[st.integers(0, 10**15)] * 3), min_size=1, max_size=4))
def test_c_makes_of_differences_what_python_makes_of_them(rows):
    ffi, lib = native().ffi, native().lib
    unknown = ffi.new("armprof_event[]", [{"type": 1, "config": 0xBAD}] * len(rows))
    opened = ffi.gc(lib.armprof_open(unknown, len(rows), ffi.new("armprof_options *")), lib.armprof_close)
    sets = ffi.new("armprof_set *[]", [opened])
    # what could not be opened is sampled as 0, so that the difference is what `before` lacks of that
    before = ffi.new("armprof_count[]", [tuple(-number % 2**64 for number in row) for row in rows])
    now, found = ffi.new("armprof_count[]", len(rows)), ffi.new("armprof_interval[]", len(rows))
    places = {"sets": sets, "places": 1, "events": len(rows), "before": before, "now": now, "whole": WHOLE}
    assert lib.armprof_standing_difference(ffi.new("armprof_standing *", places), found) == 0
    for row, one in zip(rows, found, strict=True):
        expected = interval(*row)
        assert (one.raw, one.enabled_ns, one.running_ns) == expected[1:]
        assert one.value == expected.value or (math.isnan(one.value) and expected.value is None)


# ---- real counters ----


def layout(*events: str) -> Layout:
    return Layout([events], machine())


def opened(standing: Standing) -> Standing:
    if not standing.events:
        pytest.skip(f"nothing can be counted here: {next(iter(standing.refused.values()))}")
    return standing


def test_differences_are_those_of_the_interval_and_add_up():
    me = opened(Standing(layout("task_clock", "page_faults"), [Attachment(pid=os.getpid())]))
    spent = []
    for _ in range(3):
        begin = time.thread_time_ns()
        while time.thread_time_ns() < begin + 2 * MS:
            pass
        found = intervals(me.difference() or ())
        spent.append(found[0].value)
        assert 2 * MS <= found[0].raw < 1000 * MS
        assert found[0].running_ns == found[0].enabled_ns > 0
    me.close()
    me.close()
    assert len(spent) == 3


def test_a_cpu_counts_whatever_runs_there():
    cpu = min(os.sched_getaffinity(0))
    on = opened(Standing(layout("task_clock"), [Attachment(cpu=cpu)]))
    time.sleep(0.02)
    (clock,) = intervals(on.difference() or ())
    on.close()
    assert clock.enabled_ns > 19 * MS


def test_a_process_is_followed_with_its_threads_and_the_children_it_has():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    child = subprocess.Popen(["sleep", "60"])
    found = threads_of_tree(os.getpid())
    assert thread.native_id in found
    assert child.pid in found
    stop.set()
    thread.join()
    child.kill()
    child.wait()
    assert threads_of_tree(child.pid) == []


def test_what_a_followed_process_starts_later_is_counted_with_it():
    shell = subprocess.Popen(
        ["sh", "-c", "read x; i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done & wait; read x"], stdin=subprocess.PIPE
    )
    assert shell.stdin is not None
    followed = opened(on_process(layout("task_clock"), shell.pid))
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    total, deadline = 0, time.monotonic() + 30
    while total < 5 * MS and time.monotonic() < deadline:
        time.sleep(0.02)
        total += sum(one.raw for one in intervals(followed.difference() or ()))
    followed.close()
    shell.stdin.close()
    shell.kill()
    shell.wait()
    assert total >= 5 * MS


def test_an_event_that_nothing_counts_is_refused_with_its_reason():
    refused = Standing(layout("task_clock", "l1d_cache"), [Attachment(pid=2**22 + 1)]).refused
    assert refused["task_clock"].reason
    assert refused["l1d_cache"].reason


def test_a_row_has_the_numbers_of_its_intervals():
    given = [Interval(20.0, 10, 8, 4), Interval(None, 0, 8, 0), Interval(2.0**60, 2**60, 8, 8)]
    assert intervals(row_of(given)) == given
    assert intervals(()) == []


def test_events_that_lie_otherwise_in_c_have_their_own_numbers():
    made = layout(
        "task_clock", "page_faults"
    )  # beside a PMU's events those of the kernel lie last, wherever they were asked for
    for told in (made.targets, made.slots, made.group_of):
        told.reverse()
    me = opened(Standing(made, [Attachment(pid=os.getpid())]))
    begin = time.thread_time_ns()
    while time.thread_time_ns() < begin + 2 * MS:
        pass
    faults, clock = intervals(me.difference() or ())
    me.close()
    assert me.events == ["page_faults", "task_clock"]
    assert clock.raw >= MS > faults.raw
