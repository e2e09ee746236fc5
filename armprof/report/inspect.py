"""What `armprof inspect` found, as text, markdown and JSON; inspect.schema.json describes the JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from rich.console import RenderableType

import armprof
from armprof.binary.checks import Finding, Inspection, Spot
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, listed, short, text

FORMAT = "armprof-inspection"
VERSION = 1
MOST_SPOTS = 1000  # of a finding, in JSON

BASIS = "nothing was run or counted: each finding is a possibility, not a cost; it matters where the code is hot"
NO_CORE = "no core was named and this machine is none of those known: --core NAME checks the build against one"
NO_DEBUG = "no debug information was found: lines, structures and the flags of the compiler are not known"
NO_FUNCTIONS = "the file tells of no functions: neither symbols nor an unwind table; loops are not known"
PASSED_OVER = "{count:,} functions are too large, or the file is, for their loops to be looked for"
VECTORS = {"neon_loops": "NEON", "sve_loops": "SVE"}
INCOMPLETE = "the debug information is damaged: some of it was left out"


def notes(inspection: Inspection) -> Iterator[str]:
    """What the reader must know of the whole."""
    yield BASIS
    if inspection.target is None:
        yield NO_CORE
    if inspection.facts["debug"] is None:
        yield NO_DEBUG
    if not inspection.facts["functions"]:
        yield NO_FUNCTIONS
    if passed_over := inspection.facts["functions_passed_over"]:
        yield PASSED_OVER.format(count=passed_over)
    if not inspection.facts["complete"]:
        yield INCOMPLETE


def facts(inspection: Inspection) -> Iterator[str]:
    """The facts in words."""
    told: Any = inspection.facts
    yield f"compiled by {listed(told['compilers'], 3) if told['compilers'] else 'a compiler that left no name'}"
    calls = f"{told['calls']:,} calls, {told['calls_by_plt']:,} of them by the procedure linkage table"
    yield f"{_kib(told['text_bytes'])} of code, {told['functions']:,} functions, {calls}"
    loops = told["innermost_loops"]
    shares = [f"{told[name]:,} of them ({_percent(told[name], loops)}) with {title}" for name, title in VECTORS.items()]
    yield f"{loops:,} innermost loops, {', '.join(shares)}" if loops else "no loops"
    yield f"{told['lse_instructions']:,} LSE atomics, {told['exclusive_loads']:,} exclusive loads"
    yield f"branch protection: {', '.join(told['protections']) or 'none'}"


def where(spot: Spot) -> str:
    """The place in one line."""
    line = str(spot.line) if spot.line else f"{spot.address:#x}" if spot.address is not None else ""
    place = f"{short(spot.function)} ({line})" if spot.function else line
    return ": ".join(filter(None, (place, short(spot.detail))))


def _places(finding: Finding, most: int) -> Iterator[str]:
    """The first places in words, equal ones once, and how many are left."""
    counted = Counter(map(where, finding.spots))
    for place, times in list(counted.items())[:most]:
        yield f"{place} ({times} times)" if times > 1 else place
    left = len(counted) - most
    if left > 0:
        yield f"and {left:,} more place{'s' if left > 1 else ''}"


# ---- text -------------------------------------------------------------------------------------------------------------


def render(inspection: Inspection, places: int, stream: TextIO | None = None) -> str:
    """The findings as text for this stream; without one, plain text of 80 columns."""
    return printed(paper(stream), _blocks(inspection, places))


def _blocks(inspection: Inspection, places: int) -> Iterator[RenderableType]:
    core = f" on {inspection.target.title}" if inspection.target else ""
    yield text(f"{inspection.path}{core}: {_count(inspection.findings)}", "bold")
    yield from (item(fact) for fact in facts(inspection))
    for number, finding in enumerate(inspection.findings, 1):
        yield ""
        yield text(f"{number}. {finding.rule.title}", "bold")
        yield item(finding.says, "")
        yield from (item(place) for place in _places(finding, places))
        yield item(f"effort {finding.rule.effort}: {finding.advice}", ">")
    yield ""
    yield from (item(note) for note in notes(inspection))


def _count(findings: Sequence[Finding]) -> str:
    return "nothing found" if not findings else "1 finding" if len(findings) == 1 else f"{len(findings)} findings"


# ---- markdown ---------------------------------------------------------------------------------------------------------


def render_markdown(inspection: Inspection, places: int) -> str:
    """The same for a review."""
    core = f" on {inspection.target.title}" if inspection.target else ""
    lines = [f"# {_plain(inspection.path)}{core}", "", f"{_count(inspection.findings)}; {BASIS}.", ""]
    lines += [f"- {_plain(fact)}" for fact in facts(inspection)]
    for finding in inspection.findings:
        lines += ["", f"## {finding.rule.title}", "", f"{_plain(finding.says)}.", ""]
        lines += [f"- {_plain(place)}" for place in _places(finding, places)]
        lines += ["", f"**Effort {finding.rule.effort}.** {_plain(finding.advice)}"]
    lines += ["", *(f"- {note}" for note in notes(inspection) if note != BASIS)]
    return "\n".join(lines).rstrip() + "\n"


def _plain(words: object) -> str:
    """The words without what markdown would make something of."""
    printable = "".join(c if c.isprintable() else "?" for c in str(words))
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~" else c for c in printable)


# ---- JSON -------------------------------------------------------------------------------------------------------------


def render_json(inspection: Inspection) -> str:
    """The findings as JSON text, in ASCII."""
    return json.dumps(as_dict(inspection), indent=2, allow_nan=False) + "\n"


def as_dict(inspection: Inspection) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "armprof_version": armprof.__version__,
        "file": str(inspection.path),
        "core": inspection.target.name if inspection.target else None,
        "facts": inspection.facts,
        "findings": [_finding(finding) for finding in inspection.findings],
        "notes": list(notes(inspection)),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.name,
        "type": finding.rule.type,
        "title": finding.rule.title,
        "says": finding.says,
        "advice": finding.advice,
        "effort": finding.rule.effort,
        "basis": "possibility",
        "gain": None,
        "reason": "nothing was counted",
        "count": finding.count,
        "places": [_place(spot) for spot in finding.spots[:MOST_SPOTS]],
        "places_left_out": max(0, len(finding.spots) - MOST_SPOTS),
    }


def _place(spot: Spot) -> dict[str, Any]:
    return {
        "function": spot.function,
        "address": spot.address,
        "file": spot.line.file if spot.line else None,
        "line": spot.line.line if spot.line else None,
        "detail": spot.detail,
    }


def _kib(size: Any) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size / 1024:.1f} KiB"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
