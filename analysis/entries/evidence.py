"""The numbers of each row of the evidence, and counts that describe all of it."""

from __future__ import annotations

import pandas as pd

from analysis import selection
from analysis.ledger import CI, Entry, entry, interval_entries, row_prefix
from analysis.pooling import Pool, State
from analysis.proportions import exact_interval
from analysis.selection import Selection


def row_entries(rows: pd.DataFrame) -> list[Entry]:
    """Numbers of each row of outcomes.csv, whether it is pooled or not."""
    entries = []
    arms = rows.groupby("study_id")["arm"].nunique()
    for row in rows.itertuples():
        prefix = row_prefix(row.address)
        own = (row.address,)
        for column, unit in (
            ("months", "months"),
            ("platelet_threshold", "platelets"),
            ("reported_percent", "printed_percent"),
        ):
            value = getattr(row, column)
            if not pd.isna(value):
                entries.append(entry(f"{prefix}.{column}", float(value), unit, own))
        if pd.isna(row.events) or pd.isna(row.n):
            continue
        events, n = int(row.events), int(row.n)
        entries.append(entry(f"{prefix}.events", events, "count", own))
        entries.append(entry(f"{prefix}.n", n, "count", own))
        entries += interval_entries(prefix, exact_interval(events, n), own, CI)
        # Missing patients as failures, for the cited studies alone: of others we do not know
        # whether the rest of the enrolled were ever at risk.
        cited = arms[row.study_id] == 1 and not pd.isna(row.seed_reference)
        enrolled = int(row.n_enrolled) if cited and not pd.isna(row.n_enrolled) else 0
        if row.pool_outcome and row.denominator == "evaluable" and enrolled > n:
            entries.append(entry(f"{prefix}.enrolled", enrolled, "count", own))
            rate = events / enrolled
            entries.append(entry(f"{prefix}.estimate_all_enrolled", rate, "percent", own))
    return entries


def flow_entries(chosen: Selection) -> list[Entry]:
    """The boxes of the flow diagram: what each reason leaves out, and what remains after it."""
    entries = []
    study_fates = pd.Series(chosen.study_fates)
    for noun, fates in (("rows", chosen.rows["fate"]), ("studies", study_fates)):
        counts = fates.value_counts()
        remaining = len(fates)
        entries.append(entry(f"flow.{noun}.total", remaining, "count"))
        for fate in selection.FATE_LABELS:
            count = int(counts.get(fate, 0))
            entries.append(entry(f"flow.{noun}.{fate}", count, "count"))
            if fate != selection.POOLED:
                remaining -= count
                entries.append(entry(f"flow.{noun}.after.{fate}", remaining, "count"))
    excluded = chosen.rows.loc[chosen.rows["fate"].eq("excluded"), "exclusion"]
    for code, count in excluded.value_counts().sort_index().items():
        entries.append(entry(f"flow.rows.excluded.{code}", int(count), "count"))
    return entries


def evidence_entries(
    chosen: Selection, studies: pd.DataFrame, pools: dict[str, Pool]
) -> list[Entry]:
    """Counts that describe the evidence as a whole."""
    rows = chosen.rows
    entries = [
        entry("evidence.studies", len(studies), "count"),
        entry("evidence.rows", len(rows), "count"),
        entry("evidence.therapies", int(rows["therapy"].nunique()), "count"),
        entry("evidence.cited_studies", int(studies["seed_reference"].notna().sum()), "count"),
        entry(
            "evidence.unverified_citations",
            int(studies["citation_verified"].eq("no").sum()),
            "count",
        ),
    ]
    for column, frame in (
        ("design", studies),
        ("line", studies),
        ("population", studies),
        ("itp_type", studies),
        ("second_extraction", rows),
        ("count_basis", rows),
        ("denominator", rows),
        ("source_kind", rows),
    ):
        for value, count in frame[column].value_counts().sort_index().items():
            entries.append(entry(f"evidence.{column}.{value}", int(count), "count"))
    for outcome in selection.OUTCOMES:
        states = [
            pools[prefix].state
            for prefix, members in chosen.members.items()
            if members.basis == "pool" and members.outcome == outcome
        ]
        for state in State:
            entries.append(entry(f"evidence.pools.{outcome}.{state}", states.count(state), "count"))
    late = [
        study
        for members in chosen.members.values()
        if members.basis == "pool"
        for study in members.late_studies
    ]
    late_rows = [address for study in late for address in study.rows]
    entries.append(entry("evidence.late_visits", len(late), "count", late_rows))
    return entries
