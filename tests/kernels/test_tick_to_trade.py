"""Tick to trade against a trader in Python: the same packets give the same order bytes, tick by tick.

The model reads packets with the plain decoder, keeps the plain book and packs orders by struct. Strategy and risk are the
kernels, which have models of their own; what is tested here is who gets what, when, and what becomes of the answer.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import Any

import itch_spec
import native_itch
import pytest
from moldudp64 import packet
from plain_book import PlainBook

from armprof import _native

ffi, lib = _native.ffi, _native.lib

SYMBOLS = 65
UNQUOTED = 7
MOST = 999_999
CURVE = ffi.new("ap_curve *", {"knots": 2, "days": [365, 10950], "yields": [0.04, 0.042]})
TERMS = {
    "tick": 100,
    "half_spread": 100,
    "most_spread": 2000,
    "skew": 400,
    "most_value": 200,
    "imbalance_weight": 1 << 15,
    "value_weight": 1 << 14,
    "order_size": 300,
    "most_position": 900,
}


@dataclass
class Quote:
    price: int
    size: int
    executed: int
    reference: int


@dataclass
class Instrument:
    symbol: bytes
    strategy: Any
    risk: Any
    is_halted: bool = False
    has_band: bool = False
    quotes: dict[bytes, Quote | None] = field(default_factory=lambda: {b"B": None, b"S": None})


def strategy(order_size: int, opening: int) -> Any:
    bond, made = ffi.new("ap_bond *"), ffi.new("ap_strategy *")
    settlement, maturity = lib.ap_date(2026, 11, 23), lib.ap_date(2036, 11, 15)
    assert lib.ap_bond_init(bond, 0.04, maturity, settlement) == lib.AP_TREASURY_OK
    terms = ffi.new("ap_strategy_terms *", TERMS | {"order_size": order_size, "units_per_point": opening / 100})
    assert lib.ap_strategy_init(made, terms, bond, CURVE, 0.04)
    return made


def risk(most_size: int) -> Any:
    made = ffi.new("ap_risk_symbol *")
    limits = ffi.new("ap_risk_symbol_limits *", {"band": 1 << 10, "most_size": most_size, "most_position": 900})
    assert lib.ap_risk_symbol_init(made, limits, 0)
    return made


def account(orders_per_second: int) -> Any:
    made = ffi.new("ap_risk_account *")
    limits = {
        "most_notional": 10**10,
        "most_open_notional": 10**12,
        "orders_per_second": orders_per_second,
        "burst": 20,
    }
    assert lib.ap_risk_account_init(made, ffi.new("ap_risk_limits *", limits))
    return made


class PlainTrader:
    def __init__(self, instruments: dict[int, Instrument], account: Any) -> None:
        self.instruments, self.account = instruments, account
        self.book = PlainBook(SYMBOLS, 8192)
        self.reference = 0
        self.is_stopped = False
        self.refused = 0

    def tick(self, m: dict[str, Any]) -> bytes:
        self.refused = 0
        symbol = m["stock_locate"]
        outcome = self.apply(m)
        instrument = self.instruments.get(symbol)
        if instrument is None:
            return b""
        was_halted = instrument.is_halted
        match m["type"]:
            case b"H":
                instrument.is_halted = m["trading_state"] != b"T"
            case b"C" | b"P" | b"Q":
                self.lay_band(instrument, m["price"])
        if outcome != "MOVED" and instrument.is_halted == was_halted:
            return b""
        wanted = self.decide(instrument, symbol)
        return b"".join(self.requote(instrument, wanted, m["timestamp"]))

    def apply(self, m: dict[str, Any]) -> str | None:
        symbol = m["stock_locate"]
        match m["type"]:
            case b"A" | b"F":
                return self.book.add(symbol, m["reference"], m["side"], m["shares"], m["price"])
            case b"E" | b"C" | b"X":
                return self.book.reduce(symbol, m["reference"], m["shares"])
            case b"D":
                return self.book.delete(symbol, m["reference"])
            case b"U":
                return self.book.replace(symbol, m["reference"], m["new_reference"], m["shares"], m["price"])
        return None

    def lay_band(self, instrument: Instrument, price: int) -> None:
        if price == 0:
            return
        lib.ap_risk_reference(instrument.risk, price)
        instrument.has_band = True

    def decide(self, instrument: Instrument, symbol: int) -> Any:
        quotes = ffi.new("ap_strategy_quotes *")
        if self.is_stopped or instrument.is_halted:
            return quotes
        bid, offer = self.book.top(symbol)
        if not instrument.has_band and bid[1] and offer[1]:
            self.lay_band(instrument, (bid[0] + offer[0]) // 2)
        market = ffi.new("ap_strategy_market *", (bid[0], offer[0], bid[2], offer[2]))
        lib.ap_strategy_decide(instrument.strategy, CURVE, market, instrument.risk.position, quotes)
        return quotes

    def requote(self, instrument: Instrument, wanted: Any, time: int) -> list[bytes]:
        """Risk for both sides first, in this order, then the orders."""
        sides = [(b"B", wanted.bid, wanted.bid_size), (b"S", wanted.offer, wanted.offer_size)]
        changes = [(side, price, self.check(instrument, side, price, size, time)) for side, price, size in sides]
        return [self.order(instrument, side, price, size) for side, price, size in changes if size is not None]

    def check(self, instrument: Instrument, side: bytes, price: int, size: int, time: int) -> int | None:
        """The size of what is to stand on this side, None where nothing changes."""
        standing = instrument.quotes[side]
        if standing is not None:
            if (standing.price, standing.size) == (price, size):
                return None
            lib.ap_risk_release(
                self.account, instrument.risk, risk_order(standing.price, standing.size, side), standing.size
            )
        if (standing.executed if standing else 0) + size > MOST:
            size = 0
        if size:
            reasons = lib.ap_risk_check(self.account, instrument.risk, risk_order(price, size, side), time)
            self.refused |= reasons
            size = 0 if reasons else size
        return None if standing is None and size == 0 else size

    def order(self, instrument: Instrument, side: bytes, price: int, size: int) -> bytes:
        standing = instrument.quotes[side]
        if size == 0:
            assert standing is not None
            instrument.quotes[side] = None
            return struct.pack(">cII", b"X", standing.reference, 0)
        self.reference += 1
        executed = standing.executed if standing else 0
        instrument.quotes[side] = Quote(price, size, executed, self.reference)
        number = 14 * b" "
        if standing is None:
            fields = (self.reference, side, size, instrument.symbol, price, b"0", b"Y", b"P", b"N", b"N", number, 0)
            return struct.pack(">cIcI8sQccccc14sH", b"O", *fields)
        total = size + executed
        fields = (standing.reference, self.reference, total, price, b"0", b"Y", b"N", number, 0)
        return struct.pack(">cIIIQccc14sH", b"U", *fields)

    def fill(self, symbol: int, side: bytes, size: int) -> bool:
        instrument = self.instruments[symbol]
        quote = instrument.quotes[side]
        if quote is None or size > quote.size:
            return False
        assert lib.ap_risk_fill(self.account, instrument.risk, risk_order(quote.price, quote.size, side), size)
        quote.size -= size
        quote.executed += size
        if quote.size == 0:
            instrument.quotes[side] = None
        return True


def risk_order(price: int, size: int, side: bytes) -> Any:
    return ffi.new("ap_risk_order *", (price, size, side))


class NativeTrader:
    def __init__(self, plain: PlainTrader, orders_per_second: int) -> None:
        self.book = ffi.gc(lib.ap_book_create(SYMBOLS, 8192), lib.ap_book_destroy)
        self.instruments = ffi.new("ap_instrument[]", SYMBOLS)
        for number, instrument in plain.instruments.items():
            own = self.instruments[number]
            own.is_quoted = True
            own.symbol = instrument.symbol
            own.strategy, own.risk = instrument.strategy[0], instrument.risk[0]
        self.account = account(orders_per_second)
        self.trader = ffi.new("ap_trader *")
        lib.ap_trader_init(self.trader, self.book, self.instruments, SYMBOLS, CURVE, self.account)
        self.one = ffi.new("ap_tick *")

    def receive(self, data: bytes) -> int:
        self.packet = ffi.from_buffer("uint8_t[]", data)
        status: int = lib.ap_trader_open(self.trader, self.packet, len(data))
        return status

    def tick(self) -> bytes:
        assert lib.ap_trader_next(self.trader, self.one) == lib.AP_ITCH_OK
        return self.orders()

    def orders(self) -> bytes:
        return bytes(ffi.buffer(self.one.orders, self.one.size))


def traders(opening: dict[int, int], order_size: int = 300, rate: int = 1000) -> tuple[PlainTrader, NativeTrader]:
    instruments = {
        symbol: Instrument(b"SYM%02d   " % (symbol - 1), strategy(order_size, price), risk(300))
        for symbol, price in opening.items()
    }
    plain = PlainTrader(instruments, account(rate))
    return plain, NativeTrader(plain, rate)


def same_state(plain: PlainTrader, native: NativeTrader) -> None:
    for number, instrument in plain.instruments.items():
        own = native.instruments[number]
        for side, quote in ((b"B", own.bid), (b"S", own.offer)):
            expected = instrument.quotes[side]
            found = (quote.order.price, quote.order.size, quote.executed, quote.user_reference)
            if expected is None:
                assert quote.order.size == 0
            else:
                assert found == (expected.price, expected.size, expected.executed, expected.reference)
        assert own.risk.position == instrument.risk.position
        assert (own.risk.open_buys, own.risk.open_sells) == (instrument.risk.open_buys, instrument.risk.open_sells)
    assert native.account.open_notional == plain.account.open_notional
    assert list(native.account.refused) == list(plain.account.refused)
    assert native.account.passed == plain.account.passed


def kinds_of(orders: bytes) -> set[bytes]:
    kinds = set()
    while orders:
        kinds.add(orders[:1])
        orders = orders[{b"O": 47, b"U": 40, b"X": 9}[orders[:1]] :]
    return kinds


PAYLOADS = list(itch_spec.frames(native_itch.generate(31, 30_000)))
MESSAGES = [itch_spec.decode(payload) for payload in PAYLOADS]


def openings() -> dict[int, int]:
    """The first price of an order in each symbol but one."""
    prices: dict[int, int] = {}
    for m in MESSAGES:
        if m["type"] == b"A" and m["stock_locate"] != UNQUOTED:
            prices.setdefault(m["stock_locate"], m["price"])
    return prices


def halt(symbol: int, state: bytes, time: int) -> bytes:
    body = struct.pack(">cHH", b"H", symbol, 0) + time.to_bytes(6, "big")
    return body + b"SYM00   " + state + b" " + b"    "


@pytest.mark.parametrize("rate", [4000, 1_000_000])
def test_orders_are_those_of_the_model_byte_for_byte(rate: int) -> None:
    """Fills, halts, the kill switch, missed packets and resumptions on the way."""
    draw = random.Random(rate)
    plain, native = traders(openings(), rate=rate)
    sequence, at, sent, kinds = 1, 0, 0, set()
    while at < len(PAYLOADS):
        payloads = PAYLOADS[at : at + draw.randrange(1, 6)]
        at += len(payloads)
        event = draw.random()
        if event < 0.002:  # missed
            sequence += len(payloads)
            continue
        if event < 0.02:
            symbol, state = draw.randrange(SYMBOLS), draw.choice([b"H", b"P", b"T", b"T", b"T"])
            payloads = [*payloads, halt(symbol, state, MESSAGES[at - 1]["timestamp"])]
        status = native.receive(packet(sequence, payloads))
        sequence += len(payloads)
        plain.is_stopped |= status == lib.AP_FEED_GAP
        for payload in payloads:
            m = itch_spec.decode(payload)
            expected = plain.tick(m)
            assert native.tick() == expected
            assert native.one.refused == plain.refused
            assert native.one.symbol == m["stock_locate"]
            sent += bool(expected)
            kinds |= kinds_of(expected)
            if expected and draw.random() < 0.3:
                symbol, side, size = m["stock_locate"], draw.choice([b"B", b"S"]), draw.randrange(1, 400)
                assert lib.ap_trader_fill(native.trader, symbol, side, size) == plain.fill(symbol, side, size)
        if event > 0.998:
            lib.ap_risk_kill(native.account)
            lib.ap_risk_kill(plain.account)
        elif event > 0.99:
            lib.ap_risk_revive(native.account)
            lib.ap_risk_revive(plain.account)
        if draw.random() < 0.05:
            lib.ap_trader_resume(native.trader)
            plain.is_stopped = False
        assert native.trader.is_stopped == plain.is_stopped
    same_state(plain, native)
    assert sent > 400
    assert kinds == {b"O", b"U", b"X"}
    assert native.account.refused[lib.AP_RISK_KILLED.bit_length() - 1] > 0
    assert rate > 4000 or native.account.refused[lib.AP_RISK_RATE.bit_length() - 1] > 0
    assert any(own.risk.position for own in native.instruments)
    assert native.trader.user_reference == native.trader.entered + native.trader.replaced


def opened(order_size: int = 300) -> tuple[PlainTrader, NativeTrader, int]:
    """Two traders that quote both sides of a symbol."""
    plain, native = traders(openings(), order_size, rate=1_000_000)
    for number, (payload, m) in enumerate(zip(PAYLOADS, MESSAGES, strict=True)):
        native.receive(packet(number + 1, [payload]))
        assert native.tick() == plain.tick(m)
        symbol = m["stock_locate"]
        if symbol in plain.instruments and all(plain.instruments[symbol].quotes.values()):
            return plain, native, symbol
    raise AssertionError("no symbol was quoted")


def test_pulled_quotes_are_cancelled_and_their_room_is_free() -> None:
    _, native, symbol = opened()
    own = native.instruments[symbol]
    references = own.bid.user_reference, own.offer.user_reference
    lib.ap_trader_pull(native.trader, symbol, native.one)
    assert native.orders() == b"".join(struct.pack(">cII", b"X", reference, 0) for reference in references)
    assert own.risk.open_buys == own.risk.open_sells == 0
    lib.ap_trader_pull(native.trader, symbol, native.one)
    assert native.orders() == b""
    lib.ap_trader_pull(native.trader, SYMBOLS, native.one)
    assert native.orders() == b""


def test_a_fill_of_more_than_stands_there_is_refused() -> None:
    _, native, symbol = opened()
    own = native.instruments[symbol]
    assert not lib.ap_trader_fill(native.trader, symbol, b"B", 301)
    assert not lib.ap_trader_fill(native.trader, symbol, b"x", 1)
    assert not lib.ap_trader_fill(native.trader, UNQUOTED, b"B", 1)
    assert not lib.ap_trader_fill(native.trader, SYMBOLS, b"B", 1)
    assert own.risk.position == 0
    assert lib.ap_trader_fill(native.trader, symbol, b"B", 300)
    assert own.risk.position == 300
    assert own.bid.order.size == 0
    assert own.offer.order.size == 300


def test_a_row_of_replacements_ends_before_the_exchange_would_refuse_it() -> None:
    plain, native, symbol = opened()
    plain.instruments[symbol].quotes[b"B"].executed = native.instruments[symbol].bid.executed = MOST - 10
    sent = []
    for number in range(native.trader.feed.next - 1, len(PAYLOADS)):
        native.receive(packet(number + 1, [PAYLOADS[number]]))
        expected = plain.tick(MESSAGES[number])
        assert native.tick() == expected
        if MESSAGES[number]["stock_locate"] == symbol and expected:
            sent.append(kinds_of(expected))
    assert any(b"X" in kinds for kinds in sent)
    assert native.instruments[symbol].bid.executed == 0


def test_a_cross_that_found_nobody_moves_no_band() -> None:
    """Its price is 0, around which no order would pass."""
    plain, native, symbol = opened()
    number = native.trader.feed.next
    before = native.instruments[symbol].risk.lowest, native.instruments[symbol].risk.highest
    cross = struct.pack(">cHH6sQ8sIQc", b"Q", symbol, 0, bytes(6), 0, b"SYM00   ", 0, 1, b"O")
    native.receive(packet(number, [cross]))
    assert native.tick() == plain.tick(itch_spec.decode(cross)) == b""
    assert (native.instruments[symbol].risk.lowest, native.instruments[symbol].risk.highest) == before
