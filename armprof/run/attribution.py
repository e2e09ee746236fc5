"""What the model knows beside the Reading: which lines it was counted at, what code ran, and that it is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from armprof import cpu
from armprof.binary import fingerprint
from armprof.counters.model import events
from armprof.counters.model.counts import Bank, Counts
from armprof.counters.model.geometry import Geometry
from armprof.counters.model.tally import Tally
from armprof.counters.model.where import Atlas, totals
from armprof.errors import CannotCount
from armprof.run.record import Component, Share, Where
from armprof.run.where import contention, place

MOST = 100  # functions, and lines, that are kept: a run file is read by people too
EVENTS = (
    "cpu_cycles", "inst_retired", "l1d_cache_refill", "l2d_cache_refill", "ll_cache_miss_rd", "dtlb_walk", "l1i_cache_refill",
    "itlb_walk", "br_mis_pred_retired", "unaligned_ldst_spec", "model_scalar_inst",
    *(name for name in cpu.modelled() if name.endswith("_cycles")),
)  # fmt: skip


def attributed(
    component: Component, counts: Counts, geometry: Geometry, banks: Sequence[Bank] | None = None
) -> Component:
    """The component, whose reading is of these banks, of all where none are named, with what else the model knows."""
    tally, atlas = Tally(counts, banks), Atlas(counts)
    return replace(
        component,
        where=_where(tally, geometry, atlas),
        spread=_exact(component, counts),
        counted_code=fingerprint.of_functions(_executed(tally, atlas)),
    )


def _exact(component: Component, counts: Counts) -> Mapping[str, float]:
    """Every count is the same in every run, unless threads waited for each other."""
    if counts.header["threads"] > 1 or counts.header["forks"] > 0 or component.reading is None:
        return {}
    return {event: 0.0 for event, count in component.reading.counts.items() if count.value is not None}


def _where(tally: Tally, geometry: Geometry, atlas: Atlas) -> Where:
    """The functions and lines that most was counted at."""
    found = {name: value for name in EVENTS if (value := _by_instruction(tally, geometry, name)) is not None}
    functions, lines = (_shares(tally, atlas, found, by_line) for by_line in (False, True))
    return Where(functions, lines, tuple(map(contention, atlas.contended)))


def _shares(tally: Tally, atlas: Atlas, found: Mapping[str, Any], by_line: bool) -> tuple[Share, ...]:
    by_place = totals(atlas, tally, list(found.values()), by_line) if found else {}
    ranked = sorted(by_place.items(), key=lambda entry: (-entry[1][0], str(entry[0])))
    return tuple(
        Share(place(at), {event: round(value, 3) for event, value in zip(found, values, strict=True) if value})
        for at, values in ranked[:MOST]
    )


def _by_instruction(tally: Tally, geometry: Geometry, event: str) -> Any:
    try:
        return events.by_instruction(tally, geometry, event)
    except CannotCount:
        return None


def _executed(tally: Tally, atlas: Atlas) -> list[tuple[str, list[int], list[int]]]:
    """The instructions that were executed, by function."""
    import numpy as np

    ran = tally.executed > 0
    addresses, first = np.unique(tally.address[ran], return_index=True)
    words = tally.word[ran][first]
    functions: dict[str, tuple[list[int], list[int]]] = {}
    places = atlas.places(addresses.tolist())
    for at, address, word in zip(places, addresses.tolist(), words.tolist(), strict=True):
        own, code_of_it = functions.setdefault(at.function, ([], []))
        own.append(address)
        code_of_it.append(word)
    return [(name, *parts) for name, parts in functions.items()]
