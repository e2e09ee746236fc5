"""What a notebook shows of results: the blocks of the pages, in a piece of HTML whose style touches nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch

from armprof.analysis import Analysis, Judgement
from armprof.compare.paired import Comparison
from armprof.compare.result import RegressionAnalysis
from armprof.counters.reading import Reading
from armprof.metrics import ARM64Metrics
from armprof.monitor.trends import PerformanceTrends
from armprof.report.document import Advice
from armprof.report.html import comparison, component, page, run, samples, trends
from armprof.report.html.blocks import Block, Fold, Group, Items, PageVerdict, Section, Tag, Words
from armprof.report.html.cells import covered, source_tag
from armprof.run.record import Component
from armprof.samples import Samples


def shown(what: object) -> str:
    """The HTML of a result."""
    return page.fragment(list(_blocks(what)))


@singledispatch
def _blocks(what: object) -> Iterator[Block]:
    yield Words(repr(what))


@_blocks.register
def _(reading: Reading) -> Iterator[Block]:
    yield Group(_heading(reading), [component.counts_table(reading), *_notes(reading)], tags=(source_tag(reading),))


@_blocks.register
def _(metrics: ARM64Metrics) -> Iterator[Block]:
    core = f" on {metrics.core.title}" if metrics.core else ""
    tags = (source_tag(metrics.reading), *covered(metrics.quality.lowest_coverage))
    yield Group(f"Metrics{core}", [component.metrics_table(metrics)], tags=tags)


@_blocks.register
def _(analysis: Analysis) -> Iterator[Block]:
    tags: tuple[Tag, ...] = ()
    if analysis.metrics:
        tags = (source_tag(analysis.metrics.reading), *covered(analysis.metrics.quality.lowest_coverage))
    is_healthy = analysis.verdict is Judgement.JUDGED and not analysis.recommendations
    said = "Nothing to recommend" if is_healthy else str(analysis.verdict).capitalize()
    yield Group(f"Analysis: {said}", [Words(analysis.reason, "dim")], tags=tags)
    whole = Component("", "", "", "")
    for recommendation in analysis.recommendations:
        yield run.card(Advice(whole, recommendation))
    if analysis.metrics:
        yield from component.diagnosis(analysis.metrics, analysis.causes)
        yield Fold("All metrics, and how each was formed", [component.metrics_table(analysis.metrics)])
    if analysis.silent:
        entries = [f"{silent.rule}: {silent.reason}" for silent in analysis.silent]
        yield Fold(f"Rules that stayed silent ({len(entries)})", [Items(entries)])


@_blocks.register
def _(compared: Comparison) -> Iterator[Block]:
    made = comparison.of_pairs(compared)
    yield Group(made.verdict.headline, [comparison.findings(compared)])
    for section in made.sections[1:]:
        yield Fold(section.title, section.blocks)


@_blocks.register
def _(analysis: RegressionAnalysis) -> Iterator[Block]:
    yield Group(analysis.headline.capitalize(), [Words(analysis.analysis_summary), *comparison.changes(analysis)])


@_blocks.register
def _(found: Samples) -> Iterator[Block]:
    yield _headed(samples.hottest(found))
    yield from _unfolding(list(samples.places(found)))


@_blocks.register
def _(found: PerformanceTrends) -> Iterator[Block]:
    made = trends.page(found)
    yield _headed(made.verdict)
    yield from _unfolding(made.sections)


def _headed(verdict: PageVerdict) -> Group:
    return Group(verdict.headline, [Items(verdict.points)] if verdict.points else [])


def _unfolding(sections: Sequence[Section]) -> Iterator[Block]:
    """The parts of a page, the first of them open."""
    for number, section in enumerate(sections):
        yield Fold(section.title, section.blocks, opened=not number)


def _heading(reading: Reading) -> str:
    return "; ".join(filter(None, ("Counts", reading.scope, reading.access)))


def _notes(reading: Reading) -> list[Block]:
    return [Items(reading.notes)] if reading.notes else []
