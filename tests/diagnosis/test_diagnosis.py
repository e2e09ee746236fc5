"""In the model of a Neoverse N1: each cause is named and put on its line, and mending it gains what was promised."""

from __future__ import annotations

import pytest

from armprof.counters.model import emulator
from armprof.errors import CannotCount

from .finding import advised, diagnose
from .sources import Modelled
from .suite import BuildError, Pair, builder, pairs


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Modelled:
    try:
        emulator.require()
        return Modelled(builder(tmp_path_factory.mktemp("aarch64"), "aarch64"))
    except (BuildError, CannotCount) as error:
        pytest.skip(f"nothing is diagnosed: {error}")


def of(causes: int) -> pytest.MarkDecorator:
    """The programs with so many causes."""
    chosen = [pair for pair in pairs() if len(pair.causes) == causes]
    return pytest.mark.parametrize("pair", chosen, ids=lambda pair: pair.program)


@of(1)
def test_the_cause_is_named_first_and_is_gone_once_it_is_mended(pair: Pair, model: Modelled) -> None:
    (found,) = diagnose(pair, model)
    assert found.place == 1, found
    assert found.on_its_line, found
    assert not found.again, found
    assert not found.above_the_ceiling, found
    assert found.inside == (found.cause not in pair.beyond), found


@of(2)
def test_both_causes_are_the_first_two(pair: Pair, model: Modelled) -> None:
    for found in diagnose(pair, model):
        assert found.place in (1, 2), found
        assert found.on_its_line, found
        assert not found.above_the_ceiling, found
        assert found.inside == (found.cause not in pair.beyond), found


@of(0)
def test_of_a_healthy_program_nothing_is_advised(pair: Pair, model: Modelled) -> None:
    assert not advised(model.count(pair).reading)


def test_in_four_of_five_cases_or_more_the_gain_is_as_promised() -> None:
    causes = sum(len(pair.causes) for pair in pairs())
    assert sum(len(pair.beyond) for pair in pairs()) <= causes / 5
