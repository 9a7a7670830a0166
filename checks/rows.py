"""Which rows of data/ enter which pool: the written selection rules, applied in plain Python.

A second road beside the one that built the book, so it shares nothing with it but the CSV files
and the rules of the methods chapter.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from checks.constants import EARLY_MONTHS, TARGET_MONTHS, VISIT_TOLERANCE, VISITS, Constant
from checks.faults import UnreadableError

POOL_OUTCOMES = (
    "overall_response",
    "complete_response",
    "durable_response_on",
    "durable_response_off",
)
_COLUMNS = {
    "studies.csv": (
        "study_id", "first_author", "year", "design", "population", "itp_type", "line",
        "n_enrolled", "seed_reference", "overlaps_with", "citation_verified",
    ),
    "outcomes.csv": (
        "study_id", "arm", "therapy", "outcome", "months", "months_basis", "window",
        "platelet_threshold", "treatment_status", "events", "n", "reported_percent",
        "count_basis", "denominator", "source_kind", "source_locator", "confidence",
        "second_extraction", "exclusion", "definition",
    ),
    "therapies.csv": ("therapy", "label", "drug_class", "mode"),
    "constants.csv": ("constant", "value", "unit", "source"),
    "published_pools.csv": (
        "source", "year", "doi", "pmid", "therapy", "population", "outcome", "definition", "k", "n",
        "estimate_percent", "ci_low", "ci_high", "method_note",
    ),
}  # fmt: skip
LINES = ("second_line", "rescue")
PLACEBO = "placebo"
#: Bases on which a therapy without a study has no pool.
PARTS_OF_EVIDENCE = (*LINES, *VISITS)
_LABEL_CLASSES = {"combination", "control"}
_LAST = Decimal("Infinity")  # blanks sort behind every number


_BIB_KEY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,{}=]+)\s*,", re.MULTILINE)

Measure = tuple[Decimal | None, str, str, Decimal | None]


@dataclass(frozen=True, eq=False)
class Study:
    """What the rules ask about a study; overlaps are the ids it shares patients with.

    Overlaps hold both ways, whichever of the two studies states them; cells are the columns as
    they stand in the file.
    """

    study_id: str
    first_author: str
    year: int
    line: str
    enrolled: int | None
    cited: bool
    overlaps: frozenset[str]
    cells: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Row:
    """One line of outcomes.csv; months in months, threshold in 10^9/L, None where blank.

    reason: the first rule that keeps the row out of every pool, blank where none does.
    """

    line: int
    study_id: str
    arm: str
    therapy: str
    outcome: str
    months: Decimal | None
    window: str
    threshold: Decimal | None
    measure: Measure
    events: int | None
    n: int | None
    reported_percent: Decimal | None
    reason: str
    address: str
    cells: Mapping[str, str]

    @property
    def key(self) -> str:
        """Return the ledger key of this row, up to the statistic."""
        return "study." + self.address.replace("/", ".")

    @property
    def pool_outcome(self) -> str:
        """Return the outcome under which the row could be pooled, blank where there is none."""
        return self.outcome if self.outcome in POOL_OUTCOMES else ""


@dataclass(frozen=True)
class Rules:
    """What is asked of a row before it enters a pool; by default what this book asks.

    designs, lines and threshold admit everything where they are None. trials_first: of studies that
    share patients a randomised trial is kept before another trial, that before all others.
    """

    populations: frozenset[str] = frozenset({"adult", "mixed"})
    types: frozenset[str] = frozenset({"primary", "mixed"})
    uncertain: bool = False
    designs: frozenset[str] | None = None
    lines: frozenset[str] | None = None
    threshold: Decimal | None = None
    trials_first: bool = False

    def admit(self, row: Row, study: Study) -> bool:
        """Whether a row may enter a pool."""
        return (
            not _reason(row.cells, study.cells, row.outcome, self)
            and (self.designs is None or study.cells["design"] in self.designs)
            and (self.lines is None or study.line in self.lines)
            and (self.threshold is None or row.threshold == self.threshold)
        )


BOOK = Rules()
_TRIALS = ("rct", "single_arm_trial")


@dataclass(frozen=True)
class Entry:
    """One study's contribution to one pool: its arms of one measure, added together."""

    study_id: str
    events: int
    n: int
    rows: frozenset[str]
    months: Decimal | None
    window: str


