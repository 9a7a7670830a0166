"""Whether a pool hangs on a single study: leaving each out, adding them by year, all subsets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from analysis import jobs, subsets
from analysis.pooling import HALF, typical_variance
from analysis.proportions import Interval, exact_interval, from_logit, logit_effects
from analysis.selection import Members

#: The basis whose pools are looked at, and from how many studies on.
BASIS = "pool"
INFLUENCE_MIN_K = 3
#: The middle share of all subsets between whose ends most pooled rates lie.
MIDDLE = 0.9
#: From this number of studies on there are subsets enough to speak of clouds.
CLOUDS_MIN_K = 5
#: A study parts the subsets when in so many of all pairs of a subset with it and one without it
#: the rates lie on the sides of their kinds, and in so many the I2 with it is the higher. Rates
#: alone would not do: of few like studies the most extreme nearly always sets them apart.
APART = 0.9
#: Cells of the figure: steps of the rate and of I2.
RATE_STEP, I2_STEP = 0.01, 0.05
#: Rates and I2 are compared at so many decimals, so that equal ones count as equal.
DECIMALS = 9

Floats = NDArray[np.float64]
#: Events and n of each study.
Counts = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Refit:
    """The pool of some of the studies; a single one has its exact interval and no variance."""

    summary: Interval
    tau2: float | None = None
    i2: float | None = None


@dataclass(frozen=True)
class Cell:
    """How many subsets have a rate and an I2 within the steps that begin at these multiples."""

    rate: int
    i2: int
    count: int


@dataclass(frozen=True)
class Side:
    """The subsets with, or without, one study: how many, their medians, and their cells."""

    count: int
    rate: float
    i2: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Scatter:
    """The pooled rates of all subsets of at least two studies.

    `low` and `high` are the ends of the middle MIDDLE of them, `above_half` the share above one
    half. `study` is the place of the study that sets the subsets with it and those without it
    furthest apart: of all pairs, one of each, its presence goes with the higher rate in the share
    `rate_above` and with the higher I2 in the share `i2_above`, ties counted half (Vargha and
    Delaney 2000: 0.5 where it makes no difference, 0 or 1 where the clouds do not overlap).
    `parts` is None for fewer studies than CLOUDS_MIN_K.
    """

    count: int
    complete: bool
    median: float
    low: float
    high: float
    above_half: float
    study: int
    rate_above: float
    i2_above: float
    inside: Side
    outside: Side
    parts: bool | None

    @property
    def shift(self) -> float:
        """The median rate with the study less that without it."""
        return self.inside.rate - self.outside.rate

    @property
    def separation(self) -> float:
        """The share of pairs in which the rates lie on the sides of their kinds."""
        return max(self.rate_above, 1 - self.rate_above)


@dataclass(frozen=True)
class Influence:
    """What single studies do to a pool; `without` and `through` have an item for each study.

    `without` leaves the study out, `through` has it and all before it.
    """

    without: tuple[Refit, ...]
    through: tuple[Refit, ...]
    scatter: Scatter

    @property
    def ends(self) -> tuple[int, int]:
        """Places of the studies without which the rate is lowest and highest."""
        rates = [fit.summary.estimate for fit in self.without]
        return rates.index(min(rates)), rates.index(max(rates))


def examine(members: Mapping[str, Members]) -> dict[str, Influence]:
    """The influence of the studies of each pool of BASIS with INFLUENCE_MIN_K studies or more."""
    asked = {
        prefix: tuple((study.events, study.n) for study in of_pool.studies)
        for prefix, of_pool in members.items()
        if of_pool.basis == BASIS and len(of_pool.studies) >= INFLUENCE_MIN_K
    }
    scatters = scatter_all(dict.fromkeys(asked.values()))
    fits = refit(part for counts in asked.values() for part in (*_without(counts), *_first(counts)))
    return {
        prefix: Influence(
            tuple(fits[part] for part in _without(counts)),
            tuple(fits[part] for part in _first(counts)),
            scatters[counts],
        )
        for prefix, counts in asked.items()
    }


def _without(counts: Counts) -> list[Counts]:
    return [(*counts[:place], *counts[place + 1 :]) for place in range(len(counts))]


def _first(counts: Counts) -> list[Counts]:
    return [counts[: place + 1] for place in range(len(counts))]


def refit(samples: Iterable[Counts]) -> dict[Counts, Refit]:
    """Pool each sample as `pooling.pool` does, all of one size in one call of PyMARE.

    Raises ArithmeticError where the model fails.
    """
    found: dict[Counts, Refit] = {}
    by_size: dict[int, list[Counts]] = defaultdict(list)
    for counts in dict.fromkeys(samples):
        if len(counts) == 1:
            found[counts] = Refit(exact_interval(*counts[0]))
        else:
            by_size[len(counts)].append(counts)
    # Imported here because it costs two seconds that only pooling should pay.
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    for same_size in by_size.values():
        events, n = np.array(same_size).transpose(2, 1, 0)  # each (k, samples)
        y, v = logit_effects(events, n)
        estimator = VarianceBasedLikelihoodEstimator(
            method="REML", small_sample_correction="knapp-hartung-conservative"
        )
        fit = estimator.fit_dataset(Dataset(y=y.copy(), v=v.copy())).summary()
        effects = fit.get_fe_stats()
        limits = (np.array(effects[name]).ravel() for name in ("ci_l", "est", "ci_u"))
        fits = zip(*limits, np.array(fit.tau2).ravel(), strict=True)
        for place, (low, mu, high, tau2) in enumerate(fits):
            if not np.isfinite([low, mu, high, tau2]).all():
                raise ArithmeticError(f"PyMARE gave no finite pool for {same_size[place]}")
            found[same_size[place]] = Refit(
                from_logit(low, mu, high),
                float(tau2),
                float(tau2 / (tau2 + typical_variance(v[:, place]))),
            )
    return found


def scatter_all(pools: Iterable[Counts]) -> dict[Counts, Scatter]:
    """The scatter of each pool, on all cores, or as it was remembered."""
    pools = list(pools)
    found = jobs.run(_scatter_values, [(counts,) for counts in pools], "analysis: all subsets")
    return {counts: _scatter_of(*values) for counts, values in zip(pools, found, strict=True)}


def _scatter_of(*values: Any) -> Scatter:
    """A scatter from what jobs.run has kept."""
    named = dict(zip((field.name for field in fields(Scatter)), values, strict=True))
    for side in ("inside", "outside"):
        subsets_in, rate, i2, cells = named[side]
        named[side] = Side(subsets_in, rate, i2, tuple(Cell(*cell) for cell in cells))
    return Scatter(**named)


def _scatter_values(counts: Counts) -> tuple[Any, ...]:
    """A scatter as jobs.run can keep it."""
    return astuple(scatter(counts))


def scatter(counts: Counts) -> Scatter:
    """How the pools of all subsets of the studies scatter, and which study sets them apart."""
    found = subsets.gosh(*logit_effects(*zip(*counts, strict=True)))
    rates = np.round(expit(found.estimate), DECIMALS)
    i2 = np.round(found.i2, DECIMALS)
    ranks, i2_ranks = rankdata(rates), rankdata(i2)

    def apart(study: int) -> tuple[float, float]:
        inside = found.has(study)
        rate_above = _above(ranks, inside)
        separation = min(max(rate_above, 1 - rate_above), _above(i2_ranks, inside))
        shift = float(np.median(rates[inside]) - np.median(rates[~inside]))
        return round(separation, DECIMALS), round(abs(shift), DECIMALS)

    study = max(range(len(counts)), key=apart)  # of equals the first
    inside = found.has(study)
    tail = (1 - MIDDLE) / 2
    low, median, high = np.quantile(rates, [tail, 0.5, 1 - tail]).tolist()
    return Scatter(
        len(rates),
        found.complete,
        median,
        low,
        high,
        float(np.mean(rates > HALF)),
        study,
        _above(ranks, inside),
        _above(i2_ranks, inside),
        _side(rates[inside], i2[inside]),
        _side(rates[~inside], i2[~inside]),
        apart(study)[0] >= APART if len(counts) >= CLOUDS_MIN_K else None,
    )


def _above(ranks: Floats, inside: NDArray[np.bool_]) -> float:
    """The share of pairs in which the one inside is above the other, ties counted half."""
    count = int(inside.sum())
    above = float(ranks[inside].sum()) - count * (count + 1) / 2
    return above / (count * (len(ranks) - count))


def _side(rates: Floats, i2: Floats) -> Side:
    # One number for each cell: numpy sorts pairs fifty times more slowly.
    across = round(1 / I2_STEP)
    counts = np.bincount(_step(rates, RATE_STEP) * across + _step(i2, I2_STEP))
    filled = np.flatnonzero(counts)
    return Side(
        len(rates),
        float(np.median(rates)),
        float(np.median(i2)),
        tuple(
            Cell(*divmod(cell, across), count)
            for cell, count in zip(filled.tolist(), counts[filled].tolist(), strict=True)
        ),
    )


def _step(values: Floats, step: float) -> NDArray[np.int64]:
    """In which step from 0 to 1 each value lies; on whole numbers, so that edges are exact."""
    unit = 10**DECIMALS
    steps = np.rint(values * unit).astype(np.int64) // round(step * unit)
    return np.minimum(steps, round(1 / step) - 1)
