"""The estimate of cycles on files of counts made by hand: whatever code they hold, it comes to something."""

from __future__ import annotations

import numpy as np
import pytest
from a64_words import WORDS
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.model import counts as file
from armprof.counters.model import events
from armprof.counters.model.counts import Bank, Counts
from armprof.counters.model.estimate import PARTS, Estimate
from armprof.counters.model.geometry import geometry
from armprof.counters.model.tally import Tally

N1 = geometry("neoverse-n1")


def made(blocks: list[dict[str, int]], words: list[int], executed: list[dict[str, int]]) -> Tally:
    """A tally of blocks without memory accesses."""
    table = np.zeros(len(blocks), file._BLOCK)
    rows = np.zeros((len(blocks), len(file.BLOCK_COUNTS)), "u8")
    for number, (block, counted) in enumerate(zip(blocks, executed, strict=True)):
        values = block | {"number": number, "next": block["address"] + 4 * block["size"], "lines": 1}
        for name, value in values.items():
            table[number][name] = value
        for name, value in counted.items():
            rows[number][file.BLOCK_COUNTS.index(name)] = value
    bank = Bank(np.zeros(1, file._BANK)[0], rows, np.zeros((0, len(file.SITE_COUNTS)), "u8"))
    return Tally(
        Counts(
            header=np.zeros(1, file._HEADER)[0],
            blocks=table,
            words=np.array(words, "u4"),
            sites=np.zeros(0, file._SITE),
            modules=np.zeros(0, file._MODULE),
            regions=np.zeros(1, file._REGION),
            lines=np.zeros(0, file._LINE),
            banks=(bank,),
        )
    )


def estimated(tally: Tally) -> dict[str, float]:
    found = events.counts(tally, N1, [*events.ESTIMATES, *events.OF_CODE])
    return {name: count.value for name, count in found.items() if count.value is not None}


def loop(*texts: str, times: int = 1000) -> Tally:
    """A block that goes back to itself."""
    words = [WORDS[text] for text in texts]
    block = {"address": 0x1000, "size": len(words), "words": 0, "target": 0x1000, "ending": file.CONDITIONAL}
    return made([block], words, [{"executed": times, "taken": times - 1}])


@pytest.mark.parametrize(
    ("texts", "cycles"),
    [
        (["fadd d0, d0, d1", "b.ne ."], 2),
        (["udiv w0, w1, w0", "b.ne ."], 12),
        (["nop"] * 7 + ["b.ne ."], 7 / 3),  # in three units for integers
        (["nop"] * 6 + ["ldr x2, [x1]"] * 5 + ["b.ne ."], 12 / 4),  # four at a time
    ],
)
def test_a_loop_takes_its_chain_or_its_units(texts, cycles):
    assert estimated(loop(*texts))["cpu_cycles"] == pytest.approx(1000 * cycles, rel=0.01)


def test_code_that_is_in_two_blocks_is_one_loop():
    # the emulator's first block goes through the loop once, and the second one round it
    words = [WORDS[text] for text in ("mov x0, #5", "fadd d0, d0, d1", "b.ne .")]
    first = {"address": 0x1000, "size": 3, "words": 0, "target": 0x1004, "ending": file.CONDITIONAL}
    again = {"address": 0x1004, "size": 2, "words": 1, "target": 0x1004, "ending": file.CONDITIONAL}
    tally = made([first, again], words, [{"executed": 10, "taken": 10}, {"executed": 990, "taken": 980}])
    estimate = Estimate(tally, N1)
    (body,) = estimate.code.bodies
    assert (body.loop.iterations, body.loop.entries) == (1000, 10)
    # each entry of the tally has its share
    by_block = np.bincount([0, 0, 0, 1, 1], weights=estimate.cycles("latency"))
    assert by_block == pytest.approx([10, 990])


def test_a_loop_of_few_rounds_overlaps_with_the_next():
    words = [WORDS[text] for text in ("udiv w0, w1, w0", "b.ne .")]
    block = {"address": 0x1000, "size": 2, "words": 0, "target": 0x1000, "ending": file.CONDITIONAL}
    few = estimated(made([block], words, [{"executed": 1000, "taken": 750}]))
    many = estimated(made([block], words, [{"executed": 1000, "taken": 990}]))
    assert many["cpu_cycles"] == pytest.approx(12_000)
    assert few["cpu_cycles"] == pytest.approx(5_000)  # as often as the unit takes one


def calling(callers: int) -> Tally:
    """Loops, each of which calls the same function 1000 times."""
    texts = ["bl .", "nop", "nop", "b.ne .", "udiv w0, w1, w0", "ret"]
    blocks, counted = [], []
    for caller in range(callers):
        at = 0x1000 + 0x100 * caller
        call = {"address": at, "size": 1, "words": 0, "target": 0x8000, "ending": file.CALL}
        round_it = {"address": at + 4, "size": 3, "words": 1, "target": at, "ending": file.CONDITIONAL}
        blocks += [call, round_it]
        counted += [{"executed": 1000}, {"executed": 1000, "taken": 999}]
    blocks.append({"address": 0x8000, "size": 2, "words": 4, "target": 0, "ending": file.RETURN})
    return made(blocks, [WORDS[text] for text in texts], [*counted, {"executed": 1000 * callers}])


def test_a_function_that_one_loop_calls_is_a_part_of_it():
    found = estimated(calling(1))
    assert found["cpu_cycles"] == pytest.approx(1000 * 12)
    assert found["model_divide_cycles"] == pytest.approx(1000 * (12 - 6 / 4))


def test_a_function_that_is_called_from_elsewhere_too_is_not():
    estimate = Estimate(calling(2), N1)
    assert [body.loop.iterations for body in estimate.code.bodies] == [1000, 1000]
    assert all(i.kind != "divide" for body in estimate.code.bodies for _, i in body.instructions)
    assert estimate.cycles("divide").sum() == pytest.approx(2000 * (5 - 1 / 4))  # as long as its unit is busy


def test_nothing_executed_is_nothing():
    assert set(estimated(made([], [], [])).values()) <= {0.0}
    block = {"address": 0x1000, "size": 1, "words": 0, "target": 0, "ending": file.FALLS_THROUGH}
    assert set(estimated(made([block], [WORDS["nop"]], [{"executed": 0}])).values()) == {0.0}


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    """Blocks that overlap and lead anywhere, of any words."""
    words = draw(st.lists(st.sampled_from(sorted(WORDS.values())) | st.integers(0, 2**32 - 1), min_size=1, max_size=40))
    blocks, executed = [], []
    for _ in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, len(words) - 1))
        times = draw(st.integers(0, 10_000))
        blocks.append(
            {
                "address": 0x1000 + 4 * start,
                "size": draw(st.integers(1, len(words) - start)),
                "words": start,
                "target": 0x1000 + 4 * draw(st.integers(-2, len(words))),
                "ending": draw(st.integers(file.FALLS_THROUGH, file.RETURN)),
            }
        )
        taken = draw(st.integers(0, times))
        executed.append({"executed": times, "taken": taken, "mispredicted": draw(st.integers(0, times))})
    return made(blocks, words, executed)


@given(tallies())
def test_whatever_was_executed_the_parts_sum_to_the_cycles(tally):
    estimate = Estimate(tally, N1)
    for part in PARTS:
        assert (estimate.parts[part] >= 0).all(), part
    total = estimated(tally)
    executed = int(tally.executed.sum())
    assert total["cpu_cycles"] == pytest.approx(executed / 4 + total["stall_frontend"] + total["stall_backend"], abs=2)
    assert total["model_scalar_inst"] <= executed
