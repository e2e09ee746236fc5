"""The objects of `perf stat -j`, one a line, or in an array that somebody made of them.

perf has printed objects that are no JSON: with a comma behind the last field, with a decimal comma
(``100,00``) in some locales, and with the tail of a CSV line instead of the end (`-r -j` in 6.1). Each object
is read by itself, strictly where that goes and field by field where not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from armprof.counters.imported.row import UNCOUNTED, Row, Sheet, nanoseconds, plain, shown

# perf's objects hold no other objects, and a broken one ends where the next begins.
_OBJECT = re.compile(r"\{[^{}]*\}?|^# started on", re.MULTILINE)
_FIELD = re.compile(r'"([\w-]{1,40})"\s*:\s*(?:"([^"\n]*)"|(-?\d[\d.]*(?:,\d+)?|null))')
_PLACES = ("core", "cache", "cluster", "die", "socket", "node", "thread")  # "cpu" holds the number alone
_LONGEST_OBJECT = 65_536


def rows(text: str, sheet: Sheet) -> Iterator[Row]:
    """The rows of the file; what is known beside them goes into the sheet."""
    line, seen = 1, 0
    for match in _OBJECT.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if match[0].startswith("#"):
            sheet.starts_again()
            continue
        if '"counter-value"' not in match[0]:  # a metric, or not perf's
            continue
        row = _row(_fields(match[0]), sheet)
        if isinstance(row, str):
            sheet.cannot_read(line, row)
            continue
        added = sheet.add(row)
        if added is not None:
            yield added


def _fields(text: str) -> Mapping[str, Any]:
    if len(text) > _LONGEST_OBJECT:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {key: string or bare for key, string, bare in _FIELD.findall(text)}
    return found if isinstance(found, dict) else {}


def _row(fields: Mapping[str, Any], sheet: Sheet) -> Row | str:
    label, count = fields.get("event"), str(fields.get("counter-value"))
    if not isinstance(label, str) or not label.strip():
        return "a count without an event"
    unit = str(fields.get("unit") or "")
    row = Row(label.strip(), None, UNCOUNTED.get(count), "" if unit == "(null)" else unit)
    if row.missing is None:
        row.value = plain(count)
        if row.value is None:
            return f"no count: {shown(count)}"
    row.time_ns = nanoseconds(_number(fields, "interval"))
    row.where = f"CPU{fields['cpu']}" if "cpu" in fields else ""
    row.where = next((str(fields[key]) for key in _PLACES if key in fields), row.where)
    row.cgroup = str(fields.get("cgroup", ""))
    sheet.averaged |= "variance" in fields
    running = _number(fields, "event-runtime")
    return row.ran(_number(fields, "pcnt-running"), None if running is None else int(running)) or row


def _number(fields: Mapping[str, Any], key: str) -> float | None:
    value = fields.get(key)
    return None if value is None or isinstance(value, bool) else plain(str(value))
