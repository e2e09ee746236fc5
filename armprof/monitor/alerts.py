"""Alerts: rules held against every report. One alert for each cause, which ends when nothing of it is left.

A rule fires when its figure was beyond the threshold in every report for the hold time, and rests when it was on the calm
side of `clear` as long: between the two nothing changes. A report without a value says nothing either way. All rules that
look at the same metric or component, on whichever targets, are one cause: the first to fire begins the alert, the last to
rest ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from armprof.monitor import figures
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure, Rule

Baseline = Callable[[Figure, str, int], float | None]  # of a target, over that many ns before the monitor began


@dataclass(slots=True)
class Watched:
    """One rule on one target: whether it fires, and since when its figure says otherwise, in time that was sampled: a wall
    clock may be set.
    """

    fires: bool = False
    since_ns: int | None = None

    def see(self, rule: Rule, value: float, threshold: float, clear: float, at_ns: int) -> bool:
        """Takes in a value; True where that changed whether it fires."""
        beyond = value > threshold if rule.above else value < threshold
        calm = value <= clear if rule.above else value >= clear
        if (calm if self.fires else beyond) is False:
            self.since_ns = None
            return False
        if self.since_ns is None:
            self.since_ns = at_ns
        if at_ns - self.since_ns < rule.hold_ns:
            return False
        self.fires, self.since_ns = not self.fires, None
        return True


@dataclass(slots=True)
class Alert:
    """One cause, from the first rule that fired to the last that rested. ``ended_ns`` is None while it lasts."""

    cause: str
    rule: str  # that fired first
    target: str
    began_ns: int
    value: float
    text: str
    ended_ns: int | None = None
    firing: set[tuple[str, str]] = field(default_factory=set)  # (rule, target)

    def __str__(self) -> str:
        others = len(self.firing) - 1
        return f"{self.text}{f', and {others} more of {self.cause}' if others > 0 else ''}"


class Alarm:
    """The rules and the alerts that stand now. `see` gives those that began or ended with the report."""

    def __init__(self, rules: Sequence[Rule], baseline: Baseline = lambda figure, target, ns: None) -> None:
        self.rules = tuple(rules)
        self._baseline = baseline
        self._baselines: dict[tuple[Rule, str], float | None] = {}
        self._watched: dict[tuple[str, str], Watched] = {}
        self._standing: dict[str, Alert] = {}
        self._sampled_ns = 0

    @property
    def standing(self) -> list[Alert]:
        """The alerts that last, the oldest first."""
        return list(self._standing.values())

    def adopt(self, before: Alarm) -> None:
        """Goes on from what the rules of an earlier configuration saw. What a rule that is gone had begun ends with the next
        report.
        """
        self._sampled_ns = before._sampled_ns
        unchanged = {rule.name for rule in self.rules if rule in before.rules}
        self._watched = {key: one for key, one in before._watched.items() if key[0] in unchanged}
        self._standing = dict(before._standing)
        for alert in self._standing.values():
            alert.firing = {key for key in alert.firing if key[0] in unchanged}

    def see(self, report: Report) -> list[Alert]:
        """The alerts that begin or end with this report."""
        self._sampled_ns += report.span_ns
        began = [
            alert
            for rule in self.rules
            for target in targets_of(rule, report)
            if (alert := self._judge(rule, target, report)) is not None
        ]
        self._forget({target.name for target in report.scope.targets if not target.is_wanted})
        ended = [alert for alert in self._standing.values() if not alert.firing]
        for alert in ended:
            alert.ended_ns = report.at_ns
            del self._standing[alert.cause]
        return [*began, *ended]

    def _forget(self, away: set[str]) -> None:
        """Whoever was taken off-line has no figure any more that could rest: nothing that was seen of it counts."""
        if away:
            self._watched = {key: one for key, one in self._watched.items() if key[1] not in away}
            for alert in self._standing.values():
                alert.firing = {key for key in alert.firing if key[1] not in away}

    def _judge(self, rule: Rule, target: str, report: Report) -> Alert | None:
        """The alert that this rule begins; None where it goes on as it was, or joins one that stands."""
        value = figures.value(report, rule.figure, target)
        bounds = self._bounds(rule, target)
        if value is None or bounds is None:
            return None
        watched = self._watched.setdefault((rule.name, target), Watched())
        if not watched.see(rule, value, *bounds, self._sampled_ns):
            return None
        alert = self._standing.get(rule.cause)
        if not watched.fires:
            if alert is not None:
                alert.firing.discard((rule.name, target))
            return None
        if alert is not None:
            alert.firing.add((rule.name, target))
            return None
        text = _told(rule, target, value, bounds[0])
        alert = Alert(rule.cause, rule.name, target, report.at_ns, value, text, firing={(rule.name, target)})
        self._standing[rule.cause] = alert
        return alert

    def _bounds(self, rule: Rule, target: str) -> tuple[float, float] | None:
        """Threshold and clear; None where they hang on a baseline that there is none of."""
        if not rule.of_baseline:
            return rule.threshold, rule.clear
        base = rule.base if rule.base is not None else self._own_past(rule, target)
        if base is None:
            return None
        sign = 1 if rule.above else -1
        return base * (1 + sign * rule.threshold), base * (1 + sign * rule.clear)

    def _own_past(self, rule: Rule, target: str) -> float | None:
        if (rule, target) not in self._baselines:
            self._baselines[rule, target] = self._baseline(rule.figure, target, rule.baseline_ns)
        return self._baselines[rule, target]


def targets_of(rule: Rule, report: Report) -> list[str]:
    """Whom the rule is held against."""
    if rule.figure.kind == "latency":
        return [report.scope.whole]
    return (
        [target.name for target in report.scope.targets] if rule.target == "*" else [rule.target or report.scope.whole]
    )


def _told(rule: Rule, target: str, value: float, threshold: float) -> str:
    way = "above" if rule.above else "below"
    bound = f"{threshold:.6g}"
    if rule.of_baseline:
        bound += f", {100 * rule.threshold:g} % from its baseline"
    return f"{rule.name}: {rule.figure} of {target} is {value:.6g}, {way} {bound}"
