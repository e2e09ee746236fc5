"""What was sampled, as text: which functions and lines, how well, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from rich.console import RenderableType

from armprof.counters.reading import Reading
from armprof.metrics import compute
from armprof.report import figures
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, short, table, text
from armprof.samples import SampledShare, Samples
from armprof.samples.trace import Sampled

MOST = 15
BETWEEN = (
    "what was counted between two samples is put on the second; this is right of code that stays at one place for longer "
    "than from one sample to the next"
)
NOTHING = "nothing was sampled: it ran too briefly, or not in user mode"
EVERYTHING = 0.995  # of an event: what has no place is too little to be told
LEAST = 0.001  # shares below this are not worth a line


def render(samples: Samples, stream: TextIO | None, event: str | None = None) -> str:
    """The functions and lines of each event, or of the one that is named."""
    numbers = range(len(samples.events)) if event is None else [samples.number(event)]
    blocks: list[RenderableType] = [text(f"samples of {short(samples.command)}", "bold")]
    for number in numbers:
        blocks += _event(samples, number)
    blocks += [item(remark) for remark in remarks(samples)]
    return printed(paper(stream), blocks)


def _event(samples: Samples, number: int) -> list[RenderableType]:
    sampled = samples.events[number]
    rows = samples.rows_of(sampled.name)
    uncounted = sampled.count.value is None and not rows
    blocks: list[RenderableType] = ["", text(described(samples, sampled), "yellow" if uncounted else "")]
    if rows:
        blocks += [
            "",
            _shares("function", samples.functions(sampled.name), True),
            "",
            _shares("line", samples.lines(sampled.name), False),
        ]
    return blocks


def described(samples: Samples, sampled: Sampled) -> str:
    """How an event was sampled and what it counted, or why not, in one line."""
    rows = samples.rows_of(sampled.name)
    if sampled.count.value is None and not rows:
        return f"{sampled.name}: {sampled.count.status}, {sampled.count.reason}"
    head = f"{sampled.name}: {sum(row.samples for row in rows):,} samples, {sampled.every}"
    is_known = sampled.count.value is not None
    count = f"counted {figures.count(sampled.count)}" if is_known else str(sampled.count.reason)
    covered = sampled.count.coverage
    if covered is not None and covered < 1:
        count += f", {figures.percent(covered, 1)} of the time"
    return f"{head}; {count}; {sampled.skid}".removesuffix("; ")


def shown(shares: Mapping[str, SampledShare]) -> list[tuple[str, SampledShare]]:
    """Those that are worth a line, the most of its own first."""
    return [(name, share) for name, share in shares.items() if share.own >= LEAST]


def _shares(heading: str, shares: Mapping[str, SampledShare], with_total: bool) -> RenderableType:
    rows = table(">own", *([">with callees"] if with_total else []), heading)
    for name, share in shown(shares)[:MOST]:
        cells = [figures.percent(share.own, 1), *([figures.percent(share.total, 1)] if with_total else [])]
        rows.add_row(*cells, text(short(name)))
    return rows


def remarks(samples: Samples) -> list[str]:
    """What a reader must know, a sentence each."""
    taken = sum(row.samples for row in samples.rows)
    told = [*samples.notes, *_between(samples)]
    if not taken:
        told.append(NOTHING)
    if samples.reading is not None:
        told.append(_memory_latency(samples.reading))
    told += lost(samples)
    if samples.reading_ns and samples.duration_ns:
        share = samples.reading_ns / samples.duration_ns
        told.append(
            f"taking the samples over took {samples.reading_ns / 1e6:,.1f} ms of CPU time, {100 * share:.2f} % of the run"
        )
    return told


def _memory_latency(reading: Reading) -> str:
    metric = compute(reading)["memory_latency_ns"]
    value = "not known" if metric.value is None else f"{metric.value:,.0f} ns"
    return f"{metric.title}: {value}" + (f" ({metric.reason})" if metric.reason else "")


def _between(samples: Samples) -> list[str]:
    """What holds of events that were read at the samples of another one."""
    read = [one.name for one in samples.events if one.read_at is not None]
    if not read:
        return []
    told = [f"{', '.join(read)}: {BETWEEN}"]
    for name in read:
        placed = samples.placed(name)
        if placed is not None and placed < EVERYTHING:
            told.append(
                f"{figures.percent(1 - placed, 1)} of {name} has no place: counted over samples that were lost, while "
                "the kernel slowed the sampling down, or after a thread's last one"
            )
    return told


def lost(samples: Samples) -> list[str]:
    """What is not among the samples, and why."""
    losses, taken = samples.losses, sum(row.samples for row in samples.rows)
    told: list[str] = []
    if losses is None:
        return told
    if losses.lost:
        share = losses.lost / (losses.lost + taken)
        told.append(f"{losses.lost:,} samples were lost ({100 * share:.1f} %): the rings were full; sample less often")
    if losses.throttled:
        told.append(
            f"the kernel slowed the sampling down {losses.throttled:,} times: it took more of the CPU than "
            "kernel.perf_cpu_time_max_percent allows"
        )
    if losses.malformed or losses.no_memory:
        told.append(f"{losses.malformed:,} records were broken, {losses.no_memory:,} found no memory")
    return told
