"""Markdown as a pull request shows it: rendered, and then looked at."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from reviews import HOSTILE, check, many, review, reviews, texts

from armprof.report import markdown
from armprof.report.pieces import short
from armprof.report.review import Grade, Review, Table

GITHUB = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable(["table", "strikethrough", "linkify"])
GITHUB.linkify.set({"fuzzy_link": False})  # which would make links of names as main.py
OURS = re.compile(r"<!-- armprof [a-z]+ -->\n?|<details><summary>Notes</summary>\n?|</details>\n?")


def tokens(text: str) -> list[Token]:
    found = []
    for token in GITHUB.parse(text):
        found += [token, *(token.children or [])]
    return found


def cells(text: str) -> list[list[str]]:
    """The rows of all tables, as they are read."""
    rows: list[list[str]] = []
    parsed = GITHUB.parse(text)
    for at, token in enumerate(parsed):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            rows[-1].append(read(parsed[at + 1]))
    return rows


def read(inline: Token) -> str:
    return "".join(
        token.content for token in inline.children or [] if token.type in ("text", "code_inline", "text_special")
    )


def test_where_nothing_changed_it_is_silent() -> None:
    assert markdown.render(review(check(grade=Grade.PASSED), check(grade=Grade.OPEN))) == ""


def test_a_report_that_was_asked_for_is_not() -> None:
    shown = markdown.render(review(check(grade=Grade.PASSED), is_quiet=False, summary="1 component"))
    assert shown == "<!-- armprof compare -->\n### armprof compare\n\n1 component\n"


def test_the_worst_comes_first_with_the_noise_beside_it() -> None:
    shown = markdown.render(
        review(
            check("faster", Grade.BETTER, cost=50.0),
            check("minor", Grade.WARNING, cost=12.0),
            check("major", cost=30.0),
            check("worst", cost=80.0),
            check("same", Grade.PASSED),
        )
    )
    head, *rows = cells(shown)
    assert head == ["", "", "baseline", "current", "time", "noise", "verdict"]
    assert [row[1] for row in rows] == [f"{name} p95_latency" for name in ("worst", "major", "minor", "faster")]
    assert rows[0][5] == "+22.0 % .. +28.0 %"


def test_the_line_that_a_finding_stands_on_is_read_as_it_is() -> None:
    line = "bid = `best`[i] | <b>@all</b>; /* ``` */"
    rendered = markdown.render(review(check(source=line, facts=("it misses",))))
    (paragraph,) = [row for row in rendered.splitlines() if row.startswith("**")]
    spans = [
        token.content for token in MarkdownIt().parseInline(paragraph)[0].children or () if token.type == "code_inline"
    ]
    assert spans == ["book", "src/book.c:42", line]


def test_a_bot_finds_its_comment_of_last_time() -> None:
    assert markdown.render(review(check())).startswith("<!-- armprof compare -->\n")


def test_of_many_changes_twenty_are_shown() -> None:
    shown = markdown.render(many(200, Grade.WARNING))
    assert len(cells(shown)) == 21
    assert "and 180 more changes" in shown


def test_the_largest_review_fits_into_a_comment() -> None:
    big = "é|" * 5000
    largest = review(
        *(check(big, what=big, message=big, cells=(big,) * 5, facts=(big,) * 50) for _ in range(100)),
        notes=(big,) * 50,
        tables=(Table(("a", "b"), ((big, big),) * 100),),
    )
    shown = markdown.render(largest)
    assert len(shown) < 65_536
    assert len(cells(shown)) >= 21
    assert shown.endswith("parts are left out: the comment would be too long\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_read_as_it_is(name: str) -> None:
    made = check(name, what="", cells=("1", name, "3", "4", "5"))
    (_, row) = cells(markdown.render(review(made)))
    assert row[1] == short(made.component)
    assert row[3].replace("\u2060", "") == short(made.cells[1])


@given(texts)
@example("1. x")
@example("- x")
@example("+ x")
@example("--- -")
def test_a_sentence_is_read_as_it_is(text: str) -> None:
    made = review(check(facts=(text,))).checks[0].facts[0]
    (list_, _, paragraph, inline, *rest) = GITHUB.parse(f"- {markdown.escaped(made)}") if made else [None] * 4
    if list_:
        assert (list_.type, paragraph.type) == ("bullet_list_open", "paragraph_open")
        assert read(inline).replace("\u2060", "") == made
        assert [token.type for token in rest] == ["paragraph_close", "list_item_close", "bullet_list_close"]


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1))
def test_a_name_is_a_code_span(name: str) -> None:
    (_, inline, _) = GITHUB.parse(markdown.code(name))
    assert [(token.type, token.content) for token in inline.children or []] == [("code_inline", name)]


@given(reviews)
def test_nothing_of_a_review_becomes_markup_a_link_or_a_mention(what: Review) -> None:
    shown = markdown.render(what)
    assert shown.replace("\n", "").replace("\u2060", "").isprintable()
    known = {"softbreak", "text", "text_special", "code_inline", "strong_open", "strong_close"}
    for token in tokens(shown):
        if token.type in ("html_block", "html_inline"):
            assert OURS.fullmatch(token.content), token.content
        elif token.type == "inline":
            inside = [child.type for child in token.children or []]
            assert set(inside) <= known, inside
    for row in cells(shown):
        assert len(row) in (2, 7)
    for token in tokens(shown):
        if token.type in ("text", "text_special"):
            assert not re.search(r"[@#]\w|www\.\w", token.content)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        assert not attrs


@given(reviews)
def test_the_page_has_no_tag_that_is_not_ours(what: Review) -> None:
    page = _Tags()
    page.feed(GITHUB.render(markdown.render(what)))
    page.close()
    assert page.tags <= {
        "h3",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "strong",
        "details",
        "summary",
        "ul",
        "li",
    }
