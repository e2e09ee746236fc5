"""Work whose misses follow from arithmetic: the model of a Neoverse N1, without its prefetcher, says what paper says."""

from __future__ import annotations

import pytest
from arm64_programs import Compile

from armprof import model
from armprof.counters.reading import Reading

KIB, MIB = 1 << 10, 1 << 20
EVENTS = (
    "inst_retired", "l1d_cache", "l1d_cache_wr", "l1d_cache_refill", "l1d_cache_wb", "l2d_cache", "l2d_cache_refill",
    "ll_cache_miss_rd", "l1d_tlb_refill", "dtlb_walk", "l1i_cache_refill", "br_retired", "br_mis_pred_retired",
    "br_indirect_spec", "br_return_retired", "unaligned_ld_spec", "unaligned_st_spec", "ldrex_spec", "strex_spec",
    "dmb_spec", "rc_ld_spec", "rc_st_spec",
)  # fmt: skip


@pytest.fixture
def walk(arm64: Compile):
    """walk("step", 65536, 64, 10): what the region counted."""

    def run(*words: object, **settings: int) -> Reading:
        command = [str(arm64("walks")), *map(str, words)]
        return model.run(command, "neoverse-n1", EVENTS, **{"prefetch": 0} | settings).region("work")

    return run


def near(value: float, of: float = 0) -> object:
    """Within 1 %, of what it is a part of where that is given; and 20 for what is around the loop."""
    return pytest.approx(value, rel=0.01, abs=max(20, 0.01 * of))


@pytest.mark.parametrize(
    ("size", "l1d", "l2", "ll"),
    [
        (4 * KIB, 0, 0, 0),
        (60 * KIB, 0, 0, 0),
        (128 * KIB, 1, 0, 0),
        (960 * KIB, 1, 0, 0),
        (2 * MIB, 1, 1, 0),
        (16 * MIB, 1, 1, 0),
        (64 * MIB, 1, 1, 1),
    ],
)
def test_a_sequential_walk_misses_the_caches_that_it_does_not_fit(walk, size, l1d, l2, ll):
    rounds = max(1, 2 * MIB // size)
    lines = rounds * size // 64
    counted = walk("step", size, 64, rounds)
    assert counted.value("l1d_cache") == near(lines)
    assert counted.value("l1d_cache_refill") == near(l1d * lines, lines)
    assert counted.value("l2d_cache_refill") == near(l2 * lines, lines)
    assert counted.value("ll_cache_miss_rd") == near(ll * lines, lines)


@pytest.mark.parametrize("size", [96 * KIB, 128 * KIB, 256 * KIB, 512 * KIB])
def test_random_loads_hit_l1_as_often_as_its_share_of_the_working_set(walk, size):
    times = 400_000
    assert walk("random", size, times).value("l1d_cache_refill") == pytest.approx(
        times * (1 - 64 * KIB / size), rel=0.01
    )


@pytest.mark.parametrize(
    ("pages", "refills", "walks"), [(40, 0, 0), (64, 1, 0), (1200, 1, 0), (1792, 1, 1), (4096, 1, 1)]
)
def test_a_page_strided_walk_misses_the_translation_buffers_that_it_does_not_fit(walk, pages, refills, walks):
    # a line further on each page, so that the lines spread over the sets of the caches
    rounds = max(1, 8192 // pages)
    counted = walk("step", pages * 4160, 4160, rounds)
    assert counted.value("l1d_tlb_refill") == near(refills * rounds * pages)
    assert counted.value("dtlb_walk") == near(walks * rounds * pages, rounds * pages)


def test_larger_pages_need_fewer_translations(walk):
    assert walk("step", 4 * MIB, 4096, 4).value("dtlb_walk") == 0
    assert walk("step", 16 * MIB, 4096, 1).value("dtlb_walk") == near(4096)
    assert walk("step", 16 * MIB, 4096, 1, page_bits=16).value("dtlb_walk") == 0


def test_what_is_stored_is_written_back_once(walk):
    counted = walk("store", 256 * KIB, 64, 4)
    assert counted.value("l1d_cache_wr") == near(4 * 4096)
    assert counted.value("l1d_cache_wb") == near(4 * 4096)
    assert counted.value("l2d_cache") == near(2 * 4 * 4096)  # refills, and write-backs


def test_another_geometry_has_its_knee_elsewhere(walk):
    assert walk("step", 48 * KIB, 64, 20).value("l1d_cache_refill") == near(0)
    assert walk("step", 48 * KIB, 64, 20, l1d_bytes=32 * KIB).value("l1d_cache_refill") == near(20 * 768)
    assert walk("step", 2 * MIB, 64, 2, l2_bytes=4 * MIB).value("l2d_cache_refill") == near(0)


def test_the_prefetcher_takes_the_misses_out_of_a_stream_but_not_out_of_random_loads(walk):
    lines = 2 * 2 * MIB // 64
    assert walk("step", 2 * MIB, 64, 2, prefetch=4).value("l1d_cache_refill") < 0.08 * lines
    times, size = 200_000, 512 * KIB
    assert walk("random", size, times, prefetch=4).value("l1d_cache_refill") == pytest.approx(times * 7 / 8, rel=0.03)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 8])
