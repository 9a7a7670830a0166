"""Published pools find their counterpart, and each fact about the two is what its rule says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.agreement import Comparison
from analysis.proportions import Interval
from analysis.report import Report


@pytest.fixture(scope="module")
def comparisons(shipped: Report) -> dict[str, Comparison]:
    return {comparison.review.name: comparison for comparison in shipped.agreement}


def test_every_published_pool_is_compared_or_says_why_not(
    comparisons: dict[str, Comparison], shipped: Report
) -> None:
    assert len(comparisons) == len(shipped.evidence.published_pools)
    assert all((c.ours is None) == bool(c.absent) for c in comparisons.values())
    assert comparisons["liang_2012.rituximab.overall_response"].absent == "children"
    assert comparisons["kou_2024.fostamatinib.partial_response"].absent == "not_pooled"


def test_a_lasting_response_to_a_continuous_drug_is_compared_on_treatment(
    comparisons: dict[str, Comparison],
) -> None:
    ours = comparisons["kou_2024.fostamatinib.durable_response"].ours
    assert ours is not None
    assert ours.members.prefix == "pool.fostamatinib.durable_response_on"


def test_several_pools_of_one_review_are_told_apart_by_their_definition(
    comparisons: dict[str, Comparison],
) -> None:
    cines = [name for name in comparisons if name.startswith("cines_2017.")]
    assert [name.partition("~")[2] for name in cines] == [
        "adult_platelets_50_or_more_not_splenectomised",
        "adult_platelets_50_or_more_splenectomised",
    ]


def test_reviews_that_only_add_up_have_no_interval(comparisons: dict[str, Comparison]) -> None:
    crude = comparisons["kojouri_2004.splenectomy.complete_response"]
    assert crude.review.adds_up
    assert crude.review.interval is None
    assert (crude.overlap, crude.ours_in_theirs) == (None, None)
    assert crude.theirs_in_ours is not None


@pytest.mark.parametrize(
    ("interval", "overlap", "ours_in_theirs"),
    [((10.0, 20.0), False, False), ((10.0, 40.0), True, False), ((45.0, 60.0), True, True),
     ((60.0, 70.0), True, False), ((60.5, 70.0), False, False)],
)  # fmt: skip
def test_intervals_overlap_where_they_share_a_value(
    comparisons: dict[str, Comparison],
    interval: tuple[float, float],
    overlap: bool,
    ours_in_theirs: bool,
) -> None:
    shown = comparisons["arnold_2007.rituximab.overall_response"]
    assert shown.ours is not None
    made = replace(
        shown,
        review=replace(shown.review, interval=interval),
        ours=replace(shown.ours, summary=Interval(0.4, 0.5, 0.6)),
    )
    assert (made.overlap, made.ours_in_theirs) == (overlap, ours_in_theirs)


def test_a_threshold_is_read_from_the_definition(comparisons: dict[str, Comparison]) -> None:
    thresholds = {name: comparison.review.threshold for name, comparison in comparisons.items()}
    assert thresholds["arnold_2007.rituximab.overall_response"] == 50
    assert thresholds["kou_2024.fostamatinib.overall_response"] == 30
    assert thresholds["li_2019.rituximab.overall_response"] is None
