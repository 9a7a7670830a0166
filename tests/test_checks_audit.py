"""The second road of the audit and of the agreement notices what is changed, in data and figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from analysis.plots import agreement
from analysis.report import Report
from checks import figures, fresh, ledger, plans, recompute, rows
from checks.ledger import Ledger
from checks.sources import Sources
from tests.test_checks_recompute import RECORDS, ROOT, TRIALS, cell, data_of, index

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files() -> Files:
    return fresh.read_files(ROOT, ROOT / "data")


@pytest.fixture(scope="module")
def data(files: Files) -> rows.Data:
    return rows.read(data_of(files))


@pytest.fixture(scope="module")
def right(shipped: Report) -> Ledger:
    return ledger.read(shipped.ledger.to_json().encode())


@pytest.mark.parametrize(
    "key",
    [
        "audit.all.cut_off",
        "audit.derived.used_rounded",
        "audit.ambiguous_nearest",
        "audit.study.gonzalezlopez2017.eltrombopag.overall_response.15.high",
        "audit.study.hou2003.mycophenolate.relapse.any.nearest",
        "audit.founding_sirolimus_overall_6.distance",
        "published.overlap",
        "published.kou_2024.fostamatinib.overall_response.estimate",
        "published.arnold_2007.rituximab.overall_response.same_threshold",
        "published.li_2019.rituximab.complete_response.difference",
    ],
)
def test_a_changed_value_is_noticed(right: Ledger, data: rows.Data, key: str) -> None:
    number = right.numbers[key]
    assert not isinstance(number.value, str)
    changed = {**right.numbers, key: replace(number, value=number.value + 1)}
    faults = recompute.compare(Ledger(changed, ()), data, TRIALS, RECORDS).faults
    assert [fault.place for fault in faults] == [f"numbers.json {key}"]


@pytest.mark.parametrize(
    ("table", "row", "column", "new", "key"),
    [
        # The decimals of a printed percentage count, though its value stays.
        ("outcomes.csv", {"study_id": "hou2003", "reported_percent": "39"}, "reported_percent",
         "38.46", "audit.all.none"),
        ("outcomes.csv", {"study_id": "colella2021", "reported_percent": "66"},
         "second_extraction", "agreed", None),
        ("outcomes.csv", {"study_id": "yang2017", "reported_percent": "57.7"}, "source_locator",
         "founding article, text", "audit.founding.no_other_source"),
        ("constants.csv", {"constant": "founding_eltrombopag"}, "value", "57.8",
         "audit.founding.another_figure"),
        ("published_pools.csv", {"source": "Kou", "outcome": "overall_response"}, "ci_low", "86",
         "published.overlap"),
        ("published_pools.csv", {"source": "Liang"}, "population", "adult", "published.children"),
        ("therapies.csv", {"therapy": "fostamatinib"}, "mode", "course",
         "published.kou_2024.fostamatinib.durable_response.difference"),
    ],
)  # fmt: skip
def test_changed_data_no_longer_give_the_ledger(
    right: Ledger,
    files: Files,
    table: str,
    row: dict[str, str],
    column: str,
    new: str,
    key: str | None,
) -> None:
    changed = rows.read(cell(files, table, index(files, table, **row), column, new))
    faults = recompute.compare(right, changed, TRIALS, RECORDS).faults
    places = {fault.place for fault in faults}
    assert places
    assert key is None or f"numbers.json {key}" in places


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("agreement")
    agreement.agreement(shipped.ledger, folder, shipped.agreement)
    svg, table = (folder / f"agreement.{kind}" for kind in ("svg", "csv"))
    return svg.read_bytes(), table.read_bytes()


@pytest.mark.parametrize("breaks", ["", "mark", "number", "label", "cell"])
def test_the_figure_passes_as_drawn_and_not_otherwise(
    drawn: tuple[bytes, bytes],
    right: Ledger,
    files: Files,
    data: rows.Data,
    breaks: str,
) -> None:
    sources = Sources(data_of(files), {})
    found = plans.plans(data, sources, RECORDS.found)
    (plan,) = (plan for plan in found if plan.name == "agreement")
    svg, table = drawn
    if breaks == "cell":
        table = table.replace(b"0.62,", b"0.63,", 1)
    root = etree.fromstring(svg)
    if breaks == "mark":
        use = root.xpath("//*[@id='mark-published.kojouri_2004.splenectomy.complete_response']")[0]
        square = next(e for e in use.iter() if e.get("x"))
        square.set("x", str(float(square.get("x")) + 0.5))
    old = {"number": ">62%<", "label": ">Kojouri 2004<"}.get(breaks, "")
    words = etree.tostring(root).decode()
    assert old in words
    words = (
        words.replace(old, ">63%<" if breaks == "number" else ">Kojouri 2005<") if old else words
    )
    figure = figures.read("agreement", words.encode(), table)
    faults = figures.check(figure, right, sources, plan).faults
    assert bool(faults) == bool(breaks), [str(fault) for fault in faults]
