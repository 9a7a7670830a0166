"""Holds the tables against the schema: types, constraints, keys, and rules over several cells.

Types, single-column constraints, keys and row formulas are checked by frictionless; its errors are
reworded here for the person who typed the row. Tables are checked as far as they can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analysis.faults import Fault, Findings, nearest, shown
from analysis.rawtables import RawTable
from analysis.schema import fields_of

if TYPE_CHECKING:
    import frictionless

# Stricter than frictionless, which also takes "1_000", " 5" and "NaN".
_NUMERALS = {
    "integer": re.compile(r"-?[0-9]+"),
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
}
#: What frictionless reports, cells (0) first: what follows from a fault is not a second one.
_SEVERITY = {"primary-key": 1, "unique-error": 2, "foreign-key": 2, "row-constraint": 3}


def check_tables(tables: dict[str, RawTable], findings: Findings) -> None:
    """Add the faults of the tables' cells, rows and keys; `tables` are those that can be read.

    Raises AssertionError where frictionless reports what the schema cannot ask for.
    """
    _check_cells(tables, findings)
    for table in tables.values():
        _check_rules(table, tables, findings)


def _check_cells(tables: dict[str, RawTable], findings: Findings) -> None:
    """Types, constraints, keys and row formulas."""
    for table in tables.values():
        for name, described in fields_of(table.resource, table.columns).items():
            numeral = _NUMERALS.get(described["type"])
            for row, record in zip(table.rows, table.records, strict=True):
                if numeral and record[name] and not numeral.fullmatch(record[name]):
                    findings.add(_cell_fault(table, row, described, record[name]))

    from frictionless import Checklist, Package

    package = Package.from_descriptor(
        {"resources": [_inline(table, tables) for table in tables.values()]}
    )
    found = []
    for name, table in tables.items():
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
    for table, error in sorted(found, key=lambda each: _SEVERITY.get(each[1].type, 0)):
        _add_error(error, table, tables, findings)


def _inline(table: RawTable, tables: dict[str, RawTable]) -> dict[str, Any]:
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
            "fields": list(fields_of(table.resource, table.columns).values()),
            "primaryKey": primary_key if set(primary_key) <= set(table.columns) else [],
            "foreignKeys": keys,
        },
    }


def _add_error(
    error: frictionless.Error, table: RawTable, tables: dict[str, RawTable], findings: Findings
) -> None:
    """Reword one frictionless error and keep it unless its cells are already known to be wrong."""
    details = error.to_descriptor()
    index = details["rowNumber"] - 2  # frictionless counts the inline header as row 1
    row, record = table.rows[index], table.records[index]
    described = fields_of(table.resource).get(details.get("fieldName", ""))
    if error.type in ("type-error", "constraint-error") and described:
        findings.add(_cell_fault(table, row, described, record[described["name"]]))
    elif error.type == "unique-error" and described:
        findings.add(_repetition(table, index, [described["name"]]))
    elif error.type == "primary-key":
        key = table.resource["schema"]["primaryKey"]
        # A row entered twice also repeats whatever else must be unique in it.
        fields = fields_of(table.resource, table.columns).values()
        unique = [each["name"] for each in fields if each.get("constraints", {}).get("unique")]
        findings.add(_repetition(table, index, key), [*key, *unique])
    elif error.type == "foreign-key":
        orphan = _orphan(table, row, details, tables)
        if orphan and not any(replace(orphan, row=known.row) == known for known in findings.faults):
            findings.add(orphan)  # once for each missing name, not for each of its rows
    elif error.type == "row-constraint":
        formulas = _rules(table, "formula")
        rule = next(each for each in formulas if f'"{each["formula"]}"' in details["note"])
        findings.add(_rule_fault(table, row, rule, record), rule["columns"])
    elif error.type != "blank-row":  # reported while reading
        raise AssertionError(f"an error of frictionless that has no wording: {error.message}")


def _cell_fault(table: RawTable, row: int, described: dict[str, Any], cell: str) -> Fault:
    constraints = described.get("constraints", {})
    remedy = "Correct the cell."
    if not cell:
        remedy = "Fill in the cell."
    elif meant := nearest(cell.strip(), constraints.get("enum", [])):
        remedy = f"Did you mean {meant}?"
    elif described["type"] != "string":
        remedy = "Correct the number."
        if re.fullmatch(r"[0-9]+,[0-9]+", cell):
            remedy = f"Write {cell.replace(',', '.')} (a point, not a comma)."
        elif not _NUMERALS[described["type"]].fullmatch(cell):
            remedy = "Write the number alone, in digits"
            remedy += "." if constraints.get("required") else ", or leave the cell blank."
    return Fault(
        table.file, row, described["name"], shown(cell), _allowed_cell(table, described), remedy
    )


def _allowed_cell(table: RawTable, described: dict[str, Any]) -> str:
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


def _repetition(table: RawTable, index: int, columns: list[str]) -> Fault:
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


def _orphan(
    table: RawTable, row: int, details: dict[str, Any], tables: dict[str, RawTable]
) -> Fault | None:
    """The fault of a cell that names a row which another table does not have.

    None where the name is missing because it is misspelt there, which is reported there.
    """
    column, key = details["fieldNames"][0], details["referenceFieldNames"][0]
    target = tables[details["referenceName"]]
    cells = [record[column] for record in table.records]
    cell = cells[table.rows.index(row)]
    meant = nearest(cell, target.values(key))
    if meant in _misspelt(target, key):
        return None
    found = shown(cell)
    if (times := cells.count(cell)) > 1:
        found += f" (in {times} rows)"
    remedy = f"Did you mean {meant}? Otherwise add" if meant else "Correct the name, or add"
    remedy += f" {cell} to {target.file}."
    allowed = _allowed_cell(table, fields_of(table.resource)[column])
    return Fault(table.file, row, column, found, allowed, remedy)


def _misspelt(table: RawTable, column: str) -> set[str]:
    """The names in a column that break the column's own pattern."""
    pattern = fields_of(table.resource)[column].get("constraints", {}).get("pattern", ".*")
    return {cell for cell in table.values(column) if not re.fullmatch(pattern, cell)}


