"""The C treasury calculations, with dates and results of Python."""

from __future__ import annotations

import datetime
from typing import Any

from armprof import _native

ffi, lib = _native.ffi, _native.lib

EPOCH = datetime.date(1970, 1, 1)


class RefusedError(Exception):
    """The status of what was refused."""


def number(date: datetime.date) -> int:
    return (date - EPOCH).days


def check(status: int) -> None:
    if status != lib.AP_TREASURY_OK:
        raise RefusedError(status)


class Bond:
    def __init__(self, coupon: float, maturity: int, settlement: int) -> None:
        self.terms: Any = ffi.new("ap_bond *")
        self._result = ffi.new("double *")
        self._risk = ffi.new("ap_bond_risk *")
        check(lib.ap_bond_init(self.terms, coupon, maturity, settlement))

    @property
    def accrued(self) -> float:
        return float(lib.ap_bond_accrued(self.terms))

    def price(self, rate: float) -> float:
        check(lib.ap_bond_price(self.terms, rate, self._result))
        return float(self._result[0])

    def rate(self, price: float, guess: float = lib.AP_TREASURY_NO_GUESS) -> float:
        check(lib.ap_bond_yield(self.terms, price, guess, self._result))
        return float(self._result[0])

    def risk(self, rate: float) -> Any:
        check(lib.ap_bond_risk_at(self.terms, rate, self._risk))
        return self._risk
