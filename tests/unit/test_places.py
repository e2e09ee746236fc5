"""Where advice is to be followed: the line that has much of the event, else the function, else the file."""

from __future__ import annotations

import pytest

from armprof.analysis.places import placed
from armprof.analysis.result import (
    ImplementationEffort,
    ImplementationRisk,
    Improvement,
    OptimizationType,
    Recommendation,
)
from armprof.analysis.rules import rules
from armprof.binary.origins import kinds
from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import Confidence
from armprof.run.record import Component, Origin, Place, Share, Where

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


MISSES = RULE.shown_by[0]


def late(
    *origins: tuple[str, int, list[tuple[str, str, int | None, float]]],
    kind: str | None = RULE.origin,
    exact: bool = False,
):
    """The recommendation, placed by samples of 1000 misses, of which the line 9 has 500.

    `origins` are a function and a line with what was sampled behind it, by function, file, line and count.
    """
    assert kind is not None
    lines = (Share(Place("add", "/bin/book", "book.c", 9), {MISSES: 500}),)
    places = tuple(
        Origin(
            kind,
            Place(name, "/bin/book", "book.c", line),
            tuple(Share(Place(at, "/bin/book", file or None, n), {MISSES: count}) for at, file, n, count in sampled),
        )
        for name, line, sampled in origins
    )
    where = Where(lines, lines, totals={MISSES: 1000}, origins=places, exact=exact)
    return placed(ADVICE, RULE, Component("book", "", "command", "the command", where=where))


def test_what_was_sampled_late_stands_where_it_comes_from():
    placed_at = late(
        ("add", 7, [("add", "book.c", 9, 500), ("add", "book.c", 7, 100)]), ("find", 3, [("find", "book.c", 4, 50)])
    )
    assert placed_at.location == {"file": "book.c", "line": 7, "function": "add", "share": 0.6}
    assert placed_at.evidence[-1] == (
        f"60.0 % of {MISSES} are by samples at book.c:7 to 9; the load or store before them is at book.c:7 (add)"
    )


def test_the_lines_of_what_is_called_are_told_by_its_name():
    behind = [("add", "book.c", 9, 500), ("memcpy", "", None, 100), ("hash", "map.c", 3, 50)]
    assert late(("add", 8, behind)).evidence[-1] == (
        f"65.0 % of {MISSES} are by samples at book.c:9 and in memcpy and 1 more; "
        "the load or store before them is at book.c:8 (add)"
    )


def test_another_origin_that_is_close_is_told_too():
    near = late(("add", 7, [("add", "book.c", 9, 500)]), ("find", 3, [("find", "book.c", 4, 450)]))
    assert near.location is not None
    assert (near.location["line"], near.location["share"]) == (7, 0.5)
    assert near.evidence[-1].endswith("is at book.c:7 (add); 45.0 % behind the load or store at book.c:3 (find)")
    far = late(("add", 7, [("add", "book.c", 9, 500)]), ("find", 3, [("find", "book.c", 4, 300)]))
    assert far.evidence[-1].endswith("is at book.c:7 (add)")


@pytest.mark.parametrize(
    "origins",
    [(), (("add", 7, [("add", "book.c", 9, 29)]),)],
    ids=["the code could not be read", "next to nothing is known to come from there"],
)
def test_without_an_origin_it_stands_where_it_was_sampled_and_says_so(origins):
    placed_at = late(*origins)
    assert placed_at.location == {"file": "book.c", "line": 9, "function": "add", "share": 0.5}
    assert placed_at.evidence[-1] == f"50.0 % of {MISSES} are by samples alone at book.c:9 (add)"


def test_an_origin_of_another_kind_is_none():
    assert late(("add", 7, [("add", "book.c", 9, 500)]), kind="barrier").location == late().location


def test_places_that_are_exact_need_no_origin():
    assert late(exact=True).evidence[-1] == f"50.0 % of {MISSES} are by samples at book.c:9 (add)"


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.origin], ids=lambda rule: rule.name)
def test_every_origin_is_a_kind_of_instruction(rule):
    assert rule.origin in kinds()
