"""Histories with a known truth: a step, a slow leak, a daily pattern, drift without change, noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from armprof.monitor.history import Past
from armprof.monitor.rules import Figure
from armprof.monitor.trends import DAY, HOUR, S

Values = NDArray[np.float64]
FIGURE = Figure("level", "memory_bytes")
BEGIN = 1_700_000_000 * S // DAY * DAY
QUARTER = 900 * S
N = 96  # a day of quarters of an hour


def past(values: Values, step: int) -> Past:
    """The values as a figure's past, one each ``step``."""
    times = tuple(BEGIN + at * step + step // 2 for at in range(len(values)))
    return Past(FIGURE, "machine", times, tuple(map(float, values)))


def remembering(random: np.random.Generator, n: int, memory: float) -> Values:
    """Noise of which each value remembers the one before: its increments have a standard deviation of 1."""
    drawn = random.standard_normal(n + 200)
    for at in range(1, len(drawn)):
        drawn[at] += memory * drawn[at - 1]
    return drawn[200:]


def noise(random: np.random.Generator) -> tuple[Values, int]:
    return 100 + random.standard_normal(N), QUARTER


def drift(random: np.random.Generator) -> tuple[Values, int]:
    """It wanders off and comes back, and nothing has changed."""
    return 100 + remembering(random, N, 0.9), QUARTER


def step(random: np.random.Generator) -> tuple[Values, int]:
    """A tenth more from two thirds of the day on."""
    return 100 + remembering(random, N, 0.5) + 10 * (np.arange(N) >= STEP_AT), QUARTER


def leak(random: np.random.Generator) -> tuple[Values, int]:
    """A tenth of the noise more each quarter of an hour."""
    return 100 + remembering(random, N, 0.5) + LEAK * np.arange(N), QUARTER


def daily(random: np.random.Generator) -> tuple[Values, int]:
    """A week of days and nights."""
    at = np.arange(7 * 12)
    return 100 + 10 * np.sin(2 * np.pi * at / 12) + random.standard_normal(len(at)), 2 * HOUR


STEP_AT, LEAK = 64, 0.1
EXPECTED = {noise: {"steady"}, drift: {"steady"}, step: {"changed"}, leak: {"rising"}, daily: {"steady"}}


def leaking_to(seed: int) -> tuple[Past, float, int]:
    """A leak of a random size in noise of a random memory, a threshold ahead, and when the leak will have reached it."""
    random = np.random.default_rng(seed)
    memory, slope = random.choice([0.0, 0.3, 0.6, 0.8]), random.uniform(0.05, 0.25)
    threshold = 100 + slope * random.uniform(110, 300)
    found = past(100 + remembering(random, N, memory) + slope * np.arange(N), QUARTER)
    return found, threshold, found.at_ns[0] + round((threshold - 100) / slope * QUARTER)
