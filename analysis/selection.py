"""Which rows of the evidence enter which pool, and why every other row does not.

The rules are data: an ordered list of reasons, each a mask over the rows. A row's fate is the
first reason that holds, or the pool it entered, so that the fates of all rows add up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol, TypeVar

import pandas as pd

from analysis.evidence import Evidence

OUTCOMES = (
    "overall_response",
    "complete_response",
    "durable_response_on",
    "durable_response_off",
)
OUTCOME_LABELS = {
    "overall_response": "overall response",
    "complete_response": "complete response",
    "durable_response_on": "durable response on treatment",
    "durable_response_off": "durable response off treatment",
}

#: An early visit is one up to this month; the visit nearest the target month is preferred.
EARLY_MONTHS = 6
TARGET_MONTHS = 3

#: Columns that tell one measure of an outcome from another.
MEASURE = ("months", "months_basis", "window", "platelet_threshold")

#: Lines of therapy with pools of their own, beside all evidence.
LINES = ("second_line", "rescue")

#: Designs with a protocol, those that follow patients forward, and all others.
TRIALS = ("rct", "single_arm_trial")
PROSPECTIVE = (*TRIALS, "prospective_cohort")
#: Months of the visits at which studies of rescue patients are laid beside one another, by the
#: basis of their pools, and how many months earlier or later a visit may be.
VISITS = {f"rescue_month_{month}": month for month in (3, 6, 12)}
VISIT_TOLERANCE = 1

#: Bases on which only some therapies have a pool: an empty one says nothing about the therapy.
PARTS_OF_EVIDENCE = (*LINES, *VISITS)

#: Drug classes of therapies.csv that name a mode of use, not a mechanism, so are not pooled.
NOT_A_CLASS = ("combination", "control")

POOLED = "pooled"
OTHER_ROW = "other_row_preferred"
SHARED_PATIENTS = "shared_patients"
NO_ROWS = "no_outcome_rows"


@dataclass(frozen=True)
class Rules:
    """What may be asked of a row before it enters a pool; as it stands, the rules of this book.

    populations, itp_types, confidences, designs, lines: the codes that are admitted, designs and
    lines None for all. threshold: the platelet threshold (10^9/L) of the definition, None for any.
    trials_first: of studies that share patients, whether randomised trials, then other trials, are
    kept before fuller studies.
    """

    populations: tuple[str, ...] = ("adult", "mixed")
    itp_types: tuple[str, ...] = ("primary", "mixed")
    confidences: tuple[str, ...] = ("high", "medium")
    designs: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None
    threshold: float | None = None
    trials_first: bool = False

    def restrict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of the admitted designs, lines and threshold."""
        for column, admitted in (("design", self.designs), ("line", self.lines)):
            if admitted is not None:
                rows = rows[rows[column].isin(admitted)]
        if self.threshold is not None:
            rows = rows[rows["platelet_threshold"].eq(self.threshold).fillna(False)]
        return rows


#: The rules of this book.
RULES = Rules()


@dataclass(frozen=True)
class Reason:
    """Why a row stays out of every pool; `holds` maps the joined rows to a mask of them."""

    code: str
    label: str
    holds: Callable[[pd.DataFrame, Rules], pd.Series]


REASONS = (
    Reason(
        "outcome_not_pooled",
        "partial response or relapse, shown but not pooled",
        lambda rows, _: rows["pool_outcome"].eq(""),
    ),
    Reason(
        "population_child",
        "children only",
        lambda rows, rules: ~rows["population"].isin(rules.populations),
    ),
    Reason(
        "itp_secondary",
        "secondary thrombocytopenia",
        lambda rows, rules: ~rows["itp_type"].isin(rules.itp_types),
    ),
    Reason("excluded", "coded as unfit for a pool", lambda rows, _: rows["exclusion"].ne("")),
    Reason(
        "no_denominator",
        "no denominator printed",
        lambda rows, _: rows["events"].isna() | rows["n"].isna(),
    ),
    Reason(
        "low_confidence",
        "reading uncertain",
        lambda rows, rules: ~rows["confidence"].isin(rules.confidences),
    ),
)

#: Every fate in the order in which a row or study meets it, for the flow diagram.
FATE_LABELS = {
    NO_ROWS: "no platelet-response figure",
    **{reason.code: reason.label for reason in REASONS},
    OTHER_ROW: "another row of the same study preferred",
    SHARED_PATIENTS: "shares patients with a fuller study",
    POOLED: "in a pool",
}


