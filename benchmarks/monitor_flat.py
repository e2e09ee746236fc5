"""Memory and time of a monitor over a million samples of 30 events on two CPUs, as fast as they can be taken.

    python benchmarks/monitor_flat.py [SAMPLES]

The clocks are advanced by hand, a tenth of a second a sample, so that a million is 28 hours: the store joins and forgets on
the way. The counts are drawn, since what a counter says costs nothing more or less.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
from monitored import TENTH, GivenScope, GivenTarget, S, counted

from armprof.counters.standing import row_of
from armprof.monitor.aging import Aging, Keep
from armprof.monitor.sampler import Sample
from armprof.monitor.store import Session, Store

EVENTS = [f"event_{n}" for n in range(30)]


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / (1 << 20)


def main(samples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        begin = 1_700_000_000 * S
        store = Store(path, Session("h", None, "machine", "", "all", TENTH, "1"), begin, print)
        aging = Aging(store, Keep(full_ns=600 * S, seconds_ns=3600 * S, minutes_ns=6 * 3600 * S))
        scope = GivenScope(GivenTarget("cpu0", EVENTS), GivenTarget("cpu1", EVENTS))
        counts = [(target, row_of(counted(1_000_000 + n) for n in range(30))) for target in scope.targets]
        started = time.process_time()
        for n in range(samples):
            at = begin + n * TENTH
            tick = store.sample(Sample(at, TENTH, 0, counts))
            if n % 9 == 8:  # a stretch of samples
                store.levels(tick, {"machine": {"memory_bytes": 1e9}}, {})
                store.commit(at, n * TENTH)
                aging.work(at)
            if n % (samples // 10) == samples // 10 - 1:
                spent = (time.process_time() - started) / (n + 1)
                size = path.stat().st_size / (1 << 20)
                print(
                    f"{n + 1:>9,} samples: {resident():5.1f} MiB, {1e6 * spent:.0f} us each, store {size:.1f} MiB",
                    flush=True,
                )
        store.close(begin)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
