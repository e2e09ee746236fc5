"""What /proc tells beside counters."""

from __future__ import annotations

import os

from armprof.monitor import levels

STAT = """cpu  100 0 50 800 20 5 5 40 0 0
cpu0 60 0 20 400 10 5 5 20 0 0
cpu1 40 0 30 400 10 0 0 20 0 0
intr 12345
ctxt 1
"""


def test_time_that_was_idle_or_taken_by_the_host_is_no_work():
    assert levels.cpu_seconds(STAT) == {"cpu": 160 / os.sysconf("SC_CLK_TCK"), "cpu0": 0.9, "cpu1": 0.7}


def test_lines_that_say_nothing_are_passed_over():
    assert levels.cpu_seconds("\ncpu0\ncpu1 1 2 3\ncpu2 a b c d e f g h\ncpu3 60 0 20 400 10 5 5\n") == {}
    assert levels.memory_used("MemTotal: " + "9" * 5000 + " kB\nMemAvailable: 400 kB\n") is None


def test_busy_is_work_over_time_and_unknown_the_first_time():
    busy = levels.Busy()
    assert busy.since({"cpu0": 10.0}, 100.0) == {}
    assert busy.since({"cpu0": 11.0, "cpu1": 5.0}, 102.0) == {"cpu0": 0.5}
    assert busy.since({"cpu0": 11.0, "cpu1": 6.0}, 104.0) == {"cpu0": 0.0, "cpu1": 0.5}


def test_how_busy_something_was_is_unknown_where_seconds_that_it_had_are_gone():
    """Those of a child that nobody waits for go with it: that its parents did nothing meanwhile is not known."""
    busy = levels.Busy()
    busy.since({"busy": 10.0}, 100.0)
    assert busy.since({"busy": 7.0}, 102.0) == {}
    assert busy.since({"busy": 8.0}, 104.0) == {"busy": 0.5}


def test_memory_is_what_a_new_program_cannot_have():
    assert levels.memory_used("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n") == 600 * 1024
    assert levels.memory_used("MemTotal: 1000 kB\n") is None


def test_a_process_has_memory_and_threads_and_one_that_is_gone_has_nothing():
    found, seconds = levels.of_processes([os.getpid()])
    assert found["processes"] == 1
    assert found["threads"] >= 1
    assert found["memory_bytes"] > 1 << 20
    assert seconds > 0
    assert levels.of_processes([2**22 + 1]) == ({}, 0.0)


def test_a_number_that_no_kernel_has_is_none(tmp_path):
    (tmp_path / "memory.current").write_text("9" * 400)
    (tmp_path / "cpuacct.usage").write_text("9" * 5000)
    (tmp_path / "cpu.stat").write_text("usage_usec " + "9" * 5000)
    assert levels.of_cgroup(tmp_path) == ({}, None)


def test_a_cgroup_tells_what_its_controllers_have(tmp_path):
    (tmp_path / "cgroup.procs").write_text("1\n2\n")
    assert levels.of_cgroup(tmp_path) == ({"processes": 2.0}, None)
    (tmp_path / "memory.current").write_text("4096\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert levels.of_cgroup(tmp_path) == ({"processes": 2.0, "memory_bytes": 4096.0}, 2.5)
