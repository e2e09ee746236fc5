"""Steps of series: those that there are, where they are, and none in what only drifts."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.compare.changepoint import LEAST, MOST, steps


def white(random: Random, n: int = 100) -> list[float]:
    return [random.gauss(0, 0.01) for _ in range(n)]


def tailed(random: Random) -> list[float]:
    return [0.005 * random.lognormvariate(0, 1) for _ in range(100)]


def bimodal(random: Random) -> list[float]:
    return [random.choice((0, 0.02)) + random.gauss(0, 0.002) for _ in range(100)]


def remembering(random: Random, memory: float = 0.6) -> list[float]:
    values = [random.gauss(0, 0.01)]
    while len(values) < 100:
        values.append(memory * values[-1] + random.gauss(0, 0.01 * (1 - memory**2) ** 0.5))
    return values


def walk(random: Random) -> list[float]:
    level, values = 0.0, []
    for _ in range(100):
        level += random.gauss(0, 0.005)
        values.append(level)
    return values


def trend(random: Random) -> list[float]:
    return [0.05 * i / 100 + random.gauss(0, 0.01) for i in range(100)]


KINDS = {"white": white, "tailed": tailed, "bimodal": bimodal, "remembering": remembering, "walk": walk, "trend": trend}
SERIES = 10  # of each kind; benchmarks/history.py takes a hundred


def times(changes: list[float], step: float = 1.0, at: int = 60) -> list[float]:
    return [100 * (1 + change) * (step if i >= at else 1) for i, change in enumerate(changes)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_step_has_none(kind: str) -> None:
    assert sum(bool(steps(times(KINDS[kind](Random(seed))))) for seed in range(SERIES)) <= 1


@pytest.mark.parametrize("kind", ["white", "tailed", "bimodal"])
def test_two_percent_are_found_among_independent_values(kind: str) -> None:
    found = [steps(times(KINDS[kind](Random(seed)), 1.02)) for seed in range(SERIES)]
    near = [one for one in found if any(abs(step.at - 60) <= 5 for step in one)]
    assert len(near) >= 0.6 * SERIES


def test_a_step_is_told_with_its_place_size_and_noise() -> None:
    (step,) = steps(times(white(Random(1)), 1.1))
    assert step.at == 60
    assert step.change == pytest.approx(0.1, abs=0.01)
    assert step.probability < 0.01


def test_two_steps_are_found_one_after_the_other() -> None:
    values = times(white(Random(1)), 1.1, 30)
    found = steps(values[:60] + [1.1 * value for value in values[60:]])
    assert [step.at for step in found] == [30, 60]


def test_a_lone_value_is_no_step() -> None:
    for seed in range(5):
        values = times(white(Random(seed)))
        values[50] *= 10
        assert steps(values) == []


def test_a_step_that_does_not_matter_is_none() -> None:
    assert steps([100.0] * 20 + [100.5] * 20) == []
    assert [step.at for step in steps([100.0] * 20 + [101.5] * 20)] == [20]


def test_few_or_equal_values_have_none() -> None:
    assert steps([1.0] * (LEAST - 1)) == steps([5.0] * 50) == steps([]) == []


def test_of_many_values_the_last_are_looked_at() -> None:
    values = times(white(Random(1), MOST + 100), 1.1, at=150)
    assert [step.at for step in steps(values)] == [150]


@given(st.lists(st.floats(1e-9, 1e18), max_size=40))
def test_any_values_have_steps_or_not(values: list[float]) -> None:
    for step in steps(values):
        assert 0 < step.at < len(values)
        assert 0 < step.probability <= 1
