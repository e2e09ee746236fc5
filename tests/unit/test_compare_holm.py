"""Holm's correction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.compare.holm import adjusted

probabilities = st.lists(st.floats(0, 1), max_size=20)


def test_an_example_by_hand() -> None:
    # 0.01 counts four times, 0.02 three times; 0.03 twice, so as much as the one before it; 0.2 once
    assert adjusted([0.03, 0.01, 0.2, 0.02]) == pytest.approx([0.06, 0.04, 0.2, 0.06])


def test_one_alone_is_not_corrected() -> None:
    assert adjusted([0.03]) == [0.03]
    assert adjusted([]) == []


@given(probabilities)
def test_it_never_makes_anything_surer_and_keeps_the_order(given_: list[float]) -> None:
    found = adjusted(given_)
    assert all(a >= p and a <= 1 for a, p in zip(found, given_, strict=True))
    assert sorted(found) == [a for _, a in sorted(zip(given_, found, strict=True))]


@given(probabilities, st.floats(0.001, 0.2))
def test_it_rejects_what_the_steps_of_the_procedure_reject(given_: list[float], alpha: float) -> None:
    rejected = set()
    for place, i in enumerate(sorted(range(len(given_)), key=given_.__getitem__)):
        if given_[i] * (len(given_) - place) > alpha:
            break
        rejected.add(i)
    assert {i for i, a in enumerate(adjusted(given_)) if a <= alpha} == rejected
