"""Blocks leave nothing behind, however many there are."""

from __future__ import annotations

from processes import python

# In a process of its own, whose memory nothing else moves. Software events are counted on every Linux, and where even
# these are forbidden the blocks run all the same.
PROGRAM = """
import os
import armprof

def plain():
    with armprof.measure(["task_clock"]):
        pass

def failing():
    try:
        with armprof.measure(["task_clock"]):
            raise KeyError
    except KeyError:
        pass

def nested():
    with armprof.measure(["task_clock"]), armprof.measure(["task_clock"]), armprof.measure(["page_faults"]):
        pass

def of_the_process():
    with armprof.measure(["task_clock"], threads=True):
        pass

def never_left():
    armprof.measure(["task_clock"]).__enter__()

def usual():
    with armprof.measure() as m:
        pass
    m.metrics

def repeat(times):
    for _ in range(times):
        plain()
    for block in (failing, nested, of_the_process, never_left, usual):
        for _ in range(times // 100):
            block()

def holds():
    pages = int(open("/proc/self/statm").read().split()[1])
    return len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGESIZE")

repeat(10_000)
files, memory = holds()
repeat(100_000)
files_after, memory_after = holds()
print(files_after - files, memory_after - memory)
"""


def test_a_hundred_thousand_blocks_leave_no_file_and_no_memory_behind() -> None:
    done = python(PROGRAM)
    assert done.returncode == 0, done.stderr
    files, memory = map(int, done.stdout.split())
    assert files == 0
    assert memory < 400_000, "four bytes for each block would be as much"
