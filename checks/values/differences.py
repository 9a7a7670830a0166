"""What pools answer about the differences between their studies, worked out from the data again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from checks.constants import (
    LEVEL_STUDIES,
    POOL_STUDIES,
    PREDICTION_STUDIES,
    REGRESSION_STUDIES,
    REGRESSION_YEARS,
)
from checks.expected import FRACTION, TAU2, Expected
from checks.regression import Counts, Design, Fit, fit
from checks.rows import POOL_OUTCOMES, Data, Entry, select
from checks.statistics import PoolStatistics, pool

FAMILIES: tuple[str, ...] = ("differences",)

#: Odds ratios may be off by so much of themselves: PyMARE's tau2 moves coefficients by far less.
RATIO = 1e-5
#: Below this there is no variance to explain, by either way of finding it.
NO_VARIANCE = 1e-5

_BASES = ("pool", "class")
_DESIGNS = {
    "rct": "trial", "single_arm_trial": "trial", "prospective_cohort": "prospective",
    "retrospective_cohort": "retrospective", "case_series": "retrospective",
}  # fmt: skip
_ORDER = ("trial", "prospective", "retrospective", "second_line", "rescue", "mixed")

Level = float | str


def _threshold(data: Data, entry: Entry) -> float | None:
    (threshold,) = {row.threshold for row in data.rows if row.address in entry.rows}
    return None if threshold is None else float(threshold)


def _months(data: Data, entry: Entry) -> float | None:
    return None if entry.months is None else float(entry.months)


def _line(data: Data, entry: Entry) -> str:
    return data.studies[entry.study_id].line


def _design(data: Data, entry: Entry) -> str:
    return _DESIGNS[data.studies[entry.study_id].cells["design"]]


def _year(data: Data, entry: Entry) -> float:
    return float(data.studies[entry.study_id].year)


#: By name: how a study's value is found, and for numbers the step of the odds ratio and the unit.
_MODERATORS: dict[str, tuple[Callable[[Data, Entry], Level | None], float, str]] = {
    "threshold": (_threshold, 0, "platelets"),
    "line": (_line, 0, ""),
    "design": (_design, 0, ""),
    "months": (_months, 1, "months"),
    "year": (_year, REGRESSION_YEARS, "plain"),
}
MODERATORS = tuple(_MODERATORS)


@dataclass(frozen=True, eq=False)
class Regression:
    """One regression of a pool, or why there is none.

    why_not: blank, or the statistics that say it. levels: keys' words and values where rates are
    given, the reference first.
    """

    used: tuple[Entry, ...]
    values: tuple[Level, ...]
    levels: tuple[tuple[str, Level], ...]
    numeric: bool
    known: int
    alike: int
    why_not: tuple[str, ...]
    step: float

    @property
    def studies(self) -> Counts:
        """Events and n of the studies that enter it."""
        return tuple((entry.events, entry.n) for entry in self.used)

    def row(self, value: Level) -> tuple[float, ...]:
        """The row of the design for a value; numbers are counted in steps from the first level."""
        first = self.levels[0][1]
        if self.numeric:
            return (1.0, (float(value) - float(first)) / self.step)
        return (1.0, *(float(value == level) for _, level in self.levels[1:]))

    @property
    def design(self) -> Design:
        """The whole design."""
        return tuple(self.row(value) for value in self.values)

    @property
    def fit(self) -> Fit:
        """The regression itself."""
        return fit(self.studies, self.design)


def regression(data: Data, entries: Sequence[Entry], moderator: str) -> Regression:
    """Judge what these studies can be asked about a moderator."""
    find, step, _ = _MODERATORS[moderator]
    pairs = [(entry, value) for entry in entries if (value := find(data, entry)) is not None]
    known = len(pairs)
    levels: tuple[tuple[str, Level], ...]
    if step:
        numbers = sorted(float(value) for _, value in pairs)
        middle = (numbers[0] + numbers[-1]) / 2 if numbers else 0
        below = sum(number <= middle for number in numbers)
        alike = max(below, known - below)
        levels = (
            tuple(zip(("low", "high"), (numbers[0], numbers[-1]), strict=True)) if known else ()
        )
        several = known - alike >= LEVEL_STUDIES
    else:
        counts = Counter(value for _, value in pairs)
        alike = max(counts.values(), default=0)
        kept = [level for level, count in counts.items() if count >= LEVEL_STUDIES]
        kept.sort(key=lambda level: _ORDER.index(level) if isinstance(level, str) else level)
        levels = tuple((f"{v:g}" if isinstance(v, float) else v, v) for v in kept)
        pairs = [(entry, value) for entry, value in pairs if value in kept]
        several = len(kept) > 1 and known - alike >= LEVEL_STUDIES
    why_not: tuple[str, ...] = ()
    if known < REGRESSION_STUDIES:
        why_not = ("known",)
    elif not several:
        why_not = ("alike", "known")
    elif len(pairs) < REGRESSION_STUDIES:
        why_not = ("used",)
    used, values = tuple(e for e, _ in pairs), tuple(v for _, v in pairs)
    return Regression(used, values, levels, step > 0, known, alike, why_not, step)


@lru_cache(maxsize=4)
def asked(data: Data) -> Mapping[str, Mapping[str, Regression]]:
    """The pools with enough studies by prefix, each with its regressions by moderator."""
    return {
        prefix: {name: regression(data, entries, name) for name in _MODERATORS}
        for prefix, entries in select(data).items()
        if prefix.startswith(_BASES) and len(entries) >= REGRESSION_STUDIES
    }


def size_fit(entries: Sequence[Entry]) -> Fit:
    """Regression of the logit on 1/n."""
    return fit(_counts(entries), tuple((1.0, 1 / entry.n) for entry in entries))


def _counts(entries: Sequence[Entry]) -> Counts:
    return tuple((entry.events, entry.n) for entry in entries)


def expected(data: Data, records: Mapping[str, Any]) -> Mapping[str, Expected]:
    """Every number of the chapter on differences between studies."""
    pools = {p: e for p, e in select(data).items() if p.startswith(_BASES)}
    several = sum(len(entries) >= POOL_STUDIES for entries in pools.values())
    found = asked(data)
    values = {
        "several": several,
        "asked": len(found),
        "too_few": several - len(found),
        "regressions": sum(not r.why_not for of in found.values() for r in of.values()),
    }
    result = {f"differences.{name}": Expected(n, "count") for name, n in values.items()}
    for prefix, entries in pools.items():
        if len(entries) >= PREDICTION_STUDIES:
            result.update(_spread(data, f"differences.{prefix}", entries))
    for prefix, regressions in found.items():
        for name, one in regressions.items():
            result.update(_regression(f"differences.{prefix}.{name}", name, one, pools[prefix]))
        result.update(_size(f"differences.{prefix}.size", pools[prefix]))
    for outcome in POOL_OUTCOMES:
        result.update(_within(data, outcome))
    return result


def retrospective(data: Data, entry: Entry) -> bool:
    """Whether the study looked back at its patients' records."""
    return _design(data, entry) == "retrospective"


