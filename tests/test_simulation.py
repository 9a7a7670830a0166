"""The simulation tries the methods of the book, and its record is of the code as it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analysis import simulate
from analysis.pooling import pool
from analysis.proportions import logit_effects
from analysis.report import Report
from analysis.simulation import (
    GLMM_DATASETS,
    SCENARIOS,
    Outcome,
    Scenario,
    draw,
    outcomes,
    run,
    second_model,
    to_record,
    two_step,
)

RECORD = json.loads(simulate.RECORD.read_text(encoding="utf-8"))
OF_GLMM = ("glmm_estimated", "glmm_estimate", "glmm_covered", "glmm_width")


def recorded(scenario: Scenario) -> Outcome:
    return outcomes(RECORD)[SCENARIOS.index(scenario)]


@pytest.mark.parametrize("scenario", [Scenario(2, 0.05, 0.5), Scenario(10, 0.3, 1.0)], ids=str)
def test_all_at_once_is_as_one_at_a_time(scenario: Scenario) -> None:
    """PyMARE's search stops near the same root: limits differ by less than 1e-6."""
    draws = draw(scenario, 60)
    single = [pool(e, n) for e, n in zip(draws.events.T.tolist(), draws.n.T.tolist(), strict=True)]
    limits = np.array([found.summary for found in single if found.summary])
    together = two_step(scenario, draws)
    low, _, high = limits.T
    assert together.covered == ((low <= scenario.rate) & (scenario.rate <= high)).sum()
    assert together.estimate == pytest.approx(limits[:, 1].mean(), abs=1e-6)
    assert together.width == pytest.approx((high - low).mean(), abs=2e-6)
    predictions = [found.prediction for found in single if found.prediction]
    if predictions:
        width = np.mean([p.high - p.low for p in predictions])
        assert together.prediction_width == pytest.approx(width, abs=2e-6)
    fits = [found.glmm for found in single if found.glmm]
    second = second_model(scenario, draws.events, draws.n)
    assert second["glmm_estimated"] == sum(fit.summary is not None for fit in fits)


def test_the_simpler_intervals_are_those_of_pymare() -> None:
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    scenario = Scenario(5, 0.3, 0.5)
    draws = draw(scenario, 300)
    y, v = logit_effects(draws.events, draws.n)
    found = two_step(scenario, draws)
    for correction, width in (("knapp-hartung", found.plain_width), ("wald", found.wald_width)):
        estimator = VarianceBasedLikelihoodEstimator(
            method="REML", small_sample_correction=correction
        )
        effect = estimator.fit_dataset(Dataset(y=y, v=v)).summary().get_fe_stats()
        low, high = (1 / (1 + np.exp(-effect[limit][0])) for limit in ("ci_l", "ci_u"))
        assert width == pytest.approx((high - low).mean(), abs=2e-6)


def test_sizes_are_like_those_of_the_shipped_data(shipped: Report) -> None:
    theirs = shipped.evidence.outcomes["n"].dropna().astype(float)
    ours = draw(SCENARIOS[0]).n
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.quantile(ours, share) == pytest.approx(theirs.quantile(share), rel=0.35)


def test_record_is_of_all_scenarios_and_of_this_declaration() -> None:
    found = outcomes(RECORD)
    assert [outcome[:3] for outcome in found] == list(SCENARIOS)
    declared = json.loads(simulate.as_text(to_record(found, RECORD["seed"])))
    assert declared == RECORD


@pytest.mark.parametrize("scenario", SCENARIOS[17::29], ids=str)
def test_record_is_of_this_code(scenario: Scenario) -> None:
    found, wanted = run(scenario, glmm_datasets=1, seed=RECORD["seed"]), recorded(scenario)
    same = [name for name in Outcome._fields if name not in OF_GLMM]
    for name in same:
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=2e-6), name


def test_record_is_of_this_second_model() -> None:
    scenario = Scenario(2, 0.5, 0.5)
    draws, wanted = draw(scenario, seed=RECORD["seed"]), recorded(scenario)
    first = slice(GLMM_DATASETS)
    found = second_model(scenario, draws.events[:, first], draws.n[:, first])
    for name in OF_GLMM:
        assert found[name] == pytest.approx(getattr(wanted, name), abs=2e-6), name


def test_a_coarse_run_is_not_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        simulate.main(["--quick", "--record"])
    assert "too coarse" in capsys.readouterr().err
