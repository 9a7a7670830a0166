"""How well the methods do: made-up sets of studies of which the truth is known.

Each scenario is a number of studies k, a median rate and a variance between studies tau2. The true
rates of the studies are expit(logit(rate) + tau z) with z normal, their sizes like those of the
shipped data, their events binomial. An interval covers when the median rate lies in it: the rate
of the middle study, which is what a pool on the logit scale estimates, not the mean of the rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from analysis.glmm import fit_glmm
from analysis.pooling import PREDICTION_MIN_K, fit_reml, t_quantile
from analysis.proportions import LEVEL, logit_effects

Floats = NDArray[np.float64]

KS = (2, 3, 5, 10, 20)
RATES = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
TAU2S = (0.0, 0.1, 0.5, 1.0, 2.0)
DATASETS = 10_000
#: The binomial-normal model is slow: it is tried where tau2 is this, on some of the sets. Rates
#: above one half would mirror those below.
GLMM_RATES = (0.05, 0.1, 0.3, 0.5)
GLMM_TAU2 = 0.5
GLMM_DATASETS = 200
#: Sizes of studies: log-normal with this median and spread (of the logarithm), between limits.
SIZE_MEDIAN, SIZE_SPREAD = 45, 0.9
SIZE_LEAST, SIZE_MOST = 5, 400
SEED = 4
#: Coverage below this is called too low.
FLOOR = 0.9


class Scenario(NamedTuple):
    """The truth: k studies with this median rate, tau2 between them on the logit scale."""

    k: int
    rate: float
    tau2: float


SCENARIOS = tuple(Scenario(*truth) for truth in product(KS, RATES, TAU2S))


class Draws(NamedTuple):
    """Made-up data of one scenario: events and n (k, m) of m sets, and a further study's logit."""

    events: NDArray[np.int64]
    n: NDArray[np.int64]
    new: Floats


class Outcome(NamedTuple):
    """What the methods made of one scenario; None where a method was not tried.

    `covered` counts the sets whose interval holds the median rate (for the prediction interval:
    the true rate of a further study); `width` is its mean width as a fraction, `estimate` the mean
    of the estimated rates. The first three are of the book's own interval. The columns of the
    binomial-normal model are of the sets, out of GLMM_DATASETS, in which it could be estimated.
    """

    k: int
    rate: float
    tau2: float
    estimate: float
    covered: int
    width: float
    plain_covered: int
    plain_width: float
    wald_covered: int
    wald_width: float
    prediction_covered: int | None = None
    prediction_width: float | None = None
    glmm_estimated: int | None = None
    glmm_estimate: float | None = None
    glmm_covered: int | None = None
    glmm_width: float | None = None


def outcomes(record: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes in a record that `to_record` made."""
    return [Outcome(*row) for row in record["rows"]]


def to_record(found: list[Outcome], seed: int) -> dict[str, Any]:
    """All that the book says of a run, for analysis/records/simulation.json."""
    return {
        "seed": seed,
        "datasets": DATASETS,
        "glmm_datasets": GLMM_DATASETS,
        "sizes": {
            "median": SIZE_MEDIAN, "spread": SIZE_SPREAD, "least": SIZE_LEAST, "most": SIZE_MOST,
        },
        "columns": list(Outcome._fields),
        "rows": [list(outcome) for outcome in found],
    }  # fmt: skip


def draw(scenario: Scenario, datasets: int = DATASETS, seed: int = SEED) -> Draws:
    """Make up the data of one scenario; each has its own seed, and so can be drawn alone."""
    k, rate, tau2 = scenario
    dice = np.random.default_rng([seed, k, round(1000 * rate), round(1000 * tau2)])
    sizes = np.exp(np.log(SIZE_MEDIAN) + SIZE_SPREAD * dice.standard_normal((k, datasets)))
    n = np.clip(np.round(sizes), SIZE_LEAST, SIZE_MOST).astype(np.int64)
    true = logit(rate) + np.sqrt(tau2) * dice.standard_normal((k + 1, datasets))
    return Draws(dice.binomial(n, expit(true[:k])), n, true[k])


def run(scenario: Scenario, datasets: int = DATASETS, glmm_datasets: int = GLMM_DATASETS,
        seed: int = SEED) -> Outcome:  # fmt: skip
    """Draw one scenario and put every method to it."""
    draws = draw(scenario, datasets, seed)
    outcome = two_step(scenario, draws)
    if scenario.rate in GLMM_RATES and scenario.tau2 == GLMM_TAU2:
        first = slice(glmm_datasets)
        found = second_model(scenario, draws.events[:, first], draws.n[:, first])
        outcome = outcome._replace(**found)
    return outcome


def two_step(scenario: Scenario, draws: Draws) -> Outcome:
    """The pool of the book on all sets at once, beside plain Knapp-Hartung and Wald intervals.

    These two are made from the same tau2: the standard error times the root of the scale Q/(k-1)
    that the book's variant floors at one (Knapp and Hartung 2003), and as it is with the normal
    distribution.
    """
    k, rate, _ = scenario
    y, v = logit_effects(draws.events, draws.n)
    fit = fit_reml(y, v)
    effect = fit.get_fe_stats()
    mu, se, low, high = (effect[name][0] for name in ("est", "se", "ci_l", "ci_u"))
    tau2 = fit.tau2[0]
    if not np.isfinite([mu, se, low, high, tau2]).all():
        raise ArithmeticError(f"PyMARE gave no finite pool for some sets of {scenario}")
    weights = 1 / (v + tau2)
    wald_se = 1 / np.sqrt(weights.sum(axis=0))
    plain_se = wald_se * np.sqrt((weights * (y - mu) ** 2).sum(axis=0) / (k - 1))
    truth = np.full_like(mu, logit(rate))
    covered, width = _score(low, high, truth)
    plain = _score(mu - t_quantile(k) * plain_se, mu + t_quantile(k) * plain_se, truth)
    z = ndtri((1 + LEVEL) / 2)
    wald = _score(mu - z * wald_se, mu + z * wald_se, truth)
    prediction: tuple[int | None, float | None] = (None, None)
    if k >= PREDICTION_MIN_K:
        half = t_quantile(k) * np.sqrt(tau2 + se**2)
        prediction = _score(mu - half, mu + half, draws.new)
    estimate = round(float(expit(mu).mean()), 6)
    return Outcome(*scenario, estimate, covered, width, *plain, *wald, *prediction)


def second_model(
    scenario: Scenario, events: NDArray[np.int64], n: NDArray[np.int64]
) -> dict[str, Any]:
    """The binomial-normal model, one set after another: the columns of Outcome that it fills."""
    fits = [fit_glmm(*studies) for studies in zip(events.T.tolist(), n.T.tolist(), strict=True)]
    found = np.array([fit.summary for fit in fits if fit.summary])
    low, estimate, high = found.T
    return {
        "glmm_estimated": len(found),
        "glmm_estimate": round(float(estimate.mean()), 6),
        "glmm_covered": int(((low <= scenario.rate) & (scenario.rate <= high)).sum()),
        "glmm_width": round(float((high - low).mean()), 6),
    }


def _score(low: Floats, high: Floats, truth: Floats) -> tuple[int, float]:
    """How many intervals, on the logit scale, hold the truth, and their mean width as rates."""
    covered = int(((low <= truth) & (truth <= high)).sum())
    return covered, round(float((expit(high) - expit(low)).mean()), 6)
