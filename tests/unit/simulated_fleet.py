"""What the monitors of many hosts would have exported, as OpenMetrics, with outliers among them that are known."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

KINDS = (("Amazon EC2 m7g.xlarge", "neoverse-v1", 4, 1.0), ("Amazon EC2 m6g.xlarge", "neoverse-n1", 4, 1.4))
# per instruction, of a host that is as it should be; cycles are scaled by the kind
SHAPE = {
    "cpu_cycles": 1.0,
    "inst_retired": 1.0,
    "l1d_cache": 0.35,
    "l1d_cache_refill": 0.010,
    "l2d_cache": 0.02,
    "l2d_cache_refill": 0.002,
    "br_retired": 0.18,
    "br_mis_pred_retired": 0.001,
    "stall_frontend": 0.10,
    "stall_backend": 0.62,
}
# planted: what a bad host's counts are multiplied with
BAD = {
    "cache": {
        "cpu_cycles": 1.6,
        "stall_backend": 1.9,
        "l1d_cache_refill": 3.0,
        "l2d_cache": 3.0,
        "l2d_cache_refill": 4.0,
    },
    "branch": {"cpu_cycles": 1.25, "br_mis_pred_retired": 8.0, "stall_frontend": 1.5},
}
INSTRUCTIONS = 2e9  # a second and busy CPU


def planted(hosts: int) -> dict[str, str]:
    """Outliers: host -> what is wrong with it. One in fifty misses its caches, one in a hundred mispredicts."""
    names = [name(n) for n in range(hosts)]
    return dict.fromkeys(names[7::50], "cache") | dict.fromkeys(names[23::100], "branch")


def name(n: int) -> str:
    return f"host-{n:04}:9464"


def openmetrics(hosts: int, end_s: int, span_s: int, every_s: int) -> Iterator[str]:
    """The lines. Counters grow steadily; coverage is a half for all but cycles and instructions."""
    bad = planted(hosts)
    times = range(end_s - span_s, end_s + 1, every_s)
    random.seed(1)
    shapes = {}
    for n in range(hosts):
        model, core, cpus, cpi = KINDS[n % 2]
        noise = {event: random.gauss(1, 0.02) for event in SHAPE}
        worse = BAD.get(bad.get(name(n), ""), {})
        busy = random.uniform(1, 3)
        rates = {
            event: INSTRUCTIONS
            * busy
            * share
            * noise[event]
            * worse.get(event, 1.0)
            * (cpi if event == "cpu_cycles" else 1.0)
            for event, share in SHAPE.items()
        }
        shapes[n] = (model, core, cpus, busy, rates)
    yield "# TYPE armprof_monitor info"
    for n, (model, core, cpus, _, _) in shapes.items():
        labels = f'instance="{name(n)}",job="armprof",model="{model}",core="{core}",cpus="{cpus}",whole="machine"'
        yield from (f"armprof_monitor_info{{{labels}}} 1 {at}" for at in times)
    yield "# TYPE armprof_busy_cpus gauge"
    for n, (*_, busy, _) in shapes.items():
        yield from (
            f'armprof_busy_cpus{{instance="{name(n)}",job="armprof",target="machine"}} {busy} {at}' for at in times
        )
    for event in SHAPE:
        share = 1.0 if event in ("cpu_cycles", "inst_retired") else 0.5
        yield f"# TYPE armprof_{event} counter"
        for n, (*_, rates) in shapes.items():
            labels = f'instance="{name(n)}",job="armprof",target="cpu0"'
            yield from (
                f"armprof_{event}_total{{{labels}}} {rates[event] * share * (at - times[0]):.0f} {at}" for at in times
            )
    for kind in ("enabled", "running"):
        yield f"# TYPE armprof_{kind}_seconds counter"
        for event in SHAPE:
            share = 0.5 if kind == "running" and event not in ("cpu_cycles", "inst_retired") else 1.0
            for n in shapes:
                labels = f'instance="{name(n)}",job="armprof",target="cpu0",event="{event}"'
                yield from (f"armprof_{kind}_seconds_total{{{labels}}} {share * (at - times[0])} {at}" for at in times)
    yield "# EOF"


def write(folder: Path, hosts: int, end_s: int, span_s: int, every_s: int) -> None:
    """Writes the fleet into the data of a Prometheus that is not started yet."""
    text = folder / "fleet.om"
    with open(text, "w") as file:
        file.writelines(f"{line}\n" for line in openmetrics(hosts, end_s, span_s, every_s))
    (folder / "prometheus").mkdir(exist_ok=True)
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, folder / "prometheus/data"],
        check=True,
        capture_output=True,
    )
    text.unlink()
