"""The estimate of cycles and the facts of loops, against arithmetic on the latencies and widths of a Neoverse N1."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from arm64_programs import Compile

from armprof import cpu, model

KIB, MIB = 1 << 10, 1 << 20
N1 = cpu.core("neoverse-n1")
LATENCY = N1.load_cycles

Counted = Callable[[str], float]


@pytest.fixture
def loop(arm64: Compile):
    """loop("adds", 100_000): the function's share of an event, of one run."""

    def run(name: str, n: int, rounds: int = 1, **settings: int) -> Counted:
        run = model.run([str(arm64("loops")), name, str(n), str(rounds)], "neoverse-n1", ["cpu_cycles"], **settings)

        def counted(event: str) -> float:
            return sum(value for place, value in run.functions(event).items() if place.split(" ")[0] == name)

        return counted

    return run


# ---- Arithmetic ----


def test_a_chain_of_additions_takes_their_latency(loop):
    counted = loop("adds", 200_000)
    assert counted("cpu_cycles") == pytest.approx(200_000 * 2, rel=0.01)
    assert counted("model_latency_cycles") == pytest.approx(200_000 * (2 - 1), rel=0.01)  # a branch is taken each cycle


def test_four_sums_take_the_width_of_the_units_and_no_more(loop):
    counted = loop("four_adds", 200_000)
    assert counted("cpu_cycles") == pytest.approx(200_000 * 2, rel=0.01)  # four additions in two units
    assert counted("model_latency_cycles") < 200


def test_a_chain_of_divides_takes_their_latency_and_is_told_as_divides(loop):
    counted = loop("divides", 200_000)
    assert counted("cpu_cycles") == pytest.approx(200_000 * 12, rel=0.01)
    assert counted("model_divide_cycles") == pytest.approx(200_000 * (12 - 3 / 4), rel=0.01)
    assert counted("model_latency_cycles") < 200


def test_a_chain_goes_through_memory(loop):
    counted = loop("through_memory", 200_000)
    assert counted("cpu_cycles") == pytest.approx(200_000 * (4 + 1 + 1), rel=0.01)  # load, add, store


def test_a_chain_with_two_ways_takes_their_average(loop):
    counted = loop("either", 200_000)
    assert counted("cpu_cycles") == pytest.approx(200_000 * (5 + 5 + 1) / 2, rel=0.01)


# ---- Memory ----


@pytest.mark.parametrize(("size", "level"), [(256 * KIB, "l2"), (8 * MIB, "llc")])
def test_a_chase_pays_each_latency_in_full(loop, size, level):
    nodes = size // 64
    rounds = max(1, 40_000 // nodes) + 1
    counted = loop("chase", nodes, rounds, prefetch=0, l2_tlb=0, l1d_tlb=254, page_bits=30)
    # the nodes were written before; those that LRU kept in L2 are a part of 8 MiB
    loads = nodes * rounds
    assert counted("model_refill_chased") == pytest.approx(loads, rel=0.05)
    assert counted("cpu_cycles") == pytest.approx(loads * LATENCY[level], rel=0.1)
    assert counted("model_chased_cycles") > 0.9 * counted("stall_backend")


def test_gathered_loads_overlap_and_chased_ones_do_not(loop):
    n = 200_000  # 1.6 MB: L2 misses a third
    counted = loop("gather", n, prefetch=0)
    refills = counted("model_refill_gathered")
    assert refills == pytest.approx(n, rel=0.1)
    assert counted("model_gathered_cycles") < refills * (LATENCY["l2"] - LATENCY["l1"])
    assert counted("model_refill_chased") == 0


def test_a_streaming_sum_from_l1_takes_the_width(loop):
    counted = loop("stream", 4096, 20)
    assert counted("cpu_cycles") == pytest.approx(4096 * 20, rel=0.1)  # four instructions, and the first lines
    assert counted("model_scalar_inst") == pytest.approx(4096 * 20 * 4, rel=0.01)
    assert counted("model_refill_sparse") == 0


def test_a_stream_from_memory_waits_where_the_prefetcher_does_not_know_yet(loop):
    counted = loop("stream", 1_000_000)
    assert N1.pipeline is not None
    hidden = N1.pipeline.reorder / 4  # cycles that the other instructions of the window take
    waits = counted("l1d_cache_refill") * (LATENCY["dram"] - LATENCY["l1"] - hidden)
    assert counted("l1d_cache_refill") == pytest.approx(3 * 1_000_000 / 512, rel=0.05)  # of each page the first three
    assert counted("model_strided_cycles") == pytest.approx(waits, rel=0.05)


def test_one_field_of_large_structures_is_sparse(loop):
    counted = loop("one_field", 50_000)
    assert counted("model_refill_strided") == counted("model_refill_sparse") > 0
    assert counted("model_refill_wide") == 0
    assert counted("model_scalar_inst") == 0


def test_a_walk_down_columns_is_wide_and_one_along_rows_is_not(loop):
    down, along = loop("columns", 1100), loop("rows", 1100)
    assert down("model_refill_wide") == pytest.approx(down("model_refill_strided"), rel=0.01)
    assert along("model_refill_wide") == 0
    assert along("model_refill_sparse") == 0
    assert down("cpu_cycles") > 4 * along("cpu_cycles")


# ---- Branches, and what is stated ----


def test_an_unpredictable_branch_pays_the_refill_of_the_pipeline(arm64):
    events = ["br_mis_pred_retired", "stall_frontend"]
    counted = model.run([str(arm64("walks")), "branch", "0", "200000"], "neoverse-n1", events).region("work")
    assert counted.value("br_mis_pred_retired") == pytest.approx(100_000, rel=0.02)
    assert counted.value("stall_frontend") == pytest.approx(100_000 * 11, rel=0.02)


@pytest.mark.parametrize(
    ("name", "scalar"), [("length", False), ("running", False), ("gather", False), ("stream", True)]
)
def test_a_loop_is_scalar_where_vectors_could_do_it(loop, name, scalar):
    assert (loop(name, 4096)("model_scalar_inst") > 4096) is scalar


def test_barriers_and_atomics_cost_what_is_stated(loop):
    assert loop("barriers", 20_000)("model_barrier_cycles") == pytest.approx(20_000 * LATENCY["l2"])
    assert loop("atomics", 20_000)("model_atomic_cycles") == pytest.approx(20_000 * 2 * LATENCY["l1"])


def test_indirect_calls_are_counted_and_returns_are_not(loop):
    assert loop("calls", 20_000)("model_indirect_call") == 20_000


def test_the_parts_are_the_whole(arm64):
    events = ["cpu_cycles", "inst_retired", "stall_frontend", "stall_backend", "stall_backend_mem"]
    counted = model.run([str(arm64("loops")), "gather", "50000", "2"], "neoverse-n1", events).reading
    cycles, executed, frontend, backend, memory = (counted.value(event) for event in events)
    assert cycles == pytest.approx(executed / 4 + frontend + backend, abs=2)
    assert 0 < memory < backend
    assert counted["stall_backend"].status == "estimated"


def test_two_threads_at_one_line_pay_for_taking_it(arm64):
    run = model.run(
        [str(arm64("sharing", "-DAPART=8")), "200"], "neoverse-n1", ["model_contended_cycles", "cpu_cycles"]
    )
    assert N1.pipeline is not None
    taken = sum(run.functions("model_contended_cycles").values()) / (N1.pipeline.from_core or 0)
    assert taken == pytest.approx(round(taken))
    assert taken > 10
