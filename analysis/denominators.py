"""Bounds for a printed percentage whose denominator is not printed: which counts could give it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from analysis.grim import decimals, percentage
from analysis.pooling import Pool, pool
from analysis.proportions import Interval, exact_interval
from analysis.selection import Members, Selection

#: Studies are thought of with at most so many patients where the number enrolled is not known.
LARGEST_N = 200

Counts = tuple[int, int]

_ROUNDED = (ROUND_HALF_UP, ROUND_HALF_EVEN)
_CUT_OFF = (ROUND_DOWN,)


@dataclass(frozen=True)
class Bounds:
    """What a printed percentage without a denominator allows.

    printed: its text. limit: the largest n looked at, which is the number enrolled if `enrolled`.
    rounded: every (events, n) that gives the percentage by rounding (half up or half to even), by
    n, then events. cut_off: every one that gives it by cutting decimals off. smallest and largest:
    the first and the last of those rounded, None where none fits. prefix: the pool that the row
    would enter, blank where it has none to enter. with_smallest, with_largest: that pool with the
    study in it.
    """

    address: str
    printed: str
    limit: int
    enrolled: bool
    rounded: tuple[Counts, ...]
    cut_off: tuple[Counts, ...]
    prefix: str = ""
    with_smallest: Pool | None = None
    with_largest: Pool | None = None

    @property
    def smallest(self) -> Counts | None:
        return self.rounded[0] if self.rounded else None

    @property
    def largest(self) -> Counts | None:
        return self.rounded[-1] if self.rounded else None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every n for which some number of events gives the percentage by rounding."""
        return tuple(dict.fromkeys(n for _, n in self.rounded))

    @property
    def band(self) -> tuple[tuple[int, Interval], ...]:
        """By possible n the widest limits that its events allow, about the first of its rates."""
        found: dict[int, Interval] = {}
        for events, n in self.rounded:
            low, rate, high = exact_interval(events, n)
            other = found.get(n, Interval(low, rate, high))
            found[n] = Interval(min(low, other.low), other.estimate, max(high, other.high))
        return tuple(found.items())


def fitting(printed: str, limit: int, roundings: tuple[str, ...] = _ROUNDED) -> list[Counts]:
    """Every (events, n) with n up to the limit that gives the printed percentage.

    `roundings` are modes of decimal; one that gives the percentage suffices. By n, then events.
    Raises ValueError unless the percentage is from 0 to 100.
    """
    stated, places = Decimal(printed), decimals(printed)
    if not 0 <= stated <= 100:
        raise ValueError(f"{printed} %: needs a percentage from 0 to 100")
    # Only counts within one printed step of the percentage can fit; one more on either side.
    step = Decimal(1).scaleb(-places)
    found = []
    for n in range(1, limit + 1):
        first = max(0, int((stated - step) * n / 100))
        last = min(n, int((stated + step) * n / 100) + 1)
        for events in range(first, last + 1):
            if any(percentage(events, n, places, mode) == stated for mode in roundings):
                found.append((events, n))
    return found


def bounds(chosen: Selection, printed_percent: tuple[str, ...]) -> tuple[Bounds, ...]:
    """The bounds of every percentage without a denominator of a cited study, as the data have them.

    `printed_percent` are the cells of the percentages as they are written, one for each row.
    """
    rows = chosen.rows.assign(printed=list(printed_percent))
    bare = rows[rows["seed_reference"].notna() & rows["fate"].eq("no_denominator")]
    return tuple(_bounds(chosen, row) for row in bare.itertuples() if row.printed)


def _bounds(chosen: Selection, row: Any) -> Bounds:
    """The bounds of one row, and the pool that it would enter with them."""
    enrolled = None if pd.isna(row.n_enrolled) else int(row.n_enrolled)
    limit = enrolled or LARGEST_N
    found = Bounds(
        row.address,
        row.printed,
        limit,
        enrolled is not None,
        tuple(fitting(row.printed, limit)),
        tuple(fitting(row.printed, limit, _CUT_OFF)),
    )
    members = chosen.members[f"pool.{row.therapy}.{row.pool_outcome}"]
    known = {study.study_id for study in members.studies}
    # A study that is in the pool with another visit would not enter it a second time.
    if not found.rounded or not known or known & {row.study_id, *_sharing(row, chosen.rows)}:
        return found
    return replace(
        found,
        prefix=members.prefix,
        with_smallest=_pool_with(members, found.rounded[0]),
        with_largest=_pool_with(members, found.rounded[-1]),
    )


def _sharing(row: Any, rows: pd.DataFrame) -> set[str]:
    """Studies that may share patients with the row's, whichever of the two says so."""
    naming = (
        rows["overlaps_with"].str.split(";").map(lambda ids: row.study_id in map(str.strip, ids))
    )
    return set(rows.loc[naming, "study_id"]) | {
        name.strip() for name in row.overlaps_with.split(";")
    }


def _pool_with(members: Members, counts: Counts) -> Pool:
    """A pool with one more study of these counts in it."""
    studies = [*((study.events, study.n) for study in members.studies), counts]
    return pool([events for events, _ in studies], [n for _, n in studies])
