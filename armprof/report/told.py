"""What a run says of itself in words, as every format for people has it: where its counts are from, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from armprof.analysis import Cause, Judgement, Recommendation
from armprof.counters.reading import Reading
from armprof.report import figures
from armprof.report.document import Document, Part, Shared, only
from armprof.report.pieces import listed, short
from armprof.report.source import source as source_of_file
from armprof.report.tables import is_software
from armprof.run.record import Component

FEW = 4  # so many names are told, the rest is a number
NO_METRICS = "No metric has a value and nothing was judged: the events that this needs were not counted."
DOCTOR = "`armprof doctor` says what changes that."
NO_CORE = "not known: --core NAME tells what its events cost"
PERCENTILES = {"p50": "p50_ns", "p95": "p95_ns", "p99": "p99_ns", "p99.9": "p999_ns"}


def times(components: Sequence[Component]) -> str:
    """What must be known of the times of these components, whose percentiles are known."""
    said = ["throughput: that of the mean of all operations"]
    latencies = [(component.name, component.latency) for component in components if component.latency]
    if any(latency.batch > 1 for _, latency in latencies):
        said.append(
            "batch: operations per sample, whose percentiles are those of the means of batches, narrower than those of "
            "single operations"
        )
    short_of: dict[tuple[str, ...], list[str]] = {}
    for name, latency in latencies:
        if missing := tuple(title for title, field in PERCENTILES.items() if latency.is_largest(field)):
            short_of.setdefault(missing, []).append(name)
    said += [
        f"{', '.join(percentiles)} of {listed(names, FEW)}: the largest, of too few samples for "
        f"{'it' if len(percentiles) == 1 else 'them'}"
        for percentiles, names in short_of.items()
    ]
    return "; ".join(said)


def title(part: Part) -> str:
    """The component's name, and what it is."""
    name, what = part.component.name, part.component.title
    return short(name) if what in ("", name) else f"{short(name)}: {short(what)}"


def facts(document: Document) -> Iterator[tuple[str, str]]:
    """Where all of it is from, and what could be counted."""
    run = document.run
    if run.host.get("description"):
        yield "machine", str(run.host["description"])
    readings = [part.reading for part in document.parts if part.reading]
    if origin := only(map(source, readings)):
        yield "source", origin
    if not run.host and readings:
        yield "core", document.core.title if document.core else NO_CORE
    if len(document.parts) == 1 and readings and readings[0].duration_ns:
        yield "took", figures.duration(readings[0].duration_ns)
    if said := only(map(counted, readings)):
        yield "counted", said
    for reason in document.uncounted():
        if everywhere(document, reason):
            yield "not", uncounted(reason)
    if run.created:
        made_by = f", armprof {run.armprof_version}" if run.armprof_version else ""
        yield "made", run.created.replace("T", " ").replace("+00:00", " UTC") + made_by


def source(reading: Reading) -> str:
    """Where the counts are from."""
    return "; ".join(filter(None, [reading.source, reading.scope, reading.access]))


def counted(reading: Reading) -> str:
    """How many events have a count, and for how much of the time those of the hardware."""
    said = []
    for kind, software in (("hardware", False), ("software", True)):
        counts = [count for count in reading.counts.values() if is_software(count) is software]
        having = [count for count in counts if count.value is not None]
        if counts:
            shares = [count.coverage for count in having if count.coverage is not None]
            share = f" {_share(shares, len(having))}" if having and not software else ""
            said.append(f"{len(having)} of {len(counts)} {kind} events{share}")
    return ", ".join(said)


def _share(shares: Sequence[float], of: int) -> str:
    if len(shares) < of:
        return "for an unknown part of the time"
    low, high = figures.coverage(min(shares)), figures.coverage(max(shares))
    if low != high:
        return f"{low} to {high} of the time"
    return "all of the time" if min(shares) == 1 else f"{low} of the time"


def uncounted(reason: Shared) -> str:
    """The events that have no count, and why."""
    return f"{listed(reason.names, FEW)}: {reason.text}"


def everywhere(document: Document, shared: Shared) -> bool:
    """Whether it holds for all components: those that failed aside, of which there is nothing to say."""
    others = len(document.parts) - len(document.failed)
    if len(shared.components) < others:
        return False
    return sum(name not in document.failed for name in shared.components) == others


def where(document: Document, shared: Shared) -> str:
    """The components, where the sentence does not hold for all."""
    return "" if everywhere(document, shared) else f"{listed(shared.components, 2 * FEW)}: "


