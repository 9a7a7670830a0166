"""Ledger values worked out again from data/ and compared: all of them.

The rows of data/ (study.), every pool (pool., class., cited., second_line., rescue. and those
of its visits, background.), what checks/values/ works out, the flow of rows and studies (flow.),
the counts of the evidence (evidence.), the constants (const.) and the last recorded attack on the
check (mutation.).
What is slow to work out is remembered by the counts that went in, so that one changed cell costs
only the pools that it changes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import logit

from checks import constants, counts, statistics, values
from checks.constants import POOL_STUDIES
from checks.expected import FRACTION, GLMM, TAU2, Expected
from checks.faults import Fault
from checks.ledger import REBUILD, Ledger, Number
from checks.mixed_model import MixedModel, fitted
from checks.rows import PARTS_OF_EVIDENCE, Data, Entry, Row, background, select
from checks.statistics import PoolStatistics

_POOLED = {"pool", "class", "cited", "background", *PARTS_OF_EVIDENCE}
_FAMILIES = {
    *_POOLED, *values.FAMILIES, "study", "flow", "evidence", "mutation", constants.FAMILY
}  # fmt: skip

GLMM_LOG_LIKELIHOOD = 1e-4
GLMM_STATS = ("glmm_estimate", "glmm_ci_low", "glmm_ci_high", "glmm_tau2")


@dataclass(frozen=True, eq=False)
class Records:
    """What was measured once and recorded, by name."""

    found: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Faults found, and the ledger keys that were worked out again."""

    faults: tuple[Fault, ...]
    recomputed: frozenset[str]


@lru_cache(maxsize=8)
def compare(ledger: Ledger, data: Data, trials: bytes, records: Records) -> Comparison:
    """Compare the ledger with what data/, the record of the last attack and other records give."""
    numbers = ledger.numbers
    # A therapy without studies in a part of the evidence has no such pool.
    pools = {p: e for p, e in select(data).items() if e or p.split(".")[0] not in PARTS_OF_EVIDENCE}
    pools |= background(data)
    expected = {
        **_pool_values(pools),
        **_row_values(data),
        **_count_values(data),
        **_mutation_values(trials),
        **values.expected(data, records.found),
    }
    faults = [
        Fault("value", f"numbers.json {key}", "no such key", f"{wanted.value} from data/", REBUILD)
        for key, wanted in expected.items()
        if key not in numbers and not wanted.optional
    ]
    recomputed = set()
    for key, number in numbers.items():
        prefix, _, stat = key.rpartition(".")
        if number.source and key.split(".", 1)[0] != constants.FAMILY:
            faults.append(
                Fault("value", f"numbers.json {key}", f'source "{number.source}"',
                      "none: only a constant has a source of its own", REBUILD)
            )  # fmt: skip
        if key in expected:
            recomputed.add(key)
            faults += _differences(number, expected[key])
        elif key.split(".", 1)[0] == constants.FAMILY or (
            stat in GLMM_STATS and len(pools.get(prefix, ())) >= POOL_STUDIES
        ):
            recomputed.add(key)  # compared below
        else:
            faults.append(_unknown(key))
    for prefix, entries in pools.items():
        if len(entries) >= POOL_STUDIES:
            found = {s: numbers[k] for s in GLMM_STATS if (k := f"{prefix}.{s}") in numbers}
            faults += _mixed_model(prefix, entries, found)
    faults += constants.compare(numbers, data.constants, data.references)
    return Comparison(tuple(faults), frozenset(recomputed))


def _unknown(key: str) -> Fault:
    family = key.split(".", 1)[0]
    if family in _POOLED:
        wanted = "only the statistics that its k studies in data/ allow"
    elif family == "study":
        wanted = "study.STUDY.ARM.OUTCOME.MONTHS.STAT of a row and a cell that data/ has"
    elif family in _FAMILIES:
        wanted = "only the counts that data/ gives"
    else:
        wanted = f"a family that the checks know ({', '.join(sorted(_FAMILIES))})"
    return Fault(
        "value", f"numbers.json {key}", "a key that data/ does not give", wanted,
        "remove it, or teach checks/recompute.py to work it out",
    )  # fmt: skip


def _count_values(data: Data) -> dict[str, Expected]:
    """Every count of the flow and of the evidence."""
    values = {
        key: Expected(count, "count")
        for key, count in {**counts.flow(data), **counts.evidence(data)}.items()
    }
    late = [entry for entries in counts.late_visits(data).values() for entry in entries]
    rows = frozenset[str]().union(*(entry.rows for entry in late))
    return values | {"evidence.late_visits": Expected(len(late), "count", rows=rows)}


