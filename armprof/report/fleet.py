"""A fleet as text and as JSON; fleet.schema.json describes the JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from armprof.monitor.fleet import CPI, TERMS, Fleet, Outlier
from armprof.report import figures
from armprof.report.contract import rendered
from armprof.report.pieces import listed

FORMAT = "armprof-fleet"
VERSION = 1

SHOWN = 20  # outliers and pieces of advice in text; JSON has all


def text(found: Fleet, width: int = 80) -> Iterator[str]:
    """The lines of the report."""
    until = datetime.fromtimestamp(found.at_s, UTC).strftime("%Y-%m-%d %H:%M")
    span = f"{found.window_s / 3600:g} h until {until} UTC"
    yield f"{len(found.hosts):,} hosts, {found.core_hours:,.0f} busy core-hours in {span}"
    if found.bottleneck is not None:
        term, share = found.bottleneck
        told = f"most busy time goes to {TERMS[term]}: on hosts with {figures.percent(share, 0)} of the core-hours"
        yield from textwrap.wrap(told, width)
    yield ""
    yield f"{'kind':<33} {'hosts':>6} {'core-h':>8} {'CPI':>6} {'L1D':>7} {'L2':>7} {'branch':>7}"
    for kind in found.kinds:
        numbers = (kind.medians.get(metric) for metric in (CPI, "l1d_mpki", "l2_mpki", "branch_mpki"))
        cpi, l1d, l2, branch = (figures.NONE if n is None else figures.number(n) for n in numbers)
        yield f"{kind.name[:33]:<33} {kind.hosts:>6,} {kind.core_hours:>8,.0f} {cpi:>6} {l1d:>7} {l2:>7} {branch:>7}"
        if kind.bottleneck is not None:
            yield f"    {figures.percent(kind.bottleneck_share, 0)} of them mostly {TERMS[kind.bottleneck]}"[:width]
    yield "    medians; L1D, L2 and branch are misses per 1000 instructions"
    yield ""
    yield "Hosts that stand out" if found.outliers else "No host stands out among its kind"
    hosts = _by_host(found)
    for host, many in list(hosts.items())[:SHOWN]:
        told = ", ".join(f"{o.metric} {figures.number(o.value)} (median {figures.number(o.median)})" for o in many[:3])
        yield from textwrap.wrap(f"{host}: {told}", width, initial_indent="  ", subsequent_indent="    ")
    if len(hosts) > SHOWN:
        yield f"  and {len(hosts) - SHOWN:,} more; --format json has all"
    yield ""
    yield "What to do, by the core-hours that it can free" if found.advice else "Nothing to advise: no rule is crossed"
    for one in found.advice[:SHOWN]:
        head = f"{one.rank:>3}. {one.core_hours:,.1f} core-hours at most: {one.title}"
        yield from textwrap.wrap(head, width, subsequent_indent="     ")
        where = f"{one.kind}: {len(one.hosts):,} hosts ({listed(one.hosts, 3)})"
        yield from textwrap.wrap(where, width, initial_indent="     ", subsequent_indent="     ")
        yield from textwrap.wrap(one.basis, width, initial_indent="     ", subsequent_indent="     ")
    for note in found.notes:
        yield from textwrap.wrap(f"note: {note}", width, subsequent_indent="      ")


def _by_host(found: Fleet) -> dict[str, list[Outlier]]:
    hosts: dict[str, list[Outlier]] = {}
    for one in found.outliers:
        hosts.setdefault(one.host, []).append(one)
    return hosts


def render_json(found: Fleet) -> str:
    """All of it as JSON text, in ASCII."""
    hosts: list[dict[str, Any]] = [
        {
            "name": host.name,
            "kind": host.kind,
            "cpus": host.cpus,
            "busy_cpus": host.busy,
            "core_hours": host.core_hours,
            "metrics": {name: metric.value for name, metric in host.metrics.items()},
        }
        for host in found.hosts
    ]
    told = {
        "at_s": found.at_s,
        "window_s": found.window_s,
        "core_hours": found.core_hours,
        "bottleneck": None if found.bottleneck is None else {"term": found.bottleneck[0], "share": found.bottleneck[1]},
        "kinds": [asdict(kind) for kind in found.kinds],
        "outliers": [asdict(one) for one in found.outliers],
        "advice": [asdict(one) for one in found.advice],
        "hosts": hosts,
        "notes": list(found.notes),
    }
    return rendered(FORMAT, VERSION, told)
