"""Texts that come from anywhere, made such that nobody who shows them takes them for a command: neither a terminal nor a CI
that reads what a step prints.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress

# GitHub obeys a line that begins with ::name, and ##[name] anywhere; Azure ##vso[name], TeamCity ##teamcity[name].
_LINE_COMMANDS = re.compile(r"(?m)^([^\S\n]*)::(?=[\w-])")
_COMMANDS = re.compile(r"##(vso|teamcity)?\[")


def printable(content: str) -> str:
    """The content with "?" for characters that would move the cursor or turn the line around."""
    return "".join(c if c.isprintable() else "?" for c in content)


def uncommanded(lines: str) -> str:
    """The lines, with a blank within what a CI would obey."""
    return _COMMANDS.sub(r"##\1 [", _LINE_COMMANDS.sub(r"\1:: ", lines))


def line(content: str) -> str:
    """The content as a line of text that is harmless wherever it is shown."""
    return uncommanded(printable(content))


def tell(words: str) -> None:
    """Says so in a line on stderr, which is for people: what is measured goes on where nobody can read it."""
    with suppress(OSError):
        print(f"armprof: {line(words)}", file=sys.stderr, flush=True)
