"""GRIM agrees with the R package scrutiny, and finds what it should in the shipped rows."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from analysis.audit import Verdict
from analysis.grim import Fit, fit_of, grim, percentage
from analysis.report import Report

# Means and results from tests/testthat/test-grim-map.R and README.md of scrutiny (Jung). A mean
# with two decimals of whole numbers is a percentage without decimals; of its whole part GRIM says
# nothing, so it is left out.
PIGS = (
    (22, 32), (74, 25), (23, 29), (57, 24), (77, 27), (68, 28), (1, 29), (38, 26), (14, 27),
    (89, 31), (0, 25), (24, 28),
)  # fmt: skip
CONSISTENT = "TFFFFTFTFFTF"
#: The same means of 40 and of 80 numbers, rounded half up.
HALF_UP = {40: "FFTFFTFTFFTF", 80: "FTTFFTTTTTTT"}


def test_percentages_that_are_means_agree_with_scrutiny() -> None:
    found = [grim(f"{stated}", n).fit is Fit.ROUNDED for stated, n in PIGS]
    assert found == [letter == "T" for letter in CONSISTENT]


def test_whole_percentages_of_fifty_agree_with_scrutiny() -> None:
    """scrutiny, test-grim.R: of 6 to 16 per cent of 50 the even ones are possible."""
    assert [grim(str(p), 50).fit is Fit.ROUNDED for p in range(6, 17)] == [True, False] * 5 + [True]


@pytest.mark.parametrize("n", HALF_UP)
def test_rounding_half_up_agrees_with_scrutiny(n: int) -> None:
    possible = {percentage(events, n, 0, ROUND_HALF_UP) for events in range(n + 1)}
    found = [Decimal(stated) in possible for stated, _ in PIGS]
    assert found == [letter == "T" for letter in HALF_UP[n]]


@pytest.mark.parametrize(
    ("events", "n", "printed", "fit"),
    [
        (5, 8, "63", Fit.ROUNDED),  # 62.5 half up
        (5, 8, "62", Fit.ROUNDED),  # half to even
        (3, 8, "37", Fit.CUT_OFF),  # 37.5, and 37 is odd
        (48, 54, "88", Fit.CUT_OFF),
        (48, 54, "88.8", Fit.CUT_OFF),
        (48, 54, "88.9", Fit.ROUNDED),
        (48, 54, "90", Fit.NONE),
        (3, 50, "6.0", Fit.ROUNDED),
        (0, 7, "0", Fit.ROUNDED),
        (7, 7, "100", Fit.ROUNDED),
        (7, 7, "99", Fit.NONE),
    ],
)
def test_counts_give_a_percentage_rounded_cut_off_or_not(
    events: int, n: int, printed: str, fit: Fit
) -> None:
    assert fit_of(events, n, printed) is fit


def test_the_printed_decimals_decide() -> None:
    assert (grim("6", 47).low, grim("6.0", 47).fit) == (3, Fit.NONE)


def test_from_a_hundred_patients_on_every_whole_percentage_fits() -> None:
    assert all(grim(str(p), n).fit is Fit.ROUNDED for n in (100, 137, 250) for p in range(101))
    assert (grim("44", 99).has_power, grim("44", 100).has_power) == (True, False)
    assert (grim("44.0", 999).has_power, grim("44.0", 1000).has_power) == (True, False)
    assert any(grim(str(p), 99).fit is not Fit.ROUNDED for p in range(101))


@pytest.mark.parametrize("n", [1, 2, 7, 61, 122])
@pytest.mark.parametrize("printed", ["0", "28", "54.8", "66", "99.99", "100"])
def test_the_search_finds_what_trying_every_count_finds(printed: str, n: int) -> None:
    found, fits = grim(printed, n), [fit_of(events, n, printed) for events in range(n + 1)]
    best = min(fits, key=list(Fit).index)
    fitting = [x for x, fit in enumerate(fits) if fit is best is not Fit.NONE]
    assert (found.fit, found.low, found.high) == (
        best, min(fitting, default=None), max(fitting, default=None)
    )  # fmt: skip
    distance = [abs(Fraction(100 * x, n) - Fraction(printed)) for x in range(n + 1)]
    assert found.nearest == distance.index(min(distance))


@pytest.mark.parametrize(("printed", "n"), [("101", 5), ("-1", 5), ("50", 0)])
def test_what_is_no_percentage_of_patients_is_refused(printed: str, n: int) -> None:
    with pytest.raises(ValueError, match="needs a percentage"):
        grim(printed, n)


def test_the_oddities_that_the_evidence_names_are_found(shipped: Report) -> None:
    disagree = {(row.events, row.n, row.printed) for row in shipped.audit.rows if row.disagrees}
    assert {(180, 220, "90"), (35, 51, "67"), (17, 62, "28"), (55, 78, "70")} <= disagree
    disputed = {row.study_id: row for row in shipped.audit.rows if row.is_disputed}
    assert set(disputed) == {"esteve2017", "colella2021"}
    allowed = disputed["colella2021"].allowed
    assert allowed is not None
    assert (allowed.low, allowed.high) == (80, 81)


def test_the_founding_article_is_held_against_each_study(shipped: Report) -> None:
    verdicts = {figure.constant: figure.verdict for figure in shipped.audit.founding}
    assert verdicts.pop("founding_splenectomy") is Verdict.NO_OTHER_SOURCE
    assert verdicts.pop("founding_sirolimus_overall_12") is Verdict.NO_OTHER_SOURCE
    assert verdicts.pop("founding_sirolimus_overall_6") is Verdict.COUNTS_DIFFER
    assert set(verdicts.values()) == {Verdict.AGREES}
