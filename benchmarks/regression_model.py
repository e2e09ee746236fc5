"""The gate on the model: how often the same code is called changed, and whether one load more is found: docs/regression.md.

    python benchmarks/regression_model.py [RUNS]

Runs kernels and a small program on the model again and again, compares each run with the one before, and in the end the
program with the same program with one load more in its loop.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from armprof import model
from armprof.compare.runs import detect_regressions
from armprof.components import KERNELS
from armprof.components.emulated import Model
from armprof.run.attribution import attributed
from armprof.run.record import Component, Run

PROGRAM = Path(__file__).parents[1] / "tests" / "model" / "programs" / "added.c"
NAMES = ("risk", "treasury", "object_pool", "order_book")


def compiled(folder: Path, *flags: str) -> str:
    out = folder / f"added{len(flags)}"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-g", "-static", *flags, str(PROGRAM), "-o", str(out)], check=True)
    return str(out)


def program(path: str) -> Component:
    outcome = model.run([path])
    bare = Component("added", "", "command", "the command", reading=outcome.reading, reading_operations=1)
    return attributed(bare, outcome.counts, outcome.geometry)


def kernel(on: Model, name: str) -> Component:
    definition = KERNELS[name]
    return on.count(definition).tell(Component(name, definition.title, definition.kind, definition.operation))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    on = Model(1, None)
    with tempfile.TemporaryDirectory() as folder:
        old, new = compiled(Path(folder)), compiled(Path(folder), "-DMORE")
        before, compared, apart, alarms = None, 0, 0, 0
        for done in range(runs):
            now = Run((program(old), *(kernel(on, name) for name in NAMES)))
            if before is not None:
                found = detect_regressions(before, now, unlike=True)
                compared += len(found.changes)
                apart += sum(change.change != 0 for change in found.changes)
                alarms += sum(change.verdict.is_change for change in found.changes)
            before = now
            if (done + 1) % 10 == 0:
                counts = (
                    f"{compared} metrics compared with the run before, {apart} differ at all, {alarms} called changed"
                )
                print(f"{done + 1} runs: {counts}", flush=True)
        assert before is not None
        found = detect_regressions(before, Run((program(new), *before.components[1:])), unlike=True)
        for one in found.regressions:
            assert one.cause is not None
            print(
                f"one load more: {one.metric} {one.regression_percent:+.1f} %, {one.cause.sentence}; {one.cause.location}"
            )


if __name__ == "__main__":
    main()
