"""Batches, percentiles and pinning: arithmetic that needs no clock."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.components.pinning import pinned
from armprof.components.timing import BATCH_STEPS, Clock, batch_size, latency
from armprof.cpu.nodes import current_cpu

times = st.lists(st.integers(0, 2**40), min_size=1, max_size=300)


@given(st.floats(0.1, 1e6), st.floats(0, 1000), st.floats(1, 1000))
def test_a_batch_outlasts_the_clock_and_is_no_longer_than_it_must(operation: float, cost: float, step: float) -> None:
    batch = batch_size(operation, Clock(cost, step))
    wanted = BATCH_STEPS * max(cost, step)
    assert batch * operation >= wanted
    assert batch == 1 or batch / 2 * operation < wanted
    assert batch & (batch - 1) == 0


def test_an_operation_that_outlasts_the_clock_is_timed_by_itself() -> None:
    assert batch_size(5000.0, Clock(18.0, 16.0)) == 1


def test_a_25_mhz_counter_gets_batches_of_4_microseconds() -> None:
    assert batch_size(10.0, Clock(cost_ns=12.0, resolution_ns=40.0)) == 512


def test_the_clocks_cost_is_taken_from_each_sample_and_batches_are_divided() -> None:
    found = latency(np.array([1020, 2020], dtype=np.uint64), 100, Clock(20.0, 1.0))
    assert (found.p50_ns, found.max_ns, found.mean_ns) == (10.0, 20.0, 15.0)
    assert (found.samples, found.batch, found.clock_cost_ns) == (2, 100, 20.0)


def test_percentiles_are_samples_and_the_worst_is_kept() -> None:
    samples = np.arange(1, 10_001, dtype=np.uint64)
    found = latency(np.random.default_rng(1).permutation(samples), 1, Clock(0.0, 1.0))
    assert found.p50_ns == 5000
    assert found.p95_ns == 9500
    assert found.p99_ns == 9900
    assert found.p999_ns == 9990
    assert found.max_ns == 10_000


@given(times, st.integers(1, 4096), st.floats(0, 100))
def test_percentiles_match_their_definition(ns: list[int], batch: int, cost: float) -> None:
    """The smallest sample that at least p percent of the samples do not exceed, counted one by one."""
    found = latency(np.array(ns, dtype=np.uint64), batch, Clock(cost, 1.0))
    one = sorted(max(0.0, n - cost) / batch for n in ns)
    for percent, value in ((50, found.p50_ns), (95, found.p95_ns), (99, found.p99_ns), (99.9, found.p999_ns)):
        rank = next(i for i in range(1, len(one) + 1) if i * 1000 >= round(percent * 10) * len(one))
        assert value == pytest.approx(one[rank - 1])
    assert found.max_ns == pytest.approx(one[-1])
    assert found.mean_ns == pytest.approx(sum(one) / len(one))


def test_no_time_is_negative_where_the_clock_cost_more_than_it_measured() -> None:
    assert latency(np.array([10], dtype=np.uint64), 1, Clock(18.0, 1.0)).p50_ns == 0.0


def test_the_cpu_is_found_behind_a_name_with_spaces_and_brackets() -> None:
    fields = " ".join(str(n) for n in range(3, 53))
    assert current_cpu(f"4711 (a) b) c) {fields}") == 39


def test_a_pinned_thread_runs_on_one_cpu_and_gets_the_others_back() -> None:
    before = os.sched_getaffinity(0)
    with pinned() as pinning:
        inside = os.sched_getaffinity(0)
        assert len(inside) == 1
        assert inside <= before
        assert pinning.note == f"pinned to CPU {min(inside)}"
        pinning.release()
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before


def test_a_thread_gets_its_cpus_back_when_the_work_fails() -> None:
    before = os.sched_getaffinity(0)
    with contextlib.suppress(KeyError), pinned():
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_work_goes_on_where_pinning_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    with pinned() as pinning:
        assert "not pinned" in pinning.note
        assert "Operation not permitted" in pinning.note
        pinning.release()
