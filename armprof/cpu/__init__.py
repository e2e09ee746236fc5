"""Which core this is and what it can count: tables of events and cores, event names, the machine's PMUs."""

from armprof.cpu.names import Label, canonical, split_label
from armprof.cpu.tables import (
    Cache,
    Core,
    Erratum,
    Event,
    Tlb,
    core,
    core_for_midr,
    core_names,
    event,
    events,
)

__all__ = [
    "Cache",
    "Core",
    "Erratum",
    "Event",
    "Label",
    "Tlb",
    "canonical",
    "core",
    "core_for_midr",
    "core_names",
    "event",
    "events",
    "split_label",
]
