from __future__ import annotations

import csv
import warnings
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import subsets
from analysis.pooling import pool
from analysis.proportions import logit_effects
from analysis.subsets import Gosh, Method, gosh
from checks import statistics

Floats = NDArray[np.float64]

REFERENCE = Path(__file__).parent.parent / "data" / "reference"
ORDINARY = "pool.rituximab.durable_response_off"
SEVERAL_MAXIMA = "class.thrombopoietin_receptor_agonist.overall_response"
#: As data/reference/gosh.R chooses them.
CHOSEN = {ORDINARY: range(8), SEVERAL_MAXIMA: (0, 1, 3, 4, 5, 6, 9, 12)}


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def effects(prefix: str) -> tuple[Floats, Floats]:
    studies = [row for row in rows("metafor_inputs.csv") if row["pool"] == prefix]
    chosen = [studies[place] for place in CHOSEN[prefix]]
    return logit_effects([int(s["events"]) for s in chosen], [int(s["n"]) for s in chosen])


def golden(prefix: str) -> dict[str, Floats]:
    found = [row for row in rows("gosh.csv") if row["pool"] == prefix]
    return {
        name: np.array([float(row[name]) for row in found]) for name in found[0] if name != "pool"
    }


def made_up(seed: int, studies: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    n = draw.integers(5, 200, studies)
    return logit_effects(draw.binomial(n, draw.beta(3, 2, studies)), n)


def inside(result: Gosh, subset: int, studies: int) -> list[int]:
    return [study for study in range(studies) if result.has(study)[subset]]


@pytest.mark.parametrize("prefix", CHOSEN)
def test_all_subsets_agree_with_metafor(prefix: str) -> None:
    wanted = golden(prefix)
    dl, reml = (gosh(*effects(prefix), method) for method in ("DL", "REML"))
    for result in (dl, reml):
        assert result.members[:, 0].tolist() == wanted["subset"].tolist()
        assert result.k.tolist() == wanted["k"].tolist()
    for stat in ("estimate", "tau2", "i2"):
        assert getattr(dl, stat) == pytest.approx(wanted[f"dl_{stat}"], abs=1e-10)
    apart = np.abs(reml.tau2 - wanted["reml_tau2"]) > 1e-6
    for stat in ("estimate", "tau2", "i2"):
        assert getattr(reml, stat)[~apart] == pytest.approx(
            wanted[f"reml_{stat}"][~apart], abs=1e-6
        )
    # Where the likelihood has several maxima metafor may stop at a lower one: here in one subset.
    assert np.flatnonzero(apart).size == (prefix == SEVERAL_MAXIMA)
    y, v = effects(prefix)
    for subset in np.flatnonzero(apart).tolist():
        studies = inside(reml, subset, 8)
        ours, theirs = (
            statistics.restricted_log_likelihood(tau2[subset], y[studies], v[studies])
            for tau2 in (reml.tau2, wanted["reml_tau2"])
        )
        assert ours > theirs + 0.01


def test_every_reml_subset_is_the_greatest_maximum() -> None:
    y, v = made_up(1, 12)
    result = gosh(y, v)
    assert result.worst_distance < 1e-11
    for subset in range(0, len(result.k), 16):
        studies = inside(result, subset, 12)
        exact = statistics.reml_tau2(y[studies], v[studies])
        assert result.tau2[subset] == pytest.approx(exact, abs=1e-11 * (1 + exact))


def test_all_studies_together_are_the_pool() -> None:
    events, n = [7, 24, 9, 10, 96, 13], [25, 60, 26, 17, 248, 32]
    result, whole = gosh(*logit_effects(events, n)), pool(events, n)
    assert whole.summary
    assert whole.heterogeneity
    assert 1 / (1 + np.exp(-result.estimate[-1])) == pytest.approx(whole.summary.estimate, abs=1e-6)
    assert result.i2[-1] == pytest.approx(whole.heterogeneity.i2, abs=1e-6)


@pytest.mark.parametrize("method", ["DL", "REML"])
@pytest.mark.parametrize(
    ("events", "n"),
    [
        ([0, 0, 0], [5, 9, 12]),
        ([9, 9, 9, 9], [9, 9, 9, 9]),
        ([5, 10, 15], [10, 20, 30]),
        ([3, 3], [10, 10]),
        ([2000, 1, 3, 2], [5000, 2, 4, 9]),
        ([0, 10], [10, 10]),
        ([0, 1], [1, 1]),
    ],
    ids=["none respond", "all the same", "one rate", "twins", "giant", "extremes", "one each"],
)
def test_degenerate_pools_are_finite_and_silent(
    events: list[int], n: list[int], method: Method
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = gosh(*logit_effects(events, n), method)
    assert len(result.k) == 2 ** len(n) - 1 - len(n)
    for values in (result.estimate, result.tau2, result.i2):
        assert np.isfinite(values).all()
    assert (result.tau2 >= 0).all()
    assert ((result.i2 >= 0) & (result.i2 < 1)).all()


def test_identical_rates_have_no_variance_between_them() -> None:
    result = gosh(*logit_effects([5, 10, 15], [10, 20, 30]))
    assert not result.tau2.any()
    assert not result.i2.any()


def test_beyond_the_limit_a_seeded_sample_is_pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsets, "SAMPLE", 500)
    y, v = made_up(2, 40)
    result = gosh(y, v)
    assert not result.complete
    assert 490 < len(result.k) <= 500
    members = np.array([result.has(study) for study in range(40)])
    assert result.k.tolist() == members.sum(axis=0).tolist()
    assert gosh(y, v).estimate.tolist() == result.estimate.tolist()
    for subset in range(0, len(result.k), 50):
        studies = inside(result, subset, 40)
        exact = statistics.reml_tau2(y[studies], v[studies])
        assert result.tau2[subset] == pytest.approx(exact, abs=1e-10)


def test_the_sample_is_pooled_as_all_subsets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    y, v = made_up(3, 9)
    every = {tuple(row): place for place, row in enumerate(gosh(y, v).members)}
    full = gosh(y, v, "DL")
    monkeypatch.setattr(subsets, "MOST_STUDIES", 8)
    monkeypatch.setattr(subsets, "SAMPLE", 300)
    drawn = gosh(y, v, "DL")
    same = [every[tuple(row)] for row in drawn.members]
    assert drawn.estimate == pytest.approx(full.estimate[same], abs=1e-12)


def test_subsets_come_in_the_order_of_their_numbers() -> None:
    result = gosh(*made_up(4, 4))
    assert result.members[:, 0].tolist() == [3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15]
    sizes = [size for size, _ in groupby(result.k)]
    assert sizes == [2, 3, 2, 3, 2, 3, 4]


@pytest.mark.parametrize(
    ("y", "v"),
    [([0.0], [1.0]), ([0.0, 1.0], [1.0]), ([0.0, 1.0], [1.0, 0.0]), ([0.0, np.nan], [1.0, 1.0])],
)
def test_what_cannot_be_pooled_is_refused(y: list[float], v: list[float]) -> None:
    with pytest.raises(ValueError, match=r"needs two studies|finite"):
        gosh(np.array(y), np.array(v))