def _mutation_values(trials: bytes) -> dict[str, Expected]:
    """What the recorded attack on the check made and noticed, by kind and by rule."""
    record = json.loads(trials)
    kinds, rules = record["kinds"], record["rules"]
    made, killed = (sum(kind[stat] for kind in kinds.values()) for stat in ("made", "killed"))
    found = {"kinds": len(kinds), "made": made, "killed": killed}
    found |= {f"{name}.{stat}": kinds[name][stat] for name in kinds for stat in ("made", "killed")}
    found |= {
        f"rule.{name}.{stat}": rules[name][stat] for name in rules for stat in ("noticed", "alone")
    }
    values = {f"mutation.{name}": Expected(count, "count") for name, count in found.items()}
    return values | {"mutation.rate": Expected(killed / made, "percent", FRACTION)}


def _row_values(data: Data) -> dict[str, Expected]:
    """Every number of every row of outcomes.csv, whether it is pooled or not."""
    values: dict[str, Expected] = {}
    arms = Counter(study_id for study_id, _ in {(row.study_id, row.arm) for row in data.rows})
    for row in data.rows:
        own = frozenset({row.address})
        cells = {
            "events": (row.events, "count"),
            "n": (row.n, "count"),
            "reported_percent": (row.reported_percent, "printed_percent"),
            "months": (row.months, "months"),
            "platelet_threshold": (row.threshold, "platelets"),
        }
        has_counts = row.events is not None and row.n is not None
        for stat, (cell, unit) in cells.items():
            if cell is not None and (has_counts or unit != "count"):
                values[f"{row.key}.{stat}"] = Expected(float(cell), unit, rows=own)
        if row.events is not None and row.n is not None:
            values.update(_proportion(row.key, row.events, row.n, own))
            enrolled = _enrolled(row, data, arms)
            if enrolled > row.n:
                # The rate if every enrolled patient who was not evaluated had failed.
                share = row.events / enrolled
                values[f"{row.key}.enrolled"] = Expected(enrolled, "count", rows=own)
                values[f"{row.key}.estimate_all_enrolled"] = Expected(
                    share, "percent", FRACTION, own
                )
    return values


def _enrolled(row: Row, data: Data, arms: Mapping[str, int]) -> int:
    """Return the enrolled among whom missing patients may be counted as failures, 0 elsewhere.

    Only in cited studies of one arm, for outcomes that are pooled and rates among the evaluable.
    """
    study = data.studies[row.study_id]
    evaluable = row.pool_outcome and row.cells["denominator"] == "evaluable"
    alone = study.cited and arms[row.study_id] == 1
    return (study.enrolled or 0) if evaluable and alone else 0


def _proportion(prefix: str, events: int, n: int, rows: frozenset[str]) -> dict[str, Expected]:
    low, high = statistics.exact_interval(events, n)
    return {
        f"{prefix}.{stat}": Expected(value, "percent", FRACTION, rows)
        for stat, value in (("estimate", events / n), ("ci_low", low), ("ci_high", high))
    }


def _pool_values(pools: Mapping[str, Sequence[Entry]]) -> dict[str, Expected]:
    """Every number that each pool must have; the mixed model's are looked at elsewhere."""
    values: dict[str, Expected] = {}
    for prefix, entries in pools.items():
        k = len(entries)
        rows = frozenset[str]().union(*(entry.rows for entry in entries))
        events, n = sum(entry.events for entry in entries), sum(entry.n for entry in entries)
        values[f"{prefix}.state"] = Expected(counts.state(k), "state", rows=rows)
        for stat, count in (("k", k), ("events", events), ("n", n)):
            values[f"{prefix}.{stat}"] = Expected(count, "count", rows=rows)
        for entry in entries:
            study = f"{prefix}.study.{entry.study_id}"
            values[f"{study}.events"] = Expected(entry.events, "count", rows=entry.rows)
            values[f"{study}.n"] = Expected(entry.n, "count", rows=entry.rows)
            values.update(_proportion(study, entry.events, entry.n, entry.rows))
        if k == 1:
            values.update(_proportion(prefix, events, n, rows))
        elif k >= POOL_STUDIES:
            values.update(_pooled(prefix, entries, rows))
    return values


def _pooled(prefix: str, entries: Sequence[Entry], rows: frozenset[str]) -> dict[str, Expected]:
    pooled = _statistics(_counts(entries))
    stats: dict[str, tuple[float | None, str, float]] = {
        "estimate": (pooled.estimate, "percent", FRACTION),
        "ci_low": (pooled.ci_low, "percent", FRACTION),
        "ci_high": (pooled.ci_high, "percent", FRACTION),
        "pi_low": (pooled.pi_low, "percent", FRACTION),
        "pi_high": (pooled.pi_high, "percent", FRACTION),
        "p_above_50": (pooled.p_above_50, "per_100", FRACTION),
        "tau2": (pooled.tau2, "number", TAU2 * (1 + pooled.tau2)),
        "tau2_low": (pooled.tau2_low, "number", TAU2 * (1 + pooled.tau2_low)),
        "tau2_high": (pooled.tau2_high, "number", TAU2 * (1 + pooled.tau2_high)),
        "i2": (pooled.i2, "percent_whole", FRACTION),
        "q": (pooled.q, "number", TAU2 * (1 + pooled.q)),
    }
    values = {
        f"{prefix}.{stat}": Expected(value, unit, tolerance, rows)
        for stat, (value, unit, tolerance) in stats.items()
        if value is not None
    }
    for entry, weight in zip(entries, pooled.weights, strict=True):
        key = f"{prefix}.study.{entry.study_id}.weight"
        values[key] = Expected(float(weight), "percent", FRACTION, entry.rows, rows)
    return values


