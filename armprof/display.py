"""How things show themselves in a notebook: the report draws them, and is looked for when a notebook asks.

This is the one place that looks to the right: a picture of a result is wanted where the result is, and no box knows the report.
"""

from __future__ import annotations


class Displayed:
    """Gives a class the HTML that notebooks ask for."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from armprof.report.html.notebook import shown

        return shown(self)