@dataclass(frozen=True)
class StudyCounts:
    """What one study brings to one pool; arms on the same therapy are added together.

    missing: patients who were enrolled and whom n leaves out, as far as that is known: 0 but for
    studies of a single arm whose n counts those who could be assessed or kept to the protocol.
    """

    study_id: str
    label: str
    year: int
    events: int
    n: int
    rows: tuple[str, ...]
    months: float | None
    window: str
    platelet_threshold: float | None
    design: str
    line: str
    missing: int = 0


@dataclass(frozen=True)
class Members:
    """The studies of one pool, and those left out because they share patients with a kept one."""

    prefix: str
    unit: str
    unit_label: str
    outcome: str
    studies: tuple[StudyCounts, ...]
    shared: tuple[tuple[str, str], ...] = ()
    rows_shared: tuple[str, ...] = field(default=(), repr=False)

    @property
    def basis(self) -> str:
        """What the pool is formed from: `pool`, `class`, `cited` or a line of therapy."""
        return self.prefix.split(".")[0]

    @property
    def label_source(self) -> str:
        """Where in the data the unit's label stands."""
        return f"{'classes' if self.basis == 'class' else 'therapies'}#{self.unit}#label"

    @property
    def late_studies(self) -> list[StudyCounts]:
        """Studies that enter overall or complete response with a visit after the early months."""
        if self.outcome.startswith("durable"):
            return []
        return [s for s in self.studies if s.window == "at_timepoint" and not is_early(s.months)]

    @property
    def rows(self) -> tuple[str, ...]:
        """Addresses of all rows that went in."""
        return tuple(address for study in self.studies for address in study.rows)


@dataclass(frozen=True)
class Selection:
    """All pools' members and the fate of every row and study.

    `rows` is outcomes.csv joined with its study and therapy, with the columns `address`,
    `pool_outcome` and `fate`; `study_fates` maps each study_id to its fate.
    """

    rows: pd.DataFrame
    members: dict[str, Members]
    study_fates: dict[str, str]


def slug(text: str) -> str:
    """Lower case, every run of other characters than letters and digits an underscore."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def study_labels(studies: pd.DataFrame) -> dict[str, str]:
    """First author and year; a letter where two studies would read the same."""
    names = list(studies["first_author"] + " " + studies["year"].astype(str))
    shared, before = Counter(names), Counter[str]()
    labels = {}
    for study_id, name in zip(studies["study_id"], names, strict=True):
        labels[study_id] = f"{name}{chr(97 + before[name])}" if shared[name] > 1 else name
        before[name] += 1
    return labels


def join_rows(evidence: Evidence) -> pd.DataFrame:
    """Outcome rows with their study's and therapy's columns, address and pool outcome."""
    rows = evidence.outcomes.merge(
        evidence.studies.drop(columns="notes"), on="study_id", validate="many_to_one"
    ).merge(evidence.therapies, on="therapy", validate="many_to_one")
    durable = rows["outcome"].eq("durable_response")
    named = rows["outcome"].where(~durable, rows["outcome"] + "_" + rows["treatment_status"])
    rows["pool_outcome"] = named.where(named.isin(OUTCOMES), "")
    rows["address"] = _addresses(rows, named)
    rows["missing"] = _missing(rows)
    return rows


def _missing(rows: pd.DataFrame) -> pd.Series:
    """Enrolled patients whom a row's n leaves out (see StudyCounts)."""
    alone = rows.groupby("study_id")["arm"].transform("nunique").eq(1)
    some = alone & rows["denominator"].isin(["evaluable", "per_protocol"])
    missing = (rows["n_enrolled"] - rows["n"]).fillna(0).clip(lower=0)
    return missing.where(some, 0).astype(int)


def _addresses(rows: pd.DataFrame, outcome: pd.Series) -> list[str]:
    """STUDY/ARM/OUTCOME/MONTHS; a later row of the same address also names what sets it apart."""
    seen: set[str] = set()
    addresses = []
    for row, name in zip(rows.itertuples(), outcome, strict=True):
        months = "any" if pd.isna(row.months) else f"{row.months:g}"
        address = f"{row.study_id}/{row.arm}/{name}/{months}"
        if address in seen:
            threshold = row.platelet_threshold
            bound = "unstated" if pd.isna(threshold) else f"{threshold:g}"
            address += f"~{row.window}~{bound}"
        seen.add(address)
        addresses.append(address)
    return addresses


