"""Samples on an ARM64 machine, and those of perf of the same program in the same place."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from armprof import sample
from armprof.samples import collect
from armprof.samples.attribute import attribute
from armprof.samples.collect import Rate, sample_command

Program = Callable[[str], Path]

POINTS = 0.02  # two shares are the same within this
FUNCTIONS = {"spin_much", "spin_little", "walk"}


def by_perf(event: str, period: int, words: list[str], folder: Path) -> Counter[str]:
    """The samples of each function by perf."""
    data = folder / "perf.data"
    record = ["perf", "record", "-q", "-e", f"{event}:u", "-c", str(period), "-o", str(data), "--", *words]
    subprocess.run(record, check=True, capture_output=True, text=True)
    script = ["perf", "script", "-i", str(data), "-F", "ip,sym"]
    lines = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    return Counter(line.split()[1] for line in lines if len(line.split()) > 1)


@pytest.mark.slow
@pytest.mark.emulator_only
def test_functions_have_the_shares_that_perf_gives_them(program: Program, tmp_path: Path) -> None:
    """Across a child, a thread and a shared library. By cycles: of the emulator's counters theirs alone interrupts as soon as
    it overflows; what the others did is noticed at the next tick of the clock, a few times in all, by perf as by us.
    """
    event = "cpu_cycles"
    period = 20_000
    words = [str(program("sampled")), "30", str(program("libwalk.so")), "8"]
    outcome = sample_command(words, [event], Rate(period=period))
    assert outcome.status == 0
    samples = attribute(outcome.trace)
    (sampled,) = samples.events
    assert sampled.count.status == "counted"
    ours = {name: share.own for name, share in samples.functions().items()}
    counted = by_perf(event, period, words, tmp_path)
    perf = {name: count / counted.total() for name, count in counted.items()}
    total = sum(row.samples for row in samples.rows)
    assert total > 300
    assert samples.losses is not None
    assert total + samples.losses.lost == pytest.approx(counted.total(), rel=0.05)
    for name in {name for shares in (ours, perf) for name, share in shares.items() if share > 0.01}:
        assert ours.get(name, 0) == pytest.approx(perf.get(name, 0), abs=POINTS), name
    assert FUNCTIONS & {name for name, share in ours.items() if share > 0.01}
    assert len({thread.pid for thread in samples.threads}) == 2
    assert len(samples.threads) == 3


def test_cycles_are_sampled_and_put_on_their_lines(program: Program) -> None:
    samples = attribute(sample_command([str(program("sampled")), "10", str(program("libwalk.so")), "1"]).trace)
    assert [event.name for event in samples.events] == ["cpu_cycles"]
    assert any("sampled.c:" in place for place in list(samples.lines())[:4])


def test_a_block_of_python_is_sampled_with_the_c_that_it_calls(walk: Callable[[], int]) -> None:
    with sample(["cpu_cycles"], period=20_000) as sampled:
        for _ in range(50):
            walk()
    assert sampled.samples.functions()["walk"].own > 0.5


@pytest.mark.emulator_only
@pytest.mark.one_cpu  # on another one the ring would be read meanwhile
def test_what_a_full_ring_loses_is_told(walk: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "RING_BYTES", 1)
    with sample(["cpu_cycles"], period=2_000) as sampled:
        for _ in range(20):
            walk()
    losses = sampled.trace.losses
    assert losses.lost + losses.throttled > 0
    assert losses.malformed == 0
