"""Which rows enter a pool, by the written rules: one measure per study, no patient twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from checks import rows
from tests.projects import NO_PUBLISHED_POOLS

STUDIES = """study_id,first_author,year,design,population,itp_type,line,n_enrolled,\
seed_reference,overlaps_with,citation_verified
s1,A,2001,rct,adult,primary,rescue,64,,,yes
s2,B,2002,rct,mixed,mixed,rescue,40,,,yes
s3,C,2003,rct,adult,primary,mixed,40,,,yes
s4,D,2004,rct,adult,primary,mixed,10,,s1,yes
s5,E,2005,rct,adult,primary,mixed,40,3,,yes
"""
THERAPIES = "therapy,label,drug_class,mode\nalpha,Alpha,mTOR inhibitor,continuous\n"
CONSTANTS = "constant,value,unit,source\n"
HEADER = """study_id,arm,therapy,outcome,months,months_basis,window,platelet_threshold,\
treatment_status,events,n,reported_percent,confidence,exclusion,second_extraction,count_basis,\
denominator,source_kind,source_locator,definition"""
PLACES = {
    "visit at 6": "6,visit,at_timepoint,50,,{e},{n}",
    "visit at 2.8": "2.8,visit,at_timepoint,50,,{e},{n}",
    "visit at 3.2": "3.2,visit,at_timepoint,30,,{e},{n}",
    "visit at 6.1": "6.1,visit,at_timepoint,30,,{e},{n}",
    "best by 3": "3,visit,best_by_timepoint,30,,{e},{n}",
    "best at any time": ",,any_time,30,,{e},{n}",
    "visit at 3, no threshold": "3,visit,at_timepoint,,,{e},{n}",
    "visit at 3": "3,visit,at_timepoint,50,,{e},{n}",
    "median follow-up of 3": "3,median_follow_up,at_timepoint,50,,{e},{n}",
    "off at 12": "12,visit,at_timepoint,50,off,{e},{n}",
    "off at 24": "24,visit,at_timepoint,100,off,{e},{n}",
    "off, no month": ",,any_time,30,off,{e},{n}",
}


def chosen(
    lines: list[str], studies: str = STUDIES, rules: rows.Rules = rows.BOOK
) -> Mapping[str, tuple[rows.Entry, ...]]:
    """The pools of these rows."""
    outcomes = "\n".join([HEADER, *(f"{line},yes,p,x,t" for line in lines)]) + "\n"
    files = {
        "studies.csv": studies, "outcomes.csv": outcomes, "therapies.csv": THERAPIES,
        "constants.csv": CONSTANTS, "references.bib": "",
        "published_pools.csv": NO_PUBLISHED_POOLS,
    }  # fmt: skip
    return rows.select(rows.read({name: text.encode() for name, text in files.items()}), rules)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("visit at 6", "best by 3"),
        ("best by 3", "best at any time"),
        ("best at any time", "visit at 6.1"),
        ("visit at 2.8", "visit at 6"),
        ("visit at 3.2", "visit at 2.8"),  # as near to month 3, lower threshold
        ("visit at 3", "visit at 3, no threshold"),
        ("visit at 3", "visit at 2.8"),
        ("off at 24", "off at 12"),
        ("off at 12", "off, no month"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_preferred_measure(better: str, worse: str, turned: bool) -> None:
    outcome = "durable_response" if better.startswith("off") else "overall_response"
    lines = [
        f"s1,a,alpha,{outcome}," + PLACES[place].format(e=e, n=n) + ",,high,"
        for place, e, n in ((better, 7, 10), (worse, 9, 90))
    ]
    pools = chosen(lines[::-1] if turned else lines)
    kept = pools[f"pool.alpha.{outcome}{'_off' if outcome.startswith('durable') else ''}"]
    assert [(e.events, e.n) for e in kept] == [(7, 10)]


@pytest.mark.parametrize("turned", [False, True])
def test_fuller_measure_then_file_order(turned: bool) -> None:
    small = "s1,a,alpha,overall_response," + PLACES["visit at 3"].format(e=7, n=10) + ",,high,"
    large = (
        "s1,a,alpha,overall_response,"
        + PLACES["median follow-up of 3"].format(e=9, n=12) + ",,high,"
    )  # fmt: skip
    lines = [large, small] if turned else [small, large]
    assert chosen(lines)["pool.alpha.overall_response"][0].n == 12
    same = [line.replace(",9,12,", ",7,10,") for line in lines]
    first = chosen(same)["pool.alpha.overall_response"][0]
    assert first.rows == {"s1/a/overall_response/3"}  # the plain address is the first row's


def test_shared_patients_go_from_the_largest_down() -> None:
    studies = STUDIES.replace("mixed,mixed,rescue,40,,,", "adult,primary,rescue,40,,s1;s3,")
    lines = [
        f"{study},a,alpha,overall_response,3,visit,at_timepoint,50,,5,{n},,high,"
        for study, n in (("s1", 30), ("s2", 40), ("s3", 20), ("s4", 10), ("s5", 9))
    ]
    kept = chosen(lines, studies)["pool.alpha.overall_response"]
    # s2 drops s1 and s3; s4 is linked to s1 alone, which is gone, so s4 stays.
    assert [entry.study_id for entry in kept] == ["s2", "s4", "s5"]


def test_equal_size_keeps_the_later_study() -> None:
    lines = [
        f"{study},a,alpha,overall_response,3,visit,at_timepoint,50,,5,30,,high,"
        for study in ("s1", "s4")
    ]
    kept = chosen(lines)["pool.alpha.overall_response"]
    assert [entry.study_id for entry in kept] == ["s4"]
