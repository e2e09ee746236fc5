"""`region()` on this machine's software events. Regions belong to a process: each test has one of its own."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import resource
import threading
import time

import cpu_machines
import pytest
from processes import forked, in_child
from thread_time import CLOCK, counted, here_without_pmu, work

import armprof
from armprof import ArmprofError, CannotCount, Status, cpu
from armprof.counters.machine import machine
from armprof.regions import Spread


def mean_of(region: armprof.Region, event: str = "task_clock") -> float:
    spread = region.per_call(event)
    assert spread is not None
    return spread.mean


# ---- calls and sums --------------------------------------------------------------------------------------------------


@forked
def test_calls_and_counts_add_up():
    parse = armprof.region("parse", CLOCK)
    for _ in range(5):
        with parse:
            work()
    assert parse.calls == 5
    assert counted(parse) >= 5e6
    assert parse.reading.duration_ns is not None
    assert parse.reading.duration_ns >= 5e6
    assert parse.reading.scope == "region 'parse', 5 calls, user mode"


@forked
def test_mean_least_and_most_of_a_call():
    parse = armprof.region("parse", CLOCK)
    for milliseconds in (2, 1, 30):
        with parse:
            work(milliseconds)
    for event in ("task_clock", "ns"):
        spread = parse.per_call(event)
        assert spread is not None
        assert spread.smallest is not None
        assert spread.largest is not None
        assert 1e6 <= spread.smallest < spread.mean < spread.largest
        assert spread.largest >= 30e6
    assert mean_of(parse) * 3 == pytest.approx(counted(parse), rel=0.01)


@forked
def test_an_empty_region_costs_nothing_after_what_was_subtracted():
    empty = armprof.region("empty", CLOCK)
    for _ in range(1000):
        with empty:
            pass
    spread = empty.per_call("task_clock")
    assert spread is not None
    assert spread.smallest is not None
    assert spread.smallest < 1000  # ns; reading a software clock alone takes hundreds
    assert empty.reading.overhead["task_clock"] > 0
    raw = empty.counts["task_clock"].raw
    assert raw is not None
    assert counted(empty) < raw


@forked
def test_a_region_that_was_never_left_has_no_counts():
    parse = armprof.region("parse", CLOCK)
    count = parse.counts["task_clock"]
    assert (count.value, count.status, count.reason) == (None, Status.NOT_COUNTED, "the region was never left")
    assert parse.calls == 0
    assert parse.per_call("task_clock") is None
    assert parse.per_call("ns") is None
    with parse:
        work()
        assert parse.calls == 0
        assert parse.counts["task_clock"].value is None
    assert parse.calls == 1


@forked
def test_reading_goes_on_while_the_region_is_used():
    parse = armprof.region("parse", CLOCK)
    seen = []
    for _ in range(3):
        with parse:
            work()
        seen.append(counted(parse))
    assert seen == sorted(seen)
    assert seen[2] >= 3e6


@forked
def test_nested_regions_count_what_is_inside_both():
    outer, inner = armprof.region("outer", CLOCK), armprof.region("inner")
    with outer:
        work(2)
        with inner:
            work(3)
    assert 3e6 <= counted(inner) < counted(outer)
    assert counted(outer) >= 5e6


@forked
def test_a_recursive_region_counts_each_call_and_its_time_once():
    deep = armprof.region("deep", CLOCK)

    def recurse(depth: int) -> None:
        with deep:
            work()
            if depth:
                recurse(depth - 1)

    with armprof.measure(CLOCK) as all_of_it:
        recurse(9)
        recurse(0)
    assert deep.calls == 11
    assert 11e6 <= counted(deep) <= (all_of_it.counts["task_clock"].raw or 0)
    assert mean_of(deep) == pytest.approx(counted(deep) / 2, rel=0.01)  # of the two outermost


@forked
def test_nesting_deeper_than_there_is_room_for_is_noted():
    deep = armprof.region("deep", CLOCK)

    def recurse(depth: int) -> None:
        with deep:
            if depth:
                recurse(depth - 1)

    recurse(99)
    assert deep.calls == 64
    assert any("36 calls were nested too deep" in note for note in deep.reading.notes)


@forked
def test_an_exception_leaves_the_region_and_passes():
    parse = armprof.region("parse", CLOCK)

    @parse
    def fails() -> None:
        work()
        raise KeyError("x")

    with pytest.raises(KeyError):
        fails()
    assert parse.calls == 1
    assert counted(parse) >= 1e6
    assert parse.reading.notes == ()


@forked
def test_a_region_left_in_a_thread_that_had_not_entered_it_is_noted():
    parse = armprof.region("parse", CLOCK)
    with parse:
        run_together(lambda: parse.__exit__(None, None, None))
    assert parse.calls == 1
    assert parse.reading.notes == ("1 call left in a thread that had not entered the region",)


@forked
def test_coroutines_that_take_turns_leave_regions_in_any_order():
    first, second = armprof.region("first", CLOCK), armprof.region("second")

    async def wait(region: armprof.Region, others: int) -> None:
        with region:
            work()
            for _ in range(others):
                await asyncio.sleep(0)

    async def main() -> None:
        for _ in range(3):
            await asyncio.gather(wait(first, 1), wait(second, 2))

    asyncio.run(main())
    with first:
        work()
    assert (first.calls, second.calls) == (4, 3)
    assert counted(first) >= 7e6  # its own three calls, what second did meanwhile, and the last call
    assert counted(second) >= 3e6
    assert first.reading.notes == ()


@forked
def test_a_region_in_a_generator_counts_what_the_thread_does_until_it_ends():
    parse = armprof.region("parse", CLOCK)

    def steps():
        with parse:
            yield
            yield

    for _ in steps():
        work()
    abandoned = steps()
    next(abandoned)
    abandoned.close()
    assert parse.calls == 2
    assert counted(parse) >= 2e6


# ---- as a decorator --------------------------------------------------------------------------------------------------


@forked
def test_as_a_decorator_every_call_of_the_function_is_one_of_the_region():
    @armprof.region("parse", CLOCK)
    def parse(text: str, *, base: int = 10) -> int:
        """Its own words."""
        work()
        return int(text, base)

    assert [parse("12"), parse("ff", base=16)] == [12, 255]
    assert armprof.region("parse").calls == 2
    assert (parse.__name__, parse.__doc__) == ("parse", "Its own words.")


@forked
def test_what_is_left_and_resumed_cannot_be_decorated():
    def steps():
        yield 1

    async def asteps():
        yield 1

    async def coroutine():
        pass

    for function in (steps, asteps, coroutine, functools.partial(coroutine)):
        with pytest.raises(ArmprofError, match=r"region 'r' cannot decorate .*which is left and resumed in between"):
            armprof.region("r", CLOCK)(function)


@forked
def test_a_decorator_without_a_name_is_told_so():
    with pytest.raises(ArmprofError, match=r'as a decorator it is @armprof\.region\("NAME"\)'):
        armprof.region(work)  # type: ignore[arg-type]


# ---- threads ---------------------------------------------------------------------------------------------------------


def run_together(*functions) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@forked
def test_sums_are_over_all_threads_the_ended_ones_too():
    parse = armprof.region("parse", CLOCK)

    def calls(number: int) -> None:
        for _ in range(number):
            with parse:
                work()

    run_together(*(lambda n=n: calls(n) for n in (1, 2, 3)))
    calls(4)
    assert parse.calls == 10
    assert counted(parse) >= 10e6
    assert parse.reading.notes == ()


@forked
def test_a_region_may_be_read_in_a_thread_that_never_entered_it():
    parse = armprof.region("parse", CLOCK)
    with parse:
        work()
    read = []
    run_together(lambda: read.append(counted(parse)))
    assert read[0] >= 1e6


@forked
def test_a_region_may_be_read_while_other_threads_are_in_it():
    parse = armprof.region("parse", CLOCK)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            with parse:
                work(0.1)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    calls = []
    while parse.calls < 50:
        calls.append(parse.calls)
        repr(parse)
    stop.set()
    for thread in threads:
        thread.join()
    assert calls == sorted(calls)
    assert counted(parse) >= 50 * 1e5


@forked
def test_regions_of_one_name_made_at_once_are_one_object():
    start = threading.Barrier(8)
    found = []

    def make() -> None:
        start.wait()
        found.append(armprof.region("same", CLOCK))

    run_together(*[make] * 8)
    assert len({id(region) for region in found}) == 1


@forked
def test_threads_that_came_and_went_leave_no_descriptor():
    parse = armprof.region("parse", CLOCK)
    with parse:
        pass

    def run() -> None:
        with parse:
            pass

    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        run_together(run, run)
    while len(os.listdir("/proc/self/task")) > 1:
        time.sleep(0.001)  # Python has joined a thread before the kernel has
    assert len(os.listdir("/proc/self/fd")) == before
    assert parse.calls == 41


# ---- fork ------------------------------------------------------------------------------------------------------------


@forked
def test_a_child_after_fork_counts_from_zero_and_the_parent_goes_on():
    parse = armprof.region("parse", CLOCK)
    with parse:
        work()

    def child() -> str:
        before = parse.calls
        with parse:
            work(2)
        return f"{before} {parse.calls} {counted(parse) >= 2e6}"

    assert in_child(child) == "0 1 True"
    with parse:
        work()
    assert parse.calls == 2
    assert counted(parse) >= 2e6


@forked
def test_a_fork_inside_a_region_leaves_the_parents_sums_right():
    parse = armprof.region("parse", CLOCK)

    def child() -> str:
        parse.__exit__(None, None, None)
        return f"{parse.calls} {[n for n in parse.reading.notes if 'had not entered' in n] != []}"

    with parse:
        assert in_child(child) == "0 True"
        work()
    assert parse.calls == 1
    assert parse.reading.notes == ()


@forked
def test_a_fork_while_another_thread_makes_a_region_does_not_stop_the_child():
    from armprof import regions

    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with regions._lock:
            held.set()
            done.wait()

    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    assert in_child(lambda: armprof.region("in the child", CLOCK).calls) == "0"
    done.set()


# ---- names and events ------------------------------------------------------------------------------------------------


@forked
def test_the_same_name_is_the_same_region():
    assert armprof.region("parse", CLOCK) is armprof.region("parse")
    assert armprof.region("parse") is not armprof.region("Parse")


@forked
def test_a_name_may_hold_any_text():
    names = ["größe", "解析", "a b\tc", "'quoted'", "x" * 10_000]
    for name in names:
        with armprof.region(name, CLOCK):
            pass
    for name in names:
        assert armprof.region(name).calls == 1
        assert armprof.region(name).name == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "must not be empty"),
        ("a\0b", "nor contain NUL"),
        ("\ud800", "cannot be written as UTF-8"),
        (None, "a region has a name, not None"),
        (b"parse", "a region has a name, not b'parse'"),
    ],
)
def test_what_is_no_name_is_refused_in_one_line(name, says):
    @forked
    def in_its_own_process() -> None:
        with pytest.raises(ArmprofError, match=says) as refused:
            armprof.region(name, CLOCK)
        assert "\n" not in str(refused.value)

    in_its_own_process()


@forked
def test_the_first_region_decides_what_all_of_them_count():
    armprof.region("first", ["task_clock", "page_faults"])
    assert list(armprof.region("second").counts) == ["task_clock", "page_faults"]
    assert armprof.region("third", ["faults", "task_clock"]).name == "third"  # the same events, named otherwise
    with pytest.raises(ArmprofError) as refused:
        armprof.region("fourth", CLOCK)
    assert (
        str(refused.value)
        == "the regions of this process count task_clock, page_faults; name the events in the first region() of it"
    )


@forked
def test_a_refused_first_region_does_not_decide_anything():
    with pytest.raises(ArmprofError, match="unknown event"):
        armprof.region("first", ["no such event"])
    assert list(armprof.region("first", CLOCK).counts) == CLOCK


@forked
def test_no_events_give_calls_and_times_alone():
    parse = armprof.region("parse", [])
    with parse:
        work()
    assert parse.calls == 1
    assert dict(parse.counts) == {}
    assert mean_of(parse, "ns") >= 1e6
    assert len(parse.to_frame()) == 0


@forked
def test_an_event_that_the_regions_do_not_count_has_no_spread():
    parse = armprof.region("parse", CLOCK)
    with parse:
        pass
    assert parse.per_call("page_faults") is None
    with pytest.raises(ArmprofError, match="unknown event 'tusk_clock'"):
        parse.per_call("tusk_clock")


@forked
def test_a_spread_is_found_under_every_name_of_its_event():
    parse = armprof.region("parse", ["faults"])
    with parse:
        pass
    assert parse.per_call("faults") == parse.per_call("page-faults") == Spread(0, 0, 0)


@forked
def test_there_is_room_for_255_regions():
    for number in range(255):
        armprof.region(f"region {number}", CLOCK)
    with pytest.raises(CannotCount, match="no room for region 'one too many': a process can have 255 of them"):
        armprof.region("one too many")
    assert armprof.region("region 254").name == "region 254"


@forked
def test_where_the_pmu_counts_nothing_times_and_faults_are_counted(tmp_path):
    """As where somebody else holds all its counters."""
    pmu = cpu_machines.core_pmu("armv8_pmuv3_0", 4242, "0", cpu_machines.announced_by("neoverse-n1"))
    files = cpu_machines.arm64({0: cpu_machines.NEOVERSE_N1}) | pmu
    machine().host = cpu.host(cpu_machines.write(tmp_path, files))  # no such PMU in this kernel
    parse = armprof.region("parse")
    with parse:
        work()
    assert counted(parse) >= 1e6
    assert parse.counts["page_faults"].status is Status.COUNTED
    assert parse.counts["cpu_cycles"].value is None
    assert parse.counts["cpu_cycles"].reason


@forked
@here_without_pmu
def test_without_a_pmu_times_and_faults_are_counted_and_the_metrics_have_the_reason():
    parse = armprof.region("parse")
    with parse:
        work()
    assert counted(parse) >= 1e6
    assert counted(parse, "page_faults") >= 0
    assert parse.metrics.cycles_per_instruction is None
    assert "no PMU" in str(parse.metrics.explain("cycles_per_instruction").reason)


@forked
def test_an_event_that_cannot_be_opened_does_not_hinder_the_others():
    parse = armprof.region("parse", ["duration_time", "task_clock"])
    with parse:
        work()
    assert parse.counts["duration_time"].status is Status.UNSUPPORTED
    assert parse.per_call("duration_time") is None
    assert counted(parse) >= 1e6


# ---- how it reads ----------------------------------------------------------------------------------------------------


@forked
def test_it_reads_as_calls_times_and_counts():
    parse = armprof.region("parse", CLOCK)
    assert repr(parse).startswith("<Region 'parse': 0 calls>\nReading from pmu; region 'parse', 0 calls, user mode")
    with parse:
        work()
    first, second, third = repr(parse).splitlines()
    assert first.startswith("<Region 'parse': 1 call, ")
    assert " ns each (" in first
    assert second.startswith("Reading from pmu; region 'parse', 1 call, user mode; read(); ")
    assert third.split()[0] == "task_clock"
    assert "task_clock" in parse._repr_html_()


@forked
def test_a_name_cannot_break_the_table_for_notebooks():
    parse = armprof.region("<b>&", CLOCK)
    assert "&lt;b&gt;&amp;" in parse._repr_html_()
    assert "<b>" not in parse._repr_html_()


@forked
def test_its_frame_has_totals_and_the_spread_of_a_call():
    parse = armprof.region("parse", ["task_clock", "page_faults", "duration_time"])
    for _ in range(4):
        with parse:
            work()
    frame = parse.to_frame()
    assert list(frame.index) == ["task_clock", "page_faults", "duration_time"]
    columns = ["mean_per_call", "smallest_per_call", "largest_per_call"]
    assert list(frame.columns[-3:]) == columns
    clock = frame.loc["task_clock"]
    assert 1e6 <= clock.smallest_per_call <= clock.mean_per_call <= clock.largest_per_call <= clock.value
    assert frame.loc["duration_time", [*columns, "value"]].isna().all()
    assert [str(frame[column].dtype) for column in columns] == ["float64"] * 3


# ---- nothing is left behind ------------------------------------------------------------------------------------------


@forked
def test_entering_and_leaving_makes_no_objects():
    parse = armprof.region("parse", CLOCK)
    with parse:
        pass
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(10_000):
        with parse:
            pass
    assert len(gc.get_objects()) - before < 10
    assert parse.calls == 10_001


@forked
def test_a_thread_whose_counters_cannot_be_opened_is_not_taken_for_one_that_did_nothing():
    parse = armprof.region("parse", CLOCK)
    with parse:
        work(5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 1000))  # no further descriptor
    read = []

    def run() -> None:
        with parse:
            work(5)
        read.append(parse.reading)

    run_together(run)
    for reading in (*read, parse.reading):
        count = reading["task_clock"]
        assert count.status is Status.SCALED
        assert count.coverage is not None
        assert 0 < count.coverage < 1
        assert any("1 of 2 threads could not open these events" in note for note in reading.notes)
    assert parse.calls == 2
    spread = parse.per_call("task_clock")
    assert spread is not None
    assert (spread.smallest, spread.largest) == (None, None)
    assert spread.mean >= 4e6
