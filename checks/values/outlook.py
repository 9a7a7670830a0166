"""The second road to the outlook: comparable rows, a new study, and what a next one would change.

Every interval is worked out by formulas with tau2 at the exact root of the restricted likelihood
(checks/statistics.py); the size of a next study is bracketed by doubling and then halved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student_t

from checks.constants import (
    HALF,
    LARGEST_STUDY,
    LEVEL,
    MOST_STUDIES,
    NARROWED,
    POOL_STUDIES,
    PREDICTION_STUDIES,
    VISITS,
)
from checks.expected import FRACTION, TAU2, Expected
from checks.rows import Data, Entry, select
from checks.statistics import Floats, cochran_q, logits, reml_tau2

FAMILIES = ("outlook", "comparable")
FOCUS = "sirolimus"
OUTCOMES = ("overall_response", "complete_response")

Counts = tuple[tuple[int, int], ...]  # events and n of each study
Limits = tuple[float, float, float]
#: A printed count is the next whole number above a root; a root so near to one may go either way.
_WHOLE = 1e-6


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number of the outlook."""
    pools = select(data)
    many = float(norm.ppf((1 + LEVEL) / 2))
    values = {"outlook.many_quantile": Expected(many, "number", TAU2)}
    at_visits = [e for prefix, e in pools.items() if prefix.split(".")[0] in VISITS and e]
    for name, found in (("rates", at_visits), ("single", [e for e in at_visits if len(e) == 1])):
        rows = frozenset[str]().union(*(_rows(entries) for entries in found))
        values[f"comparable.{name}"] = Expected(len(found), "count", rows=rows)
    for outcome in OUTCOMES:
        values |= _comparable(pools, outcome)
        values |= _outlook(pools, outcome, many)
    return values


def _comparable(pools: Mapping[str, tuple[Entry, ...]], outcome: str) -> dict[str, Expected]:
    """How many studies of rescue patients there are in all, and at each visit."""
    found = {}
    for basis in ("rescue", *VISITS):
        entries = [
            entry
            for prefix, members in pools.items()
            if prefix.startswith(f"{basis}.") and prefix.endswith(f".{outcome}")
            for entry in members
        ]
        studies = len({entry.study_id for entry in entries})
        found[f"comparable.{basis}.{outcome}"] = Expected(studies, "count", rows=_rows(entries))
    return found


