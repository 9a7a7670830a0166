"""The check of the outlook and of missing denominators: what it guards, broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from analysis.plots import denominators, outlook
from analysis.report import DATA, Report
from checks import figures, fresh, ledger, recompute, rows
from checks.book import Project
from checks.faults import Fault
from checks.figure_plan import figure_plans
from checks.sources import Sources

Check = Callable[..., list[Fault]]

ROOT = Path(__file__).parents[1]
SIROLIMUS = "outlook.sirolimus.overall_response"
MONTALVO = "denominator.montalvo2014.splenectomy_lap.complete_response.12"


@cache
def expected_from() -> tuple[rows.Data, bytes, recompute.Records]:
    files = fresh.read_files(ROOT, ROOT / "data")
    data = rows.read({n.removeprefix("data/"): c for n, c in files.items()})
    trials = (ROOT / "checks" / "mutations.json").read_bytes()
    return data, trials, recompute.Records(Project(files).records)


def faults_of(entries: list[dict[str, Any]]) -> list[str]:
    found = recompute.compare(ledger.read(json.dumps(entries).encode()), *expected_from())
    return [f"{fault.place} {fault.found}" for fault in found.faults]


@pytest.fixture(scope="module")
def entries(shipped: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shipped.ledger.to_json())
    return found


@pytest.mark.parametrize(
    "key",
    [
        f"{SIROLIMUS}.width", f"{SIROLIMUS}.remaining", f"{SIROLIMUS}.further",
        f"{SIROLIMUS}.after.ci_low", f"{SIROLIMUS}.above.limit", f"{SIROLIMUS}.below.at",
        f"{SIROLIMUS}.quantile", f"{SIROLIMUS}.if_many.pi_high", f"{SIROLIMUS}.typical",
        "comparable.rescue_month_3.overall_response", "comparable.single",
        "rescue_month_6.rituximab.overall_response.estimate",
        f"{MONTALVO}.sizes", f"{MONTALVO}.cut_smallest_n", f"{MONTALVO}.smallest.n",
        f"{MONTALVO}.with_largest.ci_high",
    ],
)  # fmt: skip
def test_every_number_is_worked_out_again(entries: list[dict[str, Any]], key: str) -> None:
    changed = [dict(entry) for entry in entries]
    one = next(entry for entry in changed if entry["key"] == key)
    one["value"] += 1 if one["unit"] in ("count", "plain") else 1e-4
    assert any(f"{key} value" in fault for fault in faults_of(changed))


def test_shipped_numbers_are_right(entries: list[dict[str, Any]]) -> None:
    assert faults_of(entries) == []


@pytest.fixture(scope="module")
def check(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """The faults of a figure in which one piece of the drawing or of its data is replaced."""
    folder = tmp_path_factory.mktemp("figures")
    outlook.draw(shipped, folder)
    denominators.draw(shipped, folder)
    files = {path.name: path.read_bytes() for path in DATA.iterdir() if path.is_file()}
    sources, numbers = Sources(files, {}), ledger.read(shipped.ledger.to_json().encode())
    plans = figure_plans(rows.read(files), sources, expected_from()[2].found)

    def faults(name: str, suffix: str = "", old: str = "", new: str = "") -> list[Fault]:
        content = {s: (folder / f"{name}{s}").read_bytes() for s in (".svg", ".csv")}
        if suffix:
            assert old.encode() in content[suffix]
            content[suffix] = content[suffix].replace(old.encode(), new.encode(), 1)
        figure = figures.read(name, content[".svg"], content[".csv"])
        return figures.check(figure, numbers, sources, plans[name]).faults

    return faults


@pytest.mark.parametrize("name", ["comparable", "new-study", "denominators"])
def test_shipped_figures_are_right(check: Check, name: str) -> None:
    assert check(name) == []


@pytest.mark.parametrize(
    ("name", "suffix", "old", "new"),
    [
        ("comparable", ".svg", "num-const.visit_first", "num-const.visit_second"),
        ("comparable", ".csv", "rescue_month_3.", "rescue_month_6."),
        ("new-study", ".svg", "mark-sirolimus.point", "mark-dapsone.point"),
        ("new-study", ".csv", "sirolimus,0.5,0.7", "sirolimus,0.5,0.8"),
        ("denominators", ".svg", "mark-montalvo2014.low.53", "mark-montalvo2014.low.54"),
        ("denominators", ".csv", "montalvo2014,53,0.7", "montalvo2014,53,0.8"),
    ],
)
def test_a_figure_that_shows_something_else_is_noticed(
    check: Check, name: str, suffix: str, old: str, new: str
) -> None:
    assert check(name, suffix, old, new)
