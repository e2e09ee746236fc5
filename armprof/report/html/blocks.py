"""What a page is made of: blocks of plain data, which the templates turn into HTML without computing anything.

A template bears the name of its block's class. All text is untrusted and stays text: templates escape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from armprof.report.source import Row

Tone = Literal["", "good", "warn", "bad", "open", "dim", "note"]


@dataclass(frozen=True, slots=True)
class Tag:
    """A word or two beside something: where it is from, how sure it is."""

    text: str
    tone: Tone = ""
    hint: str = ""  # what it means


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table. ``to`` is the id of a part of the page; ``below`` what must be known of the text; ``depth`` how
    far it stands below another row.
    """

    text: str = ""
    tags: tuple[Tag, ...] = ()
    plot: Plot | None = None
    tone: Tone = ""
    to: str = ""
    below: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """``kind``: a name, a number, a plot, or text that may be long."""

    title: str
    kind: Literal["name", "number", "plot", "text"] = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its heading. ``notes`` stand below."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    entries: Sequence[str]


@dataclass(frozen=True, slots=True)
class CommandLines:
    """What to type, a line each."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tags:
    """Several in a row."""

    tags: Sequence[Tag]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what there is to say of each."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Source of one file, and what was at each line; ``file`` says too why there is no text."""

    file: str
    columns: tuple[str, ...]
    lines: Sequence[Row]


# ---- plots -----------------------------------------------------------------------------------------------------------

# Across, places are percent of the width: a plot is as wide as there is room, and its text is not scaled. Down they are pixels.


@dataclass(frozen=True, slots=True)
class Rect:
    """``look`` is its class in the style sheet, ``tip`` what is told of it where one points at it."""

    x: float
    y: float
    width: float
    height: float
    look: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    look: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A point."""

    x: float
    y: float
    look: str
    tip: str = ""
    radius: float = 4.5


@dataclass(frozen=True, slots=True)
class Label:
    """A text in a plot."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    look: str = "label"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a text in it, which is cut where it has no room."""

    x: float
    y: float
    width: float
    height: float
    text: str
    look: str
    tip: str = ""


Mark = Rect | Stroke | Dot | Label | Box


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing. ``title`` says what it is, ``says`` the same in words for who cannot see it.

    A ``bar`` stands in a table, whose cells tell the numbers: it is no image of its own for a reader of screens.
    """

    title: str
    says: str
    height: int
    marks: Sequence[Mark]
    bar: bool = False


@dataclass(frozen=True, slots=True)
class CaptionedPlot:
    """A plot with its caption, a legend, and what must be known of it. One that is ``wide`` takes all the width there is, and
    is moved under a window that is narrow.
    """

    caption: str
    plot: Plot
    legend: Sequence[tuple[str, str]] = ()  # the class of what is drawn, and what it stands for
    notes: tuple[str, ...] = ()
    wide: bool = False


# ---- what holds others -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks below a heading."""

    title: str
    blocks: Sequence[Block]
    id: str = ""
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks that stand beside each other where there is room."""

    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that unfold. On paper it is there where it is ``opened``, or who reads on paper needs it: ``printed``."""

    summary: str
    blocks: Sequence[Block]
    opened: bool = False
    printed: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One piece of advice."""

    number: int
    title: str
    blocks: Sequence[Block]
    tags: tuple[Tag, ...] = ()
    to: str = ""
    where: str = ""  # what ``to`` is called


Block = Table | Words | Items | CommandLines | Tags | Facts | Listing | CaptionedPlot | Group | Beside | Fold | Card


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with an entry in its contents."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class PageVerdict:
    """What came of it, before all else: a sentence, and what it rests on."""

    tone: Tone
    headline: str
    points: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """``title`` says what was looked at, ``verb`` what armprof did."""

    verb: str
    title: str
    verdict: PageVerdict
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default=())
