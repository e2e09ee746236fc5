"""The table that `perf stat` prints for people.

    [time] [CPU0 | S0-D0-C0 2 | comm-pid]  count [unit] event [cgroup]  # metric  ( +- variance )  (running %)

A percentage may stand on a continuation line of the row above it, which has a metric and no count. Programs
write between the lines of the table: a line is perf's where a count and a label that can be an event stand on
it and nothing more.
"""

from __future__ import annotations

import re
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
    quantity,
    shown,
)

_HEADER = "Performance counter stats for"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours, where the output went through a terminal
_WHAT = re.compile(r"(process id |thread id )?'(.*)'(?: \((\d{1,9}) runs\))?:?$", re.ASCII)

# Grouped digits as the locales of glibc print them: comma, point, (curly) apostrophe, no-break spaces, and
# U+FFFD for the no-break space of an ISO 8859 locale. India groups by two. A space groups only where exactly
# three digits follow.
_GROUPED = r"\d{1,3}(?:[.,'\u2019\u066c\u00a0\u2009\u202f\ufffd]\d{2,3}| \d{3}(?!\d)){1,12}"
_NUMBER = rf"(?:{_GROUPED}|\d{{1,24}})(?:[.,]\d{{1,9}})?(?=\s|$)"
_COUNT = re.compile(rf"\s*(<not counted>|<not supported>|{_NUMBER})", re.ASCII)
_TIME = re.compile(r"\s*(\d{1,12}[.,]\d{9})\s+(?=\S)", re.ASCII)
_PLACE = re.compile(rf"\s*({PLACE})(?:\s+|$)(?:\d{{1,6}}(?:\s+(?=[\d<])|\s*$))?", re.ASCII)
_THREAD = re.compile(r"\s*(\S[^#\n]{0,63}?-\d{1,10})\s+(?=<not |\d)", re.ASCII)
_SECONDS = re.compile(
    r"\s*([\d.,]{1,24})(?:\s+\+-\s*[\d.,]{1,24})?\s+seconds (time elapsed|user|sys)\s*(?:\(|$)", re.ASCII
)
_CUT_PERCENTAGE = re.compile(r"[(\[][\s\d.,+-]*%?$", re.ASCII)
_SIX_DECIMALS = re.compile(r"[.,]\d{6}$", re.ASCII)
_EVENT = re.compile(r"[A-Za-z_][^\s,;()<>]*(?:,[^\s]*/[A-Za-z]*)?$")
_RIGHT_EDGE = 18  # perf prints counts right-aligned in at least so many columns


def rows(text: str, sheet: Sheet) -> Iterator[Row]:
    """The rows of the table; everything else that is known of it goes into the sheet."""
    inside = headless = _HEADER not in text
    last: Row | None = None  # held back: a continuation line may still bring its percentage
    for number, line in numbered_lines(text):
        if "\x1b" in line:
            line = _ESCAPES.sub("", line)
        if _HEADER in line:
            if sheet.timed is None:  # behind intervals it heads their summary
                sheet.starts_again()
            _note_header(line.partition(_HEADER)[2].strip(), sheet)
            inside = True
            continue
        if "seconds" in line and (match := _SECONDS.match(line)):
            _note_seconds(match, sheet)
            inside = headless
            continue
        if line.startswith("# started on"):
            sheet.starts_again()
        if len(line) > MAX_LINE or line.startswith("#") or not line:
            continue

        body, metric, rest = line.rstrip().partition("#")
        tail = rest if metric else body
        percent, tail = _percentages(tail, sheet)
        cut = _CUT_PERCENTAGE.search(tail)
        if not metric:
            body = tail[: cut.start()] if cut else tail
        time, body = _interval(body)
        place, body = _place(body)
        if metric and not body.strip():  # a continuation line
            if last is not None and (cut or percent is not None):
                wrong = last.ran(percent)
                if wrong:
                    last.coverage = None
                    sheet.cannot_read(number, wrong)
            continue
        if not inside and time is None:
            continue
        row = _row(body, prefixed=time is not None or _PLACE.match(place) is not None)
        if isinstance(row, Row):
            row.where, row.time_ns = place, time
            # Only what did not run all the time has a percentage. What is missing without one was never
            # enabled.
            wrong = row.ran(100.0 if percent is None and row.value is not None else percent)
            row = "cut off in the percentage" if cut else wrong or row
        if isinstance(row, str) and not row and not metric:
            continue
        if last is not None:
            yield last
        last = None  # the metric lines of a row that cannot be read are not those of the row before it
        if isinstance(row, Row):
            last = sheet.add(row)
        elif row:
            sheet.cannot_read(number, row)
    if last is not None:
        yield last


