"""What armprof knows of events and cores, read from the TOML files beside this module.

``events/*.toml`` hold codes and titles: ``architected.toml`` what the architecture defines, ``model.toml`` what
the modelled core tells besides, the others what one maker defined. ``cores/NAME.toml`` holds one core: which of
those events it has, and its sizes, each group of facts with its source. A name can have another code on one core
(STALL_FRONTEND_TLB is 0x815c, but 0xd20c on AmpereOne AC03 and 0xe2 on Cortex-A55), and a code another name (0x11c
is a BTB update on AmpereOne alone): ask a `Core`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from armprof.cpu import names
from armprof.cpu.pipeline import Pipeline
from armprof.errors import ArmprofError

Kind = Literal["architected", "implementation defined", "software", "modelled"]

# PMCEID0 and PMCEID1 announce events of these codes alone, and the kernel lists in sysfs what they announce.
ANNOUNCED = (range(0x0040), range(0x4000, 0x4040))


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``code`` is its number on a core PMU (perf_event_attr.config), None where no core PMU counts it."""

    name: str
    code: int | None
    title: str  # what one count stands for
    kind: Kind
    unit: str = ""  # "ns" for clocks

    @property
    def announced(self) -> bool:
        """Whether PMCEID, and so sysfs, says if the core has this event."""
        return self.code is not None and any(self.code in r for r in ANNOUNCED)


@dataclass(frozen=True, slots=True)
class Cache:
    """``size_kib`` and ``ways`` are None where the product decides; ``note`` then says what is known.

    ``model_kib`` is the size in one of the products, which the model takes.
    """

    line_bytes: int
    size_kib: int | None = None
    ways: int | None = None
    note: str = ""
    model_kib: int | None = None
    source: str = ""

    @property
    def modelled_kib(self) -> int | None:
        return self.size_kib or self.model_kib


@dataclass(frozen=True, slots=True)
class Tlb:
    entries: int
    ways: int | None = None  # None: fully associative
    source: str = ""


@dataclass(frozen=True, slots=True)
class Erratum:
    """``events`` count wrongly on revisions before ``fixed_in`` ("" = on all)."""

    id: str
    events: tuple[str, ...]
    effect: str
    source: str
    fixed_in: str = ""
    overcounts_per_cycle: int = 0  # where the effect is that simple, and can be subtracted

    def affects(self, revision: str | None) -> bool | None:
        """Whether a core of this revision has it; None where the revision would decide and is not known."""
        if not self.fixed_in:
            return True
        return None if revision is None else _revision_key(revision) < _revision_key(self.fixed_in)


@dataclass(frozen=True)
class Core:
    """One core design. Latencies are in core clock cycles. What no good source gives is None, or absent.

    It can be a key: what follows from a core alone is found once.
    """

    name: str  # "neoverse-n1"
    title: str  # "Neoverse N1"
    midrs: tuple[tuple[int, int], ...]  # (implementer, part number)
    products: tuple[str, ...] = ()
    width: int | None = None  # instructions that it can finish in a cycle at most: its slots where it has those
    slots: int | None = None  # per cycle, as in Arm's specification; None where the core has no STALL_SLOT events
    counters: int | None = None  # general-purpose event counters on bare metal; a guest may have fewer
    mispredict_cycles: int | None = None
    clocks_ghz: Mapping[str, float] = field(default_factory=dict, hash=False)  # product -> the highest it runs at
    caches: Mapping[str, Cache] = field(default_factory=dict, hash=False)  # l1i, l1d, l2, llc
    tlbs: Mapping[str, Tlb] = field(default_factory=dict, hash=False)  # l1i, l1d, l2
    load_cycles: Mapping[str, float] = field(
        default_factory=dict, hash=False
    )  # measured load-to-use: l1, l2, llc, dram
    pipeline: Pipeline | None = field(default=None, repr=False, hash=False)
    events: frozenset[str] = field(default=frozenset(), repr=False)
    errata: tuple[Erratum, ...] = ()
    sources: Mapping[str, str] = field(
        default_factory=dict, repr=False, hash=False
    )  # group of facts -> where it is from
    note: str = ""
    revision: str | None = None  # "r0p3"; None where nothing told
    known: bool = True  # False: no table for this MIDR, architected events alone
    own: Mapping[str, Event] = field(default_factory=dict, repr=False, hash=False)  # its implementation-defined events

    def has(self, event: str) -> bool:
        """Whether the core's own list names the event. Whether this machine can count it is `Pmu.has`."""
        return event in self.events

    def event(self, name: str) -> Event | None:
        """The event as this core has it, with this core's code; None where it has none."""
        if name not in self.events:
            return None
        return self.own.get(name) or architected()[name]

    def code(self, event: str) -> int | None:
        found = self.event(event)
        return found.code if found else None

    def event_of_code(self, code: int) -> Event | None:
        found = (self.event(name) for name in self.events)
        return next((e for e in found if e is not None and e.code == code), None)

    def errata_of(self, event: str) -> tuple[Erratum, ...]:
        """The errata that touch the event on this revision, or may do so where the revision is unknown."""
        return tuple(e for e in self.errata if event in e.events and e.affects(self.revision) is not False)

    @property
    def stall_slot_overcounts(self) -> bool | None:
        """Whether STALL_SLOT is CPU_CYCLES too high (Neoverse N2 before r0p3); None: revision unknown."""
        for erratum in self.errata:
            if erratum.overcounts_per_cycle and "stall_slot" in erratum.events:
                return erratum.affects(self.revision)
        return False


