"""How often a history is called moved that only scatters or drifts, and how often a step is found: docs/regression.md.

    python benchmarks/history.py [SERIES]

Series of a hundred values of each kind, as they are and with all values from a place between the 30th and the 70th on
multiplied by 1.02 or 1.05. Placed is a step within five values of the place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from armprof.compare.changepoint import steps

Array = NDArray[np.float64]
LENGTH = 100
HEAD = """| {} series of {} values of each kind | false | +2 % found | placed | +5 % found | placed |
|---|---|---|---|---|---|"""


def white(random: Generator, deviation: float = 0.01) -> Array:
    return deviation * random.standard_normal(LENGTH)


def remembering(random: Generator, memory: float) -> Array:
    drawn = white(random)
    values = np.zeros(LENGTH)
    values[0] = drawn[0]
    for i in range(1, LENGTH):
        values[i] = memory * values[i - 1] + (1 - memory**2) ** 0.5 * drawn[i]
    return values


def flipping(random: Generator) -> Array:
    """Two modes, each kept for ten values in the middle."""
    return 0.02 * (np.cumsum(random.random(LENGTH) < 0.1) % 2) + white(random, 0.002)


KINDS: dict[str, Callable[[Generator], Array]] = {
    "normal, 1 %": white,
    "log-normal tail": lambda random: 0.005 * np.exp(random.standard_normal(LENGTH)),
    "two modes, 2 % apart": lambda random: 0.02 * (random.random(LENGTH) < 0.5) + white(random, 0.002),
    "AR(1), 0.6": lambda random: remembering(random, 0.6),
    "AR(1), 0.9": lambda random: remembering(random, 0.9),
    "random walk, steps of 0.5 %": lambda random: np.cumsum(white(random, 0.005)),
    "random walk of 0.3 %, and 1 % white": lambda random: np.cumsum(white(random, 0.003)) + white(random),
    "slow trend, 5 % in all, and 1 % white": lambda random: np.linspace(0, 0.05, LENGTH) + white(random),
    "slow wave of 2 %, and 1 % white": lambda random: (
        0.02 * np.sin(np.linspace(0, 1.5 * np.pi, LENGTH)) + white(random)
    ),
    "two modes, kept for ten values": flipping,
}


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(HEAD.format(number, LENGTH))
    for row, (name, make) in enumerate(KINDS.items()):
        false, found = 0, {1.02: [0, 0], 1.05: [0, 0]}
        for i in range(number):
            random = np.random.default_rng((row, i))
            values = 100 * (1 + make(random))
            at = int(random.integers(30, 71))
            false += bool(steps(values.tolist()))
            for factor in found:
                stepped = np.where(np.arange(LENGTH) < at, values, factor * values)
                places = [step.at for step in steps(stepped.tolist())]
                found[factor][0] += bool(places)
                found[factor][1] += any(abs(place - at) <= 5 for place in places)
        shares = " | ".join(f"{100 * count / number:.0f} %" for counts in found.values() for count in counts)
        print(f"| {name} | {100 * false / number:.1f} % | {shares} |", flush=True)


if __name__ == "__main__":
    main()
