"""The binomial-normal mixed model of one pool, fitted by dense quadrature.

events_i ~ Binomial(n_i, expit(theta_i)), theta_i ~ Normal(mu, tau2), maximum likelihood
(Stijnen 2010, section 3). The binomial likelihood of every study is tabulated once on a fine grid
of theta; a marginal likelihood is then one product with a normal density. Slower roads to the
same integral give the same figures, but the grid has nothing in common with adaptive quadrature.
Studies share a grid, except those too large for its step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit
from scipy.stats import binom, chi2

from checks.constants import LEVEL

Floats = NDArray[np.float64]

_TAU_MAX = 20.0
_MU_MAX = 30.0
_TAUS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 10.0, 14.0, _TAU_MAX)
_REACH = 8.5  # standard deviations of theta kept: the rest holds 2e-17 of the density
_SCAN = 13  # places around the studies' logits where the search for mu begins
_STEP = 0.02
_NARROW = 2.5  # steps: below so small a tau the grid is coarse, and Gauss-Hermite is exact
_FINE = 0.25  # a step as a share of the width of the likelihood that it must follow
_NEGLIGIBLE = 80.0  # what is so far below the peak, as a logarithm, is left out of a table
_NODES, _NODE_WEIGHTS = (np.asarray(a, float) for a in np.polynomial.hermite_e.hermegauss(24))
_NODE_WEIGHTS /= _NODE_WEIGHTS.sum()


@dataclass(frozen=True)
class MixedModelFit:
    """Fractions for estimate and limits (of the median study), tau2 on the logit scale."""

    estimate: float
    ci_low: float
    ci_high: float
    tau2: float
    log_likelihood: float


class _Grid:
    """Studies whose likelihoods are tabulated at the same multiples of a step of theta."""

    def __init__(self, events: Floats, n: Floats, step: float) -> None:
        self._events = events
        self._n = n
        self._step = step
        self._constant = binom.logpmf(events, n, 0.5) + n * np.log(2)  # the coefficients alone
        reach = _MU_MAX + _REACH * _TAU_MAX
        if step < _STEP:  # one large study: its likelihood is narrow
            rate = float(np.log(events[0] / (n[0] - events[0])))
            reach = abs(rate) + np.sqrt(2 * _NEGLIGIBLE) * 1.5 * step / _FINE
        half = int(np.ceil(reach / step))
        theta: Floats = np.arange(-half, half + 1, dtype=float) * step
        log_table = self._log_binomial(theta)
        self._peak = log_table.max(axis=1)
        kept = np.flatnonzero((log_table > self._peak[:, None] - _NEGLIGIBLE).any(axis=0))
        self._first = int(kept[0]) - half
        self._table = np.exp(log_table[:, kept[0] : kept[-1] + 1] - self._peak[:, None])

    def _log_binomial(self, theta: Floats) -> Floats:
        """Log probability of each study's events at each theta, shape (k, len(theta))."""
        # log(1 - expit(theta)) written as logaddexp keeps its digits far out in both tails.
        success, failure = -np.logaddexp(0, -theta), -np.logaddexp(0, theta)
        return (
            self._constant[:, None]
            + np.outer(self._events, success)
            + np.outer(self._n - self._events, failure)
        )

    def log_likelihood(self, mu: float, tau: float) -> float:
        """Log marginal likelihood, binomial coefficients included."""
        if tau < _NARROW * self._step:
            log_terms = self._log_binomial(mu + tau * _NODES)
            top = log_terms.max(axis=1)
            return float(np.sum(np.log(np.exp(log_terms - top[:, None]) @ _NODE_WEIGHTS) + top))
        low, high = (int((mu + sign * _REACH * tau) / self._step) for sign in (-1, 1))
        columns = self._table.shape[1]
        first, last = (min(max(place - self._first, 0), columns) for place in (low, high + 2))
        z = (np.arange(first, last) + self._first) * (self._step / tau) - mu / tau
        density = np.exp(-0.5 * z * z) * (self._step / (tau * np.sqrt(2 * np.pi)))
        with np.errstate(divide="ignore"):  # an impossible mu has likelihood 0, log -inf
            return float(np.sum(np.log(self._table[:, first:last] @ density) + self._peak))


