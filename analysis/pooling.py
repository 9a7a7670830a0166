"""Random-effects pools of proportions by PyMARE, with an explicit state for every pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.glmm import Glmm, fit_glmm
from analysis.proportions import LEVEL, Interval, exact_interval, from_logit, logit_effects

#: Beyond these the two-step model and the GLMM may part (Lin and Chu 2020).
FEW_PATIENTS = 50
EXTREME_RATES = (0.1, 0.9)
#: A rate above which "more than half respond".
HALF = 0.5
#: From this number of studies on there is a pool (State has a state for fewer).
POOL_MIN_K = 2
#: From this number of studies on there is a prediction interval.
PREDICTION_MIN_K = 3


class State(StrEnum):
    """What a pool can say, by its number of studies."""

    NONE = "none"
    SINGLE_STUDY = "single_study"
    TWO_STUDIES = "two_studies"
    POOLED = "pooled"

    @classmethod
    def of(cls, k: int) -> State:
        """The state of a pool of k studies."""
        return (cls.NONE, cls.SINGLE_STUDY, cls.TWO_STUDIES)[k] if k < 3 else cls.POOLED


@dataclass(frozen=True)
class Heterogeneity:
    """Between-study variance on the scale of pooling (tau2, its Q-profile interval), I2 and Q."""

    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    q: float


@dataclass(frozen=True)
class Pool:
    """The result of one pool; what its state does not allow is None.

    `summary` is the pooled rate with its 95 % confidence limits (for a single study the exact
    interval), `prediction` the 95 % prediction interval around the same rate, `p_above_half` the
    probability that a new, comparable study's true rate exceeds one half, `weights` sum to 1.
    """

    state: State
    k: int
    events: int
    n: int
    summary: Interval | None = None
    prediction: Interval | None = None
    p_above_half: float | None = None
    heterogeneity: Heterogeneity | None = None
    weights: tuple[float, ...] = ()
    glmm: Glmm | None = None

    @property
    def models_may_part(self) -> bool:
        """Whether the two-step model is known to be strained: few patients or extreme rates."""
        if self.k < 2:
            return False
        low, high = EXTREME_RATES
        return self.n < FEW_PATIENTS or not low <= self.events / self.n <= high


def typical_variance(v: NDArray[np.float64]) -> float:
    """The "typical" within-study variance of Higgins and Thompson 2002."""
    w = 1 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))


def cochran_q(y: NDArray[np.float64], v: NDArray[np.float64]) -> float:
    """Cochran's Q: weighted squared distances of the k effects from their common-effect mean."""
    w = 1 / v
    return float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())


def t_quantile(k: int) -> float:
    """Standard errors from the mean of k studies to a limit: t with k-1 degrees of freedom."""
    return float(stdtrit(k - 1, (1 + LEVEL) / 2))


def pool(events: Sequence[int], n: Sequence[int], glmm: Glmm | None = None) -> Pool:
    """Pool k studies with the given events and n.

    Logit scale; tau2 by REML; 95 % limits by the conservative Knapp-Hartung method (variance
    factor floored at 1, t with k-1 df; Röver 2015); prediction interval t with k-1 df on
    sqrt(tau2 + se2) (Riley 2011, who take k-2 df; k-1 as metafor's predict() does); I2 from tau2
    (Higgins and Thompson 2002). One study is never sent to the model. `glmm` is the binomial-normal
    model of the same counts where it has been fitted already.
    Raises ValueError where events and n do not match, and ArithmeticError where the model fails.
    """
    if len(events) != len(n):
        raise ValueError(f"{len(events)} counts of events for {len(n)} studies")
    k, total_events, total_n = len(n), int(sum(events)), int(sum(n))
    state = State.of(k)
    if state is State.NONE:
        return Pool(state, k, total_events, total_n)
    if state is State.SINGLE_STUDY:
        return Pool(state, k, total_events, total_n, exact_interval(total_events, total_n))

    y, v = logit_effects(events, n)
    fit = random_effects(y, v)
    threshold = np.log(HALF / (1 - HALF))
    return Pool(
        state,
        k,
        total_events,
        total_n,
        summary=from_logit(fit.low, fit.mu, fit.high),
        prediction=fit.prediction and from_logit(fit.prediction[0], fit.mu, fit.prediction[1]),
        p_above_half=fit.p_above(threshold),
        heterogeneity=fit.heterogeneity,
        weights=fit.weights,
        glmm=glmm or fit_glmm(events, n),
    )


