"""Which rows of data/ enter which pool: the written selection rules, applied in plain Python.

A second road beside the one that built the book, so it shares nothing with it but the CSV files
and the rules of the methods chapter.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from checks.faults import UnreadableError

POOL_OUTCOMES = (
    "overall_response",
    "complete_response",
    "durable_response_on",
    "durable_response_off",
)
_COLUMNS = {
    "studies.csv": (
        "study_id", "year", "population", "itp_type", "line", "n_enrolled", "seed_reference",
        "overlaps_with",
    ),
    "outcomes.csv": (
        "study_id", "arm", "therapy", "outcome", "months", "months_basis", "window",
        "platelet_threshold", "treatment_status", "events", "n", "reported_percent",
        "confidence", "exclusion",
    ),
    "therapies.csv": ("therapy", "drug_class"),
}  # fmt: skip
LINES = ("second_line", "rescue")
_LABEL_CLASSES = {"combination", "control"}
_LAST = Decimal("Infinity")  # blanks sort behind every number


@dataclass(frozen=True)
class Study:
    """What the rules ask about a study; overlaps are the ids it shares patients with."""

    study_id: str
    year: int
    line: str
    enrolled: int | None
    may_pool: bool
    cited: bool
    overlaps: frozenset[str]


@dataclass(frozen=True)
class Row:
    """One line of outcomes.csv; months in months, threshold in 10^9/L, None where blank."""

    line: int
    study_id: str
    arm: str
    therapy: str
    outcome: str
    months: Decimal | None
    window: str
    threshold: Decimal | None
    measure: tuple[Decimal | None, str, str, Decimal | None]
    events: int | None
    n: int | None
    reported_percent: Decimal | None
    eligible: bool
    address: str

    @property
    def key(self) -> str:
        """Return the ledger key of this row, up to the statistic."""
        return "study." + self.address.replace("/", ".")


@dataclass(frozen=True)
class Entry:
    """One study's contribution to one pool."""

    study_id: str
    events: int
    n: int
    rows: frozenset[str]


@dataclass(frozen=True)
class Data:
    """The evidence as the rules see it."""

    studies: dict[str, Study]
    rows: list[Row]
    therapies: dict[str, str]


def read(folder: Path) -> Data:
    """Read the three CSV files of the evidence; UnreadableError names the file, line and cell."""
    studies = {}
    for line, cells in _table(folder / "studies.csv"):
        place = f"{folder / 'studies.csv'} line {line}"
        studies[cells["study_id"]] = Study(
            study_id=cells["study_id"],
            year=_integer(cells["year"], f"{place}, year") or 0,
            line=cells["line"],
            enrolled=_integer(cells["n_enrolled"], f"{place}, n_enrolled"),
            may_pool=cells["population"] in {"adult", "mixed"}
            and cells["itp_type"] in {"primary", "mixed"},
            cited=cells["seed_reference"] != "",
            overlaps=frozenset(filter(None, re.split(r"[;\s]+", cells["overlaps_with"]))),
        )
    therapies = {
        cells["therapy"]: cells["drug_class"] for _, cells in _table(folder / "therapies.csv")
    }
    return Data(studies, _rows(folder / "outcomes.csv", studies, therapies), therapies)


