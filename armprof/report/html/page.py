"""From blocks to HTML: the templates, in which every value is escaped, and the policy that forbids all that a page could load.

Names come from binaries, files and command lines of others. What would move a cursor or turn a line around is replaced here,
for every value of every template; what is markup is escaped by the templates' engine.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

import armprof
from armprof.report.harmless import printable
from armprof.report.html.blocks import Block, Page

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' "
    "fill='%230b62b8'/%3E%3Cpath d='M4 12V8m4 4V4m4 8V6' stroke='white' stroke-width='2' stroke-linecap='round'/%3E%3C/svg%3E"
)
_WHOLE = re.compile(r"\b\d{4}-\d\d-\d\d\b|(?<![^\s(])--?[\w=-]{2,22}(?![\w=-])")  # what has hyphens and is no two words


def render(page: Page) -> Iterator[str]:
    """The page in pieces. It loads nothing, and its policy lets nothing load or run but its own style."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    template = _environment().get_template("page.html")
    return template.generate(page=page, policy=policy, icon=ICON, **_given(style, is_whole=True))


def fragment(blocks: Sequence[Block]) -> str:
    """The blocks for a place in another page, with a style that touches nothing else there."""
    return _environment().get_template("fragment.html").render(shown=blocks, **_given(_style(), is_whole=False))


def _given(style: Markup, *, is_whole: bool) -> dict[str, Any]:
    """Links lead to places of the page that is whole: of two pieces on another page, each would have the same places."""
    return {"style": style, "version": armprof.__version__, "is_whole": is_whole}


@cache
def _style() -> Markup:
    return Markup(
        files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    )  # ours, and no markup in it


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tied"] = _tied
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def _tied(text: str) -> Markup:
    """Words in which no line ends before a percent sign, or within a date or a short option."""
    joined = re.sub(r"(?<=\d) (?=%)", "&nbsp;", str(escape(printable(text))))
    return Markup(_WHOLE.sub(r'<span class="whole">\g<0></span>', joined))


def _finalized(value: object) -> object:
    """Every text that a template puts on a page, but for what another template made."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
