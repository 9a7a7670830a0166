"""What single studies do to a pool, worked out from the data again.

Refits by root finding (checks/statistics.py). The subsets by plain products of the matrix that says
who is in which subset: the score of the restricted likelihood over a grid of tau2, each fall of it
through 0 closed in on by the Illinois method, and the greatest of the maxima.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t as student_t

from checks.constants import (
    ALL_SUBSETS,
    CELL_I2,
    CELL_RATE,
    CLOUDS_APART,
    CLOUDS_STUDIES,
    HALF,
    INFLUENCE_STUDIES,
    SAMPLED_SUBSETS,
    SUBSETS_MIDDLE,
)
from checks.expected import FRACTION, TAU2, Expected
from checks.rows import POOL_OUTCOMES, Data, Entry, select
from checks.statistics import (
    ALPHA,
    Floats,
    cochran_q,
    exact_interval,
    logits,
    reml_tau2,
)

FAMILIES: tuple[str, ...] = ("loo", "cumulative", "gosh")

#: Events and n of each study.
Counts = tuple[tuple[int, int], ...]

_SEED = 2012
#: Rates and I2 count as equal when they are at so many decimals.
_DECIMALS = 9
_GRID = 64
_PART = 2**15
#: Steps of the Illinois method, and how small the last one is, times 1 + tau2.
_STEPS, _NEAR = 60, 1e-13


@dataclass(frozen=True)
class Refit:
    """A pool of some studies; a single one has no variance between studies."""

    estimate: float
    ci_low: float
    ci_high: float
    tau2: float | None = None
    i2: float | None = None


@dataclass(frozen=True)
class Side:
    """Subsets with or without a study; cells by the whole per cent at which rate and I2 begin."""

    subsets: int
    median: float
    i2: float
    cells: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Scatter:
    """The pools of all subsets; study is the place of the one that sets them apart most."""

    subsets: int
    median: float
    low: float
    high: float
    above_half: float
    study: int
    rate_above: float
    i2_above: float
    sides: Mapping[str, Side]

    @property
    def shift(self) -> float:
        """The median rate with the study less that without it."""
        return self.sides["with"].median - self.sides["without"].median

    @property
    def separation(self) -> float:
        """The share of pairs in which the rates lie on the sides of their kinds."""
        return max(self.rate_above, 1 - self.rate_above)

    def parts(self, studies: int) -> bool | None:
        """Whether the study parts the subsets; None for too few studies."""
        if studies < CLOUDS_STUDIES:
            return None
        return round(min(self.separation, self.i2_above), _DECIMALS) >= CLOUDS_APART


def asked(data: Data) -> dict[str, list[Entry]]:
    """The pools that were looked at, each with its studies by year and name."""
    pools = select(data)
    return {
        prefix: by_year(data, pools[prefix])
        for therapy in data.therapies
        for outcome in POOL_OUTCOMES
        if len(pools.get(prefix := f"pool.{therapy}.{outcome}", ())) >= INFLUENCE_STUDIES
    }


def by_year(data: Data, entries: Sequence[Entry]) -> list[Entry]:
    """Studies in the order of the plots."""

    places = {study_id: place for place, study_id in enumerate(data.studies)}

    def order(entry: Entry) -> tuple[int, str, int]:
        study = data.studies[entry.study_id]
        return study.year, study.first_author, places[entry.study_id]

    return sorted(entries, key=order)


def counts_of(entries: Sequence[Entry]) -> Counts:
    """Events and n of studies."""
    return tuple((entry.events, entry.n) for entry in entries)


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number about leaving studies out, adding them, and all subsets."""
    found: dict[str, Expected] = {}
    for prefix, entries in asked(data).items():
        rows = _rows(entries)
        whole = refit(counts_of(entries))
        for place, entry in enumerate(entries):
            others = [*entries[:place], *entries[place + 1 :]]
            key, fit = f"loo.{prefix}.without.{entry.study_id}", refit(counts_of(others))
            found |= _refit_values(key, fit, _rows(others))
            change = fit.estimate - whole.estimate
            found[f"{key}.change"] = Expected(change, "points", 2 * FRACTION, rows)
            first = entries[: place + 1]
            key = f"cumulative.{prefix}.through.{entry.study_id}"
            found |= _refit_values(key, refit(counts_of(first)), _rows(first))
        found |= _scatter_values(f"gosh.{prefix}", scatter(counts_of(entries)), rows)
    return found


def _rows(entries: Sequence[Entry]) -> frozenset[str]:
    return frozenset[str]().union(*(entry.rows for entry in entries))