class MixedModel:
    """Marginal likelihood of k studies; events and n have shape (k,)."""

    def __init__(self, events: Floats, n: Floats) -> None:
        self._events = events
        self._n = n
        with np.errstate(divide="ignore"):  # without events or failures it is never narrow
            steps = _FINE / np.sqrt(events * (n - events) / n)
        steps = np.where(steps < _STEP, steps, np.inf)
        large = np.isfinite(steps)
        self._grids = [
            _Grid(events[i : i + 1], n[i : i + 1], float(steps[i])) for i in np.flatnonzero(large)
        ]
        if not large.all():
            self._grids.append(_Grid(events[~large], n[~large], _STEP))

    def log_likelihood(self, mu: float, tau: float) -> float:
        """Log marginal likelihood, binomial coefficients included."""
        return sum(grid.log_likelihood(mu, tau) for grid in self._grids)

    def _profile(self, mu: float) -> tuple[float, float]:
        """Return tau that maximises the likelihood at mu, and the log likelihood there.

        The whole range is scanned first: one search may climb the lower of two peaks.
        """
        candidates = [(tau, self.log_likelihood(mu, tau)) for tau in _TAUS]
        best = max(range(len(_TAUS)), key=lambda i: candidates[i][1])
        found = minimize_scalar(
            lambda tau: -self.log_likelihood(mu, tau),
            bounds=(_TAUS[max(best - 1, 0)], _TAUS[min(best + 1, len(_TAUS) - 1)]),
            method="bounded",
            options={"xatol": 1e-7},
        )
        return max(candidates[best], (float(found.x), -float(found.fun)), key=lambda pair: pair[1])

    def fit(self) -> MixedModelFit:
        """Maximum likelihood with the profile likelihood interval of mu.

        A limit that the likelihood never rules out, or only for want of a larger tau, is 0 or 1.
        """
        # Of all patients together too: where few respond, it lies below that of each study.
        events = np.append(self._events, self._events.sum())
        failures = np.append(self._n, self._n.sum()) - events
        logits = np.log((events + 0.5) / (failures + 0.5))
        scan = np.linspace(logits.min() - 1, logits.max() + 1, _SCAN)
        heights = [max(self.log_likelihood(float(mu), tau) for tau in _TAUS) for mu in scan]
        top = int(np.argmax(heights))
        best = minimize_scalar(
            lambda mu: -self._profile(mu)[1],
            bounds=(scan[max(top - 1, 0)], scan[min(top + 1, _SCAN - 1)]),
            method="bounded",
            options={"xatol": 1e-7},
        )
        mu = float(best.x)
        tau, peak = self._profile(mu)
        drop = float(chi2.ppf(LEVEL, 1)) / 2

        def gap(at: float) -> float:
            return self._profile(at)[1] - peak + drop

        low, high = _crossing(gap, mu, -1), _crossing(gap, mu, 1)
        if tau == _TAU_MAX or (np.isfinite(low) and self._profile(low)[0] == _TAU_MAX):
            low = -np.inf
        if tau == _TAU_MAX or (np.isfinite(high) and self._profile(high)[0] == _TAU_MAX):
            high = np.inf
        return MixedModelFit(
            estimate=float(expit(mu)),
            ci_low=float(expit(low)),
            ci_high=float(expit(high)),
            tau2=tau**2,
            log_likelihood=peak,
        )


@lru_cache(maxsize=4096)
def fitted(studies: tuple[tuple[int, int], ...]) -> MixedModelFit:
    """The fit to studies with these events and n, remembered."""
    events, n = np.array(studies, dtype=float).T
    return MixedModel(events, n).fit()


def _crossing(gap: Callable[[float], float], start: float, direction: int) -> float:
    """First point from start in a direction where gap turns negative; infinite if it does not."""
    inside, reach = start, 0.5
    while abs(start + direction * reach) < _MU_MAX:
        outside = start + direction * reach
        if gap(outside) < 0:
            return float(brentq(gap, inside, outside, xtol=1e-7))
        inside, reach = outside, reach * 2
    return direction * np.inf
