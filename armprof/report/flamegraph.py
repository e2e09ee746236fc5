"""Samples as a flame graph: its boxes, and an SVG of them without scripts, in which titles tell what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape
from zlib import crc32

from armprof.report import figures
from armprof.report.harmless import line
from armprof.samples import Samples

WIDTH, ROW, CHARACTER = 1200, 17, 7.0
NARROWEST = 0.5 / WIDTH  # of all: narrower boxes are left out
DEEPEST = 250  # boxes on each other


@dataclass
class _Node:
    weight: int = 0
    callees: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Box:
    """A function as it was called from there: ``left`` and ``share`` are parts of the whole width."""

    depth: int
    left: float
    share: float
    name: str


def boxes(samples: Samples, event: str | None = None) -> list[Box]:
    """All that is wide enough to be seen, from the outermost: callers below, callees above."""
    root = _Node()
    for stack, weight in samples.collapsed(event):
        node = root
        node.weight += weight
        for frame in stack[:DEEPEST]:
            node = node.callees.setdefault(frame.name, _Node())
            node.weight += weight
    return list(_boxes("all", root, 0.0, 1.0, 0, root.weight or 1))


def _boxes(name: str, node: _Node, left: float, width: float, depth: int, total: int) -> Iterator[Box]:
    if width < NARROWEST:
        return
    yield Box(depth, left, width, line(name))
    for callee, child in sorted(node.callees.items()):
        share = child.weight / total
        yield from _boxes(callee, child, left, share, depth + 1, total)
        left += share


def hue(name: str, of: int) -> int:
    """One of so many colours, always the same for a function."""
    return crc32(name.encode("utf-8", "replace")) % of


def title(samples: Samples, event: str | None = None) -> str:
    """What the graph is of."""
    sampled = samples.events[samples.number(event)].name if samples.events else "nothing"
    return line(f"{sampled} of {samples.command}")


def render(samples: Samples, event: str | None = None) -> str:
    """The widths are shares of the event."""
    found = boxes(samples, event)
    height = (max(box.depth for box in found) + 3) * ROW
    drawn = "\n".join(_drawn(height, box) for box in found)
    named = title(samples, event)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="11" role="img" aria-label="{escape(named, {chr(34): "&quot;"})}">\n'
        f"<title>{escape(named)}</title>\n"
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text x="4" y="13">{escape(named)}</text>\n{drawn}\n</svg>\n'
    )


def _drawn(height: int, box: Box) -> str:
    top = height - (box.depth + 1) * ROW
    left, width = WIDTH * box.left, WIDTH * box.share
    room = int((width - 6) / CHARACTER)
    label = "" if room < 3 else box.name if len(box.name) <= room else f"{box.name[: room - 2]}.."
    return (
        f"<g><title>{escape(box.name)}: {figures.percent(box.share)}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" '
        f'fill="hsl({15 + hue(box.name, 40)},85%,68%)"/><text x="{left + 3:.1f}" y="{top + 12}">{escape(label)}</text></g>'
    )