def _refit_values(key: str, fit: Refit, rows: frozenset[str]) -> dict[str, Expected]:
    found = {
        f"{key}.{stat}": Expected(value, "percent", FRACTION, rows)
        for stat, value in (
            ("estimate", fit.estimate),
            ("ci_low", fit.ci_low),
            ("ci_high", fit.ci_high),
        )
    }
    if fit.tau2 is not None and fit.i2 is not None:
        found[f"{key}.tau2"] = Expected(fit.tau2, "number", TAU2 * (1 + fit.tau2), rows)
        found[f"{key}.i2"] = Expected(fit.i2, "percent_whole", FRACTION, rows)
    return found


def _scatter_values(key: str, found: Scatter, rows: frozenset[str]) -> dict[str, Expected]:
    values: dict[str, tuple[float, str]] = {
        "subsets": (found.subsets, "count"),
        "median": (found.median, "percent"),
        "low": (found.low, "percent"),
        "high": (found.high, "percent"),
        "above_half": (found.above_half, "percent_whole"),
        "separation": (found.separation, "percent_whole"),
        "i2_above": (found.i2_above, "percent_whole"),
        "shift": (found.shift, "points"),
    }
    for name, side in found.sides.items():
        values[f"{name}.subsets"] = (side.subsets, "count")
        values[f"{name}.median"] = (side.median, "percent")
        values[f"{name}.i2"] = (side.i2, "percent_whole")
    return {
        f"{key}.{stat}": Expected(value, unit, 0.0 if unit == "count" else FRACTION, rows)
        for stat, (value, unit) in values.items()
    }


# --- some of the studies -------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def refit(counts: Counts) -> Refit:
    """REML with the conservative Knapp-Hartung limits; the exact interval of a single study."""
    if len(counts) == 1:
        events, n = counts[0]
        return Refit(events / n, *exact_interval(events, n))
    y, v = _effects(counts)
    df = len(y) - 1
    tau2 = reml_tau2(y, v)
    w = 1 / (v + tau2)
    mu = float(np.sum(w * y) / np.sum(w))
    scale = max(1.0, cochran_q(tau2, y, v) / df)
    half = float(student_t.ppf(1 - ALPHA / 2, df) * np.sqrt(scale / np.sum(w)))
    low, mid, high = (float(expit(x)) for x in (mu - half, mu, mu + half))
    fixed = 1 / v
    typical = df * np.sum(fixed) / (np.sum(fixed) ** 2 - np.sum(fixed**2))
    return Refit(mid, low, high, tau2, float(tau2 / (tau2 + typical)))


def _effects(counts: Counts) -> tuple[Floats, Floats]:
    events, n = np.array(counts, dtype=float).T
    return logits(events, n)


