"""The C order book against a plain one and against another author's, on random orders and on ITCH streams."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import itch_spec
import native_itch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_book import Level, PlainBook

from armprof import _native

ffi, lib = _native.ffi, _native.lib

Operation = tuple[Any, ...]  # name of the operation, then its arguments
DEEPEST = 4096
ERRORS = {name.removeprefix("AP_BOOK_") for name in ffi.typeof("ap_book_status").relements} - {
    "OK",
    "MOVED",
    "STATUSES",
}


class NativeBook:
    """The C book with the outcomes, levels and orders of PlainBook."""

    def __init__(self, symbols: int, capacity: int) -> None:
        self.book = ffi.gc(lib.ap_book_create(symbols, capacity), lib.ap_book_destroy)
        self.buffer = ffi.new("ap_book_level[]", DEEPEST)

    def apply(self, name: str, *arguments: Any) -> str:
        status = getattr(lib, f"ap_book_{name}")(self.book, *arguments)
        return ffi.string(ffi.cast("ap_book_status", status)).removeprefix("AP_BOOK_")

    def top(self, symbol: int) -> tuple[Level, Level]:
        top = lib.ap_book_top(self.book, symbol)
        return as_level(top.bid), as_level(top.offer)

    def side(self, symbol: int, side: bytes, most: int = DEEPEST) -> list[Level]:
        found = lib.ap_book_depth(self.book, symbol, side, self.buffer, most)
        return [as_level(self.buffer[i]) for i in range(found)]

    def order(self, reference: int) -> tuple[int, bytes, int, int] | None:
        order = ffi.new("ap_book_order *")
        if not lib.ap_book_find(self.book, reference, order):
            return None
        return order.symbol, order.side, order.price, order.shares


def as_level(level: Any) -> Level:
    return level.price, level.orders, level.shares


def compare(operations: Iterable[Operation], plain: PlainBook, every: int = 500) -> Counter[str]:
    """Applies the operations to both books, which must agree after each. Returns how often each outcome was."""
    native = NativeBook(plain.symbols, plain.capacity)
    outcomes: Counter[str] = Counter()
    for number, (name, symbol, *arguments) in enumerate(operations):
        outcome = getattr(plain, name)(symbol, *arguments)
        assert native.apply(name, symbol, *arguments) == outcome, (number, name, symbol, arguments)
        outcomes[outcome] += 1
        if symbol < plain.symbols:
            assert native.top(symbol) == plain.top(symbol)
        if number % every == 0:
            compare_all(plain, native)
    compare_all(plain, native)
    counts = {status: native.book.counts[getattr(lib, f"AP_BOOK_{status}")] for status in outcomes}
    assert counts == outcomes
    return outcomes


def compare_all(plain: PlainBook, native: NativeBook) -> None:
    assert native.book.orders == len(plain.orders)
    for symbol in range(plain.symbols):
        assert native.top(symbol) == plain.top(symbol)
        for side in (b"B", b"S"):
            assert native.side(symbol, side) == plain.side(symbol, side)
    for reference, order in plain.orders.items():
        assert native.order(reference) == (order.symbol, order.side, order.price, order.shares)


# ---- Random orders ------------------------------------------------------------------------------------------


def random_operations(book: PlainBook, count: int, width: int) -> Iterator[Operation]:
    """Operations of which most fit the book as it is when each is drawn, while errors of all kinds occur."""
    draw = random.Random(width + book.capacity)
    middle = draw.choice([width, 1_000_000, 2**32 - 1 - width])

    def price() -> int:
        return middle + round(draw.triangular(-width, width, 0))

    def shares() -> int:
        return draw.choice([0, 1, 2**32 - 1, *[100] * 17, *[draw.randrange(1, 500)] * 10])

    def an_order() -> tuple[int, int]:
        if not book.orders or draw.random() < 0.05:
            return draw.randrange(4), draw.randrange(3 * book.capacity)
        reference = draw.choice(list(book.orders))
        return book.orders[reference].symbol, reference

    for number in range(count):
        # Add more than leave for a while, then less.
        adds = 6 if number // (4 * book.capacity) % 2 == 0 else 2
        new = draw.randrange(3 * book.capacity)
        match draw.choice(["add"] * adds + ["reduce", "reduce", "delete", "replace"]):
            case "add":
                symbol = draw.choice([0, 0, 0, 0, 0, 1, 1, 1, 2, 3])
                yield "add", symbol, new, draw.choice([b"B", b"S"] * 20 + [b"b"]), shares(), price()
            case "reduce":
                yield "reduce", *an_order(), shares()
            case "delete":
                yield "delete", *an_order()
            case _:
                yield "replace", *an_order(), new, shares(), price()


@pytest.mark.parametrize("width", [0, 5, 60, 5000])
@pytest.mark.parametrize("capacity", [10, 300])
def test_is_the_plain_book_on_random_operations(width: int, capacity: int) -> None:
    book = PlainBook(3, capacity)
    outcomes = compare(random_operations(book, 25_000, width), book)
    assert outcomes["OK"] + outcomes["MOVED"] > 10_000
    assert min(outcomes[kind] for kind in ERRORS | {"OK", "MOVED"}) > 50


small = st.integers(0, 9)
prices = st.one_of(st.integers(0, 40), st.integers(2**32 - 40, 2**32 - 1))
shares = st.sampled_from([0, 1, 2, 100, 2**32 - 1])


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 2), small, st.sampled_from([b"B", b"S", b" "]), shares, prices),
            st.tuples(st.just("reduce"), st.integers(0, 2), small, shares),
            st.tuples(st.just("delete"), st.integers(0, 2), small),
            st.tuples(st.just("replace"), st.integers(0, 2), small, small, shares, prices),
        ),
        max_size=60,
    )
)
def test_is_the_plain_book_on_the_smallest_example(operations: list[Operation]) -> None:
    compare(operations, PlainBook(symbols=2, capacity=6), every=1)


def test_depth_ends_with_the_side_or_with_what_was_asked_for() -> None:
    book = NativeBook(1, 200)
    for i in range(100):
        book.apply("add", 0, i, b"S", 10 + i, 5000 + 37 * i % 100)
    prices = [level[0] for level in book.side(0, b"S")]
    assert prices == list(range(5000, 5100))
    for most in (0, 1, 15, 16, 17, 99, 100, 101):
        assert [level[0] for level in book.side(0, b"S", most)] == prices[:most]
    assert book.side(0, b"B") == []
    assert book.side(0, b"?") == []
    assert book.side(1, b"S") == []


def test_a_cleared_book_is_a_new_one() -> None:
    book = NativeBook(1, 10)
    assert book.apply("add", 0, 1, b"B", 100, 5000) == "MOVED"
    lib.ap_book_clear(book.book)
    assert book.top(0) == PlainBook(1, 10).top(0)
    assert book.order(1) is None
    assert not any(book.book.counts)
    assert book.apply("add", 0, 1, b"S", 100, 5000) == "MOVED"


# ---- ITCH streams -------------------------------------------------------------------------------------------


def operations_of(data: bytes) -> Iterator[Operation]:
    """What a stream's messages do to the book, read by the decoder that shares nothing with the C."""
    for m in map(itch_spec.decode, itch_spec.frames(data)):
        symbol = m["stock_locate"]
        match m["type"]:
            case b"A" | b"F":
                yield "add", symbol, m["reference"], m["side"], m["shares"], m["price"]
            case b"E" | b"C" | b"X":
                yield "reduce", symbol, m["reference"], m["shares"]
            case b"D":
                yield "delete", symbol, m["reference"]
            case b"U":
                yield "replace", symbol, m["reference"], m["new_reference"], m["shares"], m["price"]


