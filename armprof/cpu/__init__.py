"""Which core this is and what it can count: tables of events and cores, event names, the machine's PMUs."""

from armprof.cpu.detect import Host, host
from armprof.cpu.names import Label, split_label
from armprof.cpu.pmu import Pmu
from armprof.cpu.tables import (
    Cache,
    Core,
    Erratum,
    Event,
    Tlb,
    canonical,
    core,
    core_for_midr,
    core_names,
    event,
    events,
    modelled,
)

__all__ = [
    "Cache",
    "Core",
    "Erratum",
    "Event",
    "Host",
    "Label",
    "Pmu",
    "Tlb",
    "canonical",
    "core",
    "core_for_midr",
    "core_names",
    "event",
    "events",
    "host",
    "modelled",
    "split_label",
]
