"""The binomial-normal model: exact within studies, normal on the logit scale between them.

events_i ~ Binomial(n_i, expit(mu + tau z_i)), z_i ~ N(0, 1), fitted by maximum likelihood
(Stijnen, Hamza and Ozdemir 2010), z integrated out by adaptive quadrature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize
from scipy.special import chdtri, expit, gammaln

from analysis.proportions import LEVEL, Interval, from_logit

Floats = NDArray[np.float64]

#: Gauss-Legendre on (0, 1). Not Gauss-Hermite: where nobody responded the integrand is a normal
#: curve cut off at a cliff, which 21 of its nodes miss by 7e-4 at tau = 3 and 0.1 at tau = 20.
NODES, NODE_WEIGHTS = (leggauss(32)[0] + 1) / 2, leggauss(32)[1] / 2
#: The integrand is left out where it is below exp(-FALL) of its maximum.
FALL = 32.0
#: tau on the logit scale; beyond it the rates would be 0 or 1 only.
TAU_MAX = 20.0
MU_MAX = 30.0
#: Where the search for the best tau begins, unless a study is so large that it is finer.
TAU_FIRST, TAU_RATIO = 0.05, 1.6
#: Grids of tau, each four times finer than the last.
ZOOMS = 4
#: Fall of the root of twice the log-likelihood from its maximum to a confidence limit.
QUANTILE = float(np.sqrt(chdtri(1, 1 - LEVEL)))
#: To the mode of z; bisection alone would need half of them.
MAX_STEPS = 100


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


def modes(mu: Floats, tau: Floats, events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Each study's most likely z, and how sharply: minus the second derivative there.

    Solves slope(z) = tau (events - n expit(mu + tau z)) - z = 0. The slope falls strictly and is
    bounded by its value at 0 on the root's side, so that the root lies between 0 and slope(0):
    Newton inside that bracket, halving it where a step would leave it or is not half the last
    (Newton alone can go to and fro between the flat ends of expit). The arguments broadcast.
    Raises ArithmeticError if a mode is not found.
    """

    def slope(z: Floats) -> tuple[Floats, Floats]:
        p = expit(mu + tau * z)
        return tau * (events - n * p) - z, 1 + tau**2 * n * p * (1 - p)

    bound, _ = slope(np.zeros(np.broadcast_shapes(mu.shape, tau.shape, n.shape)))
    low, high = np.minimum(bound, 0), np.maximum(bound, 0)
    # Begin where both were normal: the study's logit, shrunk towards mu.
    variance = 1 / (events + 0.5) + 1 / (n - events + 0.5)
    z = np.clip(tau * (_bends(events, n) - mu) / (variance + tau**2), low, high)
    last = high - low
    for _ in range(MAX_STEPS):
        rise, curvature = slope(z)
        low, high = np.where(rise >= 0, z, low), np.where(rise <= 0, z, high)
        step = rise / curvature
        # One that has arrived stays, for its steps no longer halve while others are on their way.
        near = 1e-6 * (1 + np.abs(z))
        trusted = (z + step >= low) & (z + step <= high) & (np.abs(step) <= last / 2)
        trusted |= np.abs(step) <= near
        step = np.where(trusted, step, (low + high) / 2 - z)
        z, last = z + step, np.abs(step)
        if (last <= near).all():
            return z, curvature
    raise ArithmeticError(f"no mode of z within {MAX_STEPS} steps for {events} of {n}")


def marginal_log_likelihood(mu: ArrayLike, tau: ArrayLike, events: Floats, n: Floats) -> Floats:
    """Sum over k studies of the log probability of their events, z integrated out.

    Shape of mu and tau, which broadcast. Right to 1e-8 of its size for tau up to TAU_MAX.
    """
    return _integrate(mu, tau, events, n)[0]


