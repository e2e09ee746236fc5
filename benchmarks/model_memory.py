"""How much memory the modelled core takes: the emulator's resident memory with the plugin, less that without it, over time.

    python benchmarks/model_memory.py [MINUTES]

Two programs: `queens` of tests/model/programs/golden.c, over and over, and one with 40,000 functions, all called in turn,
that goes through 256 MiB of data. Each runs for so long on the model, and for a tenth of that without it. The memory with
the plugin has to be the same from the first tenth on, whatever is executed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from armprof.counters.model import emulator
from armprof.counters.model.geometry import geometry

PROGRAM = Path(__file__).parents[1] / "tests/model/programs/golden.c"
FUNCTIONS, MIB = 40_000, 256
WIDE = f"""
#include <stdlib.h>
#define MASK (({MIB}L << 20) - 1)
__asm__(".text\\n.balign 64\\nfunctions: .rept {FUNCTIONS}\\n"
        "madd x1, x1, x2, x1\\n and x1, x1, x3\\n ldrb w4, [x0, x1]\\n add w4, w4, #1\\n strb w4, [x0, x1]\\n"
        "tbz w4, #0, 1f\\n add x1, x1, #64\\n 1: eor x1, x1, x4\\n add x0, x1, #0\\n ret\\n .balign 64\\n .endr");
extern char functions[];
int main(void) {{
    char *p = malloc(MASK + 1);
    long n = 1;
    for (long at = 0; at <= MASK; at += 64) p[at] = 1;
    for (long i = 0;; i++)
        n = ((long (*)(char *, long, long, long))(functions + i % {FUNCTIONS} * 64))(p, n, 2 * i + 1, MASK);
}}
"""  # so many functions of three blocks each


def resident(process: int) -> float:
    """In MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def sampled(command: list[str], seconds: float) -> list[float]:
    """What the command has resident, sampled over that time."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    found, began = [], time.monotonic()
    try:
        while time.monotonic() - began < seconds:
            time.sleep(min(1.0, seconds / 20))
            found.append(resident(process.pid))
    finally:
        process.kill()
        process.wait()
    return found


def main() -> int:
    seconds = 60 * float(sys.argv[1] if len(sys.argv) > 1 else 10)
    modelled = geometry("neoverse-n1")
    settings = ",".join(f"{name}={value}" for name, value in modelled.settings.items())
    print(f"{'':8} {'without':>9} {'with: 10 %':>11} {'50 %':>7} {'100 %':>7} {'plugin':>7}   MiB")
    with tempfile.TemporaryDirectory() as folder:
        source, binary, counts = (Path(folder, name) for name in ("wide.c", "binary", "counts"))
        source.write_text(WIDE)
        for name, text, words in (("queens", PROGRAM, ["queens", "1000000000"]), ("wide", source, [])):
            subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-w", "-static", text, "-o", binary], check=True)
            qemu = [emulator.require(), "-cpu", emulator.seen_as(modelled.core)]
            without = sampled([*qemu, str(binary), *words], max(seconds / 10, 20))
            counts.unlink(missing_ok=True)
            counts.touch()
            plugin = ["-plugin", f"{emulator.PLUGIN},counts={counts},{settings}"]
            having = sampled([*qemu, *plugin, str(binary), *words], seconds)
            early, middle, late = (having[int(share * (len(having) - 1))] for share in (0.1, 0.5, 1))
            print(
                f"{name:8} {without[-1]:9.0f} {early:11.0f} {middle:7.0f} {late:7.0f} {late - without[-1]:7.0f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
