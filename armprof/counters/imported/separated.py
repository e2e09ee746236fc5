"""The fields of `perf stat -x SEPARATOR`.

    [time] [summary] [CPU0 | S0-D0-C0 SEP 2 | comm-pid] count unit event [cgroup] [variance%] running_ns
    percent [metric unit]

The separator is whatever the user chose, of the characters that do not stand in names and numbers. perf
quotes nothing: a comma that separates fields also stands
inside ``armv8_pmuv3_0/event=0x11,long=1/``, and as the decimal mark where the locale has one
(``0,67,msec,task-clock,...,100,00``).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from armprof.counters.imported.labels import identify
from armprof.counters.imported.row import (
    MAX_LINE,
    PLACE,
    UNCOUNTED,
    UNITS,
    Row,
    Sheet,
    nanoseconds,
    numbered_lines,
    plain,
    shown,
)

_NUMBER = re.compile(r"\d{1,24}(?:[.,]\d{1,9})?$", re.ASCII)
_TWO_DIGITS = re.compile(r"\d\d$", re.ASCII)
_TIME = re.compile(r"\d{1,12}[.,]\d{9}$", re.ASCII)
_UNIT = re.compile(r"(?:[A-Za-z%/]{1,16}|\(null\))?$", re.ASCII)
_LABEL = re.compile(r"[A-Za-z_][^\s<>]*(?: \[\w+\])?$")
_PLACE = re.compile(rf"{PLACE}$", re.ASCII)
# A count, the separator, a unit or nothing, the separator again and a label: where the separator shows.
_SHAPE = re.compile(
    r"(?:<not counted>|<not supported>|\d)(?P<sep>[^\w<>.()\[\]\"'/-]{1,4}?)"
    r"(?:[A-Za-z%]{1,16}|\(null\))?(?P=sep)[A-Za-z_]",
    re.ASCII,
)
_OLD_SHAPE = re.compile(r"^(?:\d{1,24}|<not \w+>),[A-Za-z][\w-]*$", re.ASCII | re.MULTILINE)
_VOTES = 400
_MOST_FIELDS_BEFORE = 5  # time, summary, place, the number of CPUs behind it, one to spare


def separator(text: str) -> str | None:
    """The separator that makes rows of most of the first lines that look like rows, None where there is none."""
    votes: Counter[str] = Counter()
    for _, line in numbered_lines(text):
        for sep in {match["sep"] for match in _SHAPE.finditer(line[:512])}:
            row = _row(_fields(line[:MAX_LINE], sep), sep, Sheet("csv"))
            votes[sep] += isinstance(row, Row) and row.running_ns is not None
        if votes.total() >= _VOTES:
            break
    best = max(votes, key=lambda sep: votes[sep], default="")
    if best and votes[best]:
        return best
    # perf before 3.14 prints a count and a label and nothing more.
    return "," if _OLD_SHAPE.search(text) else None


def rows(text: str, sheet: Sheet) -> Iterator[Row]:
    """The rows of the file; what is known beside them goes into the sheet."""
    sep = separator(text)
    if sep is None:
        return
    for number, line in numbered_lines(text):
        if line.startswith("#"):
            if line.startswith("# started on"):
                sheet.starts_again()
            continue
        if sep not in line or len(line) > MAX_LINE:
            continue
        row = _row(_fields(line, sep), sep, sheet)
        if isinstance(row, str):
            if row:
                sheet.cannot_read(number, row)
            continue
        added = sheet.add(row)
        if added is not None:
            yield added


def _fields(line: str, sep: str) -> list[str]:
    fields = line.split(sep)
    if " " in sep:  # which also stands in <not counted>
        for at, (left, right) in enumerate(itertools.pairwise(fields)):
            if f"{left} {right}" in UNCOUNTED:
                fields[at : at + 2] = [f"{left} {right}"]
                break
    return [field.strip() for field in fields]


def _row(fields: list[str], sep: str, sheet: Sheet) -> Row | str:
    """The row, or what is wrong with a line that must be perf's; "" for one that need not be."""
    for start in range(min(len(fields), _MOST_FIELDS_BEFORE + 1)):
        if fields[start] in UNCOUNTED or _NUMBER.match(fields[start]):
            found = _count(fields, start, sep)
            if found is not None:
                break
    else:
        # Lines of a metric have no count, and lines of other programs do not begin with one.
        begins = _NUMBER.match(fields[0]) and not _TIME.match(fields[0])
        return "a count without an event" if begins or any(f in UNCOUNTED for f in fields) else ""
    count, unit, label, rest = found
    row = Row(label, None, UNCOUNTED.get(count), "" if unit == "(null)" else unit)
    if row.missing is None:
        row.value = plain(count)
        if row.value is None:
            return f"no count: {shown(count)}"

    before = fields[:start]
    if before and _TIME.match(before[0]):
        row.time_ns = nanoseconds(plain(before.pop(0)))
    if before and before[0] == "summary":
        before.pop(0)
    if len(before) > 1 and _PLACE.match(before[0]) and before[-1].isdecimal():
        before.pop()  # how many CPUs the row sums
    row.where = sep.join(before)

    if rest and not rest[0].endswith("%") and not _NUMBER.match(rest[0]):
        row.cgroup = rest.pop(0)
    if len(rest) > 1 and rest[1].endswith("%") and rest[0].isdecimal():
        rest.pop(0)  # the variance, cut in two at its decimal comma
    if rest and rest[0].endswith("%"):
        sheet.averaged = True
        rest.pop(0)
    if len(rest) > 2 and rest[1].isdecimal() and _TWO_DIGITS.match(rest[2]):
        rest[1] += f".{rest.pop(2)}"  # the percentage, cut in two likewise
    if len(rest) > 1 and rest[0].isdecimal() and rest[0].isascii():
        return row.ran(plain(rest[1]), int(rest[0][:20])) or row
    return row


def _count(fields: list[str], at: int, sep: str) -> tuple[str, str, str, list[str]] | None:
    """Count, unit, label and the fields behind them, where they start at this field."""
    count, rest = fields[at], fields[at + 1 :]
    if (
        len(rest) > 2
        and count.isdecimal()
        and _TWO_DIGITS.match(rest[0])
        and rest[1] in UNITS
        and _LABEL.match(rest[2])
    ):
        return (f"{count}.{rest[0]}", rest[1], *_label(rest[2:], sep))  # 0,67,msec,task-clock
    if len(rest) > 1 and _UNIT.match(rest[0]) and _LABEL.match(rest[1]):
        return (count, rest[0], *_label(rest[1:], sep))
    if rest and _LABEL.match(rest[0]) and identify(rest[0]).known:  # perf before 3.14 has no unit
        return (count, "", *_label(rest, sep))
    return None


def _label(fields: list[str], sep: str) -> tuple[str, list[str]]:
    """The label, put together again where the separator stands between its slashes, and what is behind it."""
    label, rest = fields[0], list(fields[1:])
    if label.count("/") % 2:
        for end, field in enumerate(rest[:16]):
            if "/" in field:
                label = sep.join([label, *rest[: end + 1]])
                rest = rest[end + 1 :]
                break
    if label.endswith("]"):
        name, _, pmu = label[:-1].partition(" [")
        label = f"{pmu}/{name}/"
    return label, rest
