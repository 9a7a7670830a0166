"""Which trials set a therapy against a control: the written rules, applied in plain Python.

A contrast has the treated and the control arms of one randomised trial, both eligible for a pool
and measured alike: the same outcome, months, kind of months, window and threshold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from checks.rows import (
    POOL_OUTCOMES,
    Data,
    Entry,
    Measure,
    Row,
    class_slug,
    preference,
    select,
    without_shared_patients,
)

CONTROL = "control"


@dataclass(frozen=True)
class Contrast:
    """One trial's treated and control arms; therapies are those of the treated arms."""

    study_id: str
    treated: Entry
    against: Entry
    first: Row
    control: str
    therapies: frozenset[str]

    @property
    def rows(self) -> frozenset[str]:
        """Return the addresses of both sides."""
        return self.treated.rows | self.against.rows


@lru_cache(maxsize=4)
def contrasts(data: Data) -> Mapping[str, tuple[Contrast, ...]]:
    """Return the contrasts of every therapy and class that has some, by prefix of its pool.

    By year, then name and id; a class only where its contrasts have several therapies.
    """
    therapies = {f"pool.{therapy}": {therapy} for therapy in data.therapies}
    classes: dict[str, set[str]] = defaultdict(set)
    for therapy, name in data.therapies.items():
        classes[f"class.{class_slug(name)}"].add(therapy)
    found = {}
    for unit, members in {**therapies, **classes}.items():
        for outcome in POOL_OUTCOMES:
            # Where there is no pool of the unit at all (controls' class, combinations), none here.
            if (prefix := f"{unit}.{outcome}") not in select(data):
                continue
            of_unit = _kept(_of_members(data, members, outcome), data)
            given = {therapy for contrast in of_unit for therapy in contrast.therapies}
            if of_unit and (unit in therapies or len(given) > 1 < len(of_unit)):
                found[prefix] = of_unit
    return found


def _of_members(data: Data, members: Iterable[str], outcome: str) -> Iterable[Contrast]:
    """The contrast of each trial that has one."""
    by_trial: dict[str, list[Row]] = defaultdict(list)
    for row in data.rows:
        trial = data.studies[row.study_id].cells["design"] == "rct"
        if trial and row.outcome == outcome and not row.reason:
            by_trial[row.study_id].append(row)
    for study_id, rows in by_trial.items():
        against = [row for row in rows if data.therapies[row.therapy] == CONTROL]
        treated = [row for row in rows if row.therapy in members and row not in against]
        candidates = [
            (ours, theirs)
            for control in dict.fromkeys(row.therapy for row in against)
            for measure in dict.fromkeys(row.measure for row in against)
            if (ours := _alike(treated, measure))
            and (theirs := [r for r in _alike(against, measure) if r.therapy == control])
        ]
        if candidates:
            # Ties of everything else go to the row that stands first among the treated arms.
            ours, theirs = min(
                candidates, key=lambda sides: preference([*sides[0], *sides[1]], outcome)
            )
            given = frozenset(row.therapy for row in ours)
            sides = _added(ours), _added(theirs)
            yield Contrast(study_id, *sides, ours[0], theirs[0].therapy, given)


def _alike(rows: Sequence[Row], measure: Measure) -> list[Row]:
    return [row for row in rows if row.measure == measure]


def _added(rows: Sequence[Row]) -> Entry:
    """Arms added together."""
    return Entry(
        study_id=rows[0].study_id,
        events=sum(row.events or 0 for row in rows),
        n=sum(row.n or 0 for row in rows),
        rows=frozenset(row.address for row in rows),
        months=rows[0].months,
        window=rows[0].window,
    )


def _kept(found: Iterable[Contrast], data: Data) -> tuple[Contrast, ...]:
    """Contrasts without those of trials that share patients with a fuller one, by year."""
    by_study = {contrast.study_id: contrast for contrast in found}
    whole = [
        Entry(c.study_id, 0, c.treated.n + c.against.n, c.rows, c.first.months, c.first.window)
        for c in by_study.values()
    ]
    kept = without_shared_patients(whole, data.studies)
    in_file_order = list(data.studies)

    def order(study_id: str) -> tuple[int, str, int]:
        study = data.studies[study_id]
        return (study.year, study.first_author, in_file_order.index(study_id))

    return tuple(by_study[name] for name in sorted((e.study_id for e in kept), key=order))