def _rows(entries: list[Entry] | tuple[Entry, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(entry.rows for entry in entries))


def _outlook(
    pools: Mapping[str, tuple[Entry, ...]], outcome: str, many: float
) -> dict[str, Expected]:
    entries = pools.get(f"pool.{FOCUS}.{outcome}", ())
    if len(entries) < POOL_STUDIES:
        return {}
    rows, studies = _rows(entries), tuple((entry.events, entry.n) for entry in entries)
    found: dict[str, tuple[float, str, float]] = {}
    if len(studies) >= PREDICTION_STUDIES:
        location, scale = new_study(studies)
        df = len(studies) - 1
        found["df"] = (df, "count", 0)
        found["quantile"] = (float(student_t.ppf((1 + LEVEL) / 2, df)), "number", TAU2)
        for stat, side in (("pi_low", -1), ("pi_high", 1)):
            limit = float(expit(location + side * many * scale))
            found[f"if_many.{stat}"] = (limit, "percent", FRACTION)
    found |= _narrowing(studies)
    cited = [entry.n for entry in pools[f"cited.{FOCUS}.{outcome}"]]
    if cited:
        found |= _next(studies, max(cited))
    return {
        f"outlook.{FOCUS}.{outcome}.{stat}": Expected(value, unit, tolerance, rows)
        for stat, (value, unit, tolerance) in found.items()
    }


def _effects(studies: Counts) -> tuple[Floats, Floats]:
    events, n = np.array(studies, dtype=float).T
    return logits(events, n)


def _mean(y: Floats, v: Floats) -> tuple[float, float, float]:
    """Pooled logit, its conservative Knapp-Hartung standard error, and tau2."""
    tau2 = reml_tau2(y, v)
    w = 1 / (v + tau2)
    factor = max(1.0, cochran_q(tau2, y, v) / (len(y) - 1))
    return float(np.sum(w * y) / np.sum(w)), math.sqrt(factor / np.sum(w)), tau2


def limits(y: Floats, v: Floats) -> Limits:
    """Low limit, pooled rate and high limit."""
    mu, se, _ = _mean(y, v)
    reach = float(student_t.ppf((1 + LEVEL) / 2, len(y) - 1)) * se
    return float(expit(mu - reach)), float(expit(mu)), float(expit(mu + reach))


@lru_cache(maxsize=256)
def new_study(studies: Counts) -> tuple[float, float]:
    """Location and scale of the t distribution of a new study's logit, with k - 1 df."""
    mu, se, tau2 = _mean(*_effects(studies))
    return mu, math.sqrt(tau2 + se**2)


def exceeding(studies: Counts, rate: float) -> float:
    """Probability that a new study's true rate exceeds this one."""
    if rate in (0.0, 1.0):
        return 1 - rate
    location, scale = new_study(studies)
    return float(student_t.sf((logit(rate) - location) / scale, len(studies) - 1))


def with_expected(studies: Counts, patients: float, further: int) -> Limits:
    """The interval with so many more studies that bring the counts expected at the pooled rate."""
    y, v = _effects(studies)
    p = limits(y, v)[1]
    variance = 1 / (patients * p * (1 - p))
    return limits(np.append(y, [logit(p)] * further), np.append(v, [variance] * further))


@lru_cache(maxsize=256)
def _narrowing(studies: Counts) -> dict[str, tuple[float, str, float]]:
    low, _, high = limits(*_effects(studies))

    def left(patients: float, further: int = 1) -> float:
        after = with_expected(studies, patients, further)
        return (after[2] - after[0]) / (high - low)

    typical = float(median(n for _, n in studies))
    remaining = left(LARGEST_STUDY)
    found: dict[str, tuple[float, str, float]] = {
        "width": (high - low, "points", FRACTION),
        "remaining": (remaining, "percent_whole", FRACTION),
        "typical": (typical, "plain", 0),
    }
    if left(1) > NARROWED >= remaining:
        few, enough = 1.0, 2.0
        while left(enough) > NARROWED:
            few, enough = enough, min(2 * enough, LARGEST_STUDY)
        while enough - few > 1e-9 * enough:
            middle = (few + enough) / 2
            few, enough = (middle, enough) if left(middle) > NARROWED else (few, middle)
        near = abs(enough - round(enough)) < _WHOLE * enough
        found["patients"] = (math.ceil(enough), "count", 1 if near else 0)
    for further in range(1, MOST_STUDIES + 1):
        if left(typical, further) <= NARROWED:
            found["further"] = (further, "count", 0)
            after = with_expected(studies, typical, further)
            for stat, value in zip(("ci_low", "estimate", "ci_high"), after, strict=True):
                found[f"after.{stat}"] = (value, "percent", FRACTION)
            break
    return found


@lru_cache(maxsize=256)
def _next(studies: Counts, size: int) -> dict[str, tuple[float, str, float]]:
    """Where each result of a next study of this size would set the interval."""
    after = [limits(*_effects((*studies, (events, size)))) for events in range(size + 1)]
    found: dict[str, tuple[float, str, float]] = {"next_n": (size, "count", 0)}
    lows, highs = [low for low, _, _ in after], [high for _, _, high in after]
    for side, would_do, nearest in (
        ("above", [e for e, low in enumerate(lows) if low > HALF], max(lows)),
        ("below", [e for e, high in enumerate(highs) if high < HALF], min(highs)),
    ):
        if would_do:
            for stat, events in (("fewest", would_do[0]), ("most", would_do[-1])):
                found[f"{side}.{stat}"] = (events, "count", 0)
                found[f"{side}.{stat}_rate"] = (events / size, "percent", FRACTION)
        else:
            at = (lows if side == "above" else highs).index(nearest)
            found[f"{side}.limit"] = (nearest, "percent", FRACTION)
            found[f"{side}.at"] = (at, "count", 0)
    return found
