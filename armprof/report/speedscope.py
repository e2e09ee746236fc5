"""Samples for https://www.speedscope.app: a sampled profile for each event and thread."""

from __future__ import annotations

import json
from typing import Any

from armprof.samples import Samples


def render(samples: Samples, event: str | None = None) -> str:
    """The file-format-schema of speedscope, one profile for each thread and event (or the one that is named)."""
    frames = [
        {
            "name": frame.name,
            **({"file": frame.file} if frame.file else {}),
            **({"line": frame.line} if frame.line else {}),
        }
        for frame in samples.frames
    ]
    return (
        json.dumps(
            {
                "$schema": "https://www.speedscope.app/file-format-schema.json",
                "exporter": "armprof",
                "name": samples.command,
                "shared": {"frames": frames},
                "profiles": _profiles(samples, event),
            }
        )
        + "\n"
    )


def _profiles(samples: Samples, event: str | None) -> list[dict[str, Any]]:
    profiles: dict[tuple[int, int], dict[str, Any]] = {}
    wanted = None if event is None else samples.number(event)
    for row in samples.rows:
        if wanted not in (None, row.event):
            continue
        sampled, thread = samples.events[row.event], samples.threads[row.thread]
        profile = profiles.setdefault(
            (row.event, row.thread),
            {
                "type": "sampled",
                "name": f"{sampled.name}, {thread.name or 'thread'} ({thread.tid})",
                "unit": "nanoseconds" if sampled.count.unit == "ns" else "none",
                "startValue": 0,
                "endValue": 0,
                "samples": [],
                "weights": [],
            },
        )
        profile["samples"].append(list(reversed(samples.stacks[row.stack])))
        profile["weights"].append(row.weight)
        profile["endValue"] += row.weight
    return list(profiles.values())
