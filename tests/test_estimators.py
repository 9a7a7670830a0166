"""The ways of a two-step pool agree with R metafor, and the book's own one with its pools."""

from __future__ import annotations

import csv
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from analysis.estimators import (
    ESTIMATORS,
    INTERVALS,
    TRANSFORMS,
    from_arcsine,
    half_width,
    two_step,
)
from analysis.pooling import pool

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return [{k: v.strip() for k, v in row.items()} for row in csv.DictReader(file)]


def golden_pools() -> dict[str, tuple[list[int], list[int]]]:
    pools: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for row in rows("estimators_inputs.csv"):
        for counts, column in zip(pools[row["pool"]], ("events", "n"), strict=True):
            counts.append(int(row[column]))
    return pools


@pytest.fixture(scope="module")
def golden() -> dict[tuple[str, ...], dict[str, float]]:
    """What metafor gives, by pool, transform, estimator and interval."""
    names = ("tau2", "estimate", "low", "high")
    return {
        (r["pool"], r["transform"], r["estimator"], r["interval"]): {
            name: float(r[name]) for name in names
        }
        for r in rows("estimators.csv")
    }


@pytest.mark.parametrize("name", golden_pools())
def test_metafor_agrees(name: str, golden: dict[tuple[str, ...], dict[str, float]]) -> None:
    events, n = golden_pools()[name]
    for transform, estimator, interval, limits in two_step(events, n):
        wanted = golden[name, transform, estimator, interval]
        y, v = TRANSFORMS[transform][0](events, n)
        tau2 = ESTIMATORS[estimator](y, v)
        near = 1e-10 if estimator == "dl" else 1e-6
        assert tau2 == pytest.approx(wanted["tau2"], abs=near, rel=near)
        assert limits
        low, estimate, high = limits
        for found, stat in ((low, "low"), (estimate, "estimate"), (high, "high")):
            assert found == pytest.approx(wanted[stat], abs=near), stat


@pytest.mark.parametrize(
    ("events", "n"),
    [
        ([0, 0, 0], [10, 20, 30]),
        ([10, 20, 30], [10, 20, 30]),
        ([5, 10], [10, 20]),
        ([0, 10], [10, 10]),
        ([500_000, 1, 2], [1_000_000, 4, 5]),
        ([1, 1], [1, 1]),
    ],
    ids=["none respond", "all respond", "identical", "opposite", "one huge", "one patient each"],
)
def test_degenerate_pools_give_proportions_or_nothing(events: list[int], n: list[int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = two_step(events, n)
    assert len(found) == len(TRANSFORMS) * len(ESTIMATORS) * len(INTERVALS)
    for _, _, interval, limits in found:
        assert limits or interval == "kh"
        if limits:
            low, estimate, high = limits
            assert 0 <= low <= estimate <= high <= 1


def test_identical_rates_have_no_plain_knapp_hartung_interval() -> None:
    assert [limits for *_, interval, limits in two_step([5, 10], [10, 20]) if interval == "kh"] == [
        None
    ] * 8


def test_a_single_study_is_no_pool() -> None:
    with pytest.raises(ValueError, match="two studies"):
        two_step([5], [10])


@pytest.mark.parametrize("name", ["pool.rituximab.overall_response", "dat.pritz1997"])
def test_the_books_own_way_is_that_of_its_pools(name: str) -> None:
    events, n = golden_pools()[name]
    summary = pool(events, n).summary
    assert summary
    own = next(x for *way, x in two_step(events, n) if way == ["logit", "reml", "kh_conservative"])
    assert own == pytest.approx(tuple(summary), abs=1e-12)


def test_intervals_of_the_anchors() -> None:
    """51/100, 40/80, 62/120: Wald 45-57 %, Knapp-Hartung 49-53 %, conservative 39-63 %."""
    found = {
        way[2]: limits
        for *way, limits in two_step([51, 40, 62], [100, 80, 120])
        if way[:2] == ["logit", "reml"]
    }
    for interval, low, high in (("wald", 45, 57), ("kh", 49, 53), ("kh_conservative", 39, 63)):
        limits = found[interval]
        assert limits
        assert (round(100 * limits[0]), round(100 * limits[2])) == (low, high)


def test_limits_beyond_the_arcsine_scale_are_cut() -> None:
    assert from_arcsine(-0.2, 0.1, 2.0) == (0.0, pytest.approx(np.sin(0.1) ** 2), 1.0)
    with pytest.raises(ArithmeticError):
        from_arcsine(0.5, 0.4, 0.6)


def test_conservative_intervals_hold_the_plain_ones() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        n = rng.integers(5, 200, rng.integers(2, 12))
        y, v = TRANSFORMS["logit"][0](rng.binomial(n, rng.uniform(0.1, 0.9)), n)
        wide = half_width("kh_conservative", y, v, 0.1)
        assert wide
        assert all((half_width(i, y, v, 0.1) or 0) <= wide for i in INTERVALS)
