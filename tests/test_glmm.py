"""The binomial-normal model on published data sets agrees with R (data/reference/glmm.R)."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from analysis.glmm import Glmm, fit_glmm
from checks.mixed_model import MixedModel

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


GOLDENS = rows("glmm.csv")
INPUTS = rows("glmm_inputs.csv")
every_set = pytest.mark.parametrize("golden", GOLDENS, ids=lambda g: f"{g['set']}-{g['arm']}")


def studies(golden: dict[str, str]) -> tuple[list[int], list[int]]:
    own = [row for row in INPUTS if (row["set"], row["arm"]) == (golden["set"], golden["arm"])]
    return [int(row["events"]) for row in own], [int(row["n"]) for row in own]


@cache
def fitted(set_name: str, arm: str) -> Glmm:
    return fit_glmm(*studies({"set": set_name, "arm": arm}))


def logits(golden: dict[str, str]) -> list[float]:
    summary = fitted(golden["set"], golden["arm"]).summary
    assert summary
    return [float(logit(rate)) for rate in summary]


def test_goldens_are_of_many_published_sets() -> None:
    assert len({golden["set"] for golden in GOLDENS}) >= 20
    assert all(golden["source"] for golden in GOLDENS)


@every_set
def test_maximum_is_that_of_the_exact_likelihood(golden: dict[str, str]) -> None:
    fit = fitted(golden["set"], golden["arm"])
    assert int(golden["k"]) == len(studies(golden)[0])
    assert fit.log_likelihood == pytest.approx(float(golden["log_likelihood"]), abs=1e-6)
    assert logits(golden)[1] == pytest.approx(float(golden["mu"]), abs=1e-5)
    assert fit.tau2 == pytest.approx(float(golden["tau2"]), abs=1e-5)


@every_set
@pytest.mark.parametrize("program", ["metafor", "lme4"])
def test_maximum_is_that_of_the_programs(golden: dict[str, str], program: str) -> None:
    """Each has found the maximum: the log likelihood at its estimate is no lower than there."""
    assert float(golden[f"{program}_short"]) < 1e-7
    assert logits(golden)[1] == pytest.approx(float(golden[f"{program}_mu"]), abs=1e-4)
    tau2 = fitted(golden["set"], golden["arm"]).tau2
    assert tau2 == pytest.approx(float(golden[f"{program}_tau2"]), abs=1e-4)


@every_set
def test_log_likelihood_is_that_of_lme4(golden: dict[str, str]) -> None:
    found = fitted(golden["set"], golden["arm"]).log_likelihood
    assert found == pytest.approx(float(golden["lme4_log_likelihood"]), abs=1e-5)


@every_set
def test_limits_are_those_of_the_profile(golden: dict[str, str]) -> None:
    low, _, high = logits(golden)
    assert low == pytest.approx(float(golden["ci_low"]), abs=1e-5)
    assert high == pytest.approx(float(golden["ci_high"]), abs=1e-5)
    if golden["confint_low"]:
        assert low == pytest.approx(float(golden["confint_low"]), abs=1e-4)
        assert high == pytest.approx(float(golden["confint_high"]), abs=1e-4)


@pytest.mark.parametrize("golden", GOLDENS[::6], ids=lambda g: f"{g['set']}-{g['arm']}")
def test_second_road_agrees(golden: dict[str, str]) -> None:
    events, n = (np.array(counts, float) for counts in studies(golden))
    theirs = MixedModel(events, n).fit()
    limits = [float(logit(rate)) for rate in (theirs.ci_low, theirs.estimate, theirs.ci_high)]
    assert logits(golden) == pytest.approx(limits, abs=1e-4)
    assert math.sqrt(theirs.tau2) == pytest.approx(math.sqrt(float(golden["tau2"])), abs=1e-4)
