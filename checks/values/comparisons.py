"""Randomised comparisons worked out again: counts, risk differences and ratios, both pooled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import norm

from checks import counts, statistics
from checks.constants import CORRECTION, LEVEL, POOL_STUDIES
from checks.contrasts import Contrast, contrasts
from checks.expected import FRACTION, Expected
from checks.rows import Data, Entry
from checks.statistics import MeanEffect

FAMILIES = ("contrast", "difference", "ratio")
#: A ratio is the exponential of what is pooled: its tolerance is this share of it.
RATIO = 1e-5

Cells = tuple[int, int, int, int]  # responders and patients: treated, control
Limits = tuple[float, float, float]  # low, estimate, high


@dataclass(frozen=True)
class Effects:
    """One measure of effect over some trials: of each, and pooled; None where there is none."""

    single: tuple[Limits | None, ...]
    weights: tuple[float | None, ...]
    state: str
    summary: Limits | None
    prediction: tuple[float, float] | None
    i2: float | None


def cells(contrast: Contrast) -> Cells:
    """The four numbers of a trial."""
    return (
        contrast.treated.events,
        contrast.treated.n,
        contrast.against.events,
        contrast.against.n,
    )


def difference(trial: Cells) -> tuple[float, float]:
    """Risk difference and its variance; the correction goes into the variance alone."""
    e1, n1, e0, n0 = trial
    (a, b), (c, d) = _table(trial)
    return e1 / n1 - e0 / n0, a * b / (a + b) ** 3 + c * d / (c + d) ** 3


def log_ratio(trial: Cells) -> tuple[float, float] | None:
    """Log risk ratio and its variance, none where nobody or everybody responded on both sides."""
    if trial[0] + trial[2] in (0, trial[1] + trial[3]):
        return None
    (a, b), (c, d) = _table(trial)
    return math.log(a * (c + d) / (c * (a + b))), b / (a * (a + b)) + d / (c * (c + d))


def _table(trial: Cells) -> tuple[tuple[float, float], tuple[float, float]]:
    """Responders and others of both sides, the correction added where one of the four is 0."""
    e1, n1, e0, n0 = trial
    table = (e1, n1 - e1, e0, n0 - e0)
    a, b, c, d = (cell + (CORRECTION if 0 in table else 0) for cell in table)
    return (a, b), (c, d)


@lru_cache(maxsize=1024)
def effects(trials: tuple[Cells, ...], family: str) -> Effects:
    """The risk differences (family difference) or risk ratios (ratio) of some trials."""
    is_ratio = family == "ratio"
    found = [log_ratio(trial) if is_ratio else difference(trial) for trial in trials]

    def shown(*values: float) -> tuple[float, ...]:
        if is_ratio:
            return tuple(math.exp(value) for value in values)
        return tuple(min(max(value, -1.0), 1.0) for value in values)

    z = float(norm.ppf(1 - (1 - LEVEL) / 2))
    single: list[Limits | None] = []
    for effect in found:
        if effect is None:
            single.append(None)
            continue
        y, se = effect[0], math.sqrt(effect[1])
        low, middle, high = shown(y - z * se, y, y + z * se)
        single.append((low, middle, high))
    there = [effect for effect in found if effect is not None]
    state = counts.state(len(there))
    if len(there) < POOL_STUDIES:
        only = next((limits for limits in single if limits), None)
        return Effects(tuple(single), (None,) * len(found), state, only, None, None)
    mean: MeanEffect = statistics.random_effects(*np.array(there).T)
    weights = iter(mean.weights)
    low, middle, high = shown(mean.low, mean.mu, mean.high)
    ends = shown(*mean.prediction) if mean.prediction else None
    return Effects(
        tuple(single),
        tuple(None if effect is None else float(next(weights)) for effect in found),
        state,
        (low, middle, high),
        (ends[0], ends[1]) if ends else None,
        mean.i2,
    )


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number of every comparison."""
    values: dict[str, Expected] = {}
    for prefix, found in contrasts(data).items():
        rows = frozenset[str]().union(*(contrast.rows for contrast in found))
        values[f"contrast.{prefix}.k"] = Expected(len(found), "count", rows=rows)
        for side in ("treated", "control"):
            arms = [c.treated if side == "treated" else c.against for c in found]
            values |= _side(f"contrast.{prefix}", side, arms)
        trials = tuple(cells(contrast) for contrast in found)
        for family, unit in (("difference", "points"), ("ratio", "ratio")):
            values |= _effects(f"{family}.{prefix}", unit, found, effects(trials, family), rows)
        differences = effects(trials, "difference")
        if differences.summary:
            more = abs(differences.summary[1])
            values[f"difference.{prefix}.per_100"] = Expected(more, "per_100", FRACTION, rows)
        if differences.i2 is not None:
            i2 = Expected(differences.i2, "percent_whole", FRACTION, rows)
            values[f"difference.{prefix}.i2"] = i2
    return values


