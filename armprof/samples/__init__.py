"""Sampling: where in the code the events are, by function and line."""

from armprof.samples.profile import Frame, Row, Samples, Share, Thread

__all__ = ["Frame", "Row", "Samples", "Share", "Thread"]
