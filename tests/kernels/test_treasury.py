"""Treasury calculations against QuantLib, and against the formulas themselves in 60 digits."""

from __future__ import annotations

import datetime
import math
import random
from decimal import Decimal, localcontext
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_treasury import Bond, RefusedError, ffi, lib, number

TOLERANCE = 1e-10

# ---- QuantLib ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ql() -> ModuleType:
    return pytest.importorskip("QuantLib", reason="QuantLib is not installed")


BONDS, SETTLEMENTS, YIELDS = 1200, 5, 20


def coupons(draw: random.Random) -> float:
    return draw.choice([0.0, draw.randrange(65) / 800, draw.random() * 0.15])


def yields(draw: random.Random) -> float:
    kinds = [draw.uniform(0, 0.06), draw.uniform(-0.02, 0.2), draw.uniform(0.2, 1.5), 10 ** draw.uniform(-12, -2)]
    return draw.choice(kinds)


def test_agrees_with_quantlib_to_1e_10(ql: ModuleType) -> None:
    """Prices, yields and accrued interest of 120,000 cases; duration, DV01 and convexity of each tenth of them.

    QuantLib finds prices, and our yield of its price must be the yield that it was given: a closer check than its own
    yield, which a solver finds to some 1e-10. The last period's simple interest is QuantLib's SimpleThenCompounded.
    """
    draw = random.Random(1)
    epoch = ql.Date(1, 1, 1970).serialNumber()
    day_count = ql.ActualActual(ql.ActualActual.ISMA)
    cases = last_periods = coupon_dates = month_ends = 0
    for _ in range(BONDS):
        maturity = ql.Date(draw.randrange(epoch + 20_000, epoch + 32_000))
        if draw.random() < 0.5:
            maturity = ql.Date.endOfMonth(maturity)
        at_the_end = ql.Date.isEndOfMonth(maturity)
        coupon = coupons(draw)
        schedule = ql.Schedule(
            maturity - ql.Period(31, ql.Years),
            maturity,
            ql.Period(ql.Semiannual),
            ql.NullCalendar(),
            ql.Unadjusted,
            ql.Unadjusted,
            ql.DateGeneration.Backward,
            at_the_end,
        )
        theirs = ql.FixedRateBond(0, 100.0, schedule, [coupon], day_count)
        dates = list(schedule)[1:-1]
        for _ in range(SETTLEMENTS):
            before = draw.choice([draw.randrange(1, 11_000), draw.randrange(1, 400)])
            day = draw.choice([maturity - before, maturity - before, maturity - before, draw.choice(dates)])
            bond = Bond(coupon, maturity.serialNumber() - epoch, day.serialNumber() - epoch)
            is_last = bond.terms.periods == 1
            conventions = (day_count, ql.SimpleThenCompounded if is_last else ql.Compounded, ql.Semiannual)
            assert bond.accrued == pytest.approx(theirs.accruedAmount(day), abs=TOLERANCE)
            last_periods += is_last
            coupon_dates += bond.terms.elapsed_days == 0
            month_ends += at_the_end
            for i in range(YIELDS):
                rate = yields(draw)
                price = ql.BondFunctions.cleanPrice(theirs, rate, *conventions, day)
                assert abs(bond.price(rate) - price) < TOLERANCE
                assert abs(bond.rate(price) - rate) < TOLERANCE
                assert abs(bond.rate(price, guess=rate + draw.uniform(-1e-4, 1e-4)) - rate) < TOLERANCE
                if i % 10 == 0:
                    risk = bond.risk(rate)
                    duration = ql.BondFunctions.duration(theirs, rate, *conventions, ql.Duration.Modified, day)
                    convexity = ql.BondFunctions.convexity(theirs, rate, *conventions, day)
                    # The change of price for a basis point, to the second order, is what QuantLib gives.
                    point = ql.BondFunctions.basisPointValue(theirs, rate, *conventions, day)
                    assert abs(risk.duration - duration) < TOLERANCE
                    assert risk.convexity == pytest.approx(convexity, abs=TOLERANCE, rel=1e-12)
                    second_order = (price + bond.accrued) * convexity * 1e-8 / 2
                    assert abs(risk.dv01 + point - second_order) < TOLERANCE
                    assert abs(risk.price - price) < TOLERANCE
                    assert risk.accrued == bond.accrued
                cases += 1
    assert cases >= 100_000
    assert min(last_periods, coupon_dates, month_ends) > 100


# ---- The formulas -----------------------------------------------------------------------------------------------

dates = st.dates(datetime.date(1990, 1, 1), datetime.date(2090, 12, 31))


