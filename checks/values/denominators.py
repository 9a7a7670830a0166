"""The second road to percentages without a denominator: every count up to the limit is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from checks.constants import LARGEST_N
from checks.expected import FRACTION, Expected
from checks.rows import Data, Row, select
from checks.statistics import exact_interval, pool

FAMILIES = ("denominator",)

Counts = tuple[tuple[int, int], ...]  # events and n
_STATS = ("estimate", "ci_low", "ci_high")


@dataclass(frozen=True, eq=False)
class Bounds:
    """What the percentage of a row allows; prefix is the pool that it would enter, or blank."""

    row: Row
    limit: int
    enrolled: bool
    rounded: Counts
    cut_off: Counts
    prefix: str

    @property
    def key(self) -> str:
        """Key prefix of its numbers."""
        return "denominator." + self.row.address.replace("/", ".")


@lru_cache(maxsize=4)
def bounds(data: Data) -> tuple[Bounds, ...]:
    """The percentages of the cited studies that have no denominator, in the order of the data."""
    found = []
    for row in data.rows:
        study = data.studies[row.study_id]
        printed = row.cells["reported_percent"]
        if not study.cited or row.reason != "no_denominator" or not printed:
            continue
        limit = study.enrolled or LARGEST_N
        rounded, cut_off = fitting(printed, limit)
        prefix = f"pool.{row.therapy}.{row.outcome}"
        present = {entry.study_id for entry in select(data)[prefix]}
        enters = rounded and present and not present & {row.study_id, *study.overlaps}
        found.append(
            Bounds(row, limit, bool(study.enrolled), rounded, cut_off, prefix if enters else "")
        )
    return tuple(found)


@lru_cache(maxsize=64)
def fitting(printed: str, limit: int) -> tuple[Counts, Counts]:
    """Every (events, n) up to the limit that is printed so when rounded, and when cut off."""
    stated = Decimal(printed)
    last_place = Decimal(1).scaleb(stated.as_tuple().exponent)  # type: ignore[arg-type]
    rounded, cut_off = [], []
    for n in range(1, limit + 1):
        for events in range(n + 1):
            exact = Decimal(100 * events) / n
            if abs(exact - stated) > last_place:
                continue
            shown = {
                mode: exact.quantize(last_place, mode)
                for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_FLOOR)
            }
            if stated in (shown[ROUND_HALF_UP], shown[ROUND_HALF_EVEN]):
                rounded.append((events, n))
            if stated == shown[ROUND_FLOOR]:
                cut_off.append((events, n))
    return tuple(rounded), tuple(cut_off)


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number of every such percentage."""
    return {
        f"{found.key}.{stat}": value
        for found in bounds(data)
        for stat, value in _values(data, found).items()
    }


def _values(data: Data, found: Bounds) -> dict[str, Expected]:
    own = frozenset({found.row.address})
    counts = {
        "limit": found.limit,
        "sizes": len({n for _, n in found.rounded}),
        "cut_sizes": len({n for _, n in found.cut_off}),
    }
    if found.cut_off:
        counts["cut_smallest_n"] = min(n for _, n in found.cut_off)
    values = {stat: Expected(count, "count", rows=own) for stat, count in counts.items()}
    entries = select(data)[found.prefix] if found.prefix else ()
    rows = own.union(*(entry.rows for entry in entries))
    for name, ends in (("smallest", found.rounded[:1]), ("largest", found.rounded[-1:])):
        for events, n in ends:
            values[f"{name}.events"] = Expected(events, "count", rows=own)
            values[f"{name}.n"] = Expected(n, "count", rows=own)
            exact = (events / n, *exact_interval(events, n))
            values |= _interval(name, exact, own)
            if entries:
                studies = (*((entry.events, entry.n) for entry in entries), (events, n))
                values |= _interval(f"with_{name}", _pooled(studies), rows)
    return values


def _interval(
    name: str, rates: tuple[float, float, float], rows: frozenset[str]
) -> dict[str, Expected]:
    return {
        f"{name}.{stat}": Expected(rate, "percent", FRACTION, rows)
        for stat, rate in zip(_STATS, rates, strict=True)
    }


@lru_cache(maxsize=64)
def _pooled(studies: Counts) -> tuple[float, float, float]:
    events, n = np.array(studies, dtype=float).T
    found = pool(events, n)
    return found.estimate, found.ci_low, found.ci_high
