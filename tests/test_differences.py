from __future__ import annotations

import csv
import math
import warnings
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student_t

from analysis.differences import (
    MIN_STUDIES,
    MODERATORS,
    Obstacle,
    Question,
    answer,
    ask,
    differences,
    within_therapies,
)
from analysis.metaregression import regress
from analysis.plots.differences import expected_limits, log_ticks, step_of
from analysis.selection import Members, StudyCounts

REFERENCE = Path(__file__).parent.parent / "data" / "reference"
BY_NAME = {moderator.name: moderator for moderator in MODERATORS}


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def grouped(name: str) -> dict[tuple[str, str], list[dict[str, str]]]:
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows(name):
        found[row["pool"], row["moderator"]].append(row)
    return found


GOLDENS, INPUTS = grouped("regression.csv"), grouped("regression_inputs.csv")


def study(place: int, events: int = 5, n: int = 10, **cells: object) -> StudyCounts:
    blank = StudyCounts(
        f"s{place}", f"Study {place}", 2000 + place, events, n, (f"row{place}",), None, "any_time",
        None, "rct", "mixed",
    )  # fmt: skip
    return replace(blank, **cells)  # type: ignore[arg-type]


def from_golden(pool: str, moderator: str) -> Question:
    """The question of a golden, its studies as they were when R answered it."""
    column = {"threshold": "platelet_threshold", "months": "months", "year": "year"}
    studies = []
    for place, row in enumerate(INPUTS[pool, moderator]):
        value: object = row["value"]
        if moderator == "design":
            codes = {"trial": "rct", "prospective": "prospective_cohort"}
            value = codes.get(row["value"], "case_series")
        elif moderator == "line":
            value = row["value"].replace(" ", "_")
        else:
            value = float(row["value"])
        cells = {column.get(moderator, moderator): value}
        studies.append(study(place, int(row["events"]), int(row["n"]), **cells))
    return ask(BY_NAME[moderator], studies)


@pytest.mark.parametrize(("pool", "moderator"), [key for key in GOLDENS if key[1] in BY_NAME])
def test_regressions_agree_with_metafor(pool: str, moderator: str) -> None:
    found = answer(from_golden(pool, moderator))
    golden = GOLDENS[pool, moderator]
    question = found.question
    assert question.obstacle is None
    tau2, without = float(golden[0]["tau2"]), float(golden[0]["tau2_without"])
    assert found.regression.tau2 == pytest.approx(tau2, abs=1e-6)
    assert found.regression.tau2_without == pytest.approx(without, abs=1e-6)
    assert found.regression.explained == pytest.approx(max(0, 1 - tau2 / without), abs=1e-5)
    assert len(question.used) == int(golden[0]["k"])
    by_level = {row["coefficient"].removeprefix("value"): row for row in golden}
    for place, level in enumerate(question.levels):
        name = level if isinstance(level, str) else f"{level:g}"
        row = by_level["intrcpt"] if question.moderator.numeric else by_level[
            name.replace("_", " ")
        ]  # fmt: skip
        if not question.moderator.numeric or place == 0:
            assert_rate(found.rate(level), row)
    if question.moderator.numeric:
        slope, step = by_level["later"], question.moderator.step
        low, middle, high = found.odds_ratio()
        reach = step * float(slope["se"]) * student_t.ppf(0.975, int(slope["df"]))
        assert math.log(middle) == pytest.approx(step * float(slope["estimate"]), abs=1e-6)
        assert math.log(high / low) == pytest.approx(2 * reach, abs=1e-5)


def assert_rate(rate: tuple[float, float, float], row: dict[str, str]) -> None:
    middle, reach = float(row["estimate"]), float(row["se"]) * student_t.ppf(0.975, int(row["df"]))
    assert rate == pytest.approx(expit([middle - reach, middle, middle + reach]), abs=1e-6)


@pytest.mark.parametrize("pool", [pool for pool, moderator in GOLDENS if moderator == "size"])
def test_the_regression_on_size_agrees_with_metafor(pool: str) -> None:
    studies = tuple(
        study(place, int(row["events"]), int(row["n"]))
        for place, row in enumerate(INPUTS[pool, "size"])
    )
    size = differences(Members(pool, "unit", "Unit", "overall_response", studies)).size
    assert size
    intercept, slope = GOLDENS[pool, "size"]
    assert_rate(size.rate(size.largest), intercept)
    span = 1 / size.smallest - 1 / size.largest
    low, middle, high = size.odds_ratio
    reach = span * float(slope["se"]) * student_t.ppf(0.975, int(slope["df"]))
    assert math.log(middle) == pytest.approx(span * float(slope["estimate"]), abs=1e-6)
    assert math.log(high / low) == pytest.approx(2 * reach, abs=1e-5)


