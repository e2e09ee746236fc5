"""Everything at once, for minutes: are memory and descriptors flat at the end?

    python benchmarks/soak.py [MINUTES]

One process measures blocks, enters regions from threads that come and go, samples itself, counts and samples commands, forks,
and is watched by a monitor from within, round after round, half of it in two threads at a time. Each minute it tells what it
holds: of its resident memory the allocator keeps a part that is free, more of it with each coincidence of threads, and
the pages that SQLite keeps of the monitor's store grow to 2 MiB. Exits with 1 where descriptors or threads grew in the second
half, or resident memory, or what is in use of the allocator's, by more than a tenth.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import armprof
from armprof import monitor
from armprof.counters.command import count_command
from armprof.errors import ArmprofError
from armprof.samples.collect import sample_command

PARTS: list[Callable[[], object]] = []


def part(body: Callable[[], object]) -> Callable[[], object]:
    PARTS.append(body)
    return body


def work() -> int:
    return sum(bytearray(200_000))


@part
def measures() -> object:
    with armprof.measure() as measured:
        work()
    return measured.metrics


@part
def enters_regions() -> None:
    with armprof.region("outer"), armprof.region("inner"):
        work()


@part
def starts_threads() -> None:
    threads = [threading.Thread(target=enters_regions) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@part
def profiles() -> object:
    return armprof.profile(work)


@part
def samples_itself() -> object:
    with armprof.sample() as sampled:
        work()
    return sampled


@part
def counts_a_command() -> object:
    return count_command(["true"], ["task_clock", "page_faults"])


@part
def samples_a_command() -> object:
    return sample_command(["true"])


@part
def forks() -> None:
    child = os.fork()
    if child == 0:
        enters_regions()
        os._exit(0)
    os.waitpid(child, 0)


def rounds(until: float, done: list[int]) -> None:
    while time.monotonic() < until:
        for one in PARTS:
            if one is not forks or threading.current_thread() is threading.main_thread():
                try:
                    one()
                except ArmprofError as error:
                    raise SystemExit(f"{one.__name__}: {error}") from None
        done[0] += 1


class Held(NamedTuple):
    """MiB that are resident, and those that were asked of the allocator and not given back; descriptors; threads."""

    resident: float
    in_use: float
    descriptors: int
    threads: int


FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class Mallinfo(ctypes.Structure):
    """``struct mallinfo2`` of the GNU C library, 2.33 or newer."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS.split())


mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo


def held() -> Held:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    allocated = mallinfo()
    return Held(
        pages * os.sysconf("SC_PAGESIZE") / (1 << 20),
        (allocated.uordblks + allocated.hblkhd) / (1 << 20),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
    )


def main(minutes: int) -> int:
    seen: list[Held] = []
    done = [0]
    with tempfile.TemporaryDirectory() as folder, monitor.Monitor(store=Path(folder, "store.db"), interval="100ms"):
        for minute in range(1, minutes + 1):
            until = time.monotonic() + 60
            beside = threading.Thread(target=rounds, args=(until - 30, done))
            beside.start()
            rounds(until, done)
            beside.join()
            seen.append(held())
            now = seen[-1]
            print(
                f"{minute:>3} min: {done[0]:>7,} rounds {now.resident:6.1f} MiB, {now.in_use:5.1f} of malloc in use, "
                f"{now.descriptors} descriptors, {now.threads} threads",
                flush=True,
            )
    first, last = seen[len(seen) // 2], seen[-1]  # by then the allocator has met every coincidence of threads
    grew = last.descriptors > first.descriptors or last.threads > first.threads
    return int(grew or last.resident > 1.1 * first.resident or last.in_use > 1.1 * first.in_use)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
