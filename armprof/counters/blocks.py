"""The C types that `measure` and `region` are built on, from the native module."""

from __future__ import annotations

from armprof.counters.machine import native

native()  # CannotCount in plain words where it could not be built, before the import below fails without any

from armprof._blocks import RegionBlock, SampleBlock  # noqa: E402

__all__ = ["RegionBlock", "SampleBlock"]
