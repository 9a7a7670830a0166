from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.plots import gallery
from analysis.plots.alttext import Speaker
from analysis.plots.page import shorten
from analysis.report import Report

PREFIX = "pool.sirolimus.overall_response"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    gallery.draw_all(shipped, folder)
    return folder


def numbers(svg: Path) -> dict[str, str]:
    """Texts of a figure's numbers by key."""
    found: dict[str, str] = {}
    for group in ElementTree.parse(svg).iter(f"{SVG}g"):
        if group.get("id", "").startswith("num-"):
            key = group.attrib["id"].removeprefix("num-")
            found[key] = "".join("".join(t.itertext()) for t in group.iter(f"{SVG}text"))
    return found


def test_every_number_of_every_figure_is_the_ledgers(shipped: Report, drawn: Path) -> None:
    figures = sorted(drawn.glob("*.svg"))
    assert len(figures) > 30
    for svg in figures:
        for key, text in numbers(svg).items():
            assert text == shipped.ledger[key.split("#")[0]].text, (svg.name, key)


def test_ids_of_numbers_names_and_marks_stand_once(drawn: Path) -> None:
    for svg in drawn.glob("*.svg"):
        ids = [group.get("id", "") for group in ElementTree.parse(svg).iter(f"{SVG}g")]
        tagged = [i for i in ids if i.startswith(("num-", "datum-", "axis-", "symbol-", "mark-"))]
        assert sorted(tagged) == sorted(set(tagged)), svg.name


def test_a_number_drawn_twice_is_tagged_twice(drawn: Path) -> None:
    shown = numbers(drawn / "sirolimus-course.svg")
    key = "study.feng2020.sirolimus.overall_response.6.events"
    assert shown[key] == shown[f"{key}#2"]


def test_names_say_where_they_stand_in_the_data(drawn: Path) -> None:
    single = (drawn / "single-overall_response.svg").read_text(encoding="utf-8")
    assert re.search(r'id="datum-therapies#[a-z0-9_]+#label\+studies#[a-z0-9]+#label"', single)
    by_class = (drawn / "side-by-side-class-overall_response.svg").read_text(encoding="utf-8")
    assert 'id="datum-classes#cytotoxic#label"' in by_class


def test_each_study_and_therapy_of_the_map_has_its_mark(shipped: Report, drawn: Path) -> None:
    marks = set(re.findall(r'id="mark-map\.([^"]+)"', (drawn / "map.svg").read_text("utf-8")))
    rows = shipped.selection.rows
    assert marks == set(rows["study_id"] + "." + rows["therapy"])


def test_a_forest_plot_shows_counts_rates_weights_and_heterogeneity(drawn: Path) -> None:
    shown = numbers(drawn / "forest-sirolimus-overall_response.svg")
    stats = {"events", "n", "estimate", "ci_low", "ci_high"}
    expected = {f"{PREFIX}.{s}" for s in stats | {"pi_low", "pi_high", "tau2", "i2", "q"}}
    expected |= {f"{PREFIX}.study.feng2020.{s}" for s in stats | {"weight"}}
    assert expected <= shown.keys()


def test_each_figure_has_its_data_beside_it(shipped: Report, drawn: Path) -> None:
    for svg in drawn.glob("*.svg"):
        with svg.with_suffix(".csv").open(encoding="utf-8") as file:
            assert list(csv.DictReader(file)), svg.name
    with (drawn / "forest-sirolimus-overall_response.csv").open(encoding="utf-8") as file:
        pooled = [row for row in csv.DictReader(file) if row["kind"] == "pooled"]
    assert float(pooled[0]["estimate"]) == shipped.ledger[f"{PREFIX}.estimate"].value


def test_text_is_text_without_outlines(drawn: Path) -> None:
    svg = (drawn / "forest-sirolimus-overall_response.svg").read_text(encoding="utf-8")
    assert "Feng 2020" in svg
    assert "Verdana" in svg


def test_same_report_same_bytes(shipped: Report, drawn: Path, tmp_path: Path) -> None:
    gallery.pool_forest(shipped, tmp_path, PREFIX)
    for name in ("forest-sirolimus-overall_response.svg", "forest-sirolimus-overall_response.csv"):
        assert (tmp_path / name).read_bytes() == (drawn / name).read_bytes()


def test_alt_text_speaks_each_row_and_names_its_keys(shipped: Report, tmp_path: Path) -> None:
    figure = gallery.pool_forest(shipped, tmp_path, PREFIX)
    assert "Feng 2020 *: 73 of 86, 84.9% (75.5% to 91.7%), weight" in figure.alt
    assert f"Pooled: {shipped.ledger[f'{PREFIX}.n'].text} patients" in figure.alt
    spoken = re.sub(r"\b(19|20)\d\d\b", "", figure.alt)
    assert figure.alt_keys[:2] == ("therapies#sirolimus#label", "studies#li2013#label")
    texts = [shipped.ledger[key].text for key in figure.alt_keys if "#" not in key]
    assert re.findall(r"\d[\d.,]*\d%?|\d%?", spoken) == texts


def test_an_unknown_stat_cannot_be_spoken(shipped: Report) -> None:
    with pytest.raises(KeyError, match="no number"):
        Speaker(shipped.ledger).say("{nothing}", PREFIX)


def test_old_figures_do_not_linger(shipped: Report, tmp_path: Path) -> None:
    (tmp_path / "gone.svg").write_text("old")
    gallery.draw_all(shipped, tmp_path)
    assert not (tmp_path / "gone.svg").exists()


@pytest.mark.parametrize(
    ("text", "short"), [("Danazol", "Danazol"), ("Rituximab + dexamethasone", "Rituximab +…")]
)
def test_shorten(text: str, short: str) -> None:
    assert shorten(text, 14) == short
