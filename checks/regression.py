"""Meta-regression by exact root finding: the second road to every number of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import t as student_t

from checks.constants import LEVEL
from checks.statistics import Floats, logits

_TAU2_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, 97)])

Counts = tuple[tuple[int, int], ...]  # events and n of each study
Design = tuple[tuple[float, ...], ...]  # a row for each study


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients (p,) and their covariance (p, p) on the logit scale, tau2, weights (k,)."""

    coefficients: Floats
    covariance: Floats
    tau2: float
    weights: Floats

    def limits(self, row: Sequence[float]) -> tuple[float, float, float]:
        """Lower limit, estimate and upper limit of a linear combination of the coefficients."""
        at = np.array(row, dtype=float)
        df = len(self.weights) - len(at)
        half = float(student_t.ppf((1 + LEVEL) / 2, df) * np.sqrt(at @ self.covariance @ at))
        middle = float(at @ self.coefficients)
        return middle - half, middle, middle + half

    def rate(self, row: Sequence[float]) -> tuple[float, float, float]:
        """The same as rates."""
        low, middle, high = (float(expit(value)) for value in self.limits(row))
        return low, middle, high

    def odds_ratio(self, contrast: Sequence[float]) -> tuple[float, float, float]:
        """The same as odds ratios."""
        low, middle, high = (float(np.exp(value)) for value in self.limits(contrast))
        return low, middle, high


def _weighted(
    tau2: float, y: Floats, v: Floats, x: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights 1 / (v + tau2), (X'WX)^-1, coefficients and residuals of weighted least squares."""
    w = 1 / (v + tau2)
    inverse: Floats = np.asarray(np.linalg.inv(x.T @ (w[:, None] * x)), dtype=np.float64)
    coefficients = inverse @ (x.T @ (w * y))
    return w, inverse, coefficients, y - x @ coefficients


def _score(tau2: float, y: Floats, v: Floats, x: Floats) -> float:
    """Slope of the restricted log likelihood at tau2: (y'PPy - tr P) / 2 (Viechtbauer 2005)."""
    w, inverse, _, residuals = _weighted(tau2, y, v, x)
    trace = w.sum() - np.trace(inverse @ (x.T @ ((w**2)[:, None] * x)))
    return float(0.5 * (((w * residuals) ** 2).sum() - trace))


def _log_likelihood(tau2: float, y: Floats, v: Floats, x: Floats) -> float:
    """Restricted log likelihood at tau2, up to a constant."""
    w, inverse, _, residuals = _weighted(tau2, y, v, x)
    determinant = np.linalg.slogdet(inverse)[1]
    return float(0.5 * (np.log(w).sum() + determinant - (w * residuals**2).sum()))


def _tau2(y: Floats, v: Floats, x: Floats) -> float:
    """The variance between studies at the highest peak of the restricted likelihood, or 0."""

    def slope(tau2: float) -> float:
        return _score(tau2, y, v, x)

    scores = np.array([slope(tau2) for tau2 in _TAU2_GRID])
    peaks = np.flatnonzero((scores[:-1] > 0) & (scores[1:] <= 0))
    maxima = [0.0] + [
        float(brentq(slope, _TAU2_GRID[i], _TAU2_GRID[i + 1], xtol=1e-14, rtol=1e-14))
        for i in peaks
    ]
    return max(maxima, key=lambda tau2: _log_likelihood(tau2, y, v, x))


@lru_cache(maxsize=1024)
def fit(studies: Counts, design: Design) -> Fit:
    """Fit logit rates on a design: REML, Knapp-Hartung scale floored at 1, t with k - p df."""
    events, n = np.array(studies, dtype=float).T
    y, v = logits(events, n)
    x = np.array(design, dtype=float)
    tau2 = _tau2(y, v, x)
    w, inverse, coefficients, residuals = _weighted(tau2, y, v, x)
    scale = float((w * residuals**2).sum()) / (x.shape[0] - x.shape[1])
    return Fit(coefficients, max(1.0, scale) * inverse, tau2, w / w.sum())
