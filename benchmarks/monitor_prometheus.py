"""Two monitors scraped by a real Prometheus for minutes: rates by PromQL against those of the stores.

python benchmarks/monitor_prometheus.py [SECONDS]
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
from prometheus import RULES, Prometheus

EVENTS = {"task_clock": "armprof_task_clock_seconds_total", "context_switches": "armprof_context_switches_total",
          "page_faults": "armprof_page_faults_total"}  # fmt: skip


def main(seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monitors, ports = [], []
        for n in range(2):
            command = ["armprof", "monitor", "--quiet", "--prometheus", "0", "--store", f"{n}.db"]
            monitors.append(subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True))
            ports.append(next(int(m[1]) for line in monitors[-1].stderr if (m := re.search(r":(\d+)$", line))))
        server = Prometheus(Path(folder, "prometheus"), ports, RULES)
        try:
            time.sleep(seconds + 10)
            at = time.time() - 2
            rates = {event: server.query(f"rate({name}[{seconds}s])", at) for event, name in EVENTS.items()}
        finally:
            server.close()
            for monitor in monitors:
                monitor.terminate()
                monitor.communicate()
        worst = 0.0
        for event, rows in rates.items():
            for row in rows:
                store = Path(folder, f"{ports.index(int(row['metric']['instance'].rpartition(':')[2]))}.db")
                target = row["metric"]["target"]
                with closing(sqlite3.connect(store)) as db:
                    (ours,) = db.execute(
                        "SELECT sum(raw) * 1.0 / sum(span_ns) FROM samples"
                        " WHERE event = ? AND target = ? AND at_ns > ? AND at_ns <= ?",
                        (event, target, (at - seconds) * 1e9, at * 1e9),
                    ).fetchone()
                theirs = float(row["value"][1])
                ours *= 1 if event == "task_clock" else 1e9
                worst = max(worst, abs(theirs / ours - 1))
                print(
                    f"{store.stem} {target} {event}: PromQL {theirs:.6g}, store {ours:.6g}, {100 * (theirs / ours - 1):+.3f} %"
                )
        print(f"apart by {100 * worst:.3f} % at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
