"""The second road to the simulation, and what the check notices in its values and its figure."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from analysis.entries.simulation import simulation_entries
from analysis.plots import simulation as drawing
from analysis.report import DATA, Report
from analysis.simulate import RECORD
from checks import figures, ledger, plans, rows
from checks.plans import simulation as planning
from checks.sources import Sources
from checks.values import simulation as values

FILES = {path.name: path.read_bytes() for path in DATA.iterdir() if path.is_file()}
DATA_READ = rows.read(FILES)
FOUND = json.loads(RECORD.read_text(encoding="utf-8"))


def expected(record: Any) -> dict[str, Any]:
    return values.expected(DATA_READ, {"simulation": record})


def test_every_number_is_worked_out_again_and_no_other() -> None:
    wanted = expected(FOUND)
    numbers = {number.key: number for number in simulation_entries(FOUND)}
    assert numbers.keys() == wanted.keys()
    for key, number in numbers.items():
        assert number.value == pytest.approx(wanted[key].value, abs=1e-9), key
        assert number.unit == wanted[key].unit, key


@pytest.mark.parametrize("column", ["covered", "wald_covered", "width", "glmm_covered"])
def test_a_change_of_the_record_changes_what_is_expected(column: str) -> None:
    other = deepcopy(FOUND)
    for row in other["rows"]:
        if row[:3] == [20, 0.05, 0.5]:
            row[FOUND["columns"].index(column)] += 1
    assert expected(other) != expected(FOUND)


def broken(shipped: Report, folder: Path, old: str, new: str) -> list[str]:
    """What the check says of the figure when its drawing or table is changed so."""
    drawing.coverage(shipped.ledger, folder, FOUND)
    svg, table = ((folder / f"coverage.{kind}").read_text() for kind in ("svg", "csv"))
    assert not old or old in svg + table
    if old:
        svg, table = svg.replace(old, new, 1), table.replace(old, new, 1)
    figure = figures.read("coverage", svg.encode(), table.encode())
    sources = Sources(FILES, {})
    (plan,) = (plans.of_chart(one) for one in planning.plans({"simulation": FOUND}))
    book = ledger.read(shipped.ledger.to_json().encode())
    return [str(fault) for fault in figures.check(figure, book, sources, plan).faults]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("0.905263157894", "0.915263157894"),
        ("mark-simulation.k_20.rate_5.covered", "mark-simulation.k_20.rate_5.wrong"),
        ("mark-glmm.k_5", "mark-wald.k_5"),
        ("num-simulation.studies.3", "num-simulation.studies.5"),
        ("binomial-normal model", "Wald"),
    ],
)
def test_a_change_of_the_figure_is_noticed(
    shipped: Report, tmp_path: Path, old: str, new: str
) -> None:
    assert bool(broken(shipped, tmp_path, old, new)) == bool(old)
