"""Randomised comparisons: what trials show that a therapy adds to its control, and the background.

A contrast is one trial's treated arms beside its control arms, both measured alike. Rows are
eligible by the rules of the pools: a code that keeps a row out of a pool keeps it out here too,
for each of them says that the patients answer another question, or that the rows no longer hold
everyone who was randomised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from analysis import selection
from analysis.evidence import Evidence
from analysis.pooling import Pool, State, pool, random_effects
from analysis.proportions import CORRECTION, LEVEL
from analysis.selection import MEASURE, OUTCOMES, Members, Selection, known

#: Drug class of the arms that others are compared with, and the design that allows it.
CONTROL = "control"
TRIAL = "rct"
#: The control therapy whose arms are the background rate.
PLACEBO = "placebo"
#: The background by what was counted: name, outcome, and the windows that it takes.
BACKGROUND = (
    ("visit", "overall_response", ("at_timepoint",)),
    ("ever", "overall_response", ("best_by_timepoint", "any_time")),
    ("durable", "durable_response_on", ("at_timepoint", "best_by_timepoint", "any_time")),
)


class Limits(NamedTuple):
    """An effect with its limits: a difference of fractions (-1 to 1), or a ratio (0 or more)."""

    low: float
    estimate: float
    high: float


class Effect(NamedTuple):
    """An effect y and its variance v, on the scale on which it is pooled."""

    y: float
    v: float


@dataclass(frozen=True)
class Arm:
    """Responders and patients of a trial's arms, added together, and the rows they come from."""

    events: int
    n: int
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Contrast:
    """One trial's treated and control arms with the same outcome, months, window and threshold.

    `therapies` are those of the treated arms, `control` that of the control arms, `control_label`
    its name.
    """

    study_id: str
    label: str
    year: int
    therapies: tuple[str, ...]
    control: str
    control_label: str
    treated: Arm
    against: Arm
    months: float | None
    window: str
    platelet_threshold: float | None

    @property
    def n(self) -> int:
        """Patients of both sides."""
        return self.treated.n + self.against.n

    @property
    def rows(self) -> tuple[str, ...]:
        """Addresses of the rows of both sides."""
        return (*self.treated.rows, *self.against.rows)


@dataclass(frozen=True)
class Effects:
    """One measure of effect over the contrasts of a therapy or class.

    `single` has each contrast's effect with 95 % limits by the normal approximation, None where it
    has none; `weights` likewise, all None unless pooled. `summary` is the pooled effect (of a
    single contrast its own), `prediction` the 95 % limits for a new trial.
    """

    state: State
    single: tuple[Limits | None, ...]
    weights: tuple[float | None, ...]
    summary: Limits | None = None
    prediction: tuple[float, float] | None = None
    i2: float | None = None

    @property
    def k(self) -> int:
        """Number of contrasts that have the effect."""
        return sum(limits is not None for limits in self.single)


@dataclass(frozen=True)
class Comparison:
    """A therapy or class against control: its contrasts, both effects, both sides' pooled rates.

    `members` is the pool of all evidence on the same therapy and outcome.
    """

    members: Members
    contrasts: tuple[Contrast, ...]
    difference: Effects
    ratio: Effects
    treated: Pool
    against: Pool

    @property
    def prefix(self) -> str:
        """Prefix of the pool of all evidence: `pool.THERAPY.OUTCOME` or `class.CLASS.OUTCOME`."""
        return self.members.prefix

    @property
    def rows(self) -> tuple[str, ...]:
        """Addresses of all rows that went in."""
        return tuple(address for contrast in self.contrasts for address in contrast.rows)


@dataclass(frozen=True)
class Background:
    """Placebo arms pooled by themselves, by what was counted."""

    members: Members
    pool: Pool


@dataclass(frozen=True)
class Comparisons:
    """All comparisons by prefix of their pool, and the background by name."""

    by_prefix: dict[str, Comparison]
    background: dict[str, Background]

    def of(self, basis: str, outcome: str) -> list[Comparison]:
        """Comparisons of a basis (`pool` or `class`) and outcome, by the name of their unit."""
        found = [
            comparison
            for comparison in self.by_prefix.values()
            if comparison.members.basis == basis and comparison.members.outcome == outcome
        ]
        return sorted(found, key=lambda comparison: comparison.members.unit_label.lower())

    def shared_controls(self) -> list[tuple[str, tuple[str, ...]]]:
        """Trials whose control arms serve several therapies: study_id and those therapies."""
        therapies: dict[str, dict[str, None]] = {}
        for comparison in self.by_prefix.values():
            if comparison.members.basis == "pool":
                for contrast in comparison.contrasts:
                    found = therapies.setdefault(contrast.study_id, {})
                    found.update(dict.fromkeys(contrast.therapies))
        return [(study, tuple(found)) for study, found in therapies.items() if len(found) > 1]