def _table(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    """Yield line number and stripped cells of each record; the columns used must be there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, restval="")
            missing = [c for c in _COLUMNS[path.name] if c not in (reader.fieldnames or ())]
            if missing:
                raise UnreadableError(
                    f"{path}: found no column {', '.join(missing)}; expected the columns of "
                    "data/datapackage.json; restore the header"
                )
            for cells in reader:
                yield reader.line_num, {c: (cells[c] or "").strip() for c in _COLUMNS[path.name]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(
            f"{path}: found {error}; expected a CSV file in UTF-8; give --data the folder that "
            "the book was built from"
        ) from None


def _number(cell: str, place: str) -> Decimal | None:
    if not cell:
        return None
    try:
        number = Decimal(cell)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UnreadableError(
            f"{place}: found {cell!r}; expected a number or a blank; correct the cell"
        )
    return number


def _integer(cell: str, place: str) -> int | None:
    number = _number(cell, place)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise UnreadableError(
            f"{place}: found {cell!r}; expected a whole number or a blank; correct the cell"
        )
    return int(number)


def _rows(path: Path, studies: Mapping[str, Study], therapies: Mapping[str, str]) -> list[Row]:
    rows: list[Row] = []
    taken: set[str] = set()
    for line, cells in _table(path):
        place = f"{path} line {line}"
        for column, known in (("study_id", studies), ("therapy", therapies)):
            if cells[column] not in known:
                raise UnreadableError(
                    f"{place}, {column}: found {cells[column]!r}; expected one that its own "
                    "table has; correct the cell or add the missing line"
                )
        address = _address(cells, taken)
        if address in taken:
            raise UnreadableError(
                f"{place}: found a second row {address}; expected rows that differ in arm, "
                "outcome, months, window or threshold; remove or distinguish one"
            )
        taken.add(address)
        months = _number(cells["months"], f"{place}, months")
        threshold = _number(cells["platelet_threshold"], f"{place}, platelet_threshold")
        events = _integer(cells["events"], f"{place}, events")
        n = _integer(cells["n"], f"{place}, n")
        if events is not None and n is not None and not (0 <= events <= n and n > 0):
            raise UnreadableError(
                f"{place}: found {events} events of {n}; expected 0 <= events <= n and n > 0; "
                "correct the counts"
            )
        outcome = _outcome(cells)
        rows.append(
            Row(
                line=line,
                study_id=cells["study_id"],
                arm=cells["arm"],
                therapy=cells["therapy"],
                outcome=outcome,
                months=months,
                window=cells["window"],
                threshold=threshold,
                measure=(months, cells["months_basis"], cells["window"], threshold),
                events=events,
                n=n,
                reported_percent=_number(cells["reported_percent"], f"{place}, reported_percent"),
                eligible=studies[cells["study_id"]].may_pool
                and not cells["exclusion"]
                and cells["confidence"] != "low"
                and events is not None
                and n is not None
                and outcome in POOL_OUTCOMES,
                address=address,
            )
        )
    return rows


def _outcome(cells: Mapping[str, str]) -> str:
    """Outcome as in the file, durable responses split by treatment status."""
    if cells["outcome"] == "durable_response" and cells["treatment_status"] in {"on", "off"}:
        return f"durable_response_{cells['treatment_status']}"
    return cells["outcome"]


def _address(cells: Mapping[str, str], taken: set[str]) -> str:
    """STUDY/ARM/OUTCOME/MONTHS; a later row of the same address adds ~WINDOW~THRESHOLD."""
    months = cells["months"] or "any"
    plain = f"{cells['study_id']}/{cells['arm']}/{_outcome(cells)}/{months}"
    if plain not in taken:
        return plain
    return f"{plain}~{cells['window']}~{cells['platelet_threshold'] or 'unstated'}"


def select(data: Data) -> dict[str, list[Entry]]:
    """Return the studies of every pool, by prefix (pool.THERAPY.OUTCOME and so on).

    Besides all evidence (pool.) and drug classes (class.): the cited studies alone (cited.) and
    the studies of one line of therapy alone (second_line., rescue.), by the same rules. Prefixes
    without any eligible study are there too, with an empty list.
    """
    subsets = {
        "pool": data.rows,
        "cited": [row for row in data.rows if data.studies[row.study_id].cited],
        **{
            line: [row for row in data.rows if data.studies[row.study_id].line == line]
            for line in LINES
        },
    }
    classes = sorted(_drug_classes(data.therapies))
    pools: dict[str, list[Entry]] = {}
    for outcome in POOL_OUTCOMES:
        for therapy in data.therapies:
            for family, subset in subsets.items():
                pools[f"{family}.{therapy}.{outcome}"] = _pool(data, subset, {therapy}, outcome)
        for drug_class in classes:
            members = {t for t, c in data.therapies.items() if c == drug_class}
            prefix = f"class.{re.sub('[^a-z0-9]+', '_', drug_class.lower())}.{outcome}"
            pools[prefix] = _pool(data, data.rows, members, outcome)
    return pools


def _drug_classes(therapies: Mapping[str, str]) -> set[str]:
    """Classes of more than one therapy; combination and control name a mode, not a mechanism."""
    names = list(therapies.values())
    return {name for name in names if names.count(name) > 1} - _LABEL_CLASSES


def _pool(data: Data, rows: Iterable[Row], therapies: set[str], outcome: str) -> list[Entry]:
    by_study: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.eligible and row.therapy in therapies and row.outcome == outcome:
            by_study[row.study_id].append(row)
    entries = [_entry(study_id, found, outcome) for study_id, found in by_study.items()]
    return _without_shared_patients(entries, data.studies)


def _entry(study_id: str, rows: Sequence[Row], outcome: str) -> Entry:
    """Add up the arms of the study's best measure."""
    measures: dict[tuple[Decimal | None, str, str, Decimal | None], list[Row]] = defaultdict(list)
    for row in rows:
        measures[row.measure].append(row)
    best = min(measures.values(), key=lambda arms: _preference(arms, outcome))
    return Entry(
        study_id=study_id,
        events=sum(row.events or 0 for row in best),
        n=sum(row.n or 0 for row in best),
        rows=frozenset(row.address for row in best),
    )


def _preference(arms: Sequence[Row], outcome: str) -> tuple[Decimal | int, ...]:
    """Sort key of one measure: the smallest is chosen."""
    first = arms[0]
    threshold = _LAST if first.threshold is None else first.threshold
    tail = (threshold, -sum(row.n or 0 for row in arms), first.line)
    if outcome.startswith("durable_response"):
        longest = _LAST if first.months is None else -first.months
        return (longest, *tail)
    early = first.months is not None and first.months <= 6
    rank = {"at_timepoint": 0 if early else 3, "best_by_timepoint": 1, "any_time": 2}.get(
        first.window, 4
    )
    distance = _LAST if first.months is None else abs(first.months - 3)
    return (rank, distance, *tail)


def _without_shared_patients(entries: list[Entry], studies: Mapping[str, Study]) -> list[Entry]:
    """Keep the fuller of two studies that may share patients, going from the largest down."""
    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (-e.n, -studies[e.study_id].year, e.study_id)):
        linked = studies[entry.study_id].overlaps | {
            other for other, study in studies.items() if entry.study_id in study.overlaps
        }
        if linked.isdisjoint(other.study_id for other in kept):
            kept.append(entry)
    return kept
