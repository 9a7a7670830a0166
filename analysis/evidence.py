"""Reads the evidence in `data/` and says, cell by cell, what is wrong with it.

`data/datapackage.json` is the only schema. Types, single-column constraints, keys and row formulas
are checked by frictionless; its errors are reworded here for the person who typed the row. A fault
never hides another: tables are checked as far as they can be read, and a cell is reported once.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import frictionless
    from bibtexparser.model import Entry

PACKAGE_FILE = "datapackage.json"
REFERENCES_FILE = "references.bib"

_TABLES = ("studies", "outcomes", "therapies", "published_pools")
_DTYPES = {"string": "str", "integer": "Int64", "number": "Float64"}
# Stricter than frictionless, which also takes "1_000", " 5" and "NaN".
_NUMERALS = {
    "integer": re.compile(r"-?[0-9]+"),
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
}
_BOM = "\ufeff".encode()
_FOUND_WIDTH = 80


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in `data/`, worded for the person who can mend it.

    file: name of the file. row: row of a table as a spreadsheet numbers it (the header is row 1),
    line of any other file; None where none can be named. column: the column, None where the fault
    concerns the whole row or file. found, allowed, remedy: what stands there, what may stand
    there, what to do.
    """

    file: str
    row: int | None
    column: str | None
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", {'row' if self.file.endswith('.csv') else 'line'} {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        line = f"{place}: found {self.found}; allowed: {self.allowed}. {self.remedy}"
        return " ".join(line.split())


