"""The ledger: every number the book may print, by key, with its exact value and its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from analysis import proportions, selection, trust
from analysis.evidence import Evidence
from analysis.pooling import EXTREME_RATES, FEW_PATIENTS, HALF, PREDICTION_MIN_K, Pool, State
from analysis.proportions import Interval, exact_interval
from analysis.selection import Members, Selection

STATE_WORDS = {
    State.NONE: "no study",
    State.SINGLE_STUDY: "single study",
    State.TWO_STUDIES: "two studies",
    State.POOLED: "pooled",
}

#: How a value of each unit is printed. Fractions are printed as percentages.
FORMATS: dict[str, Callable[[float], str]] = {
    "percent": lambda value: f"{100 * value:.1f}%",
    "percent_whole": lambda value: f"{100 * value:.0f}%",
    "per_100": lambda value: f"{100 * value:.0f}",
    "printed_percent": lambda value: f"{value:g}%",
    "count": lambda value: f"{value:,}",
    "number": lambda value: f"{value:.2f}",
    "plain": lambda value: f"{value:g}",
    "months": lambda value: f"{value:g}",
    "platelets": lambda value: f"{value:g}",
}


@dataclass(frozen=True)
class Entry:
    """One number: `value` exact, `text` as printed, `rows` what went in, `source` if a constant."""

    key: str
    value: float | int | str
    text: str
    unit: str
    rows: tuple[str, ...] = ()
    source: str = ""


class Ledger:
    """Entries by key. A key is given once; asking for an unknown one names the nearest."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry.key in self._entries:
                raise ValueError(f"ledger key given twice: {entry.key}")
            if isinstance(entry.value, float) and not math.isfinite(entry.value):
                raise ValueError(f"ledger value not finite: {entry.key} = {entry.value}")
            self._entries[entry.key] = entry

    def __getitem__(self, key: str) -> Entry:
        if key not in self._entries:
            from difflib import get_close_matches

            near = get_close_matches(key, self._entries, n=3)
            raise KeyError(f"no number {key!r} in the ledger; nearest: {', '.join(near) or 'none'}")
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def to_json(self) -> str:
        """The list of entries as JSON, one a line so that a change is easy to see."""
        lines = (json.dumps(asdict(entry), ensure_ascii=False) for entry in self)
        return "[\n" + ",\n".join(lines) + "\n]\n"


def entry(
    key: str, value: float | int, unit: str, rows: Iterable[str] = (), source: str = ""
) -> Entry:
    """An entry whose text follows from its unit."""
    return Entry(key, value, FORMATS[unit](value), unit, tuple(rows), source)


#: From this number of studies on there is a pool (pooling.State has a state for fewer).
POOL_MIN_K = 2

METHODS = "this book's choice, see the methods chapter"
#: The choices of this book; constants of published sources are in data/constants.csv.
CHOICES = (
    entry("const.level", proportions.LEVEL, "percent_whole", source=METHODS),
    entry("const.correction", proportions.CORRECTION, "plain", source=METHODS),
    entry("const.early_months", selection.EARLY_MONTHS, "months", source=METHODS),
    entry("const.target_months", selection.TARGET_MONTHS, "months", source=METHODS),
    entry("const.pool_studies", POOL_MIN_K, "count", source=METHODS),
    entry("const.prediction_studies", PREDICTION_MIN_K, "count", source=METHODS),
    entry("const.half", HALF, "percent_whole", source=METHODS),
    entry("const.per_100_centres", 1.0, "per_100", source="scale of the sentence"),
    entry("const.rate_floor", 0, "plain", source="lowest value of a rate"),
    entry("const.rate_ceiling", 1, "plain", source="highest value of a rate"),
    entry("const.few_patients", FEW_PATIENTS, "count", source=METHODS),
    entry("const.extreme_low", EXTREME_RATES[0], "percent_whole", source=METHODS),
    entry("const.extreme_high", EXTREME_RATES[1], "percent_whole", source=METHODS),
    entry("const.trust_patients", trust.FEW_PATIENTS, "count", source=METHODS),
    entry("const.trust_ci_points", trust.WIDE_INTERVAL, "per_100", source=METHODS),
    entry("const.trust_pi_points", trust.WIDE_PREDICTION, "per_100", source=METHODS),
    entry("const.trust_retrospective", trust.MOSTLY, "percent_whole", source=METHODS),
)


def build(
    evidence: Evidence, chosen: Selection, pools: dict[str, Pool], trials: dict[str, Any]
) -> Ledger:
    """The whole ledger from the evidence, the selection and the pools (by prefix).

    `trials` is the last recorded attack on the check, as checks/mutations.json has it.
    """
    entries = [*CHOICES, *_constant_entries(evidence.constants)]
    entries += _row_entries(chosen.rows)
    for prefix, members in chosen.members.items():
        # An empty pool is a finding for a therapy, but not for every line of every therapy.
        if members.studies or members.basis not in selection.LINES:
            entries += _pool_entries(members, pools[prefix])
    entries += _flow_entries(chosen)
    entries += _evidence_entries(chosen, evidence.studies, pools)
    entries += _mutation_entries(trials["kinds"], trials["rules"])
    return Ledger(entries)


