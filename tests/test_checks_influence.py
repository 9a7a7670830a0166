"""The numbers and figures of influence pass the check, and each thing that is broken is noticed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.plots import influence as drawing
from analysis.report import Report
from checks import figures, plans
from checks import ledger as ledgers
from checks.faults import Fault
from checks.figures import Figure
from checks.plans import influence as planning
from checks.rows import Data, read
from checks.sources import Sources
from checks.values import influence as values

POOL = "pool.splenectomy.durable_response_off"
SUBSETS, STUDIES = (f"{kind}-splenectomy-durable_response_off" for kind in ("subsets", "studies"))
Check = Callable[[str, str | None], list[Fault]]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("data").iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def data(files: dict[str, bytes]) -> Data:
    return read(files)


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("influence")
    drawing.scatter(shipped, folder, POOL)
    drawing.studies(shipped, folder, POOL)
    return folder


@pytest.fixture(scope="module")
def check(shipped: Report, files: dict[str, bytes], data: Data, drawn: Path) -> Check:
    """Faults of a figure, its SVG or its CSV replaced."""
    sources = Sources(files, {})
    planned = {plan.name: plans.of_chart(plan) for plan in planning.plans(data, sources)}
    ledger = ledgers.read(shipped.ledger.to_json().encode())

    def check(name: str, svg: str | None = None, csv: str | None = None) -> list[Fault]:
        svg = (drawn / f"{name}.svg").read_text("utf-8") if svg is None else svg
        csv = (drawn / f"{name}.csv").read_text("utf-8") if csv is None else csv
        figure: Figure = figures.read(name, svg.encode(), csv.encode())
        return figures.check(figure, ledger, sources, planned[name]).faults

    return check


@pytest.mark.parametrize("name", [SUBSETS, STUDIES])
def test_the_figures_pass(check: Check, name: str) -> None:
    assert [str(fault) for fault in check(name)] == []


@pytest.mark.parametrize("name", [SUBSETS, STUDIES])
def test_a_changed_cell_is_noticed(check: Check, drawn: Path, name: str) -> None:
    text = (drawn / f"{name}.csv").read_text("utf-8")
    for found in list(re.finditer(r"(?<=,)\d+(?=[,\n])|0\.\d\d\d", text))[::11]:
        more = found[0][:-1] + str((int(found[0][-1]) + 1) % 10)
        broken = text[: found.start()] + more + text[found.end() :]
        assert check(name, csv=broken), found


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        (SUBSETS, f"mark-gosh.{POOL}.with"),
        (SUBSETS, f"mark-gosh.{POOL}.without.all"),
        (STUDIES, f"mark-loo.{POOL}.without.liy2016"),
        (STUDIES, f"mark-without.{POOL}"),
        (STUDIES, f"mark-cumulative.{POOL}.through.liy2016.interval"),
    ],
)
def test_a_mark_under_another_name_is_noticed(
    check: Check, drawn: Path, name: str, mark: str
) -> None:
    svg = (drawn / f"{name}.svg").read_text("utf-8")
    assert f'id="{mark}"' in svg
    assert check(name, svg=svg.replace(f'id="{mark}"', f'id="{mark}x"'))


def test_a_square_moved_by_a_cell_is_noticed(check: Check, drawn: Path) -> None:
    svg = (drawn / f"{SUBSETS}.svg").read_text("utf-8")
    start = svg.index(f'id="mark-gosh.{POOL}.with"')
    found = re.compile(r' x="([\d.]+)"').search(svg, start)
    assert found
    broken = f' x="{float(found[1]) + 4.75:.3f}"'
    assert check(SUBSETS, svg=svg[: found.start()] + broken + svg[found.end() :])


def test_every_number_is_worked_out_again(shipped: Report, data: Data) -> None:
    wanted = values.expected(data, {})
    numbers = {entry.key: entry for entry in shipped.ledger}
    ours = {key for key in numbers if key.split(".")[0] in values.FAMILIES}
    assert ours == wanted.keys()
    for key, expected in wanted.items():
        assert not isinstance(expected.value, str)
        assert numbers[key].value == pytest.approx(expected.value, abs=expected.tolerance), key
        assert (numbers[key].unit, set(numbers[key].rows)) == (expected.unit, expected.rows)


def test_one_patient_more_changes_the_subsets(files: dict[str, bytes]) -> None:
    """A study that gains a responder moves cells, so that the figure's data no longer agree."""
    whole = values.asked(read(files))[POOL]
    counts = values.counts_of(whole)
    changed = ((counts[0][0] + 1, counts[0][1]), *counts[1:])
    assert values.scatter(counts).sides != values.scatter(changed).sides
    assert json.dumps(values.refit(counts).estimate) != json.dumps(values.refit(changed).estimate)