def corrected(treated: Arm, against: Arm) -> tuple[float, float, float, float]:
    """Events and n of both sides, a half added to all four cells where one of them is zero."""
    cells = (treated.events, treated.n - treated.events, against.events, against.n - against.events)
    c = 0.0 if all(cells) else CORRECTION
    return treated.events + c, treated.n + 2 * c, against.events + c, against.n + 2 * c


def risk_difference(treated: Arm, against: Arm) -> Effect:
    """The plain difference of the two rates, with the variance of the corrected table.

    As metafor's escalc(measure="RD", add=1/2, to="only0", addyi=FALSE): only the variance, which
    would be too small or zero, needs the correction.
    """
    e1, n1, e0, n0 = corrected(treated, against)
    p1, p0 = e1 / n1, e0 / n0
    return Effect(
        treated.events / treated.n - against.events / against.n,
        p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0,
    )


def log_risk_ratio(treated: Arm, against: Arm) -> Effect | None:
    """Log of the ratio of the two rates, from the corrected table; None where it has no meaning.

    As metafor's escalc(measure="RR", add=1/2, to="only0", drop00=TRUE): a trial in which nobody,
    or everybody, responded on both sides gives no ratio.
    """
    if treated.events + against.events in (0, treated.n + against.n):
        return None
    e1, n1, e0, n0 = corrected(treated, against)
    return Effect(math.log(e1 / n1) - math.log(e0 / n0), 1 / e1 - 1 / n1 + 1 / e0 - 1 / n0)


def to_difference(value: float) -> float:
    """A difference of two rates lies between -1 and 1: what the model puts beyond is cut off."""
    return min(1.0, max(-1.0, value))


def combine(effects: Sequence[Effect | None], back: Callable[[float], float]) -> Effects:
    """Pool the effects that exist, by the methods of analysis.pooling; `back` to what is printed.

    A single effect keeps its own limits; two or more are pooled.
    """
    quantile = float(ndtri((1 + LEVEL) / 2))
    single = tuple(
        effect
        and Limits(
            back(effect.y - quantile * math.sqrt(effect.v)),
            back(effect.y),
            back(effect.y + quantile * math.sqrt(effect.v)),
        )
        for effect in effects
    )
    there = [place for place, effect in enumerate(effects) if effect is not None]
    state = State.of(len(there))
    weights: list[float | None] = [None] * len(effects)
    if len(there) < 2:
        summary = single[there[0]] if there else None
        return Effects(state, single, tuple(weights), summary)
    y, v = np.array([effects[place] for place in there], dtype=float).T
    fit = random_effects(y, v)
    for place, weight in zip(there, fit.weights, strict=True):
        weights[place] = weight
    return Effects(
        state,
        single,
        tuple(weights),
        Limits(back(fit.low), back(fit.mu), back(fit.high)),
        fit.prediction and (back(fit.prediction[0]), back(fit.prediction[1])),
        fit.heterogeneity.i2,
    )


def compare(members: Members, contrasts: Sequence[Contrast]) -> Comparison:
    """Both effects of the contrasts, and the rates of their treated and control arms."""
    sides = [(contrast.treated, contrast.against) for contrast in contrasts]
    treated, against = zip(*sides, strict=True)
    return Comparison(
        members,
        tuple(contrasts),
        combine([risk_difference(*side) for side in sides], to_difference),
        combine([log_risk_ratio(*side) for side in sides], math.exp),
        pool([arm.events for arm in treated], [arm.n for arm in treated]),
        pool([arm.events for arm in against], [arm.n for arm in against]),
    )


def _arm(rows: Iterable[Any]) -> Arm:
    """Arms of one measure, added together."""
    rows = list(rows)
    return Arm(
        int(sum(row.events for row in rows)),
        int(sum(row.n for row in rows)),
        tuple(row.address for row in rows),
    )


