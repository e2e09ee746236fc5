"""Trying what can be counted here: each answer comes from having done it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from armprof.counters.machine import machine
from armprof.counters.plan import Capacity
from armprof.counters.reading import Reading

if TYPE_CHECKING:
    from armprof.counters.pmu import Scope


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried. ``reason`` and ``remedy`` where it did not go."""

    what: str
    ok: bool
    detail: str = ""
    reason: str = ""
    remedy: str = ""


def probe() -> list[Probe]:
    """What this process can count, in the order in which it matters. CannotCount without the native module."""
    return [*_counters(), _user_reads(), _events("software events", "task_clock"), _kernel(), _inherited()]


def _counters() -> list[Probe]:
    here = machine()
    if not here.host.pmus:
        refusal = here.no_pmu()
        return [Probe("hardware counters", False, reason=refusal.reason, remedy=refusal.remedy)]
    found = []
    for each in here.host.pmus:
        what = f"hardware counters of {each.name}"
        budget = here.budget(each)
        if isinstance(budget, Capacity):
            besides = ", and the cycle counter besides" if budget.cycles_besides else ", cycles among them"
            found.append(Probe(what, True, f"{budget.counters} events in one group{besides}"))
        else:
            found.append(Probe(what, False, reason=budget.reason, remedy=budget.remedy))
    return found


def _reading(event: str, scope: Scope = "thread") -> Reading:
    # here and not at the top, where a missing native module would stop whoever imports this
    from armprof.counters import pmu

    counters = pmu.Counters(pmu.layout_of(((event,),)), scope)
    try:
        before, after = counters.new_sample(), counters.new_sample()
        counters.take_first(before)
        sum(range(1000))
        counters.take(after)
        return counters.reading(before, after)
    finally:
        counters.close()


def _user_reads() -> Probe:
    what = "reads in user space, without a system call"
    host = machine().host
    if not host.pmus or not isinstance(machine().budget(), Capacity):
        return Probe(what, False, reason="there is no hardware counter to read")
    if not host.is_arm64:
        return Probe(what, False, reason="on ARM64 alone; counters are read by read() here")
    access = _reading("cpu_cycles").access
    if access.startswith("user reads"):
        return Probe(what, True, access.removeprefix("user reads ").strip("()").split("),")[0])
    if host.perf_user_access == 0:
        return Probe(what, False, reason="kernel.perf_user_access is 0", remedy="sudo sysctl kernel.perf_user_access=1")
    if host.perf_user_access is None:
        return Probe(what, False, reason="Linux before 5.17 has none, so counters are read by read()")
    return Probe(
        what,
        False,
        reason="kernel.perf_user_access allows them, and the kernel does not offer them for this PMU",
    )


def _events(what: str, event: str, scope: Scope = "thread") -> Probe:
    count = _reading(event, scope).counts[event]
    if count.value is not None:
        return Probe(what, True, event)
    reason, _, remedy = (count.reason or "").partition("; ")
    return Probe(what, False, reason=reason, remedy=remedy)


def _kernel() -> Probe:
    return _events("what happens in kernel mode", "context_switches")


def _inherited() -> Probe:
    return _events("this process with its threads and children", "task_clock", "process")
