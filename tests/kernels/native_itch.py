"""The C parser's and generator's messages in the form of itch_spec's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import itch_spec

from armprof import _native

ffi, lib = _native.ffi, _native.lib


def as_dict(message: Any) -> dict[str, Any]:
    body = getattr(message, itch_spec.MESSAGES[message.type.decode()][0])
    fields = {"type": message.type}
    fields |= {name: getattr(message, name) for name in ("stock_locate", "tracking_number", "timestamp")}
    for name, field in ffi.typeof(body).fields:
        value = getattr(body, name)
        fields[name] = bytes(ffi.buffer(value)) if field.type.kind == "array" else value
    return fields


def decode(payload: bytes) -> tuple[int, dict[str, Any] | None]:
    message = ffi.new("ap_itch_message *")
    status = lib.ap_itch_decode(ffi.from_buffer("uint8_t[]", payload), len(payload), message)
    return status, as_dict(message) if status == lib.AP_ITCH_OK else None


def read(data: bytes, framing: int | None = None) -> tuple[list[dict[str, Any]], list[int]]:
    """All good messages of a buffer, and the reader's counts by status."""
    reader, message = ffi.new("ap_itch_reader *"), ffi.new("ap_itch_message *")
    buffer = ffi.from_buffer("uint8_t[]", data)
    lib.ap_itch_reader_init(reader, buffer, len(data), lib.AP_ITCH_BINARYFILE if framing is None else framing)
    messages = []
    while (status := lib.ap_itch_next(reader, message)) != lib.AP_ITCH_END:
        if status == lib.AP_ITCH_OK:
            messages.append(as_dict(message))
    return messages, list(reader.counts)


def generate(seed: int, messages: int) -> bytes:
    """The first messages of the generator's stream as BinaryFILE frames."""
    generator = ffi.new("ap_generator *")
    out = ffi.new("uint8_t[]", messages * (2 + lib.AP_ITCH_MAX_LENGTH))
    lib.ap_generator_init(generator, seed)
    size = lib.ap_generator_fill(generator, out, len(out), messages)
    return bytes(ffi.buffer(out, size))


def generated(seed: int, messages: int) -> Iterator[dict[str, Any]]:
    return (itch_spec.decode(payload) for payload in itch_spec.frames(generate(seed, messages)))
