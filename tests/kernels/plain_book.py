"""A limit order book in plain Python, as slow as it is simple: what the C book is checked against."""

from __future__ import annotations

from dataclasses import dataclass, field

Level = tuple[int, int, int]  # price, orders, shares
NOTHING: Level = (0, 0, 0)


@dataclass
class Order:
    symbol: int
    side: bytes
    price: int
    shares: int


@dataclass
class PlainBook:
    """Each operation returns the kind of its outcome, in the words of the C book's ap_book_status."""

    symbols: int
    capacity: int
    orders: dict[int, Order] = field(default_factory=dict)
    levels: dict[tuple[int, bytes], dict[int, list[int]]] = field(default_factory=dict)

    def side(self, symbol: int, side: bytes) -> list[Level]:
        levels = self.levels.get((symbol, side), {})
        return [(price, *levels[price]) for price in sorted(levels, reverse=side == b"B")]

    def best(self, symbol: int, side: bytes) -> Level:
        levels = self.levels.get((symbol, side))
        if not levels:
            return NOTHING
        price = max(levels) if side == b"B" else min(levels)
        return (price, *levels[price])

    def top(self, symbol: int) -> tuple[Level, Level]:
        return self.best(symbol, b"B"), self.best(symbol, b"S")

    def add(self, symbol: int, reference: int, side: bytes, shares: int, price: int) -> str:
        if symbol >= self.symbols:
            return "UNKNOWN_SYMBOL"
        if side not in (b"B", b"S"):
            return "BAD_SIDE"
        if shares == 0:
            return "NO_SHARES"
        if len(self.orders) == self.capacity:
            return "FULL"
        if reference in self.orders:
            return "KNOWN_REFERENCE"
        before = self.top(symbol)
        self._enter(reference, Order(symbol, side, price, shares))
        return self._outcome(symbol, before)

    def reduce(self, symbol: int, reference: int, shares: int) -> str:
        order = self.orders.get(reference)
        if order is None or order.symbol != symbol:
            return "UNKNOWN_REFERENCE"
        if shares == 0:
            return "NO_SHARES"
        if shares > order.shares:
            return "OVER_EXECUTION"
        before = self.top(symbol)
        self._leave(reference, shares)
        return self._outcome(symbol, before)

    def delete(self, symbol: int, reference: int) -> str:
        order = self.orders.get(reference)
        if order is None or order.symbol != symbol:
            return "UNKNOWN_REFERENCE"
        return self.reduce(symbol, reference, order.shares)

    def replace(self, symbol: int, reference: int, new_reference: int, shares: int, price: int) -> str:
        order = self.orders.get(reference)
        if order is None or order.symbol != symbol:
            return "UNKNOWN_REFERENCE"
        if shares == 0:
            return "NO_SHARES"
        if new_reference in self.orders:
            return "KNOWN_REFERENCE"
        before = self.top(symbol)
        self._leave(reference, order.shares)
        self._enter(new_reference, Order(symbol, order.side, price, shares))
        return self._outcome(symbol, before)

    def _outcome(self, symbol: int, before: tuple[Level, Level]) -> str:
        return "OK" if self.top(symbol) == before else "MOVED"

    def _enter(self, reference: int, order: Order) -> None:
        self.orders[reference] = order
        level = self.levels.setdefault((order.symbol, order.side), {}).setdefault(order.price, [0, 0])
        level[0] += 1
        level[1] += order.shares

    def _leave(self, reference: int, shares: int) -> None:
        order = self.orders[reference]
        levels = self.levels[order.symbol, order.side]
        order.shares -= shares
        levels[order.price][1] -= shares
        if order.shares == 0:
            del self.orders[reference]
            levels[order.price][0] -= 1
            if levels[order.price][0] == 0:
                del levels[order.price]
