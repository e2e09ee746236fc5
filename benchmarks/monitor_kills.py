"""`kill -9` of a monitor at random moments, under load, on one store: what is missing each time, and whether it is whole.

python benchmarks/monitor_kills.py [KILLS]
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

LOAD = "while :; do :; done"


def main(kills: int) -> None:
    random.seed(1)
    missing, torn, late = [], 0, 0
    load = [subprocess.Popen(["sh", "-c", LOAD]) for _ in range(2)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(kills):
                store = Path(folder, "m.db")
                before = ticks(store)
                monitor = subprocess.Popen(
                    ["armprof", "monitor", "--quiet", "--store", store], stderr=subprocess.DEVNULL
                )
                while ticks(store)[0] == before[0]:
                    time.sleep(0.02)
                time.sleep(random.uniform(0, 1.5))
                killed = time.time_ns()
                monitor.kill()
                monitor.wait()
                with closing(sqlite3.connect(store)) as db:
                    whole = db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                    sizes = db.execute(
                        "SELECT count(DISTINCT n) FROM (SELECT count(*) n FROM counts GROUP BY tick)"
                    ).fetchone()[0]
                    torn += not whole or sizes != 1
                    last, was_late = db.execute("SELECT at_ns, late_ns FROM ticks ORDER BY id DESC LIMIT 1").fetchone()
                missing.append((killed - last) / 1e9)
                late += was_late > 100_000_000
    finally:
        for one in load:
            one.kill()
            one.wait()
    missing.sort()
    median = missing[len(missing) // 2]
    print(f"{kills} kills: {torn} stores torn; missing at the median {median:.2f} s, at most {missing[-1]:.2f} s")
    print(
        f"more than a second missing: {sum(m > 1 for m in missing)}; monitors that were woken late themselves: {late}"
    )


def ticks(store: Path) -> tuple[int]:
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
            found: tuple[int] = db.execute("SELECT count(*) FROM ticks").fetchone()
            return found
    except sqlite3.Error:
        return (0,)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
