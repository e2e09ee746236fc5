"""What tests of counting on any machine have in common: the thread's own time, spent and counted."""

from __future__ import annotations

import time

import pytest

import armprof
from armprof import Status
from armprof.counters.machine import machine

CLOCK = ["task_clock"]
here_without_pmu = pytest.mark.skipif(bool(machine().host.pmus), reason="this machine has a PMU")


def work(milliseconds: float = 1) -> None:
    """Spends this much of the thread's own time, however busy the machine is."""
    until = time.thread_time() + milliseconds / 1000 * 1.25  # the event leaves out what interrupts took
    while time.thread_time() < until:
        pass


def counted(by: armprof.Measurement | armprof.Region, event: str = "task_clock") -> float:
    count = by.counts[event]
    assert count.status is Status.COUNTED, count
    assert count.value is not None
    return count.value
