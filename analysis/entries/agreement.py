"""Published pools and how far this book is from them."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.agreement import CHILDREN, NO_POOL, NOT_POOLED, Comparison
from analysis.ledger import Entry, entry

FACTS = ("overlap", "ours_in_theirs", "theirs_in_ours", "theirs_in_prediction")


def agreement_entries(comparisons: Sequence[Comparison]) -> list[Entry]:
    """The numbers of each comparison, and in how many of them each fact holds."""
    counts = {"total": len(comparisons), "compared": sum(c.ours is not None for c in comparisons)}
    for absent in (CHILDREN, NOT_POOLED, NO_POOL):
        counts[absent] = sum(c.absent == absent for c in comparisons)
    for fact in FACTS:
        known = [holds for c in comparisons if (holds := getattr(c, fact)) is not None]
        counts |= {f"{fact}.of": len(known), fact: sum(known)}
    entries = [entry(f"published.{name}", count, "count") for name, count in counts.items()]
    for comparison in comparisons:
        entries += _comparison(comparison)
    return entries


def _comparison(comparison: Comparison) -> list[Entry]:
    review, ours = comparison.review, comparison.ours
    prefix = f"published.{review.name}"
    entries = [
        entry(f"{prefix}.k", review.k, "count"),
        entry(f"{prefix}.n", review.n, "count"),
        entry(f"{prefix}.estimate", review.estimate, "printed_percent"),
    ]
    if review.interval:
        for stat, limit in zip(("ci_low", "ci_high"), review.interval, strict=True):
            entries.append(entry(f"{prefix}.{stat}", limit, "printed_percent"))
    if ours is None:
        return entries
    rows = ours.members.rows
    entries.append(entry(f"{prefix}.difference", comparison.difference, "points", rows))
    entries.append(entry(f"{prefix}.later", ours.later, "count", rows))
    entries.append(entry(f"{prefix}.mixed_ages", ours.mixed_ages, "count", rows))
    if ours.same_threshold is not None:
        entries.append(entry(f"{prefix}.same_threshold", ours.same_threshold, "count", rows))
    return entries
