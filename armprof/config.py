"""armprof.toml: reading it, and taking tables and values out of it with a path in every complaint.

What its sections mean is said where they are used: components in `armprof.components`, budgets in `armprof.budget`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

from armprof.errors import ArmprofError
from armprof.run.codec import MismatchError

CONFIG = Path("armprof.toml")

# Every section that somebody reads; a file may have others, of other programs.
SECTIONS = ("components", "budget", "targets", "budgets", "references", "headroom", "monitor", "alerts")

_LONGEST = 60  # characters of a key in a message


def found(path: Path | None = None) -> Path | None:
    """That file, or ./armprof.toml where none is named and there is one."""
    if path is None and CONFIG.exists():
        return CONFIG
    return path


def read(path: Path) -> str:
    """The text of that file. Raises ArmprofError where it cannot be read."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ArmprofError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ArmprofError(f"{path}: line {line}: no UTF-8, which TOML is written in") from None


def parse(text: str, origin: str) -> dict[str, Any]:
    """The document that the text is. Raises ArmprofError; ``origin`` names the text in it."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ArmprofError(f"{origin}: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or a whole number of thousands of digits
        raise ArmprofError(f"{origin}: {_placed(str(error), text)}") from None


def _placed(message: str, text: str) -> str:
    """The TOML parser's message with the place in front: "line 3, column 5: Invalid value"."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if found is None:
        return f"not TOML: {message}"
    place = f"line {found[2]}, column {found[3]}" if found[2] else f"line {text.count(chr(10)) + 1}, the end"
    return f"{place}: {found[1]}"


def check_sections(document: Iterable[str]) -> None:
    """Raises ValueError for a section that is almost one of ours, which is a slip."""
    for key in document:
        close = difflib.get_close_matches(key, SECTIONS, n=1)
        if close and key not in SECTIONS:
            raise ValueError(f"{path_of(key)}: no such section; did you mean {close[0]}?")


def table(
    parent: dict[str, Any], key: str, known: Iterable[str] | None = None, path: str | None = None
) -> dict[str, Any]:
    """The table under that key, empty where there is none; of ``known`` keys only, where those are given."""
    path = path or path_of(key)
    table = parent.get(key, {})
    if not isinstance(table, dict):
        raise MismatchError(path, "a table", table)
    known = table if known is None else tuple(known)
    for name in table:
        if name not in known:
            raise ValueError(f"{path}.{path_of(name)}: no such key; expected one of {', '.join(known)}")
    return table


def text(value: Any, path: str) -> str:
    """The value, which is a text and not an empty one."""
    if not isinstance(value, str) or not value:
        raise MismatchError(path, "text", value)
    return value


def path_of(key: str) -> str:
    """A key as TOML has it in a path, cut where it is absurdly long."""
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
    key = key if len(key) <= _LONGEST else f"{key[:_LONGEST]}..."
    return key if bare else f'"{key}"'


def line_of(text: str, path: str) -> int | None:
    """The line of the text that the key of this path stands in, or of the table nearest to it; None where neither is seen.

    For messages: a table written inline, or a key of a kind that TOML has and nobody writes, is told by its parent's line.
    """
    wanted = _split(re.sub(r"\[\d+\]$", "", path))
    best, nearest = 0, None
    here: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$", line):
            here = found = _split(header[1])
        elif key := re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""", line):
            found = [*here, *_split(key[1])]
        else:
            continue
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(found, wanted, strict=False)))
        if same > best and same in (len(found), len(wanted)):
            best, nearest = same, number
    return nearest


def _split(path: str) -> list[str]:
    """The keys of a dotted path."""
    return [part.strip("\"'") for part in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", path)]


def complain(file: Path, text: str, error: ValueError) -> ArmprofError:
    """A complaint about that file's text: "armprof.toml: line 7: alerts.slow.above: expected a number, found 'x'"."""
    message = str(error)
    line = line_of(text, message.partition(": ")[0])
    return ArmprofError(f"{file}: line {line}: {message}" if line else f"{file}: {message}")
