"""What the ITCH parser is fed: a generated stream, or a file that is looked through before it is timed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armprof.counters.machine import native
from armprof.errors import ArmprofError

GENERATED_MESSAGES = 1 << 18  # 8 MB: beyond the second-level cache, as a day's feed is
FILE_LIMIT = 256 << 20  # a day of NASDAQ takes gigabytes; this much of it is some 7 million messages


@dataclass(frozen=True)
class Feed:
    """BinaryFILE frames in memory: ``data`` is a cdata array of bytes, of which the first ``size`` count."""

    data: Any
    size: int
    frames: int
    notes: tuple[str, ...]


def generate(seed: int, messages: int = GENERATED_MESSAGES) -> Feed:
    """The first messages of the generator's stream; the same bytes for a seed on every machine."""
    ffi, lib = native().ffi, native().lib
    generator = ffi.new("ap_generator *")
    lib.ap_generator_init(generator, seed)
    data = ffi.new("uint8_t[]", messages * (lib.AP_ITCH_FRAME_HEADER + lib.AP_ITCH_MAX_LENGTH))
    size = lib.ap_generator_fill(generator, data, len(data), messages)
    return Feed(data, size, messages, (f"input: {messages:,} generated messages, {_megabytes(size)}, seed {seed}",))


def read_file(path: Path) -> Feed:
    """The whole frames of the first FILE_LIMIT bytes of a file.

    Raises ArmprofError where the file cannot be read or where not most of its frames are ITCH 5.0 messages.
    """
    ffi, lib = native().ffi, native().lib
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise ArmprofError(f"{path}: cannot be read: {error.strerror}") from None
    is_cut = len(content) > FILE_LIMIT
    data = ffi.from_buffer("uint8_t[]", content)
    reader = ffi.new("ap_itch_reader *")
    lib.ap_itch_reader_init(reader, data, min(len(content), FILE_LIMIT), lib.AP_ITCH_BINARYFILE)
    lib.ap_itch_drain(reader)

    messages = reader.counts[lib.AP_ITCH_OK]
    unknown, wrong = reader.counts[lib.AP_ITCH_UNKNOWN_TYPE], reader.counts[lib.AP_ITCH_BAD_LENGTH]
    frames, left_over = messages + unknown + wrong, len(content) - reader.position
    if messages <= unknown + wrong:
        raise ArmprofError(f"{path}: {_what_it_is(content, messages, frames)}")

    notes = [f"input: {path.name}, {messages:,} messages, {_megabytes(reader.position)}"]
    if is_cut:
        notes.append(f"input: the first {_megabytes(FILE_LIMIT)} of the file were taken")
    elif left_over:
        notes.append(f"input: the file ends inside a frame; its last {left_over:,} bytes were left out")
    if unknown or wrong:
        notes.append(
            f"input: {unknown + wrong:,} of {frames:,} frames are no messages ({unknown:,} of unknown type, "
            f"{wrong:,} of wrong length); they are timed with the others"
        )
    return Feed(data, reader.position, frames, tuple(notes))


def _what_it_is(content: bytes, messages: int, frames: int) -> str:
    """Why a file is not taken."""
    if not content:
        return "is empty"
    if content.startswith(b"\x1f\x8b"):
        return "is compressed; unpack it with gunzip first"
    found = f"{messages:,} of its {frames:,} frames are messages" if frames else "it has no whole frame"
    return f"is no ITCH 5.0 file of messages each behind its length in two big-endian bytes: {found}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