@st.composite
def bonds(draw: st.DrawFn) -> Bond:
    settlement = draw(dates)
    days = draw(st.one_of(st.integers(1, 400), st.integers(1, 36_000)))
    coupon = draw(st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 1)))
    return Bond(coupon, number(settlement) + days, number(settlement))


rates = st.one_of(st.floats(-0.02, 0.2), st.floats(-1, 50), st.floats(-1e-6, 1e-6), st.sampled_from([0.0, -1.0, 50.0]))


def price_by_formula(bond: Bond, rate: float) -> tuple[Decimal, Decimal]:
    """Price with accrued interest, and -dP/dy, each payment by itself."""
    terms = bond.terms
    with localcontext(prec=60):
        y, coupon = Decimal(rate), 100 * Decimal(terms.half_coupon)
        w = 1 - Decimal(terms.elapsed_days) / Decimal(terms.period_days)
        if terms.periods == 1:
            factor = 1 + w * y / 2
            return (100 + coupon) / factor, (100 + coupon) * w / 2 / factor**2
        price = slope = Decimal(0)
        log_factor = (1 + y / 2).ln()
        for k in range(terms.periods):
            payment = coupon + (100 if k == terms.periods - 1 else 0)
            due = payment * (-(w + k) * log_factor).exp()
            price += due
            slope += due * (w + k) / 2 / (1 + y / 2)
        return price, slope


@given(bonds(), rates)
def test_prices_are_those_of_the_formula_at_any_yield(bond: Bond, rate: float) -> None:
    price, slope = price_by_formula(bond, rate)
    scale = float(price) + 100 * bond.terms.half_coupon
    assert abs(bond.price(rate) + bond.accrued - float(price)) <= 1e-12 * scale
    risk = bond.risk(rate)
    assert risk.dv01 == pytest.approx(float(slope) / 1e4, rel=1e-11)
    assert risk.duration == pytest.approx(float(slope / price), rel=1e-11)


# A price at the ends of the range may be rounded to beyond them.
found_rates = rates.map(lambda rate: min(max(rate, -0.999), 49.9))


@given(bonds(), found_rates, st.one_of(st.just(float(lib.AP_TREASURY_NO_GUESS)), st.floats()))
def test_yields_are_found_from_any_guess(bond: Bond, rate: float, guess: float) -> None:
    price, slope = price_by_formula(bond, rate)
    scale = float(price) + 100 * bond.terms.half_coupon
    found = bond.rate(float(price) - bond.accrued, guess)
    # A price near what has accrued has few digits left, and the yield no more.
    assert abs(found - rate) <= 1e-11 + 1e-13 * scale / float(slope)


@given(bonds(), st.floats(-0.02, 0.2))
def test_convexity_is_how_the_slope_bends(bond: Bond, rate: float) -> None:
    step = 1e-6
    price, _ = price_by_formula(bond, rate)
    up, down = (price_by_formula(bond, rate + step)[1], price_by_formula(bond, rate - step)[1])
    assert bond.risk(rate).convexity == pytest.approx(float((down - up) / price) / (2 * step), rel=1e-6)


