"""Other people's counters: what `perf stat` printed, as text, with -x or with -j, on any machine at any time.

    imported = read("perf.txt")
    imported.total              # one Reading: everything summed, one Count per event
    imported.readings           # the parts of the sum: intervals, CPUs, threads, PMUs
    imported.groups             # of events that were printed several times: each group's own counts

perf multiplies by enabled / running before it prints. So a Count's ``value`` is perf's number, its status
`scaled` where that ran less than all the time, and its ``raw`` None: what the counter said can no longer be
known exactly. ``coverage`` is perf's percentage. ``<not counted>`` and ``<not supported>`` have no value and
say why, whatever percentage stands beside them (-x and -j print 100.00 for an event that does not exist).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from armprof.counters.imported import columns, jsonlines, separated, source, text
from armprof.counters.imported.lines import EventLine, main_mode, repeated
from armprof.counters.imported.notes import notes
from armprof.counters.imported.row import Row, Sheet, shown
from armprof.counters.imported.sums import RowSums, reading
from armprof.counters.reading import Count, Reading, Status
from armprof.errors import ArmprofError

__all__ = ["Imported", "parse", "read"]

_FORMS: dict[str, Callable[[str, Sheet], Iterator[Row]]] = {
    "text": text.rows,
    "csv": separated.rows,
    "json": jsonlines.rows,
}
_SAMPLE = 1 << 18
_TOLD_EVERY, _A_ROW = 1 << 14, 60  # rows, and characters of one, about
_EXPECTED = "what `perf stat` prints, as text or with -x or -j"


@dataclass(frozen=True, slots=True)
class Imported:
    """One perf output.

    ``format`` is "text", "csv" or "json"; ``command`` is what perf ran, None where the output does not tell.
    """

    origin: str
    format: str
    command: str | None
    total: Reading
    readings: Sequence[Reading]
    groups: tuple[Reading, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return self.total.notes


def read(path: Path | str) -> Imported:
    """What stands in the file; "-" is standard input. Raises ArmprofError where that is no perf output."""
    return parse(*source.load(path))


def parse(text: str, origin: str = "<text>", progress: Callable[[float], None] = lambda done: None) -> Imported:
    """What the text says; ``progress`` is told how much of it was read, 0 to 1.

    Raises ArmprofError where it is no output of `perf stat`.

    Lines that are damaged are left out and named in the notes.
    """
    if "\r" in text:  # Windows, and the progress bars of programs
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    form = _form(text, origin)
    sheet, sums = Sheet(form), RowSums(form)
    many = columns.read(text, progress) if form == "csv" else None
    if many is not None:
        block, rest = many
        sums.add_block(block)
        sheet.rows, sheet.timed = block.counts.size, int(block.ends_ns[-1])
    for number, row in enumerate(_FORMS[form](text if many is None else rest, sheet)):
        sums.add(row)
        if number % _TOLD_EVERY == 0:
            progress(min(1.0, number * _A_ROW / len(text)))
    sums.close()
    if not sums.runs:
        if sheet.targets or sheet.elapsed_ns:
            raise ArmprofError(f"{origin}: perf printed no counts here (perf stat -n, --metric-only, or cut off)")
        raise ArmprofError(f"{origin}: no counts found: expected {_EXPECTED}; the first line is: {_first_line(text)}")
    return _imported(sheet, sums, origin)


def _form(text: str, origin: str) -> str:
    """The form with most rows: in the beginning and the end of the text, or in all where these have none."""
    if not text or text.isspace():
        raise ArmprofError(f"{origin} is empty: expected {_EXPECTED}")
    samples = [text] if len(text) < 2 * _SAMPLE else [f"{text[:_SAMPLE]}\n{text[-_SAMPLE:]}", text]
    found: dict[str, int] = {}
    for sample in samples:
        found = {form: sum(1 for _ in rows(sample, Sheet(form))) for form, rows in _FORMS.items()}
        if any(found.values()):
            break
    return max(found, key=lambda form: found[form])


def _imported(sheet: Sheet, sums: RowSums, origin: str) -> Imported:
    targets = list(dict.fromkeys(sheet.targets))
    if len(targets) > 1:
        names = ", ".join(shown(name or kind) for kind, name in targets[:3])
        raise ArmprofError(
            f"{origin} holds {len(targets)} different measurements ({names}): put each into a file of its own"
        )
    lines = sums.lines()
    system_wide = sums.by_cpu or any(kind.startswith(("system wide", "CPU")) for kind, _ in targets)
    timer = next((line.count.value for line in lines if line.key == "duration_time"), None)
    duration = round(sum(sheet.elapsed_ns) or sums.intervals_ns or timer or 0) or None

    def part(lines: Collection[EventLine], scope: str) -> Reading:
        return reading(lines, sheet.form, scope, system_wide=system_wide, duration_ns=duration)

    target = targets[0][0] if targets else "".join(sums.places) if len(sums.places) == 1 else ""
    total = part(lines, ", ".join(filter(None, [target, _mode(lines)])))
    times = {event: count for event, count in _times(sheet).items() if total.value(event) is None}
    total = replace(total, counts={**total.counts, **times}, notes=tuple(notes(sheet, sums, lines)))
    return Imported(
        origin=origin,
        format=sheet.form,
        command=next((name for kind, name in targets if kind == "command"), None),
        total=total,
        readings=sums.parts if len(sums.parts) > 1 else _by_pmu(lines, part) or (total,),
        groups=_groups(lines, part),
    )


def _mode(lines: Collection[EventLine]) -> str:
    modes = main_mode(line.event for line in lines)
    return next((line.event.mode for line in lines if line.event.modes == modes), "")


def _by_pmu(lines: Collection[EventLine], part: Callable[[Collection[EventLine], str], Reading]) -> tuple[Reading, ...]:
    """One Reading for each PMU where there are several."""
    pmus: dict[str, list[EventLine]] = {}
    for line in lines:
        pmus.setdefault(line.event.pmu, []).append(line)
    if len([pmu for pmu in pmus if pmu]) < 2:
        return ()
    return tuple(part(own, pmu or "events of no named PMU") for pmu, own in pmus.items())


def _groups(lines: Collection[EventLine], part: Callable[[Collection[EventLine], str], Reading]) -> tuple[Reading, ...]:
    """One Reading for each group that has an event which other groups have too.

    That is so where one label stands on several lines. Two labels of one event are only two wishes of the
    user.
    """
    shared = {event for event, same in repeated(lines).items() if len({line.count.label for line in same}) < len(same)}
    groups: dict[int, list[EventLine]] = {}
    for line in lines:
        if line.count.group is not None:
            groups.setdefault(line.count.group, []).append(line)
    return tuple(
        part(members, f"group {group}")
        for group, members in groups.items()
        if any(line.key in shared for line in members)
    )


def _times(sheet: Sheet) -> dict[str, Count]:
    """The processor time under the table, under the names of perf's events of the same meaning."""
    counts = {}
    for event, label, times in (
        ("user_time", "seconds user", sheet.user_ns),
        ("system_time", "seconds sys", sheet.system_ns),
    ):
        if times:
            value = float(sum(times))
            counts[event] = Count(
                event, value, value, None, None, Status.COUNTED, unit="ns", label=label, stated_coverage=1.0
            )
    return counts


def _first_line(text: str) -> str:
    return shown(text.lstrip()[:200].splitlines()[0].rstrip())
