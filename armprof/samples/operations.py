"""Operations that SPE sampled, as Samples with functions and lines, and what they say of memory as a Reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from armprof import cpu
from armprof.counters.reading import Fact, Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.samples import spe
from armprof.samples.perfdata import Mapped, Recorded
from armprof.samples.profile import Frame, Row, Samples, Thread
from armprof.samples.trace import EXACT, Sampled

# What is told of places: of which operations, and what one counts for beside the operations that it stands for.
LATENCY = "spe_load_latency"
Weight = Callable[[spe.Record], int]


def _once(event: str) -> Weight:
    return lambda record: event in record.events


EVENTS: Mapping[str, Weight] = {
    LATENCY: lambda record: record.latency.get("total", 0) if record.operation == "load" else 0,
    "spe_l1d_refill": _once("l1d_refill"),
    "spe_llc_miss": _once("llc_miss"),
    "spe_remote_access": _once("remote"),
    "spe_tlb_walk": _once("tlb_walk"),
    "spe_mispredicted": _once("mispredicted"),
    "spe_operation": lambda record: 1,
}

# What answered a load, by the data source packet of cores of this encoding: tools/perf/util/arm-spe.c and arm-spe-decoder.h of
# Linux 6.1 to 6.13, "common data source encoding". Of other cores the architecture's event tells: no cache had it. What another
# chip answered is not among them: that may be its memory or a cache of its.
COMMON = ("neoverse-n1", "neoverse-n2", "neoverse-v1", "neoverse-v2")
DRAM = 0xE
NOT_COUNTED = "SPE samples operations, and counts none"
KERNEL = 1 << 63
NO_KERNEL = 0xFFFFFFFF  # the process that perf says the kernel's mappings are of


@dataclass
class _Memory:
    """Sampled loads that memory answered, and how long they took."""

    loads: int = 0
    answered: int = 0
    cycles: int = 0

    def add(self, record: spe.Record, is_common: bool) -> None:
        if record.operation != "load" or "total" not in record.latency:
            return
        self.loads += 1
        known = is_common and record.source is not None
        if record.source == DRAM if known else "llc_miss" in record.events:
            self.answered += 1
            self.cycles += record.latency["total"]

    @property
    def mean(self) -> float | None:
        """Cycles from dispatch to completion."""
        return self.cycles / self.answered if self.answered else None

    @property
    def words(self) -> str:
        if self.mean is None:
            return f"none of {self.loads:,} sampled loads was answered by memory"
        return (
            f"{self.answered:,} of {self.loads:,} sampled loads were answered by memory, after {self.mean:,.0f} cycles on "
            "average, from dispatch to completion"
        )


@dataclass
class _Tally:
    """By event, thread and address of the instruction: how many, and what they count for."""

    rows: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)
    memory: _Memory = field(default_factory=_Memory)
    broken: int = 0
    operations: int = 0


def samples(
    found: Recorded, origin: str, core: cpu.Core | None = None, tell: Callable[[float], object] = lambda done: None
) -> Samples:
    """What was sampled, with the names that the files which are here tell. ``core`` where the recording does not name it;
    ``tell`` is called with the part that is read.

    Raises ArmprofError where there is no whole record.
    """
    core = core or (cpu.core_for_midr(found.midr) if found.midr is not None else None)
    tally = _tally(found, core, tell)
    if not tally.operations:
        raise ArmprofError(f"{origin} has no whole record of SPE: nothing ran in what was sampled")
    places, notes = _places(found, tally)
    frames: dict[Frame, int] = {}
    stacks: dict[tuple[int, ...], int] = {}
    threads: dict[Thread, int] = {}
    rows: dict[tuple[int, int, int], tuple[int, int]] = {}
    events = [event for event in EVENTS if any(event == of for of, _, _ in tally.rows)]
    for (event, tid, pc), (count, weight) in tally.rows.items():
        stack = tuple(frames.setdefault(frame, len(frames)) for frame in places[tid, pc])
        thread = Thread(found.process_of.get(tid, tid), tid, found.names.get(tid, ""))
        key = events.index(event), threads.setdefault(thread, len(threads)), stacks.setdefault(stack, len(stacks))
        before = rows.get(key, (0, 0))
        rows[key] = before[0] + count, before[1] + weight * (found.period or 1)
    every = f"one of {found.period:,} operations" if found.period else "as perf was told"
    return Samples(
        events=tuple(Sampled(e, uncounted(e, Status.NOT_COUNTED, NOT_COUNTED), every, EXACT) for e in events),
        frames=tuple(frames),
        stacks=tuple(stacks),
        threads=tuple(threads),
        rows=tuple(Row(*key, *counts) for key, counts in rows.items()),
        losses=None,
        duration_ns=None,
        reading_ns=None,
        command=origin,
        source="imported",
        notes=(*notes, *_notes(found, tally)),
        reading=_reading(tally, core),
    )


def _tally(found: Recorded, core: cpu.Core | None, tell: Callable[[float], object]) -> _Tally:
    tally, is_common = _Tally(), core is not None and core.name in COMMON
    only = _only_thread(found)
    for number, (content, thread) in enumerate(found.chunks):
        tell(number / len(found.chunks))
        decoded = spe.decode(content)
        tally.broken += decoded.broken
        for record in decoded.records:
            if record.pc is None:
                tally.broken += 1
                continue
            tally.operations += 1
            tally.memory.add(record, is_common)
            known = record.context in found.process_of or record.context in found.mappings
            tid = record.context if known and record.context is not None else thread if thread is not None else only
            for event, weight_of in EVENTS.items():
                if weight := int(weight_of(record)):
                    count, before = tally.rows.get((event, tid, record.pc), (0, 0))
                    tally.rows[event, tid, record.pc] = count + 1, before + weight
    return tally


def _only_thread(found: Recorded) -> int:
    """Whose the records are that do not say it, where that can be nobody else; 0: it is not known."""
    processes = [pid for pid, mappings in found.mappings.items() if mappings is not None and pid not in (NO_KERNEL, 0)]
    return processes[0] if len(processes) == 1 else 0


# ---- places -----------------------------------------------------------------------------------------------------------


def _places(found: Recorded, tally: _Tally) -> tuple[dict[tuple[int, int], tuple[Frame, ...]], list[str]]:
    """The frames at each address of each thread, what is inlined first; and which files are not those that were recorded."""
    import numpy as np

    from armprof.binary import Mapping as Mapping_
    from armprof.binary import Space
    from armprof.samples.names import frames_at

    wanted: dict[int, dict[int, set[int]]] = {}  # process -> address -> threads
    for _, tid, pc in tally.rows:
        wanted.setdefault(found.process_of.get(tid, tid), {}).setdefault(pc, set()).add(tid)
    places: dict[tuple[int, int], tuple[Frame, ...]] = {}
    others: dict[str, str] = {}
    for pid, threads_at in wanted.items():
        mappings = found.mapped(pid)
        space = Space(Mapping_(m.start, m.start + m.length, m.offset, m.path) for m in mappings)
        addresses = np.array(sorted(threads_at), np.uint64)
        for tid, pc in ((tid, pc) for pc, tids in threads_at.items() for tid in tids):
            places[tid, pc] = (Frame("[kernel]" if pc >= KERNEL else "", pc),)
        others |= {m.path: told for m in mappings if (told := _is_another(m)) is not None}
        for path, which, offsets in space.offsets(addresses):
            module = path if path not in others else Path(path).name  # a name that is of no file here
            for number, frames in zip(which.tolist(), frames_at(module, offsets.tolist()), strict=True):
                pc = int(addresses[number])
                places |= {(tid, pc): frames for tid in threads_at[pc]}
    return places, [f"{path} {told}, so no names are told of it" for path, told in others.items()]


def _is_another(mapping: Mapped) -> str | None:
    """Why the file here is not the one that was mapped; None where it is, or nothing says otherwise."""
    from armprof.binary import Binary

    if not mapping.path.startswith("/") or mapping.path.startswith("//"):
        return None
    try:
        here = Binary(Path(mapping.path)).elf.build_id
    except ArmprofError:
        return "is not here"
    return "is another one here (its build id differs)" if mapping.build_id and here != mapping.build_id else None


# ---- the whole --------------------------------------------------------------------------------------------------------


def _reading(tally: _Tally, core: cpu.Core | None) -> Reading:
    """What the sampled operations tell of memory: `memory_latency_ns` is formed of it."""
    memory = tally.memory
    latency = Fact(memory.mean, "cycles", memory.words)
    return Reading(
        {},
        source="imported",
        core=core.name if core is not None and core.known else None,
        scope="sampled operations",
        access="perf.data, SPE",
        facts={"loaded_latency_cycles": latency, "core_ghz": _clock(core)},
    )


def _clock(core: cpu.Core | None) -> Fact:
    """The clock that latencies in cycles are of: known where all machines with the core have one."""
    if core is None or not core.clocks_ghz:
        title = "the core that was sampled" if core is None else core.title
        return Fact(None, "GHz", f"the clock of {title} is not known: a latency stays one in cycles")
    clocks = set(core.clocks_ghz.values())
    told = ", ".join(f"{ghz:g} GHz in {product}" for product, ghz in core.clocks_ghz.items())
    if len(clocks) > 1:
        return Fact(None, "GHz", f"{core.title} runs at {told}, and which machine this was is not told")
    return Fact(clocks.pop(), "GHz", f"at the highest clock of {core.title}, {told}")


def _notes(found: Recorded, tally: _Tally) -> Iterator[str]:
    yield "imported from perf.data: addresses are looked up in what was mapped at the end"
    yield tally.memory.words
    never = [event for event in EVENTS if not any(event == of for of, _, _ in tally.rows)]
    if never:
        yield f"of none of {tally.operations:,} sampled operations: {', '.join(never)}"
    if tally.broken:
        yield f"{tally.broken:,} bytes were of no whole record"
    if found.truncated:
        yield f"the buffer was full {found.truncated:,} times, so samples are missing: perf record -m ,16M makes it larger"
    if found.collisions:
        yield f"samples collided in {found.collisions:,} stretches, so some are missing: perf record -c takes fewer"
