"""The pages of `armprof compare` and `armprof ab`: the verdict, every change beside its noise, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from armprof.compare.cause import CounterChange, Explanation
from armprof.compare.evidence import PercentileChange
from armprof.compare.paired import ComparedPair, Comparison
from armprof.compare.result import Change, RegressionAnalysis
from armprof.compare.verdict import Verdict
from armprof.components.pairs import PairCounts
from armprof.report import ab, compare, figures
from armprof.report.html import plots
from armprof.report.html.blocks import Block, Cell, Fold, Group, Items, Page, PageVerdict, Section, Table, Tone, Words
from armprof.report.html.cells import MOST_ROWS, capped, columns, count_tags, duration, name_cell
from armprof.report.html.scale import Scale
from armprof.report.pieces import short
from armprof.run.record import Component, Run

TONES: Mapping[Verdict, Tone] = {
    Verdict.SLOWER: "bad",
    Verdict.FASTER: "good",
    Verdict.UNDECIDED: "open",
    Verdict.UNCHANGED: "",
}
LIMIT = 0.1  # of a change, as the policy has it: the axis shows at least a little more
LONGER = "|with its interval; right of the line is more time"


# ---- two run files ---------------------------------------------------------------------------------------------------


def of_runs(analysis: RegressionAnalysis, base: Run, head: Run) -> Page:
    """The page of two run files held against each other."""
    words = analysis.analysis_summary.removeprefix(f"{analysis.headline}: ").rstrip(".").split("; ")
    undecided = any(change.verdict is Verdict.UNDECIDED for change in analysis.changes)
    tone: Tone = "bad" if analysis.gate_failed else "open" if undecided or not analysis.changes else "good"
    told = {"baseline": base, "current": head}
    facts = [(name, made) for name, run in told.items() if (made := _made(run))]
    return Page(
        "compare",
        "Baseline and current",
        PageVerdict(tone, analysis.headline.capitalize(), words),
        facts,
        list(_sections(analysis, base, head)),
    )


def _made(run: Run) -> str:
    when = run.created.replace("T", " ").replace("+00:00", " UTC")
    by = f"armprof {run.armprof_version}" if run.armprof_version else ""
    return "; ".join(filter(None, (str(run.host.get("description") or ""), when, by)))


def _sections(analysis: RegressionAnalysis, base: Run, head: Run) -> Iterator[Section]:
    if analysis.changes:
        yield Section("changes", "What changed", [*changes(analysis), *_reasons(analysis)])
    if table := _before_and_after(base, head):
        yield Section("times", "Before and after", [table])
    failures = [f"{short(one.component)} failed: {one.reason}" for one in analysis.failures]
    left_out = [f"{short(name)} is not compared: {why}" for name, why in analysis.not_compared]
    unlike = [f"unlike: {difference}" for difference in analysis.differences]
    if told := [*failures, *left_out, *unlike]:
        yield Section("left-out", "Not compared, and unlike", [Items(told)])
    yield Section("method", "How it was judged", [Items(compare.notes(analysis))])


def changes(analysis: RegressionAnalysis) -> Iterator[Block]:
    """What changed or is open, and below it, folded, what did not change."""
    ranked = compare.ranked(analysis)
    scale = plots.changes([(one.change, one.interval) for one in ranked], LIMIT)
    severities = {(one.component, one.metric): str(one.severity) for one in analysis.regressions}
    told = [one for one in ranked if one.verdict is not Verdict.UNCHANGED]
    same = ranked[len(told) :]
    if told:
        yield _table("Changes, the worst first", told, severities, scale)
    if same:
        table = _table("Unchanged", same, severities, scale)
        yield Fold(f"{len(same):,} unchanged", [table], opened=not told)


def _table(caption: str, found: Sequence[Change], severities: Mapping[tuple[str, str], str], scale: Scale) -> Table:
    shown, left = capped(found, MOST_ROWS, "changes")
    rows: list[tuple[Cell, ...]] = []
    for change in shown:
        severity = severities.get((change.component, change.metric.name))
        verdict = f"{change.verdict}, {severity}" if severity else str(change.verdict)
        label, tone = compare.label(change), TONES[change.verdict]
        rows.append(
            (
                name_cell(label),
                Cell(figures.change(change.change)),
                Cell(verdict, tone=tone),
                Cell(plot=plots.change(label, change.change, change.interval, scale, tone)),
                Cell(compare.interval(change)),
                *map(Cell, compare.values(change)),
            )
        )
    rows.append(_scale(scale))
    heads = columns("what", ">time", "verdict", LONGER, ">interval", ">baseline", ">current")
    return Table(caption, heads, rows, left)


def _scale(scale: Scale) -> tuple[Cell, ...]:
    return Cell("scale"), Cell(), Cell(), Cell(plot=plots.axis(scale, _signed)), Cell(), Cell(), Cell()


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.3g} %" if fraction else "0"


def _reasons(analysis: RegressionAnalysis) -> Iterator[Block]:
    for change in compare.ranked(analysis)[:MOST_ROWS]:
        if change.cause and (change.cause.sentence or change.cause.counters):
            yield _explained(compare.label(change), change)
    undecided: dict[str, list[str]] = {}
    for change in analysis.changes:
        if change.reason:
            undecided.setdefault(change.reason, []).append(compare.label(change))
    if undecided:
        yield Group("To know", [Items([f"{', '.join(labels)}: {reason}" for reason, labels in undecided.items()])])


def _explained(label: str, change: Change) -> Group:
    assert change.cause is not None
    why = compare.why(change.cause)
    blocks: list[Block] = [Words(why)] if why else []
    blocks += _counters(change.cause)
    return Group(label, blocks)


def _counters(cause: Explanation) -> list[Block]:
    if not cause.counters:
        return []
    rows = [_moved(one) for one in cause.counters]
    heads = columns("event", ">baseline", ">current", ">change", ">noise", ">costs cycles", ">share of the change")
    notes = [f"code: {cause.code}"]
    if cause.explained is not None:
        notes.append(f"together they explain {figures.percent(cause.explained, 0)} of the change of cycles")
    summary = f"Evidence: {len(rows)} counter{'s' * (len(rows) != 1)} of one operation"
    return [Fold(summary, [Table("Counters of one operation", heads, rows, tuple(notes))], printed=True)]


def _moved(one: CounterChange) -> tuple[Cell, ...]:
    return (
        Cell(one.event),
        Cell(figures.number(one.base)),
        Cell(figures.number(one.head)),
        Cell(figures.NONE if one.change is None else figures.change(one.change)),
        Cell("exact" if one.noise == 0 else figures.percent(one.noise)),
        Cell(figures.NONE if one.cycles is None else figures.number(one.cycles)),
        Cell(figures.NONE if one.share is None else figures.percent(one.share, 0)),
    )


def _before_and_after(base: Run, head: Run) -> Table | None:
    """The times of what both runs have, on one axis."""
    after = {component.name: component for component in head.components}
    pairs = [(one, after[one.name]) for one in base.components if one.name in after]
    timed = [(one, other) for one, other in pairs if one.latency and other.latency]
    scale = plots.times(latency for pair in timed for one in pair if (latency := one.latency))
    if scale is None:
        return None
    shown, left = capped(timed, MOST_ROWS // 2, "components")
    rows = [
        _timed(component, which, scale)
        for pair in shown
        for which, component in zip(("before", "after"), pair, strict=True)
    ]
    rows.append((Cell("scale, logarithmic"), Cell(), Cell(plot=plots.axis(scale, figures.duration)), *[Cell()] * 3))
    heads = columns("component", "run", "|from the least to the largest; thick: half to 99 %", ">p50", ">p99", ">max")
    return Table("Time of one operation", heads, rows, left)


def _timed(component: Component, which: str, scale: Scale) -> tuple[Cell, ...]:
    latency = component.latency
    assert latency is not None
    return (
        name_cell(component.name),
        Cell(which),
        Cell(plot=plots.spread(f"{short(component.name)} {which}", latency, scale)),
        duration(latency.p50_ns),
        duration(latency.p99_ns),
        duration(latency.max_ns),
    )


# ---- two sides in turns ----------------------------------------------------------------------------------------------


def of_pairs(comparison: Comparison) -> Page:
    """The page of two builds timed in turns."""
    sentences = [ab.sentence(compared) for compared in comparison.compared]
    tone = TONES[comparison.verdict] or "good"
    headline = sentences[0] if len(sentences) == 1 else f"New is {comparison.verdict}"
    return Page(
        "ab",
        "Old and new",
        PageVerdict(tone, f"{headline[:1].upper()}{headline[1:]}", sentences if len(sentences) > 1 else ()),
        [("old", short(comparison.old)), ("new", short(comparison.new))],
        list(_pairs(comparison)),
    )


def _pairs(comparison: Comparison) -> Iterator[Section]:
    yield Section("changes", "What changed", [findings(comparison), *_told(comparison)])
    counted = [_counts(one.name, one.counted) for one in comparison.compared if one.counted]
    if tables := [table for table in counted if table is not None]:
        yield Section("counts", "What was counted", tables)
    yield Section("method", "How it was measured", [Items([*ab.measured(comparison), *comparison.notes])])


def findings(comparison: Comparison) -> Table:
    """A row for each percentile of each pair."""
    found = [(compared, one) for compared in comparison.compared for one in compared.findings]
    scale = plots.changes([(one.change or 0.0, one.interval) for _, one in found], 0.02)
    rows: list[tuple[Cell, ...]] = []
    for compared, one in found:
        label, tone = f"{short(compared.name)} {one.name}".lstrip(), TONES[one.verdict]
        rows.append(
            (
                name_cell(label),
                Cell(figures.NONE if one.change is None else figures.change(one.change)),
                Cell(str(one.verdict), tone=tone),
                Cell(plot=plots.change(label, one.change, one.interval, scale, tone)),
                Cell(figures.between(one.interval)),
                duration(one.old_ns),
                duration(one.new_ns),
            )
        )
    rows.append(_scale(scale))
    return Table("Time", columns("what", ">change", "verdict", LONGER, ">interval", ">old", ">new"), rows)


def _told(comparison: Comparison) -> Iterator[Block]:
    for compared in comparison.compared:
        if compared.cause and compared.cause.sentence:
            said = f"{short(compared.name)} {compared.cause.sentence}".lstrip()
            yield Group(short(compared.name) or "Why", [Words(said), *_counters(compared.cause)])
    undecided = [
        f"{short(compared.name)} {one.name} is undecided: {one.reason}".lstrip()
        for compared in comparison.compared
        for one in _open(compared)
        if one.reason
    ]
    if undecided:
        yield Group("Undecided", [Items(undecided)])


def _open(compared: ComparedPair) -> Sequence[PercentileChange]:
    """What a decision elsewhere did not end."""
    return () if compared.verdict == Verdict.SLOWER else compared.findings


def _counts(name: str, counted: PairCounts) -> Table | None:
    rows = []
    for event, old in counted.old.counts.items():
        new = counted.new[event]
        if old.unit or old.value is None or new.value is None or not (old.value or new.value):
            continue
        change = figures.change(new.value / old.value - 1) if old.value else figures.NONE
        tags = tuple(dict.fromkeys((*count_tags(old), *count_tags(new))))
        shown = (Cell(figures.count(one, counted.calls)) for one in (old, new))
        rows.append((Cell(event, tags), *shown, Cell(change)))
    if not rows:
        return None
    return Table(f"{short(name)} counts of one call".lstrip(), columns("event", ">old", ">new", ">change"), rows)
