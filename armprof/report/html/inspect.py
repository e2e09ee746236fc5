"""The page of `armprof inspect`: the findings with what they cost, the hot loops, and how structures lie in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from armprof.analysis.findings import Weighed, Weighing
from armprof.analysis.heat import Heat, name
from armprof.binary.checks import Spot
from armprof.binary.checks.structures import DEFAULT_LINE
from armprof.report import inspect as told
from armprof.report.html import plots, source
from armprof.report.html.blocks import (
    Block,
    Card,
    Cell,
    Fold,
    Items,
    Page,
    PageVerdict,
    Section,
    Table,
    Tag,
    Tone,
    Words,
)
from armprof.report.html.cells import MOST_ROWS, capped, columns, several
from armprof.report.html.layout import layout
from armprof.report.pieces import short
from armprof.report.source import Source, excerpt
from armprof.report.source import source as source_of_file

MOST_FILES = 5  # of the source of a finding
MOST_STRUCTURES = 20  # of a finding
POSSIBILITY = Tag("possibility", "", "nothing was counted of it: it matters where the code is hot")


def page(weighing: Weighing) -> Page:
    """The page of a file that was looked at; with counts each finding says what it costs."""
    inspection = weighing.inspection
    facts = [("file", str(inspection.path)), ("core", inspection.target.title if inspection.target else told.NO_CORE)]
    if weighing.heat is not None:
        facts.append(("counted", weighing.heat.basis))
    return Page("inspect", short(inspection.path.name), _verdict(weighing), facts, list(_sections(weighing)))


def _verdict(weighing: Weighing) -> PageVerdict:
    """What costs most where that is known, and how much was found."""
    found = told.count(weighing.findings)
    worst = weighing.findings[0] if weighing.findings else None
    if worst is None:
        return PageVerdict("good", found.capitalize(), [told.basis(weighing)])
    points = [f"{found}, what costs most first" if weighing.heat else found, told.basis(weighing)]
    if worst.gain is None:
        each = "a possibility" if len(weighing.findings) == 1 else "each a possibility"
        said = f"{found}, {each}" if weighing.heat is None else f"{found}; none is known to cost time"
        return PageVerdict("open", said, points[1:])
    return PageVerdict("warn", f"{worst.finding.rule.title}: {told.cost(worst)}", points)


def _sections(weighing: Weighing) -> Iterator[Section]:
    if weighing.findings:
        line = weighing.inspection.target.line_bytes if weighing.inspection.target else DEFAULT_LINE
        cards = [_card(number, found, line) for number, found in enumerate(weighing.findings, 1)]
        yield Section("findings", "Findings", cards)
    if weighing.heat is not None:
        yield Section("loops", told.HOT_LOOPS, list(_loops(weighing.loops, weighing.heat)))
    yield Section("file", "The file", [Items(list(told.facts(weighing.inspection)))])
    if others := [note for note in told.notes(weighing) if note != told.basis(weighing)]:
        yield Section("notes", "To know", [Items(others)])


def _card(number: int, found: Weighed, line: int) -> Card:
    finding, gain = found.finding, found.gain
    blocks: list[Block] = [Words(f"{finding.says}.")]
    if gain is not None:
        blocks.append(plots.gain(gain.low, gain.high, gain.ceiling, "less time"))
    blocks.append(Words(finding.advice))
    evidence = [*_evidence(found), *_listings(finding.spots, told.shares(found))]
    if evidence:
        blocks.append(Fold(f"Evidence: {'; '.join(told.named(found, 1)) or told.cost(found)}", evidence))
    structures = list(
        dict.fromkeys((one, (spot.address or 0) % line) for spot in finding.spots if (one := spot.structure))
    )
    if structures:
        drawn, left = capped(structures, MOST_STRUCTURES, "structures")
        drawings: list[Block] = [layout(one, line, into) for one, into in drawn]
        drawings += [Words(note, "dim") for note in left]
        blocks.append(Fold(f"Layout of {several(len(structures), 'structure')}", drawings))
    return Card(number, finding.rule.title, blocks, (Tag(f"effort {finding.rule.effort.lower()}"), _share(found)))


def _share(found: Weighed) -> Tag:
    if found.share is None:
        return POSSIBILITY
    tone: Tone = "warn" if found.gain is not None else ""
    return Tag(told.percent(found.share), tone, found.says)


def _evidence(found: Weighed) -> Iterator[Block]:
    """Why it costs that or is not known to, and every place."""
    said = [told.cost(found), f"of the gain: {found.gain.basis}" if found.gain is not None else ""]
    if any(said):
        yield Items(list(filter(None, said)))
    if places := told.by_place(found):
        entries = [(f"{place}{told.times(count)}", share) for (place, share), count in places.items()]
        yield _places("Places", "place", entries)


def _places(caption: str, title: str, entries: Sequence[tuple[str, float | None]]) -> Table:
    hot = [(place, share) for place, share in entries if share != 0]
    shown, left = capped(hot or entries, MOST_ROWS, "places")
    if hot and len(hot) < len(entries):
        left = (*left, f"{several(len(entries) - len(hot), 'place')} {told.NOT_HOT}")
    if all(share is None for _, share in shown):
        return Table(caption, columns(title), [(Cell(place),) for place, _ in shown], left)
    rows = [
        (
            Cell(place),
            Cell("" if share is None else told.percent(share)),
            Cell(plot=None if share is None else plots.bar(place, share)),
        )
        for place, share in shown
    ]
    return Table(caption, columns(title, ">share", "|of what was counted"), rows, left)


def _listings(spots: Sequence[Spot], shares: Sequence[float | None]) -> Iterator[Block]:
    """The source around the places, of files that the repository has."""
    files: dict[str, dict[int, float | None]] = {}
    for spot, share in zip(spots, shares, strict=True):
        if spot.line is not None:
            lines = files.setdefault(spot.line.file, {})
            lines[spot.line.line] = max((s for s in (share, lines.get(spot.line.line)) if s is not None), default=None)
    texts = {file: found for file in files if (found := source_of_file(file, public=True)).reason is None}
    shown, left = capped(list(texts.items()), MOST_FILES, "files")
    for file, text in shown:
        yield from _listing(file, text, files[file])
    yield from (Words(note, "dim") for note in left)


def _listing(file: str, text: Source, lines: Mapping[int, float | None]) -> Iterator[Block]:
    """With the share of each line, where one is known."""
    counted = any(share is not None for share in lines.values())
    cells = {n: (("" if share is None else told.percent(share)),) if counted else () for n, share in lines.items()}
    yield from source.listing(short(file), ["share"] if counted else [], list(excerpt(text, cells, lines)))


def _loops(loops: Sequence[tuple[Spot, float]], heat: Heat) -> Iterator[Block]:
    if not loops:
        yield Words(f"{told.NO_LOOPS}.")
        return
    yield _places("Innermost loops, the hottest first", "loop", [(told.where(spot), share) for spot, share in loops])
    for spot, _ in loops[:MOST_FILES]:
        at = [(spot.function or "", name(line.file), line.line) for line in spot.around]
        lines = [Spot(spot.function, None, line) for line in spot.around]
        if listings := list(_listings(lines, [heat.lines.get(one, 0.0) for one in at])):
            yield Fold(f"Source of {told.where(spot)}", listings)
