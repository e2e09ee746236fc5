"""From a store to PerformanceTrends: which figures, over which time, held against which thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from armprof.errors import ArmprofError
from armprof.metrics.wanted import wanted
from armprof.monitor.history import History, Stretch
from armprof.monitor.rules import Figure, Rule, figure
from armprof.monitor.settings import METRICS, read
from armprof.monitor.store import connect
from armprof.monitor.trends import ERROR, LEAST, Crossing, PerformanceTrends, Trend, crossing, step_for, trend


def analyze(
    history: History,
    since_ns: int,
    rules: Sequence[Rule] = (),
    target: str = "",
    names: Sequence[str] = (),
    metrics: Sequence[str] = METRICS,
) -> PerformanceTrends:
    """The trends of the target's figures over the time before the store's last interval.

    Raises ArmprofError where the store has nothing of it, CannotCount where statsmodels is missing.
    """
    ends = history.ends()
    target = target or history.whole
    if ends is None:
        raise ArmprofError("the store has no interval yet")
    until = ends[1]
    since = max(ends[0], until - since_ns)
    step = step_for(max(1, until - since))
    where = Stretch(target, since, until)
    figures = _figures(history, where, names, metrics)
    pasts = [past for past in (history.past(one, where, step) for one in figures) if len(past)]
    if not pasts:
        raise ArmprofError(f"the store has no value of {', '.join(names) or 'anything'} for {target} in that time")
    # looked at many figures, chance alone makes one stand out: the error is that of all of them together
    error = ERROR / max(1, sum(len(past) >= LEAST for past in pasts))
    trends = tuple(trend(past, step, max(error, 1 / 400)) for past in pasts)
    return PerformanceTrends(target, since, until, step, trends, _crossings(trends, rules, target, history.whole))


def _figures(history: History, where: Stretch, names: Sequence[str], metrics: Sequence[str]) -> list[Figure]:
    if names:
        return [figure(name, "figure") for name in names]
    return history.figures(where, wanted(metrics).metrics)


def _crossings(trends: Sequence[Trend], rules: Sequence[Rule], target: str, whole: str) -> tuple[Crossing, ...]:
    """For each rule with a fixed threshold on a figure of this target."""
    by_figure = {one.figure: one for one in trends}
    return tuple(
        crossing(by_figure[rule.figure], rule.name, rule.threshold, rule.above)
        for rule in rules
        if not rule.of_baseline
        and rule.figure in by_figure
        and rule.target in ("*", target, "" if target == whole else target)
    )


def performance_trends(store: Path | str, since: str = "24h", config: Path | None = None) -> PerformanceTrends:
    """The trends of a store, for Python: ``armprof.monitor.performance_trends("armprof-monitor.db").memory_usage_trend``."""
    from contextlib import closing

    from armprof.monitor.rules import duration_ns

    settings = read(config)
    try:
        back = duration_ns(since, "since", 60)
    except ValueError as error:
        raise ArmprofError(str(error)) from None
    with closing(connect(Path(store))) as db:
        return analyze(History(db), back, settings.rules, metrics=settings.metrics)
