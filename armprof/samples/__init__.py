"""Sampling: where in the code the events are, by function and line."""

from armprof.samples.profile import Frame, Row, SampledShare, Samples, Thread

__all__ = ["Frame", "Row", "SampledShare", "Samples", "Thread"]