def _check_rules(table: RawTable, tables: dict[str, RawTable], findings: Findings) -> None:
    """The rules that need more than one row: combinations that occur once, lists of keys."""
    for rule in _rules(table, "unique"):
        seen: dict[tuple[str, ...], int] = {}
        for row, record in zip(table.rows, table.records, strict=True):
            first = seen.setdefault(tuple(record[name] for name in rule["unique"]), row)
            if first != row:
                fault = _rule_fault(table, row, rule, record)
                fault = replace(fault, found=f"{fault.found}, as in row {first}")
                findings.add(fault, rule["columns"])
    for rule in _rules(table, "listReference"):
        (column,), reference = rule["columns"], rule["listReference"]
        target = tables.get(reference["resource"])
        if not target or reference["field"] not in target.columns:
            continue
        known = target.values(reference["field"])
        misspelt = _misspelt(target, reference["field"])
        for row, record in zip(table.rows, table.records, strict=True):
            items = record[column].split(reference["separator"]) if record[column] else []
            for item in items:
                if item in known or (meant := nearest(item, known)) in misspelt:
                    continue
                remedy = f"Did you mean {meant}? {rule['remedy']}" if meant else ""
                findings.add(_rule_fault(table, row, rule, {column: item}, remedy))


def _rules(table: RawTable, kind: str) -> Iterator[dict[str, Any]]:
    """The table's rules of one kind for which it has the columns."""
    for rule in table.resource.get("rules", []):
        if kind in rule and set(rule["columns"]) <= set(table.columns):
            yield rule


def _rule_fault(
    table: RawTable, row: int, rule: dict[str, Any], record: dict[str, str], remedy: str = ""
) -> Fault:
    found = _cells_shown(record, rule["columns"])
    remedy = remedy or rule["remedy"]
    return Fault(table.file, row, rule["columns"][0], found, rule["message"], remedy)


def _cells_shown(record: dict[str, str], columns: Iterable[str]) -> str:
    return ", ".join(f"{column} {record[column] or 'blank'}" for column in columns)