@dataclass(frozen=True)
class RandomEffects:
    """The mean `mu` of k >= 2 effects on their own scale, its standard error and 95 % limits.

    `se` is before the t quantile, after the Knapp-Hartung factor; `weights` sum to 1.
    """

    k: int
    mu: float
    se: float
    low: float
    high: float
    heterogeneity: Heterogeneity
    weights: tuple[float, ...]

    @property
    def _spread(self) -> float:
        return float(np.sqrt(self.heterogeneity.tau2 + self.se**2))

    @property
    def prediction(self) -> tuple[float, float] | None:
        """The 95 % prediction limits; None for fewer than PREDICTION_MIN_K studies."""
        if self.k < PREDICTION_MIN_K:
            return None
        half_width = t_quantile(self.k) * self._spread
        return self.mu - half_width, self.mu + half_width

    def p_above(self, threshold: float) -> float | None:
        """Probability that the true effect of a new study exceeds the threshold, None as above."""
        if self.k < PREDICTION_MIN_K:
            return None
        return float(stdtr(self.k - 1, (self.mu - threshold) / self._spread))


def random_effects(y: NDArray[np.float64], v: NDArray[np.float64]) -> RandomEffects:
    """Pool k >= 2 effects y with variances v (shape (k,) each), on their own scale.

    The methods are those of `pool`. Raises ValueError for a variance that is not positive, and
    ArithmeticError where the model fails.
    """
    fit = fit_reml(y, v)
    # Results are cached inside PyMARE: take plain floats out at once.
    effect, limits = fit.get_fe_stats(), fit.get_re_stats()
    mu, se = float(effect["est"].item()), float(effect["se"].item())
    tau2 = float(limits["tau^2"].item())
    low, high = float(effect["ci_l"].item()), float(effect["ci_u"].item())
    if not np.isfinite([mu, se, tau2, low, high]).all():
        raise ArithmeticError(f"PyMARE gave no finite pool for {y} with variances {v}")
    weights = 1 / (v + tau2)
    return RandomEffects(
        len(y),
        mu,
        se,
        low,
        high,
        heterogeneity=Heterogeneity(
            tau2=tau2,
            tau2_low=float(limits["ci_l"].item()),
            tau2_high=float(limits["ci_u"].item()),
            i2=tau2 / (tau2 + typical_variance(v)),
            q=cochran_q(y, v),
        ),
        weights=tuple((weights / weights.sum()).tolist()),
    )


def fit_reml(  # type: ignore[no-untyped-def]
    y: NDArray[np.float64], v: NDArray[np.float64], x: NDArray[np.float64] | None = None
):
    """PyMARE's REML fit of effects y with variances v (shape (k,) each) on the design x.

    x has shape (k, p) and full rank, its intercept included; None stands for an intercept alone.
    y and v may have shape (k, m), for m pools at once: the search then goes on until the last of
    them has converged, so that one by itself may differ by some 1e-6.
    Raises ValueError for variances that PyMARE would accept silently.
    """
    if not ((v > 0) & np.isfinite(v)).all():
        raise ValueError("variances must be positive and finite: PyMARE accepts others silently")
    # Imported here because it costs two seconds that only pooling should pay.
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    design = np.ones((len(y), 1)) if x is None else x.copy()
    data = Dataset(y=y.copy(), v=v.copy(), X=design, add_intercept=False)
    estimator = VarianceBasedLikelihoodEstimator(
        method="REML", small_sample_correction="knapp-hartung-conservative"
    )
    return estimator.fit_dataset(data).summary()
