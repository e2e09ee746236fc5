"""A measured memory for the tests: Graviton2's, from published figures."""

from __future__ import annotations

from dataclasses import replace

from armprof.counters.memory import Memory

MACHINE = {"core": "Neoverse N1 r3p1", "model": "Amazon EC2 m6g.metal", "kernel": "6.8.0", "cpus": "64", "memory": "1"}


def memory(**changes: object) -> Memory:
    return replace(
        Memory(
            machine=MACHINE,
            measured="2026-01-02T03:04:05+00:00",
            line_bytes=64,
            array_bytes=128 << 20,
            cpus=64,
            one_core={"copy": 20.9e9, "scale": 20.0e9, "add": 19.0e9, "triad": 19.5e9},
            all_cores={"copy": 165.0e9, "scale": 166.0e9, "add": 168.0e9, "triad": 169.7e9},
            spread=0.01,
            huge_share=1.0,
            loads=[
                (32 << 10, 1.6),
                (64 << 10, 1.6),
                (128 << 10, 5.0),
                (512 << 10, 5.4),
                (1 << 20, 5.4),
                (128 << 20, 95.5),
            ],
            small_page_loads=[(128 << 20, 130.0)],
            walks=[(32, 0.0), (48, 0.0), (64, 2.0), (1024, 2.0), (1280, 2.0), (2048, 15.0)],
            page_bytes=4096,
            loads_spread=0.02,
        ),
        **changes,  # type: ignore[arg-type]
    )