class EvidenceError(Exception):
    """The data cannot be used; `faults` has every reason and the message one line for each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """The valid evidence.

    Frames keep the row order of their file under a RangeIndex and the column order of the schema.
    Text columns are str with "" for a blank cell, integers Int64 and numbers Float64 with NA.
    package: the parsed datapackage.json. digest: sha256 (hex) over the tables' names and text,
    whatever their line ends and byte order marks.
    """

    studies: pd.DataFrame
    outcomes: pd.DataFrame
    therapies: pd.DataFrame
    published_pools: pd.DataFrame
    package: dict[str, Any]
    digest: str


def read(data_dir: Path) -> Evidence:
    """Read and validate the evidence; raises EvidenceError with every fault found."""
    survey = _survey(data_dir)
    if survey.faults:
        raise EvidenceError(survey.faults)
    frames = {name: _frame(table) for name, table in survey.tables.items()}
    return Evidence(**frames, package=survey.package, digest=_digest(survey.tables.values()))


def validate(data_dir: Path) -> list[Fault]:
    """Every fault of the evidence, in file, row and column order; empty if it can be used."""
    return _survey(data_dir).faults


@dataclass
class _Table:
    """A table as text. `records` maps the schema's column names to cells; a column that the file
    lacks is absent from them. `rows` are the records' row numbers in the file."""

    resource: dict[str, Any]
    text: str
    columns: list[str] = field(default_factory=list)
    records: list[dict[str, str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    @property
    def file(self) -> str:
        return str(self.resource["path"])

    def values(self, column: str) -> set[str]:
        """The distinct non-blank cells of a column."""
        return {record[column] for record in self.records} - {""}


@dataclass
class _Survey:
    """What one pass over `data/` found. A cell that has a fault is not reported again."""

    faults: list[Fault] = field(default_factory=list)
    package: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, _Table] = field(default_factory=dict)
    _faulty: set[tuple[str, int | None, str | None]] = field(default_factory=set)

    def add(self, fault: Fault, columns: Iterable[str] = ()) -> None:
        """Keep a fault unless its row, or one of the columns that it concerns, already has one."""
        named: Iterable[str | None] = columns or [fault.column]
        if not any(self.is_faulty(fault.file, fault.row, column) for column in named):
            self.faults.append(fault)
            self._faulty |= {(fault.file, fault.row, column) for column in named}

    def is_faulty(self, file: str, row: int | None, column: str | None) -> bool:
        """Whether the cell, or its whole row, has a fault already."""
        return not self._faulty.isdisjoint({(file, row, column), (file, row, None)})


def _survey(data_dir: Path) -> _Survey:
    survey = _Survey()
    _read_package(data_dir / PACKAGE_FILE, survey)
    for resource in survey.package.get("resources", []):
        if table := _read_table(data_dir / resource["path"], resource, survey):
            survey.tables[resource["name"]] = table
    if survey.tables:
        _check_cells(survey)
        for table in survey.tables.values():
            _check_rules(table, survey)
    survey.faults.sort(key=_reading_order(survey.package))
    if studies := survey.tables.get("studies"):
        survey.faults += _check_references(data_dir / REFERENCES_FILE, studies, survey)
    return survey


def _reading_order(package: dict[str, Any]) -> Any:
    """Sort key: files as the package lists them, then rows, then columns as the schema has them."""
    places: dict[tuple[str, str | None], tuple[int, int]] = {}
    for file_number, resource in enumerate(package.get("resources", [])):
        for column_number, column in enumerate([None, *_fields(resource)]):
            places[resource["path"], column] = (file_number, column_number)

    def key(fault: Fault) -> tuple[int, int, int]:
        whole_file = places.get((fault.file, None), (-1, 0))
        file_number, column_number = places.get((fault.file, fault.column), whole_file)
        return file_number, fault.row or 0, column_number

    return key


# --- files ---------------------------------------------------------------------------------------


def _read_bytes(path: Path, survey: _Survey) -> bytes | None:
    """The content of a file, or None with a fault when it is missing, unreadable or empty."""
    try:
        content = path.read_bytes()
    except OSError as error:
        found, remedy = "no such file", "Put the file back under this name."
        if not isinstance(error, FileNotFoundError):
            found, remedy = f"a file that cannot be read ({error.strerror})", "Make it readable."
        survey.add(Fault(path.name, None, None, found, "a readable file", remedy))
        return None
    if not content.removeprefix(_BOM).strip():
        remedy = "Put the file's content back."
        survey.add(Fault(path.name, None, None, "an empty file", "a file with content", remedy))
        return None
    return content


def _read_package(path: Path, survey: _Survey) -> None:
    """Fill `survey.package`; leaves it empty where the schema itself is at fault."""
    content = _read_bytes(path, survey)
    if content is None:
        return
    from frictionless import FrictionlessException, Package

    allowed, remedy = "a valid data package (JSON)", "Undo the last change to this file."
    try:
        package = json.loads(content)
        Package.from_descriptor(package)
    except json.JSONDecodeError as error:
        survey.add(Fault(path.name, error.lineno, None, error.msg, allowed, remedy))
    except UnicodeDecodeError:
        survey.add(Fault(path.name, None, None, "text that is not UTF-8", allowed, remedy))
    except FrictionlessException as error:
        for reason in error.reasons or [error.error]:
            survey.faults.append(Fault(path.name, None, None, reason.message, allowed, remedy))
    else:
        faults = [
            Fault(path.name, None, None, found, allowed, "Correct the description.")
            for found, allowed in _unfit_descriptions(package)
        ]
        survey.faults += faults
        survey.package = {} if faults else package


def _unfit_descriptions(package: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a valid data package says, and what it would have to say, to be read as Evidence."""
    described = [resource["name"] for resource in package["resources"]]
    if sorted(described) != sorted(_TABLES):
        yield f"the tables {', '.join(described)}", f"the tables {', '.join(_TABLES)}"
    for resource in package["resources"]:
        for name, column in _fields(resource).items():
            if column.get("type") not in _DTYPES:
                found = f"column {name} of {resource['name']} of type {column.get('type')}"
                yield found, f"the types {', '.join(_DTYPES)}"


def _read_table(path: Path, resource: dict[str, Any], survey: _Survey) -> _Table | None:
    """The table as text, or None with a fault when there are no cells to check."""
    content = _read_bytes(path, survey)
    if content is None:
        return None
    save_again = "Save the file again as CSV UTF-8, separated by commas."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        found = "UTF-16 or binary content"
        survey.add(Fault(path.name, None, None, found, "text in UTF-8", save_again))
        return None
    text = content.removeprefix(_BOM).decode("utf-8", errors="surrogateescape")
    text = text.replace("\r\n", "\n")
    lines: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), strict=True):
            lines.append(cells)
    except csv.Error:
        found, allowed = "a quotation mark without its partner", "quotation marks in pairs"
        remedy = 'Close the quotation, or double a quotation mark inside a quoted cell ("").'
        survey.add(Fault(path.name, len(lines) + 1, None, found, allowed, remedy))
        return None
    header = lines[0]
    if len(header) == 1 and (separator := re.search("[;\t]", header[0])):
        found = f"columns separated by {'semicolons' if separator[0] == ';' else 'tabs'}"
        survey.add(Fault(path.name, 1, None, found, "columns separated by commas", save_again))
        return None
    if not any(map(any, lines[1:])):
        remedy = "Put the rows back."
        survey.add(Fault(path.name, None, None, "a header only", "at least one row", remedy))
        return None
    widths = {len(cells) for cells in lines[1:] if any(cells)}
    if len(header) not in widths:
        found = f"{len(header)} column names over rows of {max(widths)} cells"
        allowed, remedy = "a name for each column", "Look for a comma too many or too few."
        survey.add(Fault(path.name, 1, None, found, allowed, remedy))
        return None
    _mend_encoding(path.name, lines, survey)
    table = _Table(resource, text)
    positions = _match_header(table, header, survey)
    table.columns = [name for name in _fields(resource) if name in positions]
    for row, cells in enumerate(lines[1:], start=2):
        if not cells:  # an empty line is no row; spreadsheets still count it
            continue
        _check_shape(table, row, cells, len(header), survey)
        cells += [""] * (len(header) - len(cells))
        table.records.append({name: cells[positions[name]] for name in table.columns})
        table.rows.append(row)
    return table


def _mend_encoding(file: str, lines: list[list[str]], survey: _Survey) -> None:
    """Report the first cell that is not UTF-8, and make all such cells printable."""
    foreign = [
        (row, place)
        for row, cells in enumerate(lines)
        for place, cell in enumerate(cells)
        if not cell.isascii() and re.search("[\udc80-\udcff]", cell)
    ]
    for row, place in foreign:
        cell = lines[row][place].encode("utf-8", errors="surrogateescape")
        lines[row][place] = cell.decode("latin-1")
    if foreign:
        row, place = foreign[0]
        found = f"{_shown(lines[row][place])} in another encoding than UTF-8"
        if len(foreign) > 1:
            found += f" (the first of {len(foreign)} such cells)"
        column = lines[0][place] if place < len(lines[0]) else None
        remedy = "Save the file again as CSV UTF-8 and check the accents."
        survey.add(Fault(file, row + 1, column, found, "text in UTF-8", remedy))


def _match_header(table: _Table, header: list[str], survey: _Survey) -> dict[str, int]:
    """Position of each schema column in the file; a misspelt name is taken for the one it means."""
    names = list(_fields(table.resource))
    positions = {name: header.index(name) for name in names if name in header}
    for place, label in enumerate(header):
        missing = [name for name in names if name not in positions]
        meant = _nearest(label.strip(), missing)
        if positions.get(label) == place:
            continue
        if label in positions:
            found, allowed = f"{_shown(label)} a second time", "each column once"
            remedy = "Delete or rename one of the two columns."
        elif meant:
            found, allowed = _shown(label), _shown(meant)
            remedy = f"Rename the column to {meant}."
            positions[meant] = place
        else:
            found = f"an extra column {_shown(label)}" if label else "a column without a name"
            allowed = ", ".join(names)
            remedy = "Delete the column, or describe it in datapackage.json."
        # Keyed by place: two nameless columns are two faults.
        fault = Fault(table.file, 1, label.strip() or None, found, allowed, remedy)
        survey.add(fault, [f"{label} at {place}"])
    for name in names:
        if name not in positions:
            remedy = f"Put the column {name} back, with its cells."
            survey.add(Fault(table.file, 1, name, "no such column", "every column once", remedy))
    return positions


def _check_shape(table: _Table, row: int, cells: list[str], width: int, survey: _Survey) -> None:
    """Report a row without content, or with more or fewer cells than the header."""
    if not any(cells):
        found, allowed = "a row of blank cells", "rows with content"
        survey.add(Fault(table.file, row, None, found, allowed, "Delete the row."))
    elif len(cells) != width:
        found, allowed = f"{len(cells)} cells", f"{width} cells, one for each column"
        remedy = "Add the missing commas."
        if len(cells) > width:
            remedy = "Put double quotes around a cell that contains a comma."
        survey.add(Fault(table.file, row, None, found, allowed, remedy))


# --- cells, keys and formulas --------------------------------------------------------------------


def _check_cells(survey: _Survey) -> None:
    """Types, constraints, keys and row formulas."""
    for table in survey.tables.values():
        for name, described in _fields(table.resource, table.columns).items():
            numeral = _NUMERALS.get(described["type"])
            for row, record in zip(table.rows, table.records, strict=True):
                if numeral and record[name] and not numeral.fullmatch(record[name]):
                    survey.add(_cell_fault(table, row, described, record[name]))

    from frictionless import Checklist, Package

    package = Package.from_descriptor(
        {"resources": [_inline(table, survey.tables) for table in survey.tables.values()]}
    )
    found = []
    for name, table in survey.tables.items():
        checklist = Checklist.from_descriptor(
            {
                "checks": [
                    {"type": "row-constraint", "formula": rule["formula"]}
                    for rule in _rules(table, "formula")
                ]
            }
        )
        report = package.get_resource(name).validate(checklist, limit_errors=1_000_000)
        found += [(table, error) for task in report.tasks for error in task.errors]
    # Cells before keys before formulas: what follows from a fault is not a second one.
    for table, error in sorted(found, key=lambda each: _SEVERITY.get(each[1].type, 0)):
        _add_error(error, table, survey)


_SEVERITY = {"primary-key": 1, "unique-error": 2, "foreign-key": 2, "row-constraint": 3}


def _inline(table: _Table, tables: dict[str, _Table]) -> dict[str, Any]:
    """The table's own cells as a frictionless resource, without what it cannot be checked for."""
    schema = table.resource["schema"]
    keys = [
        key
        for key in schema.get("foreignKeys", [])
        if set(key["fields"]) <= set(table.columns)
        and (target := tables.get(key["reference"]["resource"]))
        and set(key["reference"]["fields"]) <= set(target.columns)
    ]
    primary_key = schema.get("primaryKey", [])
    return {
        "name": table.resource["name"],
        "data": [table.columns, *([*record.values()] for record in table.records)],
        "schema": {
            "fields": list(_fields(table.resource, table.columns).values()),
            "primaryKey": primary_key if set(primary_key) <= set(table.columns) else [],
            "foreignKeys": keys,
        },
    }


def _add_error(error: frictionless.Error, table: _Table, survey: _Survey) -> None:
    """Reword one frictionless error and keep it unless its cells are already known to be wrong."""
    details = error.to_descriptor()
    index = details["rowNumber"] - 2  # frictionless counts the inline header as row 1
    row, record = table.rows[index], table.records[index]
    described = _fields(table.resource).get(details.get("fieldName", ""))
    if error.type in ("type-error", "constraint-error") and described:
        survey.add(_cell_fault(table, row, described, record[described["name"]]))
    elif error.type == "unique-error" and described:
        survey.add(_repetition(table, index, [described["name"]]))
    elif error.type == "primary-key":
        key = table.resource["schema"]["primaryKey"]
        # A row entered twice also repeats whatever else must be unique in it.
        fields = _fields(table.resource, table.columns).values()
        unique = [each["name"] for each in fields if each.get("constraints", {}).get("unique")]
        survey.add(_repetition(table, index, key), [*key, *unique])
    elif error.type == "foreign-key":
        orphan = _orphan(table, row, details, survey)
        if orphan and not any(replace(orphan, row=known.row) == known for known in survey.faults):
            survey.add(orphan)  # once for each missing name, not for each of its rows
    elif error.type == "row-constraint":
        formulas = _rules(table, "formula")
        rule = next(each for each in formulas if f'"{each["formula"]}"' in details["note"])
        survey.add(_rule_fault(table, row, rule, record), rule["columns"])
    elif error.type != "blank-row":  # reported while reading
        raise AssertionError(f"an error of frictionless that has no wording: {error.message}")


def _cell_fault(table: _Table, row: int, described: dict[str, Any], cell: str) -> Fault:
    constraints = described.get("constraints", {})
    remedy = "Correct the cell."
    if not cell:
        remedy = "Fill in the cell."
    elif meant := _nearest(cell.strip(), constraints.get("enum", [])):
        remedy = f"Did you mean {meant}?"
    elif described["type"] != "string":
        remedy = "Correct the number."
        if re.fullmatch(r"[0-9]+,[0-9]+", cell):
            remedy = f"Write {cell.replace(',', '.')} (a point, not a comma)."
        elif not _NUMERALS[described["type"]].fullmatch(cell):
            remedy = "Write the number alone, in digits"
            remedy += "." if constraints.get("required") else ", or leave the cell blank."
    return Fault(
        table.file, row, described["name"], _shown(cell), _allowed_cell(table, described), remedy
    )


def _allowed_cell(table: _Table, described: dict[str, Any]) -> str:
    """What a column takes, in words."""
    constraints = described.get("constraints", {})
    references = {
        key["fields"][0]: key["reference"]
        for key in table.resource["schema"].get("foreignKeys", [])
    }
    if reference := references.get(described["name"]):
        words = f"a {reference['fields'][0]} of {reference['resource']}.csv"
    elif "enum" in constraints:
        words = f"one of {', '.join(constraints['enum'])}"
    elif described["type"] == "string":
        words = described.get("patternDescription", "text")
    else:
        words = {"integer": "a whole number", "number": "a number"}[described["type"]]
        for word, bound in (("from", "minimum"), ("to", "maximum")):
            words += f" {word} {constraints[bound]}" if bound in constraints else ""
    return words if constraints.get("required") else f"{words}, or blank"


def _repetition(table: _Table, index: int, columns: list[str]) -> Fault:
    """The fault of a row that repeats an earlier one in all of `columns`."""
    record = table.records[index]
    wanted = [record[column] for column in columns]
    first = next(
        row
        for row, other in zip(table.rows, table.records, strict=True)
        if [other[column] for column in columns] == wanted
    )
    found = f"{_cells_shown(record, columns)}, as in row {first}"
    allowed = f"each {' + '.join(columns)} once"
    remedy = "Delete the row that is entered twice, or correct the one that is wrong."
    return Fault(table.file, table.rows[index], columns[0], found, allowed, remedy)


def _orphan(table: _Table, row: int, details: dict[str, Any], survey: _Survey) -> Fault | None:
    """The fault of a cell that names a row which another table does not have.

    None where the name is missing because it is misspelt there, which is reported there.
    """
    column, key = details["fieldNames"][0], details["referenceFieldNames"][0]
    target = survey.tables[details["referenceName"]]
    cells = [record[column] for record in table.records]
    cell = cells[table.rows.index(row)]
    meant = _nearest(cell, target.values(key))
    if meant in _misspelt(target, key):
        return None
    found = _shown(cell)
    if (times := cells.count(cell)) > 1:
        found += f" (in {times} rows)"
    remedy = f"Did you mean {meant}? Otherwise add" if meant else "Correct the name, or add"
    remedy += f" {cell} to {target.file}."
    allowed = _allowed_cell(table, _fields(table.resource)[column])
    return Fault(table.file, row, column, found, allowed, remedy)


def _misspelt(table: _Table, column: str) -> set[str]:
    """The names in a column that break the column's own pattern."""
    pattern = _fields(table.resource)[column].get("constraints", {}).get("pattern", ".*")
    return {cell for cell in table.values(column) if not re.fullmatch(pattern, cell)}


def _rule_fault(
    table: _Table, row: int, rule: dict[str, Any], record: dict[str, str], remedy: str = ""
) -> Fault:
    found = _cells_shown(record, rule["columns"])
    remedy = remedy or rule["remedy"]
    return Fault(table.file, row, rule["columns"][0], found, rule["message"], remedy)


def _check_rules(table: _Table, survey: _Survey) -> None:
    """The rules that need more than one row: combinations that occur once, lists of keys."""
    for rule in _rules(table, "unique"):
        seen: dict[tuple[str, ...], int] = {}
        for row, record in zip(table.rows, table.records, strict=True):
            first = seen.setdefault(tuple(record[name] for name in rule["unique"]), row)
            if first != row:
                fault = _rule_fault(table, row, rule, record)
                fault = replace(fault, found=f"{fault.found}, as in row {first}")
                survey.add(fault, rule["columns"])
    for rule in _rules(table, "listReference"):
        (column,), reference = rule["columns"], rule["listReference"]
        target = survey.tables.get(reference["resource"])
        if not target or reference["field"] not in target.columns:
            continue
        known = target.values(reference["field"])
        misspelt = _misspelt(target, reference["field"])
        for row, record in zip(table.rows, table.records, strict=True):
            items = record[column].split(reference["separator"]) if record[column] else []
            for item in items:
                if item in known or (meant := _nearest(item, known)) in misspelt:
                    continue
                remedy = f"Did you mean {meant}? {rule['remedy']}" if meant else ""
                survey.add(_rule_fault(table, row, rule, {column: item}, remedy))


def _rules(table: _Table, kind: str) -> Iterator[dict[str, Any]]:
    """The table's rules of one kind for which it has the columns."""
    for rule in table.resource.get("rules", []):
        if kind in rule and set(rule["columns"]) <= set(table.columns):
            yield rule


# --- references ----------------------------------------------------------------------------------


def _check_references(path: Path, studies: _Table, survey: _Survey) -> list[Fault]:
    """Faults of references.bib: unreadable entries, repeated keys, studies without their entry."""
    content = _read_bytes(path, survey)
    if content is None:
        return []
    try:
        text = content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found, remedy = "text in another encoding than UTF-8", "Save the file again as UTF-8."
        return [Fault(path.name, row, None, found, "text in UTF-8", remedy)]

    from bibtexparser.entrypoint import parse_string
    from bibtexparser.model import DuplicateBlockKeyBlock

    # The parser also logs what it returns; one line for one fault.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    library = parse_string(text)
    faults = []
    for block in library.failed_blocks:
        opening = _BIB_ENTRY.match(block.raw or "")
        key = opening[1] if opening else ""
        if isinstance(block, DuplicateBlockKeyBlock):
            found, allowed = f"a second entry {key}", "one entry for each key"
            remedy = "Delete one of the two entries, or give it another key."
        else:
            found, allowed = f"an entry that cannot be read ({key or 'no key'})", _BIB_FORM
            remedy = "Look for a missing brace or comma, or a field given twice."
        row = (block.start_line or 0) + 1
        faults.append(Fault(path.name, row, None, found, allowed, remedy))
    # A study's row that is itself at fault proves nothing against its entry.
    records = {
        record["study_id"]: record
        for row, record in zip(studies.rows, studies.records, strict=True)
        if "study_id" in record
        and not any(
            survey.is_faulty(studies.file, row, name) for name in ("study_id", *_BIB_SHARED)
        )
    }
    for entry in library.entries:
        faults += _check_entry(path.name, entry, records.get(entry.key, {}))
    # From the text, since an unclosed entry hides those after it.
    attempted = set(_BIB_ENTRY.findall(text))
    for key in records:
        if key not in attempted:
            remedy = f"Add an entry @article{{{key}, ...}} with author, title and year."
            allowed = "one entry for each study in studies.csv"
            faults.append(Fault(path.name, None, None, f"no entry {key}", allowed, remedy))
    return sorted(faults, key=lambda fault: fault.row or len(content))


_BIB_ENTRY = re.compile(
    r"^\s*@(?!comment)\w+\s*\{\s*([^\s,{}=]+)\s*,", re.IGNORECASE | re.MULTILINE
)
_BIB_FORM = "@type{key, name = {value}, ...} with every brace closed"
_BIB_SHARED = ("year", "doi", "pmid")


def _check_entry(file: str, entry: Entry, record: dict[str, str]) -> Iterator[Fault]:
    """Faults of one readable entry, against its study's row where it has one."""
    row = (entry.start_line or 0) + 1
    values = {part.key.lower(): str(part.value) for part in entry.fields}
    loose = [
        part.key
        for part in entry.fields
        if part.enclosing == "no-enclosing" and not str(part.value).isalnum()
    ]
    if loose or not entry.key:
        # Without its comma a field swallows the next one.
        found = f"an entry that cannot be read ({entry.key or 'no key'})"
        after = f"after {loose[0]}" if loose else "and for the key"
        remedy = f"Look for a missing comma {after}."
        yield Fault(file, row, None, found, _BIB_FORM, remedy)
        return
    for name in ("title", "year"):
        if not values.get(name):
            found = f"entry {entry.key} without {name}"
            yield Fault(file, row, None, found, "entries with title and year", f"Add its {name}.")
    for name in _BIB_SHARED:
        stated, study = values.get(name, ""), record.get(name, "")
        if study and stated != study and (stated or name != "year"):
            found = f"entry {entry.key} with {name} {stated or 'missing'}"
            remedy = f"Make {file} and studies.csv agree."
            yield Fault(file, row, None, found, f"{study}, as in studies.csv", remedy)


# --- small things --------------------------------------------------------------------------------


def _fields(
    resource: dict[str, Any], names: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The schema's fields by name, all or those named."""
    fields = {described["name"]: described for described in resource["schema"]["fields"]}
    return fields if names is None else {name: fields[name] for name in names}


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely stands for, whatever its capitals."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else None


def _shown(cell: str) -> str:
    """A cell in quotation marks, on one line and not too long."""
    if not cell:
        return "a blank cell"
    text = json.dumps(cell, ensure_ascii=False)
    return text if len(text) <= _FOUND_WIDTH else f'{text[: _FOUND_WIDTH - 2]}…"'


def _cells_shown(record: dict[str, str], columns: Iterable[str]) -> str:
    return ", ".join(f"{column} {record[column] or 'blank'}" for column in columns)


def _frame(table: _Table) -> pd.DataFrame:
    """The table with the types of its schema."""
    columns = {}
    for name, described in _fields(table.resource).items():
        cells = [record[name] for record in table.records]
        if described["type"] == "string":
            columns[name] = pd.Series(cells, dtype="str")
        else:
            number = int if described["type"] == "integer" else float
            values = [number(cell) if cell else None for cell in cells]
            columns[name] = pd.Series(values, dtype=_DTYPES[described["type"]])
    return pd.DataFrame(columns)


def _digest(tables: Iterable[_Table]) -> str:
    """sha256 over the tables' names and text."""
    digest = hashlib.sha256()
    for table in tables:
        digest.update(f"{table.file}\0{table.text}\0".encode())
    return digest.hexdigest()
