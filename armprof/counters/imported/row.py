"""What the three forms of perf's output have in common: rows, the facts around them, and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from armprof.counters.reading import Status

# Longer lines are none of perf's rows. They are skipped, so that no pattern ever meets megabytes without a
# newline.
MAX_LINE = 16_384

# How perf writes that there is no number.
UNCOUNTED = {"<not counted>": Status.NOT_COUNTED, "<not supported>": Status.UNSUPPORTED}

# Nanoseconds per unit, for perf's units of time; other units are kept as they are.
TIME_UNITS = {"ns": 1.0, "usec": 1e3, "us": 1e3, "msec": 1e6, "ms": 1e6, "sec": 1e9, "s": 1e9}
UNITS = frozenset(TIME_UNITS) | frozenset(
    ["Joules", "Watts", "Bytes", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB", "%", "C"]
)

# Where perf counted: CPU0, N0, S0, S0-D0-C0, S0-D0-L3-ID0, S0-D0-CLS0.
PLACE = r"(?:CPU|N|S)\d{1,6}(?:-[A-Z]{1,3}\d{1,6}){0,3}"

_LARGEST = 1e24  # no counter counts so far, and sums of such numbers stay finite


@dataclass(slots=True)
class Row:
    """One count as perf printed it.

    perf scales before it prints, so ``value`` is enabled / running of what the counter said. ``coverage`` is
    None where the output says nothing; ``missing`` says why there is no value. ``time_ns`` is the end of the
    interval, ``where`` the CPU, socket or thread of the row ("" where perf summed them), ``run`` the number
    of the perf output in the file.
    """

    label: str
    value: float | None
    missing: Status | None = None
    unit: str = ""
    coverage: float | None = None
    running_ns: int | None = None
    time_ns: int | None = None
    where: str = ""
    cgroup: str = ""
    run: int = 0

    def ran(self, percent: float | None, running_ns: int | None = None) -> str:
        """Take down how long the counter ran; the answer is what is wrong with that, or ""."""
        if percent is not None and percent > 100:
            return "ran more than 100 % of the time"
        self.running_ns = running_ns
        # perf prints 100 % for 0 of 0 ns too, an event that was never enabled.
        never_on = self.missing is Status.NOT_COUNTED and running_ns == 0 and percent
        self.coverage = None if percent is None or never_on else round(percent / 100, 6)
        return ""


@dataclass(slots=True)
class Sheet:
    """The facts around the rows of one file; the parser of the form fills them in as it goes."""

    form: str  # "text", "csv" or "json"
    targets: list[tuple[str, str]] = field(default_factory=list)  # what perf counted: ("command", "./a.out")
    elapsed_ns: list[int] = field(default_factory=list)  # one per run, as the next two
    user_ns: list[int] = field(default_factory=list)
    system_ns: list[int] = field(default_factory=list)
    averaged: bool = False  # a variance stands beside the counts: perf stat -r
    repeats: int = 0  # how many runs the means are of; 0 where that is not said
    run: int = 0  # the number of the perf output in the file
    rows: int = 0  # in this run
    timed: int | None = None  # the last interval in this run
    summary_rows: int = 0
    unread: list[tuple[int, str]] = field(default_factory=list)  # line number and what is wrong, the first few
    unread_count: int = 0

    def cannot_read(self, line: int, why: str) -> None:
        self.unread_count += 1
        if len(self.unread) < 5:
            self.unread.append((line, why))

    def starts_again(self) -> None:
        """Another perf output begins in the same file; without rows so far it is still the first."""
        if self.rows:
            self.run += 1
            self.rows = 0
            self.timed = None

    def add(self, row: Row) -> Row | None:
        """Place the row in its run; None for the summary behind intervals, which would count them twice."""
        if row.time_ns is None and self.timed is not None:
            self.summary_rows += 1
            return None
        if row.time_ns is not None and row.time_ns < (self.timed or 0):
            self.starts_again()
        row.run = self.run
        self.rows += 1
        self.timed = row.time_ns
        return row


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of the text, without their ends, from number 1. One at a time: a recording has millions."""
    start, number = 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        yield number, text[start:end]
        start = end + 1


def quantity(text: str, *, whole: bool) -> float | None:
    """A number with the grouping and the decimal mark of some locale; None where it is none.

    ``whole`` says that perf prints this one without decimals, so that a lone mark before three digits groups
    them: 2.082 is two thousand in Berlin.
    """
    digits = re.split(r"[^0-9]", text)
    marks = re.sub(r"[0-9]", "", text)
    if not marks or not all(digits):
        return _number(text)
    decimal = marks[-1] in ".," and marks.count(marks[-1]) == 1 and not (whole and len(digits[-1]) == 3)
    return _number("".join(digits[:-1]) + "." + digits[-1] if decimal else "".join(digits))


def plain(text: str) -> float | None:
    """A number that perf does not group (-x, -j, seconds, percentages); its decimal mark may be a comma."""
    return _number(text.strip().replace(",", ".", 1))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < _LARGEST else None


def nanoseconds(seconds: float | None) -> int | None:
    """The seconds of perf's time column or footer in whole nanoseconds."""
    return None if seconds is None or seconds > 1e12 else round(seconds * 1e9)


def shown(text: str, limit: int = 60) -> str:
    """The text as it may stand in a message of one line: short, and with every control character escaped."""
    text = text if len(text) <= limit else text[: limit - 3] + "..."
    return text if text.isprintable() else repr(text)[1:-1]
