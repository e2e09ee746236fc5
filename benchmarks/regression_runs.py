"""How often two run files of the same code are told apart: by the policy alone, and with the test on their rounds.

    python benchmarks/regression_runs.py --runs 40

Benches the same kernels again and again and compares each run with the one before: first as it is, then with all its times
multiplied by 1.15, which is what a regression by 15 % would have measured in the same noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from armprof import cpu
from armprof.compare.runs import RegressionAnalysis, detect_regressions
from armprof.compare.verdict import Verdict
from armprof.components import bench
from armprof.run.record import Component, Round, Run

KERNELS = ("risk", "treasury", "object_pool", "order_book")
PLANTED = 1.15


def slowed(run: Run, factor: float) -> Run:
    return replace(run, components=tuple(_slowed(component, factor) for component in run.components))


def _slowed(component: Component, factor: float) -> Component:
    latency, throughput = component.latency, component.throughput_per_s
    assert latency is not None
    assert latency.p50_ns is not None
    assert latency.p95_ns is not None
    assert throughput is not None
    return replace(
        component,
        latency=replace(latency, p50_ns=latency.p50_ns * factor, p95_ns=latency.p95_ns * factor),
        throughput_per_s=throughput / factor,
        rounds=tuple(Round(one.mean_ns * factor, one.p50_ns * factor, one.p95_ns * factor) for one in component.rounds),
    )


def by_policy(found: RegressionAnalysis) -> bool:
    return any(1 + change.change > change.metric.limit for change in found.changes)


def table(runs: list[Run]) -> Iterator[str]:
    pairs = list(pairwise(runs))
    found = {
        factor: [detect_regressions(base, slowed(head, factor)) for base, head in pairs] for factor in (1.0, PLANTED)
    }
    yield f"{len(pairs)} comparisons of {len(KERNELS)} kernels each\n"
    yield "| | same code called a regression | +15 % in every kernel found |\n|---|---|---|"
    yield row("policy alone", [[by_policy(one) for one in each] for each in found.values()])
    yield row("**armprof compare**", [[one.regression_detected for one in each] for each in found.values()])
    for factor, each in found.items():
        changes = [change for one in each for change in one.changes]
        slower = sum(change.verdict == Verdict.SLOWER for change in changes)
        undecided = sum(change.verdict == Verdict.UNDECIDED for change in changes)
        yield f"times {factor:g}: of {len(changes)} metrics {slower} slower, {undecided} undecided"


def row(name: str, called: list[list[bool]]) -> str:
    return f"| {name} | {' | '.join(f'{sum(each) / len(each):.1%}' for each in called)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each kernel in a run (default: %(default)s)")
    args = parser.parse_args()
    runs: list[Run] = []
    for _ in range(args.runs):
        runs.append(bench(KERNELS, seconds=args.seconds, like=runs[0] if runs else None))
    print(cpu.host().describe())
    print("\n".join(table(runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
