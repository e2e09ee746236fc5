"""The loops that time the market's kernels: their checksums are those that a plain book gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import itch_spec
import native_itch
import pytest
from plain_book import Level, PlainBook

from armprof import _native

ffi, lib = _native.ffi, _native.lib

ODD = 0x9E3779B97F4A7C15
WORD = 2**64
STATUSES = {name.removeprefix("AP_BOOK_"): value for value, name in ffi.typeof("ap_book_status").elements.items()}
BAD_FRAMES = b"\0\1?" + b"\0\2SS" + b"\0\0" + (60000).to_bytes(2, "big") + b"Z" * 60000


def fold(checksum: int, value: int) -> int:
    checksum = (checksum ^ value) * ODD % WORD
    return checksum ^ checksum >> 32


def digest(bid: Level, offer: Level) -> int:
    numbers = [bid[0], bid[2], bid[1], offer[0], offer[2], offer[1]]
    return sum(ODD * (2 * i + 1) * number for i, number in enumerate(numbers)) % WORD


def apply(book: PlainBook, m: dict[str, Any]) -> str | None:
    """What the message did; None where it is about no order."""
    symbol = m["stock_locate"]
    match m["type"]:
        case b"A" | b"F":
            return book.add(symbol, m["reference"], m["side"], m["shares"], m["price"])
        case b"E" | b"C" | b"X":
            return book.reduce(symbol, m["reference"], m["shares"])
        case b"D":
            return book.delete(symbol, m["reference"])
        case b"U":
            return book.replace(symbol, m["reference"], m["new_reference"], m["shares"], m["price"])
    return None


def closing(messages: list[dict[str, Any]], book: PlainBook) -> list[dict[str, Any]]:
    """Deletes of what is left in the book, in the order of the messages that made it live."""
    deletes = {}
    for m in messages:
        reference = m.get("new_reference", m.get("reference"))
        if m["type"] in (b"A", b"F", b"U") and reference in book.orders:
            symbol = book.orders[reference].symbol
            deletes.setdefault(reference, {"type": b"D", "stock_locate": symbol, "reference": reference})
    return list(deletes.values())


def expected(data: bytes, with_other_messages: bool) -> tuple[int, list[int]]:
    """Operations of a period, and the checksums after one and two of them."""
    payloads = list(itch_spec.frames(data))
    good = [p[:1].decode() in itch_spec.MESSAGES and len(p) == itch_spec.length(p[:1].decode()) for p in payloads]
    messages = [itch_spec.decode(p) if is_good else None for p, is_good in zip(payloads, good, strict=True)]
    book = PlainBook(65, 8192)
    for m in messages:
        if m is not None:
            apply(book, m)
    messages += closing([m for m in messages if m is not None], book)

    checksum, checksums, operations = 0, [], 0
    book = PlainBook(65, 8192)
    for _ in range(2):
        operations = 0
        for number, m in enumerate(messages):
            outcome = apply(book, m) if m is not None else None
            if outcome == "MOVED" and m is not None:
                checksum = fold(checksum, digest(*book.top(m["stock_locate"])))
            elif outcome is not None:
                checksum = fold(checksum, STATUSES[outcome])
            elif with_other_messages:
                known = m is not None or payloads[number][:1].decode() in itch_spec.MESSAGES
                wrong = lib.AP_ITCH_BAD_LENGTH if known or not payloads[number] else lib.AP_ITCH_UNKNOWN_TYPE
                checksum = fold(checksum, 0 if m is not None else STATUSES["STATUSES"] + wrong)
            operations += outcome is not None or with_other_messages
        assert not book.orders
        checksums.append(checksum)
    return operations, checksums


@pytest.mark.parametrize("name", ["book", "feed"])
@pytest.mark.parametrize("bad", [b"", BAD_FRAMES])
def test_checksums_are_those_of_the_plain_book(name: str, bad: bytes) -> None:
    stream = native_itch.generate(9, 8000)
    cut = len(b"".join(len(p).to_bytes(2, "big") + p for p in list(itch_spec.frames(stream))[:4000]))
    data = bad + stream[:cut] + bad + stream[cut:]
    period, checksums = expected(data, with_other_messages=name == "feed")
    state = create(name, data + data[:1])  # and an unfinished frame
    assert getattr(lib, f"ap_{name}_loop_period")(state) == period
    loop: Callable[..., int] = getattr(lib, f"ap_{name}_loop")
    assert [loop(state, period), loop(state, period)] == checksums


def create(name: str, data: bytes) -> Any:
    state = getattr(lib, f"ap_{name}_loop_create")(ffi.from_buffer("uint8_t[]", data), len(data))
    return state and ffi.gc(state, getattr(lib, f"ap_{name}_loop_destroy"))


def test_data_without_a_frame_or_an_order_is_refused() -> None:
    opening = native_itch.generate(1, 1)
    for name, data in [("book", b""), ("feed", b""), ("feed", opening[:-1]), ("book", opening), ("trade", opening)]:
        assert create(name, data) == ffi.NULL
    assert lib.ap_feed_loop_period(create("feed", opening)) == 1
