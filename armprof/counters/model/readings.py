"""From what the plugin left to Readings: of the whole run, or of one region; and what their reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.counters.model import events
from armprof.counters.model.counts import Bank, Counts
from armprof.counters.model.emulator import SEEN_AS, SEEN_ELSE
from armprof.counters.model.estimate import assumed
from armprof.counters.model.estimate import why_not as no_estimate
from armprof.counters.model.geometry import DEFAULT_CORE, Geometry
from armprof.counters.model.tally import Tally
from armprof.counters.model.where import Atlas, Contended
from armprof.counters.reading import Reading
from armprof.cpu import core

SOURCE = "model"


def reading(
    counts: Counts,
    geometry: Geometry,
    names: Sequence[str],
    scope: str,
    banks: Sequence[Bank] | None = None,
    duration_ns: int | None = None,
) -> Reading:
    """The Reading of these banks, of all where none are named."""
    tally = Tally(counts, banks)
    return Reading(
        counts=events.counts(tally, geometry, names),
        source=SOURCE,
        core=geometry.core.name,
        duration_ns=duration_ns,
        scope=scope,
        access=f"{geometry.core.title} modelled under qemu-aarch64",
        notes=tuple(_notes(tally, geometry)),
    )


def regions(counts: Counts) -> tuple[str, ...]:
    """The names of the regions that the program marked, each once, in the order of their first use."""
    return tuple(dict.fromkeys(name.decode(errors="replace") for name in counts.regions["name"][1:]))


def within(counts: Counts, region: str) -> tuple[Bank, ...]:
    """The banks that were counted into inside the region, and inside regions within it."""
    inside = {0: False}
    for number, (parent, name) in enumerate(counts.regions.tolist()):
        inside[number] = number > 0 and (name.decode(errors="replace") == region or inside[parent])
    return tuple(bank for bank in counts.banks if inside[int(bank.facts["region"])])


def entered(counts: Counts, region: str) -> int:
    """How often threads entered the region."""
    names = counts.regions["name"]
    banks = (bank for bank in counts.banks if names[int(bank.facts["region"])].decode(errors="replace") == region)
    return sum(int(bank.facts["entered"]) for bank in banks)


def _notes(tally: Tally, geometry: Geometry) -> Iterator[str]:
    counts = tally.counts
    yield f"modelled, not measured: {describe(geometry)}"
    if geometry.assumed:
        yield (
            f"not in the table of {geometry.core.title}, taken as on {core(DEFAULT_CORE).title}: "
            f"{', '.join(geometry.assumed)}"
        )
    if not no_estimate(geometry.core) and (lent := assumed(geometry.core)):
        yield f"for the estimate of cycles taken as on {core(DEFAULT_CORE).title}: {lent}"
    if geometry.core.name not in SEEN_AS:
        yield f"the program saw a {core(SEEN_ELSE).title}, without SVE: the emulator has no {geometry.core.title}"
    yield from (_sharing(contended) for contended in Atlas(counts).contended)
    header = {name: int(counts.header[name]) for name in ("zeroed", "execs", "forks", "exhausted")}
    if header["zeroed"]:
        yield (
            "the emulator does not tell which line a `dc zva` clears: it was taken to be the one after the last line "
            "stored to"
        )
    prefetches = int((tally.kind("prf_spec") * tally.executed).sum())
    if prefetches:
        yield f"`prfm` did nothing, {_times(prefetches, 'time')}: the emulator does not tell its address"
    if header["execs"]:
        yield f"{_times(header['execs'], 'exec')}: what a program becomes by exec is not counted"
    if header["forks"]:
        yield f"{_times(header['forks'], 'fork')}: the children are counted too"
    if header["exhausted"]:
        yield f"{header['exhausted']:,} blocks of code are not counted: there are more than the model has room for"


def _sharing(line: Contended) -> str:
    what = line.variable or f"the line at {line.address:#x}"
    (left, right), (one, other) = line.places, line.threads
    return (
        f"{line.kind}: threads {one} and {other} took {what} from each other {line.times:,} times, "
        f"in {left} and in {right}"
    )


def describe(geometry: Geometry) -> str:
    """The geometry in words: "L1D 64 KiB 4-way, ..."."""
    s = geometry.settings
    caches = [
        f"{name} {s[f'{key}_bytes'] // 1024:,} KiB {s[f'{key}_ways']}-way" if s[f"{key}_bytes"] else f"no {name}"
        for name, key in (("L1I", "l1i"), ("L1D", "l1d"), ("L2", "l2"), ("last level", "ll"))
    ]
    tlbs = f"TLBs of {s['l1i_tlb']}, {s['l1d_tlb']} and {s['l2_tlb']} entries, pages of {(1 << s['page_bits']) // 1024} KiB"
    ahead = f"prefetching {s['prefetch']} lines ahead" if s["prefetch"] else "no prefetcher"
    return f"{', '.join(caches)}; {tlbs}; {ahead}"


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
