"""What the reader of imported counts must know, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.counters.imported.lines import EventLine, repeated
from armprof.counters.imported.row import Sheet, shown
from armprof.counters.imported.sums import RowSums


def notes(sheet: Sheet, sums: RowSums, lines: Sequence[EventLine]) -> Iterator[str]:
    if sheet.averaged or sheet.repeats:
        yield f"perf stat -r printed means per run, of {sheet.repeats or 'several'} runs"
    if sums.runs > 1:
        yield f"the sum of {sums.runs} perf outputs in one file"
    if sums.intervals:
        yield f"the sum of {sums.intervals} intervals"
    if len(sums.places) > 1:
        yield f"the sum over {_list(list(sums.places))}"
    if len(sums.cgroups) > 1:
        yield f"the sum over the outermost of the control groups {_list(sums.cgroups)}"
    pmus = list(dict.fromkeys(line.event.pmu for line in lines if line.event.pmu))
    if len(pmus) > 1:
        yield f"counted on the PMUs {_list(pmus)}"

    others = dict.fromkeys(line.key for line in lines if line.key != line.event.name)
    if others:
        yield f"counted in other modes of the processor than the rest, and kept apart: {_list(list(others))}"
    twice = [f"{shown(event)} ({_list(_estimates(same))})" for event, same in repeated(lines).items()]
    if twice:
        yield (
            f"printed several times, each an estimate of one number: {'; '.join(twice)}; "
            "the total has the one with the most exact name, of those the one that ran longest"
        )
    groups = [line.count.group for line in lines if line.count.group]
    if len(groups) > len(set(groups)):
        yield "perf names no groups: lines in a row that ran the same share of the time were taken for one"
    if sheet.summary_rows:
        yield "the summary behind the intervals has the same counts and was left out"
    if sheet.form == "text" and not sheet.elapsed_ns and not sums.intervals:
        yield "no line says 'seconds time elapsed': the output may be cut off"
    if sheet.unread_count:
        where = "; ".join(f"line {number}: {why}" for number, why in sheet.unread)
        more = ", and more" if sheet.unread_count > len(sheet.unread) else ""
        yield f"{sheet.unread_count} lines were left out ({where}{more})"


def _list(names: Sequence[str]) -> str:
    few = ", ".join(map(shown, names[:4]))
    return few if len(names) <= 4 else f"{few} and {len(names) - 4} more"


def _estimates(same: Sequence[EventLine]) -> list[str]:
    named = len({line.count.label for line in same}) > 1
    return [f"{line.count.label if named else ''} {line.count.value:,.0f}".strip() for line in same]
