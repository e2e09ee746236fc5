"""The ladder of caches and TLBs: what each rung finds, and what it passes on to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from armprof.cpu import Core
from armprof.metrics import ARM64Metrics, Metric
from armprof.report import figures
from armprof.report.html import plots
from armprof.report.html.blocks import Cell, Column, Table
from armprof.report.html.cells import columns, metric_tags
from armprof.report.html.scale import Scale


@dataclass(frozen=True, slots=True)
class Rung:
    """``hits`` is the metric of what it finds, or, where ``misses``, of what it does not; ``passes`` of what goes on.

    ``part`` and ``cycles`` are its keys in the tables of the core.
    """

    title: str
    part: str = ""
    hits: str = ""
    misses: bool = False
    passes: tuple[str, ...] = ()
    cycles: str = ""
    is_tlb: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that is told of it."""
        return (*filter(None, [self.hits]), *self.passes)


CACHES = (
    Rung("L1 instruction", "l1i", "instruction_cache_hit_rate", False, ("l1i_mpki",)),
    Rung("L1 data", "l1d", "l1_cache_hit_rate", False, ("l1d_mpki",), "l1"),
    Rung("L2", "l2", "l2_cache_hit_rate", False, ("l2_mpki",), "l2"),
    Rung("Last level", "llc", "ll_read_miss_ratio", True, ("ll_read_mpki", "l3_mpki"), "llc"),
    Rung("Memory", cycles="dram"),
)
TLBS = (
    Rung("L1 instruction TLB", "l1i", "l1i_tlb_miss_ratio", True, ("l1i_tlb_refill_pki",), is_tlb=True),
    Rung("L1 data TLB", "l1d", "l1d_tlb_miss_ratio", True, ("l1d_tlb_refill_pki",), is_tlb=True),
    Rung("L2 TLB", "l2", "l2_tlb_miss_ratio", True, ("l2_tlb_refill_pki",), is_tlb=True),
    Rung("Page tables, for data", hits="tlb_miss_rate", misses=True, passes=("dtlb_walk_pki",)),
    Rung("Page tables, for instructions", hits="itlb_walk_ratio", misses=True, passes=("itlb_walk_pki",)),
)
AXIS = "per 1000 instructions, logarithmic"
LOG = Scale(0.001, 1000, log=True, margin=0)


def caches(metrics: ARM64Metrics) -> Table | None:
    """A row for each cache, the nearest first; None where nothing of it was counted."""
    heads = columns("cache", ">size", ">found there", ">passed on", f"|{AXIS}", ">a load takes")
    core = metrics.core
    told = (f"cycles of a load: from the table of {core.title}",) if core is not None and core.load_cycles else ()
    return _table("Cache ladder", heads, CACHES, metrics, told)


def tlbs(metrics: ARM64Metrics) -> Table | None:
    """The same of address translation; its last rungs are walks of the page tables."""
    heads = columns("translation", ">entries", ">found there", ">passed on", f"|{AXIS}")
    return _table(
        "TLB ladder", heads, TLBS, metrics, ("of page tables: how many accesses need no walk, and the walks",)
    )


def _table(
    title: str, heads: tuple[Column, ...], rungs: tuple[Rung, ...], metrics: ARM64Metrics, told: tuple[str, ...]
) -> Table | None:
    known = [rung for rung in rungs if any(metrics[name].value is not None for name in rung.metrics)]
    if not known:
        return None
    shown = [rung for rung in rungs if rung in known or not rung.metrics]
    rows = [tuple(_row(rung, metrics))[: len(heads)] for rung in shown]
    return Table(title, heads, rows, (*told, *_missing(rungs, metrics)))


def _row(rung: Rung, metrics: ARM64Metrics) -> Iterator[Cell]:
    core, passed = metrics.core, _passed(rung, metrics)
    value = None if passed is None else passed.value
    cycles = core.load_cycles.get(rung.cycles) if core is not None else None
    yield Cell(rung.title)
    yield Cell(_size(rung, core))
    yield _found(rung, metrics)
    yield Cell() if passed is None else _valued(passed)
    yield Cell() if value is None else Cell(plot=plots.rung(f"{rung.title}, passed on", value, LOG))
    yield Cell("" if cycles is None else f"{cycles:g} cycles")


def _missing(rungs: tuple[Rung, ...], metrics: ARM64Metrics) -> Iterator[str]:
    """Why rungs have no number, a sentence for each reason."""
    titles: dict[str, list[str]] = {}
    events: dict[str, list[str]] = {}
    for rung in rungs:
        passed = () if _known(rung, metrics) else rung.passes[:1]
        for metric in (metrics[name] for name in (*filter(None, [rung.hits]), *passed)):
            for cause, stopped in metric.causes if metric.value is None else ():
                titles.setdefault(cause, []).append(metric.title)
                events.setdefault(cause, []).extend(stopped)
    for cause, named in titles.items():
        without = f" ({', '.join(dict.fromkeys(events[cause]))})" if events[cause] else ""
        yield f"{', '.join(dict.fromkeys(named))}: {cause}{without}"


def _known(rung: Rung, metrics: ARM64Metrics) -> bool:
    passed = _passed(rung, metrics)
    return passed is not None and passed.value is not None


def _valued(metric: Metric) -> Cell:
    if metric.value is None:
        return Cell(figures.NONE, tone="dim")
    return Cell(figures.metric(metric), metric_tags(metric))


def _passed(rung: Rung, metrics: ARM64Metrics) -> Metric | None:
    found = [metrics[name] for name in rung.passes]
    return next((metric for metric in found if metric.value is not None), found[0] if found else None)


def _found(rung: Rung, metrics: ARM64Metrics) -> Cell:
    if not rung.hits:
        return Cell()
    metric = metrics[rung.hits]
    if metric.value is None or not rung.misses:
        return _valued(metric)
    return Cell(figures.percent(1 - metric.value), metric_tags(metric))


def _size(rung: Rung, core: Core | None) -> str:
    if core is None or not rung.part:
        return ""
    if rung.is_tlb:
        return f"{core.tlbs[rung.part].entries:,}" if rung.part in core.tlbs else ""
    kib = core.caches[rung.part].modelled_kib if rung.part in core.caches else None
    if kib is None:
        return ""
    return f"{kib // 1024:,} MiB" if kib >= 1024 and kib % 1024 == 0 else f"{kib:,} KiB"
