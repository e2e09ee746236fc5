"""What goes wrong in the code of users, told in a line."""

from __future__ import annotations

import traceback
from pathlib import Path

LONGEST = 200  # characters of an exception's text
NOT_THEIRS = (Path(__file__).parent.name, "importlib")  # folders of code that only brings theirs to run


class Failed(Exception):  # noqa: N818  # reads as a sentence where it is raised
    """The component's own code went wrong: how, in a few words."""


def told(error: BaseException) -> str:
    """An exception in a line: its name, its text, and where in the code of users it was raised."""
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    places = [
        f" ({Path(frame.filename).name}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and Path(frame.filename).parent.name not in NOT_THEIRS
    ]
    return f"{type(error).__name__}{': ' if text else ''}{text}{places[-1] if places else ''}"