def _side(prefix: str, side: str, arms: Sequence[Entry]) -> dict[str, Expected]:
    """Counts and pooled rate of one side, and each trial's counts where they are a therapy's."""
    rows = frozenset[str]().union(*(arm.rows for arm in arms))
    events, n = sum(arm.events for arm in arms), sum(arm.n for arm in arms)
    values = {
        f"{prefix}.{side}_events": Expected(events, "count", rows=rows),
        f"{prefix}.{side}_n": Expected(n, "count", rows=rows),
    }
    low, middle, high = _rate(tuple((arm.events, arm.n) for arm in arms))
    for stat, value in (("ci_low", low), ("estimate", middle), ("ci_high", high)):
        values[f"{prefix}.{side}.{stat}"] = Expected(value, "percent", FRACTION, rows)
    if prefix.startswith("contrast.pool."):
        for arm in arms:
            trial = f"{prefix}.study.{arm.study_id}"
            values[f"{trial}.{side}_events"] = Expected(arm.events, "count", rows=arm.rows)
            values[f"{trial}.{side}_n"] = Expected(arm.n, "count", rows=arm.rows)
    return values


@lru_cache(maxsize=1024)
def _rate(arms: tuple[tuple[int, int], ...]) -> Limits:
    """The rate of some arms: exact of one, pooled of several."""
    if len(arms) < POOL_STUDIES:
        ((events, n),) = arms
        low, high = statistics.exact_interval(events, n)
        return low, events / n, high
    pooled = statistics.pool(*np.array(arms, dtype=float).T)
    return pooled.ci_low, pooled.estimate, pooled.ci_high


def _effects(
    prefix: str, unit: str, found: Sequence[Contrast], of_all: Effects, rows: frozenset[str]
) -> dict[str, Expected]:
    values = {f"{prefix}.state": Expected(of_all.state, "state", rows=rows)}
    if of_all.summary:
        values |= _limits(prefix, unit, of_all.summary, rows)
    if of_all.prediction:
        for stat, value in zip(("pi_low", "pi_high"), of_all.prediction, strict=True):
            values[f"{prefix}.{stat}"] = Expected(value, unit, _tolerance(unit, value), rows)
    if ".pool." not in prefix:
        return values
    for contrast, limits, weight in zip(found, of_all.single, of_all.weights, strict=True):
        trial = f"{prefix}.study.{contrast.study_id}"
        if limits:
            values |= _limits(trial, unit, limits, contrast.rows)
        if weight is not None:
            values[f"{trial}.weight"] = Expected(weight, "percent", FRACTION, rows)
    return values


def _limits(prefix: str, unit: str, limits: Limits, rows: frozenset[str]) -> dict[str, Expected]:
    return {
        f"{prefix}.{stat}": Expected(value, unit, _tolerance(unit, value), rows)
        for stat, value in zip(("ci_low", "estimate", "ci_high"), limits, strict=True)
    }


def _tolerance(unit: str, value: float) -> float:
    return RATIO * value if unit == "ratio" else FRACTION
