"""What text reports are printed on: at most 80 columns, and only characters that the encoding has."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, RenderableType

from armprof.report.harmless import uncommanded

WIDTH = 80


def paper(stream: TextIO | None = None, width: int | None = None) -> Console:
    """A console as wide as the stream, and no wider than WIDTH: coloured where the stream is a terminal.

    Without a stream it is plain text of WIDTH columns. Names come from files and command lines: nothing is markup.
    """
    console = Console(
        file=stream or io.StringIO(),
        color_system="auto" if stream else None,
        force_terminal=None if stream else False,
        width=width or (None if stream else WIDTH),
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.width = min(console.width, width or WIDTH)
    return console


def printed(console: Console, blocks: Iterable[RenderableType]) -> str:
    """The blocks as the console prints them, without blanks at the ends of lines."""
    with console.capture() as capture:
        for block in blocks:
            console.print(block)
    report = uncommanded("\n".join(line.rstrip() for line in capture.get().split("\n")))
    return report.encode(console.encoding, "backslashreplace").decode(console.encoding)
