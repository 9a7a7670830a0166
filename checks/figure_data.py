"""The CSV beside each figure: every cell is the ledger's value of its row and column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

from checks.faults import Fault
from checks.ledger import REBUILD, Number
from checks.plans.chart import Cell
from checks.plans.figure import FigurePlan, Line
from checks.sources import Sources

#: Statistics of a forest plot's line that its CSV holds beside those that are drawn.
_MORE = {
    "pooled": ("pi_low", "pi_high", "tau2", "i2", "q"),
    "study": ("reported_percent",),
    "printed": (),
}
_COLUMNS = {
    "forest": {
        "label", "kind", "key", "events", "n", "k", "enrolled", "estimate",
        "estimate_all_enrolled", "ci_low", "ci_high", "pi_low", "pi_high", "weight", "tau2", "i2",
        "q", "reported_percent", "treated_events", "treated_n", "control_events", "control_n",
    },
    "flow": {"box", "line", "rows", "studies"},
    "map": {"therapy", "label", "study", "year", "design", "pooled"},
}  # fmt: skip


def check(
    name: str,
    data: str | None,
    plan: FigurePlan,
    numbers: Mapping[str, Number],
    sources: Sources,
) -> list[Fault]:
    """Compare the CSV of a figure with its plan; data is its text, None where it is missing."""
    place = f"figures/{name}.csv"
    if data is None:
        return [_fault(place, f"no {name}.csv", "the data of the figure beside it")]
    if plan.chart:
        return _table(place, data, *plan.chart.table)
    reader = csv.DictReader(io.StringIO(data, newline=""), restval="")
    try:
        records = list(reader)
    except csv.Error as error:
        return [_fault(place, f"a broken table ({error})", "a CSV file")]
    if not records:
        return [_fault(place, f"no line of data in {name}.csv", "the data of the figure")]
    header = list(reader.fieldnames or ())
    strange = [one for one in header if one not in _COLUMNS[plan.kind] or header.count(one) > 1]
    if strange:
        return [_fault(place, f"the column {strange[0]}", "columns of this kind, each once")]
    if any(None in record for record in records):
        return [_fault(place, "a line with more cells than the header", "as many as columns")]
    if plan.kind == "map":
        return _map(place, records, plan, sources)
    lines = [line for line in plan.lines if line.kind != "prediction"]
    faults = []
    if len(records) != len(lines):
        faults.append(_fault(place, f"{len(records)} lines", f"{len(lines)} by the data"))
    for position, (record, line) in enumerate(zip(records, lines, strict=False), start=2):
        cells = _flow(line, numbers) if plan.kind == "flow" else _forest(line, numbers)
        faults += _compare(f"{place} line {position}", record, cells)
    return faults


def _forest(line: Line, numbers: Mapping[str, Number]) -> dict[str, str]:
    drawn = [key for column, key in line.cells.items() if column != "month"]
    more = [f"{line.prefix}.{stat}" for stat in _MORE.get(line.kind, ())]
    cells = {key.rpartition(".")[2]: _cell(key, numbers) for key in [*drawn, *more]}
    return {"label": line.label, "kind": line.kind, "key": line.prefix, **cells}


def _flow(line: Line, numbers: Mapping[str, Number]) -> dict[str, str]:
    return {"line": line.label, **{noun: _cell(key, numbers) for noun, key in line.cells.items()}}


def _cell(key: str, numbers: Mapping[str, Number]) -> str:
    """A value with all its digits; blank where the ledger has none."""
    return str(numbers[key].value) if key in numbers else ""


def _compare(place: str, record: Mapping[str, str], wanted: Mapping[str, str]) -> list[Fault]:
    """Cells that differ; a column that the line does not use is blank, the flow's boxes apart."""
    columns = dict.fromkeys([*wanted, *record])
    return [
        _fault(f"{place}, {column}", f'"{record.get(column, "")}"', f'"{wanted.get(column, "")}"')
        for column in columns
        if column != "box" and record.get(column, "") != wanted.get(column, "")
    ]


def _table(
    place: str, data: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> list[Fault]:
    """The table of a chart, cell by cell."""
    try:
        lines = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    except csv.Error as error:
        return [_fault(place, f"a broken table ({error})", "a CSV file")]
    if not lines or lines[0] != list(header):
        return [_fault(place, ",".join(lines[0]) if lines else "no line", ",".join(header))]
    faults = []
    if len(lines) - 1 != len(rows):
        faults.append(_fault(place, f"{len(lines) - 1} lines", f"{len(rows)} by the data"))
    for number, (line, row) in enumerate(zip(lines[1:], rows, strict=False), start=2):
        if len(line) != len(header):
            faults.append(_fault(f"{place} line {number}", f"{len(line)} cells", f"{len(header)}"))
            continue
        faults += [
            _fault(f"{place} line {number}, {column}", f'"{found}"', f'"{wanted}"')
            for column, found, wanted in zip(header, line, row, strict=True)
            if not _agrees(found, wanted)
        ]
    return faults


def _agrees(found: str, wanted: Cell) -> bool:
    """Whether a cell reads as it should; numbers with a point within rounding or tolerance."""
    if wanted is None or isinstance(wanted, str | int):
        return found == ("" if wanted is None else str(wanted))
    value, tolerance = wanted if isinstance(wanted, tuple) else (wanted, 1e-9 * abs(wanted) + 1e-12)
    try:
        return abs(float(found) - value) <= tolerance
    except ValueError:
        return False


def _map(
    place: str, records: list[dict[str, str]], plan: FigurePlan, sources: Sources
) -> list[Fault]:
    """One line for each mark: therapy, its name, study, year, design, whether it is in a pool."""
    wanted = Counter[tuple[str, ...]]()
    for line in plan.lines:
        for mark in line.marks:
            study = mark.id.removeprefix("mark-map.").removesuffix(f".{line.prefix}")
            year = sources.text(f"studies#{study}#year") or ""
            wanted[line.prefix, line.label, study, year, mark.shape, str(mark.filled)] += 1
    columns = ("therapy", "label", "study", "year", "design", "pooled")
    found = Counter(tuple(record.get(name, "") for name in columns) for record in records)
    return [
        _fault(place, f"{found[cells]} lines {','.join(cells)}", f"{wanted[cells]} by the data")
        for cells in sorted(found.keys() | wanted.keys())
        if found[cells] != wanted[cells]
    ]


def _fault(place: str, found: str, expected: str) -> Fault:
    return Fault("download", place, found, expected, REBUILD)
