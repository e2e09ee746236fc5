"""Measuring inside of other people's tests and benchmarks: behind `armprof.pytest_plugin`, and the hook of pyperf.

Neither pytest nor pyperf is imported here.
"""
