"""The page of `armprof trends`: the verdict, what is predicted, and every figure over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.monitor.trends import Crossing, PerformanceTrends, Trend
from armprof.report import trends as told
from armprof.report.html.blocks import (
    Block,
    Cell,
    Fold,
    Group,
    Items,
    Page,
    PageVerdict,
    Section,
    Table,
    Tag,
    Tone,
    Words,
)
from armprof.report.html.cells import capped, columns, name_cell, several
from armprof.report.html.series import series, spark
from armprof.report.live import shown
from armprof.report.pieces import short

MOST = 200  # figures of a kind, in the table
MOST_DRAWN = 50  # of a kind, one by one


def page(found: PerformanceTrends) -> Page:
    """The page of a store's figures."""
    facts = [("target", short(found.target)), ("time", f"{told.stretch(found)}, in UTC")]
    facts.append(("figures", f"{len(found.trends):,}"))
    return Page("trends", f"Trends of {short(found.target)}", _verdict(found), facts, list(_sections(found)))


def _verdict(found: PerformanceTrends) -> PageVerdict:
    """The worst that is or will be."""
    beyond, moved = told.beyond(found), [one for one in found.trends if one.verdict not in ("steady", "unknown")]
    tone: Tone = "bad" if beyond or found.predicted_issues else "warn" if moved else "good"
    if all(one.verdict == "unknown" for one in found.trends):
        tone = "open"
    verdicts = [one.verdict for one in found.trends]
    points = [", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))]
    points += [told.prediction(one) for one in (*beyond, *found.predicted_issues)]
    return PageVerdict(tone, told.headline(found), points)


def _sections(found: PerformanceTrends) -> Iterator[Section]:
    yield Section("predicted", "Predicted issues", [Items(told.predictions(found))])
    for kind, title in told.TITLES.items():
        trends = [one for one in found.of(kind) if one.verdict != "unknown"]
        if trends:
            yield Section(kind, title, list(_kind(found, title, trends)))
    if said := told.unknown(found):
        yield Section("unknown", "Not judged", [Words(said)])


def _kind(found: PerformanceTrends, title: str, trends: Sequence[Trend]) -> Iterator[Block]:
    """All of them in a table; below it those that moved or have a threshold, and folded the steady ones."""
    listed, left = capped(trends, MOST, "figures")
    drawn, more = capped(trends, MOST_DRAWN, "figures")
    heads = columns("figure", ">last", "verdict", "|over time", "what is known")
    names = {id(one): f"{title.split()[0].lower()}-{number}" for number, one in enumerate(drawn, 1)}
    yield Table(f"{title}: every figure", heads, [_row(one, names.get(id(one), "")) for one in listed], left)
    groups = [(one, _group(found, one, names[id(one)])) for one in drawn]
    yield from (group for one, group in groups if _matters(found, one))
    steady = [group for one, group in groups if not _matters(found, one)]
    if steady:
        yield Fold(several(len(steady), "steady figure"), steady)
    yield from (Words(note, "dim") for note in more)


def _row(one: Trend, to: str) -> tuple[Cell, ...]:
    name = str(one.figure)
    return (
        name_cell(name, to),
        Cell(shown(one.past.values[-1], told.unit_of(one.figure))),
        Cell(one.verdict, tone=_tone(one)),
        Cell(plot=spark(short(name), one.past)),
        Cell("; ".join(told.facts(one))),
    )


def _group(found: PerformanceTrends, one: Trend, id: str) -> Group:
    crossings = _crossings(found, one)
    facts = [*told.facts(one), *(told.prediction(crossing) for crossing in crossings)]
    blocks: list[Block] = [series(one, found.step_ns, crossings), *([Items(facts)] if facts else [])]
    return Group(short(str(one.figure)), blocks, id, (Tag(one.verdict, _tone(one)),))


def _crossings(found: PerformanceTrends, one: Trend) -> list[Crossing]:
    return [crossing for crossing in found.crossings if crossing.figure == one.figure]


def _matters(found: PerformanceTrends, one: Trend) -> bool:
    return one.verdict != "steady" or bool(_crossings(found, one))


def _tone(one: Trend) -> Tone:
    return "" if one.verdict == "steady" else "warn"
