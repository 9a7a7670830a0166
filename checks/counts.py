"""What became of every row and study, and the counts that describe the evidence.

A row leaves once, by the first reason that holds; a study's place is the furthest that any of its
rows came. All of it refers to the therapies' pools of all evidence (pool.).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from checks.ledger import STATE_WORDS
from checks.rows import POOL_OUTCOMES, Data, Entry, Row, candidates, is_early, select

POOLED = "pooled"
_NO_ROWS = "no_outcome_rows"
#: What may become of a row or a study, from the start of the way to a pool to its end.
FATES = (
    _NO_ROWS,
    "outcome_not_pooled",
    "population_child",
    "itp_secondary",
    "excluded",
    "no_denominator",
    "low_confidence",
    "other_row_preferred",
    "shared_patients",
    POOLED,
)
_STUDY_COLUMNS = ("design", "line", "population", "itp_type")
_ROW_COLUMNS = ("second_extraction", "count_basis", "denominator", "source_kind")
_STATES = tuple(STATE_WORDS)


def state(studies: int) -> str:
    """Return what a pool of so many studies is."""
    return _STATES[min(studies, len(_STATES) - 1)]


@lru_cache(maxsize=4)
def fates(data: Data) -> Mapping[str, str]:
    """Return what became of each row, by address."""
    chosen, pooled = (
        {a for entries in _therapy_pools(pools).values() for entry in entries for a in entry.rows}
        for pools in (candidates(data), select(data))
    )

    def fate(address: str, reason: str) -> str:
        if reason:
            return reason
        if address in pooled:
            return POOLED
        return "shared_patients" if address in chosen else "other_row_preferred"

    return {row.address: fate(row.address, row.reason) for row in data.rows}


def flow(data: Data) -> dict[str, int]:
    """Return the counts of the flow diagram by ledger key."""
    of_row = fates(data)
    furthest = dict.fromkeys(data.studies, 0)
    for row in data.rows:
        furthest[row.study_id] = max(furthest[row.study_id], FATES.index(of_row[row.address]))
    counts: dict[str, int] = {}
    for noun, places in (
        ("rows", Counter(of_row.values())),
        ("studies", Counter(FATES[place] for place in furthest.values())),
    ):
        counts[f"flow.{noun}.total"] = left = sum(places.values())
        for place in FATES:
            counts[f"flow.{noun}.{place}"] = places[place]
            if place != POOLED:
                left -= places[place]
                counts[f"flow.{noun}.after.{place}"] = left
    codes = (row.cells["exclusion"] for row in data.rows if of_row[row.address] == "excluded")
    return counts | {f"flow.rows.excluded.{code}": n for code, n in Counter(codes).items()}


def evidence(data: Data) -> dict[str, int]:
    """Return the counts of studies, rows and pools by ledger key."""
    studies = [study.cells for study in data.studies.values()]
    counts = {
        "studies": len(studies),
        "rows": len(data.rows),
        "therapies": len({row.therapy for row in data.rows}),
        "cited_studies": sum(study.cited for study in data.studies.values()),
        "unverified_citations": sum(cells["citation_verified"] == "no" for cells in studies),
    }
    rows = [row.cells for row in data.rows]
    for columns, lines in ((_STUDY_COLUMNS, studies), (_ROW_COLUMNS, rows)):
        for column in columns:
            found = Counter(cells[column] for cells in lines)
            counts |= {f"{column}.{code}": n for code, n in found.items()}
    pools = select(data)
    for outcome in POOL_OUTCOMES:
        states = Counter(state(len(pools[f"pool.{t}.{outcome}"])) for t in data.therapies)
        counts |= {f"pools.{outcome}.{name}": states[name] for name in _STATES}
    return {f"evidence.{name}": count for name, count in counts.items()}


@lru_cache(maxsize=4)
def late_entries(data: Data) -> Mapping[str, tuple[Row, ...]]:
    """Return by pool the first row of each study that enters it from a late visit, by year."""
    by_address = {row.address: row for row in data.rows}
    firsts = {
        prefix: [min((by_address[a] for a in e.rows), key=lambda row: row.line) for e in entries]
        for prefix, entries in late_visits(data).items()
    }

    def year_and_name(row: Row) -> tuple[int, str, int]:
        study = data.studies[row.study_id]
        return study.year, study.first_author, list(data.studies).index(row.study_id)

    return {prefix: tuple(sorted(rows, key=year_and_name)) for prefix, rows in firsts.items()}


def late_visits(data: Data) -> dict[str, list[Entry]]:
    """Return by pool what enters overall or complete response after the early months."""
    return {
        prefix: late
        for prefix, entries in _therapy_pools(select(data)).items()
        if prefix.endswith((".overall_response", ".complete_response"))
        and (late := [e for e in entries if e.window == "at_timepoint" and not is_early(e.months)])
    }


def _therapy_pools(pools: Mapping[str, tuple[Entry, ...]]) -> dict[str, tuple[Entry, ...]]:
    return {prefix: entries for prefix, entries in pools.items() if prefix.startswith("pool.")}
