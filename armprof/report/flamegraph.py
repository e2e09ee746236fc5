"""Samples as a flame graph: an SVG without scripts, whose boxes tell by a title what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape
from zlib import crc32

from armprof.report.harmless import line
from armprof.samples import Samples

WIDTH, ROW, CHARACTER = 1200, 17, 7.0
NARROWEST = 0.5  # of a box, in pixels: narrower ones are left out
DEEPEST = 250  # boxes on each other


@dataclass
class _Node:
    weight: int = 0
    callees: dict[str, _Node] = field(default_factory=dict)


def render(samples: Samples, event: str | None = None) -> str:
    """Callers below, callees above; the widths are shares of the event."""
    root = _Node()
    for stack, weight in samples.collapsed(event):
        node = root
        node.weight += weight
        for frame in stack[:DEEPEST]:
            node = node.callees.setdefault(frame.name, _Node())
            node.weight += weight
    boxes = list(_boxes("all", root, 0.0, float(WIDTH), 0, root.weight or 1))
    height = (max((depth for depth, *_ in boxes), default=0) + 3) * ROW
    sampled = samples.events[samples.number(event)].name if samples.events else "nothing"
    drawn = "\n".join(_drawn(height, *box) for box in boxes)
    title = line(f"{sampled} of {samples.command}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="11" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text x="4" y="13">{escape(title)}</text>\n{drawn}\n</svg>\n'
    )


def _boxes(
    name: str, node: _Node, left: float, width: float, depth: int, total: int
) -> Iterator[tuple[int, float, float, str, float]]:
    if width < NARROWEST:
        return
    yield depth, left, width, name, node.weight / total
    for callee, child in sorted(node.callees.items()):
        share = width * child.weight / node.weight if node.weight else 0.0
        yield from _boxes(callee, child, left, share, depth + 1, total)
        left += share


def _drawn(height: int, depth: int, left: float, width: float, name: str, share: float) -> str:
    top = height - (depth + 1) * ROW
    shown = line(name)
    room = int((width - 6) / CHARACTER)
    label = "" if room < 3 else shown if len(shown) <= room else f"{shown[: room - 2]}.."
    hue = 15 + crc32(name.encode("utf-8", "replace")) % 40  # the same function always has the same colour
    return (
        f'<g><title>{escape(shown)}: {share:.2%}</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" '
        f'height="{ROW - 1}" fill="hsl({hue},85%,68%)"/><text x="{left + 3:.1f}" y="{top + 12}">{escape(label)}</text></g>'
    )
