"""What google-benchmark and pytest-benchmark have saved, as a Run: a baseline for who comes from them.

Each repetition, or round, is known by its mean alone: so there is a throughput and its noise, and no percentile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from armprof.run.codec import MismatchError, decode
from armprof.run.record import Component, Round, Run

UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
LEAST_NS, MOST_NS = 1e-9, 1e18


def is_one(data: Mapping[str, Any]) -> bool:
    """Whether the JSON means to be a file of either."""
    return isinstance(data.get("benchmarks"), list) and ("context" in data or "machine_info" in data)


def run_of(data: Mapping[str, Any]) -> Run:
    """The run that the JSON tells of. Raises MismatchError."""
    return _pytest(data) if "machine_info" in data else _google(data)


@dataclass(frozen=True)
class _Entry:
    """One of google-benchmark's ``benchmarks``."""

    name: str
    run_name: str | None = None
    run_type: str = "iteration"
    real_time: float | None = None
    time_unit: str = "ns"
    error_occurred: bool = False
    error_message: str = ""


def _google(data: Mapping[str, Any]) -> Run:
    means: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    for i, given in enumerate(data["benchmarks"]):
        path = f"$.benchmarks[{i}]"
        entry = decode(_Entry, given, path)
        name = entry.run_name or entry.name
        if entry.error_occurred:
            failures[name] = entry.error_message or "its own code said so"
        elif entry.run_type == "iteration":
            if entry.time_unit not in UNITS:
                raise MismatchError(f"{path}.time_unit", f"one of {', '.join(UNITS)}", entry.time_unit)
            time_ns = (entry.real_time or 0.0) * UNITS[entry.time_unit]
            means.setdefault(name, []).append(_measured(time_ns, f"{path}.real_time"))
    context = decode(Mapping[str, Any], data["context"], "$.context")
    cpus = context.get("num_cpus")
    return Run(
        components=tuple(
            _component(name, "google-benchmark", "iteration", means.get(name, []), failures.get(name))
            for name in dict.fromkeys((*means, *failures))
        ),
        host={"cpus": cpus} if isinstance(cpus, int) else {},
        created=str(context.get("date", "")),
        notes=("read from google-benchmark's JSON: each round is a repetition, of which the mean alone is known",),
    )


@dataclass(frozen=True)
class _Stats:
    """In seconds. ``data``, the rounds' means, is there after --benchmark-save-data."""

    mean: float
    data: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Benchmark:
    """One of pytest-benchmark's ``benchmarks``."""

    name: str
    stats: _Stats
    fullname: str = ""


@dataclass(frozen=True)
class _Machine:
    """Of pytest-benchmark's ``machine_info`` what tells machines apart."""

    machine: str | None = None
    release: str | None = None
    cpu: Mapping[str, Any] = field(default_factory=dict)


def _pytest(data: Mapping[str, Any]) -> Run:
    components = []
    for i, given in enumerate(data["benchmarks"]):
        path = f"$.benchmarks[{i}]"
        one = decode(_Benchmark, given, path)
        times = [_measured(1e9 * s, f"{path}.stats.data[{j}]") for j, s in enumerate(one.stats.data)]
        mean = _measured(1e9 * one.stats.mean, f"{path}.stats.mean")
        components.append(_component(one.fullname or one.name, "callable", "call", times, None, mean))
    machine = decode(_Machine, data["machine_info"], "$.machine_info")
    cpus = machine.cpu.get("count")
    brand = machine.cpu.get("brand_raw")
    host: dict[str, str | int | float | None] = {"arch": machine.machine, "kernel": machine.release}
    return Run(
        components=tuple(components),
        host={
            **host,
            "cpus": cpus if isinstance(cpus, int) else None,
            "model": brand if isinstance(brand, str) else None,
        },
        created=str(data.get("datetime", "")),
        notes=("read from pytest-benchmark's JSON: of each round the mean alone is known",),
    )


def _measured(ns: float, path: str) -> float:
    if not LEAST_NS <= ns <= MOST_NS:
        raise MismatchError(path, "a time above 0", ns)
    return ns


def _component(
    name: str, kind: str, operation: str, means: list[float], failure: str | None, mean: float | None = None
) -> Component:
    mean = mean or (sum(means) / len(means) if means else None)
    return Component(
        name=name,
        title="",
        kind=kind,
        operation=operation,
        # a round of one sample, which is a mean: its percentiles are that sample
        rounds=tuple(Round(ns, ns, ns) for ns in means),
        throughput_per_s=1e9 / mean if mean else None,
        failure=failure,
    )
