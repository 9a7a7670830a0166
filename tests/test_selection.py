from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis import evidence, selection
from analysis.evidence import Evidence
from analysis.report import Report
from analysis.selection import OTHER_ROW, POOLED, RULES, SHARED_PATIENTS, Rules, select

STUDY = {
    "study_id": "a2001", "first_author": "A", "year": 2001, "title": "T", "journal": "", "doi": "",
    "pmid": "", "country": "", "design": "single_arm_trial", "population": "adult",
    "itp_type": "primary", "line": "mixed", "n_enrolled": 50, "seed_reference": None,
    "overlaps_with": "", "citation_verified": "yes", "source_url": "", "notes": "",
}  # fmt: skip
ROW = {
    "study_id": "a2001", "arm": "arm", "therapy": "rituximab", "outcome": "overall_response",
    "months": 3.0, "months_basis": "visit", "window": "at_timepoint", "platelet_threshold": 50.0,
    "treatment_status": "", "definition": "", "events": 10, "n": 20, "reported_percent": None,
    "count_basis": "reported", "denominator": "itt", "source_kind": "primary",
    "source_locator": "", "confidence": "high", "second_extraction": "agreed", "exclusion": "",
}  # fmt: skip
ANY_TIME = {"window": "any_time", "months": None, "months_basis": ""}
BEST_BY = {"window": "best_by_timepoint"}
DURABLE = {"outcome": "durable_response", "treatment_status": "off"}


@pytest.fixture(scope="module")
def shipped_evidence() -> Evidence:
    return evidence.read(Path(__file__).parent.parent / "data")


def made_up(like: Evidence, studies: list[dict], rows: list[dict]) -> Evidence:  # type: ignore[type-arg]
    """Made-up studies and rows with the types, and the therapies, of the evidence given."""

    def frame(like: pd.DataFrame, default: dict, records: list[dict]) -> pd.DataFrame:  # type: ignore[type-arg]
        full = pd.DataFrame([default | record for record in records], dtype=object)
        return full[list(like.columns)].astype(like.dtypes.to_dict())

    return replace(
        like,
        studies=frame(like.studies, STUDY, studies),
        outcomes=frame(like.outcomes, ROW, rows),
        digest="",
    )


def made(
    shipped_evidence: Evidence,
    studies: list[dict],  # type: ignore[type-arg]
    rows: list[dict],  # type: ignore[type-arg]
    rules: Rules = RULES,
) -> selection.Selection:
    """The selection of made-up studies and rows."""
    return select(made_up(shipped_evidence, studies, rows), rules)


RITUXIMAB = "pool.rituximab.overall_response"


@pytest.mark.parametrize(
    ("study", "row", "fate"),
    [
        ({}, {}, POOLED),
        ({"population": "mixed", "itp_type": "mixed"}, {}, POOLED),
        ({"population": "child"}, {}, "population_child"),
        ({"itp_type": "secondary"}, {}, "itp_secondary"),
        ({}, {"outcome": "partial_response"}, "outcome_not_pooled"),
        ({}, {"outcome": "relapse"}, "outcome_not_pooled"),
        ({}, {"exclusion": "not_itp"}, "excluded"),
        ({}, {"events": None, "n": None, "count_basis": "percent_only"}, "no_denominator"),
        ({}, {"confidence": "low"}, "low_confidence"),
        (
            {"population": "child"},
            {"exclusion": "not_itp", "confidence": "low"},
            "population_child",
        ),
    ],
)
def test_a_row_leaves_by_the_first_reason_that_holds(
    shipped_evidence: Evidence,
    study: dict,  # type: ignore[type-arg]
    row: dict,  # type: ignore[type-arg]
    fate: str,
) -> None:
    chosen = made(shipped_evidence, [study], [row])
    assert chosen.rows["fate"].tolist() == [fate]
    assert chosen.study_fates == {"a2001": fate}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"months": 6.0}, BEST_BY),
        (BEST_BY, ANY_TIME),
        (ANY_TIME, {"months": 12.0}),
        ({"months": 2.0}, {"months": 6.0}),
        ({"platelet_threshold": 30.0}, {"platelet_threshold": 50.0}),
        ({"months": 3.2, "platelet_threshold": 30.0}, {"months": 2.8}),
        ({"platelet_threshold": 100.0}, {"platelet_threshold": None}),
        (DURABLE | {"months": 24.0}, DURABLE | {"months": 12.0}),
        (DURABLE | {"months": 6.0}, DURABLE | ANY_TIME),
    ],
    ids=[
        "early visit before best by", "best by before any time", "any time before late visit",
        "nearest month 3", "lower threshold", "equally near", "stated threshold",
        "longest follow-up", "stated follow-up",
    ],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_preference_among_rows_of_one_study(
    shipped_evidence: Evidence,
    better: dict,  # type: ignore[type-arg]
    worse: dict,  # type: ignore[type-arg]
    swapped: bool,
) -> None:
    rows = [better | {"events": 11}, worse | {"events": 5}]
    chosen = made(shipped_evidence, [{}], rows[::-1] if swapped else rows)
    durable = better.get("outcome") == "durable_response"
    prefix = "pool.rituximab.durable_response_off" if durable else RITUXIMAB
    assert [study.events for study in chosen.members[prefix].studies] == [11]
    assert sorted(chosen.rows["fate"]) == sorted([POOLED, OTHER_ROW])


