"""Writing a file whole: a reader finds the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from armprof.errors import ArmprofError


def write_text(path: Path, text: str) -> None:
    """Writes the text as UTF-8 in place of what is there. Raises ArmprofError where that cannot be done."""
    write_bytes(path, [text.encode("utf-8", "backslashreplace")])


def write_bytes(path: Path, parts: Iterable[Any]) -> None:
    """Writes the parts, one after the other, in place of what is there. Raises ArmprofError where that cannot be done.

    A device or a pipe (/dev/stdout, /dev/null) is written to: renaming would put a file in its place.
    """
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as device:
                device.writelines(parts)
            return
        path = Path(os.path.realpath(path))  # through a link to the file it means
        unfinished = path.with_name(f".{path.name[:200]}.{os.getpid()}")
        try:
            unfinished.unlink(missing_ok=True)  # left behind by a process of the same number that was killed
            with open(unfinished, "xb") as file:  # never through a link that somebody put there
                file.writelines(parts)
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def destination(text: str) -> Path:
    """The file that an option names, for argparse: refused before anything is measured where it cannot be written.

    Raises ArmprofError as writing would, so that a measurement of minutes is not lost to a folder that is missing.
    """
    path = Path(text)
    try:
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        special = path.exists() and not path.is_file()
        written = text if special else f"{os.path.dirname(os.path.realpath(path))}/."  # a file is put in a file's place
        os.stat(written)
        if not os.access(written, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    return path


def _unwritable(path: Path, error: OSError | ValueError) -> ArmprofError:
    """ValueError: a NUL in the name."""
    return ArmprofError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
