"""How far a long measurement is, for who waits for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armprof.components import Progress


@contextmanager
def progress(after: float = 0.0) -> Iterator[Progress]:
    """A bar on stderr where that is a terminal; nothing in a log. ``after`` seconds, for what may as well take none."""
    if not sys.stderr.isatty():
        yield lambda doing, done: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar, begun = Bar(console=Console(stderr=True), transient=True), time.monotonic()
    task = bar.add_task("", total=1.0)

    def tell(doing: str, done: float) -> None:
        if time.monotonic() - begun >= after:
            bar.start()  # once it has started, this does nothing
        bar.update(task, description=doing, completed=done)

    try:
        tell("", 0.0)
        yield tell
    finally:
        bar.stop()
