"""Ledger values worked out again from data/ and compared.

Recomputed: the rows of data/ (study.) and every pool (pool., class., cited., second_line.,
rescue.). The families in NOT_RECOMPUTED are counted, so that the closing line can say how much
was taken on trust.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import logit

from checks import statistics
from checks.faults import Fault
from checks.ledger import REBUILD, Number
from checks.mixed_model import MixedModel
from checks.rows import LINES, Data, Entry, select

NOT_RECOMPUTED = {"flow", "evidence", "const"}
_COMPLETE = {"pool", "class"}  # these list every therapy or class, even one without studies
_POOLED = {*_COMPLETE, "cited", *LINES}
_STATES = {0: "none", 1: "single_study", 2: "two_studies"}

# PyMARE stops close to the REML root that is exact here. On 8,000 random pools its tau2 was within
# 5.4e-7 (1 + tau2), which moved estimates by 4e-8, limits by 1.5e-7 and I2 by 4.4e-7 at most.
FRACTION = 1e-6  # absolute, on the fraction scale
TAU2 = 1e-6  # times 1 + the value
# For the mixed model two ways of integrating and searching meet; a tenth of a printed digit.
GLMM = 1e-4
GLMM_LOG_LIKELIHOOD = 1e-4
GLMM_STATS = ("glmm_estimate", "glmm_ci_low", "glmm_ci_high", "glmm_tau2")


@dataclass(frozen=True)
class Expected:
    """What data/ gives for one key; tolerance is absolute, rows are addresses.

    Rows must be there, rows_too may be: a weight is a study's, but all of its pool went into it.
    """

    value: float | str
    unit: str
    tolerance: float = 0.0
    rows: frozenset[str] = frozenset()
    rows_too: frozenset[str] = frozenset()


@dataclass
class Comparison:
    """Faults found, ledger keys that were worked out again, and those that were not."""

    faults: list[Fault] = field(default_factory=list)
    recomputed: set[str] = field(default_factory=set)
    not_recomputed: set[str] = field(default_factory=set)


def compare(numbers: Mapping[str, Number], data: Data, book: Path) -> Comparison:
    """Compare the ledger and the book's pools.csv with what data/ gives."""
    result = Comparison()
    # A ledger without any number of one line of therapy has no such pools, in pools.csv neither.
    families = {key.split(".", 1)[0] for key in numbers} | _COMPLETE | {"cited"}
    pools = {p: entries for p, entries in select(data).items() if p.split(".")[0] in families}
    required, allowed = _pool_values(pools), _row_values(data)
    expected = {**required, **allowed}
    result.faults.extend(_missing(numbers, required, pools))
    for key, number in numbers.items():
        family = key.split(".", 1)[0]
        prefix, _, stat = key.rpartition(".")
        if key in expected:
            result.recomputed.add(key)
            result.faults.extend(_differences(number, expected[key]))
        elif stat in GLMM_STATS and len(pools.get(prefix, ())) >= 2:
            continue
        elif family in NOT_RECOMPUTED:
            result.not_recomputed.add(key)
        else:
            result.faults.append(_unknown(key, family))
    for prefix, entries in pools.items():
        if len(entries) >= 2:
            found = {s: numbers[k] for s in GLMM_STATS if (k := f"{prefix}.{s}") in numbers}
            result.recomputed.update(number.key for number in found.values())
            result.faults.extend(_mixed_model(prefix, entries, found))
    result.faults.extend(_pools_csv(book / "data" / "pools.csv", pools))
    return result


def _unknown(key: str, family: str) -> Fault:
    if family in _POOLED:
        wanted = "only the statistics that its k studies in data/ allow"
    elif family == "study":
        wanted = "study.STUDY.ARM.OUTCOME.MONTHS.STAT of a row and a cell that data/ has"
    else:
        families = ", ".join(sorted(_POOLED | NOT_RECOMPUTED | {"study"}))
        wanted = f"a family that the checks know ({families})"
    return Fault(
        f"numbers.json {key}", "a key that data/ does not give", wanted,
        "remove it, or teach checks/recompute.py to work it out",
    )  # fmt: skip


def _row_values(data: Data) -> dict[str, Expected]:
    """Every number that a row of outcomes.csv may show."""
    values: dict[str, Expected] = {}
    for row in data.rows:
        own = frozenset({row.address})
        cells = {
            "events": (row.events, "count"),
            "n": (row.n, "count"),
            "reported_percent": (row.reported_percent, "printed_percent"),
            "months": (row.months, "months"),
            "platelet_threshold": (row.threshold, "platelets"),
        }
        for stat, (cell, unit) in cells.items():
            if cell is not None:
                values[f"{row.key}.{stat}"] = Expected(float(cell), unit, rows=own)
        if row.events is not None and row.n is not None:
            values.update(_proportion(row.key, row.events, row.n, own))
            enrolled = data.studies[row.study_id].enrolled
            if enrolled:
                # The rate if every enrolled patient who was not evaluated had failed.
                share = row.events / enrolled
                values[f"{row.key}.enrolled"] = Expected(enrolled, "count", rows=own)
                values[f"{row.key}.estimate_all_enrolled"] = Expected(
                    share, "percent", FRACTION, own
                )
    return values


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
        values[f"{prefix}.state"] = Expected(_STATES.get(k, "pooled"), "state", rows=rows)
        for stat, count in (("k", k), ("events", events), ("n", n)):
            values[f"{prefix}.{stat}"] = Expected(count, "count", rows=rows)
        for entry in entries:
            study = f"{prefix}.study.{entry.study_id}"
            values[f"{study}.events"] = Expected(entry.events, "count", rows=entry.rows)
            values[f"{study}.n"] = Expected(entry.n, "count", rows=entry.rows)
            values.update(_proportion(study, entry.events, entry.n, entry.rows))
        if k == 1:
            values.update(_proportion(prefix, events, n, rows))
        elif k >= 2:
            values.update(_pooled(prefix, entries, rows))
    return values


