"""What `armprof inspect` found, as text, markdown and JSON; inspect.schema.json describes the JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.console import RenderableType

from armprof.analysis.findings import LEAST, NOT_COUNTED, Weighed, Weighing
from armprof.analysis.heat import Heat
from armprof.binary.checks import Inspection, Spot
from armprof.report import harmless
from armprof.report.contract import rendered
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, listed, short, text

FORMAT = "armprof-inspection"
VERSION = 1
MOST_SPOTS = 1000  # of a finding, in JSON

BASIS = "nothing was run or counted: each finding is a possibility, not a cost; it matters where the code is hot"
COUNTED = (
    "shares and gains are parts of all of {basis}; where a place or the counts tell of no line, they are its function's"
)
NO_CORE = "no core was named and this machine is none of those known: --core NAME checks the build against one"
NO_DEBUG = "no debug information was found: lines, structures and the flags of the compiler are not known"
NO_FUNCTIONS = "the file tells of no functions: neither symbols nor an unwind table; loops are not known"
PASSED_OVER = "{count:,} functions are too large, or the file is, for their loops to be looked for"
NOT_HOT = "not hot"
HOT_LOOPS = "Hot loops"
NO_LOOPS = "no innermost loop is hot, or no line of one is known"
VECTORS = {"neon_loops": "NEON", "sve_loops": "SVE"}
INCOMPLETE = "the debug information is damaged: some of it was left out"


def notes(weighing: Weighing) -> Iterator[str]:
    """What the reader must know of the whole."""
    inspection = weighing.inspection
    yield basis(weighing)
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
    if lacking := inspection.facts["lacking"]:
        yield str(lacking)


def basis(weighing: Weighing) -> str:
    """What the findings rest on."""
    return BASIS if weighing.heat is None else COUNTED.format(basis=weighing.heat.basis)


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


def by_place(found: Weighed) -> Mapping[tuple[str, float | None], int]:
    """The places in words, each with its share, and how often it is there."""
    return Counter(zip(map(where, found.finding.spots), shares(found), strict=True))


def shares(found: Weighed) -> Sequence[float | None]:
    """Of each place; None where it is not known."""
    return found.shares or [None] * len(found.finding.spots)


def times(count: int) -> str:
    """How often, where that is more than once."""
    return f" ({count:,} times)" if count > 1 else ""


def named(found: Weighed, most: int) -> Iterator[str]:
    """The first places in words with their shares, equal ones once, and how many are left."""
    told = [f"{_share(share)}{place}{times(count)}" for (place, share), count in by_place(found).items()]
    yield from told[:most]
    if left := max(0, len(told) - most):
        yield f"and {left:,} more place{'s' if left > 1 else ''}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{percent(share)}: "


def percent(share: float) -> str:
    """A share of what was counted."""
    return f"{100 * share:.1f} %" if share >= LEAST else "< 0.1 %" if share else NOT_HOT


def cost(found: Weighed) -> str:
    """What the counts say of the finding, in one line; empty where there are none."""
    if found.says == NOT_COUNTED:
        return ""
    gain = found.gain
    return (
        f"{found.says}; gain {gain}"
        if gain is not None
        else f"{found.says}; no gain"
        if found.share is None
        else found.says
    )


def loops(weighing: Weighing, most: int) -> Iterator[str]:
    """The hottest loops in words, or that there is none; nothing where nothing was counted."""
    if weighing.heat is not None:
        yield from ([f"{_share(share)}{where(spot)}" for spot, share in weighing.loops[:most]] or [NO_LOOPS])


# ---- text -------------------------------------------------------------------------------------------------------------


def render(weighing: Weighing, places: int, stream: TextIO | None = None) -> str:
    """The findings as text for this stream; without one, plain text of 80 columns."""
    return printed(paper(stream), _blocks(weighing, places))


def _blocks(weighing: Weighing, places: int) -> Iterator[RenderableType]:
    inspection = weighing.inspection
    core = f" on {inspection.target.title}" if inspection.target else ""
    yield text(f"{inspection.path}{core}: {count(inspection.findings)}", "bold")
    yield from (item(fact) for fact in facts(inspection))
    for number, found in enumerate(weighing.findings, 1):
        finding = found.finding
        yield ""
        yield text(f"{number}. {finding.rule.title}", "bold")
        yield item(finding.says, "")
        if told := cost(found):
            yield item(told, "")
        yield from (item(place) for place in named(found, places))
        yield item(f"effort {finding.rule.effort}: {finding.advice}", ">")
    if hot := list(loops(weighing, places)):
        yield from ("", text(HOT_LOOPS, "bold"), *map(item, hot))
    yield ""
    yield from (item(note) for note in notes(weighing))


def count(findings: Sequence[object]) -> str:
    """How many there are."""
    return "nothing found" if not findings else "1 finding" if len(findings) == 1 else f"{len(findings)} findings"


# ---- markdown ---------------------------------------------------------------------------------------------------------


def render_markdown(weighing: Weighing, places: int) -> str:
    """The same for a review."""
    inspection = weighing.inspection
    core = f" on {inspection.target.title}" if inspection.target else ""
    lines = [f"# {_plain(inspection.path)}{core}", "", f"{count(inspection.findings)}; {_plain(basis(weighing))}.", ""]
    lines += [f"- {_plain(fact)}" for fact in facts(inspection)]
    for found in weighing.findings:
        finding = found.finding
        lines += ["", f"## {finding.rule.title}", "", f"{_plain(finding.says)}.", ""]
        if told := cost(found):
            lines += [f"{_plain(told)}.", ""]
        lines += [f"- {_plain(place)}" for place in named(found, places)]
        lines += ["", f"**Effort {finding.rule.effort}.** {_plain(finding.advice)}"]
    if hot := list(loops(weighing, places)):
        lines += ["", f"## {HOT_LOOPS}", "", *(f"- {_plain(loop)}" for loop in hot)]
    lines += ["", *(f"- {_plain(note)}" for note in notes(weighing) if note != basis(weighing))]
    return "\n".join(lines).rstrip() + "\n"


def _plain(words: object) -> str:
    """The words without what markdown would make something of."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~" else c for c in harmless.line(str(words)))


