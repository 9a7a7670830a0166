"""What the analysis costs: the evidence that it is measured on, and what the check knows of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import evidence, selection
from analysis.entries.cost import cost_entries, exact_places
from analysis.ledger import Ledger
from analysis.plots import cost as drawing
from checks import figures, plans
from checks import ledger as ledgers
from checks.plans import cost as planning
from checks.rows import Data
from checks.sources import Sources
from checks.values import cost as values
from tests.bench.grown import grow

DATA = Path("data")
RECORD = {
    "cores": 2,
    "again": 3.5,
    "growth": [
        {"factor": f, "studies": 124 * f, "rows": 326 * f, "seconds": s, "mebibytes": m}
        for f, s, m in ((1, 12.3, 210), (10, 98.0, 300), (100, 1040.0, 1100))
    ],
    "gosh": {
        "studies": 20, "subsets": 1048555, "metafor_subsets": 2000,
        "DL": {"seconds": 0.21, "mebibytes": 150, "ratio": 640},
        "REML": {"seconds": 1.7, "mebibytes": 200, "ratio": 4100, "worst": 7.1e-13},
    },
}  # fmt: skip


def test_grown_evidence_is_valid_and_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(DATA, tmp_path / name)
        grow(DATA, tmp_path / name, 4)
    read = evidence.read(tmp_path / "one")
    assert read.digest == evidence.read(tmp_path / "two").digest
    shipped = evidence.read(DATA)
    assert len(read.studies) == 4 * len(shipped.studies)
    controls = shipped.therapies["drug_class"].eq("control").sum()
    assert len(read.therapies) == 2 * len(shipped.therapies) - controls
    before, after = (selection.select(e).members for e in (shipped, read))
    for prefix in ("pool.rituximab.overall_response", "pool.sirolimus.overall_response"):
        assert len(after[prefix].studies) == 2 * len(before[prefix].studies)
        assert set(before[prefix].studies) <= set(after[prefix].studies)


def test_the_first_copy_of_the_evidence_is_the_evidence(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    grow(DATA, tmp_path / "data", 1)
    for name in ("studies.csv", "outcomes.csv", "therapies.csv", "references.bib"):
        assert (tmp_path / "data" / name).read_bytes() == (DATA / name).read_bytes()


def test_the_check_finds_the_same_costs_in_the_record() -> None:
    found = {entry.key: entry for entry in cost_entries(RECORD)}
    wanted = values.expected(Data.__new__(Data), {"cost": RECORD})
    assert found.keys() == wanted.keys()
    for key, entry in found.items():
        assert abs(entry.value - wanted[key].value) <= wanted[key].tolerance, key  # type: ignore[operator]
        assert entry.unit == wanted[key].unit
    assert found["cost.hundred.times"].text == "84.6"
    assert found["speed.gosh.places"].value == exact_places(7.1e-13) == 12


@pytest.mark.parametrize("stat", ["seconds", "mebibytes"])
def test_the_chart_of_costs_is_measured(stat: str, tmp_path: Path) -> None:
    ledger = Ledger(cost_entries(RECORD))
    drawing.growth(ledger, tmp_path, RECORD)
    svg, table = ((tmp_path / f"cost.{kind}").read_bytes() for kind in ("svg", "csv"))
    numbers = ledgers.read(ledger.to_json().encode())
    nothing = Sources({"datapackage.json": b"{}", **_tables()}, {})
    plan = plans.of_chart(planning.plans({"cost": RECORD})[0])
    figure = figures.read("cost", svg, table)
    assert [str(f) for f in figures.check(figure, numbers, nothing, plan).faults] == []
    growth = [dict(size) for size in RECORD["growth"]]  # type: ignore[call-overload]
    growth[1][stat] = growth[1][stat] * 1.01 + 1
    other = plans.of_chart(planning.plans({"cost": RECORD | {"growth": growth}})[0])
    rules = {f.rule for f in figures.check(replace(figure), numbers, nothing, other).faults}
    assert rules == {"place", "download"}


def _tables() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in DATA.glob("*.csv")}