def _note_header(what: str, sheet: Sheet) -> None:
    match = _WHAT.match(what)
    if match is None:  # cut off, or a command of several lines
        sheet.targets.append(("command", what.strip("':")))
        return
    kind, name, repeats = match.groups()
    if kind:
        sheet.targets.append((f"{kind.split()[0]} {name}", ""))
    elif name == "system wide" or name.startswith(("CPU(s) ", "BPF program(s) ")):
        sheet.targets.append((name, ""))
    else:
        sheet.targets.append(("command", name))
    if repeats:
        sheet.repeats = int(repeats)


def _note_seconds(match: re.Match[str], sheet: Sheet) -> None:
    time = nanoseconds(plain(match[1]))
    if time is not None:
        times = {"time elapsed": sheet.elapsed_ns, "user": sheet.user_ns, "sys": sheet.system_ns}
        times[match[2]].append(time)


def _percentages(text: str, sheet: Sheet) -> tuple[float | None, str]:
    """The percentage that ends the text, as in ``( +- 1.39% )  (49.95%)``, and the text before all that."""
    percent: float | None = None
    text = text.rstrip()
    while text.endswith((")", "]")):
        start = max(text.rfind("("), text.rfind("["))
        inner = text[start + 1 : -1].strip()
        if start < 0 or not inner.endswith("%"):
            break
        if inner.startswith("+-"):
            sheet.averaged = True
        else:
            percent = plain(inner[:-1])
            if percent is None:
                break
        text = text[:start].rstrip()
    return percent, text


def _interval(body: str) -> tuple[int | None, str]:
    match = _TIME.match(body)
    return (None, body) if match is None else (nanoseconds(plain(match[1])), body[match.end() :])


def _place(body: str) -> tuple[str, str]:
    match = _PLACE.match(body)
    if match is None and not _COUNT.match(body):
        match = _THREAD.match(body)
    return ("", body) if match is None else (match[1].strip(), body[match.end() :])


def _row(body: str, *, prefixed: bool) -> Row | str:
    """The row, or what is wrong with a line that must be perf's; "" for one that need not be."""
    match = _COUNT.match(body)
    if match is None:
        return ""
    count, words = match[1], body[match.end() :].split()
    if not words:
        return "a count without an event"
    unit, label, cgroup = "", words[0], words[1:]
    if cgroup and (label in UNITS or (not identify(label).known and identify(cgroup[0]).known)):
        unit, label, cgroup = label, cgroup[0], cgroup[1:]
    if cgroup and cgroup[0].startswith("(") and cgroup[0].endswith(")"):  # old perf: task-clock (msec)
        unit, cgroup = cgroup[0][1:-1], cgroup[1:]
    if cgroup and cgroup[0].startswith("[") and cgroup[0].endswith("]"):  # --no-merge: cycles [armv8_pmuv3_1]
        label, cgroup = f"{cgroup[0][1:-1]}/{label}/", cgroup[1:]
    aligned = prefixed or match.end() >= _RIGHT_EDGE
    if len(cgroup) > 1 or (cgroup and cgroup[0][0] in "([<") or not _can_be_event(label, aligned):
        return f"no event's name: {shown(label)}" if count in UNCOUNTED else ""
    row = Row(label, None, UNCOUNTED.get(count), unit, cgroup="".join(cgroup))
    if row.missing is None:
        if not unit and _SIX_DECIMALS.search(count) and identify(label).unit == "ns":
            row.unit = unit = "msec"  # perf before 4.0 prints milliseconds, and nothing that says so
        row.value = quantity(count, whole=unit in ("", "ns"))
        if row.value is None:
            return f"no count: {shown(count)}"
    return row


def _can_be_event(label: str, aligned: bool) -> bool:
    if identify(label).known:
        return True
    return _EVENT.match(label) is not None and (aligned or any(c in label for c in "-_:/."))
