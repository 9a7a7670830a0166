"""A chart passes the check by its plan, and each thing that is broken in one is noticed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree

from analysis.ledger import Ledger, entry
from analysis.plots import chart as drawing
from analysis.plots.chart import Chart
from checks import figures, mutants, plans
from checks import ledger as ledgers
from checks.faults import Fault
from checks.figures import Figure
from checks.plans import chart as planning
from checks.plans.chart import ChartMark, ChartPanel, ChartPlan, Where, label, number, rule, words
from checks.sources import Sources
from checks.svg import SVG

Root = etree._Element
XS = [0.05 * n for n in range(21)]
YS = [n * n / 400 for n in range(21)]
CLOUD = ([0.1, 0.4, 0.7], [0.2, 1.2, 2.2], [2.0, 3.0, 3.0])
LEDGER = Ledger([entry("a.low", 0.25, "percent"), entry("b.low", 0.5, "percent")])
FENG, LI = ("studies#feng2020#label",), ("studies#li2013#label",)
ROWS = [("without Feng 2020", FENG), ("without Li 2013", LI), ("with all", ())]


def draw(folder: Path) -> Figure:
    chart = Chart(LEDGER, 4.0)
    rates = drawing.percent_axis(title="Rate")
    main = chart.panel("main", (1.6, 2.3, 5.5, 3.6), rates, drawing.rows_axis(ROWS))
    main.rule("half", x=0.5)
    main.cloud("cloud", *CLOUD)
    main.line("interval.b", (0.3, 1), (0.8, 1))
    main.square("all", 0.5, 2, accent=True)
    main.circle("b", 0.55, 1, filled=False)
    ratios = drawing.log_axis(0.25, 4, (0.25, 0.5, 1, 2, 4), "Ratio")
    below = chart.panel(
        "below", (1.6, 0.5, 5.5, 1.7), ratios, drawing.number_axis(-1, 1, 0.5, "tau²")
    )
    below.diamond("log", 0.5, -0.5, grey=True)
    below.curve("curve", [4**x for x in XS], YS, accent=True)
    below.rule("zero", y=0)
    for row, key in enumerate(("a.low", "b.low")):
        chart.number(6.2, main.up(row), key)
    chart.words(6.0, 3.75, "low", "right")
    chart.label(0.1, 2.0, "Feng 2020 alone", FENG)
    chart.legend([("circle", "hollow", "a study"), ("line", "accent", "the curve")])
    chart.write(folder, "drawn", pd.DataFrame({"row": ["a", "b"], "n": [1, 2], "x": [0.1, 1 / 3]}))
    return figures.read(
        "drawn", (folder / "drawn.svg").read_bytes(), (folder / "drawn.csv").read_bytes()
    )


def plan() -> ChartPlan:
    rates = planning.percent_axis(title="Rate")
    main = ChartPanel("main", rates, planning.rows_axis(ROWS))
    ratios = planning.log_axis(0.25, 4, (0.25, 0.5, 1, 2, 4), "Ratio")
    below = ChartPanel("below", ratios, planning.number_axis(-1, 1, 0.5, "tau²"))
    return ChartPlan(
        "drawn",
        (main, below),
        (
            rule("half", main, x=0.5),
            ChartMark("cloud", "square", tuple(zip(*CLOUD[:2], strict=True)), side=(2.0, 3.0, 3.0)),
            ChartMark("interval.b", "line", ((0.3, 1), (0.8, 1))),
            ChartMark("all", "square", ((0.5, 2),), accent=True),
            ChartMark("b", "circle", ((0.55, 1),), filled=False),
            ChartMark("log", "diamond", ((0.5, -0.5),), "below", grey=True),
            ChartMark(
                "curve",
                "curve",
                tuple((4**x, y) for x, y in zip(XS, YS, strict=True)),
                "below",
                accent=True,
            ),
            rule("zero", below, y=0),
        ),
        (("row", "n", "x"), (("a", 1, 0.1), ("b", 2, (0.333, 0.001)))),
        (
            number("a.low", Where(left=6.2, panel="main", y=0)),
            number("b.low", Where(left=6.2, panel="main", y=1)),
            words("low", Where(left=6.0, bottom=3.75), "end"),
            label("Feng 2020 alone", FENG, Where(left=0.1, bottom=2.0)),
        ),
        legend=(("circle", "hollow", "a study"), ("line", "accent", "the curve")),
    )


PLAN = plans.of_chart(plan())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Figure:
    return draw(tmp_path_factory.mktemp("chart"))


@pytest.fixture(scope="module")
def sources() -> Sources:
    data = Path("data")
    return Sources({path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}, {})


@pytest.fixture
def check(sources: Sources) -> Callable[[Figure], list[Fault]]:
    ledger = ledgers.read(LEDGER.to_json().encode())
    return lambda figure: figures.check(figure, ledger, sources, PLAN).faults


def test_a_chart_passes_by_its_plan(drawn: Figure, check: Callable[[Figure], list[Fault]]) -> None:
    assert [str(fault) for fault in check(drawn)] == []


def group(root: Root, name: str) -> Root:
    return next(element for element in root.iter(f"{SVG}g") if element.get("id") == name)


def text(root: Root, said: str) -> Root:
    return next(element for element in root.iter(f"{SVG}text") if element.text == said)


def moved(element: Root, x: float = 0.0, y: float = 0.0) -> None:
    for name, step in (("x", x), ("y", y)):
        element.set(name, str(float(element.get(name, "0")) + step))


def use(name: str, x: float = 0.0, y: float = 0.0, which: int = 0) -> Callable[[Root], None]:
    return lambda root: moved(list(group(root, name).iter(f"{SVG}use"))[which], x, y)


def words_moved(said: str, x: float = 0.0, y: float = 0.0) -> Callable[[Root], None]:
    return lambda root: moved(text(root, said), x, y)


def says(old: str, new: str) -> Callable[[Root], None]:
    return lambda root: setattr(text(root, old), "text", new)


def exchanged(one: str, other: str) -> Callable[[Root], None]:
    """Two texts change their words, or where words is false their places."""

    def edit(root: Root) -> None:
        first, second = text(root, one), text(root, other)
        for name in ("x", "y", "transform"):
            mine, yours = first.attrib[name], second.attrib[name]
            first.set(name, yours)
            second.set(name, mine)

    return edit


def without(name: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        element = group(root, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return edit


def doubled(name: str, new: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        twin = deepcopy(group(root, name))
        for inner in list(twin.iter(f"{SVG}defs")):
            twin.remove(inner)
        twin.attrib.pop("id")
        if new:
            twin.set("id", new)
        group(root, name).addnext(twin)

    return edit


def restyled(name: str, old: str, new: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        for element in group(root, name).iter(f"{SVG}path", f"{SVG}use"):
            element.set("style", element.get("style", "").replace(old, new))

    return edit


def redrawn(name: str, change: Callable[[str], str]) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        path = next(group(root, name).iter(f"{SVG}path"))
        assert change(path.attrib["d"]) != path.attrib["d"]
        path.set("d", change(path.attrib["d"]))

    return edit


def vertex_moved(path: str) -> str:
    points = path.split("L")
    x, y = points[7].split()
    points[7] = f" {x} {float(y) + 0.3} "
    return "L".join(points)


def vertex_dropped(path: str) -> str:
    points = path.split("L")
    return "L".join([*points[:7], *points[8:]])


def typed_over(root: Root) -> None:
    text(root, "25.0%").getparent().addnext(  # type: ignore[union-attr]
        etree.fromstring(
            '<svg xmlns="http://www.w3.org/2000/svg"><g id="x"><path d="M 400 20 L 500 20 '
            'L 500 150 L 400 150 z" style="fill: #0072b2"/></g></svg>'
        )[0]
    )


BROKEN: dict[str, tuple[str, Callable[[Root], None]]] = {
    "mark to the side": ("place", use("mark-all", x=0.3)),
    "mark up": ("place", use("mark-b", y=0.3)),
    "mark of a cloud": ("place", use("mark-cloud", x=-0.3, which=1)),
    "mark on the wrong side": ("place", use("mark-log", x=100)),
    "mark in another colour": ("figure", restyled("mark-all", "#d55e00", "#0072b2")),
    "mark filled": ("figure", restyled("mark-b", "fill: #ffffff", "fill: #0072b2")),
    "mark missing": ("figure", without("mark-b")),
    "mark doubled": ("figure", doubled("mark-all", "mark-all")),
    "mark doubled without id": ("figure", doubled("mark-all", "")),
    "mark of a cloud missing": (
        "figure",
        lambda root: list(group(root, "mark-cloud").iter(f"{SVG}use"))[2].clear(),
    ),
    "mark larger": ("place", redrawn("mark-all", lambda d: d.replace("2", "2.4"))),
    "another shape": ("place", redrawn("mark-all", lambda d: d.replace("2 2", "2.1 1.9", 1))),
    "line longer": ("place", redrawn("mark-interval.b", lambda d: d.replace("M 199", "M 198"))),
    "line wider": ("place", restyled("mark-interval.b", "1.1", "1.5")),
    "line bent": ("place", redrawn("mark-interval.b", lambda d: d.replace("L", "L 300 80 L"))),
    "vertex of a curve": ("place", redrawn("mark-curve", vertex_moved)),
    "vertex of a curve missing": (
        "place",
        redrawn("mark-curve", vertex_dropped),
    ),
    "curve in another colour": ("figure", restyled("mark-curve", "#d55e00", "#6b6b6b")),
    "rule aside": ("place", redrawn("mark-half", lambda d: re.sub(r"\b255\.6", "255.2", d))),
    "rule shorter": ("place", redrawn("mark-half", lambda d: re.sub(r"28\.8", "38.8", d))),
    "rule missing": ("figure", without("mark-zero")),
    "tick relabelled": ("figure", says("50%", "60%")),
    "tick aside": ("place", words_moved("25%", x=0.3)),
    "ticks swapped": ("place", exchanged("25%", "75%")),
    "tick of a ratio aside": ("place", words_moved("4", x=4)),
    "tick of an upright axis aside": ("place", words_moved("\u22120.5", y=2)),
    "grid line aside": ("place", redrawn("mark_2", lambda d: d.replace("M 185.4", "M 185"))),
    "number in another row": ("place", exchanged("25.0%", "50.0%")),
    "number off its row": ("place", words_moved("25.0%", y=0.3)),
    "number in another column": ("place", words_moved("25.0%", x=-0.3)),
    "number missing": ("figure", without("num-a.low")),
    "number off the page": ("place", words_moved("25.0%", x=-440)),
    "number covered": ("place", typed_over),
    "labels of rows swapped": ("place", exchanged("without Feng 2020", "without Li 2013")),
    "label cut": ("figure", says("without Feng 2020", "without Feng…")),
    "label of a row without id": ("figure", says("with all", "with none")),
    "label aside": ("place", words_moved("Feng 2020 alone", x=0.3)),
    "words aside": ("place", words_moved("low", x=0.3)),
    "words changed": ("figure", says("low", "high")),
    "words added": ("figure", doubled("text_1", "")),
    "title changed": ("figure", says("Ratio", "Rate")),
    "title aside": ("place", words_moved("tau²", x=50)),
    "symbol changed": ("figure", says("tau²", "tau³")),
    "legend exchanged": ("figure", exchanged("a study", "the curve")),
    "legend in another colour": ("figure", restyled("legend_1", "#0072b2", "#d55e00")),
    "legend without sample": ("figure", without("legend_2")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_chart_is_noticed(
    name: str, drawn: Figure, check: Callable[[Figure], list[Fault]]
) -> None:
    rule_, edit = BROKEN[name]
    root = deepcopy(drawn.root)
    edit(root)
    broken = figures.read("drawn", etree.tostring(root), (drawn.data or "").encode())
    assert rule_ in {fault.rule for fault in check(broken)}


@pytest.mark.parametrize(
    "data",
    [
        "row,n,x\na,1,0.1\nb,2,0.3351\n",
        "row,n,x\na,1,0.1000001\nb,2,0.333\n",
        "row,n,x\na,1,\nb,2,0.333\n",
        "row,n,x\na,1.0,0.1\nb,2,0.333\n",
        "row,n,x\nb,2,0.333\na,1,0.1\n",
        "row,n,x\na,1,0.1\n",
        "row,n,x\na,1,0.1\nb,2,0.333\nb,2,0.333\n",
        "row,n,x\na,1,0.1,1\nb,2,0.333\n",
        "row,k,x\na,1,0.1\nb,2,0.333\n",
        "",
    ],
)
def test_a_wrong_cell_beside_a_chart_is_noticed(
    data: str, drawn: Figure, check: Callable[[Figure], list[Fault]]
) -> None:
    assert {fault.rule for fault in check(replace(drawn, data=data))} == {"download"}


def test_every_random_move_of_a_mark_in_a_chart_is_noticed(
    drawn: Figure, check: Callable[[Figure], list[Fault]]
) -> None:
    marks = [g.get("id", "") for g in drawn.root.iter(f"{SVG}g")]
    for seed, name in enumerate(10 * [name for name in marks if name.startswith("mark-")]):
        root = deepcopy(drawn.root)
        told = mutants._move(group(root, name), random.Random(seed))
        assert check(figures.read("drawn", etree.tostring(root), drawn.data.encode())), (name, told)


def test_a_mark_beyond_its_axis_is_refused() -> None:
    panel = Chart(LEDGER, 2.0).panel(
        "main", (1, 1, 2, 2), drawing.percent_axis(), drawing.rows_axis(ROWS)
    )
    with pytest.raises(ValueError, match=r"1\.2 beyond the axis from 0 to 1"):
        panel.square("a", 1.2, 0)


def test_an_axis_of_one_row_is_read_from_its_lines(tmp_path: Path, sources: Sources) -> None:
    chart = Chart(LEDGER, 2.0)
    panel = chart.panel(
        "main", (1, 0.5, 5, 1.5), drawing.percent_axis(), drawing.rows_axis([("one", ())])
    )
    panel.square("a", 0.2, 0)
    chart.write(tmp_path, "one", pd.DataFrame({"a": [1]}))
    panels = (ChartPanel("main", planning.percent_axis(), planning.rows_axis([("one", ())])),)
    ledger = ledgers.read(LEDGER.to_json().encode())
    figure = figures.read("one", (tmp_path / "one.svg").read_bytes(), b"a\n1\n")
    for at, faults in ((0.2, 0), (0.21, 1)):
        mark = ChartMark("a", "square", ((at, 0.0),))
        asked = plans.of_chart(ChartPlan("one", panels, (mark,), (("a",), ((1,),))))
        assert len(figures.check(figure, ledger, sources, asked).faults) == faults
