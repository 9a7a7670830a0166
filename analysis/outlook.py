"""What a new study would see, and what a next study would have to show to change a pool.

The predictive distribution of a new study's true rate is t with k-1 df on the logit scale (Riley
2011 with the degrees of freedom of metafor's predict(); see pooling.py). It is shown as the
probability of exceeding each rate and not as a density: on the rate scale the density of a
t distribution grows without bound towards 0 and 1, which says nothing about patients.

A next study is pooled with the present ones by the same method: tau2 by REML, here at the exact
root of its score, and the conservative Knapp-Hartung interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logit, ndtri, stdtr, stdtrit

from analysis.pooling import HALF, POOL_MIN_K, PREDICTION_MIN_K, Pool
from analysis.proportions import LEVEL, Interval, from_logit, logit_effects
from analysis.selection import Members, Selection

Floats = NDArray[np.float64]

#: The share of its width to which a next study is to narrow the interval.
SHARE = 0.5
#: A next study is thought of with at most so many patients, and at most so many further studies.
LARGEST_STUDY = 10_000
MOST_STUDIES = 100

#: PyMARE's tau2 lies closer to the root of the score than this, times 1 + tau2 (measured: 1e-6).
_NEAR = 1e-4


@dataclass(frozen=True)
class Predictive:
    """The distribution of a new study's rate: location + scale times t with df, on logits."""

    location: float
    scale: float
    df: int

    def above(self, rate: ArrayLike) -> Floats:
        """Probability that the true rate of a new study exceeds each rate; same shape."""
        p = np.asarray(rate, dtype=float)
        return np.asarray(stdtr(self.df, (self.location - logit(p)) / self.scale), dtype=float)

    def limits_if_many(self) -> Interval:
        """The limits that the same scatter would give if it had been seen in many studies."""
        half_width = float(ndtri((1 + LEVEL) / 2)) * self.scale
        return from_logit(self.location - half_width, self.location, self.location + half_width)

    @property
    def quantile(self) -> float:
        """How many times its scale the limits of the prediction interval lie from its middle."""
        return float(stdtrit(self.df, (1 + LEVEL) / 2))


def many_studies_quantile() -> float:
    """What `Predictive.quantile` tends to as the studies become many."""
    return float(ndtri((1 + LEVEL) / 2))


def predictive(pool: Pool) -> Predictive | None:
    """The predictive distribution of a pool, None where it has no prediction interval."""
    if pool.prediction is None or pool.k < PREDICTION_MIN_K:
        return None
    # The nearer limit to 0 keeps its digits as a float however near it is, that to 1 does not.
    low, location = (float(logit(rate)) for rate in pool.prediction[:2])
    df = pool.k - 1
    return Predictive(location, (location - low) / float(stdtrit(df, (1 + LEVEL) / 2)), df)


class Reach(StrEnum):
    """Whether one next study can narrow the interval enough: of any size, of some, of none."""

    ANY = "any_size"
    SOME = "some_size"
    NONE = "no_size"


@dataclass(frozen=True)
class Narrowing:
    """What it takes to narrow a pool's interval to SHARE of its width on the rate scale.

    Every further study is taken to find just the pooled rate. `patients` is the size at which one
    next study suffices (real-valued), None unless reach is SOME. `remaining` is the share of the
    width that one of LARGEST_STUDY patients would leave. `typical` is the median size of the
    present studies, `studies` how many further ones of that size suffice and `after` the interval
    with them, both None where MOST_STUDIES do not.
    """

    width: float
    reach: Reach
    patients: float | None
    remaining: float
    typical: float
    studies: int | None
    after: Interval | None


@dataclass(frozen=True)
class Turn:
    """Results of a next study after which the interval would lie on one side of one half.

    fewest, most: the smallest and the largest number of responders among them, None where there
    is none. nearest: the limit on that side that comes furthest (the highest lower or the lowest
    upper one), and at: the number of responders with which it does.
    """

    fewest: int | None
    most: int | None
    nearest: float
    at: int


@dataclass(frozen=True)
class NextStudy:
    """What one next study of n patients could show: where the interval would lie above one half,
    and where below it."""

    n: int
    above: Turn
    below: Turn


def reml_score(tau2: float, y: Floats, v: Floats) -> float:
    """Slope of the restricted log likelihood at tau2 (Viechtbauer 2005); y and v of shape (k,)."""
    w = 1 / (v + tau2)
    total = w.sum()
    residual = y - (w * y).sum() / total
    return float(((w * residual) ** 2).sum() - total + (w**2).sum() / total) / 2


def reml(y: Floats, v: Floats) -> Floats:
    """REML estimates of tau2 for m sets of k effects, shape (k, m) each; the result has shape (m,).

    PyMARE finds the global maximum; the root of the score beside it is then found exactly.
    """
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    fit = VarianceBasedLikelihoodEstimator(method="REML").fit(
        y.copy(), v.copy(), np.ones((len(y), 1))
    )
    found = np.array(fit.params_["tau2"], dtype=float).ravel()
    return np.array([_exact(t, y[:, i], v[:, i]) for i, t in enumerate(found)])


