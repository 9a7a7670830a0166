"""Pools at the edge of what can be pooled: finite limits or a state, no warning, on both roads."""

from __future__ import annotations

import warnings
from dataclasses import astuple

import numpy as np
import pytest

from analysis.pooling import PREDICTION_MIN_K, pool
from checks import statistics
from checks.mixed_model import MixedModel

GIANT = 1_000_000
POOLS = {
    "all respond": ([5, 9, 12], [5, 9, 12]),
    "none respond": ([0, 0, 0], [5, 9, 12]),
    "none but one respond": ([0] * 29 + [1], [10] * 30),
    "all of one patient respond": ([1, 1], [1, 1]),
    "one patient each": ([0, 1], [1, 1]),
    "many of one patient": ([0, 1, 1, 0, 1], [1] * 5),
    "twins": ([3, 3], [10, 10]),
    "identical rates": ([5, 10, 15], [10, 20, 30]),
    "identical low rates": ([1, 2], [100, 200]),
    "extremes": ([0, 10], [10, 10]),
    "parted": ([0] * 6 + [9] * 6, [9] * 12),
    "giant among tiny": ([400_000, 1, 3, 2], [GIANT, 2, 4, 9]),
    "giant without events": ([0, 1, 3], [GIANT, 2, 4]),
    "giant with one event": ([1, 1, 3], [GIANT, 2, 4]),
    "giant and one patient": ([GIANT // 2, 1], [GIANT, 1]),
    "giants": ([400_000, 500_000, 300_000], [GIANT] * 3),
}


@pytest.mark.parametrize(("events", "n"), POOLS.values(), ids=POOLS)
def test_both_roads_agree_on_degenerate_pools(events: list[int], n: list[int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # PyMARE's import leaves a file open
        ours = pool(events, n)
        theirs = statistics.pool(np.array(events, float), np.array(n, float))
    assert ours.summary
    assert ours.heterogeneity
    assert np.isfinite(astuple(ours.heterogeneity)).all()
    assert sum(ours.weights) == pytest.approx(1)
    limits = (theirs.ci_low, theirs.estimate, theirs.ci_high)
    assert tuple(ours.summary) == pytest.approx(limits, abs=1e-6)
    spread = (theirs.tau2, theirs.tau2_low, theirs.tau2_high, theirs.i2, theirs.q)
    assert astuple(ours.heterogeneity) == pytest.approx(spread, rel=1e-6, abs=1e-6)
    if len(n) >= PREDICTION_MIN_K:
        assert ours.prediction
        assert ours.prediction.low == pytest.approx(theirs.pi_low, abs=1e-6)
        assert ours.prediction.high == pytest.approx(theirs.pi_high, abs=1e-6)
        assert ours.p_above_half == pytest.approx(theirs.p_above_50, abs=1e-6)


@pytest.mark.parametrize(("events", "n"), POOLS.values(), ids=POOLS)
def test_both_roads_agree_on_the_second_model(events: list[int], n: list[int]) -> None:
    """Limits, or the state that there are none: then the other road finds them at 0 and 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)
        ours = pool(events, n).glmm
        assert ours
        if sum(events) in (0, sum(n)):
            assert ours.why_not.endswith("responded in every study")
            return
        theirs = MixedModel(np.array(events, float), np.array(n, float)).fit()
    if ours.summary is None:
        assert ours.why_not == "the profile likelihood has no limits"
        assert (theirs.ci_low, theirs.ci_high) == (0, 1)
        return
    limits = (theirs.ci_low, theirs.estimate, theirs.ci_high)
    assert tuple(ours.summary) == pytest.approx(limits, abs=1e-6)
    assert ours.tau2 == pytest.approx(theirs.tau2, rel=1e-5, abs=1e-5)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, abs=1e-7)
