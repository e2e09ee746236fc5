"""A fleet: what many monitors exported, compared. The server holds and joins it; here it is only judged.

Hosts are compared with those of their kind, the same instance type and core: another core takes other cycles. Who stands out
is told by the robust z-score, its distance from the median in standard deviations as the median deviation gives them, so that
a few bad hosts do not hide each other. What is advised is ranked by core-hours: how long CPUs were busy with what need not be.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from armprof.analysis import analyze
from armprof.counters.facts import NAMES as FACTS
from armprof.counters.reading import Count, Reading
from armprof.counters.standing import count_of, interval
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, compute
from armprof.metrics.table import definitions
from armprof.monitor.promql import QueryServer

FAR = 3.5  # robust standard deviations from which on a host stands out (Iglewicz and Hoaglin 1993)
LEAST_DIFFERENCE = 0.05  # and by no less than that share of the median
FEWEST = 5  # hosts of a kind that a median is taken of
TO_SIGMA = 1.4826  # a normal distribution's standard deviation in median deviations
CPI = "cycles_per_instruction"

# What cycles go to -> what it is called. Of top-down where the core has it, else of cycle accounting.
TERMS = {
    "backend_bound": "waiting for memory or execution units (backend bound)",
    "frontend_bound": "waiting for instructions (frontend bound)",
    "bad_speculation": "work on wrong paths (bad speculation)",
    "retiring": "retiring instructions",
    "backend_stalled": "waiting for memory or execution units (backend stalled)",
    "frontend_stalled": "waiting for instructions (frontend stalled)",
}
NO_BOTTLENECK = "retiring"


@dataclass(frozen=True)
class FleetHost:
    """One monitor's host over the time asked for."""

    name: str
    kind: str  # instance type and core
    core: str | None
    cpus: int
    busy: float | None  # CPUs, on average
    core_hours: float | None  # that they were busy
    reading: Reading
    metrics: ARM64Metrics


@dataclass(frozen=True, slots=True)
class Outlier:
    """A host that stands out among its kind, in one metric, on the wrong side."""

    host: str
    kind: str
    metric: str
    value: float
    median: float
    z: float


@dataclass(frozen=True, slots=True)
class Kind:
    """Hosts of one instance type. Metrics are medians over those that have them."""

    name: str
    hosts: int
    core_hours: float
    medians: Mapping[str, float]
    bottleneck: str | None  # the term of `TERMS` that most of its hosts lose most cycles to
    bottleneck_share: float  # of its hosts


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do. ``core_hours`` are those that it would free, at most."""

    rank: int
    title: str
    kind: str
    hosts: tuple[str, ...]
    core_hours: float
    basis: str


@dataclass(frozen=True)
class Fleet:
    """What `survey` found."""

    at_s: float
    window_s: float
    hosts: tuple[FleetHost, ...]
    kinds: tuple[Kind, ...]
    outliers: tuple[Outlier, ...]
    advice: tuple[Advice, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def core_hours(self) -> float:
        return sum(kind.core_hours for kind in self.kinds)

    @property
    def bottleneck(self) -> tuple[str, float] | None:
        """What most of the fleet's busy time waits for, and the share of its core-hours on hosts where that is so."""
        found: dict[str, float] = {}
        for host in self.hosts:
            term = _largest_term(host.metrics)
            if term is not None and host.core_hours is not None:
                found[term] = found.get(term, 0.0) + host.core_hours
        if not found:
            return None
        most = max(found, key=lambda term: found[term])
        return most, found[most] / (sum(found.values()) or 1.0)


