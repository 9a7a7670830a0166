"""The second road through the statistics agrees with published results, R and PyMARE."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import binom, norm
from scipy.stats import t as student_t

from checks import statistics
from checks.mixed_model import MixedModel

# Nielweise 2007 (R metadat dat.nielweise2007): catheter infections, control and treated arms.
CONTROL = np.array([3, 3, 9, 7, 6, 4, 3, 2, 19, 2, 7, 1, 5, 11, 0, 1, 3, 1.0])
CONTROL_N = np.array(
    [117, 35, 195, 136, 157, 139, 177, 39, 103, 122, 64, 58, 175, 180, 105, 262, 362, 69.0]
)
TREATED = np.array([0, 1, 2, 0, 5, 1, 1, 1, 1, 1, 0, 0, 3, 6, 0, 0, 1, 4.0])
TREATED_N = np.array(
    [116, 44, 208, 130, 151, 98, 174, 74, 97, 113, 66, 70, 188, 187, 118, 252, 345, 64.0]
)


@pytest.mark.parametrize(
    ("events", "n", "estimate", "se", "tau2"),
    [
        (CONTROL, CONTROL_N, -3.3018, 0.2378, 0.6629),
        (TREATED, TREATED_N, -4.2604, 0.2589, 0.3928),
    ],
)
def test_normal_model_of_stijnen_2010(
    events: Any, n: Any, estimate: float, se: float, tau2: float
) -> None:
    pool = statistics.pool(events, n)
    width = logit(pool.ci_high) - logit(pool.ci_low)
    assert logit(pool.estimate) == pytest.approx(estimate, abs=6e-5)
    # In both arms the Knapp-Hartung scale is floored at 1, so the standard error is Wald's.
    assert width / 2 / student_t.ppf(0.975, 17) == pytest.approx(se, abs=6e-5)
    assert pool.tau2 == pytest.approx(tau2, abs=6e-5)


def test_metafor_agrees() -> None:
    """metafor 3.8: rma(PLO, REML, test="adhoc", threshold 1e-13), confint, predict (Riley)."""
    pool = statistics.pool(CONTROL, CONTROL_N)
    limits = [float(logit(x)) for x in (pool.ci_low, pool.ci_high)]
    assert limits == pytest.approx([-3.80356107, -2.79999072], abs=1e-8)
    assert pool.q == pytest.approx(72.16591, abs=1e-5)
    assert (pool.tau2_low, pool.tau2_high) == pytest.approx((0.2415029, 2.015149), abs=1e-5)


@pytest.mark.parametrize(
    ("events", "n", "published", "exact"),
    [  # published: Stijnen 2010, table II; exact: lme4 glmer, nAGQ = 50, profile interval
        (CONTROL, CONTROL_N, (-3.4964, 0.8124), (-3.496406, -4.067729, -2.999422, 0.812211)),
        (TREATED, TREATED_N, (-4.8121, 0.8265), (-4.811855, -5.698843, -4.209680, 0.825332)),
    ],
)
def test_mixed_model_of_stijnen_2010(
    events: Any, n: Any, published: tuple[float, ...], exact: tuple[float, ...]
) -> None:
    fit = MixedModel(events, n).fit()
    logits = [float(logit(x)) for x in (fit.estimate, fit.ci_low, fit.ci_high)]
    assert [*logits, fit.tau2] == pytest.approx(exact, abs=2e-5)
    # The paper's software used few quadrature points, which shows in the third decimal.
    assert (logits[0], fit.tau2) == pytest.approx(published, abs=1.5e-3)


@pytest.mark.parametrize("tau", [0.01, 0.049, 0.051, 0.7, 3.0])
def test_mixed_likelihood_is_the_integral(tau: float) -> None:
    events, n = np.array([0.0, 12.0, 40.0]), np.array([9.0, 30.0, 40.0])
    expected = 0.0
    for e, size in zip(events, n, strict=True):

        def integrand(z: float, e: float = e, size: float = size) -> float:
            return float(binom.pmf(e, size, expit(-0.4 + tau * z)) * norm.pdf(z))

        expected += math.log(quad(integrand, -10, 10, epsabs=0, epsrel=1e-11, limit=400)[0])
    assert MixedModel(events, n).log_likelihood(-0.4, tau) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("events", "n"),
    [  # two maxima each: near 0.014 and 1.7, near 0.04 and 3.5
        ([97, 147, 89, 0], [227, 349, 251, 66]),
        ([116, 99, 21], [264, 266, 21]),
    ],
)
def test_reml_takes_the_higher_of_two_maxima(events: list[int], n: list[int]) -> None:
    y, v = statistics.logits(np.array(events, float), np.array(n, float))
    grid = np.concatenate([[0.0], np.geomspace(1e-4, 50, 4000)])
    likelihood = [statistics.restricted_log_likelihood(tau2, y, v) for tau2 in grid]
    peaks = [
        i for i in range(1, len(grid) - 1)
        if likelihood[i - 1] < likelihood[i] > likelihood[i + 1]
    ]  # fmt: skip
    tau2 = statistics.reml_tau2(y, v)
    assert len(peaks) + (likelihood[0] > likelihood[1]) == 2
    assert statistics.restricted_log_likelihood(tau2, y, v) >= max(likelihood)


def test_reml_at_the_boundary() -> None:
    pool = statistics.pool(np.array([51.0, 40, 62]), np.array([100.0, 80, 120]))
    assert pool.tau2 == 0
    assert pool.i2 == 0
    # Plain Knapp-Hartung would give 49-53 %, Wald 45-57 %.
    assert (pool.ci_low, pool.ci_high) == pytest.approx((0.39, 0.63), abs=0.005)


def test_exact_interval_at_the_ends() -> None:
    assert statistics.exact_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert statistics.exact_interval(10, 10) == pytest.approx((0.025**0.1, 1))


def test_pymare_agrees_on_random_pools() -> None:
    pymare = pytest.importorskip("pymare")
    estimators = pytest.importorskip("pymare.estimators")
    rng = np.random.default_rng(20)
    for _ in range(60):
        k = int(rng.integers(2, 25))
        n = rng.integers(5, 400, k).astype(float)
        theta = rng.normal(rng.normal(), rng.uniform(0, 1.5), k)
        events = rng.binomial(n.astype(int), expit(theta)).astype(float)
        y, v = statistics.logits(events, n)
        pool = statistics.pool(events, n)
        model = estimators.VarianceBasedLikelihoodEstimator(method="REML")
        found = model.fit_dataset(pymare.Dataset(y=y[:, None], v=v[:, None])).summary()
        assert float(found.tau2[0, 0]) == pytest.approx(pool.tau2, abs=1e-6 * (1 + pool.tau2))
        assert float(expit(found.fe_params[0, 0])) == pytest.approx(pool.estimate, abs=1e-6)
        heterogeneity = found.get_re_stats()
        assert float(heterogeneity["ci_l"][0]) == pytest.approx(pool.tau2_low, abs=1e-9)
        assert float(heterogeneity["ci_u"][0]) == pytest.approx(pool.tau2_high, rel=1e-9, abs=1e-9)


def test_studies_that_share_a_variance_have_a_closed_form() -> None:
    """Logits of -ln 3, ln 3, ln 3, each with the variance 1/10 + 1/30."""
    pool = statistics.pool(np.array([10.0, 30, 30]), np.array([40.0, 40, 40]))
    v, squares = 2 / 15, math.log(3) ** 2 * 8 / 3
    tau2 = squares / 2 - v
    half = student_t.ppf(0.975, 2) * math.sqrt((v + tau2) / 3)
    assert pool.tau2 == pytest.approx(tau2, abs=1e-9)
    assert logit(pool.estimate) == pytest.approx(math.log(3) / 3, abs=1e-9)
    assert logit(pool.ci_high) - logit(pool.ci_low) == pytest.approx(2 * half, abs=1e-9)
    assert pool.q == pytest.approx(squares / v)
    assert pool.i2 == pytest.approx(tau2 / (tau2 + v))
    assert pool.weights == pytest.approx([1 / 3] * 3)


def test_mixed_model_of_three_studies() -> None:
    """lme4 1.1 glmer, nAGQ = 60, profile interval."""
    fit = MixedModel(np.array([10.0, 30, 30]), np.array([40.0, 40, 40])).fit()
    found = (fit.estimate, fit.ci_low, fit.ci_high, fit.tau2)
    assert found == pytest.approx((0.59264417, 0.20762713, 0.89027805, 0.99582483), abs=2e-5)