def _constant_entries(constants: pd.DataFrame) -> list[Entry]:
    """The constants of published sources, each with its source."""
    return [
        entry(
            f"const.{row.constant}",
            int(row.value) if row.unit == "count" else float(row.value),
            row.unit,
            source=row.source,
        )
        for row in constants.itertuples()
    ]


def _interval_entries(
    prefix: str, interval: Interval, rows: tuple[str, ...], stats: tuple[str, str, str]
) -> list[Entry]:
    return [
        entry(f"{prefix}.{stat}", value, "percent", rows)
        for stat, value in zip(stats, interval, strict=True)
        if stat
    ]


CI = ("ci_low", "estimate", "ci_high")


def row_prefix(address: str) -> str:
    """Key prefix of the numbers of one row of the evidence."""
    return "study." + address.replace("/", ".")


def _row_entries(rows: pd.DataFrame) -> list[Entry]:
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
        entries += _interval_entries(prefix, exact_interval(events, n), own, CI)
        # Missing patients as failures, for the cited studies alone: of others we do not know
        # whether the rest of the enrolled were ever at risk.
        cited = arms[row.study_id] == 1 and not pd.isna(row.seed_reference)
        enrolled = int(row.n_enrolled) if cited and not pd.isna(row.n_enrolled) else 0
        if row.pool_outcome and row.denominator == "evaluable" and enrolled > n:
            entries.append(entry(f"{prefix}.enrolled", enrolled, "count", own))
            rate = events / enrolled
            entries.append(entry(f"{prefix}.estimate_all_enrolled", rate, "percent", own))
    return entries


def _pool_entries(members: Members, pool: Pool) -> list[Entry]:
    """Numbers of one pool and of its studies; keys exist only where the state allows them."""
    prefix, rows = members.prefix, members.rows
    entries = [
        Entry(f"{prefix}.state", pool.state.value, STATE_WORDS[pool.state], "state", rows),
        entry(f"{prefix}.k", pool.k, "count", rows),
        entry(f"{prefix}.events", pool.events, "count", rows),
        entry(f"{prefix}.n", pool.n, "count", rows),
    ]
    if pool.summary:
        entries += _interval_entries(prefix, pool.summary, rows, CI)
    if pool.prediction:
        entries += _interval_entries(prefix, pool.prediction, rows, ("pi_low", "", "pi_high"))
    if pool.p_above_half is not None:
        entries.append(entry(f"{prefix}.p_above_50", pool.p_above_half, "per_100", rows))
    if pool.heterogeneity:
        spread = pool.heterogeneity
        for stat in ("tau2", "tau2_low", "tau2_high", "q"):
            entries.append(entry(f"{prefix}.{stat}", getattr(spread, stat), "number", rows))
        entries.append(entry(f"{prefix}.i2", spread.i2, "percent_whole", rows))
    if pool.glmm and pool.glmm.summary:
        names = ("glmm_ci_low", "glmm_estimate", "glmm_ci_high")
        entries += _interval_entries(prefix, pool.glmm.summary, rows, names)
        entries.append(entry(f"{prefix}.glmm_tau2", pool.glmm.tau2 or 0.0, "number", rows))
    for place, study in enumerate(members.studies):
        of_study = f"{prefix}.study.{study.study_id}"
        entries.append(entry(f"{of_study}.events", study.events, "count", study.rows))
        entries.append(entry(f"{of_study}.n", study.n, "count", study.rows))
        exact = exact_interval(study.events, study.n)
        entries += _interval_entries(of_study, exact, study.rows, CI)
        if pool.weights:
            entries.append(entry(f"{of_study}.weight", pool.weights[place], "percent", rows))
    return entries


def _flow_entries(chosen: Selection) -> list[Entry]:
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


def _evidence_entries(
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


def _mutation_entries(
    kinds: dict[str, dict[str, Any]], rules: dict[str, dict[str, Any]]
) -> list[Entry]:
    """Changes of each kind that the attack on the check made, and what each rule noticed."""
    made, killed = (sum(kind[stat] for kind in kinds.values()) for stat in ("made", "killed"))
    return [
        entry("mutation.kinds", len(kinds), "count"),
        entry("mutation.made", made, "count"),
        entry("mutation.killed", killed, "count"),
        entry("mutation.rate", killed / made, "percent"),
        *(
            entry(f"mutation.{name}.{stat}", kind[stat], "count")
            for name, kind in kinds.items()
            for stat in ("made", "killed")
        ),
        *(
            entry(f"mutation.rule.{name}.{stat}", rule[stat], "count")
            for name, rule in rules.items()
            for stat in ("noticed", "alone")
        ),
    ]