def _pooled(prefix: str, entries: Sequence[Entry], rows: frozenset[str]) -> dict[str, Expected]:
    pooled = statistics.pool(*_arrays(entries))
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


def _arrays(entries: Sequence[Entry]) -> tuple[statistics.Floats, statistics.Floats]:
    return (
        np.array([entry.events for entry in entries], dtype=float),
        np.array([entry.n for entry in entries], dtype=float),
    )


def _missing(
    numbers: Mapping[str, Number],
    required: Mapping[str, Expected],
    pools: Mapping[str, Sequence[Entry]],
) -> list[Fault]:
    """Pool keys that are not in the ledger.

    A therapy without studies need not be listed in families other than pool. and class., but not
    by halves.
    """
    silent = {
        prefix
        for prefix, entries in pools.items()
        if not entries
        and prefix.split(".")[0] not in _COMPLETE
        and not any(f"{prefix}.{stat}" in numbers for stat in ("state", "k", "events", "n"))
    }
    return [
        Fault(f"numbers.json {key}", "no such key", f"{expected.value} from data/", REBUILD)
        for key, expected in required.items()
        if key not in numbers and key.rpartition(".")[0] not in silent
    ]


def _differences(number: Number, expected: Expected) -> list[Fault]:
    place = f"numbers.json {number.key}"
    faults = []
    if not _agree(number.value, expected.value, expected.tolerance):
        faults.append(
            Fault(place, f"value {number.value!r}", f"{expected.value!r} from data/", REBUILD)
        )
    if number.unit != expected.unit:
        faults.append(Fault(place, f"unit {number.unit}", expected.unit, REBUILD))
    rows = set(number.rows)
    foreign, absent = rows - expected.rows - expected.rows_too, expected.rows - rows
    if foreign or absent or len(rows) < len(number.rows):
        faults.append(
            Fault(
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
    """Refit the mixed model where the ledger has one; whether it is estimable is not judged."""
    if not found:
        return []
    absent = [stat for stat in GLMM_STATS if stat not in found]
    if absent:
        return [
            Fault(f"numbers.json {prefix}.{stat}", "no such key", "all four glmm_ or none", REBUILD)
            for stat in absent
        ]
    model = MixedModel(*_arrays(entries))
    fit = model.fit()
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
    reached = model.log_likelihood(float(logit(estimate)), float(np.sqrt(tau2)))
    if reached < fit.log_likelihood - GLMM_LOG_LIKELIHOOD:
        faults.append(
            Fault(
                f"numbers.json {prefix}.glmm_*",
                f"log likelihood {reached:.6f} at the printed estimate and tau2",
                f"at least {fit.log_likelihood:.6f}",
                "the fit stopped short of its maximum: mend analysis/glmm.py",
            )
        )
    return faults


def _pools_csv(path: Path, pools: Mapping[str, Sequence[Entry]]) -> list[Fault]:
    """Compare the book's pools.csv, in any order of lines, with the rows that make each pool."""
    place = "data/pools.csv"
    header = ["pool", "study_id", "events", "n"]
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            lines = list(csv.reader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return [Fault(place, str(error), f"a CSV file with {','.join(header)}", REBUILD)]
    if not lines or lines[0] != header:
        found = ",".join(lines[0]) if lines else "an empty file"
        return [Fault(place, found, ",".join(header), REBUILD)]
    wanted = {
        (prefix, entry.study_id, str(entry.events), str(entry.n))
        for prefix, entries in pools.items()
        for entry in entries
    }
    faults = []
    seen: set[tuple[str, ...]] = set()
    for number, cells in enumerate(map(tuple, lines[1:]), start=2):
        if cells in seen or cells not in wanted:
            again = " a second time" if cells in seen else ""
            expected = _line_for(cells, wanted)
            faults.append(
                Fault(f"{place} line {number}", ",".join(cells) + again, expected, REBUILD)
            )
        seen.add(cells)
    shown = {cells[:2] for cells in seen}
    faults += [
        Fault(place, f"no line for {cells[1]} in {cells[0]}", ",".join(cells), REBUILD)
        for cells in sorted(wanted)
        if cells[:2] not in shown
    ]
    return faults


def _line_for(cells: tuple[str, ...], wanted: Iterable[tuple[str, ...]]) -> str:
    """What data/ gives for the pool and study of a line."""
    right = [",".join(w) for w in wanted if w[:2] == cells[:2]]
    return right[0] if right else "no such study in this pool"