@dataclass(frozen=True, eq=False)
class Data:
    """The evidence as the rules see it: therapies with their classes, names and modes of use.

    published: the lines of published_pools.csv, their cells as they stand in the file.
    """

    studies: Mapping[str, Study]
    rows: tuple[Row, ...]
    therapies: Mapping[str, str]
    labels: Mapping[str, str]
    modes: Mapping[str, str]
    constants: Mapping[str, Constant]
    references: frozenset[str]
    published: tuple[Mapping[str, str], ...]

    @property
    def cited(self) -> list[str]:
        """Return the ids of the cited studies in the order of their references."""
        number = {s.study_id: s.cells["seed_reference"] for s in self.studies.values() if s.cited}
        return sorted(number, key=lambda study_id: Decimal(number[study_id]))


def read(files: Mapping[str, bytes], place: str = "data") -> Data:
    """Read the evidence from the files of data/ by name (`studies.csv`).

    Raises UnreadableError that names the file, line and cell, files being in the folder `place`.
    """
    found = {
        cells["study_id"]: (f"{place}/studies.csv line {line}", cells)
        for line, cells in _table(files, "studies.csv", place)
    }
    stated = {name: _listed(cells["overlaps_with"]) for name, (_, cells) in found.items()}
    studies = {
        name: Study(
            study_id=name,
            first_author=cells["first_author"],
            year=_integer(cells["year"], f"{where}, year") or 0,
            line=cells["line"],
            enrolled=_integer(cells["n_enrolled"], f"{where}, n_enrolled"),
            cited=_integer(cells["seed_reference"], f"{where}, seed_reference") is not None,
            overlaps=stated[name] | {other for other, names in stated.items() if name in names},
            cells=cells,
        )
        for name, (where, cells) in found.items()
    }
    therapies, labels, modes = {}, {}, {}
    for _, cells in _table(files, "therapies.csv", place):
        therapies[cells["therapy"]] = cells["drug_class"]
        labels[cells["therapy"]] = cells["label"]
        modes[cells["therapy"]] = cells["mode"]
    return Data(
        studies=studies,
        rows=_rows(files, place, studies, therapies),
        therapies=therapies,
        labels=labels,
        modes=modes,
        constants=_constants(files, place),
        references=frozenset(
            _BIB_KEY.findall(files.get("references.bib", b"").decode(errors="replace"))
        ),
        published=tuple(cells for _, cells in _table(files, "published_pools.csv", place)),
    )


def _listed(cell: str) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[;\s]+", cell)))


