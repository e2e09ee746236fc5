"""Samples as collapsed stacks: a line for each, as flamegraph.pl and its successors read them."""

from __future__ import annotations

from armprof.report.harmless import printable, uncommanded
from armprof.samples import Samples


def render(samples: Samples, event: str | None = None) -> str:
    """`main;decode;parse 1234`, the weight last."""
    weights: dict[str, int] = {}
    for stack, weight in samples.collapsed(event):
        line = ";".join(_name(frame.name) for frame in stack)
        weights[line] = weights.get(line, 0) + weight
    return uncommanded("".join(f"{line} {weight}\n" for line, weight in sorted(weights.items())))


def _name(name: str) -> str:
    """Without what separates stacks, frames and weights."""
    return printable(name.replace(";", ":"))