def _score(mu: float, tau: float, events: Floats, n: Floats) -> tuple[float, Floats]:
    """The log-likelihood and its derivatives by mu and tau (Fisher's identity)."""
    value, z, terms = _integrate(mu, tau, events, n)
    shares = terms / terms.sum(axis=-1, keepdims=True)
    residual = shares * (events[:, None] - n[:, None] * expit(mu + tau * z))
    return float(value), np.array([residual.sum(), (z * residual).sum()])


def _integrate(
    mu: ArrayLike, tau: ArrayLike, events: Floats, n: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log-likelihood (...), nodes of z and terms of the integral, scaled (..., k, nodes)."""
    mu, tau = (np.asarray(a, float)[..., None] for a in np.broadcast_arrays(mu, tau))
    edges = _edges(mu, tau, events, n)
    widths = np.diff(edges)
    shape = (*widths.shape[:-1], -1)
    z = (edges[..., :-1, None] + widths[..., None] * NODES).reshape(shape)
    eta = mu[..., None] + tau[..., None] * z
    log_terms = events[:, None] * eta - n[:, None] * np.logaddexp(0, eta) - z**2 / 2
    largest = log_terms.max(axis=-1, keepdims=True)
    terms = np.exp(log_terms - largest) * (widths[..., None] * NODE_WEIGHTS).reshape(shape)
    constant = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    value = (constant - np.log(2 * np.pi) / 2 + largest[..., 0] + np.log(terms.sum(axis=-1))).sum(
        axis=-1
    )
    return value, z, terms


def _edges(mu: Floats, tau: Floats, events: Floats, n: Floats) -> Floats:
    """Ends of three panels of z, between which the integrand is smooth: shape (..., k, 4).

    Panels meet at the mode and where the binomial likelihood bends. The outer ends are where
    tangents of the log integrand, which lie above it as it is concave, have fallen by FALL; nor
    can they be farther than those of a normal curve, since its curvature is 1 or more.
    """
    mode, curvature = modes(mu, tau, events, n)
    mode = mode[..., None]

    def log_integrand(z: Floats) -> Floats:
        eta = mu[..., None] + tau[..., None] * z
        return events[:, None] * eta - n[:, None] * np.logaddexp(0, eta) - z**2 / 2

    def slope(z: Floats) -> Floats:
        p = expit(mu[..., None] + tau[..., None] * z)
        return tau[..., None] * (events[:, None] - n[:, None] * p) - z

    ends = mode + np.array([-4.0, 4.0]) / np.sqrt(curvature)[..., None]
    floor = log_integrand(mode) - FALL
    for _ in range(2):
        ends = ends - (log_integrand(ends) - floor) / slope(ends)
    farthest = np.sqrt(2 * FALL)
    ends = np.clip(ends, mode - farthest, mode + farthest)
    bend = (_bends(events, n) - mu) / np.maximum(tau, 1e-9)
    bend = np.clip(bend[..., None], ends[..., :1], ends[..., 1:])
    return np.sort(np.concatenate([ends, mode, bend], axis=-1), axis=-1)


def _taus(events: Floats, n: Floats) -> Floats:
    """Where the search for tau begins: 0, then from the width of the narrowest study to TAU_MAX.

    The likelihood of a study as a function of mu + tau z is some sqrt(1 / e + 1 / (n - e)) wide, so
    that below this width tau changes little.
    """
    narrowest = float(np.sqrt(1 / (events + 0.5) + 1 / (n - events + 0.5)).min())
    first = min(TAU_FIRST, narrowest)
    count = int(np.ceil(np.log(TAU_MAX / first) / np.log(TAU_RATIO))) + 1
    return np.concatenate([[0.0], np.geomspace(first, TAU_MAX, count)])


def _bends(events: Floats, n: Floats) -> Floats:
    """Logit of each study's rate, a half added to both counts."""
    return np.log((events + 0.5) / (n - events + 0.5))


def fit_glmm(events: Sequence[int], n: Sequence[int]) -> Glmm:
    """Fit the model to k >= 2 studies.

    When nobody or everybody responded, or each study's rate is 0 or 1, the likelihood has no
    maximum: a state, not an error. Raises ValueError for fewer than two studies.
    """
    e, size = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    if len(e) < 2:
        raise ValueError("the binomial-normal model needs at least two studies")
    if e.sum() == 0 or e.sum() == size.sum():
        who = "nobody" if e.sum() == 0 else "everybody"
        return Glmm(None, why_not=f"{who} responded in every study")
    mu, tau, log_likelihood = _maximum(e, size)
    low = _crossing(mu, -1, log_likelihood, e, size)
    high = _crossing(mu, +1, log_likelihood, e, size)
    if low is None or high is None or tau >= TAU_MAX:
        return Glmm(None, why_not="the profile likelihood has no limits")
    return Glmm(from_logit(low, mu, high), tau**2, log_likelihood)


def _maximum(events: Floats, n: Floats) -> tuple[float, float, float]:
    """mu and tau of the largest log-likelihood, and that: the best of a grid, improved."""
    logits = _bends(events, n)
    grid_mu, grid_tau = np.meshgrid(
        np.linspace(logits.min(), logits.max(), 9), _taus(events, n)[1:]
    )
    best = marginal_log_likelihood(grid_mu, grid_tau, events, n).argmax()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        value, gradient = _score(parameters[0], parameters[1], events, n)
        return -value, -gradient

    found = minimize(
        loss,
        np.array([grid_mu.flat[best], grid_tau.flat[best]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-MU_MAX, MU_MAX), (0.0, TAU_MAX)],
        options={"ftol": 1e-14, "gtol": 1e-7},
    )
    crude = float(np.log(events.sum() / (n - events).sum()))
    at_zero = float(marginal_log_likelihood(crude, 0.0, events, n))
    if at_zero >= -found.fun:
        return crude, 0.0, at_zero
    return float(found.x[0]), float(found.x[1]), -float(found.fun)


def profile(mu: float, events: Floats, n: Floats) -> tuple[float, float]:
    """Largest log-likelihood over tau at a fixed mu (to 1e-5), and that tau.

    A grid over all of tau, since the likelihood may have two peaks, then finer ones at its best,
    and the parabola through the three best points of the last.
    """
    taus, best = _taus(events, n), 0
    for zoom in range(ZOOMS):
        if zoom:
            taus = np.linspace(taus[max(best - 1, 0)], taus[min(best + 1, len(taus) - 1)], 9)
        values = marginal_log_likelihood(mu, taus, events, n)
        best = int(values.argmax())
    top, tau = float(values[best]), float(taus[best])
    if 0 < best < len(taus) - 1:
        before, after = top - values[best - 1], top - values[best + 1]
        if before + after > 0:
            shift = float((before - after) / (before + after)) / 2
            top += float(before - after) * shift / 4
            tau += shift * float(taus[1] - taus[0])
    return top, tau


def _crossing(mu: float, sign: int, top: float, events: Floats, n: Floats) -> float | None:
    """The point beside mu where the profile is QUANTILE below top, by doubling steps and brentq.

    None where it never does, or only because tau may not exceed TAU_MAX.
    """
    profiles = {mu: (top, 0.0)}

    # The root of the deviance is nearly straight in mu, which suits brentq.
    def excess(candidate: float) -> float:
        if candidate not in profiles:
            profiles[candidate] = profile(candidate, events, n)
        deviance = 2 * max(0.0, top - profiles[candidate][0])
        return float(np.sqrt(deviance)) - QUANTILE

    inner, step = mu, 0.5
    while abs(inner - mu) < MU_MAX:
        outer = inner + sign * step
        if excess(outer) > 0:
            found = float(brentq(excess, inner, outer, xtol=1e-6))
            return None if profiles[found][1] == TAU_MAX else found
        inner, step = outer, 2 * step
    return None
