"""A reader of the pages that tests look at: what stands where, and whether all of it is closed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from hypothesis import strategies as st

VOID = {"meta", "link", "br"}
SHAPES = {"rect", "line", "circle"}  # closed in themselves
# Of a page of harmless names.
PLAIN = {
    "html", "head", "meta", "title", "link", "style", "body", "header", "nav", "main", "footer", "section",
    "article", "h1", "h2", "h3", "h4", "h5", "p", "a", "span", "small", "ol", "ul", "li", "dl", "div", "dt", "dd",
    "pre", "code", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure",
    "figcaption", "svg", "desc", "g", "rect", "line", "circle", "text",
}  # fmt: skip
HOSTILE = (
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></svg></td></table></main>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "\u202eevil\u2066",
    "\x00\x1b[31m\r\n",
    "\ud800",
    "x" * 5000,
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Those within it, in their order; of these tags where any are given."""
        return [one for one in self._walk() if not tags or one.tag in tags]

    def _walk(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child._walk()

    @property
    def text(self) -> str:
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(parts).split())

    def of_class(self, name: str) -> list[Element]:
        return [one for one in self.all() if name in (one.attributes.get("class") or "").split()]

    def with_id(self, id: str) -> Element:
        return next(one for one in self.all() if one.attributes.get("id") == id)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> where <{self.open[-1].tag}> is open"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Element:
    """The page or the piece. Fails where something is not closed, or closed twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def harmless(page: Element) -> None:
    """Fails where something of the page could run, load, or lead away, or where two things have one name."""
    ids = [id for one in page.all() if (id := one.attributes.get("id"))]
    assert len(ids) == len(set(ids))
    for element in page.all():
        assert element.tag not in {"script", "iframe", "object", "embed", "img", "base", "form", "input", "button"}
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcdoc", "action", "xlink:href"}
            if name == "href":
                assert value is not None
                assert value.startswith("data:image/svg+xml," if element.tag == "link" else "#")
                assert element.tag == "link" or value[1:] in ids


def plain(html: str) -> Element:
    """The page, which does no harm and has no markup but that of its templates, whatever the names on it are."""
    page = read(html)
    harmless(page)
    assert {one.tag for one in page.all()} <= PLAIN
    assert not [c for c in html if not c.isprintable() and c not in "\n\u2026"]
    return page


# ---- what pages have in common ---------------------------------------------------------------------------------------


def headings(page: Element) -> list[str]:
    """Those of the verdict and of the sections."""
    return [one.text for one in page.all("h2")]


def verdict(page: Element) -> Element:
    """What came of it."""
    return page.of_class("verdict")[0]


def table(page: Element, caption: str) -> list[list[str]]:
    """The cells of the table with that caption."""
    found = next(one for one in page.all("table") if one.all("caption")[0].text == caption)
    return [[cell.text for cell in row.all("th", "td")] for row in found.all("tr")]
