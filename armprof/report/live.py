"""The monitor's live view: a dashboard on a terminal, columns of numbers elsewhere. Both hold in 80 columns."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from armprof.metrics.topdown import TERMS
from armprof.monitor.alerts import Alert
from armprof.monitor.figures import unit, value
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure
from armprof.report import figures

if TYPE_CHECKING:
    from rich.console import RenderableType

BARS = "▁▂▃▄▅▆▇█"
KEPT = 60  # reports that the sparklines cover
SHOWN_MARKS = 4
NOT_SHOWN = ("late",)  # told as a number: under load there are many

# Title and figure, the most telling first: columns are taken from the left while there is room and a value.
COLUMNS: tuple[tuple[str, Figure], ...] = (
    ("busy", Figure("level", "busy")),
    ("memory", Figure("level", "memory_bytes")),
    ("IPC", Figure("metric", "ipc")),
    ("L1D MPKI", Figure("metric", "l1d_mpki")),
    ("L2 MPKI", Figure("metric", "l2_mpki")),
    ("br MPKI", Figure("metric", "branch_mpki")),
    ("backend", Figure("metric", "backend_bound")),
    ("frontend", Figure("metric", "frontend_bound")),
    ("switches/s", Figure("event", "context_switches", "per_s")),
    ("faults/s", Figure("event", "page_faults", "per_s")),
    ("moves/s", Figure("event", "cpu_migrations", "per_s")),
)


def sparkline(values: Iterable[float | None]) -> str:
    """A bar for each value, between the least and the most; a blank where there is none."""
    found = list(values)
    known = [v for v in found if v is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def bar(v: float | None) -> str:
        if v is None:
            return " "
        return BARS[0] if high == low else BARS[min(len(BARS) - 1, int((v - low) / (high - low) * len(BARS)))]

    return "".join(map(bar, found))


def shown(number: float | None, unit: str) -> str:
    """A value with its unit, in few characters."""
    if number is None:
        return figures.NONE
    if unit == "bytes":
        for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if number >= size:
                return f"{figures.number(number / size)} {name}"
        return f"{number:.0f} B"
    if unit == "ns":
        return figures.duration(number)
    if unit.startswith("fraction"):
        return figures.percent(number, 1)
    return figures.number(number) if number < 1e4 else figures.rate(number).removesuffix("/s")


def tell(line: str) -> None:
    """A line that is for people, on stderr."""
    print(f"armprof: {line}", file=sys.stderr, flush=True)


class Columns:
    """A line a report, under headings that come again every 20 lines, as vmstat does it. Lines about what happens go to
    ``err``, which is all there is where it is ``quiet``.
    """

    def __init__(self, out: TextIO, err: TextIO, width: int = 80, quiet: bool = False) -> None:
        self._out, self._err, self._width, self._quiet = out, err, width, quiet
        self._known: set[str] = set()  # titles that had a value so far
        self._columns: list[tuple[str, Figure]] = []
        self._lines = 0

    def tell(self, line: str) -> None:
        print(f"armprof: {line}", file=self._err, flush=True)

    def alert(self, alert: Alert) -> None:
        self.tell(f"{'RESOLVED' if alert.ended_ns else 'ALERT'} {alert}")

    def show(self, report: Report, alerts: list[Alert]) -> None:
        for mark in report.marks:
            if mark.kind not in NOT_SHOWN:
                self.tell(f"{_clock(mark.at_ns)} {mark.kind}: {mark.text}")
        if self._quiet:
            return
        cells = {title: shown(value(report, one), unit(one, report)) for title, one in COLUMNS if _has(report, one)}
        new = {title for title, cell in cells.items() if cell != figures.NONE} - self._known
        if new or self._lines % 20 == 0:
            self._known |= new
            self._columns = [(title, one) for title, one in COLUMNS if title in self._known]
            while 8 + sum(_wide(title) + 2 for title, _ in self._columns) > self._width:
                self._columns.pop()
            self._write("time    " + "".join(f"  {title:>{_wide(title)}}" for title, _ in self._columns))
        row = "".join(f"  {cells.get(title, figures.NONE):>{_wide(title)}}" for title, _ in self._columns)
        self._write(f"{_clock(report.at_ns)}{row}")
        self._lines += 1

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def _has(report: Report, figure: Figure) -> bool:
    return figure.kind != "metric" or figure.name in report.metrics()


def _wide(title: str) -> int:
    return max(len(title), 9)


def _clock(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone().strftime("%H:%M:%S")


@dataclass
class Dashboard:
    """What the dashboard shows: the last reports' figures, what happened, and what is wrong now."""

    title: str
    width: int = 80
    values: dict[Figure, deque[float | None]] = field(default_factory=dict)
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=SHOWN_MARKS))
    late: int = 0
    report: Report | None = None

    def add(self, report: Report) -> None:
        """Takes in a report."""
        self.report = report
        self.late += sum(mark.kind == "late" for mark in report.marks)
        self.marks.extend(mark for mark in report.marks if mark.kind not in NOT_SHOWN)
        wanted = [one for _, one in COLUMNS if one.kind != "metric"]
        wanted += [Figure("metric", name) for name in report.metrics_wanted if name not in TERMS]
        wanted += [
            Figure("latency", name, part) for name in report.latencies for part in ("p50_ns", "p99_ns", "calls_per_s")
        ]
        for one in wanted:
            found = value(report, one)
            if one in self.values or found is not None:
                self.values.setdefault(one, deque(maxlen=KEPT)).append(found)

    def render(self, alerts: Sequence[str], rows: int = 24) -> RenderableType:
        """The dashboard in that many rows: what is wrong first, then top-down, then the figures."""
        from rich.console import Group

        from armprof.report.pieces import table, text

        report = self.report
        if report is None:
            return text("waiting for the first report ...")
        head = f"{self.title}  {_clock(report.at_ns)}" + (f"  {self.late:,} late samples" if self.late else "")
        parts: list[RenderableType] = [text(head, "bold")]
        parts += [text(f"ALERT {told}", "bold red") for told in alerts[:SHOWN_MARKS]]
        parts += self._top_down(report)
        left = rows - len(parts) - len(self.marks) - 2
        figures_shown = table("figure", ">now", ">least", ">most", "the last minute")
        for one, past in list(self.values.items())[: max(1, left)]:
            known = [v for v in past if v is not None]
            in_what = unit(one, report)
            room = max(8, self.width - 66)
            numbers = (shown(v, in_what) for v in (past[-1], min(known, default=None), max(known, default=None)))
            figures_shown.add_row(text(str(one)), *map(text, numbers), text(sparkline(list(past)[-room:])))
        parts.append(figures_shown)
        if why := self._nothing_counted(report):
            parts.append(text(why, "dim"))
        parts += [text(f"{_clock(mark.at_ns)} {mark.kind}: {mark.text}", "yellow") for mark in self.marks]
        return Group(*parts)

    def _top_down(self, report: Report) -> list[RenderableType]:
        """The four terms as one bar."""
        from rich.text import Text

        metrics = report.metrics()
        terms = [(term, metrics[term].value) for term in TERMS if term in metrics]
        if not terms or any(share is None for _, share in terms):
            return []
        room = self.width - 2
        bar = Text()
        for (_, share), style in zip(terms, ("blue", "red", "magenta", "green"), strict=True):
            bar.append("█" * round((share or 0.0) * room), style)
        words = "  ".join(f"{term.replace('_', ' ')} {figures.percent(share or 0.0, 0)}" for term, share in terms)
        return [bar, Text(words[: self.width])]

    def _nothing_counted(self, report: Report) -> str:
        """Why there are no hardware counts, once for all of them."""
        from armprof.report.pieces import listed

        causes = report.reading().by_reason()
        reasons = [f"not counted: {listed([c.event for c in counts], 3)}: {why}" for (_, why), counts in causes.items()]
        return reasons[0] if reasons else ""


class Screen:
    """A `Dashboard` on the whole terminal."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._dashboard = Dashboard(title, self._console.width)
        self._live = Live(self._dashboard.render(()), console=self._console, auto_refresh=False, screen=True)
        self._said: list[str] = []

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.stop()
        for line in self._said:  # what was shown is gone with the screen
            tell(line)

    def tell(self, line: str) -> None:
        self._said = [*self._said[-99:], line]
        self._dashboard.marks.append(Mark(time.time_ns(), "", "monitor", line))

    def alert(self, alert: Alert) -> None:
        self.tell(f"{'RESOLVED' if alert.ended_ns else 'ALERT'} {alert}")

    def show(self, report: Report, alerts: list[Alert]) -> None:
        self._dashboard.width = self._console.width
        self._dashboard.add(report)
        shown = self._dashboard.render(list(map(str, alerts)), self._console.height)
        self._live.update(shown, refresh=True)
