"""The binomial-normal model: exact within studies, normal on the logit scale between them.

events_i ~ Binomial(n_i, expit(mu + tau z_i)), z_i ~ N(0, 1), fitted by maximum likelihood with
adaptive Gauss-Hermite quadrature (Stijnen, Hamza and Ozdemir 2010; Pinheiro and Bates 1995).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import chdtri, expit, gammaln

from analysis.proportions import LEVEL, Interval, from_logit

NODES, NODE_WEIGHTS = hermegauss(21)
LOG_WEIGHTS = np.log(NODE_WEIGHTS) + NODES**2 / 2 - 0.5 * np.log(2 * np.pi)
#: tau on the logit scale; beyond it the rates would be 0 or 1 only.
TAU_MAX = 20.0
MU_MAX = 30.0


@dataclass(frozen=True)
class Glmm:
    """Result of the binomial-normal model.

    `summary` is the rate at mu with its 95 % profile-likelihood limits, None when the model
    cannot be estimated (`why_not` then says so); tau2 is on the logit scale.
    """

    summary: Interval | None
    tau2: float | None = None
    log_likelihood: float | None = None
    why_not: str = ""


def marginal_log_likelihood(
    mu: float, tau: float, events: NDArray[np.float64], n: NDArray[np.float64]
) -> float:
    """Sum over k studies of the log probability of their events, z integrated out.

    Adaptive: nodes are centred on each study's mode of z and scaled by its curvature.
    """
    constant = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    z = np.zeros_like(events)
    for _ in range(50):
        p = expit(mu + tau * z)
        step = (tau * (events - n * p) - z) / (1 + tau**2 * n * p * (1 - p))
        # Damped: a full Newton step can overshoot where p is near 0 or 1.
        z = z + np.clip(step, -2.0, 2.0)
        # The nodes need only be near the mode, not on it.
        if np.abs(step).max() < 1e-6:
            break
    p = expit(mu + tau * z)
    scale = 1 / np.sqrt(1 + tau**2 * n * p * (1 - p))
    u = z[:, None] + scale[:, None] * NODES
    eta = mu + tau * u
    log_terms = events[:, None] * eta - n[:, None] * np.logaddexp(0, eta) - u**2 / 2 + LOG_WEIGHTS
    largest = log_terms.max(axis=1)
    integral = np.exp(log_terms - largest[:, None]).sum(axis=1)
    return float((constant + largest + np.log(integral * scale)).sum())


def fit_glmm(events: Sequence[int], n: Sequence[int]) -> Glmm:
    """Fit the model to k >= 2 studies.

    When nobody or everybody responded the likelihood has no maximum: a state, not an error.
    Raises ValueError for fewer than two studies.
    """
    e, size = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    if len(e) < 2:
        raise ValueError("the binomial-normal model needs at least two studies")
    if e.sum() == 0 or e.sum() == size.sum():
        who = "nobody" if e.sum() == 0 else "everybody"
        return Glmm(None, why_not=f"{who} responded in every study")

    def loss(parameters: NDArray[np.float64]) -> float:
        return -marginal_log_likelihood(parameters[0], parameters[1], e, size)

    crude = e.sum() / size.sum()
    start_mu = float(np.log(crude / (1 - crude)))
    fits = [
        minimize(
            loss,
            np.array([start_mu, tau]),
            method="L-BFGS-B",
            bounds=[(-MU_MAX, MU_MAX), (0.0, TAU_MAX)],
            options={"ftol": 1e-14, "gtol": 1e-7},
        )
        for tau in (0.2, 1.0)
    ]
    best = min(fits, key=lambda fit: fit.fun)
    mu, tau = float(best.x[0]), float(best.x[1])
    at_zero = -loss(np.array([start_mu, 0.0]))
    log_likelihood = -float(best.fun)
    if at_zero >= log_likelihood:
        mu, tau, log_likelihood = start_mu, 0.0, at_zero
    limits = _profile_limits(mu, tau, log_likelihood, e, size)
    if limits is None:
        return Glmm(None, why_not="the profile likelihood has no limits")
    low, high = limits
    return Glmm(from_logit(low, mu, high), tau**2, log_likelihood)


def _profile_limits(
    mu: float,
    tau: float,
    log_likelihood: float,
    events: NDArray[np.float64],
    n: NDArray[np.float64],
) -> tuple[float, float] | None:
    """Where the profile log-likelihood of mu has fallen by half a chi-squared quantile."""
    drop = float(chdtri(1, 1 - LEVEL)) / 2

    def excess(candidate: float) -> float:
        return log_likelihood - drop - _profile(candidate, tau, events, n)

    low = _first_crossing(excess, mu, -1)
    high = _first_crossing(excess, mu, +1)
    return None if low is None or high is None else (low, high)


def _profile(mu: float, tau: float, events: NDArray[np.float64], n: NDArray[np.float64]) -> float:
    """Largest log-likelihood over tau at a fixed mu."""

    def loss(candidate: float) -> float:
        return -marginal_log_likelihood(mu, candidate, events, n)

    # First near the fitted tau, where it mostly lies; over the whole range only if it does not.
    # The likelihood is flat at its top: 1e-4 in tau is 1e-8 in the log-likelihood.
    upper = 2 * tau + 1.0
    near = minimize_scalar(loss, bounds=(0.0, upper), method="bounded", options={"xatol": 1e-4})
    largest = max(-float(near.fun), -loss(0.0))
    if near.x < 0.9 * upper:
        return largest
    wide = minimize_scalar(loss, bounds=(0.0, TAU_MAX), method="bounded", options={"xatol": 1e-4})
    return max(largest, -float(wide.fun))


def _first_crossing(excess: Callable[[float], float], mu: float, sign: int) -> float | None:
    """The point beside mu where excess turns positive, found by doubling steps and brentq."""
    inner, step = mu, 0.5
    while abs(inner - mu) < MU_MAX:
        outer = inner + sign * step
        if excess(outer) > 0:
            return float(brentq(excess, min(inner, outer), max(inner, outer), xtol=1e-6))
        inner, step = outer, 2 * step
    return None
