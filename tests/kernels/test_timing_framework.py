"""The arithmetic of stamps: frequencies, steps and conversions of counters that no machine at hand has.

tests/kernels/test_timing.c has the clock of the machine itself.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from armprof import _native

ffi, lib = _native.ffi, _native.lib

SECOND = 10**9
frequencies = st.integers(1_000_000, 5_000_000_000)
stamps = st.integers(0, 2**63)


def anchors(frequency: float, ns: tuple[int, int, int], width: int = 0, start: int = 12345) -> Any:
    return ffi.new("ap_timing_anchor[3]", [(start + round(t * frequency / SECOND), t, width) for t in ns])


def fitted(moments: Any, stated: int = 0) -> Any:
    timing = ffi.new("ap_timing *")
    lib.ap_timing_fit(timing, moments, stated)
    return timing


def why(timing: Any) -> str:
    return ffi.string(timing.why).decode()


MOMENTS = (10**12, 10**12 + 10_000_000, 10**12 + 20_000_000)


@given(frequencies)
def test_a_stated_frequency_that_measurement_confirms_is_taken_as_it_is(frequency: int) -> None:
    timing = fitted(anchors(frequency, MOMENTS), stated=frequency)
    assert timing.source == lib.AP_TIMING_COUNTER
    assert timing.ticks_per_second == pytest.approx(frequency, rel=1e-15)
    assert timing.multiplier == (SECOND * 2**54 + frequency // 2) // frequency
    assert "processor states" in why(timing)


@given(frequencies)
def test_a_stated_frequency_that_measurement_contradicts_is_not_believed(frequency: int) -> None:
    """Firmware that never set CNTFRQ, or set another board's."""
    timing = fitted(anchors(frequency, MOMENTS), stated=frequency + frequency // 1000)
    assert timing.ticks_per_second == pytest.approx(frequency, rel=timing.error_ppm * 1e-6)
    assert why(timing).endswith("the processor states another one")


@given(frequencies, st.integers(0, 200), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_a_measured_frequency_is_within_its_error(
    frequency: int, width: int, first: float, middle: float, last: float
) -> None:
    """Each moment may lie anywhere in its bracket."""
    moments = anchors(frequency, MOMENTS, width)
    for moment, shift in zip(moments, (first, middle, last), strict=True):
        moment.ticks += int(width * shift)
    timing = fitted(moments)
    assert timing.source == lib.AP_TIMING_COUNTER
    assert timing.ticks_per_second == pytest.approx(frequency, rel=timing.error_ppm * 1e-6)


def test_a_longer_calibration_bounds_the_error_more_tightly() -> None:
    short = fitted(anchors(2.6e9, MOMENTS, width=90))
    long = fitted(anchors(2.6e9, (0, SECOND // 2, SECOND), width=90))
    assert long.error_ppm < short.error_ppm / 40


@given(frequencies, st.floats(1.001, 10))
def test_a_counter_that_changes_its_pace_is_not_used(frequency: int, faster: float) -> None:
    moments = anchors(frequency, MOMENTS)
    moments[2].ticks = moments[1].ticks + int((moments[1].ticks - moments[0].ticks) * faster)
    timing = fitted(moments)
    assert timing.source == lib.AP_TIMING_SYSTEM
    assert why(timing) == "system clock: the counter does not run evenly beside it"


@pytest.mark.parametrize("ticks", [(5, 5, 5), (5, 5, 6), (5, 6, 6), (6, 5, 7), (5, 7, 6), (7, 6, 5)])
def test_a_counter_that_stands_still_or_goes_back_is_not_used(ticks: tuple[int, int, int]) -> None:
    moments = ffi.new("ap_timing_anchor[3]", [(t, ns, 0) for t, ns in zip(ticks, MOMENTS, strict=True)])
    timing = fitted(moments)
    assert timing.source == lib.AP_TIMING_SYSTEM
    assert "does not advance" in why(timing)


@pytest.mark.parametrize("ns", [(5, 5, 6), (5, 6, 6), (6, 5, 7), (5, 7, 6)])
def test_moments_that_are_not_in_order_say_nothing_of_a_counter(ns: tuple[int, int, int]) -> None:
    moments = ffi.new("ap_timing_anchor[3]", [(1000 * i, t, 0) for i, t in enumerate(ns)])
    assert fitted(moments).source == lib.AP_TIMING_SYSTEM


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="ARM64 has no counter that may not be used")
def test_the_time_stamp_counter_is_used_where_processor_and_kernel_vouch_for_it() -> None:
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    sources = Path("/sys/devices/system/clocksource/clocksource0/available_clocksource")
    timing = ffi.new("ap_timing *")
    lib.ap_timing_init(timing, lib.AP_TIMING_COUNTER, 1_000_000)
    if not flags or "nonstop_tsc" not in flags[1].split():  # the kernel's name for the same bit
        assert "does not call its time stamp counter invariant" in why(timing)
    elif sources.exists() and "tsc" not in sources.read_text():
        assert "the kernel has given up" in why(timing)
    else:
        assert why(timing) in (
            "counter, at a measured frequency",
            "system clock: the counter does not run evenly beside it",  # a virtual machine that was moved, say
        )


def test_a_counter_too_slow_for_the_conversion_is_not_used() -> None:
    timing = fitted(anchors(900_000, (0, SECOND, 2 * SECOND)))
    assert timing.source == lib.AP_TIMING_SYSTEM
    assert "longer than a microsecond" in why(timing)
    assert fitted(anchors(1_000_000, (0, SECOND, 2 * SECOND))).source == lib.AP_TIMING_COUNTER


@given(frequencies, stamps, st.integers(0, 2**62))
def test_an_elapsed_time_is_the_exact_one_rounded_down(frequency: int, start: int, ticks: int) -> None:
    assume(ticks * SECOND // frequency < 2**63)
    timing = fitted(anchors(frequency, MOMENTS), stated=frequency)
    found = lib.ap_timing_elapsed_ns(timing, start, start + ticks)
    assert found == ticks * timing.multiplier >> 54
    # Half a unit of the multiplier's last place for each tick, and the rounding down.
    assert abs(found - ticks * SECOND / frequency) <= 1 + ticks / 2**55 + ticks * SECOND / frequency * 1e-15


def test_a_year_of_a_5_ghz_counter_is_off_by_no_more_than_5_ns() -> None:
    year = 365 * 86_400
    for frequency in range(4_999_999_900, 5_000_000_000):
        timing = fitted(anchors(frequency, MOMENTS), stated=frequency)
        assert abs(lib.ap_timing_elapsed_ns(timing, 0, year * frequency) - year * SECOND) <= 5


@given(frequencies, stamps, st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_later_stamp_is_never_an_earlier_time(frequency: int, start: int, one: int, more: int) -> None:
    timing = fitted(anchors(frequency, MOMENTS), stated=frequency)
    timing.base_ticks = start
    assert lib.ap_timing_ns(timing, start + one) <= lib.ap_timing_ns(timing, start + one + more)
    assert lib.ap_timing_ns(timing, start) == timing.base_ns


def step(readings: list[int], is_rounded: bool = False) -> int:
    return lib.ap_timing_step(ffi.new("uint64_t[]", readings), len(readings), is_rounded)  # type: ignore[no-any-return]


@given(st.integers(1, 1000), stamps, st.lists(st.integers(1, 20), min_size=1, max_size=50))
def test_a_counter_read_slower_than_it_steps_shows_its_step_as_common_divisor(
    size: int, start: int, steps: list[int]
) -> None:
    """One that says 1 GHz and steps by 32, read every other nanosecond or every hundred."""
    readings = [start]
    for count in steps:
        readings.append(readings[-1] + count * size)
    assert step(readings) == size * math.gcd(*steps)


@given(st.integers(1, 1000), st.integers(2, 20), st.integers(0, 10**9))
def test_a_counter_read_faster_than_it_steps_shows_it_in_the_smallest_step(size: int, reads: int, start: int) -> None:
    assert step([start + i // reads * size for i in range(100)]) == size


def test_steps_that_were_rounded_have_no_common_divisor() -> None:
    """1 MHz counted at 62.5 MHz, as an emulator does: 62 ticks or 63, never one."""
    assert step([i // 40 * 125 // 2 for i in range(1000)]) == 62
    assert step([0, 41, 83, 124, 166], is_rounded=True) == 41


def test_a_counter_that_stands_still_has_no_step() -> None:
    assert step([7] * 10) == 0
    assert step([7] * 10, is_rounded=True) == 0
    assert step([7]) == 0
