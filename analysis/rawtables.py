"""The tables of `data/` as text: CSV in whatever shape a spreadsheet left it, under its header."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.faults import Fault, Findings, nearest, shown
from analysis.files import BOM, read_bytes
from analysis.schema import fields_of


@dataclass
class RawTable:
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


def read_table(path: Path, resource: dict[str, Any], findings: Findings) -> RawTable | None:
    """The table as text, or None with a fault when there are no cells to check."""
    content = read_bytes(path, findings)
    if content is None:
        return None
    save_again = "Save the file again as CSV UTF-8, separated by commas."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        found = "UTF-16 or binary content"
        findings.add(Fault(path.name, None, None, found, "text in UTF-8", save_again))
        return None
    text = content.removeprefix(BOM).decode("utf-8", errors="surrogateescape")
    text = text.replace("\r\n", "\n")
    lines: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), strict=True):
            lines.append(cells)
    except csv.Error:
        found, allowed = "a quotation mark without its partner", "quotation marks in pairs"
        remedy = 'Close the quotation, or double a quotation mark inside a quoted cell ("").'
        findings.add(Fault(path.name, len(lines) + 1, None, found, allowed, remedy))
        return None
    header = lines[0]
    if len(header) == 1 and (separator := re.search("[;\t]", header[0])):
        found = f"columns separated by {'semicolons' if separator[0] == ';' else 'tabs'}"
        findings.add(Fault(path.name, 1, None, found, "columns separated by commas", save_again))
        return None
    if not any(map(any, lines[1:])):
        remedy = "Put the rows back."
        findings.add(Fault(path.name, None, None, "a header only", "at least one row", remedy))
        return None
    widths = {len(cells) for cells in lines[1:] if any(cells)}
    if len(header) not in widths:
        found = f"{len(header)} column names over rows of {max(widths)} cells"
        allowed, remedy = "a name for each column", "Look for a comma too many or too few."
        findings.add(Fault(path.name, 1, None, found, allowed, remedy))
        return None
    _mend_encoding(path.name, lines, findings)
    table = RawTable(resource, text)
    positions = _match_header(table, header, findings)
    table.columns = [name for name in fields_of(resource) if name in positions]
    for row, cells in enumerate(lines[1:], start=2):
        if not cells:  # an empty line is no row; spreadsheets still count it
            continue
        _check_shape(table, row, cells, len(header), findings)
        cells += [""] * (len(header) - len(cells))
        table.records.append({name: cells[positions[name]] for name in table.columns})
        table.rows.append(row)
    return table


def _mend_encoding(file: str, lines: list[list[str]], findings: Findings) -> None:
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
        found = f"{shown(lines[row][place])} in another encoding than UTF-8"
        if len(foreign) > 1:
            found += f" (the first of {len(foreign)} such cells)"
        column = lines[0][place] if place < len(lines[0]) else None
        remedy = "Save the file again as CSV UTF-8 and check the accents."
        findings.add(Fault(file, row + 1, column, found, "text in UTF-8", remedy))


def _match_header(table: RawTable, header: list[str], findings: Findings) -> dict[str, int]:
    """Position of each schema column in the file; a misspelt name is taken for the one it means."""
    names = list(fields_of(table.resource))
    positions = {name: header.index(name) for name in names if name in header}
    for place, label in enumerate(header):
        missing = [name for name in names if name not in positions]
        meant = nearest(label.strip(), missing)
        if positions.get(label) == place:
            continue
        if label in positions:
            found, allowed = f"{shown(label)} a second time", "each column once"
            remedy = "Delete or rename one of the two columns."
        elif meant:
            found, allowed = shown(label), shown(meant)
            remedy = f"Rename the column to {meant}."
            positions[meant] = place
        else:
            found = f"an extra column {shown(label)}" if label else "a column without a name"
            allowed = ", ".join(names)
            remedy = "Delete the column, or describe it in datapackage.json."
        # Keyed by place: two nameless columns are two faults.
        fault = Fault(table.file, 1, label.strip() or None, found, allowed, remedy)
        findings.add(fault, [f"{label} at {place}"])
    for name in names:
        if name not in positions:
            remedy = f"Put the column {name} back, with its cells."
            findings.add(Fault(table.file, 1, name, "no such column", "every column once", remedy))
    return positions


def _check_shape(
    table: RawTable, row: int, cells: list[str], width: int, findings: Findings
) -> None:
    """Report a row without content, or with more or fewer cells than the header."""
    if not any(cells):
        found, allowed = "a row of blank cells", "rows with content"
        findings.add(Fault(table.file, row, None, found, allowed, "Delete the row."))
    elif len(cells) != width:
        found, allowed = f"{len(cells)} cells", f"{width} cells, one for each column"
        remedy = "Add the missing commas."
        if len(cells) > width:
            remedy = "Put double quotes around a cell that contains a comma."
        findings.add(Fault(table.file, row, None, found, allowed, remedy))
