"""armprof on a machine whose PMU is stood in for: hardware events are clocks of the kernel's, in a core's groups.

    python benchmarks/stand_in_pmu.py monitor --quiet --store m.db

What reading thirty counters costs can then be measured where there are none: the same system calls, in the same groups, with
the same interruption of the other CPU. What the numbers say means nothing. Groups do not take turns: software events all
count at once.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
import cpu_machines

from armprof import cli, cpu
from armprof.counters.machine import PERF_TYPE_SOFTWARE, SOFTWARE, Machine, Target
from armprof.counters.plan import Budget
from armprof.counters.refusal import Refusal

CLOCK = (PERF_TYPE_SOFTWARE, SOFTWARE["task_clock"][0])


class Clock(Target):
    """A software event that is laid out as one of the PMU's."""

    @property
    def is_software(self) -> bool:
        return False


@contextmanager
def stand_in() -> Iterator[None]:
    """As if the machine had the PMU of a Graviton2, as far as opening and reading go."""
    real, online = Machine.resolve, cpu.host().cpus

    def resolve(self: Machine, name: str) -> Target | Refusal:
        found = real(self, name)
        return found if isinstance(found, Refusal) or found.is_software else Clock(found.name, (CLOCK,))

    with tempfile.TemporaryDirectory() as folder:
        root = cpu_machines.graviton2_metal(Path(folder))
        (root / cpu_machines.DEVICES / "armv8_pmuv3_0/cpus").write_text(f"0-{online - 1}\n")
        here = cpu.host(root)
    with (
        mock.patch.object(Machine, "resolve", resolve),
        mock.patch.object(Machine, "budget", return_value=Budget(6, True)),
        mock.patch("armprof.counters.machine.host", return_value=here),
    ):
        yield


if __name__ == "__main__":
    with stand_in():
        sys.exit(cli.main(sys.argv[1:]))
