"""Writing a file whole: a reader finds the old one or the new one, never half of it."""

from __future__ import annotations

import os
from pathlib import Path

from armprof.errors import ArmprofError


def write_text(path: Path, text: str) -> None:
    """Writes the text as UTF-8 in place of what is there. Raises ArmprofError where that cannot be done.

    A device or a pipe (/dev/stdout, /dev/null) is written to: renaming would put a file in its place.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as device:
                device.write(data)
            return
        path = Path(os.path.realpath(path))  # through a link to the file it means
        unfinished = path.with_name(f".{path.name[:200]}.{os.getpid()}")
        try:
            with open(unfinished, "wb") as file:
                file.write(data)
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ArmprofError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