def judge_rows(rows: pd.DataFrame, rules: Rules = RULES) -> pd.Series:
    """The first reason that keeps each row out of every pool; blank where none holds."""
    fate = pd.Series("", index=rows.index)
    for reason in REASONS:
        holds = reason.holds(rows, rules).fillna(False).astype(bool)
        fate = fate.mask(fate.eq("") & holds, reason.code)
    return fate


def preference(measure: list[Any], outcome: str) -> tuple[float, ...]:
    """Sort key of one measure of a study; the smallest is chosen (see the methods chapter)."""
    first = measure[0]
    months = known(first.months)
    threshold = known(first.platelet_threshold)
    ties = (
        float("inf") if threshold is None else threshold,
        -float(sum(row.n for row in measure)),
        float(first.Index),
    )
    if outcome.startswith("durable"):
        return (float("inf") if months is None else -months, *ties)
    if first.window == "at_timepoint":
        rank = 0.0 if is_early(months) else 3.0
    else:
        rank = 1.0 if first.window == "best_by_timepoint" else 2.0
    # Rounded, so that months equally far on either side tie as they do on paper.
    distance = float("inf") if months is None else round(abs(months - TARGET_MONTHS), 6)
    return (rank, distance, *ties)


def at_visit(rows: pd.DataFrame, month: float) -> pd.Series:
    """Which rows give the state at a fixed visit near this month, in studies of rescue patients."""
    fixed = rows["window"].eq("at_timepoint") & rows["months_basis"].eq("visit")
    # Rounded as in _preference, for months are decimal fractions.
    near = (rows["months"] - month).abs().round(6).le(VISIT_TOLERANCE).fillna(False)
    return rows["line"].eq("rescue") & fixed & near.astype(bool)


def is_early(months: float | None) -> bool:
    """Whether a visit counts as an early one."""
    return months is not None and months <= EARLY_MONTHS


def known(value: Any) -> float | None:
    """A number of the data, None where the cell is blank."""
    return None if pd.isna(value) else float(value)


def group_by(rows: Iterable[Any], *columns: str) -> dict[tuple[Any, ...], list[Any]]:
    """Rows (as named tuples) by their values in these columns, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, column) for column in columns), []).append(row)
    return groups


def _choose(rows: list[Any], outcome: str, labels: dict[str, str]) -> StudyCounts:
    """The preferred measure among one study's eligible rows, its arms added together."""
    measures = group_by(rows, *MEASURE)
    chosen = min(measures.values(), key=lambda measure: preference(measure, outcome))
    first = chosen[0]
    return StudyCounts(
        study_id=first.study_id,
        label=labels[first.study_id],
        year=int(first.year),
        events=int(sum(row.events for row in chosen)),
        n=int(sum(row.n for row in chosen)),
        rows=tuple(row.address for row in chosen),
        months=known(first.months),
        window=first.window,
        platelet_threshold=known(first.platelet_threshold),
        design=first.design,
        line=first.line,
        missing=int(sum(row.missing for row in chosen)),
    )


def shared_with(studies: pd.DataFrame) -> dict[str, set[str]]:
    """By study the others that may share patients with it, from either side's `overlaps_with`."""
    found: dict[str, set[str]] = {}
    for study_id, others in zip(studies["study_id"], studies["overlaps_with"], strict=True):
        for other in filter(None, map(str.strip, others.split(";"))):
            found.setdefault(study_id, set()).add(other)
            found.setdefault(other, set()).add(study_id)
    return found


