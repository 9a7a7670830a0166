"""Published pools, and how far the pools of this book are from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from checks import statistics
from checks.expected import FRACTION, Expected
from checks.published import Published, entries, published, unlike
from checks.rows import Data

FAMILIES = ("published",)
ABSENT = ("children", "not_pooled", "no_pool")
Rates = tuple[float, float, float, tuple[float, float] | None]


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number of the comparison with other reviews."""
    lines = published(data)
    counts = {"total": len(lines), "compared": sum(bool(one.ours) for one in lines)}
    counts |= {why: sum(one.absent == why for one in lines) for why in ABSENT}
    found = [_facts(data, one) for one in lines if one.ours]
    for fact in ("overlap", "ours_in_theirs", "theirs_in_ours", "theirs_in_prediction"):
        known = [facts[fact] for facts in found if fact in facts]
        counts |= {fact: sum(known), f"{fact}.of": len(known)}
    values = {f"published.{name}": Expected(count, "count") for name, count in counts.items()}
    for one in lines:
        values |= _of_line(data, one)
    return values


def _of_line(data: Data, one: Published) -> dict[str, Expected]:
    """What the review prints, and what the pool of this book is beside it."""
    estimate = float(one.cells["estimate_percent"])
    values = {
        f"{one.key}.k": Expected(int(one.cells["k"]), "count"),
        f"{one.key}.n": Expected(int(one.cells["n"]), "count"),
        f"{one.key}.estimate": Expected(estimate, "printed_percent"),
    }
    if one.limits:
        for stat, limit in zip(("ci_low", "ci_high"), one.limits, strict=True):
            values[f"{one.key}.{stat}"] = Expected(limit, "printed_percent")
    if not one.ours:
        return values
    rows = frozenset[str]().union(*(entry.rows for entry in entries(data, one)))
    difference = ours(data, one)[1] - estimate / 100
    values[f"{one.key}.difference"] = Expected(difference, "points", FRACTION, rows)
    for name, count in unlike(data, one).items():
        values[f"{one.key}.{name}"] = Expected(count, "count", rows=rows)
    return values


def ours(data: Data, one: Published) -> Rates:
    """Lower limit, rate, upper limit and prediction interval of the pool beside a line."""
    counts = [(entry.events, entry.n) for entry in entries(data, one)]
    if len(counts) == 1:
        ((events, n),) = counts
        low, high = statistics.exact_interval(events, n)
        return low, events / n, high, None
    events, n = np.array(counts, dtype=float).T
    pool = statistics.pool(events, n)
    if pool.pi_low is None or pool.pi_high is None:
        return pool.ci_low, pool.estimate, pool.ci_high, None
    return pool.ci_low, pool.estimate, pool.ci_high, (pool.pi_low, pool.pi_high)


def _facts(data: Data, one: Published) -> dict[str, bool]:
    """What lies within what; a fact that needs an interval which is not there is left out."""
    low, rate, high, prediction = ours(data, one)
    theirs = float(one.cells["estimate_percent"]) / 100
    facts = {"theirs_in_ours": low <= theirs <= high}
    if prediction:
        facts["theirs_in_prediction"] = prediction[0] <= theirs <= prediction[1]
    if one.limits:
        bottom, top = (limit / 100 for limit in one.limits)
        facts["overlap"] = max(bottom, low) <= min(top, high)
        facts["ours_in_theirs"] = bottom <= rate <= top
    return facts
