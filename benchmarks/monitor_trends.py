"""Histories with a known truth, many seeds of each: how often the verdict is right, and the predicted crossing in its interval.

python benchmarks/monitor_trends.py [SEEDS]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
import planted

from armprof.monitor.trends import crossing, trend


def main(seeds: int) -> None:
    for make, expected in planted.EXPECTED.items():
        verdicts: Counter[str] = Counter()
        alarms = 0
        for seed in range(seeds):
            values, step = make(np.random.default_rng(seed))
            found = trend(planted.past(values, step), step)
            verdicts[found.verdict] += 1
            alarms += any(crossing(found, "", limit, limit > 100).at_ns is not None for limit in (80.0, 120.0))
        right = sum(verdicts[verdict] for verdict in expected)
        print(f"{make.__name__:6} right {right}/{seeds}, crossings predicted {alarms}: {dict(verdicts)}", flush=True)
    outcome: Counter[str] = Counter()
    for seed in range(seeds):
        found, threshold, truth = planted.leaking_to(seed)
        told = crossing(trend(found, planted.QUARTER), "", threshold, True)
        if told.at_ns is None or told.earliest_ns is None or told.latest_ns is None:
            outcome["none"] += 1
        else:
            outcome["inside" if told.earliest_ns <= truth <= told.latest_ns else "outside"] += 1
    print(
        f"crossing in its interval: {outcome['inside']} of {outcome['inside'] + outcome['outside']} predicted; {dict(outcome)}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
