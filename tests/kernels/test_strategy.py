"""The strategy against a model in Python's integers and floats: the same quotes to the unit, case by case."""

from __future__ import annotations

import datetime
import itertools
import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_treasury import Bond, RefusedError, ffi, lib, number

SETTLEMENT = number(datetime.date(2026, 11, 23))
ONE = 2**16

TERMS = {
    "tick": 39,
    "half_spread": 20,
    "most_spread": 5000,
    "skew": 200,
    "most_value": 300,
    "imbalance_weight": ONE // 2,
    "value_weight": ONE // 4,
    "order_size": 100,
    "most_position": 1000,
    "premium": 0.0,
    "units_per_point": 10_000.0,
}


@dataclass
class Market:
    bid: int
    offer: int
    bid_shares: int
    offer_shares: int


def curve_of(knots: list[tuple[int, float]]) -> Any:
    days, yields = zip(*knots, strict=True)
    return ffi.new("ap_curve *", {"knots": len(knots), "days": days, "yields": yields})


FLAT = curve_of([(1000, 0.04)])


class Strategy:
    """The kernel and its model side by side."""

    def __init__(self, terms: dict[str, Any], bond: Bond, curve: Any, rate: float) -> None:
        self.kernel = ffi.new("ap_strategy *")
        self.terms, self.bond, self.curve = terms, bond, curve
        self.is_ready = lib.ap_strategy_init(
            self.kernel, ffi.new("ap_strategy_terms *", terms), bond.terms, curve, rate
        )
        if self.is_ready:
            self.rate = rate
            self.slope = bond.risk(rate).dv01 * 10_000 * terms["units_per_point"]

    def decide(self, market: Market, inventory: int) -> tuple[int, tuple[int, int, int, int]]:
        quotes = ffi.new("ap_strategy_quotes *")
        passed = ffi.new("ap_strategy_market *", vars(market))
        status = lib.ap_strategy_decide(self.kernel, self.curve, passed, inventory, quotes)
        return status, (quotes.bid, quotes.bid_size, quotes.offer, quotes.offer_size)

    def model(self, market: Market, inventory: int) -> tuple[int, tuple[int, int, int, int]]:
        terms, nothing = self.terms, (0, 0, 0, 0)
        bid, offer = market.bid, market.offer
        if market.bid_shares == 0 or market.offer_shares == 0:
            return lib.AP_STRATEGY_ONE_SIDED, nothing
        if bid >= offer:
            return lib.AP_STRATEGY_CROSSED, nothing
        if offer - bid > terms["most_spread"]:
            return lib.AP_STRATEGY_WIDE, nothing
        try:
            value = self.model_value(market) if terms["value_weight"] else 0
        except RefusedError:
            return lib.AP_STRATEGY_NO_VALUE, nothing

        bids, offers = min(market.bid_shares, 2**32 - 1), min(market.offer_shares, 2**32 - 1)
        imbalance = towards_0(Fraction((bids - offers) * ONE, bids + offers))
        of_half_spread = towards_0(Fraction(imbalance * terms["imbalance_weight"], 2)) * (offer - bid)
        held = min(max(inventory, -terms["most_position"]), terms["most_position"])
        fair = (
            Fraction(bid + offer, 2)
            + Fraction(towards_0(Fraction(of_half_spread, ONE)), ONE)
            + Fraction(value * terms["value_weight"], ONE)
            - Fraction(held * (terms["skew"] * ONE // terms["most_position"]), ONE)
        )
        tick = terms["tick"]
        own_bid = math.floor((fair - terms["half_spread"]) / tick) * tick
        own_offer = math.ceil((fair + terms["half_spread"]) / tick) * tick
        while own_bid >= offer:
            own_bid = math.ceil(Fraction(offer, tick) - 1) * tick
        while own_offer <= bid:
            own_offer = math.floor(Fraction(bid, tick) + 1) * tick
        bid_size = max(0, min(terms["order_size"], terms["most_position"] - inventory))
        offer_size = max(0, min(terms["order_size"], terms["most_position"] + inventory))
        buys = (own_bid, bid_size) if own_bid > 0 and bid_size else (0, 0)
        sells = (own_offer, offer_size) if 0 < own_offer < 2**32 and offer_size else (0, 0)
        return lib.AP_STRATEGY_QUOTES if buys[1] or sells[1] else lib.AP_STRATEGY_NO_ROOM, (*buys, *sells)

    def model_value(self, market: Market) -> int:
        """Python's floats are the doubles of C, and this is the order that strategy.h gives."""
        terms = self.terms
        price = (float(market.bid) + float(market.offer)) / (2 * terms["units_per_point"])
        self.rate = self.bond.rate(price, self.rate)
        expected = on_curve(self.curve, self.bond.terms.maturity - self.bond.terms.settlement)
        cheap = (self.rate - expected - terms["premium"]) * self.slope
        cheap = min(max(cheap, -float(terms["most_value"])), float(terms["most_value"]))
        return int(math.copysign(math.floor(abs(cheap) + 0.5), cheap))

    def agreed(self, market: Market, inventory: int) -> tuple[int, tuple[int, int, int, int]]:
        expected, found = self.model(market, inventory), self.decide(market, inventory)
        assert found == expected, (self.terms, market, inventory)
        return found


def towards_0(value: Fraction) -> int:
    return math.trunc(value)


def on_curve(curve: Any, days: int) -> float:
    knots = list(zip(list(curve.days), list(curve.yields), strict=True))[: curve.knots]
    if days <= knots[0][0]:
        return float(knots[0][1])
    for (d0, y0), (d1, y1) in itertools.pairwise(knots):
        if d0 <= days < d1:
            return float(y0 + (y1 - y0) * ((float(days) - d0) / (float(d1) - d0)))
    return float(knots[-1][1])


def draw_terms(draw: random.Random) -> dict[str, Any]:
    def up_to(most: int, least: int = 0) -> int:
        return draw.choice([least, most, draw.randint(least, most), draw.randint(least, min(most, least + 500))])

    most = lib.AP_STRATEGY_MOST
    return {
        "tick": draw.choice([1, 1, 10, 39, 100, up_to(most, 1)]),
        "half_spread": draw.choice([1, 20, 100, up_to(most, 1)]),
        "most_spread": draw.choice([most, 5000, up_to(most, 1)]),
        "skew": draw.choice([0, 200, up_to(most)]),
        "most_value": draw.choice([0, 300, up_to(most)]),
        "imbalance_weight": up_to(ONE),
        "value_weight": draw.choice([0, up_to(ONE), up_to(ONE)]),
        "order_size": draw.choice([1, 100, up_to(2**32 - 1, 1)]),
        "most_position": draw.choice([1, 1000, up_to(2**31 - 1, 1)]),
        "premium": draw.choice([0.0, draw.uniform(-0.001, 0.001), draw.uniform(-1, 1)]),
        "units_per_point": draw.choice([10_000.0, 256.0, draw.uniform(1, 1e6)]),
    }


def draw_bond(draw: random.Random) -> Bond:
    return Bond(draw.randrange(1, 80) / 800, SETTLEMENT + draw.choice([30, 180, 700, 3600, 10_900]), SETTLEMENT)


def draw_curve(draw: random.Random) -> Any:
    days = sorted(draw.sample(range(1, 11_500), draw.randint(1, lib.AP_CURVE_KNOTS)))
    return curve_of([(day, draw.uniform(0.02, 0.06)) for day in days])


def draw_market(draw: random.Random, middle: int, spread: int) -> Market:
    def shares() -> int:
        return draw.choice([draw.randint(1, 5000), draw.randint(1, 50), draw.randint(0, 2**64 - 1), 0, 1, 2**32])

    if draw.random() < 0.1:
        return Market(draw.randint(0, 2**32 - 1), draw.randint(0, 2**32 - 1), shares(), shares())
    bid = max(0, middle + draw.randint(-2000, 2000))
    return Market(bid, min(2**32 - 1, bid + draw.randint(-2, spread)), shares(), shares())


def test_decides_as_the_model_in_100000_random_cases() -> None:
    draw = random.Random(1)
    seen: dict[int, int] = {}
    sides = {"both": 0, "bid": 0, "offer": 0}
    for _ in range(5000):
        terms, bond, rate = draw_terms(draw), draw_bond(draw), draw.uniform(0.01, 0.08)
        strategy = Strategy(terms, bond, draw_curve(draw), rate)
        assert strategy.is_ready
        middle = min(2**32 - 1, int(max(1.0, bond.price(rate)) * terms["units_per_point"]))
        for _ in range(20):
            if draw.random() < 0.2:
                knot = draw.randrange(strategy.curve.knots)
                strategy.curve.yields[knot] += draw.uniform(-0.001, 0.001)
            most = terms["most_position"]
            inventory = draw.choice([0, most, -most, draw.randint(-most, most), draw.randint(-(2**31), 2**31 - 1)])
            market = draw_market(draw, middle, min(terms["most_spread"], 3000))
            status, (_, bid_size, _, offer_size) = strategy.agreed(market, inventory)
            seen[status] = seen.get(status, 0) + 1
            if status == lib.AP_STRATEGY_QUOTES:
                sides["both" if bid_size and offer_size else "bid" if bid_size else "offer"] += 1
    assert sum(seen.values()) >= 100_000
    assert min(seen.values()) > 100
    assert len(seen) == 6
    assert min(sides.values()) > 1000


# ---- What the rule promises -------------------------------------------------------------------------------------

markets = st.builds(
    lambda bid, spread, bids, offers: Market(bid, bid + spread, bids, offers),
    st.integers(800_000, 1_200_000),
    st.integers(1, 3000),
    st.integers(1, 100_000),
    st.integers(1, 100_000),
)
inventories = st.integers(-1000, 1000)


def strategy_with(curve: Any = FLAT, **changes: Any) -> Strategy:
    strategy = Strategy(TERMS | changes, Bond(0.04, SETTLEMENT + 3600, SETTLEMENT), curve, 0.04)
    assert strategy.is_ready
    return strategy


@given(markets, inventories)
def test_quotes_are_whole_ticks_and_never_cross_the_market(market: Market, inventory: int) -> None:
    status, (bid, bid_size, offer, offer_size) = strategy_with().decide(market, inventory)
    assert status == lib.AP_STRATEGY_QUOTES
    assert bid_size <= min(100, 1000 - inventory)
    assert offer_size <= min(100, 1000 + inventory)
    if bid_size:
        assert 0 < bid < market.offer
    if offer_size:
        assert offer > market.bid
    if bid_size and offer_size:
        assert bid < offer
    assert bid % 39 == offer % 39 == 0


@given(markets, inventories, st.integers(1, 500))
def test_more_inventory_never_raises_a_quote(market: Market, inventory: int, more: int) -> None:
    strategy = strategy_with(most_position=1500)
    _, (bid, _, offer, _) = strategy.decide(market, inventory)
    _, (lower_bid, _, lower_offer, _) = strategy.decide(market, inventory + more)
    assert lower_bid <= bid
    assert lower_offer <= offer or offer == 0


@given(markets, inventories, st.integers(1, 100_000))
def test_more_bids_in_the_book_never_lower_a_quote(market: Market, inventory: int, more: int) -> None:
    strategy = strategy_with()
    _, (bid, _, offer, _) = strategy.decide(market, inventory)
    market.bid_shares += more
    _, (higher_bid, _, higher_offer, _) = strategy.decide(market, inventory)
    assert higher_bid >= bid
    assert higher_offer >= offer


@given(markets, st.integers(-900, 900), st.integers(1, 200))
def test_a_market_upside_down_has_its_quotes_upside_down(market: Market, inventory: int, tick: int) -> None:
    strategy = strategy_with(tick=tick, value_weight=0)
    mirror = 2_000_000 // tick * tick
    turned = Market(mirror - market.offer, mirror - market.bid, market.offer_shares, market.bid_shares)
    _, (bid, bid_size, offer, offer_size) = strategy.decide(market, inventory)
    _, found = strategy.decide(turned, -inventory)
    assert found == (mirror - offer, offer_size, mirror - bid, bid_size)


def test_a_security_that_yields_more_than_the_curve_is_bid_for() -> None:
    market = Market(1_000_000, 1_000_400, 500, 500)
    curve = curve_of([(365, 0.03), (3600, 0.04), (7300, 0.05)])
    _, neutral = strategy_with(curve, value_weight=0, tick=1).decide(market, 0)
    for shift, side in ((-0.001, 1), (0.001, -1)):
        curve.yields[1] = 0.04 + shift
        _, found = strategy_with(curve, tick=1, most_value=100, value_weight=ONE).decide(market, 0)
        assert found[0] - neutral[0] == found[2] - neutral[2] == 100 * side  # the cap: 10 points in the yield are 0.8


def test_a_yield_above_the_curve_by_its_premium_is_no_value() -> None:
    bond = Bond(0.04, SETTLEMENT + 3600, SETTLEMENT)
    middle = round(bond.price(0.0415) * 10_000)
    strategy = strategy_with(premium=0.0015, value_weight=ONE)
    market, value = ffi.new("ap_strategy_market *", (middle - 10, middle + 10, 1, 1)), ffi.new("int64_t *")
    assert lib.ap_strategy_value(strategy.kernel, FLAT, market, value)
    assert value[0] in (-1, 0, 1)


def test_a_curve_without_a_number_gives_no_quotes() -> None:
    strategy = strategy_with(curve_of([(1000, float("nan"))]))
    market = Market(1_000_000, 1_000_400, 500, 500)
    assert strategy.decide(market, 0) == (lib.AP_STRATEGY_NO_VALUE, (0, 0, 0, 0))


@given(st.lists(st.tuples(st.integers(1, 11_000), st.floats(0, 0.1)), min_size=1, max_size=16), st.integers(0, 12_000))
def test_a_curve_runs_straight_from_knot_to_knot(knots: list[tuple[int, float]], days: int) -> None:
    by_day = sorted(dict(knots).items())
    curve = curve_of(by_day)
    found = lib.ap_curve_at(curve, lib.ap_curve_find(curve, days))
    assert found == on_curve(curve, days)
    around = [y for d, y in by_day if d <= days][-1:] + [y for d, y in by_day if d >= days][:1]
    assert min(around) - 1e-17 <= found <= max(around) + 1e-17
    assert found == dict(by_day).get(days, found)


@pytest.mark.parametrize(
    "change",
    [
        {"tick": 0},
        {"tick": 2**24 + 1},
        {"half_spread": 0},
        {"half_spread": 2**24 + 1},
        {"most_spread": 0},
        {"most_spread": 2**24 + 1},
        {"skew": 2**24 + 1},
        {"most_value": 2**24 + 1},
        {"imbalance_weight": ONE + 1},
        {"value_weight": ONE + 1},
        {"order_size": 0},
        {"most_position": 0},
        {"most_position": 2**31},
        {"premium": float("nan")},
        {"premium": 1.5},
        {"units_per_point": 0.0},
        {"units_per_point": float("nan")},
        {"units_per_point": float("inf")},
    ],
)
def test_terms_outside_their_range_are_refused(change: dict[str, Any]) -> None:
    bond = Bond(0.04, SETTLEMENT + 3600, SETTLEMENT)
    assert Strategy(TERMS, bond, FLAT, 0.04).is_ready
    assert not Strategy(TERMS | change, bond, FLAT, 0.04).is_ready


def test_a_curve_that_does_not_ascend_or_a_yield_out_of_range_is_refused() -> None:
    bond = Bond(0.04, SETTLEMENT + 3600, SETTLEMENT)
    assert not Strategy(TERMS, bond, curve_of([(5, 0.04), (5, 0.05)]), 0.04).is_ready
    assert not Strategy(TERMS, bond, curve_of([(6, 0.04), (5, 0.05)]), 0.04).is_ready
    assert not Strategy(TERMS, bond, FLAT, 51.0).is_ready
    assert not Strategy(TERMS, bond, FLAT, float("nan")).is_ready
    for knots in (0, -1, lib.AP_CURVE_KNOTS + 1):
        curve = curve_of([(5, 0.04)])
        curve.knots = knots
        assert not Strategy(TERMS, bond, curve, 0.04).is_ready