@pytest.fixture(scope="module")
def field_data() -> bytes:
    folder = os.environ.get("ARMPROF_FIELD_DATA")
    if not folder:
        pytest.skip("ARMPROF_FIELD_DATA does not name the folder with itch/ex20101224.itch50")
    return (Path(folder) / "itch" / "ex20101224.itch50").read_bytes()


@pytest.mark.parametrize("seed", [1, 2**64 - 1])
def test_is_the_plain_book_on_the_generated_stream(seed: int) -> None:
    outcomes = compare(operations_of(native_itch.generate(seed, 60_000)), PlainBook(65, 8192), every=10_000)
    assert set(outcomes) == {"OK", "MOVED"}


def test_is_the_plain_book_on_a_file_of_another_author(field_data: bytes) -> None:
    outcomes = compare(operations_of(field_data), PlainBook(symbols=4, capacity=10_000))
    assert outcomes.pop("UNKNOWN_REFERENCE") == 117  # orders of before the file begins
    assert set(outcomes) == {"OK", "MOVED"}
    assert sum(outcomes.values()) > 6000


def test_agrees_with_the_book_of_another_author(field_data: bytes) -> None:
    """Levels and orders of each symbol as meatpy has them at the end of the file."""
    pytest.importorskip("meatpy", reason="meatpy is not installed")
    from meatpy.itch50.itch50_market_message import ITCH50MarketMessage
    from meatpy.itch50.itch50_market_processor import ITCH50MarketProcessor
    from meatpy.lob import ExecutionPriorityExceptionList

    book = NativeBook(4, 10_000)
    for name, *arguments in operations_of(field_data):
        book.apply(name, *arguments)

    payloads = list(itch_spec.frames(field_data))
    directory = {m["stock"]: m["stock_locate"] for m in map(itch_spec.decode, payloads) if m["type"] == b"R"}
    messages = [
        ITCH50MarketMessage.from_bytes(p) for p in payloads if p[:1] in (b"A", b"F", b"E", b"C", b"X", b"D", b"U")
    ]
    compared = 0
    for stock, symbol in directory.items():
        processor = ITCH50MarketProcessor(stock, datetime.datetime(2010, 12, 24))
        for message in messages:
            # Executions out of time priority, of which the file has some, are applied before they are complained of.
            with contextlib.suppress(ExecutionPriorityExceptionList):
                processor.process_message(message)
        lob = processor.current_lob
        for side, levels in ((b"B", lob.bid_levels), (b"S", lob.ask_levels)):
            theirs = [(level.price, len(level.queue), level.volume) for level in levels]
            assert book.side(symbol, side) == theirs
            for level in levels:
                for order in level.queue:
                    assert book.order(order.order_id) == (symbol, side, level.price, order.volume)
                    compared += 1
    assert compared == book.book.orders > 1000
