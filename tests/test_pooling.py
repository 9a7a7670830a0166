from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

from analysis import glmm
from analysis.glmm import TAU_MAX, fit_glmm, marginal_log_likelihood
from analysis.pooling import Pool, State, pool
from analysis.proportions import logit_effects
from analysis.report import Report

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stijnen(arm: str) -> Pool:
    studies = [row for row in rows("stijnen2010.csv") if row["arm"] == arm]
    return pool([int(s["events"]) for s in studies], [int(s["n"]) for s in studies])


@pytest.mark.parametrize(
    ("arm", "mu", "tau2", "glmm_mu", "glmm_tau2"),
    [
        ("control", -3.3018, 0.6629, -3.4964, 0.8124),
        ("treated", -4.2604, 0.3928, -4.8121, 0.8265),
    ],
)
def test_stijnen_2010_table_2(
    arm: str, mu: float, tau2: float, glmm_mu: float, glmm_tau2: float
) -> None:
    """As printed in the article; its GLMM used fewer quadrature points, hence the wider bound."""
    result = stijnen(arm)
    assert result.summary
    assert result.heterogeneity
    assert result.glmm
    assert result.glmm.summary
    assert logit(result.summary.estimate) == pytest.approx(mu, abs=5e-5)
    assert result.heterogeneity.tau2 == pytest.approx(tau2, abs=2e-4)
    assert logit(result.glmm.summary.estimate) == pytest.approx(glmm_mu, abs=5e-4)
    assert result.glmm.tau2 == pytest.approx(glmm_tau2, abs=2e-3)


def test_no_study() -> None:
    result = pool([], [])
    assert (result.state, result.k, result.n, result.summary) == (State.NONE, 0, 0, None)


def test_single_study_is_exact_and_never_modelled() -> None:
    result = pool([48], [108])
    assert result.state is State.SINGLE_STUDY
    assert result.summary
    assert result.summary.estimate == 48 / 108
    assert (result.heterogeneity, result.prediction, result.glmm) == (None, None, None)


def test_two_studies_are_pooled_without_a_prediction() -> None:
    result = pool([20, 30], [40, 50])
    assert result.state is State.TWO_STUDIES
    assert result.summary
    assert result.heterogeneity
    assert (result.prediction, result.p_above_half) == (None, None)


def test_nobody_responding_is_a_state_of_the_second_model() -> None:
    result = pool([0, 0], [8, 9])
    assert result.glmm
    assert result.glmm.why_not == "nobody responded in every study"


def test_mode_is_found_wherever_the_search_goes() -> None:
    """Plain Newton goes to and fro for ever at tau = 3, and so does Newton in a fixed bracket."""
    sizes = (1, 2, 9, 60, 5000)
    n = np.array([size for size in sizes for _ in range(4)], float)
    events = np.array([e for size in sizes for e in (0, size // 3, size - 1, size)], float)
    mu = np.linspace(-30, 30, 61)[:, None, None]
    tau = np.append(0.0, np.geomspace(1e-3, TAU_MAX, 40))[:, None]
    z, curvature = glmm.modes(mu, tau, events, n)
    slope = tau * (events - n * expit(mu + tau * z)) - z
    assert (np.abs(slope / curvature) <= 1e-6 * (1 + np.abs(z))).all()


def test_mode_that_is_not_found_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glmm, "MAX_STEPS", 3)
    with pytest.raises(ArithmeticError, match="no mode of z"):
        fit_glmm([73, 4], [86, 9])


@pytest.mark.parametrize("tau", [0.0, 0.1, 1.0, 3.0, 8.0, TAU_MAX])
@pytest.mark.parametrize(
    ("events", "n"), [(0, 1), (0, 30), (1, 2), (9, 30), (4, 9), (73, 86), (600, 600)]
)
def test_likelihood_is_the_integral(events: int, n: int, tau: float) -> None:
    """By the trapezoidal rule on a fine grid, wherever the likelihood matters."""
    step = 0.1 / (1 + tau * math.sqrt(n))
    z = np.arange(-40, 40, step)
    for mu in (-6.0, 0.4, 15.0):
        eta = mu + tau * z
        coefficient = binom.logpmf(events, n, 0.5) + n * math.log(2)
        log_terms = coefficient + events * eta - n * np.logaddexp(0, eta) + norm.logpdf(z)
        expected = logsumexp(log_terms) + math.log(step)
        if expected > -200:
            found = marginal_log_likelihood(mu, tau, np.array([events * 1.0]), np.array([n * 1.0]))
            assert float(found) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    ("events", "n", "limits"),
    [
        ([73, 4], [86, 9], (0.16811, 0.95964)),
        ([0, 4, 6], [36, 7, 10], (0.00003, 0.97489)),
        ([0, 7, 4, 29], [26, 43, 50, 29], (0.00000, 0.99996)),
    ],
)
def test_profile_limits_are_those_of_a_dense_grid(
    events: list[int], n: list[int], limits: tuple[float, float]
) -> None:
    """A false peak at tau = 13 once put the upper limit of the first at 0.9875."""
    fit = fit_glmm(events, n)
    assert fit.summary
    assert fit.log_likelihood
    assert (fit.summary.low, fit.summary.high) == pytest.approx(limits, abs=1e-5)
    studies = np.array(events, float), np.array(n, float)
    for limit in (fit.summary.low, fit.summary.high):
        likelihoods = marginal_log_likelihood(logit(limit), np.linspace(0, 20, 4001), *studies)
        assert 2 * (fit.log_likelihood - likelihoods.max()) == pytest.approx(3.841459, abs=1e-4)


@pytest.mark.parametrize(
    ("events", "n"),
    [
        ([0, 10], [10, 10]),
        ([0, 1], [1, 1]),
        ([0] * 6 + [9] * 6, [9] * 12),
        ([0, 26, 17, 0, 44], [29, 29, 25, 4, 44]),
    ],
    ids=["extremes", "one each", "many extremes", "limit at a larger tau"],
)
def test_limits_that_only_the_bound_of_tau_sets_are_not_given(
    events: list[int], n: list[int]
) -> None:
    assert fit_glmm(events, n).why_not == "the profile likelihood has no limits"


def test_conservative_interval_is_never_narrower_than_the_variance_allows() -> None:
    """51/100, 40/80, 62/120: plain Knapp-Hartung would give 49 % to 53 %."""
    result = pool([51, 40, 62], [100, 80, 120])
    assert result.summary
    assert result.summary.low == pytest.approx(0.39, abs=0.01)
    assert result.summary.high == pytest.approx(0.63, abs=0.01)


def test_models_may_part_is_flagged() -> None:
    assert pool([3, 4], [10, 12]).models_may_part
    assert pool([190, 95], [200, 100]).models_may_part
    assert not pool([100, 60], [200, 100]).models_may_part


def test_counts_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="2 counts of events for 1 studies"):
        pool([1, 2], [10])


