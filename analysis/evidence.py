"""Reads the evidence in `data/`, or says cell by cell what is wrong with it.

A fault never hides another: tables are checked as far as they can be read, and a cell is reported
once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.faults import EvidenceError, Fault, Findings
from analysis.provenance import data_digest
from analysis.rawtables import RawTable, read_table
from analysis.references import REFERENCES_FILE, check_references
from analysis.schema import DTYPES, PACKAGE_FILE, fields_of, read_package
from analysis.validation import check_tables


@dataclass(frozen=True, eq=False)
class Evidence:
    """The valid evidence.

    Frames keep the row order of their file under a RangeIndex and the column order of the schema.
    Text columns are str with "" for a blank cell, integers Int64 and numbers Float64 with NA.
    package: the parsed datapackage.json. digest: of the folder that was read (provenance.py).
    printed_percent: the cells of reported_percent as they are written, one for each row of
    outcomes, for 6.0 says more than 6.
    """

    studies: pd.DataFrame
    outcomes: pd.DataFrame
    therapies: pd.DataFrame
    published_pools: pd.DataFrame
    constants: pd.DataFrame
    package: dict[str, Any]
    digest: str
    printed_percent: tuple[str, ...] = ()


def read(data_dir: Path) -> Evidence:
    """Read and validate the evidence; raises EvidenceError with every fault found."""
    # Taken first: what is edited during the reading makes the book out of date, never fresh.
    digest = data_digest(data_dir)
    faults, package, tables = _survey(data_dir)
    if faults:
        raise EvidenceError(faults)
    frames = {name: _frame(table) for name, table in tables.items()}
    printed = tuple(record["reported_percent"] for record in tables["outcomes"].records)
    return Evidence(**frames, package=package, digest=digest, printed_percent=printed)


def validate(data_dir: Path) -> list[Fault]:
    """Every fault of the evidence, in file, row and column order; empty if it can be used."""
    faults, _, _ = _survey(data_dir)
    return faults


def _survey(data_dir: Path) -> tuple[list[Fault], dict[str, Any], dict[str, RawTable]]:
    """One pass over `data/`: its faults, the package, and by name the tables with cells to read."""
    findings = Findings()
    package = read_package(data_dir / PACKAGE_FILE, findings)
    tables = {}
    for resource in package.get("resources", []):
        if table := read_table(data_dir / resource["path"], resource, findings):
            tables[resource["name"]] = table
    if tables:
        check_tables(tables, findings)
    findings.faults.sort(key=_reading_order(package))
    if studies := tables.get("studies"):
        check_references(data_dir / REFERENCES_FILE, studies, findings)
    return findings.faults, package, tables


def _reading_order(package: dict[str, Any]) -> Callable[[Fault], tuple[int, int, int]]:
    """Sort key: files as the package lists them, then rows, then columns as the schema has them."""
    places: dict[tuple[str, str | None], tuple[int, int]] = {}
    for file_number, resource in enumerate(package.get("resources", [])):
        for column_number, column in enumerate([None, *fields_of(resource)]):
            places[resource["path"], column] = (file_number, column_number)

    def key(fault: Fault) -> tuple[int, int, int]:
        whole_file = places.get((fault.file, None), (-1, 0))
        file_number, column_number = places.get((fault.file, fault.column), whole_file)
        return file_number, fault.row or 0, column_number

    return key


def _frame(table: RawTable) -> pd.DataFrame:
    """The table with the types of its schema."""
    columns = {}
    for name, described in fields_of(table.resource).items():
        cells = [record[name] for record in table.records]
        if described["type"] == "string":
            columns[name] = pd.Series(cells, dtype="str")
        else:
            number = int if described["type"] == "integer" else float
            values = [number(cell) if cell else None for cell in cells]
            columns[name] = pd.Series(values, dtype=DTYPES[described["type"]])
    return pd.DataFrame(columns)
