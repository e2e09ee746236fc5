"""How a structure lies in cache lines: its fields, the holes between them, and what lies across the end of a line."""

from __future__ import annotations

from collections.abc import Iterator

from armprof.binary.layout import Member, Structure
from armprof.report.html.blocks import Box, CaptionedPlot, Label, Mark, Plot
from armprof.report.html.cells import several
from armprof.report.pieces import short

LINE, BAR = 28, 24  # pixels from line to line, and of one
OFFSETS = 7.0  # percent of the width, for the numbers before the lines
MOST = 16  # lines of a structure
LEGEND = {"field": "field", "across": "field across the end of a line", "hole": "hole"}


def layout(one: Structure, line: int, into: int = 0) -> CaptionedPlot:
    """A row for each cache line, where the structure begins so many bytes into one."""
    lines = range(-into, one.size, line)
    begins, left = lines[:MOST], len(lines) - MOST
    marks = [mark for row, begin in enumerate(begins) for mark in _row(one, begin, line, LINE * row)]
    where = f"{into} bytes into one" if into else "from the beginning of one"
    name, hollow = short(one.name) or "an unnamed structure", sum(last - first for first, last in _holes(one))
    says = dict.fromkeys(mark.tip for mark in marks if isinstance(mark, Box))
    drawn = {mark.look for mark in marks}
    return CaptionedPlot(
        f"{name}: {one.size:,} bytes, {hollow:,} of them in holes; in lines of {line} bytes, {where}",
        Plot(f"Layout of {name}", f"{'; '.join(says)}.", LINE * len(begins), marks),
        [(look, title) for look, title in LEGEND.items() if look in drawn],
        (f"and {several(left, 'more line')}",) if left > 0 else (),
        wide=True,
    )


def _row(one: Structure, begin: int, line: int, top: int) -> Iterator[Mark]:
    yield Label(0, top + BAR - 7, f"{max(0, begin):,}")
    for member in one.members:
        last = member.offset + member.size
        if member.size and member.offset < begin + line and last > begin:
            is_across = member.size <= line and (member.offset - begin) // line != (last - 1 - begin) // line
            told = f"{_name(member)}: {member.size:,} bytes at offset {member.offset:,}"
            tip, look = (f"{told}, across the end of a line", "across") if is_across else (told, "field")
            yield _box(member.offset - begin, last - begin, line, top, _name(member), look, tip)
    for first, last in _holes(one):
        if first < begin + line and last > begin:
            told = f"a hole of {last - first:,} bytes at offset {first:,}"
            yield _box(first - begin, last - begin, line, top, "", "hole", told)


def _box(first: int, last: int, line: int, top: int, text: str, look: str, tip: str) -> Box:
    """From a byte of the line to another, as far as they are in it."""
    size = (100 - OFFSETS) / line
    left, right = max(0, first), min(line, last)
    return Box(round(OFFSETS + size * left, 3), top, round(size * (right - left), 3), BAR, text, look, tip)


def _holes(one: Structure) -> Iterator[tuple[int, int]]:
    """Where there is nothing, from and to which byte."""
    at = 0
    for member in sorted(one.members, key=lambda m: m.offset):
        if member.offset > at:
            yield at, member.offset
        at = max(at, member.offset + member.size)
    if at < one.size:
        yield at, one.size


def _name(member: Member) -> str:
    return short(member.name) or "unnamed"