def _rows(entries: Sequence[Entry]) -> frozenset[str]:
    return frozenset[str]().union(*(entry.rows for entry in entries))


def _spread(data: Data, name: str, entries: Sequence[Entry]) -> Iterator[tuple[str, Expected]]:
    rows = _rows(entries)
    looked_back = sum(entry.n for entry in entries if retrospective(data, entry))
    share = looked_back / sum(entry.n for entry in entries)
    yield f"{name}.retrospective", Expected(share, "percent_whole", FRACTION, rows)
    found = _pool(_counts(entries))
    if found.pi_low is not None and found.pi_high is not None:
        width = found.pi_high - found.pi_low
        yield f"{name}.prediction_width", Expected(width, "points", 2 * FRACTION, rows)


@lru_cache(maxsize=1024)
def _pool(studies: Counts) -> PoolStatistics:
    events, n = np.array(studies, dtype=float).T
    return pool(events, n)


def _regression(
    name: str, moderator: str, one: Regression, entries: Sequence[Entry]
) -> Iterator[tuple[str, Expected]]:
    everything = _rows(entries)
    if one.why_not:
        stats = {"known": one.known, "alike": one.alike, "used": len(one.used)}
        for stat in one.why_not:
            yield f"{name}.{stat}", Expected(stats[stat], "count", rows=everything)
        return
    if len(one.used) < len(entries):
        left = len(entries) - len(one.used)
        yield f"{name}.left_out", Expected(left, "count", rows=everything)
    rows, found = _rows(one.used), one.fit
    without = fit(one.studies, tuple((1.0,) for _ in one.used)).tau2
    yield f"{name}.k", Expected(len(one.used), "count", rows=rows)
    for stat, tau2 in (("tau2", found.tau2), ("tau2_without", without)):
        yield f"{name}.{stat}", Expected(tau2, "number", TAU2 * (1 + tau2), rows)
    if without > NO_VARIANCE / 2:
        share = max(0.0, 1 - found.tau2 / without)
        error = TAU2 * (2 + found.tau2 + without) / without
        optional = without < 2 * NO_VARIANCE  # where one way sees a variance, another may not
        yield f"{name}.explained", Expected(share, "percent_whole", error, rows, optional=optional)
    if one.numeric:
        yield from _ratio(name, found.odds_ratio((0.0, 1.0)), rows)
    for place, (word, level) in enumerate(one.levels):
        at = f"{name}.{word}"
        if not isinstance(level, str):
            yield f"{at}.value", Expected(level, _MODERATORS[moderator][2], rows=rows)
        yield from _rate(at, found.rate(one.row(level)), rows)
        if not one.numeric:
            yield f"{at}.k", Expected(one.values.count(level), "count", rows=rows)
            if place:
                yield from _ratio(at, found.odds_ratio((0.0, *one.row(level)[1:])), rows)


