"""Packets of Arm's Statistical Profiling Extension, built as its specification has them, and a perf.data file around them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

EL0 = 1 << 63  # not secure, exception level 0
LOAD, STORE, BRANCH = b"\x49\x00", b"\x49\x01", b"\x4a\x01"
RETIRED, L1D, REFILL, TLB, WALK, MISPREDICTED, LLC_MISS, REMOTE = (1 << bit for bit in (1, 2, 3, 4, 5, 7, 9, 10))
END = b"\x01"
SPE_TYPE = 8  # of the event, as the kernel numbers its PMUs


def address(index: int, value: int) -> bytes:
    return bytes([0xB0 | index]) + value.to_bytes(8, "little")


def counter(index: int, cycles: int) -> bytes:
    return bytes([0x98 | index]) + cycles.to_bytes(2, "little")


def sized(header: int, value: int, size: int) -> bytes:
    """An events (0x42) or data source (0x43) packet with a payload of so many bytes."""
    return bytes([header | (size.bit_length() - 1) << 4]) + value.to_bytes(size, "little")


def timestamp(value: int) -> bytes:
    return bytes([0x71]) + value.to_bytes(8, "little")


def context(thread: int) -> bytes:
    return b"\x65" + thread.to_bytes(4, "little")


def load(
    pc: int, cycles: int, events: int = RETIRED | L1D, source: int | None = None, thread: int | None = None
) -> bytes:
    """A sampled load that took so many cycles from dispatch to completion."""
    told = address(0, EL0 | pc) + (context(thread) if thread is not None else b"") + LOAD
    told += counter(0, cycles) + counter(1, min(cycles, 12)) + address(2, 0xFFFF_9000_0040) + sized(0x42, events, 2)
    return told + (sized(0x43, source, 2) if source is not None else b"") + timestamp(1000)


# ---- perf.data, as tools/perf/Documentation/perf.data-file-format.txt has it ---------------------------------------------


def record(kind: int, body: bytes, misc: int = 0) -> bytes:
    body += bytes(-len(body) % 8)
    return struct.pack("<IHH", kind, misc, 8 + len(body)) + body


def named(pid: int, name: str) -> bytes:
    """PERF_RECORD_COMM of a process that runs another program from here on."""
    return record(3, struct.pack("<II", pid, pid) + name.encode() + b"\0", 1 << 13)


def mapped(pid: int, start: int, length: int, offset: int, path: str, build_id: str = "") -> bytes:
    """PERF_RECORD_MMAP2, with a build id where one is given."""
    own = bytes.fromhex(build_id)
    inode = bytes([len(own), 0, 0, 0]) + own.ljust(20, b"\0") if own else bytes(24)
    body = (
        struct.pack("<IIQQQ", pid, pid, start, length, offset)
        + inode
        + struct.pack("<II", 5, 2)
        + path.encode()
        + b"\0"
    )
    return record(10, body, 2 | (1 << 14) * bool(own))


def auxiliary(flags: int = 0) -> bytes:
    return record(11, struct.pack("<QQQ", 0, 0, flags))


def spe_bytes(content: bytes, thread: int = 0xFFFFFFFF) -> bytes:
    """PERF_RECORD_AUXTRACE and what follows it."""
    content += bytes(-len(content) % 8)
    return record(71, struct.pack("<QQQIIII", len(content), 0, 0, 0, thread, 0, 0)) + content


def perf_data(records: Iterable[bytes], midr: int | None = 0x410FD0C0, period: int = 1024, trace: int = 4) -> bytes:
    """A file of perf's: one event of SPE, sampled once in so many operations, and what the header says of the core."""
    size = 104
    attribute = struct.pack("<IIQQQQQ", SPE_TYPE, 128, 0, period, 1 | 1 << 1 | 1 << 16, 4, 0).ljust(
        128, b"\0"
    ) + struct.pack("<QQ", size, 8)
    ids = struct.pack("<Q", 1)
    data = record(70, struct.pack("<IIQQ", trace, 0, SPE_TYPE, 1)) + b"".join(records)
    start = size + len(ids) + len(attribute)
    text = f"0x{midr:016x}".encode() + b"\0" if midr is not None else b""
    feature = struct.pack("<I", len(text)) + text
    behind = struct.pack("<QQ", start + len(data) + 16, len(feature)) + feature if midr is not None else b""
    header = struct.pack("<7Q", size, len(attribute), size + len(ids), len(attribute), start, len(data), 0)
    bits = struct.pack("<4Q", (1 << 9) * (midr is not None), 0, 0, 0)
    return b"PERFILE2" + header + bytes(8) + bits + ids + attribute + data + behind
