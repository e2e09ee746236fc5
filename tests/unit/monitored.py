"""A scope whose counts are given, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armprof.counters.machine import Machine, machine
from armprof.counters.refusal import Refusal
from armprof.counters.standing import Interval, Row, row_of
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.sampler import Sample
from armprof.monitor.targets import Scope, Target

S = 1_000_000_000
TENTH = S // 10
START = 1_700_000_000 * S


class GivenTarget(Target):
    """Counts what it is given, one list of intervals a sample; None is a failure."""

    def __init__(
        self,
        name: str,
        events: Sequence[str] = ("cpu_cycles", "inst_retired"),
        given: Sequence[Sequence[Interval] | None] = (),
        refused: Mapping[str, Refusal] | None = None,
        groups: Mapping[str, int | None] | None = None,
    ) -> None:
        self.name = name
        self.standing = None
        self.events = tuple(events)
        self.units = dict.fromkeys(events, "")
        self.groups = groups or dict.fromkeys(events, 0)
        self.refused = dict(refused or {})
        self.is_wanted = True
        self.given = list(given)
        self.opened = True

    @property
    def machine(self) -> Machine:
        return machine()

    @property
    def is_counting(self) -> bool:
        return self.opened

    def reopen(self) -> bool:
        self.opened = True
        return True

    def close(self) -> None:
        self.opened = False

    def difference(self) -> Row | None:
        found = self.given.pop(0) if self.given else [Interval(0, 0, TENTH, TENTH)] * len(self.events)
        return None if found is None else row_of(found)


class GivenScope(Scope):
    whole, title, mode = "machine", "a given machine", "all"

    def __init__(self, *targets: GivenTarget, levels: Mapping[str, Mapping[str, float]] | None = None) -> None:
        super().__init__()
        self.targets = list(targets)
        self.given_levels = levels or {}
        self.news: list[Mark] = []

    def changes(self, at_ns: int) -> list[Mark]:
        news, self.news = self.news, []
        return news

    def levels(self) -> dict[str, dict[str, float]]:
        return {target: dict(values) for target, values in self.given_levels.items()}


def counted(value: float, ns: int = TENTH) -> Interval:
    return Interval(value, int(value), ns, ns)


def sample(scope: GivenScope, at_ns: int, *values: float, span_ns: int = TENTH, marks: Sequence[Mark] = ()) -> Sample:
    """A sample in which every target counted these values."""
    row = row_of(counted(value, span_ns) for value in values)
    counts = [(target, row) for target in scope.targets if target.is_counting]
    return Sample(at_ns, span_ns, 0, counts, list(marks))


def report(scope: GivenScope, samples: Sequence[Sample], **more: object) -> Report:
    given = {"metrics_wanted": ("ipc", "cycles_per_instruction"), "levels": scope.levels(), **more}
    return Report(samples[-1].at_ns, sum(one.span_ns for one in samples), scope, samples, **given)
