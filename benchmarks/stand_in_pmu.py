"""armprof on a machine whose PMU is stood in for: hardware events are clocks of the kernel's, in a core's groups.

    python benchmarks/stand_in_pmu.py monitor --quiet --store m.db

What reading thirty counters costs can then be measured where there are none: the same system calls, in the same groups, with
the same interruption of the other CPU. What the numbers say means nothing. As of a PMU's groups one counts and the others
wait, which is what makes reading them cheap: a group that does not count is read without that interruption. Here it is always
the same one, as events of the kernel's take no turns; the others are switched off.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import ioctl
from itertools import pairwise
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit"))
import cpu_machines

from armprof import cli, cpu
from armprof.counters.machine import PERF_TYPE_SOFTWARE, SOFTWARE, EventTarget, Machine
from armprof.counters.plan import Capacity
from armprof.counters.pmu import Layout
from armprof.counters.refusal import Refusal
from armprof.counters.standing import Attachment, Standing

CLOCK = (PERF_TYPE_SOFTWARE, SOFTWARE["task_clock"][0])
PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP = 0x2401, 1


class Clock(EventTarget):
    """A software event that is laid out as one of the PMU's."""

    @property
    def is_software(self) -> bool:
        return False


def counters() -> set[int]:
    """The descriptors of this process that are counters."""
    found = set()
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the folder's own is gone
            if "perf_event" in str(file.readlink()):
                found.add(int(file.name))
    return found


class Waiting(Standing):
    """Of the PMU's groups the first one counts."""

    def __init__(self, layout: Layout, places: Sequence[Attachment]) -> None:
        before = counters()
        super().__init__(layout, places)
        opened = sorted(counters() - before)
        groups = [layout.events[at].group for at in range(layout.size)] * len(places)  # in the order of opening
        assert len(opened) == len(groups)
        for fd, (before_it, group) in zip(opened, pairwise([-1, *groups]), strict=True):
            if before_it != group and 0 < group < max(groups):  # the leader of one that waits; the last is the kernel's
                ioctl(fd, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP)


@contextmanager
def stand_in() -> Iterator[None]:
    """As if the machine had the PMU of a Graviton2, as far as opening and reading go."""
    real, online = Machine.resolve, cpu.host().cpus

    def resolve(self: Machine, name: str) -> EventTarget | Refusal:
        found = real(self, name)
        return found if isinstance(found, Refusal) or found.is_software else Clock(found.name, (CLOCK,))

    with tempfile.TemporaryDirectory() as folder:
        root = cpu_machines.graviton2_metal(Path(folder))
        (root / cpu_machines.DEVICES / "armv8_pmuv3_0/cpus").write_text(f"0-{online - 1}\n")
        here = cpu.host(root)
    with (
        mock.patch.object(Machine, "resolve", resolve),
        mock.patch.object(Machine, "budget", return_value=Capacity(6, True)),
        mock.patch("armprof.counters.machine.host", return_value=here),
        mock.patch("armprof.monitor.targets.Standing", Waiting),
    ):
        yield


if __name__ == "__main__":
    with stand_in():
        sys.exit(cli.main(sys.argv[1:]))