class Sized(Protocol):
    """What the rule for shared patients asks about a study."""

    @property
    def study_id(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def year(self) -> int: ...


SizedStudy = TypeVar("SizedStudy", bound=Sized)


def _trial_rank(design: str) -> int:
    """Randomised trials first, then trials of a single arm, then all others."""
    return TRIALS.index(design) if design in TRIALS else len(TRIALS)


def fuller_of_shared(
    chosen: Iterable[SizedStudy],
    overlaps: dict[str, set[str]],
    rank: Callable[[SizedStudy], int] = lambda _: 0,
) -> tuple[list[SizedStudy], list[tuple[SizedStudy, SizedStudy]]]:
    """Studies with only the fuller of those that share patients, and each left out with that.

    One of a lower rank is kept before a fuller one.
    """
    kept: list[SizedStudy] = []
    left_out = []
    for study in sorted(chosen, key=lambda s: (rank(s), -s.n, -s.year, s.study_id)):
        others = overlaps.get(study.study_id, set())
        fuller = next((k for k in kept if k.study_id in others), None) if others else None
        if fuller is None:
            kept.append(study)
        else:
            left_out.append((study, fuller))
    return kept, left_out


def members_of(
    prefix: str,
    unit: str,
    unit_label: str,
    outcome: str,
    rows: list[Any],
    labels: dict[str, str],
    overlaps: dict[str, set[str]],
    rules: Rules = RULES,
) -> Members:
    """Choose one measure a study, then keep the fuller of studies that share patients."""
    chosen = [_choose(group, outcome, labels) for group in group_by(rows, "study_id").values()]
    kept, left_out = fuller_of_shared(
        chosen, overlaps, lambda study: _trial_rank(study.design) if rules.trials_first else 0
    )
    shared = [(study.study_id, fuller.study_id) for study, fuller in left_out]
    rows_shared = [address for study, _ in left_out for address in study.rows]
    kept.sort(key=lambda s: (s.year, s.label, s.study_id))
    return Members(
        prefix, unit, unit_label, outcome, tuple(kept), tuple(shared), tuple(rows_shared)
    )


def drug_classes(therapies: pd.DataFrame) -> dict[str, str]:
    """Slug to label of the drug classes with more than one therapy (see NOT_A_CLASS)."""
    counts = therapies["drug_class"].value_counts(sort=False)
    return {
        slug(label): str(label)
        for label, count in counts.items()
        if count > 1 and label not in NOT_A_CLASS
    }


def select(evidence: Evidence, rules: Rules = RULES, only: str = "") -> Selection:
    """Apply the rules to the evidence, on every basis: all of it and each of its parts.

    With `only`, on that basis alone. Fates are told by the reasons: with rules that also restrict
    designs, lines or the threshold, a row that they leave out counts as one to which another was
    preferred.
    """
    rows = join_rows(evidence)
    rows["fate"] = judge_rows(rows, rules)
    eligible = rules.restrict(rows[rows["fate"].eq("")])
    cited = eligible[eligible["seed_reference"].notna()]
    labels = study_labels(evidence.studies)
    overlaps = shared_with(evidence.studies)
    classes = drug_classes(evidence.therapies)
    therapies = dict(zip(evidence.therapies["therapy"], evidence.therapies["label"], strict=True))

    members: dict[str, Members] = {}
    for basis, candidates, column, unit_labels in (
        ("pool", eligible, "therapy", therapies),
        ("class", eligible, "drug_class", classes),
        ("cited", cited, "therapy", therapies),
        *((line, eligible[eligible["line"].eq(line)], "therapy", therapies) for line in LINES),
        *(
            (visit, eligible[at_visit(eligible, m)], "therapy", therapies)
            for visit, m in VISITS.items()
        ),
    ):
        if only and basis != only:
            continue
        by_unit = group_by(candidates.itertuples(), column, "pool_outcome")
        for (unit, label), outcome in product(unit_labels.items(), OUTCOMES):
            rows_in = by_unit.get((unit if column == "therapy" else label, outcome), [])
            prefix = f"{basis}.{unit}.{outcome}"
            members[prefix] = members_of(
                prefix, unit, label, outcome, rows_in, labels, overlaps, rules
            )

    rows["fate"] = _final_fates(rows, members)
    return Selection(rows, members, _study_fates(evidence.studies, rows))


def _final_fates(rows: pd.DataFrame, members: dict[str, Members]) -> pd.Series:
    """Fates of the eligible rows too, as the therapy pools on all evidence decided them."""
    therapy_pools = [m for m in members.values() if m.basis == "pool"]
    pooled = {address for m in therapy_pools for address in m.rows}
    shared = {address for m in therapy_pools for address in m.rows_shared}
    fate = rows["fate"].copy()
    undecided = fate.eq("")
    fate[undecided] = OTHER_ROW
    fate[undecided & rows["address"].isin(shared)] = SHARED_PATIENTS
    fate[undecided & rows["address"].isin(pooled)] = POOLED
    return fate


def _study_fates(studies: pd.DataFrame, rows: pd.DataFrame) -> dict[str, str]:
    """A study's fate is the furthest that any of its rows came."""
    order = list(FATE_LABELS)
    furthest = rows.groupby("study_id")["fate"].agg(lambda fates: max(fates, key=order.index))
    return {study_id: furthest.get(study_id, NO_ROWS) for study_id in studies["study_id"]}
