"""From a file, or standard input, to text: encodings, and what is no text at all."""

from __future__ import annotations

import sys
from pathlib import Path

from armprof.counters.imported.row import shown
from armprof.errors import ArmprofError

STDIN = "-"
_LARGEST = 1 << 30
_PERF_DATA = (b"PERFILE2", b"2ELIFREP", b"PERFFILE")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
}


def load(path: Path | str) -> tuple[str, str]:
    """The text of the file and the name to call it by in messages; "-" is standard input.

    Raises ArmprofError where there is nothing to read or what is there is no text.
    """
    if str(path) == STDIN:
        return decode(sys.stdin.buffer.read(_LARGEST + 1), "standard input"), "standard input"
    origin = shown(str(path), 200)
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ArmprofError(f"cannot read {origin}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise ArmprofError(f"cannot read {origin}: {error}") from error
    return decode(data, origin), origin


def decode(data: bytes, origin: str) -> str:
    """The bytes as text; what is no UTF-8 (a program's, or a digit group of ISO 8859) becomes U+FFFD."""
    if len(data) > _LARGEST:
        raise ArmprofError(f"{origin} is larger than 1 GiB: give the counts of a shorter run, or of longer intervals")
    if data.startswith(_PERF_DATA):
        raise ArmprofError(
            f"{origin} is a perf.data file, not text: give what `perf stat` prints; "
            "`perf stat report -i FILE` prints what `perf stat record` counted, `perf script` samples"
        )
    for magic, packer in _PACKED.items():
        if data.startswith(magic):
            raise ArmprofError(f"{origin} is packed with {packer}: unpack it first")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:4096]:  # PowerShell's redirection writes UTF-16, some without a byte order mark
        halves = data[:4096:2].count(0), data[1:4096:2].count(0)
        if max(halves) < len(data[:4096]) // 4 or min(halves) > max(halves) // 8:
            raise ArmprofError(f"{origin} is binary, not the text that `perf stat` prints")
        return data.decode("utf-16-be" if halves[0] > halves[1] else "utf-16-le", "replace")
    return data.decode("utf-8-sig", "replace")
