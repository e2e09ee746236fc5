"""Records of Arm's Statistical Profiling Extension, from the bytes that the core writes.

The format is that of the Arm Architecture Reference Manual, "Statistical Profiling Extension Sample Record Specification":
packets of a header byte, or two, and a payload whose size the header tells. A record ends with an end packet or a timestamp.
Nothing here reads hardware: `decode` takes bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

END, TIMESTAMP = 0x01, 0x71
EXTENDED = 0x20  # the first header byte, whose two low bits stand before the index of the second
LONGEST = 64  # packets of a record: more is none

ADDRESSES = {0: "pc", 1: "target", 2: "virtual", 3: "physical"}
COUNTERS = {0: "total", 1: "issue", 2: "translation"}
OTHER, MEMORY, BRANCH = range(3)  # classes of operations
EVENTS = {
    0: "exception", 1: "retired", 2: "l1d_access", 3: "l1d_refill", 4: "tlb_access", 5: "tlb_walk", 6: "not_taken",
    7: "mispredicted", 8: "llc_access", 9: "llc_miss", 10: "remote", 11: "unaligned", 17: "partial_predicate",
    18: "empty_predicate",
}  # fmt: skip


@dataclass
class Record:
    """One sampled operation. What its packets do not tell is None; ``latency`` is in cycles, by COUNTERS.

    ``source`` says which cache or memory answered, in numbers of the core's own; ``events`` are by name, or "event N".
    """

    addresses: dict[str, int] = field(default_factory=dict)
    latency: dict[str, int] = field(default_factory=dict)
    events: frozenset[str] = frozenset()
    operation: str | None = None  # "load", "store", "branch", "other"
    source: int | None = None
    context: int | None = None
    timestamp: int | None = None

    @property
    def pc(self) -> int | None:
        """The address of the instruction."""
        return self.addresses.get("pc")


@dataclass
class Decoded:
    """Whole records in their order, and how many bytes belong to none."""

    records: list[Record] = field(default_factory=list)
    broken: int = 0


def decode(content: bytes) -> Decoded:
    """The records. After what is no packet it goes on with the next place from where a whole record can be read."""
    found = Decoded()
    at = 0
    while at < len(content):
        if content[at] == 0:  # padding
            at += 1
            continue
        read = _record(content, at)
        if read is None:
            at += 1
            found.broken += 1
            while at < len(content) and not _begins(content[at]):
                at += 1
                found.broken += 1
            continue
        record, at = read
        found.records.append(record)
    return found


def _begins(header: int) -> bool:
    """Whether a record may begin so once the beginning is lost: with the address of its instruction, as cores write them."""
    return header == 0xB0


def _record(content: bytes, at: int) -> tuple[Record, int] | None:
    """The record that begins there, and where it ends; None where there is no whole one."""
    record = Record()
    told = False
    for kind, index, payload, after in _packets(content, at):
        if kind in ("end", "timestamp"):
            record.timestamp = payload if kind == "timestamp" else None
            return (record, after) if told else None
        if kind != "padding":
            told = True
            _tell(record, kind, index, payload)
    return None


def _packets(content: bytes, at: int) -> Iterator[tuple[str, int, int, int]]:
    """Kind, index, payload and end of each packet, up to the first that is none."""
    for _ in range(LONGEST):
        if at >= len(content):
            return
        header, above = content[at], 0
        at += 1
        if header & 0xFC == EXTENDED:
            if at >= len(content) or content[at] & 0xF8 not in (0xB0, 0x98):
                return
            header, above = content[at], (header & 3) << 3
            at += 1
        packet = _PACKETS[header]
        if packet is None:
            return
        kind, index, size = packet
        if at + size > len(content):
            return
        yield kind, above + index, int.from_bytes(content[at : at + size], "little"), at + size
        at += size


def _kind(header: int) -> str | None:
    """What the packet is, by its last header byte."""
    if header in (0, END, TIMESTAMP):
        return {0: "padding", END: "end"}.get(header, "timestamp")
    if header & 0xCF in (0x42, 0x43):
        return "events" if header & 1 == 0 else "source"
    if header & 0xFC in (0x64, 0x48):
        return "context" if header & 0x20 else "operation"
    return {0xB0: "address", 0x98: "counter"}.get(header & 0xF8)


def _packet(header: int) -> tuple[str, int, int] | None:
    """Kind, index and size of the payload; None of what is no packet."""
    kind = _kind(header)
    if kind is None:
        return None
    size = 0 if kind in ("padding", "end") else 1 << (header >> 4 & 3)
    return kind, header & (7 if kind in ("address", "counter") else 3), size


_PACKETS = tuple(map(_packet, range(256)))


def _tell(record: Record, kind: str, index: int, payload: int) -> None:
    if kind == "address" and index in ADDRESSES:
        record.addresses[ADDRESSES[index]] = _address(index, payload)
    elif kind == "counter" and index in COUNTERS:
        record.latency[COUNTERS[index]] = payload
    elif kind == "events":
        record.events = _events(payload)
    elif kind == "operation":
        named = {MEMORY: "store" if payload & 1 else "load", BRANCH: "branch", OTHER: "other"}
        record.operation = named.get(index)
    elif kind == "source":
        record.source = payload
    elif kind == "context":
        record.context = payload


@lru_cache(maxsize=4096)
def _events(payload: int) -> frozenset[str]:
    bits = (bit for bit in range(payload.bit_length()) if payload >> bit & 1)
    return frozenset(EVENTS.get(bit, f"event {bit}") for bit in bits)


def _address(index: int, payload: int) -> int:
    """Without tag and exception level, which stand in the top byte: bit 55 tells the half of the address space."""
    low = payload & ((1 << 56) - 1)
    virtual = ADDRESSES[index] != "physical"
    return low | 0xFF << 56 if virtual and low >> 55 else low
