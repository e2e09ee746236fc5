"""Formulas are arithmetic over names and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.errors import ArmprofError
from armprof.metrics.formula import Formula, ZeroDenominatorError

NAMES = ("a", "b", "c")
expressions = st.recursive(
    st.sampled_from(NAMES) | st.integers(0, 9).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=12,
)


@given(expressions, st.tuples(*[st.floats(-1e6, 1e6) for _ in NAMES]))
def test_evaluates_as_python_does(text, numbers):
    values = dict(zip(NAMES, numbers, strict=True))
    try:
        expected = float(eval(text, {"__builtins__": {}}, dict(values)))
    except ZeroDivisionError:
        with pytest.raises(ZeroDenominatorError):
            Formula(text).evaluate(values)
    else:
        result = Formula(text).evaluate(values)
        assert result == pytest.approx(expected, nan_ok=True)


def test_names_are_listed_once_in_order():
    assert Formula("1 - miss / (hit + miss)").names == ("miss", "hit")


def test_the_denominator_that_was_zero_is_named():
    with pytest.raises(ZeroDenominatorError) as caught:
        Formula("1 - miss / (hit + late)").evaluate({"miss": 1, "hit": 0, "late": 0})
    assert caught.value.denominator == "hit + late"


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "a.b",
        "a[0]",
        "a ** b",
        "a if b else c",
        "a < b",
        "lambda: 1",
        "[1]",
        "'text'",
        "True",
        "1j",
        "-a",
        "a +",
        "",
        "a; b",
        "\0",
        "(" * 500 + "a" + ")" * 500,
    ],
)
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(ArmprofError) as caught:
        Formula(text)
    assert "formula" in str(caught.value)