def _table(
    files: Mapping[str, bytes], name: str, place: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and stripped cells of each record.

    The columns used must be there, and codes must be among those that the schema allows.
    """
    path = f"{place}/{name}"
    if name not in files:
        raise UnreadableError(
            f"{path}: found no file; expected a CSV file in UTF-8; give --data the folder that "
            "the book was built from"
        )
    try:
        text = files[name].decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        missing = [c for c in _COLUMNS[name] if c not in (reader.fieldnames or ())]
        if missing:
            raise UnreadableError(
                f"{path}: found no column {', '.join(missing)}; expected the columns of "
                "data/datapackage.json; restore the header"
            )
        allowed = _codes(files, name)
        for record in reader:
            cells = {c: (record[c] or "").strip() for c in _COLUMNS[name]}
            for column, codes in allowed.items():
                if cells.get(column) and cells[column] not in codes:
                    raise UnreadableError(
                        f"{path} line {reader.line_num}, {column}: found {cells[column]!r}; "
                        f"expected one of {', '.join(codes)}; correct the cell"
                    )
            yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(
            f"{path}: found {error}; expected a CSV file in UTF-8; restore the file"
        ) from None


def _codes(files: Mapping[str, bytes], name: str) -> dict[str, list[str]]:
    """The allowed values of each coded column of a table; none where there is no schema."""
    try:
        package = json.loads(files.get("datapackage.json", b"{}"))
    except ValueError as error:
        raise UnreadableError(
            f"data/datapackage.json: found broken JSON ({error}); expected the schema; restore it"
        ) from None
    return {
        field["name"]: field["constraints"]["enum"]
        for resource in package.get("resources", ())
        if resource["path"] == name
        for field in resource["schema"]["fields"]
        if "enum" in field.get("constraints", {})
    }


def _constants(files: Mapping[str, bytes], place: str) -> dict[str, Constant]:
    """The constants of published sources by name."""
    constants = {}
    for line, cells in _table(files, "constants.csv", place):
        where = f"{place}/constants.csv line {line}, value"
        value = _number(cells["value"], where)
        if value is None:
            raise UnreadableError(f"{where}: found a blank; expected a number; fill in the cell")
        constants[cells["constant"]] = Constant(float(value), cells["unit"], cells["source"])
    return constants


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


def _rows(
    files: Mapping[str, bytes],
    folder: str,
    studies: Mapping[str, Study],
    therapies: Mapping[str, str],
) -> tuple[Row, ...]:
    rows: list[Row] = []
    taken: set[str] = set()
    for line, cells in _table(files, "outcomes.csv", folder):
        place = f"{folder}/outcomes.csv line {line}"
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
                reason=_reason(cells, studies[cells["study_id"]].cells, outcome, BOOK),
                address=address,
                cells=cells,
            )
        )
    return tuple(rows)


def _reason(row: Mapping[str, str], study: Mapping[str, str], outcome: str, rules: Rules) -> str:
    """The first rule that keeps a row out of every pool, blank where none does."""
    if outcome not in POOL_OUTCOMES:
        return "outcome_not_pooled"
    if study["population"] not in rules.populations:
        return "population_child"
    if study["itp_type"] not in rules.types:
        return "itp_secondary"
    if row["exclusion"]:
        return "excluded"
    if not (row["events"] and row["n"]):
        return "no_denominator"
    return "low_confidence" if row["confidence"] == "low" and not rules.uncertain else ""


def _outcome(cells: Mapping[str, str]) -> str:
    """Outcome as in the file, durable responses split by treatment status."""
    if cells["outcome"] == "durable_response" and cells["treatment_status"] in {"on", "off"}:
        return f"durable_response_{cells['treatment_status']}"
    return cells["outcome"]


def addresses(records: Iterable[Mapping[str, str]]) -> list[str]:
    """The address of each record of outcomes.csv, in order."""
    taken: set[str] = set()
    found = []
    for cells in records:
        found.append(_address(cells, taken))
        taken.add(found[-1])
    return found


def _address(cells: Mapping[str, str], taken: set[str]) -> str:
    """STUDY/ARM/OUTCOME/MONTHS; a later row of the same address adds ~WINDOW~THRESHOLD."""
    months = _plain(cells["months"]) or "any"
    plain = f"{cells['study_id']}/{cells['arm']}/{_outcome(cells)}/{months}"
    if plain not in taken:
        return plain
    return f"{plain}~{cells['window']}~{_plain(cells['platelet_threshold']) or 'unstated'}"


def _plain(cell: str) -> str:
    """A number without trailing zeros (3.0 is 3); anything else as it stands."""
    whole, point, decimals = cell.partition(".")
    return f"{whole}.{decimals}".rstrip("0").rstrip(".") if point else cell


@lru_cache(maxsize=64)
def select(data: Data, rules: Rules = BOOK) -> Mapping[str, tuple[Entry, ...]]:
    """Return the studies of every pool, by prefix (pool.THERAPY.OUTCOME and so on).

    Besides all evidence (pool.) and drug classes (class.): the cited studies alone (cited.), the
    studies of one line of therapy alone (second_line., rescue.) and of rescue patients at a visit
    (rescue_month_3. and so on), by the same rules. Prefixes without any eligible study are there
    too, with nothing in them.
    """
    return {
        prefix: without_shared_patients(entries, data.studies, rules)
        for prefix, entries in candidates(data, rules).items()
    }


@lru_cache(maxsize=4)
def left_out(data: Data) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return by prefix who is kept out of a pool, each with the fuller study of its patients."""
    pairs: dict[str, tuple[tuple[str, str], ...]] = {}
    for prefix, kept in select(data).items():
        names = [entry.study_id for entry in kept]
        pairs[prefix] = tuple(
            (entry.study_id, next(n for n in names if n in data.studies[entry.study_id].overlaps))
            for entry in _fuller_first(candidates(data)[prefix], data.studies, BOOK)
            if entry.study_id not in names
        )
    return pairs


@lru_cache(maxsize=64)
def candidates(data: Data, rules: Rules = BOOK) -> Mapping[str, tuple[Entry, ...]]:
    """Return what each study would bring to every pool, those that share patients included."""
    eligible: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in data.rows:
        if rules.admit(row, data.studies[row.study_id]):
            eligible[row.therapy, row.outcome].append(row)
    members = {
        drug_class: [t for t, c in data.therapies.items() if c == drug_class]
        for drug_class in sorted(_drug_classes(data.therapies))
    }
    pools: dict[str, tuple[Entry, ...]] = {}
    for outcome in POOL_OUTCOMES:
        for therapy in data.therapies:
            rows = eligible[therapy, outcome]
            tail = f"{therapy}.{outcome}"
            pools[f"pool.{tail}"] = _entries(rows, outcome)
            cited = [row for row in rows if data.studies[row.study_id].cited]
            pools[f"cited.{tail}"] = _entries(cited, outcome)
            for line in LINES:
                of_line = [row for row in rows if data.studies[row.study_id].line == line]
                pools[f"{line}.{tail}"] = _entries(of_line, outcome)
            for visit, month in VISITS.items():
                seen = [row for row in rows if is_at_visit(row, month, data.studies)]
                pools[f"{visit}.{tail}"] = _entries(seen, outcome)
        for drug_class, therapies in members.items():
            rows = [row for therapy in therapies for row in eligible[therapy, outcome]]
            in_file_order = sorted(rows, key=lambda row: row.line)
            pools[f"class.{class_slug(drug_class)}.{outcome}"] = _entries(in_file_order, outcome)
    return pools


@lru_cache(maxsize=4)
def background(data: Data) -> Mapping[str, tuple[Entry, ...]]:
    """Return the placebo arms by what was counted, by prefix (background.NAME).

    visit: in response at a visit; ever: at least once; durable: held on treatment, any window.
    """
    found = {}
    for name, outcome, at_visit in (
        ("visit", "overall_response", {True}),
        ("ever", "overall_response", {False}),
        ("durable", "durable_response_on", {True, False}),
    ):
        rows = [
            row
            for row in data.rows
            if not row.reason
            and row.therapy == PLACEBO
            and row.outcome == outcome
            and (row.window == "at_timepoint") in at_visit
        ]
        entries = _entries(rows, outcome)
        found[f"background.{name}"] = without_shared_patients(entries, data.studies)
    return found


def class_slug(drug_class: str) -> str:
    """Return the name of a class in keys: lower case, everything but letters and digits as _."""
    return re.sub("[^a-z0-9]+", "_", drug_class.lower()).strip("_")


def _drug_classes(therapies: Mapping[str, str]) -> set[str]:
    """Classes of more than one therapy; combination and control name a mode, not a mechanism."""
    names = list(therapies.values())
    return {name for name in names if names.count(name) > 1} - _LABEL_CLASSES


def _entries(rows: Iterable[Row], outcome: str) -> tuple[Entry, ...]:
    by_study: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_study[row.study_id].append(row)
    return tuple(_entry(study_id, found, outcome) for study_id, found in by_study.items())


def _entry(study_id: str, rows: Sequence[Row], outcome: str) -> Entry:
    """Add up the arms of the study's best measure."""
    measures: dict[Measure, list[Row]] = defaultdict(list)
    for row in rows:
        measures[row.measure].append(row)
    best = min(measures.values(), key=lambda arms: preference(arms, outcome))
    return Entry(
        study_id=study_id,
        events=sum(row.events or 0 for row in best),
        n=sum(row.n or 0 for row in best),
        rows=frozenset(row.address for row in best),
        months=best[0].months,
        window=best[0].window,
    )


def preference(arms: Sequence[Row], outcome: str) -> tuple[Decimal | int, ...]:
    """Sort key of one measure: the smallest is chosen."""
    first = arms[0]
    threshold = _LAST if first.threshold is None else first.threshold
    tail = (threshold, -sum(row.n or 0 for row in arms), first.line)
    if outcome.startswith("durable_response"):
        longest = _LAST if first.months is None else -first.months
        return (longest, *tail)
    at_visit = 0 if is_early(first.months) else 3
    windows = {"at_timepoint": at_visit, "best_by_timepoint": 1, "any_time": 2}
    rank = windows.get(first.window, 4)
    distance = _LAST if first.months is None else abs(first.months - TARGET_MONTHS)
    return (rank, distance, *tail)


def is_early(months: Decimal | None) -> bool:
    """Whether a visit counts as an early one."""
    return months is not None and months <= EARLY_MONTHS


def is_at_visit(row: Row, month: int, studies: Mapping[str, Study]) -> bool:
    """Whether the row is the state at a fixed visit near this month, in rescue patients."""
    fixed = row.window == "at_timepoint" and row.cells["months_basis"] == "visit"
    near = row.months is not None and abs(row.months - month) <= VISIT_TOLERANCE
    return studies[row.study_id].line == "rescue" and fixed and near


def without_shared_patients(
    entries: Iterable[Entry], studies: Mapping[str, Study], rules: Rules = BOOK
) -> tuple[Entry, ...]:
    """Keep the fuller of two studies that may share patients, going from the largest down."""
    kept: list[Entry] = []
    for entry in _fuller_first(entries, studies, rules):
        linked = studies[entry.study_id].overlaps
        if linked.isdisjoint(other.study_id for other in kept):
            kept.append(entry)
    return tuple(kept)


def _fuller_first(
    entries: Iterable[Entry], studies: Mapping[str, Study], rules: Rules
) -> list[Entry]:
    """The study with more patients first, then the later one; trials before where asked for."""

    def rank(study_id: str) -> int:
        design = studies[study_id].cells["design"]
        ranked = rules.trials_first and design in _TRIALS
        return _TRIALS.index(design) - len(_TRIALS) if ranked else 0

    return sorted(
        entries, key=lambda e: (rank(e.study_id), -e.n, -studies[e.study_id].year, e.study_id)
    )
