"""Markdown for a pull request: short, the worst first, the noise beside each change, nothing where nothing changed.

The first line names the verb in a comment that nobody sees: a bot finds its comment of last time by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from armprof.report.location import Location
from armprof.report.pieces import short
from armprof.report.review import Check, Grade, Review

MOST = 20  # rows of a table
LONGEST = 60_000  # characters: GitHub takes 65,536 of a comment

MARKS = {Grade.ERROR: "🔴", Grade.WARNING: "🟠", Grade.NOTE: "🔵", Grade.BETTER: "🟢"}


def render(review: Review) -> str:
    """The review as GitHub's and GitLab's Markdown; an empty text where nothing changed and it is quiet then."""
    if not review.changes and review.is_quiet:
        return ""
    rendered, left_out = "", 0
    for block in _blocks(review):
        part = "".join(f"{line}\n" for line in block)
        if len(rendered) + len(part) <= LONGEST:
            rendered += part
        else:
            left_out += 1
    return rendered + (f"\n{left_out:,} parts are left out: the comment would be too long\n" if left_out else "")


def _blocks(review: Review) -> Iterator[list[str]]:
    """The parts, what matters most first."""
    yield [f"<!-- armprof {review.verb} -->", f"### armprof {review.verb}", "", escaped(review.summary)]
    changes = review.changes
    if changes:
        rows = [(MARKS[one.grade], _named(one), *map(_cell, one.cells)) for one in changes]
        yield ["", *_table(("", "", *review.columns), rows, "changes")]
    yield from _explained(review.findings[:MOST])
    for table in review.tables:
        rows = [(code(short(row[0])), *map(_cell, row[1:])) for row in table.rows]
        yield ["", *_table(("", *table.columns[1:]), rows, "rows")]
    if review.notes:
        notes = (f"- {escaped(note)}" for note in review.notes)
        yield ["", "<details><summary>Notes</summary>", "", *notes, "", "</details>"]


def _named(check: Check) -> str:
    return f"{code(short(check.component))} {escaped(short(check.what))}".rstrip()


def _cell(content: str) -> str:
    return escaped(short(content))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], what: str) -> Iterator[str]:
    yield f"| {' | '.join(map(escaped, columns))} |"
    yield "|" + "|".join("---" for _ in columns) + "|"
    for row in rows[:MOST]:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join([*cells, *[''] * (len(columns) - len(cells))])} |"
    if len(rows) > MOST:
        yield from ("", f"and {len(rows) - MOST:,} more {what}")


def _explained(findings: Sequence[Check]) -> Iterator[list[str]]:
    """What stands behind findings, and where they are, said once for all of a component that have it in common."""
    alike: dict[tuple[str, Location | None, str, tuple[str, ...]], list[str]] = {}
    for check in findings:
        if check.facts or check.location:
            alike.setdefault((check.component, check.location, check.source, check.facts), []).append(check.what)
    for (component, location, source, facts), whats in alike.items():
        what = escaped(short(", ".join(filter(None, whats))))
        where = f"in {code(f'{location.file}:{location.line}')}" if location else ""
        where += f": {code(source)}" if source and location else ""
        name = code(short(component))
        yield ["", " ".join(filter(None, (f"**{name}**" if name else "", what, where)))]
        yield ["", *(f"- {escaped(fact)}" for fact in facts)] if facts else []


def code(name: str) -> str:
    """The name in a code span, in which nothing is markup, a link or a mention. A row of a table still escapes |."""
    if not name.strip():
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", name)), default=0))
    gap = " " if name[0] in "` " or name[-1] in "` " else ""
    return f"{fence}{gap}{name}{gap}{fence}"


def escaped(text: str) -> str:
    """The text without markup. A row of a table still escapes |.

    Platforms make links of addresses, @name and #1 also where a mark is escaped: a word joiner, which nobody sees, parts them.
    """
    shown = re.sub(r"[\\`*_\[\]<>&~$@#]|:(?=//)|^[-+](?=[-\s]|$)|^(?=\d+[.)](?:\s|$))", _escape, text)
    return re.sub(r"\bwww\.", "www\u2060.", shown, flags=re.IGNORECASE)


def _escape(found: re.Match[str]) -> str:
    mark = found[0]
    return f"\\{mark}\u2060" if mark in ("@", "#", ":") else f"\\{mark}" if mark else "\u2060"