Counts = tuple[tuple[int, int], ...]  # events and n of each study


def _counts(entries: Sequence[Entry]) -> Counts:
    return tuple((entry.events, entry.n) for entry in entries)


def _arrays(studies: Counts) -> tuple[statistics.Floats, statistics.Floats]:
    events, n = np.array(studies, dtype=float).T
    return events, n


@lru_cache(maxsize=4096)
def _statistics(studies: Counts) -> PoolStatistics:
    return statistics.pool(*_arrays(studies))


@lru_cache(maxsize=4096)
def _log_likelihood(studies: Counts, mu: float, tau: float) -> float:
    return MixedModel(*_arrays(studies)).log_likelihood(mu, tau)


def _differences(number: Number, expected: Expected) -> list[Fault]:
    place = f"numbers.json {number.key}"
    faults = []
    if not _agree(number.value, expected.value, expected.tolerance):
        wanted = f"{expected.value!r} from data/"
        faults.append(Fault("value", place, f"value {number.value!r}", wanted, REBUILD))
    if number.unit != expected.unit:
        faults.append(Fault("value", place, f"unit {number.unit}", expected.unit, REBUILD))
    rows = set(number.rows)
    foreign, absent = rows - expected.rows - expected.rows_too, expected.rows - rows
    if foreign or absent or len(rows) < len(number.rows):
        faults.append(
            Fault(
                "value",
                place,
                f"{len(number.rows)} rows (not among its rows: {_listed(foreign)})",
                f"{len(expected.rows)} rows (not listed: {_listed(absent)})",
                REBUILD,
            )
        )
    return faults


def _listed(rows: Iterable[str]) -> str:
    return ", ".join(sorted(rows)) or "none"


def _agree(found: float | str, expected: float | str, tolerance: float) -> bool:
    if isinstance(found, str) or isinstance(expected, str):
        return found == expected
    return abs(found - expected) <= tolerance


def _mixed_model(prefix: str, entries: Sequence[Entry], found: Mapping[str, Number]) -> list[Fault]:
    """Refit the mixed model; a ledger without it is at fault where both its limits exist."""
    responders, patients = sum(e.events for e in entries), sum(e.n for e in entries)
    if responders in (0, patients):
        return [_unknown(number.key) for number in found.values()]
    studies = _counts(entries)
    fit = fitted(studies)
    if not found and not FRACTION < fit.ci_low <= fit.ci_high < 1 - FRACTION:
        return []  # so far out, one search finds a limit and another none
    absent = [stat for stat in GLMM_STATS if stat not in found]
    if absent:
        wanted = "all four glmm_ where the model can be estimated"
        return [
            Fault("value", f"numbers.json {prefix}.{stat}", "no such key", wanted, REBUILD)
            for stat in absent
        ]
    rows = frozenset[str]().union(*(entry.rows for entry in entries))
    expected = {
        "glmm_estimate": Expected(fit.estimate, "percent", GLMM, rows),
        "glmm_ci_low": Expected(fit.ci_low, "percent", GLMM, rows),
        "glmm_ci_high": Expected(fit.ci_high, "percent", GLMM, rows),
        "glmm_tau2": Expected(fit.tau2, "number", GLMM * (1 + fit.tau2), rows),
    }
    faults = [f for stat in GLMM_STATS for f in _differences(found[stat], expected[stat])]
    estimate, tau2 = found["glmm_estimate"].value, found["glmm_tau2"].value
    if isinstance(estimate, str) or isinstance(tau2, str) or not 0 < estimate < 1 or tau2 < 0:
        return faults
    reached = _log_likelihood(studies, float(logit(estimate)), float(np.sqrt(tau2)))
    if reached < fit.log_likelihood - GLMM_LOG_LIKELIHOOD:
        faults.append(
            Fault(
                "value",
                f"numbers.json {prefix}.glmm_*",
                f"log likelihood {reached:.6f} at the printed estimate and tau2",
                f"at least {fit.log_likelihood:.6f}",
                "the fit stopped short of its maximum: mend analysis/glmm.py",
            )
        )
    return faults