def survey(server: QueryServer, at_s: float, window_s: float) -> Fleet:
    """The fleet over the time before ``at_s``. Raises ArmprofError where the server has no monitor's series."""
    hosts = read(server, at_s, window_s)
    by_kind: dict[str, list[FleetHost]] = {}
    for host in hosts:
        by_kind.setdefault(host.kind, []).append(host)
    outliers = [found for many in by_kind.values() for found in _outliers(many)]
    advice = [found for many in by_kind.values() for found in (*_of_rules(many), *_of_outliers(many, outliers))]
    advice.sort(key=lambda one: -one.core_hours)
    notes = [
        f"{kind}: {len(many)} hosts are too few to tell who stands out, {FEWEST} are needed"
        for kind, many in by_kind.items()
        if len(many) < FEWEST
    ]
    if uncounted := [host.name for host in hosts if host.metrics[CPI].value is None]:
        notes.append(f"no cycles and instructions were counted on {len(uncounted)} hosts: {', '.join(uncounted[:5])}")
    return Fleet(
        at_s,
        window_s,
        tuple(hosts),
        tuple(sorted(map(_kind, by_kind.values()), key=lambda kind: -kind.core_hours)),
        tuple(sorted(outliers, key=lambda one: -abs(one.z))),
        tuple(Advice(rank, a.title, a.kind, a.hosts, a.core_hours, a.basis) for rank, a in enumerate(advice, 1)),
        tuple(notes),
    )


# ---- reading ----


def read(server: QueryServer, at_s: float, window_s: float) -> list[FleetHost]:
    """Every host with its counts over the window."""
    window = f"[{max(1, round(window_s))}s]"

    def ask(expression: str) -> dict[str, float]:
        return {row.labels.get("instance", ""): row.value for row in server.query(expression, at_s)}

    info = {
        row.labels.get("instance", ""): row.labels
        for row in server.query(f"last_over_time(armprof_monitor_info{window})", at_s)
    }
    if not info:
        raise ArmprofError(
            f"{server.url} has no series armprof_monitor_info of that time: it scrapes no armprof monitor"
        )
    enabled, running = (
        {
            (row.labels.get("instance", ""), row.labels.get("event", "")): row.value
            for row in server.query(f"sum by (instance, event) (increase(armprof_{kind}_seconds_total{window}))", at_s)
        }
        for kind in ("enabled", "running")
    )
    counts: dict[str, dict[str, Count]] = {name: {} for name in info}
    for event in sorted({event for _, event in running}):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", event):
            continue  # no event of armprof's, and it would be put into a query
        raw = ask(f'sum by (instance) (increase({{__name__=~"armprof_{event}(_seconds)?_total"}}{window}))')
        for name, value in raw.items():
            times = enabled.get((name, event)), running.get((name, event))
            if name in counts and times[0] is not None and times[1] is not None:
                found = interval(round(value), round(times[0] * 1e9), round(times[1] * 1e9))
                counts[name][event] = count_of(event, found)
    busy = ask(f'sum by (instance) (avg_over_time(armprof_busy_cpus{{target!~"cpu[0-9]+"}}{window}))')
    return [_host(name, info[name], counts[name], busy.get(name), window_s) for name in sorted(info)]


def _host(
    name: str, labels: Mapping[str, str], counts: dict[str, Count], busy: float | None, window_s: float
) -> FleetHost:
    core = labels.get("core") or "unknown"
    reading = Reading(counts, "pmu", None if core == "unknown" else core, round(window_s * 1e9))
    cpus = labels.get("cpus", "")
    return FleetHost(
        name=name,
        kind=", ".join(filter(None, (labels.get("model"), core if core != "unknown" else ""))) or "unknown",
        core=reading.core,
        cpus=int(cpus) if cpus.isdecimal() else 0,
        busy=busy,
        core_hours=None if busy is None else busy * window_s / 3600,
        reading=reading,
        metrics=compute(reading, names=_COMPARED),
    )


# Ratios that events alone give: they do not hang on how busy a host is, nor on its measured memory.
_COMPARED = tuple(
    one.name
    for one in definitions()
    if one.better and not any(name in FACTS for way in one.ways for name in way.formula.names)
) + tuple(term for term in TERMS)

# ---- judging ----


def _outliers(hosts: Sequence[FleetHost]) -> list[Outlier]:
    found = []
    better = {one.name: one.better for one in definitions()}
    for metric in _COMPARED:
        if metric in TERMS:
            continue
        values = {host.name: v for host in hosts if (v := host.metrics[metric].value) is not None}
        if len(values) < FEWEST:
            continue
        median, scores = robust_scores(values)
        for name, z in scores.items():
            worse = z > 0 if better[metric] == "lower" else z < 0
            if worse and abs(z) > FAR and abs(values[name] - median) > LEAST_DIFFERENCE * abs(median):
                found.append(Outlier(name, hosts[0].kind, metric, values[name], median, z))
    return found