def test_arms_on_the_same_therapy_are_added(shipped_evidence: Evidence) -> None:
    rows = [{"arm": "low", "events": 4, "n": 9}, {"arm": "high", "events": 6, "n": 11}]
    (study,) = made(shipped_evidence, [{}], rows).members[RITUXIMAB].studies
    assert (study.events, study.n, len(study.rows)) == (10, 20, 2)


def test_on_and_off_treatment_are_different_pools(shipped_evidence: Evidence) -> None:
    rows = [DURABLE, DURABLE | {"arm": "b", "treatment_status": "on"}]
    chosen = made(shipped_evidence, [{}], rows)
    for status in ("on", "off"):
        assert len(chosen.members[f"pool.rituximab.durable_response_{status}"].studies) == 1


@pytest.mark.parametrize("declared_by", ["a2001", "b2002"])
def test_of_studies_that_share_patients_the_fuller_stays(
    shipped_evidence: Evidence, declared_by: str
) -> None:
    studies = [{}, {"study_id": "b2002", "year": 2002}]
    for study, other in zip(studies, ("b2002", "a2001"), strict=True):
        if study.get("study_id", "a2001") == declared_by:
            study["overlaps_with"] = other
    rows = [{"n": 20}, {"study_id": "b2002", "n": 21}]
    chosen = made(shipped_evidence, studies, rows)
    assert [study.study_id for study in chosen.members[RITUXIMAB].studies] == ["b2002"]
    assert chosen.members[RITUXIMAB].shared == (("a2001", "b2002"),)
    assert chosen.rows["fate"].tolist() == [SHARED_PATIENTS, POOLED]


def test_overlap_matters_only_within_a_pool(shipped_evidence: Evidence) -> None:
    studies = [{}, {"study_id": "b2002", "overlaps_with": "a2001"}]
    rows = [{}, {"study_id": "b2002", "therapy": "eltrombopag", "n": 99}]
    assert made(shipped_evidence, studies, rows).rows["fate"].tolist() == [POOLED, POOLED]


def test_class_pools_take_every_therapy_of_the_class(shipped_evidence: Evidence) -> None:
    studies = [{}, {"study_id": "b2002"}]
    rows = [{"therapy": "romiplostim"}, {"study_id": "b2002", "therapy": "eltrombopag"}]
    members = made(shipped_evidence, studies, rows).members
    assert len(members["class.thrombopoietin_receptor_agonist.overall_response"].studies) == 2
    assert not any(prefix.startswith(("class.combination", "class.control")) for prefix in members)


def test_cited_pools_hold_only_cited_studies(shipped_evidence: Evidence) -> None:
    studies = [{"seed_reference": 2}, {"study_id": "b2002"}]
    members = made(shipped_evidence, studies, [{}, {"study_id": "b2002"}]).members
    assert len(members[RITUXIMAB].studies) == 2
    assert [s.study_id for s in members["cited.rituximab.overall_response"].studies] == ["a2001"]