@pytest.mark.parametrize("outcome", ["overall_response", "complete_response"])
def test_designs_within_therapies_agree_with_metafor(outcome: str) -> None:
    pools = [
        Members(
            pool, pool, pool, outcome,
            tuple(
                study(place, int(row["events"]), int(row["n"]),
                      design="case_series" if row["value"] == "1" else "rct")
                for place, row in enumerate(of_pool)
            ),
        )
        for (pool, moderator), of_pool in INPUTS.items()
        if moderator == "within" and pool.endswith(outcome)
    ]  # fmt: skip
    found = within_therapies(pools)
    assert found
    (golden,) = GOLDENS[outcome, "within"]
    low, middle, high = found.odds_ratio
    reach = float(golden["se"]) * student_t.ppf(0.975, int(golden["df"]))
    assert math.log(middle) == pytest.approx(float(golden["estimate"]), abs=1e-6)
    assert math.log(high / low) == pytest.approx(2 * reach, abs=1e-5)
    assert found.regression.tau2_without == pytest.approx(float(golden["tau2_without"]), abs=1e-6)


def test_a_moderator_known_in_too_few_studies_is_not_asked_about() -> None:
    studies = [study(place) for place in range(12)]
    known = [replace(s, platelet_threshold=30.0 if s.year < 2005 else 50.0) for s in studies[:9]]
    question = ask(BY_NAME["threshold"], [*known, *studies[9:]])
    assert (question.obstacle, question.known) == (Obstacle.UNKNOWN, 9)


def test_studies_that_are_alike_tell_nothing() -> None:
    studies = [study(place, line="rescue" if place == 0 else "mixed") for place in range(12)]
    question = ask(BY_NAME["line"], studies)
    assert (question.obstacle, question.alike, question.known) == (Obstacle.ALIKE, 11, 12)


def test_one_late_study_does_not_carry_a_line() -> None:
    studies = [study(place, months=60.0 if place == 0 else 1.0 + place) for place in range(12)]
    question = ask(BY_NAME["months"], studies)
    assert (question.obstacle, question.alike) == (Obstacle.ALIKE, 11)


def test_a_study_alone_at_its_level_is_left_out() -> None:
    lines = ["second_line", *["rescue"] * 4, *["mixed"] * 6]
    question = ask(BY_NAME["line"], [study(p, line=line) for p, line in enumerate(lines)])
    assert (question.obstacle, question.levels, len(question.used)) == (
        None, ("rescue", "mixed"), 10
    )  # fmt: skip
    thin = ask(BY_NAME["line"], [study(p, line=line) for p, line in enumerate(lines[:-1])])
    assert (thin.obstacle, len(thin.used)) == (Obstacle.THIN, 9)


def test_there_is_nothing_to_explain_where_all_rates_are_alike() -> None:
    found = answer(ask(BY_NAME["year"], [study(place) for place in range(MIN_STUDIES)]))
    assert found.regression.explained is None
    assert found.odds_ratio().estimate == pytest.approx(1)


@pytest.mark.parametrize(
    "counts",
    [
        [(10, 10)] * 12,
        [(0, 10)] * 12,
        [(0, 5), (5, 5)] * 6,
        [(5, 10)] * 11 + [(9_000, 10_000)],
    ],
    ids=["all respond", "none responds", "all or none", "one huge study"],
)
def test_degenerate_pools_give_wide_intervals_and_no_warning(counts: list[tuple[int, int]]) -> None:
    studies = tuple(
        study(p, e, n, line="rescue" if p % 3 else "mixed") for p, (e, n) in enumerate(counts)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = differences(Members("pool.a.b", "a", "A", "overall_response", studies))
    assert found.answers
    for one in found.answers:
        rates = [rate for level in one.question.levels for rate in one.rate(level)]
        assert np.isfinite([*rates, *one.regression.weights]).all()
    assert (found.size is None) == (len({n for _, n in counts}) == 1)


def test_a_design_that_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot tell"):
        regress([5, 6, 7], [10, 10, 10], np.ones((3, 2)))


def test_limits_of_a_funnel_narrow_with_size_and_stay_rates() -> None:
    low, high = expected_limits(0.9, 0.5, np.array([1.0, 1e6]))
    assert 0 < low[0] < low[1] < 0.9 < high[1] < high[0] < 1


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([12, 248], [10, 20, 50, 100, 200, 500]), ([1, 1], [0.5, 1, 2]), ([10, 10], [5, 10, 20])],
)
def test_ticks_of_a_funnel_lie_around_all_sizes(values: list[int], ticks: list[float]) -> None:
    assert log_ticks(values) == ticks


@pytest.mark.parametrize(("span", "step"), [(21, 5), (5.7, 1), (3, 1), (0.3, 0.1), (90, 20)])
def test_axes_have_round_steps(span: float, step: float) -> None:
    assert step_of(span) == pytest.approx(step)
