"""What GRIM says of the printed percentages, and the founding article beside its sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from analysis.audit import Audit, AuditedRow, FoundingFigure, Verdict
from analysis.grim import Fit
from analysis.ledger import Entry, entry, row_prefix

BASES = ("reported", "derived", "percent_only")


def audit_entries(audit: Audit, rows: pd.DataFrame) -> list[Entry]:
    """Counts of rows by what the audit finds, and the numbers of each row that it lists."""
    entries, audited = [], audit.rows
    for basis in (*BASES, "all"):
        of_basis = [row for row in audited if basis in (row.count_basis, "all")]
        counts = {"printed": len(of_basis), **_grim_counts(of_basis)}
        counts |= {
            f"used_{fit}": sum(row.used is fit for row in of_basis if row.allowed) for fit in Fit
        }
        entries += [entry(f"audit.{basis}.{name}", n, "count") for name, n in counts.items()]
    ambiguous = [row for row in audited if row.is_ambiguous]
    nearest = sum(row.events == row.allowed.nearest for row in ambiguous if row.allowed)
    entries.append(entry("audit.ambiguous", len(ambiguous), "count"))
    entries.append(entry("audit.ambiguous_nearest", nearest, "count"))
    not_done = rows.loc[rows["second_extraction"].eq("not_done"), "outcome"]
    relapses = int(not_done.eq("relapse").sum())
    entries.append(entry("audit.not_done.relapse", relapses, "count"))
    entries.append(entry("audit.not_done.other", len(not_done) - relapses, "count"))
    for row in audited:
        entries += _row_entries(row)
    return entries + _founding_entries(audit.founding, audited)


def _grim_counts(audited: Sequence[AuditedRow]) -> dict[str, int]:
    """Rows that cannot be tested, and those that can by what GRIM finds."""
    tested = [row.allowed for row in audited if row.allowed and row.allowed.has_power]
    fits = Counter(allowed.fit for allowed in tested)
    return {
        "no_n": sum(row.allowed is None for row in audited),
        "no_power": sum(row.allowed is not None for row in audited) - len(tested),
        "tested": len(tested),
        **{str(fit): fits[fit] for fit in Fit},
    }


def _row_entries(row: AuditedRow) -> list[Entry]:
    """How far a row's counts lie from its percentage, and the counts that would give it."""
    allowed = row.allowed
    if allowed is None or row.n is None:
        return []
    prefix, own = f"audit.{row_prefix(row.address)}", (row.address,)
    entries = []
    if row.disagrees:
        entries.append(entry(f"{prefix}.distance", row.distance, "points", own))
    if allowed.low is None or allowed.high is None:
        rate = allowed.nearest / row.n
        entries.append(entry(f"{prefix}.nearest", allowed.nearest, "count", own))
        entries.append(entry(f"{prefix}.nearest_rate", rate, "percent", own))
    elif row.used is Fit.NONE or row.is_ambiguous or row.is_disputed:
        for end, events in (("low", allowed.low), ("high", allowed.high)):
            entries.append(entry(f"{prefix}.{end}", events, "count", own))
            if row.is_ambiguous:
                entries.append(entry(f"{prefix}.{end}_rate", events / row.n, "percent", own))
    return entries


def _founding_entries(
    figures: Sequence[FoundingFigure], audited: Sequence[AuditedRow]
) -> list[Entry]:
    """The founding article's figures: how many there are of each verdict, and how far off."""
    by_address = {row.address: row for row in audited}
    verdicts = Counter(figure.verdict for figure in figures)
    entries = [entry("audit.founding.figures", len(figures), "count")]
    entries += [
        entry(f"audit.founding.{verdict}", verdicts[verdict], "count") for verdict in Verdict
    ]
    for figure in figures:
        row = by_address[figure.address]
        key, own = f"audit.{figure.constant}", (figure.address,)
        if figure.distance is None or row.events is None or row.n is None:
            continue
        entries.append(entry(f"{key}.distance", figure.distance, "points", own))
        if figure.verdict is Verdict.COUNTS_DIFFER:
            rate = row.events / row.n
            entries.append(entry(f"{key}.rounded", rate, "percent_whole", own))
    return entries
