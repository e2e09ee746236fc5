"""Arrays in one file of the user's cache, mapped into memory when they are wanted again."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from armprof.output import write_bytes

MAGIC = b"armprof index 1\n"
ALIGN = 64
UNUSED_SECONDS = 30 * 24 * 3600
SUFFIX = ".index"

Arrays = dict[str, Any]


def folder() -> Path:
    told = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(told) if os.path.isabs(told) else Path("~/.cache").expanduser()  # the standard ignores a relative one
    return root / "armprof" / "binaries"


def load(key: str) -> tuple[Arrays, dict[str, Any]] | None:
    """The arrays and facts kept under that key; None where there are none, or the file is broken."""
    path = folder() / f"{key}{SUFFIX}"
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if data[: len(MAGIC)] != MAGIC:
            return None
        start = len(MAGIC) + 8
        size = int.from_bytes(data[len(MAGIC) : start], "little")
        header = json.loads(data[start : start + size])
        if len(data) != header["size"]:
            return None
        arrays = {n: np.frombuffer(data, _dtype(d), c, at) for n, (d, c, at) in header["arrays"].items()}
        with contextlib.suppress(OSError):
            os.utime(path)  # in use: see _forget
        return arrays, header["facts"]
    except (OSError, ValueError, TypeError, LookupError):
        return None


def save(key: str, arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Keeps them; False where the cache cannot be written."""
    places: dict[str, list[Any]] = {n: [_told(a.dtype), len(a), 0] for n, a in arrays.items()}
    header = b""
    for _ in range(2):  # once to learn the header's size, which the places depend on
        at = len(MAGIC) + 8 + len(header) + 512
        for name, array in arrays.items():
            at = -(-at // ALIGN) * ALIGN
            places[name][2] = at
            at += array.nbytes
        header = json.dumps({"arrays": places, "facts": facts, "size": at}).encode()
    parts: list[Any] = [MAGIC, len(header).to_bytes(8, "little"), header]
    written = len(MAGIC) + 8 + len(header)
    for name, array in arrays.items():
        parts += [bytes(places[name][2] - written), np.ascontiguousarray(array).data]
        written = places[name][2] + array.nbytes
    try:
        folder().mkdir(parents=True, exist_ok=True)
        _forget()
        write_bytes(folder() / f"{key}{SUFFIX}", parts)
    except Exception:
        return False
    return True


def _forget() -> None:
    """Removes what nobody used for long."""
    for path in folder().glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > UNUSED_SECONDS:
                path.unlink()


def _told(dtype: Any) -> Any:
    return dtype.descr if dtype.names else dtype.str


def _dtype(told: Any) -> Any:
    return np.dtype([tuple(field) for field in told]) if isinstance(told, list) else np.dtype(told)
