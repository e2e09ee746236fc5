"""What the regions of a C or C++ program have left in a file (csrc/counters/output.c), as a Run.

The file holds sums as they were summed; what they mean is said here and in `armprof.counters.sums`, once for these and for
the regions of Python. regions.schema.json describes it.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from armprof.counters.machine import PERF_TYPE_SOFTWARE, SOFTWARE, EventTarget, Machine
from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal, explain
from armprof.counters.sums import Empty, Health, RegionCounters, Slot, Sums, Totals, empty_of, times
from armprof.cpu import Host, Pmu, event, events
from armprof.cpu.detect import is_perfmon
from armprof.cpu.pmu import core_of
from armprof.cpu.sysfs import parse_cpus
from armprof.cpu.tables import core_for_midr
from armprof.run.codec import MismatchError, decode
from armprof.run.here import described
from armprof.run.record import Component, Latency, Run

FORMAT = "armprof-regions"
VERSION = 1

NO_PERCENTILES = "a region keeps the mean, the least and the most of its times, not each of them"


@dataclass(frozen=True, slots=True)
class _Pmu:
    name: str
    type: int
    cpus: str | None  # as sysfs lists them
    midr: str | None  # of the first of them


@dataclass(frozen=True, slots=True)
class _Host:
    arch: str
    kernel: str
    cpus: int
    perf_event_paranoid: str | None
    perf_user_access: str | None
    capabilities: str | None
    seccomp: str | None
    pmus: tuple[_Pmu, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    type: int
    config: int
    kernel: bool
    group: int
    access: str
    error: str | None


@dataclass(frozen=True, slots=True)
class _Missing:
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class _Empty:
    ns: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Region(Totals):
    name: str


@dataclass(frozen=True, slots=True)
class _Part:
    """What one copy of the library, of those that a process may hold, has summed."""

    host: _Host
    created: str
    program: str
    pid: int
    health: Health
    events: tuple[_Event, ...]
    missing: tuple[_Missing, ...]
    empty: _Empty | None
    regions: tuple[_Region, ...]


@dataclass(frozen=True, slots=True)
class _File:
    parts: tuple[_Part, ...]


def run_of(data: Mapping[str, Any]) -> Run:
    """The regions of the file as components. Raises MismatchError."""
    file: _File = decode(_File, data)
    if not file.parts:
        raise MismatchError("$.parts", "at least one part", [])
    components: list[Component] = []
    notes: list[str] = []
    for number, part in enumerate(file.parts):
        _check(part, f"$.parts[{number}]")
        counted = _counted(part, Machine(_host(part.host)))
        empty = empty_of(counted.slots, part.empty.events, part.empty.ns) if part.empty else Empty({}, 0)
        components += (_component(region, part, counted, empty) for region in part.regions)
        notes += _notes(part)
    last = file.parts[-1]
    return Run(tuple(components), described(_host(last.host)), last.created, notes=tuple(dict.fromkeys(notes)))


def _component(region: _Region, part: _Part, counted: RegionCounters, empty: Empty) -> Component:
    sums = Sums(region.name, counted, region, empty, part.health)
    time = sums.spread("ns")
    return Component(
        name=region.name,
        title=f"region of {part.program}",
        kind="region",
        operation="call",
        reading=sums.reading,
        reading_operations=sums.outermost,
        latency=Latency(
            mean_ns=time.mean,
            p50_ns=None,
            p95_ns=None,
            p99_ns=None,
            p999_ns=None,
            max_ns=time.largest or 0.0,
            samples=sums.outermost,
            batch=1,
            clock_cost_ns=empty.cost_ns,
            min_ns=time.smallest,
            reason=NO_PERCENTILES,
        )
        if time
        else None,
    )


def _notes(part: _Part) -> Iterator[str]:
    threads = part.health.threads
    yield (
        f"process {part.pid} of {part.program}: regions of {threads:,} thread{'s' * (threads != 1)}, "
        + (f"an empty one of {part.empty.ns:,} ns subtracted from each call" if part.empty else "nothing subtracted")
    )
    if part.health.inside:
        inside = part.health.inside
        yield f"{times(inside)} of regions {'was' if inside == 1 else 'were'} never left; nothing of that is in the sums"


# What was counted


def _counted(part: _Part, machine: Machine) -> RegionCounters:
    names: list[str] = []
    targets: dict[str, EventTarget] = {}
    slots: dict[str, tuple[int, ...]] = {}
    for number, one in enumerate(part.events):
        name = _free(_name(one, machine), one.type, targets)
        if name not in targets:
            names.append(name)
        attrs = (*(targets[name].attrs if name in targets else ()), (one.type, one.config))
        unit = event(name).unit if one.type == PERF_TYPE_SOFTWARE and name in SOFTWARE else ""
        targets[name] = EventTarget(name, attrs, one.kernel, unit)
        slots[name] = (*slots.get(name, ()), number)
    refused = {m.name: _absent(m, machine) for m in part.missing if m.name not in targets}
    opened = [
        Slot(
            one.group,
            one.access,
            None if one.error is None else _refusal(one.error, machine, one.kernel, one.type == PERF_TYPE_SOFTWARE),
        )
        for one in part.events
    ]
    return RegionCounters(machine, [*names, *refused], refused, targets, slots, opened)


def _name(one: _Event, machine: Machine) -> str:
    if one.type == PERF_TYPE_SOFTWARE:
        known = (name for name, (config, _) in SOFTWARE.items() if config == one.config)
    else:
        known = (name for pmu in _pmus(machine.host) if (name := pmu.name_of(one.type, one.config)))
    return next(known, f"event {one.config:#x} of PMU {one.type}")


def _pmus(host: Host) -> Sequence[Pmu]:
    """The core PMUs; where there is none, one that knows what the generic events of perf mean."""
    generic = Pmu("cpu", 0, (), core_of("cpu", host.arch, (), {}))
    return host.pmus or ((generic,) if not host.is_arm64 else ())


def _free(name: str, kind: int, targets: Mapping[str, EventTarget]) -> str:
    """The name, numbered where the program counts the same event on the same PMU already."""
    found, number = name, 1
    while found in targets and any(kind == other for other, _ in targets[found].attrs):
        number += 1
        found = f"{name} ({number})"
    return found


def _refusal(error: str, machine: Machine, kernel: bool, is_software: bool) -> Refusal:
    if not machine.host.pmus and not is_software:
        return machine.no_pmu()
    # Named in the file, because the numbers are not the same on every system that may read it.
    number = getattr(errno, error, None) if error.startswith("E") else int(error)
    if number is None:
        return Refusal(Status.NOT_COUNTED, f"the kernel refused it: {error}")
    return explain(number, machine.host, kernel)


def _absent(missing: _Missing, machine: Machine) -> Refusal:
    """Why an event that was wanted by name could not be opened at all."""
    known = events().get(missing.name)
    if known is None:
        return Refusal(Status.UNSUPPORTED, "no event of that name is known", "`armprof events` lists them")
    return _refusal(missing.error, machine, False, known.kind == "software")


def _host(facts: _Host) -> Host:
    pmus = []
    cores: dict[str, tuple[int, ...]] = {}
    for pmu in facts.pmus:
        cpus = parse_cpus(pmu.cpus or "")
        midr = _number(pmu.midr)
        midrs = {} if midr is None else dict.fromkeys(cpus, midr)
        pmus.append(Pmu(pmu.name, pmu.type, cpus, core_of(pmu.name, facts.arch, cpus, midrs)))
        if midr is not None:
            core = core_for_midr(midr)
            title = f"{core.title} {core.revision}"
            cores[title] = (*cores.get(title, ()), *cpus)
    return Host(
        arch=facts.arch,
        kernel=facts.kernel,
        cpus=facts.cpus,
        model="",
        cores=cores,
        core=pmus[0].core if pmus and pmus[0].core.known else None,
        pmus=tuple(pmus),
        perf_event_paranoid=_number(facts.perf_event_paranoid),
        perf_user_access=_number(facts.perf_user_access),
        seccomp=None if facts.seccomp is None else facts.seccomp == "2",
        perfmon=is_perfmon(facts.capabilities or ""),
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        return None


# What the types do not say


def _check(part: _Part, path: str) -> None:
    _check_numbers(part, path)
    count = len(part.events)
    for number, region in enumerate(part.regions):
        where = f"{path}.regions[{number}]"
        if len(region.events) != count:
            raise MismatchError(f"{where}.events", f"as many as there are events ({count})", len(region.events))
        if any(event.group >= len(region.lost_ns) for event in part.events):
            raise MismatchError(f"{where}.lost_ns", "a number for each group", len(region.lost_ns))
    if part.empty and len(part.empty.events) != count:
        raise MismatchError(f"{path}.empty.events", f"as many as there are events ({count})", len(part.empty.events))
    for number, one in enumerate(part.events):
        if one.access not in ("closed", "user64", "user32", "syscall"):
            raise MismatchError(f"{path}.events[{number}].access", "closed, user64, user32 or syscall", one.access)
        _check_error(one.error, f"{path}.events[{number}]")
    for number, missing in enumerate(part.missing):
        _check_error(missing.error, f"{path}.missing[{number}]")


def _check_error(error: str | None, path: str) -> None:
    if error is not None and not re.fullmatch(r"E[A-Z0-9]{1,30}|[0-9]{1,6}", error):
        raise MismatchError(f"{path}.error", "the name or number of an errno", error)


def _check_numbers(value: object, path: str) -> None:
    """Whatever is a number in the file has 64 bits and no sign."""
    if isinstance(value, int) and not 0 <= value < 1 << 64:
        raise MismatchError(path, "a whole number from 0 to 2^64 - 1", value)
    if isinstance(value, tuple):
        for number, one in enumerate(value):
            _check_numbers(one, f"{path}[{number}]")
    if is_dataclass(value):
        for field in fields(value):
            _check_numbers(getattr(value, field.name), f"{path}.{field.name}")
