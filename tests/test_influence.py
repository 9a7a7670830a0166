from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from analysis import influence, subsets
from analysis.influence import Counts, Refit, refit, scatter
from analysis.pooling import pool
from analysis.report import Report
from checks.values import influence as second

POOL = "pool.sirolimus.overall_response"
LIKE = ((50, 100), (49, 100), (51, 98), (60, 120), (40, 80), (55, 111))


def made_up(seed: int, studies: int) -> Counts:
    draw = np.random.default_rng(seed)
    n = draw.integers(5, 150, studies)
    events = draw.binomial(n, draw.beta(3, 2, studies))
    return tuple(zip(events.tolist(), n.tolist(), strict=True))


def assert_same(fit: Refit, counts: Counts) -> None:
    alone = pool(*zip(*counts, strict=True))
    assert alone.summary
    assert fit.summary == pytest.approx(alone.summary, abs=1e-6)
    if alone.heterogeneity:
        assert fit.i2 == pytest.approx(alone.heterogeneity.i2, abs=1e-6)
        assert fit.tau2 == pytest.approx(alone.heterogeneity.tau2, abs=1e-6)


def test_studies_are_left_out_and_added_as_pools_are_made(shipped: Report) -> None:
    counts = tuple((s.events, s.n) for s in shipped.members(POOL).studies)
    found = shipped.influence[POOL]
    for place in range(len(counts)):
        assert_same(found.without[place], counts[:place] + counts[place + 1 :])
        assert_same(found.through[place], counts[: place + 1])


def test_pools_of_three_studies_and_more_are_looked_at(shipped: Report) -> None:
    wanted = {
        prefix
        for prefix, members in shipped.selection.members.items()
        if members.basis == "pool" and len(members.studies) >= 3
    }
    assert shipped.influence.keys() == wanted


def test_a_study_unlike_the_others_parts_the_subsets() -> None:
    found = scatter((*LIKE, (95, 100)))
    assert (found.study, found.parts) == (6, True)
    assert found.separation > 0.99
    assert found.shift > 0.05
    assert found.i2_above > 0.99


def test_like_studies_do_not_part() -> None:
    found = scatter(LIKE)
    assert found.parts is False
    assert abs(found.shift) < 0.01


def test_of_few_studies_nothing_is_said_about_clouds() -> None:
    assert scatter(((50, 100), (49, 100), (51, 98), (95, 100))).parts is None


def test_cells_hold_every_subset() -> None:
    counts = made_up(1, 9)
    found = scatter(counts)
    assert found.count == found.inside.count + found.outside.count == 2**9 - 10
    for side in (found.inside, found.outside):
        assert sum(cell.count for cell in side.cells) == side.count
        assert all(0 <= cell.rate < 100 and 0 <= cell.i2 < 20 for cell in side.cells)


@pytest.mark.parametrize(
    "counts",
    [
        ((0, 5), (0, 9), (0, 12)),
        ((9, 9), (9, 9), (9, 9), (9, 9), (9, 9)),
        ((5, 10), (10, 20), (15, 30)),
        ((2000, 5000), (1, 2), (3, 4), (2, 9), (0, 3)),
        ((0, 1), (1, 1), (0, 1)),
    ],
    ids=["none respond", "all the same", "one rate", "giant", "one each"],
)
def test_degenerate_pools_are_finite_and_silent(counts: Counts) -> None:
    refit([counts])  # what PyMARE warns of once at its import is not ours
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scatter(counts)
        fits = refit([counts[:place] + counts[place + 1 :] for place in range(len(counts))])
    numbers = (found.median, found.low, found.high, found.above_half, found.separation, found.shift)
    assert all(math.isfinite(number) for number in numbers)
    assert all(0 <= fit.i2 < 1 for fit in fits.values() if fit.i2 is not None)


def test_identical_studies_make_no_difference() -> None:
    found = scatter(((9, 12),) * 6)
    assert (found.separation, found.shift, found.parts) == (0.5, 0.0, False)


@pytest.mark.parametrize(("seed", "studies"), [(2, 3), (3, 5), (4, 8), (5, 12)])
def test_both_roads_find_the_same_subsets(seed: int, studies: int) -> None:
    assert_both_roads(made_up(seed, studies))


def test_both_roads_draw_the_same_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsets, "SAMPLE", 400)
    monkeypatch.setattr(second, "SAMPLED_SUBSETS", 400)
    assert_both_roads(made_up(6, 23))


def assert_both_roads(counts: Counts) -> None:
    found, again = scatter(counts), second.scatter(counts)
    assert (found.count, found.study) == (again.subsets, again.study)
    assert found.parts is again.parts(len(counts))
    for stat in ("median", "low", "high", "above_half", "rate_above", "i2_above", "shift"):
        assert getattr(found, stat) == pytest.approx(getattr(again, stat), abs=1e-8)
    for side, other in ((found.inside, "with"), (found.outside, "without")):
        cells = tuple((cell.rate, 5 * cell.i2, cell.count) for cell in side.cells)
        assert cells == again.sides[other].cells
        assert (side.rate, side.i2) == pytest.approx(
            (again.sides[other].median, again.sides[other].i2), abs=1e-8
        )


def test_the_ends_are_the_lowest_and_highest_rate(shipped: Report) -> None:
    found = shipped.influence[POOL]
    rates = [fit.summary.estimate for fit in found.without]
    low, high = found.ends
    assert (rates[low], rates[high]) == (min(rates), max(rates))
    assert influence.INFLUENCE_MIN_K == 3
