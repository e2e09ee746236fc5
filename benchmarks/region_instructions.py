"""How many instructions an empty region takes on ARM64: armprof's in C and in Python, and PAPI's in C.

    python benchmarks/region_instructions.py

Counts in the guest of tests/guest, so it needs what that needs, and an emulator with a full PMU
(ARMPROF_GUEST_QEMU, ARMPROF_GUEST_PLUGIN). Instructions are counted exactly there; its times say nothing of real cores.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

from hardware.programs import FLAGS, PROGRAMS  # noqa: E402

from tests.guest import wheel  # noqa: E402
from tests.guest.compile import compile_c  # noqa: E402
from tests.guest.machine import Guest  # noqa: E402

EVENTS = ("cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "br_mis_pred", "l2d_cache_refill")

# In the guest. A counter around 1000 passes; what the loop itself takes is subtracted.
SCRIPT = f"""
import json, os, subprocess, threading
import armprof

EVENTS = {EVENTS}
PAPI = ["arm_n1::" + event.upper() for event in EVENTS]
os.environ["PAPI_OUTPUT_DIRECTORY"] = "/tmp/papi"

def program(*words):
    done = subprocess.run(["programs/" + words[0], *words[1:]], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[1])

class Nothing:
    def __enter__(self):
        pass
    def __exit__(self, *error):
        pass

def python(block):
    def loop():
        with armprof.measure(["inst_retired"]) as m:
            for _ in range(1000):
                with block:
                    pass
        return m.counts["inst_retired"].value
    def bare():
        with armprof.measure(["inst_retired"]) as m:
            for _ in range(1000):
                pass
        return m.counts["inst_retired"].value
    return (min(loop() for _ in range(5)) - min(bare() for _ in range(5))) / 1000

rows = {{"armprof, C": [program("region_cost", "1000", *EVENTS)] * 2}}
for title, way in (("PAPI_read twice, C", "low"), ("PAPI high level, C", "high")):
    rows[title] = [program("papi_cost", way, mode, "1000", *PAPI) for mode in ("user", "all")]
rows["armprof, Python"] = [python(armprof.region("empty", EVENTS))] * 2
rows["with threading.Lock(), Python"] = [python(threading.Lock())] * 2
rows["with an empty class, Python"] = [python(Nothing())] * 2
with open(os.environ["ARMPROF_OUT"] + "/rows.json", "w") as out:
    json.dump(rows, out)
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        programs = Path(folder)
        for name in ("region_cost", "papi_cost"):
            compile_c([*FLAGS, *PROGRAMS[name]], programs / name, cwd=wheel.PROJECT)
        files = {**wheel.installed(), "armprof/programs": programs, "armprof/count.py": SCRIPT.encode()}
        result = Guest("emulator").run("python3 count.py", files)
    if result.exit_status:
        print(result.console, file=sys.stderr)
        return 1
    rows: dict[str, tuple[float, float]] = json.loads(result.files["rows.json"])
    ours = rows["armprof, C"][1]
    print(f"instructions of an empty region that counts {', '.join(EVENTS)}")
    print(f"{'':30} {'user mode':>10} {'with the kernel':>16} {'to armprof in C':>16}")
    for title, (user, everything) in rows.items():
        print(f"{title:30} {user:10,.0f} {everything:16,.0f} {everything / ours:15.1f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