def test_repeated_addresses_stay_apart_and_stable(shipped_evidence: Evidence) -> None:
    rows = [{}, {"platelet_threshold": 30.0}]
    addresses = made(shipped_evidence, [{}], rows).rows["address"].tolist()
    assert addresses[0] == "a2001/arm/overall_response/3"
    assert addresses[1] == "a2001/arm/overall_response/3~at_timepoint~30"


def test_fates_of_the_shipped_data_add_up(shipped: Report) -> None:
    value = {entry.key: entry.value for entry in shipped.ledger}
    for noun in ("rows", "studies"):
        parts = [value[f"flow.{noun}.{fate}"] for fate in selection.FATE_LABELS]
        assert sum(parts) == value[f"flow.{noun}.total"]
        assert value[f"flow.{noun}.after.{SHARED_PATIENTS}"] == value[f"flow.{noun}.{POOLED}"]
    pooled = {
        a for p, m in shipped.selection.members.items() if p.startswith("pool.") for a in m.rows
    }
    assert len(pooled) == value["flow.rows.pooled"]


def test_no_pool_holds_a_study_twice_or_overlapping_ones(shipped: Report) -> None:
    studies = shipped.evidence.studies.set_index("study_id")
    for prefix, members in shipped.selection.members.items():
        ids = [study.study_id for study in members.studies]
        assert len(ids) == len(set(ids)), prefix
        for study_id in ids:
            others = set(studies.loc[study_id, "overlaps_with"].split(";"))
            assert not others & set(ids), prefix


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (RULES, {"a2001", "b2002", "c2003", "e2005"}),
        (Rules(populations=("adult",), itp_types=("primary",)), {"a2001", "b2002", "e2005"}),
        (Rules(confidences=("high", "low")), {"a2001", "b2002", "c2003", "d2004", "e2005"}),
        (Rules(designs=("rct",)), {"b2002"}),
        (Rules(lines=("rescue",)), {"a2001"}),
        (Rules(threshold=30.0), {"b2002"}),
    ],
)  # fmt: skip
def test_other_rules_choose_other_studies(
    shipped_evidence: Evidence, rules: Rules, kept: set[str]
) -> None:
    studies = [
        {"line": "rescue"},
        {"study_id": "b2002", "design": "rct"},
        {"study_id": "c2003", "population": "mixed"},
        {"study_id": "d2004"},
        {"study_id": "e2005"},
    ]
    rows = [
        {},
        {"study_id": "b2002", "platelet_threshold": 30.0},
        {"study_id": "c2003"},
        {"study_id": "d2004", "confidence": "low"},
        {"study_id": "e2005", "platelet_threshold": None},
    ]
    chosen = made(shipped_evidence, studies, rows, rules).members[RITUXIMAB]
    assert {study.study_id for study in chosen.studies} == kept


@pytest.mark.parametrize(("trials_first", "kept"), [(False, "b2002"), (True, "c2003")])
def test_randomised_trials_may_be_kept_before_fuller_studies(
    shipped_evidence: Evidence, trials_first: bool, kept: str
) -> None:
    studies = [
        {"study_id": "b2002", "overlaps_with": "c2003"},
        {"study_id": "c2003", "design": "rct"},
    ]
    rows = [{"study_id": "b2002", "n": 200}, {"study_id": "c2003"}]
    chosen = made(shipped_evidence, studies, rows, Rules(trials_first=trials_first))
    assert [study.study_id for study in chosen.members[RITUXIMAB].studies] == [kept]


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([{"denominator": "evaluable"}], 30),
        ([{"denominator": "per_protocol"}], 30),
        ([{"denominator": "itt"}], 0),
        ([{"denominator": "unclear"}], 0),
        ([{"denominator": "evaluable", "n": 60}], 0),
        ([{"denominator": "evaluable"}, {"arm": "other", "therapy": "placebo"}], 0),
    ],
)
def test_missing_patients_are_known_only_of_a_single_arm(
    shipped_evidence: Evidence,
    rows: list[dict],  # type: ignore[type-arg]
    missing: int,
) -> None:
    chosen = made(shipped_evidence, [{}], rows).members[RITUXIMAB]
    assert [study.missing for study in chosen.studies] == [missing]
