"""The pooled statistics of one pool, by formulas and root finding alone.

This is the second road to every number of a pool: plain numpy, scipy and statsmodels, none of
the code that printed the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2
from scipy.stats import t as student_t
from statsmodels.stats.proportion import proportion_confint

from checks.constants import CORRECTION, HALF, LEVEL, PREDICTION_STUDIES

Floats = NDArray[np.float64]

ALPHA = 1 - LEVEL
_TAU2_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, 97)])


@dataclass(frozen=True)
class PoolStatistics:
    """A random-effects pool of k >= 2 proportions on the logit scale.

    Proportions (estimate, limits, p_above_50, i2, weights) are fractions from 0 to 1; tau2, its
    limits and q are on the squared logit scale. The prediction limits and p_above_50 are None
    for k = 2, where t with k - 1 degrees of freedom says nothing about a new study.
    """

    estimate: float
    ci_low: float
    ci_high: float
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    q: float
    weights: Floats
    pi_low: float | None
    pi_high: float | None
    p_above_50: float | None


@lru_cache(maxsize=4096)
def exact_interval(events: int, n: int) -> tuple[float, float]:
    """Clopper-Pearson 95% interval of events / n, as fractions."""
    low, high = proportion_confint(events, n, alpha=ALPHA, method="beta")
    return float(low), float(high)


def logits(events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return logit and its variance, each of shape (k,); the correction is for e of 0 or n."""
    added = np.where((events == 0) | (events == n), CORRECTION, 0.0)
    yes, no = events + added, n - events + added
    return np.log(yes / no), 1 / yes + 1 / no


def restricted_log_likelihood(tau2: float, y: Floats, v: Floats) -> float:
    """REML criterion at tau2, up to a constant (Viechtbauer 2005, eq. 8)."""
    w = 1 / (v + tau2)
    mu = np.sum(w * y) / np.sum(w)
    return float(0.5 * (np.sum(np.log(w)) - np.log(np.sum(w)) - np.sum(w * (y - mu) ** 2)))


def _reml_score(tau2: Floats, y: Floats, v: Floats) -> Floats:
    """Slopes of the restricted log likelihood at each tau2, shape (m,)."""
    w = 1 / (v + tau2[:, None])
    total = w.sum(axis=1)
    residual = y - ((w * y).sum(axis=1) / total)[:, None]
    return 0.5 * (((w * residual) ** 2).sum(axis=1) - total + (w**2).sum(axis=1) / total)


def reml_tau2(y: Floats, v: Floats) -> float:
    """Between-study variance at the global maximum of the restricted likelihood.

    The score can have several roots (few studies, unequal variances), so every sign change on a
    wide grid is refined and compared with the boundary at 0.
    """

    def slope(tau2: float) -> float:
        return float(_reml_score(np.array([tau2]), y, v)[0])

    scores = _reml_score(_TAU2_GRID, y, v)
    peaks = np.flatnonzero((scores[:-1] > 0) & (scores[1:] <= 0))
    maxima = [0.0] + [
        float(brentq(slope, _TAU2_GRID[i], _TAU2_GRID[i + 1], xtol=1e-14, rtol=1e-14))
        for i in peaks
    ]
    return max(maxima, key=lambda tau2: restricted_log_likelihood(tau2, y, v))


def cochran_q(tau2: float, y: Floats, v: Floats) -> float:
    """Weighted sum of squares about the weighted mean, weights 1 / (v + tau2)."""
    w = 1 / (v + tau2)
    return float(np.sum(w * (y - np.sum(w * y) / np.sum(w)) ** 2))


def q_profile(y: Floats, v: Floats) -> tuple[float, float]:
    """95% interval of tau2: where Q(tau2) meets the chi-squared quantiles (Viechtbauer 2007)."""

    def solve(quantile: float) -> float:
        def gap(tau2: float) -> float:
            return cochran_q(tau2, y, v) - quantile

        if gap(0.0) <= 0:
            return 0.0
        top = 1.0
        while gap(top) > 0:
            top *= 4
        return float(brentq(gap, 0.0, top, xtol=1e-14, rtol=1e-14))

    low, high = (float(chi2.ppf(p, len(y) - 1)) for p in (1 - ALPHA / 2, ALPHA / 2))
    return solve(low), solve(high)


@dataclass(frozen=True)
class MeanEffect:
    """A random-effects mean of k >= 2 effects, its limits and those of a new one, on their scale.

    spread is the standard deviation of a new effect; the prediction limits are None for k = 2.
    """

    mu: float
    low: float
    high: float
    spread: float
    tau2: float
    i2: float
    weights: Floats
    prediction: tuple[float, float] | None


def random_effects(y: Floats, v: Floats) -> MeanEffect:
    """Pool k >= 2 effects: REML, conservative Knapp-Hartung, t with k - 1 df.

    Conservative: the Knapp-Hartung scale is floored at 1 (Röver 2015). I2 is taken from tau2
    with the typical variance of Higgins and Thompson 2002.
    """
    df = len(y) - 1
    tau2 = reml_tau2(y, v)
    w = 1 / (v + tau2)
    mu = float(np.sum(w * y) / np.sum(w))
    scale = max(1.0, cochran_q(tau2, y, v) / df)
    se = float(np.sqrt(scale / np.sum(w)))
    t = float(student_t.ppf(1 - ALPHA / 2, df))
    fixed = 1 / v
    typical = df * np.sum(fixed) / (np.sum(fixed) ** 2 - np.sum(fixed**2))
    spread = float(np.sqrt(tau2 + se**2))
    return MeanEffect(
        mu=mu,
        low=mu - t * se,
        high=mu + t * se,
        spread=spread,
        tau2=tau2,
        i2=float(tau2 / (tau2 + typical)),
        weights=w / np.sum(w),
        prediction=(mu - t * spread, mu + t * spread) if len(y) >= PREDICTION_STUDIES else None,
    )


def pool(events: Floats, n: Floats) -> PoolStatistics:
    """Pool k >= 2 proportions on the logit scale."""
    y, v = logits(events, n)
    mean = random_effects(y, v)
    tau2_low, tau2_high = q_profile(y, v)
    ends = mean.prediction
    above = (mean.mu - logit(HALF)) / mean.spread
    return PoolStatistics(
        estimate=float(expit(mean.mu)),
        ci_low=float(expit(mean.low)),
        ci_high=float(expit(mean.high)),
        tau2=mean.tau2,
        tau2_low=tau2_low,
        tau2_high=tau2_high,
        i2=mean.i2,
        q=cochran_q(0.0, y, v),
        weights=mean.weights,
        pi_low=float(expit(ends[0])) if ends else None,
        pi_high=float(expit(ends[1])) if ends else None,
        p_above_50=float(student_t.cdf(above, len(y) - 1)) if ends else None,
    )
