"""Everything at once, for minutes: are memory and descriptors flat at the end?

    python benchmarks/soak.py [MINUTES]

One process measures blocks, enters regions from threads that come and go, samples itself, counts and samples commands, forks,
and is watched by a monitor from within, round after round, half of it in two threads at a time. Each minute it tells what it
holds. Exits with 1 where descriptors or threads grew in the second half, or resident memory by more than a tenth.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

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


def held() -> tuple[float, int, int]:
    """MiB, descriptors, threads."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (
        pages * os.sysconf("SC_PAGESIZE") / (1 << 20),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
    )


def main(minutes: int) -> int:
    seen: list[tuple[float, int, int]] = []
    done = [0]
    with tempfile.TemporaryDirectory() as folder, monitor.Monitor(store=Path(folder, "store.db"), interval="100ms"):
        for minute in range(1, minutes + 1):
            until = time.monotonic() + 60
            beside = threading.Thread(target=rounds, args=(until - 30, done))
            beside.start()
            rounds(until, done)
            beside.join()
            seen.append(held())
            memory, descriptors, threads = seen[-1]
            print(
                f"{minute:>3} min: {done[0]:>7,} rounds {memory:6.1f} MiB {descriptors} descriptors {threads} threads",
                flush=True,
            )
    first, last = seen[len(seen) // 2], seen[-1]  # by then the allocator has met every coincidence of threads
    return int(last[1] > first[1] or last[2] > first[2] or last[0] > 1.1 * first[0])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