def _contrast(
    treated: list[Any], against: list[Any], outcome: str, labels: dict[str, str]
) -> Contrast | None:
    """The preferred measure that both sides of a trial have; None where they share none.

    The order of preference is that of a single arm, with the patients of both sides counted. Where
    a trial has several control therapies they are not added together: the same order decides.
    """
    by_measure = selection.group_by(treated, *MEASURE)
    shared = [
        (by_measure[measure], rows)
        for (_, *values), rows in selection.group_by(against, "therapy", *MEASURE).items()
        if (measure := tuple(values)) in by_measure
    ]
    if not shared:
        return None
    ours, theirs = min(shared, key=lambda both: selection.preference([*both[0], *both[1]], outcome))
    first = ours[0]
    return Contrast(
        study_id=first.study_id,
        label=labels[first.study_id],
        year=int(first.year),
        therapies=tuple(dict.fromkeys(row.therapy for row in ours)),
        control=theirs[0].therapy,
        control_label=theirs[0].label,
        treated=_arm(ours),
        against=_arm(theirs),
        months=known(first.months),
        window=first.window,
        platelet_threshold=known(first.platelet_threshold),
    )


def contrasts(chosen: Selection, evidence: Evidence) -> dict[str, list[Contrast]]:
    """The contrasts of every therapy and drug class by the prefix of its pool, by year.

    Arms of a class are added together, so that no control arm enters a pool twice. Of trials that
    share patients only the fuller one is kept.
    """
    rows = chosen.rows
    eligible = rows[selection.judge_rows(rows).eq("") & rows["design"].eq(TRIAL)]
    is_control = eligible["drug_class"].eq(CONTROL)
    against = selection.group_by(eligible[is_control].itertuples(), "study_id", "pool_outcome")
    labels = selection.study_labels(evidence.studies)
    overlaps = selection.shared_with(evidence.studies)
    found = {}
    for column, basis in (("therapy", "pool"), ("drug_class", "class")):
        of_unit = selection.group_by(
            eligible[~is_control].itertuples(), column, "pool_outcome", "study_id"
        )
        by_pool: dict[str, list[Contrast]] = {}
        for (unit, outcome, study_id), treated in of_unit.items():
            prefix = f"{basis}.{selection.slug(unit) if basis == 'class' else unit}.{outcome}"
            contrast = _contrast(treated, against.get((study_id, outcome), []), outcome, labels)
            if contrast and prefix in chosen.members:
                by_pool.setdefault(prefix, []).append(contrast)
        for prefix, of_pool in by_pool.items():
            kept, _ = selection.fuller_of_shared(of_pool, overlaps)
            found[prefix] = sorted(kept, key=lambda c: (c.year, c.label, c.study_id))
    return found


def background(chosen: Selection, evidence: Evidence) -> dict[str, Background]:
    """The placebo arms pooled by what was counted, each trial once, by the rules of a pool."""
    rows = chosen.rows
    eligible = rows[selection.judge_rows(rows).eq("") & rows["therapy"].eq(PLACEBO)]
    label = dict(zip(evidence.therapies["therapy"], evidence.therapies["label"], strict=True))
    found = {}
    for name, outcome, windows in BACKGROUND:
        of_kind = eligible[eligible["pool_outcome"].eq(outcome) & eligible["window"].isin(windows)]
        members = selection.members_of(
            f"background.{name}",
            PLACEBO,
            label.get(PLACEBO, PLACEBO),
            outcome,
            list(of_kind.itertuples()),
            selection.study_labels(evidence.studies),
            selection.shared_with(evidence.studies),
        )
        studies = members.studies
        pooled = pool([study.events for study in studies], [study.n for study in studies])
        found[name] = Background(members, pooled)
    return found


def compare_all(chosen: Selection, evidence: Evidence) -> Comparisons:
    """Every therapy with a contrast, every class with contrasts of several therapies, and placebo.

    A class whose contrasts are all of one therapy would only say the same again.
    """
    found = contrasts(chosen, evidence)
    by_prefix = {}
    for (basis, unit), outcome in product(
        dict.fromkeys((m.basis, m.unit) for m in chosen.members.values()), OUTCOMES
    ):
        of_pool = found.get(prefix := f"{basis}.{unit}.{outcome}", [])
        therapies = {therapy for contrast in of_pool for therapy in contrast.therapies}
        several = len(of_pool) > 1 and len(therapies) > 1
        if of_pool and (basis == "pool" or several):
            by_prefix[prefix] = compare(chosen.members[prefix], of_pool)
    return Comparisons(by_prefix, background(chosen, evidence))
