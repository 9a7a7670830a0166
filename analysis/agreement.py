"""What other reviews found, beside the pools of this book: facts by rule, no verdicts.

A published pool is compared with the pool of the same therapy and outcome. A lasting response is
compared on treatment where the drug is taken continuously, off treatment elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.evidence import Evidence
from analysis.pooling import Pool
from analysis.proportions import Interval
from analysis.selection import OUTCOMES, Members, slug

#: A platelet count in a review's definition: "platelets above 50", "platelets 30 or more".
_THRESHOLD = re.compile(r"\bplatelets (?:above )?([0-9]+)")
#: Notes on a method that adds patients up, without weighting by study.
_ADDED_UP = ("crude", "patient-level")

CHILDREN = "children"
NOT_POOLED = "not_pooled"
NO_POOL = "no_pool"


@dataclass(frozen=True)
class Review:
    """One published pool; estimate and limits are percentages as printed, interval None if blank.

    name: its place in the keys and addresses of the book, SOURCE_YEAR.THERAPY.OUTCOME, with its
    population and definition where a review has several of them.
    """

    name: str
    source: str
    year: int
    therapy: str
    outcome: str
    definition: str
    k: int
    n: int
    estimate: float
    interval: tuple[float, float] | None
    method_note: str
    is_one_of_several: bool

    @property
    def threshold(self) -> float | None:
        """The platelet count that the definition names, None where it names none."""
        found = _THRESHOLD.search(self.definition)
        return float(found[1]) if found else None

    @property
    def part(self) -> str:
        """What the definition adds behind a semicolon: a part of the patients or studies."""
        return self.definition.partition("; ")[2]

    @property
    def adds_up(self) -> bool:
        """Whether patients were added up without weighting by study."""
        return self.method_note.startswith(_ADDED_UP)


@dataclass(frozen=True)
class Ours:
    """The pool of this book beside a review, and what of it may make the two differ.

    same_threshold: studies that use the threshold of the review, None where it names none; later:
    studies published after the review; mixed_ages: studies of adults and children together where
    the review has adults only.
    """

    members: Members
    k: int
    summary: Interval
    prediction: Interval | None
    same_threshold: int | None
    later: int
    mixed_ages: int


@dataclass(frozen=True)
class Comparison:
    """A published pool and the pool of this book, or why there is none.

    absent: blank, `children`, `not_pooled` (an outcome that is not pooled here) or `no_pool`.
    """

    review: Review
    absent: str = ""
    ours: Ours | None = None

    @property
    def difference(self) -> float:
        """This book less the review, as a difference of fractions."""
        assert self.ours
        return self.ours.summary.estimate - self.review.estimate / 100

    @property
    def overlap(self) -> bool | None:
        """Whether the confidence intervals overlap; None where the review prints none."""
        if self.ours is None or self.review.interval is None:
            return None
        low, high = self.review.interval
        return 100 * self.ours.summary.low <= high and low <= 100 * self.ours.summary.high

    @property
    def ours_in_theirs(self) -> bool | None:
        """Whether the rate of this book is in the review's interval; None without one."""
        if self.ours is None or self.review.interval is None:
            return None
        low, high = self.review.interval
        return low <= 100 * self.ours.summary.estimate <= high

    @property
    def theirs_in_ours(self) -> bool | None:
        """Whether the review's rate is in the confidence interval of this book."""
        return None if self.ours is None else self._holds(self.ours.summary)

    @property
    def theirs_in_prediction(self) -> bool | None:
        """Whether the review's rate is in the prediction interval; None where there is none."""
        if self.ours is None or self.ours.prediction is None:
            return None
        return self._holds(self.ours.prediction)

    def _holds(self, interval: Interval) -> bool:
        return 100 * interval.low <= self.review.estimate <= 100 * interval.high


def compare(
    evidence: Evidence, members: Mapping[str, Members], pools: Mapping[str, Pool]
) -> tuple[Comparison, ...]:
    """Every published pool by therapy, outcome, year and name, each beside its counterpart."""
    labels = dict(zip(evidence.therapies["therapy"], evidence.therapies["label"], strict=True))
    modes = dict(zip(evidence.therapies["therapy"], evidence.therapies["mode"], strict=True))
    ages = dict(zip(evidence.studies["study_id"], evidence.studies["population"], strict=True))
    rows = [row._asdict() for row in evidence.published_pools.itertuples(index=False)]
    several = Counter(_name(row) for row in rows)
    found = []
    for row in rows:
        review = _review(row, several[_name(row)] > 1)
        outcome = review.outcome
        if outcome == "durable_response":
            outcome += "_on" if modes[review.therapy] == "continuous" else "_off"
        if row["population"] == "child":
            found.append(Comparison(review, CHILDREN))
        elif outcome not in OUTCOMES:
            found.append(Comparison(review, NOT_POOLED))
        else:
            prefix = f"pool.{review.therapy}.{outcome}"
            ours = _ours(review, row["population"], members[prefix], pools[prefix], ages)
            found.append(Comparison(review, "" if ours else NO_POOL, ours))

    def order(comparison: Comparison) -> tuple[str, int, int, str]:
        review, ours = comparison.review, comparison.ours
        outcome = OUTCOMES.index(ours.members.outcome) if ours else len(OUTCOMES)
        return labels[review.therapy].lower(), outcome, review.year, review.name

    return tuple(sorted(found, key=order))


def _name(row: Mapping[str, Any]) -> str:
    return f"{slug(row['source'])}_{row['year']}.{row['therapy']}.{row['outcome']}"


def _review(row: Mapping[str, Any], is_one_of_several: bool) -> Review:
    name = _name(row)
    if is_one_of_several:
        name += "~" + slug(f"{row['population']} {row['definition']}")
    blank = pd.isna(row["ci_low"])
    return Review(
        name=name,
        source=row["source"],
        year=int(row["year"]),
        therapy=row["therapy"],
        outcome=row["outcome"],
        definition=row["definition"],
        k=int(row["k"]),
        n=int(row["n"]),
        estimate=float(row["estimate_percent"]),
        interval=None if blank else (float(row["ci_low"]), float(row["ci_high"])),
        method_note=row["method_note"],
        is_one_of_several=is_one_of_several,
    )


def _ours(
    review: Review, population: str, members: Members, pool: Pool, ages: Mapping[str, str]
) -> Ours | None:
    """The counterpart of a review, None where no study is in it."""
    if pool.summary is None:
        return None
    studies = members.studies
    same = sum(study.platelet_threshold == review.threshold for study in studies)
    return Ours(
        members=members,
        k=pool.k,
        summary=pool.summary,
        prediction=pool.prediction,
        same_threshold=None if review.threshold is None else same,
        later=sum(study.year > review.year for study in studies),
        mixed_ages=sum(
            population == "adult" and ages[study.study_id] == "mixed" for study in studies
        ),
    )
