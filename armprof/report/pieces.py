"""What text reports are built of: rich's tables and paragraphs, of strings that may come from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from armprof.report.harmless import printable

LONGEST_NAME = 120


def text(content: str, style: str = "") -> Text:
    """The content as it is: printable, and no markup."""
    return Text(printable(content), style)


def table(*columns: str) -> Table:
    """A table without lines; columns whose name starts with > are numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        numbers = column.startswith(">")
        justify: Literal["right", "left"] = "right" if numbers else "left"
        made.add_column(text(column.removeprefix(">")), justify=justify, no_wrap=numbers, overflow="fold")
    return made


def item(content: str, mark: str = "-") -> RenderableType:
    """An entry of a list: the mark, and the content in lines of its own width."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row("  ", text(mark), text(content))
    return grid


def short(name: str) -> str:
    """The name, cut where it is absurdly long."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def listed(names: Sequence[str], most: int) -> str:
    """The names, of many the first."""
    if len(names) <= most + 1:
        return ", ".join(map(short, names))
    return f"{', '.join(map(short, names[:most]))} and {len(names) - most} more"