def _revision_key(revision: str) -> tuple[int, int]:
    match = re.fullmatch(r"r(\d+)p(\d+)", revision)
    if match is None:
        raise ValueError(f"not a revision like r0p3: {revision!r}")
    return int(match[1]), int(match[2])


_HERE = Path(__file__).parent


def _load(path: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / path).read_text(encoding="utf-8"))


@cache
def architected() -> Mapping[str, Event]:
    table = _load("events/architected.toml")
    return {n: Event(n, code, title, "architected") for n, (code, title) in table.items()}


@cache
def _own_events(table: str) -> Mapping[str, Event]:
    return {n: Event(n, c, title, "implementation defined") for n, (c, title) in _load(f"events/{table}.toml").items()}


@cache
def _software() -> Mapping[str, Event]:
    return {n: Event(n, None, title, "software", unit) for n, (title, unit) in names.SOFTWARE.items()}


@cache
def modelled() -> Mapping[str, Event]:
    """What the modelled core tells and no PMU."""
    return {n: Event(n, None, title, "modelled") for n, title in _load("events/model.toml").items()}


@cache
def events() -> Mapping[str, Event]:
    """Every event by canonical name. An architected event comes before a core's event of the same name."""
    found: dict[str, Event] = {}
    for path in sorted((_HERE / "events").glob("*.toml")):
        if path.stem not in ("architected", "model"):
            found.update(_own_events(path.stem))
    return found | dict(architected()) | dict(_software()) | dict(modelled())


@cache
def _architected_by_code() -> Mapping[int, str]:
    return {e.code: n for n, e in architected().items() if e.code is not None}


def name_of_code(code: int) -> str:
    """The architected name of a code, else perf's raw spelling (``r108``), for then only a core can tell."""
    return _architected_by_code().get(code, f"r{code:x}")


def canonical(label: str) -> str | None:
    """The canonical name of an event as perf labels it; None where no core or software event is meant.

    A raw code becomes its architected name, or perf's ``r108`` where only the core could tell.

    >>> [canonical(label) for label in ("armv8_pmuv3_0/L1D_CACHE/u", "cycles:u", "L1-icache-misses", "r1b")]
    ['l1d_cache', 'cpu_cycles', 'l1i_cache_refill', 'inst_spec']
    """
    parts = names.split_label(label)
    if parts is None or not parts.is_of_a_core:
        return None
    found = names.generic(parts)
    if found is not None:
        return found
    name = parts.event.lower()
    if name in events():
        return name
    code = names.raw_code(name)
    return None if code is None or parts.is_of_x86 else name_of_code(code)


