"""The object pool against a model in Python: which objects are out, and which was put back last."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import _native

ffi, lib = _native.ffi, _native.lib

# None: get one; n: put back the n-th of those that are out.
steps = st.lists(st.one_of(st.none(), st.integers(0, 1000)), max_size=200)


@settings(max_examples=200, deadline=None)
@given(object_size=st.integers(1, 200), capacity=st.integers(1, 40), steps=steps)
def test_behaves_as_a_stack_of_free_objects(object_size: int, capacity: int, steps: list[int | None]) -> None:
    pool = ffi.gc(lib.ap_pool_create(object_size, capacity), lib.ap_pool_destroy)
    free = list(range(capacity))[::-1]
    out: dict[int, bytes] = {}
    objects = {}
    for number, step in enumerate(steps):
        if step is None:
            found = lib.ap_pool_get(pool)
            assert (found == ffi.NULL) == (not free)
            if free:
                index = free.pop()
                assert lib.ap_pool_index(pool, found) == index
                objects[index] = found
                out[index] = bytes([number % 256]) * object_size
                ffi.memmove(found, out[index], object_size)
        elif out:
            index = sorted(out)[step % len(out)]
            assert bytes(ffi.buffer(objects[index], object_size)) == out.pop(index)
            assert lib.ap_pool_put(pool, objects[index]) == lib.AP_POOL_OK
            free.append(index)


@given(object_size=st.integers(1, 10_000), capacity=st.integers(1, 1000))
def test_objects_are_aligned_apart_and_inside_the_memory(object_size: int, capacity: int) -> None:
    size = lib.ap_pool_bytes(object_size, capacity)
    pool = ffi.gc(lib.ap_pool_create(object_size, capacity), lib.ap_pool_destroy)
    start = int(ffi.cast("uintptr_t", pool))
    first = int(ffi.cast("uintptr_t", lib.ap_pool_get(pool)))
    assert first % 16 == 0
    assert pool.stride >= object_size
    assert pool.stride % 16 == 0
    assert first >= start
    assert first + capacity * pool.stride <= start + size


def test_behaves_as_a_stack_of_free_objects_in_200000_random_steps() -> None:
    draw = random.Random(1)
    for object_size, capacity in [(1, 1), (8, 3), (24, 100), (64, 5000)]:
        pool = ffi.gc(lib.ap_pool_create(object_size, capacity), lib.ap_pool_destroy)
        free, out = list(range(capacity))[::-1], []
        for step in range(50_000):
            # More gets than puts for a while, then fewer: it fills up and empties.
            if draw.random() < (0.65 if step // (4 * capacity) % 2 == 0 else 0.35):
                found = lib.ap_pool_get(pool)
                assert (found == ffi.NULL) == (not free)
                if free:
                    index = free.pop()
                    assert lib.ap_pool_index(pool, found) == index
                    written = step.to_bytes(8, "little")[:object_size]
                    ffi.memmove(found, written, len(written))
                    out.append((index, found, written))
            elif out:
                at = draw.randrange(len(out))
                out[at], out[-1] = out[-1], out[at]
                index, found, written = out.pop()
                assert bytes(ffi.buffer(found, len(written))) == written
                assert lib.ap_pool_put(pool, found) == lib.AP_POOL_OK
                free.append(index)
        assert len(free) + len(out) == capacity


@pytest.mark.parametrize(
    ("object_size", "capacity"), [(0, 1), (1, 0), (2**64 - 1, 1), (2**62, 4), (2**64 - 16, 2), (16, 2**60)]
)
def test_sizes_that_cannot_be_are_refused(object_size: int, capacity: int) -> None:
    assert lib.ap_pool_bytes(object_size, capacity) == 0
    assert lib.ap_pool_create(object_size, capacity) == ffi.NULL