def test_a_branch_with_a_pattern_is_predicted(walk, period):
    counted = walk("branch", period, 100_000)
    assert counted.value("br_retired") >= 200_000
    assert counted.value("br_mis_pred_retired") < 500


def test_half_of_a_random_branch_is_mispredicted(walk):
    assert walk("branch", 0, 400_000).value("br_mis_pred_retired") == pytest.approx(200_000, rel=0.01)


@pytest.mark.parametrize(("depth", "missed"), [(4, 0), (16, 0), (24, 8), (48, 32)])
def test_returns_from_deeper_than_the_stack_are_mispredicted(walk, depth, missed):
    times = 1000
    counted = walk("call", depth, times)
    assert counted.value("br_return_retired") == near(depth * times)
    # besides them the branch that ends the descent, once
    assert missed * times <= counted.value("br_mis_pred_retired") <= (missed + 1.05) * times


@pytest.mark.parametrize("targets", [1, 2, 4])
def test_an_indirect_jump_that_takes_turns_is_predicted(walk, targets):
    counted = walk("jump", targets, 50_000)
    assert counted.value("br_indirect_spec") == near(50_000)
    assert counted.value("br_mis_pred_retired") < 500


def test_three_of_four_random_targets_are_mispredicted(walk):
    assert walk("jump", 0, 100_000).value("br_mis_pred_retired") == pytest.approx(75_000, rel=0.01)


@pytest.mark.parametrize(
    ("offset", "unaligned", "accesses"), [(0, 0, 2), (4, 2, 2), (56, 0, 2), (60, 2, 4), (61, 2, 4)]
)
def test_unaligned_accesses_are_told_and_access_two_lines_across_the_end_of_one(walk, offset, unaligned, accesses):
    counted = walk("unaligned", offset, 10_000)
    found = (counted.value("unaligned_ld_spec") or 0) + (counted.value("unaligned_st_spec") or 0)
    assert found == near(10_000 * unaligned)
    assert counted.value("l1d_cache") == near(10_000 * accesses)


def test_exclusives_barriers_and_ordered_accesses_are_told_apart(walk):
    counted = walk("atomic", 10_000)
    for event in ("ldrex_spec", "strex_spec", "dmb_spec", "rc_ld_spec", "rc_st_spec"):
        assert counted.value(event) == 10_000, event


def test_twenty_runs_count_the_same(arm64):
    command = [str(arm64("walks")), "random", str(512 * KIB), "20000"]
    runs = [model.run(command, "neoverse-n1") for _ in range(20)]
    assert len({str({name: c.value for name, c in run.reading.counts.items()}) for run in runs}) == 1