# ---- JSON -------------------------------------------------------------------------------------------------------------


def render_json(weighing: Weighing) -> str:
    """The findings as JSON text, in ASCII."""
    return rendered(FORMAT, VERSION, _content(weighing))


def _content(weighing: Weighing) -> dict[str, Any]:
    inspection = weighing.inspection
    return {
        "file": str(inspection.path),
        "core": inspection.target.name if inspection.target else None,
        "facts": inspection.facts,
        "counts": _counts(weighing.heat),
        "findings": [_finding(found) for found in weighing.findings],
        "loops": [_place(*loop) for loop in weighing.loops],
        "notes": list(notes(weighing)),
    }


def _counts(heat: Heat | None) -> dict[str, Any] | None:
    return None if heat is None else {"event": heat.event, "basis": heat.basis, "share_of_file": heat.whole}


def _finding(found: Weighed) -> dict[str, Any]:
    finding = found.finding
    return {
        "rule": finding.rule.name,
        "type": finding.rule.type,
        "title": finding.rule.title,
        "says": finding.says,
        "advice": finding.advice,
        "effort": finding.rule.effort,
        "basis": "possibility" if found.share is None else "counts",
        "share": found.share,
        "gain": None if found.gain is None else found.gain.to_dict(),
        "reason": found.says,
        "count": finding.count,
        "places": [_place(*place) for place in zip(finding.spots[:MOST_SPOTS], shares(found), strict=False)],
        "places_left_out": max(0, len(finding.spots) - MOST_SPOTS),
    }


def _place(spot: Spot, share: float | None) -> dict[str, Any]:
    return {
        "function": spot.function,
        "address": spot.address,
        "file": spot.line.file if spot.line else None,
        "line": spot.line.line if spot.line else None,
        "detail": spot.detail,
        "share": share,
    }


def _kib(size: Any) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size / 1024:.1f} KiB"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
