"""The generated stream is one that an exchange could have sent: a plain order table in Python follows it."""

from __future__ import annotations

import collections
import itertools
from collections import Counter
from typing import Any

import itch_spec
import native_itch
import pytest

MESSAGES = 60_000


@pytest.fixture(scope="module", params=[1, 2**64 - 1])
def stream(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return list(native_itch.generated(request.param, MESSAGES))


def test_orders_live_from_add_to_their_last_share_and_books_never_cross(stream: list[dict[str, Any]]) -> None:
    orders: dict[int, dict[str, Any]] = {}
    books: dict[int, dict[bytes, Counter[int]]] = collections.defaultdict(lambda: {b"B": Counter(), b"S": Counter()})
    newest = 0

    def take(reference: int, locate: int, shares: int | None = None) -> dict[str, Any]:
        order = orders[reference]
        assert order["locate"] == locate
        shares = order["shares"] if shares is None else shares
        assert 0 < shares <= order["shares"]
        order["shares"] -= shares
        levels = books[locate][order["side"]]
        levels[order["price"]] -= shares
        if levels[order["price"]] == 0:
            del levels[order["price"]]
        if order["shares"] == 0:
            del orders[reference]
        return order

    def add(reference: int, locate: int, side: bytes, shares: int, price: int) -> None:
        nonlocal newest
        assert reference > newest
        assert shares > 0
        assert price > 0
        newest = reference
        orders[reference] = {"locate": locate, "side": side, "shares": shares, "price": price}
        books[locate][side][price] += shares

    for m in stream:
        locate = m["stock_locate"]
        match m["type"]:
            case b"A" | b"F":
                add(m["reference"], locate, m["side"], m["shares"], m["price"])
            case b"E" | b"X":
                take(m["reference"], locate, m["shares"])
            case b"C":
                assert take(m["reference"], locate, m["shares"])["price"] == m["price"]
            case b"D":
                take(m["reference"], locate)
            case b"U":
                side = take(m["reference"], locate)["side"]
                add(m["new_reference"], locate, side, m["shares"], m["price"])
        bids, offers = books[locate][b"B"], books[locate][b"S"]
        if m["type"] in (b"A", b"F", b"U") and bids and offers:
            assert max(bids) < min(offers)
    assert len(orders) > 1000


def test_executions_take_the_best_price(stream: list[dict[str, Any]]) -> None:
    """Price priority, which the book of an exchange keeps: nothing trades while a better order rests."""
    orders: dict[int, tuple[int, bytes, int]] = {}
    shares: dict[int, int] = {}
    checked = 0
    for m in stream:
        locate = m["stock_locate"]
        if m["type"] in (b"A", b"F"):
            orders[m["reference"]] = (locate, m["side"], m["price"])
            shares[m["reference"]] = m["shares"]
        elif m["type"] == b"U":
            _, side, _ = orders.pop(m["reference"])
            orders[m["new_reference"]] = (locate, side, m["price"])
            shares[m["new_reference"]] = m["shares"]
        elif m["type"] == b"D":
            del orders[m["reference"]]
        elif m["type"] in (b"E", b"C", b"X"):
            _, side, price = orders[m["reference"]]
            if m["type"] != b"X":
                rivals = [p for where, s, p in orders.values() if (where, s) == (locate, side)]
                assert price == (max(rivals) if side == b"B" else min(rivals))
                checked += 1
            shares[m["reference"]] -= m["shares"]
            if shares[m["reference"]] == 0:
                del orders[m["reference"]]
    assert checked > 500


def test_time_never_goes_back(stream: list[dict[str, Any]]) -> None:
    times = [m["timestamp"] for m in stream]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert times[-1] < 24 * 3600 * 10**9


def test_every_type_occurs_in_a_realistic_mix(stream: list[dict[str, Any]]) -> None:
    kinds = Counter(m["type"].decode() for m in stream)
    assert set(kinds) == set(itch_spec.MESSAGES)
    share = {kind: n / MESSAGES for kind, n in kinds.items()}
    assert 0.42 < share["A"] < 0.46
    assert 0.38 < share["D"] < 0.44
    assert 0.07 < share["U"] < 0.09
    assert 0.03 < share["E"] < 0.06
    assert 0.005 < share["X"] < 0.02


def test_a_day_opens_with_its_directory(stream: list[dict[str, Any]]) -> None:
    first_order = next(i for i, m in enumerate(stream) if m["type"] == b"A")
    listed = {m["stock"]: m["stock_locate"] for m in stream[:first_order] if m["type"] == b"R"}
    assert len(listed) == len(set(listed.values())) == 64
    events = [m["event_code"] for m in stream[:first_order] if m["type"] == b"S"]
    assert events == [b"O", b"S", b"Q"]
    for m in stream[first_order:]:
        if m["type"] in (b"A", b"F"):
            assert listed[m["stock"]] == m["stock_locate"]


def test_a_seed_is_a_stream_of_its_own() -> None:
    assert native_itch.generate(1, 1000) == native_itch.generate(1, 1000)
    assert native_itch.generate(1, 1000) != native_itch.generate(2, 1000)
