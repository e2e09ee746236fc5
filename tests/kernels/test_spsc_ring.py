"""The SPSC ring against collections.deque, one thread; tests/kernels/test_spsc_ring.c has the two threads."""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import _native

ffi, lib = _native.ffi, _native.lib

words = st.integers(0, 2**64 - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), words),
        st.tuples(st.just("pop"), st.none()),
        st.tuples(st.just("push_many"), st.lists(words, max_size=20)),
        st.tuples(st.just("pop_many"), st.integers(0, 20)),
    ),
    max_size=100,
)


@settings(max_examples=300, deadline=None)
@given(capacity=st.sampled_from([1, 2, 4, 16]), steps=steps)
def test_behaves_as_a_bounded_deque(capacity: int, steps: list[tuple[str, object]]) -> None:
    ring = ffi.gc(lib.ap_ring_create(capacity), lib.ap_ring_destroy)
    model: deque[int] = deque()
    buffer = ffi.new("uint64_t[32]")
    for operation, argument in steps:
        match operation, argument:
            case "push", int(word):
                room = len(model) < capacity
                assert lib.ap_ring_push(ring, word) == room
                if room:
                    model.append(word)
            case "pop", None:
                found = lib.ap_ring_pop(ring, buffer)
                assert found == bool(model)
                if found:
                    assert buffer[0] == model.popleft()
            case "push_many", list(batch):
                moved = lib.ap_ring_push_many(ring, batch, len(batch))
                assert moved == min(len(batch), capacity - len(model))
                model.extend(batch[:moved])
            case "pop_many", int(count):
                moved = lib.ap_ring_pop_many(ring, buffer, count)
                assert moved == min(count, len(model))
                assert list(buffer[0:moved]) == [model.popleft() for _ in range(moved)]


def test_behaves_as_a_bounded_deque_in_200000_random_steps() -> None:
    """Long enough to go round the ring thousands of times, with batches that wrap at any place."""
    draw = random.Random(1)
    buffer = ffi.new("uint64_t[600]")
    for capacity in (1, 2, 64, 512):
        ring = ffi.gc(lib.ap_ring_create(capacity), lib.ap_ring_destroy)
        model: deque[int] = deque()
        word = 0
        for _ in range(50_000):
            most = draw.choice([1, 1, draw.randrange(capacity + 20)])
            if draw.random() < 0.5:
                batch = range(word, word + most)
                moved = lib.ap_ring_push(ring, word) if most == 1 else lib.ap_ring_push_many(ring, list(batch), most)
                assert moved == min(most, capacity - len(model))
                model.extend(batch[:moved])
                word += moved
            else:
                moved = lib.ap_ring_pop(ring, buffer) if most == 1 else lib.ap_ring_pop_many(ring, buffer, most)
                assert moved == min(most, len(model))
                assert list(buffer[0:moved]) == [model.popleft() for _ in range(moved)]


@pytest.mark.parametrize("capacity", [0, 3, 1000, 2**63, 2**61])
def test_sizes_that_cannot_be_are_refused(capacity: int) -> None:
    assert lib.ap_ring_bytes(capacity) == 0
    assert lib.ap_ring_create(capacity) == ffi.NULL
