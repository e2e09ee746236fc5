"""MoldUDP64 packets, packed by struct."""

from __future__ import annotations

import struct

SESSION = b"0123456789"
END_OF_SESSION = 0xFFFF


def framed(payloads: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(payload)) + payload for payload in payloads)


def packet(sequence: int, payloads: list[bytes], session: bytes = SESSION, count: int | None = None) -> bytes:
    return struct.pack(">10sQH", session, sequence, len(payloads) if count is None else count) + framed(payloads)