def golden_inputs() -> dict[str, list[tuple[int, int]]]:
    """Events and n of each golden pool's studies."""
    inputs: dict[str, list[tuple[int, int]]] = {}
    for row in rows("metafor_inputs.csv"):
        inputs.setdefault(row["pool"], []).append((int(row["events"]), int(row["n"])))
    return inputs


@pytest.mark.parametrize("golden", rows("metafor_pools.csv"), ids=lambda row: row["pool"])
def test_pool_agrees_with_metafor(golden: dict[str, str]) -> None:
    """Bounds in the scale of the book's digits are 5e-4; these are far below."""
    studies = golden_inputs()[golden["pool"]]
    result = pool([events for events, _ in studies], [n for _, n in studies])
    assert result.k == int(golden["k"])
    assert result.summary
    assert result.heterogeneity
    ours = {
        **{stat: getattr(result.heterogeneity, stat) for stat in vars(result.heterogeneity)},
        **dict(zip(("ci_low", "estimate", "ci_high"), result.summary, strict=True)),
    }
    if result.prediction:
        ours |= {"pi_low": result.prediction.low, "pi_high": result.prediction.high}
    if result.glmm and result.glmm.summary:
        ours |= {"glmm_estimate": result.glmm.summary.estimate, "glmm_tau2": result.glmm.tau2}
    bounds = {"tau2": 1e-6, "i2": 1e-6, "q": 1e-9, "glmm_estimate": 1e-4, "glmm_tau2": 1e-3}
    for stat, text in golden.items():
        if stat in ("pool", "k") or not text:
            continue
        if stat in ("tau2_low", "tau2_high"):
            expected = pytest.approx(float(text), rel=1e-5, abs=1e-6)
        else:
            expected = pytest.approx(float(text), abs=bounds.get(stat, 1e-6))
        assert ours[stat] == expected, stat


def test_goldens_are_of_the_shipped_pools(shipped: Report) -> None:
    ours = {
        prefix: [(study.events, study.n) for study in shipped.members(prefix).studies]
        for prefix, result in shipped.pools.items()
        if result.k > 1
    }
    if ours != golden_inputs():
        pytest.skip("data/ has moved on since the goldens: `nox -s reference` remakes them with R")


def test_tau2_is_the_exact_reml_root(shipped: Report) -> None:
    """The score of the restricted likelihood, set to zero by brentq (Viechtbauer 2005)."""
    for prefix, result in shipped.pools.items():
        if result.k < 2:
            continue
        studies = shipped.members(prefix).studies
        y, v = logit_effects([s.events for s in studies], [s.n for s in studies])

        def score(tau2: float, y=y, v=v) -> float:  # type: ignore[no-untyped-def]
            w = 1 / (v + tau2)
            mu = (w * y).sum() / w.sum()
            return float((w**2 * (y - mu) ** 2).sum() - w.sum() + (w**2).sum() / w.sum())

        root = 0.0 if score(0.0) <= 0 else brentq(score, 0.0, 1e4, xtol=1e-14)
        assert result.heterogeneity
        assert result.heterogeneity.tau2 == pytest.approx(root, abs=1e-6), prefix