def differences(document: Document, most: int) -> list[list[str]]:
    """What `facts` does not say because it is not so for all components: of each of the first that is told of by itself."""
    readings = [part.reading for part in document.parts if part.reading]
    differ = [describe for describe in (source, counted) if only(map(describe, readings)) is None]
    apart = [
        (frozenset(reason.components), f"not {uncounted(reason)}")
        for reason in document.uncounted()
        if not everywhere(document, reason)
    ]
    return [
        [describe(part.reading) for describe in differ if part.reading]
        + [said for components, said in apart if part.component.name in components]
        for part in document.parts[:most]
    ]


def losses(causes: Sequence[Cause]) -> str:
    """The causes that matter in one line, each with those below it: backend 34 % (memory 34 %)."""
    below: dict[str | None, list[Cause]] = {}
    for cause in causes:
        below.setdefault(cause.parent, []).append(cause)

    def told(parent: str | None) -> Iterator[str]:
        for cause in sorted(below.get(parent, ()), key=lambda c: -(c.share or 0.0)):
            inner = ", ".join(told(cause.name))
            if cause.share is None or not cause.matters:
                if inner:  # a parent that was not counted
                    yield inner
            else:
                yield f"{cause.name} {100 * cause.share:.1f} %{f' ({inner})' if inner else ''}"

    return ", ".join(told(None))


def verdicts(document: Document) -> Iterator[tuple[str, list[str]]]:
    """What there is to say of components without a recommendation, and their names."""
    found: dict[str, list[str]] = {}
    for part in document.parts:
        if not part.analysis.recommendations:
            verdict, reason = part.analysis.verdict, part.analysis.reason
            said = f"nothing to recommend ({reason})" if verdict is Judgement.JUDGED else reason
            found.setdefault(f"{verdict}: {said}", []).append(part.component.name)
    yield from found.items()


def source_line(recommendation: Recommendation, public: bool = False) -> str | None:
    """The line that the advice stands on; ``public`` as of `armprof.report.source`."""
    at = recommendation.location or {}
    file, number = at.get("file"), at.get("line")
    line = source_of_file(file, public).line(number) if file else None
    return f"line {number}: {line}" if line else None


def gain(recommendation: Recommendation) -> str:
    """What it may gain, and at most."""
    expected = recommendation.expected_improvement
    ceiling = "unknown" if expected.ceiling is None else f"{expected.ceiling:.1f} %"
    return f"{round(expected.low, 1):g}-{round(expected.high, 1):g} % {expected.unit} (ceiling {ceiling})"


def aside(name: str, recommendation: Recommendation) -> str:
    """What is no advice, of the component."""
    r = recommendation
    return f"{short(name)}: {r.title} ({r.rule}): {r.evidence[0]}. {r.description}"


def cause(one: Cause) -> str:
    """One share of the cycles, and how it was found."""
    within = f" (of {one.parent})" if one.parent else ""
    if one.share is None:
        return f"{one.name}{within}: not known: {one.reason}"
    return f"{one.name}{within}: {one.title.lower()}, {100 * one.share:.1f} %: {one.evidence}"


def valueless(document: Document) -> Iterator[str]:
    """Why metrics of the nine have no value, a sentence each."""
    told = {reason.text for reason in document.uncounted() if everywhere(document, reason)}
    for missing in document.causes():
        why = "not counted, see above" if missing.text in told else missing.text
        events = f": {', '.join(missing.events)}" if missing.events else ""
        yield f"{where(document, missing)}{_titles(document, missing.names)}: {why}{events}"


def _titles(document: Document, names: Iterable[str]) -> str:
    metrics = next(part.metrics for part in document.parts if part.metrics)
    return ", ".join(metrics[name].title for name in names)


def formulas(document: Document) -> Iterator[str]:
    """How metrics that have a value were formed."""
    for formula in document.formulas():
        yield f"{where(document, formula)}{', '.join(formula.names)} = {formula.text}"


def silent(document: Document) -> Iterator[str]:
    """Rules that were considered, and why they raised nothing."""
    for rule in document.silent():
        yield f"{where(document, rule)}{', '.join(rule.names)}: {rule.text}"


def notes(document: Document) -> Iterator[str]:
    """What else must be known, a sentence each; what several components say is said once."""
    yield from document.run.notes
    sums = [f"{part.component.name} {part.component.checksum}" for part in document.parts if part.component.checksum]
    if sums:
        yield f"checksums of the outputs, the same on every machine: {', '.join(sums)}"
    yield from (f"{where(document, note)}{note.text}" for note in document.notes())
