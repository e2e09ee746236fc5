"""Atomic instructions and prefetches: what the emulator tells of them, and what it does not."""

from __future__ import annotations

import pytest

from armprof import model
from armprof.counters.reading import Status

EVENTS = ["ldrex_spec", "strex_spec", "strex_pass_spec", "strex_fail_spec", "model_atomic", "prf_spec"]


@pytest.fixture(scope="module")
def counted(arm64):
    return model.run([str(arm64("exclusives")), "1000"], "neoverse-n1", EVENTS).region("work")


def test_store_exclusives_that_fail_are_told_from_those_that_store(counted):
    assert counted.value("ldrex_spec") == counted.value("strex_spec") == 3000
    assert counted.value("strex_pass_spec") == 1000
    assert counted.value("strex_fail_spec") == 2000


def test_lse_atomics_are_an_event_of_the_model(counted):
    assert counted.value("model_atomic") == 4000


def test_prefetches_are_counted_and_a_note_says_that_they_did_nothing(counted):
    assert counted.value("prf_spec") == 2000
    assert any("`prfm` did nothing, 2,000 times" in note for note in counted.notes)


def test_where_no_branch_asks_for_the_outcome_of_a_store_exclusive_it_is_not_known(arm64):
    reading = model.run([str(arm64("walks")), "atomic", "1000"], "neoverse-n1", EVENTS).region("work")
    count = reading["strex_fail_spec"]
    assert (count.value, count.status) == (None, Status.UNSUPPORTED)
    assert "no branch follows the store exclusive" in count.reason
    assert reading.value("strex_spec") == 1000
