"""A fleet of simulated hosts, written into a real Prometheus: how long `armprof fleet` takes, and whom it names.

python benchmarks/monitor_fleet.py [HOSTS]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
import simulated_fleet
from prometheus import Prometheus

from armprof.monitor.fleet import survey
from armprof.monitor.promql import QueryServer


def main(hosts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        end = int(time.time()) // 60 * 60 - 60
        simulated_fleet.write(Path(folder), hosts, end, 3600, 300)
        server = Prometheus(Path(folder) / "prometheus")
        try:
            begin = time.monotonic()
            found = survey(QueryServer(server.url), end, 3600)
            print(f"{len(found.hosts)} hosts in {time.monotonic() - begin:.1f} s")
            planted, named = set(simulated_fleet.planted(hosts)), {one.host for one in found.outliers}
            print(f"{len(planted)} planted outliers, {len(planted & named)} named, {len(named - planted)} others named")
            subprocess.run(["armprof", "fleet", "--prometheus", server.url, "--at", str(end)], check=True)
        finally:
            server.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