def robust_scores(values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """The median, and each value's distance from it in robust standard deviations."""
    median = statistics.median(values.values())
    spread = TO_SIGMA * statistics.median(abs(v - median) for v in values.values())
    # most are the very same: what is not stands out by itself, and `LEAST_DIFFERENCE` decides
    spread = spread or 1e-9 * (abs(median) or 1.0)
    return median, {name: (v - median) / spread for name, v in values.items()}


def _largest_term(metrics: ARM64Metrics) -> str | None:
    terms = {term: v for term in TERMS if (v := metrics[term].value) is not None}
    if "retiring" not in terms:  # stalls alone: what is not stalled works
        terms = {term: v for term, v in terms.items() if v > 0.5} or ({NO_BOTTLENECK: 1.0} if terms else {})
    return max(terms, key=lambda term: terms[term], default=None)


def _kind(hosts: Sequence[FleetHost]) -> Kind:
    medians = {}
    for metric in (CPI, "l1d_mpki", "l2_mpki", "branch_mpki", "dtlb_walk_pki"):
        values = [v for host in hosts if (v := host.metrics[metric].value) is not None]
        if values:
            medians[metric] = statistics.median(values)
    terms = [term for host in hosts if (term := _largest_term(host.metrics)) is not None]
    most = max(set(terms), key=terms.count, default=None)
    return Kind(
        hosts[0].kind,
        len(hosts),
        sum(host.core_hours or 0.0 for host in hosts),
        medians,
        most,
        terms.count(most) / len(terms) if most is not None else 0.0,
    )


def _of_rules(hosts: Sequence[FleetHost]) -> list[Advice]:
    """What the analysis advises for all hosts of a kind together, with the core-hours that it can free."""
    hours = sum(host.core_hours or 0.0 for host in hosts)
    found = []
    for one in analyze(_together(hosts)).recommendations:
        gain = one.expected_improvement
        share = (gain.ceiling if gain.ceiling is not None else gain.high) / 100
        share = share if gain.unit == "latency" else 1 - 1 / (1 + share)
        basis = f"{100 * share:.1f} % of {hours:,.0f} core-hours: {one.evidence[0] if one.evidence else gain.basis}"
        found.append(Advice(0, f"{one.type}: {one.title}", hosts[0].kind, _names(hosts), hours * share, basis))
    return found


def _of_outliers(hosts: Sequence[FleetHost], outliers: Sequence[Outlier]) -> list[Advice]:
    """Hosts that take more cycles for an instruction than their kind: what they would save at its median."""
    slow = {one.host: one for one in outliers if one.metric == CPI and one.kind == hosts[0].kind}
    if not slow:
        return []
    hours = sum(
        (host.core_hours or 0.0) * (1 - slow[host.name].median / slow[host.name].value)
        for host in hosts
        if host.name in slow
    )
    reasons: dict[str, int] = {}
    for one in outliers:
        if one.host in slow and one.metric != CPI:
            reasons[one.metric] = reasons.get(one.metric, 0) + 1
    beside = ", ".join(sorted(reasons, key=lambda name: -reasons[name])[:3])
    basis = "at the median of their kind they would have needed so much less" + (
        f"; they stand out in {beside}" if beside else ""
    )
    title = f"{len(slow)} hosts take more cycles for an instruction than their kind: look at them first"
    return [Advice(0, title, hosts[0].kind, tuple(slow), hours, basis)]


def _together(hosts: Sequence[FleetHost]) -> Reading:
    """All hosts' counts as one reading."""
    counts: dict[str, Count] = {}
    for event in dict.fromkeys(event for host in hosts for event in host.reading.counts):
        many = [host.reading.counts[event] for host in hosts if event in host.reading.counts]
        raw = sum(round(c.raw or 0) for c in many)
        enabled, running = sum(c.enabled_ns or 0 for c in many), sum(c.running_ns or 0 for c in many)
        counts[event] = count_of(event, interval(raw, enabled, running))
    return Reading(counts, "pmu", hosts[0].core, hosts[0].reading.duration_ns)


def _names(hosts: Sequence[FleetHost]) -> tuple[str, ...]:
    return tuple(host.name for host in hosts)
