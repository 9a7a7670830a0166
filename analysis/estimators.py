"""The choices of a two-step pool of proportions: scale, estimator of tau2, interval.

The book's own pools take the logit, REML and the conservative Knapp-Hartung interval (pooling.py).
The others are here so that their results can be laid beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from analysis.pooling import cochran_q
from analysis.proportions import LEVEL, Interval, from_logit, logit_effects

Floats = NDArray[np.float64]

#: Below this scale all rates are the same but for rounding, and Knapp-Hartung has no width.
NO_SPREAD = 1e-12


def arcsine_effects(events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Arcsine of the root of each study's rate, and its variance 1 / 4n (shape (k,) each).

    Defined for 0 and n events as they are (Rücker 2009).
    """
    size = np.asarray(n, dtype=float)
    return np.arcsin(np.sqrt(np.asarray(events, dtype=float) / size)), 1 / (4 * size)


def from_arcsine(low: float, estimate: float, high: float) -> Interval:
    """The way back from the arcsine scale: sin², limits beyond the scale's ends cut there.

    Raises ArithmeticError when the result is not 0 <= low <= estimate <= high <= 1.
    """
    clipped = np.clip([low, estimate, high], 0, np.pi / 2)
    interval = Interval(*(float(x) for x in np.sin(clipped) ** 2))
    if not 0 <= interval.low <= interval.estimate <= interval.high <= 1:
        raise ArithmeticError(f"not a proportion with its limits: {interval}")
    return interval


def dersimonian_laird(y: Floats, v: Floats) -> float:
    """tau2 by moments (DerSimonian and Laird 1986), cut at 0."""
    w = 1 / v
    excess = cochran_q(y, v) - (len(y) - 1)
    return max(0.0, float(excess / (w.sum() - (w**2).sum() / w.sum())))


def paule_mandel(y: Floats, v: Floats) -> float:
    """tau2 at which the generalised Q is what it should be, k-1 (Paule and Mandel 1982).

    Q falls strictly in tau2, so the root is one or, where Q is below k-1 at once, 0.
    """

    def excess(tau2: float) -> float:
        return cochran_q(y, v + tau2) - (len(y) - 1)

    if excess(0.0) <= 0:
        return 0.0
    # Weights of 1 / tau2 at most bound Q by the plain sum of squares over tau2.
    top = float(((y - y.mean()) ** 2).sum() / (len(y) - 1))
    return float(brentq(excess, 0.0, top, xtol=1e-14, rtol=1e-14))


def _likelihood(method: str) -> Callable[[Floats, Floats], float]:
    """tau2 by PyMARE, for `ML` (Hardy and Thompson 1996) or `REML` (Viechtbauer 2005)."""

    def tau2(y: Floats, v: Floats) -> float:
        # Imported here because it costs two seconds that only pooling should pay.
        from pymare import Dataset
        from pymare.estimators import VarianceBasedLikelihoodEstimator

        estimator = VarianceBasedLikelihoodEstimator(method=method)
        fit = estimator.fit_dataset(Dataset(y=y.copy(), v=v.copy()))
        return float(fit.params_["tau2"].item())

    return tau2


TRANSFORMS: dict[
    str,
    tuple[
        Callable[[ArrayLike, ArrayLike], tuple[Floats, Floats]],
        Callable[[float, float, float], Interval],
    ],
] = {
    "logit": (logit_effects, from_logit),
    "arcsine": (arcsine_effects, from_arcsine),
}
ESTIMATORS: dict[str, Callable[[Floats, Floats], float]] = {
    "dl": dersimonian_laird,
    "ml": _likelihood("ML"),
    "reml": _likelihood("REML"),
    "pm": paule_mandel,
}
INTERVALS = ("wald", "kh", "kh_conservative")


def half_width(interval: str, y: Floats, v: Floats, tau2: float) -> float | None:
    """Distance from the mean of the effects to its 95 % limits, by one of INTERVALS.

    Wald: normal quantile. Knapp-Hartung 2003: t with k-1 df, the variance scaled by the generalised
    Q over k-1; None where that is 0, as no width is not certainty. Conservative: the scale is at
    least 1 (Röver 2015).
    """
    df = len(y) - 1
    se = float(np.sqrt(1 / (1 / (v + tau2)).sum()))
    if interval == "wald":
        return float(ndtri((1 + LEVEL) / 2)) * se
    scale = cochran_q(y, v + tau2) / df
    if interval == "kh_conservative":
        scale = max(1.0, scale)
    elif scale < NO_SPREAD:
        return None
    return float(stdtrit(df, (1 + LEVEL) / 2)) * se * float(np.sqrt(scale))


Limits = tuple[float, float, float]


def two_step(
    events: Sequence[int], n: Sequence[int]
) -> tuple[tuple[str, str, str, Limits | None], ...]:
    """Pool k >= 2 studies in every way: transform, estimator, interval, (low, estimate, high).

    The limits are None where the method gives no width. Raises ValueError for fewer studies.
    """
    if len(n) < 2:
        raise ValueError("a pool needs at least two studies")
    found = []
    for transform, (effects, back) in TRANSFORMS.items():
        y, v = effects(events, n)
        for estimator, between in ESTIMATORS.items():
            tau2 = between(y, v)
            w = 1 / (v + tau2)
            mu = float((w * y).sum() / w.sum())
            for interval in INTERVALS:
                half = half_width(interval, y, v, tau2)
                limits = None
                if half is not None:
                    low, estimate, high = back(mu - half, mu, mu + half)
                    limits = (low, estimate, high)
                found.append((transform, estimator, interval, limits))
    return tuple(found)