def _exact(tau2: float, y: Floats, v: Floats) -> float:
    """The maximum of the restricted likelihood next to tau2: a root of the score, or 0."""
    step = _NEAR * (1 + tau2)
    low, high = max(0.0, tau2 - step), tau2 + step
    if reml_score(low, y, v) > 0 > reml_score(high, y, v):
        return float(brentq(reml_score, low, high, args=(y, v), xtol=1e-15, rtol=1e-14))
    return 0.0 if low == 0 else tau2


def intervals(y: Floats, v: Floats) -> list[Interval]:
    """The conservative Knapp-Hartung interval of each of m pools; y and v have shape (k, m)."""
    df = len(y) - 1
    w = 1 / (v + reml(y, v))
    total = w.sum(axis=0)
    mu = (w * y).sum(axis=0) / total
    factor = np.maximum(1, (w * (y - mu) ** 2).sum(axis=0) / df)
    half_width = float(stdtrit(df, (1 + LEVEL) / 2)) * np.sqrt(factor / total)
    limits = zip(mu - half_width, mu, mu + half_width, strict=True)
    return [from_logit(float(low), float(middle), float(high)) for low, middle, high in limits]


def _width(interval: Interval) -> float:
    return interval.high - interval.low


def narrowing(events: Sequence[int], n: Sequence[int]) -> Narrowing:
    """What it takes to narrow the interval of a pool of k >= 2 studies to SHARE of its width.

    A further study of m patients brings its expected counts at the pooled rate p, real-valued:
    a logit of p with the variance 1 / (m p) + 1 / (m (1 - p)).
    """
    y, v = (effects[:, None] for effects in logit_effects(events, n))
    present = intervals(y, v)[0]
    p, width = present.estimate, _width(present)
    new_y = float(logit(p))

    def after(patients: float, studies: int = 1) -> Interval:
        """The interval after so many further studies of so many patients."""
        new_v = 1 / (patients * p) + 1 / (patients * (1 - p))
        more = np.ones((studies, 1))
        return intervals(np.vstack([y, new_y * more]), np.vstack([v, new_v * more]))[0]

    def left(patients: float, studies: int = 1) -> float:
        return _width(after(patients, studies)) / width

    remaining = left(LARGEST_STUDY)
    patients = None
    if left(1) <= SHARE:
        reach = Reach.ANY
    elif remaining > SHARE:
        reach = Reach.NONE
    else:
        reach = Reach.SOME
        patients = float(brentq(lambda m: left(m) - SHARE, 1, LARGEST_STUDY, xtol=1e-10))
    typical = float(np.median(n))
    studies = next((m for m in range(1, MOST_STUDIES + 1) if left(typical, m) <= SHARE), None)
    pooled = after(typical, studies) if studies else None
    return Narrowing(width, reach, patients, remaining, typical, studies, pooled)


def next_study(events: Sequence[int], n: Sequence[int], size: int) -> NextStudy:
    """Where the interval of a pool of k >= 1 studies would lie after each result of a next study.

    The next study has `size` patients; each number of responders from 0 to size is tried.
    """
    results = range(size + 1)
    y, v = (
        np.array(effects)
        for effects in zip(
            *(logit_effects([*events, result], [*n, size]) for result in results), strict=True
        )
    )
    pooled = intervals(y.T, v.T)
    lows, highs = [i.low for i in pooled], [i.high for i in pooled]
    highest, lowest = int(np.argmax(lows)), int(np.argmin(highs))
    above = [result for result in results if lows[result] > HALF]
    below = [result for result in results if highs[result] < HALF]
    return NextStudy(
        size,
        Turn(min(above, default=None), max(above, default=None), lows[highest], highest),
        Turn(min(below, default=None), max(below, default=None), highs[lowest], lowest),
    )


@dataclass(frozen=True)
class Outlook:
    """What a next study would have to show to change one pool; None where the pool is too small,
    or no size for a next study is known."""

    narrowing: Narrowing | None
    next_study: NextStudy | None


def outlook(members: Members, cited: Members) -> Outlook:
    """The outlook of a pool; a next study is as large as the cited study of the same outcome."""
    if len(members.studies) < POOL_MIN_K:
        return Outlook(None, None)
    events = [study.events for study in members.studies]
    n = [study.n for study in members.studies]
    size = max((study.n for study in cited.studies), default=None)
    return Outlook(narrowing(events, n), next_study(events, n, size) if size else None)


def outlooks(chosen: Selection, therapy: str) -> dict[str, Outlook]:
    """By prefix the outlook of a therapy's pools of overall and of complete response."""
    return {
        prefix: outlook(chosen.members[prefix], chosen.members[f"cited.{therapy}.{outcome}"])
        for outcome in ("overall_response", "complete_response")
        for prefix in (f"pool.{therapy}.{outcome}",)
    }