def event(name: str) -> Event:
    """The event by any name perf takes: Arm's, perf's generic ones, or raw (``r1b``, ``0x1b``).

    Raises ArmprofError with close matches where nothing is meant by the name.
    """
    meant = canonical(name)
    if meant is None:
        close = _did_you_mean(name.lower(), events())
        raise ArmprofError(f"unknown event {name!r}{close}; `armprof events` lists what there is")
    found = events().get(meant)
    if found is not None:
        return found
    code = names.raw_code(meant)
    return Event(
        meant,
        code,
        f"raw event {code:#06x}; what it counts is the core's to define",
        "implementation defined",
    )


def _did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name.replace("-", "_"), list(known), n=3, cutoff=0.6) or get_close_matches(
        name, list(known), n=3
    )
    return f" (did you mean {', '.join(close)}?)" if close else ""


@cache
def core_names() -> list[str]:
    """The names that `core` takes, sorted."""
    return sorted(path.stem for path in (_HERE / "cores").glob("*.toml"))


@cache
def _core(name: str) -> Core:
    table = _load(f"cores/{name}.toml")
    sources: dict[str, str] = table["sources"]
    names_here = frozenset(table["events"].split())
    own: dict[str, Event] = {}
    for family in reversed(table.get("event_tables", [])):  # the first named wins
        own.update({n: e for n, e in _own_events(family).items() if n in names_here})
    return Core(
        name=name,
        title=table["title"],
        midrs=tuple((implementer, part) for implementer, part in table["midr"]),
        products=tuple(table["products"]),
        width=table.get("width", table.get("slots")),
        slots=table.get("slots"),
        counters=table.get("counters"),
        mispredict_cycles=table.get("mispredict_cycles"),
        clocks_ghz=table.get("clocks_ghz", {}),
        caches={k: Cache(**v, source=sources["caches"]) for k, v in table.get("caches", {}).items()},
        tlbs={k: Tlb(**v, source=sources["tlbs"]) for k, v in table.get("tlbs", {}).items()},
        load_cycles=table.get("load_cycles", {}),
        pipeline=Pipeline.of(table),
        events=names_here,
        errata=tuple(Erratum(**{**e, "events": tuple(e["events"])}) for e in table.get("errata", [])),
        sources=sources,
        note=table.get("note", ""),
        own=own,
    )


@cache
def core(name: str) -> Core:
    """A core by name (``neoverse-n2``), or at one revision (``neoverse-n2-r0p3``).

    Raises ArmprofError with close matches.
    """
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    revision = re.search(r"-(r\d+p\d+)$", wanted)
    plain = wanted[: revision.start()] if revision else wanted
    if plain not in core_names():
        raise ArmprofError(
            f"unknown core {name!r}{_did_you_mean(plain, core_names())}; known: {', '.join(core_names())}"
        )
    return replace(_core(plain), revision=revision[1] if revision else None)


def core_for_midr(midr: int) -> Core:
    """The core that this MIDR_EL1 value names, with its revision.

    A core without a table gets the architected events that every core with one has, and ``known`` False.
    MIDR: implementer in bits 31-24, variant 23-20, part number 15-4, revision 3-0 (Arm ARM, MIDR_EL1).
    """
    implementer, part = midr >> 24 & 0xFF, midr >> 4 & 0xFFF
    revision = f"r{midr >> 20 & 0xF}p{midr & 0xF}"
    name = _names_by_midr().get((implementer, part))
    return replace(_core(name) if name else _unknown(implementer, part), revision=revision)


@cache
def _names_by_midr() -> Mapping[tuple[int, int], str]:
    """Reads the midr of each table alone: every start needs this, and whole tables take ten times as long."""
    found: dict[tuple[int, int], str] = {}
    for name in core_names():
        lines = (_HERE / f"cores/{name}.toml").read_text(encoding="utf-8").splitlines()
        midrs = tomllib.loads(next(line for line in lines if line.startswith("midr =")))["midr"]
        found |= dict.fromkeys(map(tuple, midrs), name)
    return found


@cache
def _unknown(implementer: int, part: int) -> Core:
    common = frozenset.intersection(*(_core(name).events for name in core_names()))
    return Core(
        name="unknown",
        title="unknown ARM64 core"
        + (f" (implementer {implementer:#04x}, part {part:#05x})" if implementer or part else ""),
        midrs=((implementer, part),),
        events=frozenset(n for n in common if n in architected() and architected()[n].announced),
        sources={"events": "the architected events that every core known to armprof has"},
        known=False,
    )
