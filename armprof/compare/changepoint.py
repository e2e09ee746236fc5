"""Change points of a series: where its level moved for good, and not where it drifts.

Values that follow each other in time are not independent: a warm machine stays warm. So the noise is not taken for white but
estimated from the series, as the sum of an autoregressive part, which remembers (up to a random walk, which never forgets),
and a white one. Whether there is a step is then the ratio of the likelihoods with it and without it, at the best place and
under the noise that fits best in either case: what drift explains as well is no step. How large the ratio gets without any
step, the place chosen freely, is found by simulation with the noise that was estimated.

Lone values far from their neighbours are drawn in first: the likelihoods are those of normal noise, and one such value would
outweigh all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from armprof.compare import shift
from armprof.compare.verdict import relative

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ERROR = 0.03  # how often a series without a step may be called one with
LEAST = 16  # values that a series needs
MARGIN = 4  # values on either side of a step
MOST = 120  # values that are looked at, the last ones: more cost time and are another machine's
NEIGHBOURS, FAR = 4, 3.0  # values on either side, and how many standard deviations off them one is drawn in to
SIMULATIONS = 400
FEW = 16  # series at a time: products so small are not shared out among threads, which on a busy machine takes forever
SIZES = 10  # of the series that are simulated, a multiple of this: the next one stands for those between
TOLERANCE = 0.01  # a smaller step counts as none

# The noise: how much the autoregressive part remembers, and its share of the variance of one step.
MEMORIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
SHARES = (0.02, 0.1, 0.3, 0.6, 1.0)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The level moved at the value of that index, by ``change``, a fraction: the median of all differences."""

    at: int
    change: float
    probability: float  # of a step as clear by chance
    memory: float  # of the noise: 0 where values are independent, 1 where it is a random walk


def steps(values: Sequence[float], error: float = ERROR, tolerance: float = TOLERANCE) -> list[ChangePoint]:
    """The steps of the series, in order: the clearest, and then those of the two parts. Values are above 0."""
    start = max(0, len(values) - MOST)
    found = _split([math.log(value) for value in values[start:]], error, tolerance)
    return [ChangePoint(start + one.at, one.change, one.probability, one.memory) for one in found]


def _split(values: list[float], error: float, tolerance: float) -> list[ChangePoint]:
    step = _clearest(values)
    if step is None or step.probability > error or abs(step.change) < tolerance:
        return []
    before, after = (_split(part, error, tolerance) for part in (values[: step.at], values[step.at :]))
    moved = [ChangePoint(step.at + one.at, one.change, one.probability, one.memory) for one in after]
    return [*before, step, *moved]


def _clearest(values: list[float]) -> ChangePoint | None:
    import numpy as np

    n = len(values)
    if n < LEAST or len(set(values)) < 2:
        return None
    model = _model(n)
    ratio, at, noise = model.ratio(_drawn_in(np.asarray(values))[:, None])
    null = _model(-(-n // SIZES) * SIZES).null(int(noise[0]))
    exceeding = int(np.sum(null >= ratio[0]))
    probability = (1 + exceeding) / (1 + len(null))
    place = int(at[0])
    change = relative(shift.shift(values[:place], values[place:]))
    return ChangePoint(place, change, probability, model.memory(int(noise[0])))


def _drawn_in(values: Array) -> Array:
    """The values, those far from the median of their neighbours drawn in, in standard deviations from those medians."""
    import numpy as np

    ends = np.pad(values, NEIGHBOURS, constant_values=np.nan)
    middle = np.nanmedian(np.lib.stride_tricks.sliding_window_view(ends, 2 * NEIGHBOURS + 1), axis=1)
    apart = values - middle
    low, high = np.quantile(apart, (0.1, 0.9))  # which two modes of the same height do not fool
    deviation = (high - low) / (2 * NormalDist().inv_cdf(0.9)) or float(np.std(apart)) or 1.0
    drawn: Array = (middle + np.clip(apart, -FAR * deviation, FAR * deviation)) / deviation
    return drawn


class _Model:
    """Series of n values: under each noise, what makes its values independent, and the mean and all steps after that."""

    def __init__(self, n: int) -> None:
        import numpy as np

        self.n = n
        self.noises = [(0.0, 0.0)] + [(m, s) for m in MEMORIES[1:] for s in SHARES]
        time = np.arange(n, dtype=float)
        covariances = [_covariance(time, *noise) for noise in self.noises]
        self._roots = np.stack([np.linalg.cholesky(c) for c in covariances])
        self._white = np.linalg.inv(self._roots)
        self._log_sizes = 2 * np.log(np.diagonal(self._roots, axis1=1, axis2=2)).sum(1)
        mean = self._white.sum(2)  # noises x n: a constant, made independent as the values are
        size = np.linalg.norm(mean, axis=1)
        self._mean = mean / size[:, None]
        self.places = np.arange(MARGIN, n - MARGIN + 1)
        step = self._without_mean(np.cumsum(self._white[:, :, ::-1], axis=2)[:, :, ::-1][:, :, self.places])
        self._step = step / np.linalg.norm(step, axis=1, keepdims=True)
        # the mean was fitted, which leaves less to the noise: the restricted likelihood, unbiased for few values
        self._log_sizes += 2 * np.log(size)

    def _without_mean(self, white: Array) -> Array:
        """The columns, less their means."""
        rest: Array = white - self._mean[:, :, None] * (self._mean[:, None, :] @ white)
        return rest

    def memory(self, noise: int) -> float:
        return self.noises[noise][0]

    def ratio(self, series: Array) -> tuple[Array, Array, Array]:
        """Of each column: twice the logarithm of the ratio of the likelihoods, the place, and the noise without a step."""
        import numpy as np

        rest = self._without_mean(self._white @ series)  # noises x n x series
        without = (rest**2).sum(1)  # noises x series
        taken = self._step.transpose(0, 2, 1) @ rest  # noises x places x series
        best = np.argmax(taken**2, axis=1)
        with_step = without - np.take_along_axis(taken**2, best[:, None], 1)[:, 0]
        degrees = self.n - 1
        plain = degrees * np.log(without) + self._log_sizes[:, None]
        stepped = degrees * np.log(np.maximum(with_step, 1e-12)) + self._log_sizes[:, None]
        noise = plain.argmin(0)
        fitting = stepped.argmin(0)
        columns = np.arange(series.shape[1])
        return plain[noise, columns] - stepped[fitting, columns], self.places[best[fitting, columns]], noise

    @cache  # noqa: B019  # models live as long as the process
    def null(self, noise: int) -> Array:
        """The ratios of series of this noise in which there is no step."""
        import numpy as np

        random = np.random.default_rng(noise)
        drawn = self._roots[noise] @ random.standard_normal((self.n, SIMULATIONS))
        return np.concatenate([self.ratio(drawn[:, at : at + FEW])[0] for at in range(0, SIMULATIONS, FEW)])


@cache
def _model(n: int) -> _Model:
    return _Model(n)


def _covariance(time: Array, memory: float, share: float) -> Array:
    """Of a white part and one that remembers; the latter's increments have ``share`` of the variance."""
    import numpy as np

    apart = np.abs(time[:, None] - time)
    if memory == 1:
        remembered = np.minimum(time[:, None], time) + 1.0
    else:
        remembered = memory**apart / (1 - memory**2)
    return share * remembered + (1 - share + 1e-6) * np.eye(len(time))
