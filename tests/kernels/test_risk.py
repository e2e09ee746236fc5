"""The risk checks against a model that keeps orders, tokens and positions one by one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from armprof import _native

ffi, lib = _native.ffi, _native.lib

SECOND = 10**9


@dataclass
class Order:
    price: int
    size: int
    side: bytes
    left: int = 0  # of what passed, not yet filled or released


@dataclass
class Account:
    most_notional: int
    most_open_notional: int
    orders_per_second: int
    burst: int
    killed: bool = False
    orders: list[Order] = field(default_factory=list)
    passed: int = 0
    refused: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.token = -(-SECOND // self.orders_per_second)
        self.credit = self.burst * self.token  # tokens, in the nanoseconds that it takes to gain them
        self.last = 0

    def credit_at(self, now: int) -> int:
        return min(self.burst * self.token, self.credit + max(0, now - self.last))


@dataclass
class Symbol:
    band: int
    most_size: int
    most_position: int
    position: int
    reference: int | None = None
    orders: list[Order] = field(default_factory=list)

    def is_in_band(self, price: int) -> bool:
        if self.reference is None:
            return False
        return abs(price - self.reference) * 2**16 <= self.reference * self.band

    def worst(self, side: bytes, size: int) -> int:
        """The position, with the sign of the side, if all that is open on it were filled and this order too."""
        open_size = sum(order.left for order in self.orders if order.side == side)
        return (self.position if side == b"B" else -self.position) + open_size + size


def check(account: Account, symbol: Symbol, order: Order, now: int) -> int:
    notional = order.price * order.size
    open_notional = sum(other.price * other.left for other in account.orders)
    has_side = order.side in (b"B", b"S")
    reasons = {
        lib.AP_RISK_KILLED: account.killed,
        lib.AP_RISK_BAD_ORDER: not (order.price and order.size and has_side),
        lib.AP_RISK_PRICE: not symbol.is_in_band(order.price),
        lib.AP_RISK_SIZE: order.size > symbol.most_size,
        lib.AP_RISK_POSITION: symbol.worst(b"B" if order.side == b"B" else b"S", order.size) > symbol.most_position,
        lib.AP_RISK_NOTIONAL: notional > account.most_notional,
        lib.AP_RISK_OPEN_NOTIONAL: open_notional + notional > account.most_open_notional,
        lib.AP_RISK_RATE: account.credit_at(now) < account.token,
    }
    failed = [reason for reason, fails in reasons.items() if fails]
    for reason in failed:
        account.refused[reason] = account.refused.get(reason, 0) + 1
    if failed:
        return sum(failed)
    account.credit = account.credit_at(now) - account.token
    account.last = max(account.last, now)
    account.passed += 1
    order.left = order.size
    account.orders.append(order)
    symbol.orders.append(order)
    return 0


class Desk:
    """An account with two symbols, the kernel's and the model's side by side."""

    def __init__(self, draw: random.Random) -> None:
        def up_to(most: int, least: int = 0) -> int:
            return draw.choice([draw.randint(least, most), draw.randint(least, min(most, least + 1000)), most, least])

        self.draw = draw
        self.now = draw.choice([0, draw.randrange(2**60)])
        self.account = Account(
            most_notional=draw.choice([up_to(2**64 - 1), 10**6, 10**8]),
            most_open_notional=draw.choice([up_to(2**64 - 1), 10**7, 10**9]),
            orders_per_second=draw.choice([1, 3, 1000, 10**9, draw.randint(1, 10**9)]),
            burst=draw.choice([1, 2, 5, draw.randint(1, 2**32 - 1)]),
        )
        self.symbols = [
            Symbol(up_to(2**16), up_to(2**32 - 1), up_to(2**31 - 1), draw.choice([0, 10, -(2**31), 2**31 - 1]))
            if draw.random() < 0.1
            else Symbol(draw.choice([0, 655, 6554]), 5000, draw.choice([1000, 20_000]), draw.randint(-1500, 1500))
            for _ in range(2)
        ]
        a = self.account
        self.limits = ffi.new("ap_risk_limits *", (a.most_notional, a.most_open_notional, a.orders_per_second, a.burst))
        self.native = ffi.new("ap_risk_account *")
        assert lib.ap_risk_account_init(self.native, self.limits)
        self.native_symbols = ffi.new("ap_risk_symbol[]", len(self.symbols))
        for i, s in enumerate(self.symbols):
            limits = ffi.new("ap_risk_symbol_limits *", (s.band, s.most_size, s.most_position))
            assert lib.ap_risk_symbol_init(self.native_symbols + i, limits, s.position)
            if draw.random() < 0.95:
                self.refer(i, draw.choice([1000, 10_000, 10_000, draw.randrange(2**32)]))

    def refer(self, which: int, price: int) -> None:
        self.symbols[which].reference = price
        lib.ap_risk_reference(self.native_symbols + which, price)

    def order(self, which: int) -> Order:
        draw = self.draw
        reference = self.symbols[which].reference or 1000
        price = max(0, reference + draw.choice([0, draw.randint(-reference // 100, reference // 100), -reference // 8]))
        size = draw.choice([1, draw.randint(1, 300), draw.randint(1, 300), draw.randint(1, 6000)])
        if draw.random() < 0.03:
            price, size = draw.choice([(0, size), (price, 0), (2**32 - 1, 2**32 - 1), (draw.randrange(2**32), size)])
        side = draw.choice([b"B", b"S"]) if draw.random() < 0.98 else draw.choice([b"b", b"\0", b"X"])
        return Order(min(price, 2**32 - 1), size, side)

    def step(self) -> int | None:
        """One thing that happens; the reasons where it is an order."""
        draw, which = self.draw, self.draw.randrange(2)
        native, happens = self.native_symbols + which, draw.random()
        if happens < 0.03:
            self.account.killed = not self.account.killed
            (lib.ap_risk_kill if self.account.killed else lib.ap_risk_revive)(self.native)
        elif happens < 0.06:
            self.refer(which, draw.choice([1000, 10_000, draw.randrange(2**32)]))
        elif happens < 0.3 and self.symbols[which].orders:
            self.finish(which, draw.choice(self.symbols[which].orders))
        else:
            order = self.order(which)
            self.now = max(0, self.now + draw.choice([0, 1, self.account.token - 1, self.account.token, -5000]))
            expected = check(self.account, self.symbols[which], order, self.now)
            passed = ffi.new("ap_risk_order *", (order.price, order.size, order.side))
            assert lib.ap_risk_check(self.native, native, passed, self.now) == expected
            return expected
        return None

    def finish(self, which: int, order: Order) -> None:
        """A part of an order is filled or released."""
        passed = ffi.new("ap_risk_order *", (order.price, order.size, order.side))
        piece, native = self.draw.randint(0, order.left), self.native_symbols + which
        if self.draw.random() < 0.5:
            assert lib.ap_risk_release(self.native, native, passed, piece)
        else:
            assert lib.ap_risk_fill(self.native, native, passed, piece)
            self.symbols[which].position += piece if order.side == b"B" else -piece
        order.left -= piece

    def state_agrees(self) -> None:
        for i, s in enumerate(self.symbols):
            native: Any = self.native_symbols[i]
            assert native.position == s.position
            assert native.open_buys == sum(order.left for order in s.orders if order.side == b"B")
            assert native.open_sells == sum(order.left for order in s.orders if order.side == b"S")
        assert self.native.open_notional == sum(order.price * order.left for order in self.account.orders)
        assert self.native.passed == self.account.passed
        assert list(self.native.refused) == [self.account.refused.get(1 << bit, 0) for bit in range(8)]


def test_answers_as_the_model_in_100000_random_sequences() -> None:
    draw = random.Random(1)
    results: dict[int, int] = {}
    for _ in range(100_000):
        desk = Desk(draw)
        for _ in range(draw.randint(1, 8)):
            reasons = desk.step()
            if reasons is not None:
                results[reasons] = results.get(reasons, 0) + 1
        desk.state_agrees()
    assert results[0] > 50_000
    assert all(results[1 << bit] > 500 for bit in range(8))
    assert len(results) > 50  # so many combinations of reasons


def test_answers_as_the_model_in_long_sequences() -> None:
    draw = random.Random(2)
    for _ in range(30):
        desk = Desk(draw)
        for _ in range(400):
            desk.step()
        desk.state_agrees()
