"""Tests that need a real PMU of an ARM64 Linux, or a guest that has one.

`ARMPROF_HARDWARE=1 pytest tests/hardware` runs them on an ARM64 machine; tests/guest runs them in guests.
"""