# --- all subsets ---------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def scatter(counts: Counts) -> Scatter:
    """How the pools of all subsets of two studies or more scatter."""
    members = _members(len(counts))
    parts = np.array_split(members, -(-len(members) // _PART))
    pooled = [_pool_each(part, *_effects(counts)) for part in parts]
    rates, i2 = (np.round(np.concatenate(each), _DECIMALS) for each in zip(*pooled, strict=True))
    found = []
    for place in range(len(counts)):
        inside = members[:, place]
        above, i2_above = (_above(x[inside], x[~inside]) for x in (rates, i2))
        gap = abs(float(np.median(rates[inside]) - np.median(rates[~inside])))
        apart = min(max(above, 1 - above), i2_above)
        # Of equals the first.
        found.append((round(apart, _DECIMALS), round(gap, _DECIMALS), -place, above, i2_above))
    _, _, last, above, i2_above = max(found)
    study = -last
    ordered = np.sort(rates)
    tail = (1 - SUBSETS_MIDDLE) / 2
    inside = members[:, study]
    return Scatter(
        len(rates),
        _quantile(ordered, 0.5),
        _quantile(ordered, tail),
        _quantile(ordered, 1 - tail),
        float(np.count_nonzero(rates > HALF) / len(rates)),
        study,
        above,
        i2_above,
        {"with": _side(rates[inside], i2[inside]), "without": _side(rates[~inside], i2[~inside])},
    )


def _above(with_it: Floats, without: Floats) -> float:
    """The share of pairs in which the first is the higher, ties counted half."""
    ordered = np.sort(without)
    below, not_above = (np.searchsorted(ordered, with_it, side).sum() for side in ("left", "right"))
    return float(below + not_above) / 2 / (len(with_it) * len(without))


def _members(studies: int) -> NDArray[np.bool_]:
    """Who is in which subset, a row for each subset of two or more."""
    if studies <= ALL_SUBSETS:
        members = np.arange(2**studies)[:, None] >> np.arange(studies) & 1 == 1
    else:
        members = np.random.default_rng(_SEED).random((SAMPLED_SUBSETS, studies)) < 0.5
    return members[members.sum(axis=1) > 1]


def _pool_each(members: NDArray[np.bool_], y: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Pooled rate and I2 of each subset, shape (subsets,)."""
    inside = members.astype(float)
    tau2 = _each_tau2(inside, y, v)
    w = inside / (v + tau2[:, None])
    fixed, squared = (inside @ np.column_stack([1 / v, 1 / v**2])).T
    typical = (inside.sum(axis=1) - 1) * fixed / (fixed**2 - squared)
    return expit(w @ y / w.sum(axis=1)), tau2 / (tau2 + typical)


def _each_tau2(inside: Floats, y: Floats, v: Floats) -> Floats:
    """Where the restricted likelihood of each subset is greatest."""
    highest = max(np.ptp(y) ** 2, v.max())
    grid = np.concatenate([[0.0], np.geomspace(v.min() / 50, highest, _GRID)])
    places, lows, highs = [], [], []
    before = _scores(inside, y, v, grid[0])
    rivals = [(np.flatnonzero(before <= 0), np.zeros(np.count_nonzero(before <= 0)))]
    for low, high in pairwise(grid):
        after = _scores(inside, y, v, high)
        falls = np.flatnonzero((before > 0) & (after <= 0))
        places.append(falls)
        lows.append(np.full(len(falls), low))
        highs.append(np.full(len(falls), high))
        before = after
    place = np.concatenate(places)
    rivals.append((place, _close_in(inside[place], y, v, *map(np.concatenate, (lows, highs)))))
    subset, tau2 = (np.concatenate(both) for both in zip(*rivals, strict=True))
    order = np.lexsort((_log_likelihood(inside[subset], y, v, tau2), subset))
    greatest = np.empty(len(inside))
    greatest[subset[order]] = tau2[order]
    return greatest


def _scores(inside: Floats, y: Floats, v: Floats, tau2: float) -> Floats:
    """Twice the slope of the restricted likelihood at one tau2 for each subset."""
    w = 1 / (v + tau2)
    columns = np.column_stack([w, w * y, w**2, w**2 * y, w**2 * y**2])
    s, sy, s2, s2y, s2yy = (inside @ columns).T
    mu = sy / s
    return s2yy - 2 * mu * s2y + mu**2 * s2 - s + s2 / s


def _own_scores(inside: Floats, y: Floats, v: Floats, tau2: Floats) -> Floats:
    """The same with a tau2 for each subset."""
    w = inside / (v + tau2[:, None])
    s = w.sum(axis=1)
    residuals = y - (w @ y / s)[:, None]
    return ((w * residuals) ** 2).sum(axis=1) - s + (w**2).sum(axis=1) / s


def _close_in(inside: Floats, y: Floats, v: Floats, low: Floats, high: Floats) -> Floats:
    """The root of each subset's score between low and high by the Illinois method."""
    a, b = low, high
    at_a, at_b = _own_scores(inside, y, v, a), _own_scores(inside, y, v, b)
    done = at_b == 0
    for _ in range(_STEPS):
        c = b - np.where(done, 0.0, at_b) * (b - a) / np.where(done, 1.0, at_b - at_a)
        at_c = _own_scores(inside, y, v, c)
        crossed = at_c * at_b < 0
        a, at_a = np.where(crossed, b, a), np.where(crossed, at_b, at_a / 2)
        done = done | (at_c == 0) | (np.abs(c - b) <= _NEAR * (1 + c))
        b, at_b = c, at_c
        if done.all():
            break
    return b


def _log_likelihood(inside: Floats, y: Floats, v: Floats, tau2: Floats) -> Floats:
    """Twice the restricted likelihood of each subset at its tau2, up to a constant."""
    total = v + tau2[:, None]
    w = inside / total
    s = w.sum(axis=1)
    residuals = y - (w @ y / s)[:, None]
    logs = (inside * np.log(total)).sum(axis=1)
    return -logs - np.log(s) - (w * residuals**2).sum(axis=1)


def _quantile(ordered: Floats, share: float) -> float:
    """The quantile of sorted values, linear between neighbours."""
    at = share * (len(ordered) - 1)
    below = min(int(at), len(ordered) - 2)
    return float(ordered[below] + (at - below) * (ordered[below + 1] - ordered[below]))


def _side(rates: Floats, i2: Floats) -> Side:
    cells = Counter(zip(_cell(rates, CELL_RATE).tolist(), _cell(i2, CELL_I2).tolist(), strict=True))
    return Side(
        len(rates),
        float(np.median(rates)),
        float(np.median(i2)),
        tuple((rate, spread, count) for (rate, spread), count in sorted(cells.items())),
    )


def _cell(values: Floats, step: float) -> NDArray[np.int64]:
    """The whole per cent at which the cell of each value begins; the last cell has its end."""
    percent = round(100 * step)
    unit = 10 ** (_DECIMALS - 2)
    steps = np.rint(values * 100 * unit).astype(np.int64) // (percent * unit)
    return np.minimum(steps * percent, 100 - percent)
