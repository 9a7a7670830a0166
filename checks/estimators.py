"""Pools of k >= 2 proportions by every usual choice: scale, estimator of tau2, interval.

A second road: tau2 from pairs of studies, by Newton's method or from all roots of the score, none
of them by the search that the book uses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student_t

from checks.constants import LEVEL
from checks.statistics import Floats, cochran_q, logits, reml_tau2

Counts = tuple[tuple[int, int], ...]  # events and n of each study
Limits = tuple[float, float, float]  # low, estimate, high

SCALES = ("logit", "arcsine")
INTERVALS = ("wald", "kh", "kh_conservative")
_NO_WIDTH = 1e-12
_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, 97)])


def _by_moments(y: Floats, v: Floats) -> float:
    """DerSimonian and Laird's tau2, Q as the sum over pairs of studies."""
    w = 1 / v
    total = w.sum()
    q = np.sum(np.outer(w, w) * (y[:, None] - y) ** 2) / (2 * total)
    return max(0.0, float((q - (len(y) - 1)) * total / (total**2 - np.sum(w**2))))


def _by_q(y: Floats, v: Floats) -> float:
    """Paule and Mandel's tau2, by Newton's method from 0: Q falls and is convex."""
    tau2 = 0.0
    for _ in range(200):
        w = 1 / (v + tau2)
        apart = (y - np.sum(w * y) / np.sum(w)) ** 2
        step = float((np.sum(w * apart) - (len(y) - 1)) / np.sum(w**2 * apart))
        if not step > 1e-15 * (1 + tau2):
            break
        tau2 += step
    return tau2


def _by_likelihood(y: Floats, v: Floats) -> float:
    """The maximum likelihood tau2: the best of all roots of the score, and of 0."""

    def parts(tau2: Floats) -> tuple[Floats, Floats]:
        w = 1 / (v + tau2[:, None])
        return w, (y - (w @ y / w.sum(axis=1))[:, None]) ** 2

    def scores(tau2: Floats) -> Floats:
        w, apart = parts(tau2)
        return (w**2 * apart - w).sum(axis=1)

    def height(tau2: float) -> float:
        w, apart = parts(np.array([tau2]))
        return float(np.sum(np.log(w)) - np.sum(w * apart))

    def score(tau2: float) -> float:
        return float(scores(np.array([tau2]))[0])

    at = scores(_GRID)
    roots = [
        float(brentq(score, _GRID[i], _GRID[i + 1], xtol=1e-14, rtol=1e-14))
        for i in np.flatnonzero((at[:-1] > 0) & (at[1:] <= 0))
    ]
    return max([0.0, *roots], key=height)


_TAU2: dict[str, Callable[[Floats, Floats], float]] = {
    "dl": _by_moments,
    "ml": _by_likelihood,
    "reml": reml_tau2,
    "pm": _by_q,
}
ESTIMATORS = tuple(_TAU2)


@lru_cache(maxsize=16384)
def pooled(studies: Counts, scale: str, estimator: str) -> tuple[Limits | None, ...]:
    """Low, estimate and high as fractions by each of INTERVALS; None where there is no width."""
    events, n = np.array(studies, dtype=float).T
    y, v = logits(events, n) if scale == "logit" else (np.arcsin(np.sqrt(events / n)), 0.25 / n)
    tau2 = _TAU2[estimator](y, v)
    w = 1 / (v + tau2)
    mu, se, df = float(np.sum(w * y) / np.sum(w)), float(np.sum(w) ** -0.5), len(y) - 1
    spread = cochran_q(tau2, y, v) / df
    z, t = (float(law.ppf((1 + LEVEL) / 2)) for law in (norm, student_t(df)))
    widths = (
        z * se,
        None if spread < _NO_WIDTH else t * se * spread**0.5,
        t * se * max(1.0, spread) ** 0.5,
    )
    return tuple(None if width is None else _back(scale, mu, width) for width in widths)


def _back(scale: str, mu: float, width: float) -> Limits:
    if scale == "logit":
        low, estimate, high = (float(expit(x)) for x in (mu - width, mu, mu + width))
    else:
        ends = (max(0.0, mu - width), mu, min(np.pi / 2, mu + width))
        low, estimate, high = (float(np.sin(x)) ** 2 for x in ends)
    return low, estimate, high
