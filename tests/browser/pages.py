"""The pages that the browser opens, as the command line writes them: of runs, a store, samples and an ARM64 program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from armprof.cli import main
from armprof.counters.reading import Count, Status
from armprof.monitor.sampler import Sample
from armprof.monitor.store import Session, Store
from armprof.run import file
from armprof.run.record import Component
from armprof.samples import Frame, Row, Samples, Thread
from armprof.samples import file as samples_file
from armprof.samples.trace import Losses, Sampled

PROGRAM = Path(__file__).parents[1] / "binary" / "programs" / "planted.c"
COMPILER = "aarch64-linux-gnu-gcc"
MANY = 10  # components of the report that is printed
SLOWER = 1.3
MULTIPLEXED = """
 Performance counter stats for './parse':

     4,000,000,000      cycles                  (50.02%)
     6,000,000,000      instructions            (50.02%)
     2,000,000,000      l1d_cache               (37.51%)
       200,000,000      l1d_cache_refill        (37.51%)
        90,000,000      br_mis_pred_retired     (37.50%)
     1,000,000,000      br_retired              (37.50%)
   <not supported>      ll_cache_miss_rd
       1.500000000 seconds time elapsed
"""
ALERTS = """
[alerts.memory]
figure = "memory_bytes"
above = 1_300_000_000

[alerts.slow]
figure = "busy"
above = 0.9
"""
S, BEGIN, MINUTES = 1_000_000_000, 1_700_000_000 * 1_000_000_000, 60


def write(to: Path, *words: str, status: int = 0) -> None:
    assert main([*words, "--format", "html", "--output", str(to)]) == status


def of_runs(at: Path) -> None:
    """Of a run that was measured, of one that is slower, of one in which nothing was counted, and of many components."""
    measured, slower, uncounted, many = (at / f"{name}.json" for name in ("run", "slower", "uncounted", "many"))
    assert main(["bench", "order_book", "tick_to_trade", "--seconds", "0.05", "--output", str(measured)]) == 0
    run = file.read(measured)
    file.write(replace(run, components=tuple(map(slowed, run.components))), slower)
    file.write(replace(run, components=tuple(replace(c, reading=None, where=None) for c in run.components)), uncounted)
    book = run.components[0]
    file.write(replace(run, components=tuple(replace(book, name=f"book_{n}") for n in range(MANY))), many)
    (at / "multiplexed.txt").write_text(MULTIPLEXED)
    write(at / "report.html", "report", str(measured))
    write(at / "many.html", "report", str(many))
    write(at / "uncounted.html", "report", str(uncounted))
    write(at / "multiplexed.html", "report", str(at / "multiplexed.txt"), "--core", "neoverse-n1")
    write(at / "budget.html", "budget", str(measured))
    write(at / "comparison.html", "compare", str(measured), str(slower), status=1)


def slowed(component: Component) -> Component:
    """The component as if it took longer, and executed more where it was counted."""
    latency, reading = component.latency, component.reading
    assert latency is not None
    assert latency.p95_ns is not None
    rounds = tuple(replace(one, p95_ns=SLOWER * one.p95_ns, mean_ns=SLOWER * one.mean_ns) for one in component.rounds)
    longer = replace(component, rounds=rounds, latency=replace(latency, p95_ns=SLOWER * latency.p95_ns))
    if reading is None or reading.value("inst_retired") is None:
        return longer
    more = replace(reading["inst_retired"], value=SLOWER * (reading.value("inst_retired") or 0.0))
    return replace(longer, reading=replace(reading, counts={**reading.counts, "inst_retired": more}))


def of_samples(at: Path) -> None:
    """Of samples of the program, some of which were lost."""
    (at / "samples.json").write_text(samples_file.render(samples(at / "program")))
    write(at / "samples.html", "report", str(at / "samples.json"))


def samples(program: Path) -> Samples:
    lines = PROGRAM.read_text().splitlines()

    def frame(function: str, text: str) -> Frame:
        line = next(number for number, one in enumerate(lines, 1) if text in one)
        return Frame(str(program), line, function, str(PROGRAM), line)

    frames = (
        frame("main", "int main"),
        frame("divided_by_the_same", "at[i] / by"),
        frame("summed_one_by_one", "sum += at[i];"),
        Frame("/lib/libc.so.6", 16, "memcpy"),
    )
    return Samples(
        events=(
            Sampled("cpu_cycles", Count("cpu_cycles", 1e6, 1e6, 100, 100, Status.COUNTED), "every 1,000 events", ""),
        ),
        frames=frames,
        stacks=((1, 0), (2, 0), (3, 2, 0), (0,)),
        threads=(Thread(1, 1, "program"),),
        rows=tuple(Row(0, 0, stack, count, 1000 * count) for stack, count in enumerate((600, 250, 100, 50))),
        losses=Losses(lost=40),
        duration_ns=5_000_000,
        reading_ns=10_000,
        command="./program <of planted.c>",
    )


def of_a_program(at: Path) -> None:
    """Of an ARM64 program, as it is and with counts."""
    flags = ("-O2", "-g", "-ftree-vectorize", "-fno-ipa-icf", "-mno-outline-atomics")
    subprocess.run([COMPILER, *flags, str(PROGRAM), "-o", str(at / "program")], check=True)
    words = ("inspect", str(at / "program"), "--core", "neoverse-n1")
    write(at / "inspection.html", *words)
    (at / "counts.json").write_text(samples_file.render(samples(at / "program")))
    write(at / "inspection-counted.html", *words, "--counts", str(at / "counts.json"))


def of_a_store(at: Path) -> None:
    """Of an hour in which memory leaks, and work comes and goes."""
    random = np.random.default_rng(1)
    store = Store(at / "store.db", Session("box", None, "machine", "", "all", 60 * S, "1"), BEGIN, print)
    for n in range(MINUTES):
        tick = store.sample(Sample(BEGIN + n * 60 * S, 60 * S, 0, []))
        memory = 1e9 * (1 + 0.003 * n + 0.001 * random.standard_normal())
        busy = (0.3 if n < MINUTES / 2 else 0.6) * (1 + 0.05 * random.standard_normal())
        store.levels(tick, {"machine": {"memory_bytes": memory, "busy": busy}}, {})
    store.close(BEGIN)
    (at / "armprof.toml").write_text(ALERTS)
    write(at / "trends.html", "trends", "--store", str(at / "store.db"), "--config", str(at / "armprof.toml"))


# What writes which pages.
MADE: dict[Callable[[Path], None], tuple[str, ...]] = {
    of_runs: ("report", "comparison", "budget", "uncounted", "multiplexed"),
    of_samples: ("samples",),
    of_a_store: ("trends",),
    of_a_program: ("inspection", "inspection-counted"),
}
if shutil.which(COMPILER) is None:
    del MADE[of_a_program]
PAGES = tuple(page for pages in MADE.values() for page in pages)
