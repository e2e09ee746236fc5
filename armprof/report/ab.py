"""What `armprof ab` says, as text and as JSON; ab.schema.json describes the JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import RenderableType

from armprof.compare.evidence import PercentileChange
from armprof.compare.paired import ComparedPair, Comparison
from armprof.compare.verdict import Verdict
from armprof.components.pairs import PairCounts
from armprof.report import figures
from armprof.report.contract import rendered
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, short, table, text
from armprof.run.codec import encode

FORMAT = "armprof-ab"
VERSION = 1

STYLES = {Verdict.SLOWER: "bold red", Verdict.FASTER: "bold green", Verdict.UNDECIDED: "yellow", Verdict.UNCHANGED: ""}


def render(comparison: Comparison, stream: TextIO | None = None) -> str:
    """The comparison as text for this stream; without one, plain text of 80 columns."""
    return printed(paper(stream), _blocks(comparison))


def _blocks(comparison: Comparison) -> Iterator[RenderableType]:
    for compared in comparison.compared:
        yield text(sentence(compared), "bold")
    yield text(f"old  {short(comparison.old)}")
    yield text(f"new  {short(comparison.new)}")
    rows = table("", ">old", ">new", ">change", ">interval", "verdict")
    for compared in comparison.compared:
        for finding in compared.findings:
            label = f"{short(compared.name)} {finding.name}".lstrip()
            verdict = text(str(finding.verdict), STYLES[finding.verdict])
            rows.add_row(text(label), *map(text, _cells(finding)), verdict)
    yield from ("", rows, "")
    for compared in comparison.compared:
        if compared.counted:
            yield from _counts(short(compared.name), compared.counted)
    for compared in comparison.compared:
        if compared.cause and compared.cause.sentence:
            yield item(f"{short(compared.name)} {compared.cause.sentence}".lstrip())
    for compared in comparison.compared:
        if compared.verdict == Verdict.SLOWER:  # that ended it
            continue
        for finding in compared.findings:
            if finding.reason:
                yield item(f"{short(compared.name)} {finding.name} is undecided: {finding.reason}".lstrip())
    for note in (*measured(comparison), *comparison.notes):
        yield item(note)


def sentence(compared: ComparedPair) -> str:
    """What came of it, in a line."""
    said = f"{short(compared.name) or 'new'} is {compared.verdict}"
    telling = next((one for one in compared.findings if one.verdict == compared.verdict), compared.findings[0])
    if telling.interval is None or telling.change is None:
        return said
    between = figures.between(telling.interval)
    if compared.verdict.is_change:
        return f"{said}: {telling.name} {figures.change(telling.change)} ({between})"
    return f"{said}: {telling.name} {between}"


def _counts(name: str, counted: PairCounts) -> Iterator[RenderableType]:
    """The events that both sides counted. What they did not is in the JSON, with its reasons, and so are the clocks: one pass
    after the other is no way to compare times.
    """
    rows = table(f"{name} counts of one call".lstrip(), ">old", ">new", ">change")
    for event, old in counted.old.counts.items():
        new = counted.new[event]
        if old.unit or old.value is None or new.value is None or not (old.value or new.value):
            continue
        change = figures.change(new.value / old.value - 1) if old.value else figures.NONE
        rows.add_row(*map(text, (event, *(figures.count(one, counted.calls) for one in (old, new)), change)))
    if rows.row_count:
        yield from (rows, "")


def _cells(finding: PercentileChange) -> tuple[str, ...]:
    times = (figures.NONE if ns is None else figures.duration(ns) for ns in (finding.old_ns, finding.new_ns))
    change = figures.NONE if finding.change is None else figures.change(finding.change)
    return (*times, change, figures.between(finding.interval))


def measured(comparison: Comparison) -> Iterator[str]:
    """How it was measured, a sentence each."""
    for compared in comparison.compared:
        name = f"{compared.name}: " if compared.name else ""
        batch = "" if compared.batch == 1 else f", each the mean of {compared.batch:,} calls"
        yield f"{name}rounds: {compared.rounds}; samples of each side: {compared.samples:,}{batch}"
    yield f"{comparison.seconds:.1f} s taken of {comparison.budget_s:g} s"
    tolerances = {one.name: one.tolerance for compared in comparison.compared for one in compared.findings}
    least = ", ".join(f"{100 * tolerance:g} % of the {name}" for name, tolerance in tolerances.items())
    yield f"a change of less than {least} counts as none"
    yield (
        "change: the median of the rounds' ratios; all intervals together hold what they are of with "
        f"{100 * comparison.confidence:g} % confidence, the looks at every round included"
    )


# JSON


def render_json(comparison: Comparison) -> str:
    """The comparison as JSON text, in ASCII."""
    return rendered(FORMAT, VERSION, _content(comparison))


def _content(comparison: Comparison) -> dict[str, Any]:
    """The comparison as dicts and lists; what could not be told is None, with a reason beside it."""
    return {
        "old": comparison.old,
        "new": comparison.new,
        "verdict": str(comparison.verdict),
        "exit_status": int(comparison.is_regression),
        "confidence": comparison.confidence,
        "seconds": comparison.seconds,
        "budget_s": comparison.budget_s,
        "compared": [
            {
                "name": compared.name,
                "verdict": str(compared.verdict),
                "sentence": sentence(compared),
                "rounds": compared.rounds,
                "samples": compared.samples,
                "batch": compared.batch,
                "percentiles": [_finding(finding) for finding in compared.findings],
                "counted": encode(compared.counted),
                "cause": encode(compared.cause),
            }
            for compared in comparison.compared
        ],
        "notes": list(comparison.notes),
    }


def _finding(finding: PercentileChange) -> dict[str, Any]:
    return {
        "name": finding.name,
        "old_ns": finding.old_ns,
        "new_ns": finding.new_ns,
        "change": finding.change,
        "interval": list(finding.interval) if finding.interval else None,
        "tolerance": finding.tolerance,
        "ratios": finding.ratios,
        "verdict": str(finding.verdict),
        "reason": finding.reason,
    }
