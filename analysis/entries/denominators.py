"""The numbers of percentages without a denominator: what could have been printed so."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.denominators import Bounds
from analysis.ledger import CI, Entry, entry, interval_entries
from analysis.proportions import exact_interval
from analysis.selection import Selection


def bounds_prefix(address: str) -> str:
    """Key prefix of the bounds of one row of the evidence."""
    return "denominator." + address.replace("/", ".")


def denominator_entries(chosen: Selection, found: Iterable[Bounds]) -> list[Entry]:
    """What counts give each percentage, the smallest and the largest, and the pool with them."""
    entries = []
    for bounds in found:
        prefix, own = bounds_prefix(bounds.address), (bounds.address,)
        for stat, count in (
            ("limit", bounds.limit),
            ("sizes", len(bounds.sizes)),
            ("cut_sizes", len({n for _, n in bounds.cut_off})),
        ):
            entries.append(entry(f"{prefix}.{stat}", count, "count", own))
        if bounds.cut_off:
            entries.append(entry(f"{prefix}.cut_smallest_n", bounds.cut_off[0][1], "count", own))
        for name, counts, pooled in (
            ("smallest", bounds.smallest, bounds.with_smallest),
            ("largest", bounds.largest, bounds.with_largest),
        ):
            if counts is None:
                continue
            events, n = counts
            entries.append(entry(f"{prefix}.{name}.events", events, "count", own))
            entries.append(entry(f"{prefix}.{name}.n", n, "count", own))
            entries += interval_entries(f"{prefix}.{name}", exact_interval(events, n), own, CI)
            if pooled and pooled.summary:
                rows = (*chosen.members[bounds.prefix].rows, bounds.address)
                entries += interval_entries(f"{prefix}.with_{name}", pooled.summary, rows, CI)
    return entries
