"""Reviews for the tests of formats, among them such as nobody means well with."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from armprof.report.location import Location
from armprof.report.pieces import printable
from armprof.report.review import Check, Grade, Review, Rule, Table

SLOWER = Rule("p95-latency", "Slower: p95 latency", "The 95th percentile is above 1.1 times the baseline's.")


def check(component: str = "book", grade: Grade = Grade.ERROR, **more: object) -> Check:
    fields: dict[str, object] = {
        "what": "p95_latency",
        "message": f"{component}: p95_latency went from 12.0 ns to 15.0 ns",
        "cells": ("12.0 ns", "15.0 ns", "+25.0 %", "+22.0 % .. +28.0 %", "slower, major"),
        "location": Location("src/book.c", 42, "book_add"),
        "cost": 25.0,
    }
    return Check(SLOWER, grade, component, **(fields | more))  # type: ignore[arg-type]


def review(*checks: Check, **more: object) -> Review:
    fields: dict[str, object] = {
        "verb": "compare",
        "summary": "MAJOR REGRESSIONS: 1 component compared.",
        "columns": ("baseline", "current", "time", "noise", "verdict"),
    }
    return Review(checks=checks, **(fields | more))  # type: ignore[arg-type]


HOSTILE = (
    "<script>alert(1)</script>",
    "::error file=x::owned",
    "a\n::set-output name=x::y",
    "%0A::warning::x",
    "../../etc/passwd",
    "\x1b[31mred\x1b[0m\x07",
    "a|b\\|c\\",
    "]]></failure>",
    "&lt;b&gt; <!-- --> `code` ``x`",
    "[x](javascript:alert(1)) ![y](http://example.com/z.png)",
    "https://example.com www.example.com a@example.com @octocat #1",
    "- item\n# heading\n1. one",
    "\u202eright to left\u2066\ufeff\x00\ud800\uffff",
    "x" * 5000,
    "$$\\frac{1}{0}$$ ~~gone~~ **bold** __init__ _a_",
    "",
    " ",
)
texts = (
    st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=40) | st.text("`|\\<>&*_[]()@#:/.-+1 \n", max_size=12)
)
sentences = texts.map(lambda text: f"{text}." if text.strip() else "said")
files = st.sampled_from(["src/f.c", "a b/%41.c", "ü/::x.c", "x,y:z|`<b>`.c"])
locations = st.none() | st.builds(Location, files, st.integers(1, 2**31 - 1), texts.map(printable))
checks = st.builds(
    Check,
    st.builds(Rule, st.sampled_from(["p95-latency", "throughput"]), sentences, sentences),
    st.sampled_from(Grade),
    texts,
    texts,
    sentences,
    st.lists(texts, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    locations,
    st.floats(-1e6, 1e6),
    texts,
)
tables = st.builds(Table, st.just(("name", "p50")), st.lists(st.tuples(texts, texts), max_size=2).map(tuple))
reviews = st.builds(
    Review,
    st.sampled_from(["compare", "ab", "budget", "report"]),
    texts,
    st.just(("a", "b", "c", "d", "e")),
    st.lists(checks, max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.lists(tables, max_size=1).map(tuple),
    st.booleans(),
)


def many(count: int, grade: Grade) -> Review:
    """So many findings, the last the worst."""
    return review(*(replace(check(f"component {i}", grade), cost=float(i)) for i in range(count)))
