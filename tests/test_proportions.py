from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from analysis.proportions import exact_interval, from_logit, logit_effects


@pytest.mark.parametrize(
    ("events", "n"), [(0, 1), (0, 21), (1, 1), (13, 25), (48, 108), (56, 56), (138, 233)]
)
def test_exact_interval_agrees_with_statsmodels(events: int, n: int) -> None:
    interval = exact_interval(events, n)
    assert (interval.low, interval.high) == pytest.approx(
        proportion_confint(events, n, method="beta"), abs=1e-12
    )
    assert interval.estimate == events / n


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(events: int, n: int) -> None:
    with pytest.raises(ValueError, match="needs 0 <= events <= n"):
        exact_interval(events, n)


def test_correction_goes_only_to_arms_with_none_or_all() -> None:
    y, v = logit_effects([0, 5, 10], [10, 10, 10])
    assert y == pytest.approx([np.log(0.5 / 10.5), 0, np.log(10.5 / 0.5)])
    assert v == pytest.approx([1 / 0.5 + 1 / 10.5, 0.4, 1 / 10.5 + 1 / 0.5])


def test_back_transform_refuses_what_is_no_interval() -> None:
    assert from_logit(-1, 0, 1).estimate == 0.5
    with pytest.raises(ArithmeticError, match="not a proportion"):
        from_logit(1, 0, -1)
    with pytest.raises(ArithmeticError, match="not a proportion"):
        from_logit(float("nan"), 0, 1)
