"""The monitor's live view: a dashboard on a terminal, columns of numbers elsewhere. Both hold in 80 columns."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from armprof.metrics.topdown import TERMS
from armprof.monitor.alerts import Alert
from armprof.monitor.figures import unit, value
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.rules import OF_COMPONENTS, Figure
from armprof.report import figures, harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

    from armprof.budget.plan import Plan

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

# Of a component that has no budget; one that has shows what it is held to.
LATENCIES = ("p50_ns", "p99_ns")
Budgets = Mapping[Figure, float]  # of latencies of components, in nanoseconds


def budgets(plan: Plan) -> Budgets:
    """What components may take by the project's own plan: those that ship are of components that only share a name."""
    return {Figure("latency", one.component, one.figure): one.value for one in plan.budgets if one.stated}


def latencies(report: Report, held_to: Budgets) -> list[Figure]:
    """The latencies that are shown of each component of the report."""
    found = []
    for name in report.latencies:
        budgeted = [one for one in held_to if one.name == name and one.part in OF_COMPONENTS]
        found += budgeted or [Figure("latency", name, part) for part in LATENCIES]
    return found


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


class Columns:
    """A line a report, under headings that come again every 20 lines, as vmstat does it. Components follow memory, each with
    the share of its budget. Lines about what happens go to ``err``, which is all there is where it is ``quiet``.
    """

    def __init__(
        self, out: TextIO, err: TextIO, width: int = 80, quiet: bool = False, held_to: Budgets = MappingProxyType({})
    ) -> None:
        self._out, self._err, self._width, self._quiet, self._budgets = out, err, width, quiet, held_to
        self._known: set[str] = set()  # titles that had a value so far
        self._columns: list[tuple[str, Figure]] = []
        self._lines = 0

    def tell(self, line: str) -> None:
        print(f"armprof: {harmless.line(line)}", file=self._err, flush=True)

    def alert(self, alert: Alert) -> None:
        self.tell(f"{'RESOLVED' if alert.ended_ns else 'ALERT'} {alert}")

    def show(self, report: Report, alerts: list[Alert]) -> None:
        for mark in report.marks:
            if mark.kind not in NOT_SHOWN:
                self.tell(f"{_clock(mark.at_ns)} {mark.kind}: {mark.text}")
        if self._quiet:
            return
        components = [(_title(one), one) for one in latencies(report, self._budgets)]
        possible = (*COLUMNS[:2], *components, *COLUMNS[2:])
        cells = {title: self._cell(report, one) for title, one in possible if _has(report, one)}
        new = {title for title, cell in cells.items() if cell != figures.NONE} - self._known
        if new or self._lines % 20 == 0:
            self._known |= new
            self._columns = [(title, one) for title, one in possible if title in self._known]
            while 8 + sum(_wide(title, one) + 2 for title, one in self._columns) > self._width:
                self._columns.pop()
            self._write("time    " + "".join(f"  {title:>{_wide(title, one)}}" for title, one in self._columns))
        row = "".join(f"  {cells.get(title, figures.NONE):>{_wide(title, one)}}" for title, one in self._columns)
        self._write(f"{_clock(report.at_ns)}{row}")
        self._lines += 1

    def _cell(self, report: Report, one: Figure) -> str:
        found = value(report, one)
        share = (
            f" {figures.percent(found / self._budgets[one], 0)}" if found is not None and one in self._budgets else ""
        )
        return f"{shown(found, unit(one, report))}{share}"

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def _has(report: Report, figure: Figure) -> bool:
    return figure.kind != "metric" or figure.name in report.metrics()


def _title(one: Figure) -> str:
    """A component's column: a name may be longer than a screen."""
    return f"{_shortened(one.name, 16)} {one.part.removesuffix('_ns')}"


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}~"


def _wide(title: str, one: Figure) -> int:
    return max(len(title), 13 if one.kind == "latency" else 9)  # with the share of a budget


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
    budgets: Budgets = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Takes in a report."""
        self.report = report
        self.late += sum(mark.kind == "late" for mark in report.marks)
        self.marks.extend(mark for mark in report.marks if mark.kind not in NOT_SHOWN)
        wanted = [one for _, one in COLUMNS if one.kind != "metric"]
        wanted += [Figure("metric", name) for name in report.metrics_wanted if name not in TERMS]
        wanted += latencies(report, self.budgets)
        for one in wanted:
            found = value(report, one)
            if one in self.values or found is not None:
                self.values.setdefault(one, deque(maxlen=KEPT)).append(found)

    def render(self, alerts: Sequence[str], rows: int = 24) -> RenderableType:
        """The dashboard in that many rows: what is wrong first, then top-down, the components, and the figures."""
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
        if components := [one for one in self.values if one.kind == "latency"][: max(1, left // 2)]:
            parts.append(self._components(report, components))
            left -= len(components) + 1
        figures_shown = table("figure", ">now", ">least", ">most", "the last minute")
        for one in [one for one in self.values if one.kind != "latency"][: max(1, left)]:
            past = self.values[one]
            known = [v for v in past if v is not None]
            in_what = unit(one, report)
            numbers = (shown(v, in_what) for v in (past[-1], min(known, default=None), max(known, default=None)))
            figures_shown.add_row(text(str(one)), *map(text, numbers), text(self._spark(past)))
        parts.append(figures_shown)
        if why := self._nothing_counted(report):
            parts.append(text(why, "dim"))
        parts += [text(f"{_clock(mark.at_ns)} {mark.kind}: {mark.text}", "yellow") for mark in self.marks]
        return Group(*parts)

    def _components(self, report: Report, latencies: Sequence[Figure]) -> RenderableType:
        """Their latencies, each with its budget; what exceeds it stands out."""
        from armprof.report.pieces import table, text

        made = table("component", "", ">now", ">budget", ">used", ">calls/s", "the last minute")
        for one in latencies:
            now, budget = self.values[one][-1], self.budgets.get(one)
            used = None if now is None or budget is None else now / budget
            calls = value(report, Figure("latency", one.name, "calls_per_s"))
            cells = (
                _shortened(one.name, self.width - 62),
                one.part.removesuffix("_ns"),
                shown(now, "ns"),
                shown(budget, "ns"),
                figures.NONE if used is None else figures.percent(used, 0),
                shown(calls, "/s"),
                self._spark(self.values[one]),
            )
            made.add_row(*map(text, cells), style="bold red" if used is not None and used > 1 else "")
        return made

    def _spark(self, past: Sequence[float | None]) -> str:
        return sparkline(list(past)[-max(8, self.width - 66) :])

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

    def __init__(self, title: str, held_to: Budgets = MappingProxyType({})) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._dashboard = Dashboard(title, self._console.width, budgets=held_to)
        self._live = Live(self._dashboard.render(()), console=self._console, auto_refresh=False, screen=True)
        self._said: list[str] = []

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.stop()
        for line in self._said:  # what was shown is gone with the screen
            harmless.tell(line)

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
