"""What a verb puts before reviewers: a Check for each thing that was judged, which the formats of code review render.

Names come from binaries, files and command lines of others. They are made harmless and cut here, once, so that a format has
nothing to escape but its own marks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from armprof.report.harmless import line
from armprof.report.location import Location

LONGEST = 1000  # characters of any text


class Grade(StrEnum):
    """What came of a check, the worst first."""

    ERROR = "error"  # the gate fails
    WARNING = "warning"  # the gate fails, by less
    NOTE = "note"  # advice, on which no gate fails
    OPEN = "open"  # nothing was shown either way, or it was not measured
    BETTER = "better"
    PASSED = "passed"

    @property
    def is_finding(self) -> bool:
        """Whether a reviewer has something to do."""
        return self in (Grade.ERROR, Grade.WARNING, Grade.NOTE)


class _Printable:
    """Every text of it is printable, in one line, and no longer than LONGEST."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # a dataclass
            object.__setattr__(self, field.name, _printable(getattr(self, field.name)))


def _printable(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_printable, value))
    if not isinstance(value, str) or isinstance(value, StrEnum):
        return value
    shown = line(" ".join(value.split()))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."


@dataclass(frozen=True)
class Rule(_Printable):
    """What was held against. ``id`` stays the same from run to run and from version to version: alerts are followed by it."""

    id: str
    title: str
    description: str


@dataclass(frozen=True)
class Check(_Printable):
    """One thing that was judged: ``what`` of a component. ``cells`` are its row below the review's columns.

    ``message`` is one sentence, ``facts`` what stands behind it. ``cost`` is in percent, to rank by.
    """

    rule: Rule
    grade: Grade
    component: str
    what: str
    message: str
    cells: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    location: Location | None = None
    cost: float = 0.0
    source: str = ""  # the line of its location

    @property
    def name(self) -> str:
        return f"{self.component} {self.what}".strip()


@dataclass(frozen=True)
class Table(_Printable):
    """Numbers that go along; the first cell of a row is a name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Review(_Printable):
    """All that a verb judged. ``is_quiet``: where nothing changed nobody needs to read of it."""

    verb: str
    summary: str
    columns: tuple[str, ...]  # of the checks' cells
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    is_quiet: bool = True

    @property
    def findings(self) -> list[Check]:
        """What a reviewer has to do with, the worst first."""
        return [check for check in self._ranked() if check.grade.is_finding]

    @property
    def changes(self) -> list[Check]:
        """The findings, and what became better."""
        return [check for check in self._ranked() if check.grade.is_finding or check.grade is Grade.BETTER]

    def _ranked(self) -> list[Check]:
        grades = list(Grade)
        return sorted(self.checks, key=lambda check: (grades.index(check.grade), -check.cost))

    def placed(self) -> Iterator[tuple[Check, Location, str]]:
        """The findings whose place in the source is known, each with its fingerprint."""
        seen: Counter[str] = Counter()
        for check in self.findings:
            if check.location is not None:
                identity = _identity(check, check.location)
                seen[identity] += 1
                yield check, check.location, _digest(f"{identity}\0{seen[identity]}")

    @property
    def unplaced(self) -> list[Check]:
        """The findings whose place in the source is not known."""
        return [check for check in self.findings if check.location is None]


def _identity(check: Check, location: Location) -> str:
    """Neither the line nor a value: both change while the finding stays."""
    return "\0".join((check.rule.id, check.component, check.what, location.file, location.function))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
