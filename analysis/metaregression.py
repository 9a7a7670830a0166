"""Random-effects meta-regression of proportions on the logit scale, by PyMARE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.pooling import fit_reml
from analysis.proportions import LEVEL, Interval, from_logit, logit_effects

#: Below this a variance between studies is none at all: PyMARE stops that near to zero.
NO_VARIANCE = 1e-5


class Ratio(NamedTuple):
    """An odds ratio with its limits."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True)
class Regression:
    """A fitted meta-regression of k studies with p coefficients, on the logit scale.

    `covariance` (p x p) is scaled by the conservative Knapp-Hartung factor; `tau2` is the variance
    between studies that the moderator leaves, `tau2_without` that of the same studies without it.
    `weights` (k) are the inverse of v + tau2 and sum to 1.
    """

    coefficients: tuple[float, ...]
    covariance: NDArray[np.float64]
    tau2: float
    tau2_without: float
    weights: tuple[float, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.weights)

    @property
    def explained(self) -> float | None:
        """Share of the variance between studies that the moderator explains, floored at 0.

        Source: Raudenbush 1994 (see López-López 2014). None where there is no variance to explain.
        """
        if self.tau2_without < NO_VARIANCE:
            return None
        return min(1.0, max(0.0, 1 - self.tau2 / self.tau2_without))

    def _limits(self, row: Sequence[float]) -> tuple[float, float, float]:
        """Limits and estimate of a linear combination of the coefficients."""
        at = np.asarray(row, dtype=float)
        middle = float(at @ np.asarray(self.coefficients))
        t = stdtrit(self.k - len(at), (1 + LEVEL) / 2)
        half = float(t * np.sqrt(at @ self.covariance @ at))
        return middle - half, middle, middle + half

    def rate(self, row: Sequence[float]) -> Interval:
        """The mean rate where the design has this row, with its confidence interval."""
        return from_logit(*self._limits(row))

    def odds_ratio(self, contrast: Sequence[float]) -> Ratio:
        """The odds ratio of this contrast of coefficients, with its confidence interval."""
        return Ratio(*(float(np.exp(limit)) for limit in self._limits(contrast)))


def regress(
    events: Sequence[int], n: Sequence[int], design: NDArray[np.float64], base: int = 1
) -> Regression:
    """Regress the logit rates of k studies on a design of shape (k, p), intercept included.

    The first `base` columns are the design without the moderator. tau2 by REML; conservative
    Knapp-Hartung: variance factor floored at 1, t with k - p df (Knapp and Hartung 2003; Röver
    2015). Raises ValueError where the design leaves no degree of freedom or is not of full rank,
    and ArithmeticError where the model fails.
    """
    k, p = design.shape
    if k <= p or np.linalg.matrix_rank(design) < p:
        raise ValueError(f"{k} studies cannot tell {p} coefficients of this design")
    y, v = logit_effects(events, n)
    fit, without = fit_reml(y, v, design), fit_reml(y, v, design[:, :base])
    # Results are cached inside PyMARE: copy them out at once.
    coefficients = tuple(float(b) for b in np.asarray(fit.fe_params).ravel())
    covariance = np.array(fit.fe_cov[:, :, 0], dtype=float)
    tau2, before = (max(0.0, float(np.asarray(one.tau2).item())) for one in (fit, without))
    if not np.isfinite([*coefficients, *covariance.ravel(), tau2, before]).all():
        raise ArithmeticError(f"PyMARE gave no finite regression for events {events} of {n}")
    weights = 1 / (v + tau2)
    return Regression(
        coefficients, covariance, tau2, before, tuple((weights / weights.sum()).tolist())
    )
