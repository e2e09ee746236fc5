"""Samples on an ARM64 machine, and those of perf of the same program in the same place."""

from __future__ import annotations

import resource
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from armprof import sample
from armprof.samples import sampler
from armprof.samples.attribute import attribute
from armprof.samples.collect import sample_command
from armprof.samples.rate import Rate

Program = Callable[[str], Path]

POINTS = 0.02  # two shares are the same within this
RING_BYTES = (
    1 << 23
)  # all samples of some seconds: who is given the only CPU when, is nothing that shares should hang on
FUNCTIONS = ("spin_much", "spin_little", "walk")
PERFS = {"cycles": "cpu_cycles", "l1d_cache_refill": "l1d_cache_refill"}  # by perf's names


def by_perf(period: int, words: list[str], folder: Path) -> dict[str, Counter[str]]:
    """By event and function, what perf says of the program, its threads and children."""
    data = folder / "perf.data"
    # before Linux 6.12 a group is read of CPUs alone, by perf as by us
    events = f"{{{','.join(f'{name}:u' for name in PERFS)}}}:S"
    how = ["-q", "-a", "-g", "-m", str(RING_BYTES // resource.getpagesize()), "-e", events, "-c", str(period)]
    record = ["perf", "record", *how, "-o", str(data), "--", *words]
    subprocess.run(record, check=True, capture_output=True, text=True)
    script = ["perf", "script", "-i", str(data), "--comms", "sampled", "-F", "event,period,ip,sym"]
    done = subprocess.run(script, check=True, capture_output=True, text=True)
    found: dict[str, Counter[str]] = {name: Counter() for name in PERFS.values()}
    for told in done.stdout.split("\n\n"):
        head, *frames = [line.split() for line in told.splitlines() if line.strip()] or [[]]
        # an interrupt may come as late as in the kernel, whose addresses fill 64 bits
        user = [symbol[0] for address, *symbol in frames if len(address) < 16 and symbol]
        if head and user:
            found[PERFS[head[1].partition(":")[0]]][user[0]] += int(head[0])
    return found


@pytest.fixture
def _unlimited() -> Iterator[None]:
    """An emulated interrupt takes so long that the kernel would slow the sampling down."""
    limit = Path("/proc/sys/kernel/perf_cpu_time_max_percent")
    before = limit.read_text()
    limit.write_text("0\n")
    yield
    limit.write_text(before)


@pytest.mark.slow
@pytest.mark.emulator_only
@pytest.mark.usefixtures("_unlimited")
def test_functions_have_the_shares_that_perf_gives_them(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across a child, a thread and a shared library. Of the emulator's counters that of cycles alone interrupts: refills are
    read at its samples.
    """
    monkeypatch.setattr(sampler, "RING_BYTES", RING_BYTES)
    words = [
        str(program("sampled")),
        "48",
        str(program("libwalk.so")),
        "96",
    ]  # some 4,000 samples: one of 1,000 is off by 2 points
    outcome = sample_command(words, ["l1d_cache_refill"], Rate(period=20_000))
    assert outcome.status == 0
    samples = attribute(outcome.trace)
    perf = by_perf(20_000, words, tmp_path)
    assert [(event.name, event.read_at) for event in samples.events] == [
        ("cpu_cycles", None),
        ("l1d_cache_refill", "cpu_cycles"),
    ]
    for event in samples.events:
        assert event.count.status == "counted"
        assert event.count.value == pytest.approx(perf[event.name].total(), rel=0.05)
        placed = samples.placed(event.name)
        assert placed is not None
        assert placed > 0.97
        ours = {name: share.own for name, share in samples.functions(event.name).items()}
        theirs = {name: count / perf[event.name].total() for name, count in perf[event.name].items()}
        # code without symbols, as that of the loader is, they name each in their own way
        for name in {name for name, share in ours.items() if share > 0.01 and not name.startswith(("[", "0x"))} | {
            name for name, share in theirs.items() if share > 0.01 and name != "[unknown]"
        }:
            assert ours.get(name, 0) == pytest.approx(theirs.get(name, 0), abs=POINTS), (event.name, name)
    assert set(FUNCTIONS) <= {name for name, share in samples.functions("cpu_cycles").items() if share.own > 0.01}
    assert next(iter(samples.functions("l1d_cache_refill"))) == "walk"
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
    monkeypatch.setattr(sampler, "RING_BYTES", 1)
    with sample(["l1d_cache_refill"], period=2_000) as sampled:
        for _ in range(20):
            walk()
    losses = sampled.trace.losses
    assert losses.lost > 0
    assert losses.malformed == 0
    for event in sampled.trace.events:
        assert event.count.value is None
        assert "samples were lost" in str(event.count.reason)
