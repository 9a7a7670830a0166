"""A new study and a next one: goldens from metafor, closed forms, degenerate pools."""

from __future__ import annotations

import csv
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student_t

from analysis.outlook import (
    LARGEST_STUDY,
    MOST_STUDIES,
    SHARE,
    Reach,
    intervals,
    narrowing,
    next_study,
    outlook,
    predictive,
    reml,
    reml_score,
)
from analysis.pooling import pool
from analysis.proportions import logit_effects
from analysis.report import Report
from analysis.results import FOCUS
from analysis.selection import VISIT_TOLERANCE, VISITS, Members

REFERENCE = Path(__file__).parent.parent / "data" / "reference"
DEGENERATE = {
    "all respond": ([20, 15, 9], [20, 15, 9]),
    "none respond": ([0, 0], [20, 20]),
    "two studies apart": ([20, 0], [20, 20]),
    "identical rates": ([10, 10, 10], [20, 20, 20]),
    "one huge among tiny": ([9000, 2, 3], [10000, 4, 5]),
}


def goldens() -> list[dict[str, str]]:
    with (REFERENCE / "next_study.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counts(golden: dict[str, str]) -> tuple[list[int], list[int]]:
    events, n = ([int(count) for count in golden[name].split()] for name in ("events", "n"))
    return events, n


def known(cell: str) -> float | None:
    return float(cell) if cell else None


@pytest.mark.parametrize("golden", goldens(), ids=lambda golden: golden["case"])
def test_narrowing_agrees_with_metafor(golden: dict[str, str]) -> None:
    found = narrowing(*counts(golden))
    assert found.width == pytest.approx(float(golden["width"]), rel=1e-6)
    assert found.remaining == pytest.approx(float(golden["remaining"]), rel=1e-6)
    patients = known(golden["patients"])
    assert found.patients == (patients and pytest.approx(patients, rel=1e-6))
    assert found.studies == int(golden["studies"])
    any_size = float(golden["left_by_one"]) <= SHARE
    assert found.reach is (
        Reach.SOME if golden["patients"] else Reach.ANY if any_size else Reach.NONE
    )


@pytest.mark.parametrize("golden", goldens(), ids=lambda golden: golden["case"])
def test_next_study_agrees_with_metafor(golden: dict[str, str]) -> None:
    found = next_study(*counts(golden), int(golden["size"]))
    for side, turn, limit in (("above", found.above, "highest"), ("below", found.below, "lowest")):
        assert turn.fewest == known(golden[f"{side}_fewest"])
        assert turn.most == known(golden[f"{side}_most"])
        far = "low" if side == "above" else "high"
        assert turn.nearest == pytest.approx(float(golden[f"{limit}_{far}"]), rel=1e-6)
        assert turn.at == int(golden[f"{limit}_at"])


def test_the_interval_is_that_of_the_pool() -> None:
    events, n = [25, 73, 12, 40], [43, 86, 20, 55]
    y, v = (effects[:, None] for effects in logit_effects(events, n))
    assert intervals(y, v)[0] == pytest.approx(pool(events, n).summary, abs=1e-6)


def test_tau2_is_at_the_root_of_the_score() -> None:
    y, v = logit_effects([25, 73, 12], [43, 86, 20])
    found = reml(np.stack([y, y * 0.1], axis=1), np.stack([v, v], axis=1))
    assert abs(reml_score(found[0], y, v)) < 1e-10
    assert found[1] == 0


def test_equal_studies_narrow_as_the_formula_says() -> None:
    """Without differences se is 1 / sqrt(n p q) in all, so only t and n decide."""
    found = narrowing([50, 50], [100, 100])
    after = intervals(np.zeros((3, 1)), np.full((3, 1), 4 / 100))[0]
    se = math.sqrt(4 / 300)
    assert after.high == pytest.approx(1 / (1 + math.exp(-student_t.ppf(0.975, 2) * se)))
    assert found.after == pytest.approx(after)


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_pools_give_a_state(case: str) -> None:
    events, n = DEGENERATE[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found, after = narrowing(events, n), next_study(events, n, 30)
        new = predictive(pool(events, n))
    assert math.isfinite(found.width)
    assert math.isfinite(found.remaining)
    assert (found.patients is not None) is (found.reach is Reach.SOME)
    assert found.patients is None or 1 <= found.patients <= LARGEST_STUDY
    assert found.studies is None or 1 <= found.studies <= MOST_STUDIES
    for turn in (after.above, after.below):
        assert 0 <= turn.nearest <= 1
        assert (turn.fewest is None) is (turn.most is None)
    if new:
        shares = new.above(np.linspace(0, 1, 101))
        assert np.isfinite(shares).all()
        assert (np.diff(shares) <= 0).all()


def test_the_predictive_distribution_is_that_of_the_prediction_interval(shipped: Report) -> None:
    seen = 0
    for found in shipped.pools.values():
        new = predictive(found)
        if new is None:
            assert found.prediction is None
            continue
        assert found.prediction
        seen += 1
        low, _, high = found.prediction
        assert float(new.above(low)) == pytest.approx(0.975, abs=1e-9)
        assert float(new.above(high)) == pytest.approx(0.025, abs=1e-6)
        assert float(new.above(0.5)) == pytest.approx(found.p_above_half, abs=1e-9)
        assert list(new.above([0, 1])) == [1, 0]
        assert new.limits_if_many().low > low
    assert seen > 10


def test_a_pool_too_small_has_no_outlook(shipped: Report) -> None:
    cited = shipped.members(f"cited.{FOCUS}.overall_response")
    empty = Members("pool.x.overall_response", "x", "X", "overall_response", ())
    assert (outlook(cited, cited).narrowing, outlook(cited, cited).next_study) == (None, None)
    everything = shipped.members(f"pool.{FOCUS}.overall_response")
    assert outlook(everything, empty).narrowing
    assert outlook(everything, empty).next_study is None


def test_comparable_rows_are_visits_of_rescue_patients(shipped: Report) -> None:
    rows: dict[str, Any] = {row.address: row for row in shipped.selection.rows.itertuples()}
    seen = 0
    for members in shipped.selection.members.values():
        if members.basis not in VISITS:
            continue
        for row in (rows[address] for address in members.rows):
            seen += 1
            assert (row.line, row.window, row.months_basis) == ("rescue", "at_timepoint", "visit")
            assert abs(row.months - VISITS[members.basis]) <= VISIT_TOLERANCE + 1e-9
    assert seen > 10
