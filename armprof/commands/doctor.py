"""armprof doctor: what can be counted here, what cannot and why, and the command that changes it."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from armprof import cpu
from armprof.commands.progress import progress
from armprof.counters import memory
from armprof.counters.knees import levels
from armprof.counters.memory import Memory
from armprof.counters.probe import Probe, probe
from armprof.cpu.obstacles import Obstacle, obstacles
from armprof.cpu.sysfs import format_cpus
from armprof.errors import CannotCount
from armprof.report.contract import rendered
from armprof.report.memory import describe

FORMAT = "armprof-doctor"  # report/doctor.schema.json describes it
VERSION = 1


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", metavar="FORMAT", help="text, json (default: text)"
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="also measure the bandwidth and latency of memory, which takes some ten seconds, and keep the result",
    )


def run(args: argparse.Namespace) -> int:
    host = cpu.host()
    if args.measure:
        from armprof.components.memory import measure_memory  # which takes the native module

        with progress() as tell:
            memory.save(measure_memory(tell))
    known = memory.load(memory.machine_key(host))
    tried, opens = try_counters()
    limits = obstacles(host, opens)
    if args.format == "json":
        print(rendered(FORMAT, VERSION, as_json(host, tried, limits, known)), end="")
    else:
        width = min(shutil.get_terminal_size().columns, 100)
        print("\n".join(as_text(host, tried, limits, known, width)))
    return 0


def try_counters() -> tuple[list[Probe], bool | None]:
    """What was tried, and whether anything opened; None where nothing can be tried for want of the module."""
    try:
        tried = probe()
    except CannotCount as missing:
        reason = f"nothing was tried: {missing.reason}"
        return [Probe("counters", False, reason=reason, remedy=missing.remedy)], None
    return tried, any(p.ok for p in tried)


def as_json(
    host: cpu.Host, tried: Sequence[Probe], limits: Sequence[Obstacle], known: Memory | None = None
) -> dict[str, Any]:
    """What doctor knows, for programs. In ``machine`` null is what nothing tells; ``memory`` is null before it is measured."""
    return {
        "machine": {
            "arch": host.arch,
            "kernel": host.kernel,
            "cpus": host.cpus,
            "model": host.model,
            "cores": [{"core": title, "cpus": format_cpus(cpus)} for title, cpus in host.cores.items()],
            "virtual": host.virtual,
            "virtual_because": host.virtual_because,
            "container": host.container,
            "perf_event_paranoid": host.perf_event_paranoid,
            "perf_user_access": host.perf_user_access,
            "seccomp": host.seccomp,
            "perfmon": host.perfmon,
        },
        "pmus": [
            {
                "name": pmu.name,
                "type": pmu.type,
                "cpus": format_cpus(pmu.cpus),
                "core": pmu.core.name,
                "events_listed": len(pmu.events),
                "slots": pmu.slots,
            }
            for pmu in host.pmus
        ],
        "spe": list(host.spe),
        "memory": None
        if known is None
        else {**asdict(known), "levels": [asdict(level) for level in levels(known.loads)]},
        "tried": [asdict(p) for p in tried],
        "limits": [asdict(limit) for limit in limits],
    }


def as_text(
    host: cpu.Host,
    tried: Sequence[Probe],
    limits: Sequence[Obstacle],
    known: Memory | None = None,
    width: int = 80,
) -> Iterator[str]:
    """The lines of the report. Prose is wrapped; remedies are not, so that they can be copied."""
    yield from _wrapped("machine   ", host.describe(), width)
    for pmu in host.pmus:
        yield from _wrapped("PMU       ", _describe_pmu(pmu), width)
    if host.is_arm64:
        yield from _wrapped("SPE       ", _spe(host), width)
    yield from _wrapped("settings  ", ", ".join(_settings(host)), width)
    if known is None:
        yield from _wrapped("memory    ", f"not measured yet: `{memory.HOW}` measures its bandwidth and latency", width)
    else:
        for fact in describe(known, host.core):
            yield from _wrapped("memory    ", fact, width)
    yield ""
    yield "Tried here:"
    for each in tried:
        said = f"{each.what}: {each.detail if each.ok else each.reason}"
        yield from _wrapped("  yes  " if each.ok else "  no   ", said, width)
        if each.remedy and not any(each.remedy in limit.remedy for limit in limits):
            yield f"       -> {each.remedy}"
    yield ""
    if not limits:
        yield "The machine's settings put no limit on counting."
        return
    yield "What limits counting here, and what changes it:"
    for number, limit in enumerate(limits, start=1):
        yield from _wrapped(f"  {number}. ", limit.why, width)
        if limit.remedy:
            yield f"     -> {limit.remedy}"


def _spe(host: cpu.Host) -> str:
    """Whether the core's own sampling is there, and if not, why that may be."""
    if host.spe:
        name = host.spe[0]
        return (
            f"{', '.join(host.spe)}: the kernel has it; record with `perf record -e {name}//u -- CMD`, and armprof report "
            "perf.data tells the lines that wait for memory, and for how long"
        )
    if host.virtual:
        return "none: this virtual machine is not shown it; where the core has it, bare metal may"
    return (
        "none: the core has it not, the firmware does not tell of it, the kernel isolates its page tables (kpti=off changes "
        "that), or the module is not loaded (sudo modprobe arm_spe_pmu)"
    )


def _describe_pmu(pmu: cpu.Pmu) -> str:
    facts = [
        f"{pmu.name}: {pmu.core.title}",
        f"CPUs {format_cpus(pmu.cpus)}",
        f"{len(pmu.events)} events in sysfs",
    ]
    if pmu.slots:
        source = "specification" if pmu.core.slots else "caps/slots"
        facts.append(f"{pmu.slots} slots per cycle ({source})")
    return ", ".join(facts)


def _settings(host: cpu.Host) -> Iterator[str]:
    def told(value: int | None) -> str:
        return "absent" if value is None else str(value)

    yield f"perf_event_paranoid {told(host.perf_event_paranoid)}"
    if host.is_arm64:
        yield f"perf_user_access {told(host.perf_user_access)}"
    yield f"CAP_PERFMON {'unknown' if host.perfmon is None else 'yes' if host.perfmon else 'no'}"
    if host.seccomp:
        yield "seccomp filter on"
    if host.container:
        yield f"in a container ({host.container})"


def _wrapped(lead: str, prose: str, width: int) -> list[str]:
    return textwrap.wrap(prose, width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)
