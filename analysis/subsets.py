"""The pools of all subsets of some studies (GOSH), many at once.

Olkin, Dahabreh and Trikalinos 2012 pool every subset of the studies of a meta-analysis and look at
how the results scatter. A sum over a subset is a sum over its first studies plus one over the
others, so the sums of all subsets come by doubling: each further study is added to all the sums
there are. Up to MOST_STUDIES studies every subset is pooled, beyond them a seeded sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["DL", "REML"]

#: Up to this number of studies every subset is pooled.
MOST_STUDIES = 20
#: Subsets drawn where there are more studies; each study is in or out with equal chance.
SAMPLE = 2**16
SEED = 2012

#: Subsets that are worked on at once, so that all about them stays in the processor's cache.
_CHUNK = 4096
#: Step of the values of tau2 at which the score is tabulated, on the scale of
#: log(tau2 + smallest variance), on which it changes slowly.
_STEP = 0.25
#: How small the last step to a root of the score is, times 1 + tau2; and how many steps at most.
_NEAR = 1e-12
_NEWTON_STEPS = 8
_BISECTIONS = 100


@dataclass(frozen=True, eq=False)
class Gosh:
    """Pools of m subsets of at least two of the studies; all arrays have m rows.

    `members` (m, words) tells which studies are in: bit j % 32 of word j // 32 stands for study j.
    If `complete`, they are all such subsets in the order of the number that these bits make
    (study 0 counts 1, study 1 counts 2, study 2 counts 4 and so on). `estimate` and `tau2` are on
    the scale of y; `i2` is a fraction, from tau2 with the typical variance of Higgins and
    Thompson 2002. `worst_distance` bounds how far any tau2 lies from the root of its score,
    divided by 1 + tau2; 0 where tau2 has a closed form.
    """

    members: NDArray[np.uint32]
    k: NDArray[np.int64]
    estimate: Floats
    tau2: Floats
    i2: Floats
    complete: bool
    worst_distance: float

    def has(self, study: int) -> NDArray[np.bool_]:
        """Which of the subsets this study is in, shape (m,)."""
        return (self.members[:, study // 32] >> np.uint32(study % 32) & 1).astype(bool)


def gosh(y: Floats, v: Floats, method: Method = "REML") -> Gosh:
    """Pool every subset of at least two of k studies with effects y and variances v, shape (k,).

    DL is the closed form of DerSimonian and Laird 1986, cut at 0. REML is the global maximum of
    the restricted likelihood (Viechtbauer 2005): its score is tabulated for all subsets over
    tau2, and each maximum refined by Newton's method or, where that strays, by bisection.
    Raises ValueError unless k >= 2 and all variances are positive and finite.
    """
    if not (y.shape == v.shape == (len(y),) and len(y) > 1):
        raise ValueError(f"{y.shape} effects with {v.shape} variances: needs two studies or more")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("effects must be finite, variances positive and finite")
    # Sums of squares keep most digits about the mean, which is added again at the end.
    centre = np.average(y, weights=1 / v)
    y = y - centre
    subsets = _Subsets(len(y))
    estimate, tau2, i2 = np.zeros((3, subsets.count))
    worst = 0.0
    # The empty subset divides by 0; it and single studies are left out at the end.
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "REML":
            tau2, worst = _reml(y, v, subsets)
        sums = subsets.sums(np.stack([1 / v, y / v, y**2 / v, 1 / v**2]))
        rows = np.stack([np.ones_like(y), y])
        for (part, (s, sy, syy, ss)), variances in zip(sums, subsets.variances(v), strict=True):
            df, room = subsets.k[part] - 1, s - ss / s
            if method == "DL":
                tau2[part] = np.maximum(0.0, (syy - sy**2 / s - df) / room)
            total, weighted = rows @ (1 / (variances + tau2[part]))
            estimate[part] = centre + weighted / total
            i2[part] = tau2[part] / (tau2[part] + df / room)
    kept = np.flatnonzero(subsets.k > 1)
    return Gosh(
        subsets.members[kept],
        subsets.k[kept],
        estimate[kept],
        tau2[kept],
        i2[kept],
        subsets.complete,
        worst,
    )


class _Subsets:
    """Which studies are in which subset, and sums over all subsets, part by part."""

    def __init__(self, studies: int) -> None:
        self.studies = studies
        self.complete = studies <= MOST_STUDIES
        if self.complete:
            self.members = np.arange(2**studies, dtype=np.uint32)[:, None]
        else:
            drawn = np.random.default_rng(SEED).random((SAMPLE, studies)) < 0.5
            drawn = np.pad(drawn, ((0, 0), (0, -studies % 32)))
            self.members = np.packbits(drawn, axis=1, bitorder="little").view("<u4")
        self.count = len(self.members)
        self.k = np.bitwise_count(self.members).sum(axis=1, dtype=np.int64)
        # The table of sums and variances of the first studies serves every part.
        self._first = min(studies, _CHUNK.bit_length() - 1)

    def sums(self, columns: Floats) -> Iterator[tuple[slice, Floats]]:
        """Sums of each row of columns, shape (c, studies), over the studies of each subset."""
        if not self.complete:
            for part in _parts(self.count):
                yield part, columns @ self._bits(part)
            return
        table = _doubled(columns[:, : self._first])
        others = _doubled(columns[:, self._first :])
        for part, other in zip(_parts(self.count), others.T, strict=True):
            yield part, table + other[:, None]

    def variances(self, v: Floats) -> Iterator[Floats]:
        """The variances of the studies, a column a subset, part by part; infinite if left out."""
        if not self.complete:
            for part in _parts(self.count):
                yield self.variances_of(part, v)
            return
        variances = self.variances_of(slice(0, 2**self._first), v)
        for part in _parts(self.count):
            one = slice(part.start, part.start + 1)
            variances[self._first :] = self.variances_of(one, v)[self._first :]
            yield variances

    def variances_of(self, part: slice | NDArray[np.int64], v: Floats) -> Floats:
        """The variances of the studies in some subsets, shape (studies, subsets)."""
        return np.where(self._bits(part), v[:, None], np.inf)

    def _bits(self, part: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        """1 where a study (row) is in a subset (column), else 0."""
        octets = self.members[part].astype("<u4", copy=False).view(np.uint8)
        return np.unpackbits(octets, axis=1, count=self.studies, bitorder="little").T


def _doubled(columns: Floats) -> Floats:
    """Sums of each row of columns, shape (c, k), over all subsets of the k: shape (c, 2^k)."""
    count, k = columns.shape
    sums = np.zeros((count, 2**k))
    for study in range(k):
        half = 2**study
        sums[:, half : 2 * half] = sums[:, :half] + columns[:, study, None]
    return sums


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK))


def _reml(y: Floats, v: Floats, subsets: _Subsets) -> tuple[Floats, float]:
    """tau2 of each subset, shape (count,), and how far from its root any is at worst."""
    grid = _grid(y, v)
    before = _scores(y, v, subsets)
    zero = before <= 0  # where tau2 = 0 is a maximum of the likelihood
    places, lows, highs, starts = [], [], [], []
    for low, high in pairwise(grid):
        after = _scores(y, v + high, subsets)
        place = np.flatnonzero((before > 0) & (after <= 0) & (subsets.k > 1))
        falls = before[place] / (before[place] - after[place])
        places.append(place)
        lows.append(np.full(len(place), low))
        highs.append(np.full(len(place), high))
        starts.append(low + (high - low) * falls)
        before = after
    tau2 = np.zeros(subsets.count)
    if not places:
        return tau2, 0.0
    place, low, high, start = map(np.concatenate, (places, lows, highs, starts))
    worst = 0.0
    roots = np.empty_like(start)
    for part in _parts(len(place)):
        variances = subsets.variances_of(place[part], v)
        roots[part], distance = _refine(y, variances, low[part], high[part], start[part])
        worst = max(worst, distance)
    tau2[place] = roots  # where there is but one maximum that is all
    several = np.bincount(place, minlength=subsets.count) + zero > 1
    rivals = np.concatenate([np.flatnonzero(several & zero), place[several[place]]])
    heights = np.concatenate([np.zeros((several & zero).sum()), roots[several[place]]])
    likelihood = np.empty_like(heights)
    for part in _parts(len(rivals)):
        total = subsets.variances_of(rivals[part], v) + heights[part]
        likelihood[part] = _log_likelihood(y, total)
    upwards = np.lexsort((likelihood, rivals))
    tau2[rivals[upwards]] = heights[upwards]  # of each subset the last one stays
    return tau2, worst


def _grid(y: Floats, v: Floats) -> Floats:
    """Values of tau2 from 0 to where the score of every subset is negative.

    The score is a sum over pairs of studies whose terms are positive only where half the squared
    distance of their effects exceeds the smaller of their variances tau2 + v.
    """
    low, high = v.min(), 1.01 * np.ptp(y) ** 2 / 2
    if high <= low:
        return np.zeros(1)
    steps = int(np.ceil(np.log(high / low) / _STEP))
    return np.concatenate([[0.0], np.geomspace(low, high, steps + 1)[1:] - low])


def _scores(y: Floats, total: Floats, subsets: _Subsets) -> Floats:
    """Twice the score of the restricted likelihood of all subsets; total is v + tau2."""
    w = 1 / total
    score = np.empty(subsets.count)
    columns = np.stack([w, w * y, w**2, w**2 * y, w**2 * y**2])
    for part, (s, sy, ss, ssy, ssyy) in subsets.sums(columns):
        mu = sy / s
        score[part] = ssyy - mu * (2 * ssy - mu * ss) - s + ss / s
    return score


def _refine(
    y: Floats, variances: Floats, low: Floats, high: Floats, tau2: Floats
) -> tuple[Floats, float]:
    """The root of each subset's score between low and high, and the longest last step to one.

    All have a value a subset; the score is positive at low and not at high; tau2 is the start.
    """
    step = np.full_like(tau2, np.inf)
    for _ in range(_NEWTON_STEPS):
        score, slope = _score_and_slope(y, variances + tau2)
        low, high = np.where(score > 0, tau2, low), np.where(score > 0, high, tau2)
        newton = tau2 - score / slope
        inside = (low <= newton) & (newton <= high)
        moved = np.where(inside, newton, (low + high) / 2)
        step, tau2 = np.abs(moved - tau2) / (1 + tau2), moved
        if (step <= _NEAR).all():
            return tau2, float(step.max())
    strayed = np.flatnonzero(step > _NEAR)
    variances, low, high = variances[:, strayed], low[strayed], high[strayed]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        rising = _score_and_slope(y, variances + middle)[0] > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    tau2[strayed] = (low + high) / 2
    step[strayed] = (high - low) / (1 + low)
    return tau2, float(step.max())


def _score_and_slope(y: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Twice the score of the restricted likelihood and its slope in tau2.

    total is v + tau2, shape (studies, subsets), infinite where a study is left out.
    """
    w = 1 / total
    w2 = w * w
    powers = np.stack([np.ones_like(y), y, y**2])
    s, sy = powers[:2] @ w
    ss, ssy, ssyy = powers @ w2
    sss, sssy, sssyy = powers @ (w2 * w)
    mu = sy / s
    drift = (mu * ss - ssy) / s  # slope of mu
    score = ssyy - mu * (2 * ssy - mu * ss) - s + ss / s
    cubed = sssyy - mu * (2 * sssy - mu * sss)
    slope = 2 * s * drift**2 - 2 * cubed + ss + (ss**2 / s - 2 * sss) / s
    return score, slope


def _log_likelihood(y: Floats, total: Floats) -> Floats:
    """Twice the restricted log-likelihood of each subset, up to a constant; total as above."""
    w = 1 / total
    s = w.sum(axis=0)
    residuals = y[:, None] - y @ w / s
    logs = np.log(w, out=np.zeros_like(w), where=w > 0).sum(axis=0)
    return logs - np.log(s) - (w * residuals**2).sum(axis=0)