def _size(name: str, entries: Sequence[Entry]) -> Iterator[tuple[str, Expected]]:
    sizes = sorted(entry.n for entry in entries)
    if sizes[0] == sizes[-1]:
        return
    rows, found = _rows(entries), size_fit(entries)
    yield from _ratio(name, found.odds_ratio((0.0, 1 / sizes[0] - 1 / sizes[-1])), rows)
    for word, n in (("small", sizes[0]), ("large", sizes[-1])):
        yield f"{name}.{word}.n", Expected(n, "count", rows=rows)
        yield from _rate(f"{name}.{word}", found.rate((1.0, 1 / n)), rows)


def within(data: Data, outcome: str) -> dict[str, tuple[Entry, ...]]:
    """The pools of the therapies that have retrospective and other studies; none where too few."""
    both = {
        prefix: entries
        for therapy in data.therapies
        if (entries := select(data)[prefix := f"pool.{therapy}.{outcome}"])
        and len({retrospective(data, entry) for entry in entries}) > 1
    }
    enough = sum(len(entries) for entries in both.values()) >= REGRESSION_STUDIES
    return both if enough and len(both) > 1 else {}


def _within(data: Data, outcome: str) -> Iterator[tuple[str, Expected]]:
    """Retrospective against other studies, each therapy with an intercept of its own."""
    both = list(within(data, outcome).values())
    entries = [entry for of in both for entry in of]
    if not both:
        return
    design = tuple(
        (*(float(of is other) for other in both), float(retrospective(data, entry)))
        for of in both
        for entry in of
    )
    rows, name = _rows(entries), f"differences.within.{outcome}"
    yield f"{name}.k", Expected(len(entries), "count", rows=rows)
    yield f"{name}.therapies", Expected(len(both), "count", rows=rows)
    contrast = (*(0.0 for _ in both), 1.0)
    yield from _ratio(name, fit(_counts(entries), design).odds_ratio(contrast), rows)


def _rate(
    at: str, rate: tuple[float, float, float], rows: frozenset[str]
) -> Iterator[tuple[str, Expected]]:
    for stat, value in zip(("ci_low", "estimate", "ci_high"), rate, strict=True):
        yield f"{at}.{stat}", Expected(value, "percent", FRACTION, rows)


def _ratio(
    name: str, ratio: tuple[float, float, float], rows: frozenset[str]
) -> Iterator[tuple[str, Expected]]:
    stats = ("odds_ratio_low", "odds_ratio", "odds_ratio_high")
    for stat, value in zip(stats, ratio, strict=True):
        yield f"{name}.{stat}", Expected(value, "number", RATIO * value, rows)
