"""Where advice is to be followed: the line that has much of the event, else the function, else the file."""

from __future__ import annotations

from armprof.analysis.places import placed
from armprof.analysis.result import (
    ImplementationEffort,
    ImplementationRisk,
    Improvement,
    OptimizationType,
    Recommendation,
)
from armprof.analysis.rules import rules
from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import Confidence
from armprof.run.record import Component, Place, Share, Where

RULE = next(rule for rule in rules() if rule.name == "memory-bandwidth")
FIRST, SECOND = RULE.shown_by[:2]


def found(lines: list[tuple[str, int | None, float]], functions: list[tuple[str, float]], event: str = FIRST):
    """The recommendation, placed by lines (function, line, count) of book.c and functions (function, count), of 1000."""
    counts = {name: Count(name, 1000, 1000, None, None, Status.COUNTED) for name in RULE.shown_by}
    where = Where(
        tuple(Share(Place(name, "/bin/book"), {event: count}) for name, count in functions),
        tuple(
            Share(Place(name, "/bin/book", "book.c" if line else None, line), {event: count})
            for name, line, count in lines
        ),
    )
    component = Component("book", "", "command", "the command", reading=Reading(counts, source="model"), where=where)
    return placed(ADVICE, RULE, component)


ADVICE = Recommendation(
    1,
    RULE.name,
    OptimizationType.MEMORY_ACCESS,
    "Read less",
    "Read less.",
    Improvement(1, 2, 3, "latency", "counted"),
    ImplementationEffort.LOW,
    ImplementationRisk.LOW,
    Confidence.HIGH,
    ("much is read",),
)


def test_it_is_the_line_with_the_most():
    placed_at = found([("add", 7, 300), ("add", 9, 600)], [("add", 900)])
    assert placed_at.location == {"file": "book.c", "line": 9, "function": "add", "share": 0.6}
    assert placed_at.evidence[-1] == f"60.0 % of {FIRST} are at book.c:9 (add)"


def test_a_function_without_lines_is_named_where_the_lines_have_next_to_nothing():
    placed_at = found([("run", 80, 1), ("memcpy", None, 990)], [("memcpy", 990), ("run", 1)])
    assert placed_at.location == {"file": None, "line": None, "function": "memcpy", "share": 0.99}


def test_what_no_line_has_much_of_is_all_over_a_function():
    placed_at = found([("decode", line, 10) for line in range(1, 91)], [("decode", 900)])
    assert placed_at.location == {"file": "book.c", "line": None, "function": "decode", "share": 0.9}


def test_what_no_function_has_much_of_is_all_over_a_file():
    lines = [(f"field{n}", n, 10.0) for n in range(1, 91)]
    placed_at = found(lines, [(name, count) for name, _, count in lines])
    assert placed_at.location == {"file": "book.c", "line": None, "function": None, "share": 0.9}
    assert placed_at.evidence[-1] == f"at least 90.0 % of {FIRST} are at many lines of book.c"


def test_an_event_of_which_no_place_has_much_gives_way_to_the_next():
    assert found([("add", 7, 1)], [("add", 1)]).location is None
    assert found([("add", 7, 500)], [("add", 500)], SECOND).location == {
        "file": "book.c",
        "line": 7,
        "function": "add",
        "share": 0.5,
    }
