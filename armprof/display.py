"""How results show themselves in a notebook.

A picture is wanted where the result is, and no box knows the report. So it is the report that enters itself, among the
entry points of the package, as what draws; here is asked who did.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


@cache
def _drawing() -> Callable[[object], str] | None:
    """What gives the HTML of a result, None where the package is not installed: beside its sources nothing is entered."""
    from importlib.metadata import entry_points

    drawing: Callable[[object], str] | None = None
    for entry in entry_points(group="armprof.display"):
        drawing = entry.load()
    return drawing


class Displayed:
    """Gives a class the HTML that notebooks ask for; without it they show the text."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        drawing = _drawing()
        return drawing(self) if drawing else None
