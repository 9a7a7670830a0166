"""Percentages without a denominator: which counts could have been printed so."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP

import pytest

from analysis.denominators import LARGEST_N, Bounds, fitting
from analysis.proportions import exact_interval
from analysis.report import Report
from checks.values import denominators as second_road

CUT_OFF = (ROUND_DOWN,)


def test_the_smallest_counts_are_those_found_by_hand() -> None:
    assert fitting("88.7", 100)[0] == (47, 53)
    assert fitting("65", 86)[0] == (11, 17)
    assert fitting("88.7", 100, CUT_OFF)[0] == (55, 62)
    assert fitting("50", 3) == [(1, 2)]
    assert fitting("100", 3) == [(1, 1), (2, 2), (3, 3)]


def test_decimals_are_those_of_the_text() -> None:
    assert (2, 3) in fitting("67", 5)
    assert fitting("67.0", 5) == []
    assert len(fitting("6", 200)) > len(fitting("6.0", 200))


def test_a_tie_fits_up_and_to_the_even_digit() -> None:
    """1 of 8 is 12.5 %: 13 half up, 12 half to even."""
    assert (1, 8) in fitting("13", 8, (ROUND_HALF_UP,))
    assert (1, 8) in fitting("12", 8, (ROUND_HALF_EVEN,))
    assert (1, 8) in fitting("13", 8)
    assert (1, 8) in fitting("12", 8)


@pytest.mark.parametrize("printed", ["0", "0.0", "100", "12", "12.5", "33.3", "66.67", "88.7"])
def test_both_roads_find_the_same_counts(printed: str) -> None:
    rounded, cut_off = second_road.fitting(printed, 90)
    assert fitting(printed, 90) == list(rounded)
    assert fitting(printed, 90, CUT_OFF) == list(cut_off)


def test_no_percentage_beyond_the_scale() -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        fitting("101", 10)


def test_without_a_fit_there_is_nothing_to_show() -> None:
    bounds = Bounds("s/a/o/3", "12.34", 5, True, (), ())
    assert (bounds.smallest, bounds.largest, bounds.sizes, bounds.band) == (None, None, (), ())


def test_the_band_holds_all_events_of_a_size() -> None:
    pairs = tuple(fitting("50", 300))
    band = dict(Bounds("s/a/o/3", "50", 300, True, pairs, ()).band)
    of_largest = [events for events, n in pairs if n == 300]
    assert of_largest == [149, 150, 151]
    assert band[300].low == exact_interval(149, 300).low
    assert band[300].high == exact_interval(151, 300).high


def test_shipped_percentages_and_their_pools(shipped: Report) -> None:
    found = {bounds.address.split("/")[0]: bounds for bounds in shipped.bounds}
    montalvo, feng = found["montalvo2014"], found["feng2020"]
    assert (montalvo.limit, montalvo.enrolled) == (LARGEST_N, False)
    assert montalvo.prefix == "pool.splenectomy.complete_response"
    assert montalvo.with_smallest
    assert montalvo.with_smallest.k == shipped.pools[montalvo.prefix].k + 1
    assert (feng.limit, feng.enrolled, feng.prefix) == (86, True, "")
