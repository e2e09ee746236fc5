"""Arithmetic over names, read from tables: ``1 - l1d_cache_refill / l1d_cache``.

Formulas are data, so they are parsed and walked rather than handed to `eval`: a table can say nothing but
+ - * /, numbers and names.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from armprof.errors import ArmprofError

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
            self._tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ArmprofError(f"formula {text!r} cannot be read: {error}") from None
        names: dict[str, None] = {}
        self._check(self._tree, names)
        self.names = tuple(names)

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def evaluate(self, values: Mapping[str, float]) -> float:
        """The value, given one for every name. Raises ZeroDenominatorError; KeyError for a missing name."""
        return self._walk(self._tree, values)

    def trials(self, values: Mapping[str, float]) -> float | None:
        """The smallest whole that a part is taken of, where that is a count or a sum of counts; None without a division."""
        wholes = [
            node.right for node in ast.walk(self._tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        ]
        return min((self._walk(whole, values) for whole in wholes), default=None)

    def _check(self, node: ast.expr, names: dict[str, None]) -> None:
        match node:
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
                self._check(left, names)
                self._check(right, names)
            case ast.Constant(value) if type(value) in (int, float):
                pass
            case ast.Name(id):
                names[id] = None
            case _:
                raise ArmprofError(
                    f"formula {self.text!r}: {ast.unparse(node)!r} is not one of + - * /, a number or a name"
                )

    def _walk(self, node: ast.expr, values: Mapping[str, float]) -> float:
        match node:
            case ast.BinOp(left, op, right):
                a, b = self._walk(left, values), self._walk(right, values)
                if isinstance(op, ast.Div) and b == 0:
                    raise ZeroDenominatorError(ast.unparse(right))
                return _OPERATORS[type(op)](a, b)
            case ast.Name(id):
                return values[id]
            case ast.Constant(value):
                return float(value)  # type: ignore[arg-type]
        raise AssertionError(node)  # _check let nothing else through
