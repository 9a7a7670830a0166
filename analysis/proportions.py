"""Single proportions: exact intervals, the logit effect size, and the one way back from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, expit

LEVEL = 0.95
CORRECTION = 0.5


class Interval(NamedTuple):
    """A proportion with its limits, all as fractions from 0 to 1."""

    low: float
    estimate: float
    high: float


def exact_interval(events: int, n: int, level: float = LEVEL) -> Interval:
    """Clopper-Pearson interval of events out of n.

    Raises ValueError unless 0 <= events <= n and n >= 1.
    Source: Clopper and Pearson 1934, by the beta distribution's quantiles.
    """
    if not (0 <= events <= n and n >= 1):
        raise ValueError(f"{events} events of {n}: needs 0 <= events <= n and n >= 1")
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))
    return Interval(low, events / n, high)


def logit_effects(
    events: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logit y and its variance v for each study (shape (k,) each).

    0.5 is added to both counts only where events is 0 or n; the other studies stay as they are.
    """
    e = np.asarray(events, dtype=float)
    rest = np.asarray(n, dtype=float) - e
    c = np.where((e == 0) | (rest == 0), CORRECTION, 0.0)
    return np.log((e + c) / (rest + c)), 1 / (e + c) + 1 / (rest + c)


def from_logit(low: float, estimate: float, high: float) -> Interval:
    """The only back-transform from the logit scale to a proportion.

    Raises ArithmeticError when the result is not 0 <= low <= estimate <= high <= 1.
    """
    interval = Interval(float(expit(low)), float(expit(estimate)), float(expit(high)))
    if not 0 <= interval.low <= interval.estimate <= interval.high <= 1:
        raise ArithmeticError(f"not a proportion with its limits: {interval}")
    return interval
