"""Arithmetic over names, read from tables: ``1 - l1d_cache_refill / l1d_cache``.

Formulas are data, so they are parsed rather than handed to `eval`: a table can say nothing but + - * /, numbers and
names. Parsing makes a function of each operation, for a formula is evaluated once a component of a run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from armprof.errors import ArmprofError

_Values = Mapping[str, float]
_Evaluator = Callable[[_Values], float]

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class ZeroDenominatorError(ArithmeticError):
    """A denominator was 0; ``denominator`` is its text."""

    def __init__(self, denominator: str) -> None:
        self.denominator = denominator
        super().__init__(f"{denominator} is 0")


class Formula:
    """One expression. ``names`` lists what it needs, each once, in the order of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ArmprofError(f"formula {text!r} cannot be read: {error}") from None
        names: dict[str, None] = {}
        self._wholes: list[_Evaluator] = []  # what is divided by
        self._value = self._evaluator(tree, names)
        self.names = tuple(names)

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def evaluate(self, values: _Values) -> float:
        """The value, given one for every name. Raises ZeroDenominatorError; KeyError for a missing name."""
        return self._value(values)

    def trials(self, values: _Values) -> float | None:
        """The smallest whole that a part is taken of, where that is a count or a sum of counts; None without a division."""
        return min((whole(values) for whole in self._wholes), default=None)

    def _evaluator(self, node: ast.expr, names: dict[str, None]) -> _Evaluator:
        match node:
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
                a, b = self._evaluator(left, names), self._evaluator(right, names)
                if isinstance(op, ast.Div):
                    self._wholes.append(b)
                    return _division(a, b, right)
                return _operation(_OPERATORS[type(op)], a, b)
            case ast.Constant(value) if type(value) in (int, float):
                constant = float(value)  # type: ignore[arg-type]
                return lambda values: constant
            case ast.Name(id):
                names[id] = None
                return operator.itemgetter(id)
        raise ArmprofError(f"formula {self.text!r}: {ast.unparse(node)!r} is not one of + - * /, a number or a name")


def _operation(apply: Callable[[float, float], float], left: _Evaluator, right: _Evaluator) -> _Evaluator:
    return lambda values: apply(left(values), right(values))


def _division(left: _Evaluator, right: _Evaluator, denominator: ast.expr) -> _Evaluator:
    def divide(values: _Values) -> float:
        part, whole = left(values), right(values)
        if whole == 0:
            raise ZeroDenominatorError(ast.unparse(denominator))
        return part / whole

    return divide