@given(st.floats(0, 0.2), dates, st.integers(1, 36_000))
def test_coupon_dates_are_half_years_from_maturity(coupon: float, settlement: datetime.date, days: int) -> None:
    maturity = settlement + datetime.timedelta(days)
    bond = Bond(coupon, number(maturity), number(settlement)).terms
    is_last_day = (maturity + datetime.timedelta(1)).month != maturity.month

    def coupon_date(periods: int) -> datetime.date:
        months = 12 * maturity.year + maturity.month - 1 - 6 * periods
        first = datetime.date(months // 12, months % 12 + 1, 1)
        following = datetime.date((months + 1) // 12, (months + 1) % 12 + 1, 1)
        length = (following - first).days
        return first.replace(day=length if is_last_day else min(maturity.day, length))

    following, previous = coupon_date(bond.periods - 1), coupon_date(bond.periods)
    assert previous <= settlement < following
    assert bond.next_coupon == number(following)
    assert bond.period_days == (following - previous).days
    assert bond.elapsed_days == (settlement - previous).days
    assert bond.elapsed == bond.elapsed_days / bond.period_days


# Coupon, yield and price in per cent as the Treasury announced them; maturity and day of issue.
AUCTIONS = [
    (3.875, 3.937, 99.491561, datetime.date(2018, 5, 15), datetime.date(2008, 5, 15)),
    (1.625, 1.764, 98.740142, datetime.date(2022, 8, 15), datetime.date(2012, 9, 17)),
    (2.125, 2.225, 99.118448, datetime.date(2025, 5, 15), datetime.date(2015, 7, 15)),
    (1.500, 1.793, 97.368781, datetime.date(2026, 8, 15), datetime.date(2016, 10, 17)),
    (2.250, 2.332, 99.280319, datetime.date(2027, 2, 15), datetime.date(2017, 4, 17)),
    (2.250, 2.180, 100.619500, datetime.date(2027, 8, 15), datetime.date(2017, 9, 15)),
    (2.250, 2.579, 97.156278, datetime.date(2027, 11, 15), datetime.date(2018, 1, 16)),
]


@pytest.mark.parametrize(("coupon", "rate", "price", "maturity", "issue"), AUCTIONS)
def test_prices_are_those_of_auctions(
    coupon: float, rate: float, price: float, maturity: datetime.date, issue: datetime.date
) -> None:
    """The Treasury discounts the odd days by simple interest (31 CFR 356, Appendix B), the market compounds them."""
    bond = Bond(coupon / 100, number(maturity), number(issue))
    w, h = 1 - bond.terms.elapsed, rate / 200
    odd_days = (1 + h) ** w / (1 + w * h)
    found = (bond.price(rate / 100) + bond.accrued) * odd_days - bond.accrued
    assert found == pytest.approx(price, abs=0.51e-6)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), -float("inf")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    day = datetime.date(2026, 11, 15)
    bond = Bond(0.04, number(day.replace(year=2036)), number(day))
    with pytest.raises(RefusedError) as caught:
        bond.rate(price)
    assert caught.value.args == (lib.AP_TREASURY_BAD_PRICE,)


# ---- What they are made of --------------------------------------------------------------------------------------


def ulps(found: float, exact: Decimal) -> float:
    return float(abs(Decimal(found) - exact) / Decimal(math.ulp(float(exact))))


def has_digits(x: float) -> bool:
    """Far enough from 0 for what is added to 1 to show in 80 digits."""
    return abs(x) >= 1e-40


near_0 = st.floats(-40, -0.01).map(lambda x: 10**x) | st.floats(-40, -0.01).map(lambda x: -(10**x))


@given(st.floats(-0.999999, 100).filter(has_digits) | near_0)
def test_log1p_is_accurate_to_3_units_of_the_last_place(x: float) -> None:
    with localcontext(prec=80):
        assert ulps(lib.ap_log1p(x), (1 + Decimal(x)).ln()) < 3


@given(st.floats(-699, 699).filter(has_digits) | near_0)
def test_exp_and_expm1_are_accurate_to_3_units_of_the_last_place(x: float) -> None:
    with localcontext(prec=80):
        assert ulps(lib.ap_exp(x), Decimal(x).exp()) < 3
        assert ulps(lib.ap_expm1(x), Decimal(x).exp() - 1) < 3


def test_the_series_reach_to_the_ends_of_their_ranges() -> None:
    """Where the last terms count: 1 + x next to sqrt(1/2) and sqrt(2), and exponents half way between powers of 2."""
    with localcontext(prec=60):
        for i in range(500):
            for x in (0.4142 * (1 - i / 5000), -0.2928 * (1 - i / 5000)):
                assert ulps(lib.ap_log1p(x), (1 + Decimal(x)).ln()) < 3
                assert ulps(lib.ap_log(1 + x), Decimal(1 + x).ln()) < 3
            for x in (0.34657 * (1 - i / 5000), -0.34657 * (1 - i / 5000)):
                assert ulps(lib.ap_exp(x), Decimal(x).exp()) < 2
                assert ulps(lib.ap_expm1(x), Decimal(x).exp() - 1) < 3


def test_of_0_they_are_0() -> None:
    assert lib.ap_log1p(0.0) == lib.ap_expm1(0.0) == 0


@given(st.floats(1e-300, 1e300))
def test_log_is_accurate_to_3_units_of_the_last_place(x: float) -> None:
    with localcontext(prec=60):
        assert x == 1 or ulps(lib.ap_log(x), Decimal(x).ln()) < 3


@given(st.integers(0, 9999), st.integers(0, 31), st.integers(0, 7))
def test_32nds_are_written_and_read_as_they_are_spoken(points: int, of_point: int, eighths: int) -> None:
    text, ticks = ffi.new("char[]", lib.AP_TREASURY_TEXT), ffi.new("int32_t *")
    spoken = f"{points}-{of_point:02}" + ("" if eighths == 0 else "+" if eighths == 4 else str(eighths))
    value = points + (of_point + eighths / 8) / 32
    assert lib.ap_treasury_parse(spoken.encode(), len(spoken), ticks) == lib.AP_TREASURY_OK
    assert ticks[0] / lib.AP_TREASURY_TICKS == value
    assert lib.ap_treasury_format(ticks[0], text) == len(spoken)
    assert ffi.string(text).decode() == spoken
