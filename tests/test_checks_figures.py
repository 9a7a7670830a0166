"""Every figure of the book passes its check, and each thing that is broken in one is noticed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from analysis.plots import gallery
from analysis.plots.alttext import Drawn
from analysis.report import DATA, Report
from checks import figures, rows
from checks import ledger as ledgers
from checks.faults import Fault
from checks.figure_plan import figure_plans
from checks.figures import Figure
from checks.ledger import Ledger
from checks.plans.figure import FigurePlan
from checks.sources import Sources
from checks.spoken import check_alt
from checks.svg import SVG

Root = etree._Element
PREFIX = "pool.sirolimus.overall_response"
STUDY = f"{PREFIX}.study.feng2020"
FOREST = "forest-sirolimus-overall_response"
COURSE = "sirolimus-course"
MISSING = "study.feng2020.sirolimus.overall_response.6"


@dataclass(frozen=True)
class Shown:
    """The shipped figures, read back, with all that a check needs."""

    figures: Mapping[str, Figure]
    alts: Mapping[str, Drawn]
    ledger: Ledger
    sources: Sources
    plans: Mapping[str, FigurePlan]

    def check(self, figure: Figure) -> list[Fault]:
        return figures.check(figure, self.ledger, self.sources, self.plans[figure.name]).faults


@pytest.fixture(scope="module")
def shown(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("figures")
    alts = gallery.draw_all(shipped, folder)
    files = {path.name: path.read_bytes() for path in DATA.iterdir() if path.is_file()}
    sources = Sources(files, {})
    read = {path.stem: from_files(path) for path in sorted(folder.glob("*.svg"))}
    ledger = ledgers.read(shipped.ledger.to_json().encode())
    plans = figure_plans(rows.read(files), sources, shipped.records)
    return Shown(read, alts, ledger, sources, plans)


def from_files(path: Path) -> Figure:
    return figures.read(path.stem, path.read_bytes(), path.with_suffix(".csv").read_bytes())


# --- what a hand could do to a drawing --------------------------------------------------------


def group(root: Root, name: str) -> Root:
    found = [element for element in root.iter(f"{SVG}g") if element.get("id") == name]
    assert len(found) == 1, name
    return found[0]


def text_of(root: Root, name: str) -> Root:
    return next(group(root, name).iter(f"{SVG}text"))


def says(name: str, words: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        element = text_of(root, name)
        assert element.text != words
        element.text = words

    return edit


def shift(element: Root, x: float = 0.0, y: float = 0.0) -> None:
    """Move a text or a use; a text's rotation by nothing moves with it or not, it is the same."""
    element.set("x", str(float(element.get("x", "0")) + x))
    element.set("y", str(float(element.get("y", "0")) + y))


def moves(name: str, x: float = 0.0, y: float = 0.0, tag: str = "text") -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        shift(next(group(root, name).iter(f"{SVG}{tag}")), x, y)

    return edit


def swaps(one: str, other: str) -> Callable[[Root], None]:
    """Two texts change places, each with its id."""

    def edit(root: Root) -> None:
        first, second = text_of(root, one), text_of(root, other)
        for name in ("x", "y", "transform"):
            mine, yours = first.get(name, ""), second.get(name, "")
            first.set(name, yours)
            second.set(name, mine)

    return edit


def bends(name: str, point: int, x: float = 0.0, y: float = 0.0) -> Callable[[Root], None]:
    """One point of a path moves."""

    def edit(root: Root) -> None:
        path = list(group(root, name).iter(f"{SVG}path"))[-1]
        values = iter(range(10**6))
        wanted = {2 * point: x, 2 * point + 1: y}
        moved = re.sub(
            r"-?\d+(\.\d+)?",
            lambda m: f"{float(m.group()) + wanted.get(next(values), 0.0):g}",
            path.attrib["d"],
        )
        path.set("d", moved)

    return edit


def scales_definition(name: str, factor: float) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        path = list(group(root, name).iter(f"{SVG}path"))[-1]
        larger = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m.group()) * factor:g}", path.attrib["d"])
        path.set("d", larger)

    return edit


def removes(name: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        element = group(root, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return edit


def copies(name: str, new: str | None) -> Callable[[Root], None]:
    """A second group like the first, to the right of it, under another id or none."""

    def edit(root: Root) -> None:
        copy = deepcopy(group(root, name))
        for path in list(copy.iter(f"{SVG}defs")):
            copy.remove(path)
        copy.attrib.pop("id")
        if new is not None:
            copy.set("id", new)
        for element in copy.iter(f"{SVG}use"):
            shift(element, 20)
        group(root, name).addnext(copy)

    return edit


def sets(name: str, attribute: str, value: str, tag: str = "") -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        element = group(root, name)
        (next(element.iter(f"{SVG}{tag}")) if tag else element).set(attribute, value)

    return edit


def restyles(name: str, old: str, new: str, tag: str = "text") -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        for element in group(root, name).iter(f"{SVG}{tag}"):
            style = element.get("style", "")
            assert old in style
            element.set("style", style.replace(old, new))

    return edit


def hides_in_defs(name: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        defs = etree.SubElement(root, f"{SVG}defs")
        defs.append(group(root, name))

    return edit


def adds(xml: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        root.append(etree.fromstring(f'<svg xmlns="http://www.w3.org/2000/svg">{xml}</svg>')[0])

    return edit


def relabels(old: str, new: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        found = [e for e in root.iter(f"{SVG}text") if e.text == old]
        assert found
        found[0].text = new

    return edit


def swaps_words(one: str, other: str) -> Callable[[Root], None]:
    def edit(root: Root) -> None:
        texts = {e.text: e for e in root.iter(f"{SVG}text")}
        texts[one].text, texts[other].text = other, one

    return edit


MARK, INTERVAL = f"mark-{STUDY}", f"mark-{STUDY}.interval"
DIAMOND, BAR = f"mark-{PREFIX}", f"mark-{PREFIX}.prediction"
ESTIMATE, EVENTS, N = f"num-{STUDY}.estimate", f"num-{STUDY}.events", f"num-{STUDY}.n"
LIST = f"num-{PREFIX}.study.li2013.estimate"
TEXT = 'style="font-size: 8px" x="20" y="20"'
BLUE = "fill: #0072b2; stroke: #0072b2"
MAPPED = "mark-map.feng2020.sirolimus"
SPLENECTOMY = "datum-therapies#splenectomy#label"

#: What is done, to which figure, and the rule that says so.
BROKEN: dict[str, tuple[str, str, Callable[[Root], None]]] = {
    "digit in a number": ("figure", FOREST, says(ESTIMATE, "84.8%")),
    "sign of a number": ("figure", FOREST, says(ESTIMATE, "-84.9%")),
    "another correct number": ("figure", FOREST, says(ESTIMATE, "60.0%")),
    "digit in a label": ("figure", FOREST, says("datum-studies#feng2020#label", "Feng 2021 *")),
    "asterisk dropped": ("figure", FOREST, says("datum-studies#feng2020#label", "Feng 2020")),
    "label cut": ("figure", FOREST, says("datum-studies#feng2020#label", "Feng…")),
    "key unknown": ("figure", FOREST, sets(ESTIMATE, "id", "num-pool.none.estimate")),
    "key of another": ("figure", FOREST, sets(ESTIMATE, "id", LIST)),
    "key removed": ("untagged", FOREST, sets(ESTIMATE, "id", "text_99")),
    "number deleted": ("figure", FOREST, removes(ESTIMATE)),
    "number twice": ("figure", FOREST, copies(ESTIMATE, f"{ESTIMATE}#2")),
    "label deleted": ("figure", FOREST, removes("datum-studies#feng2020#label")),
    "number typed": ("untagged", FOREST, adds(f"<g><text {TEXT}>n = 12</text></g>")),
    "word typed": ("words", FOREST, adds(f"<g><text {TEXT}>three studies</text></g>")),
    "title": ("untagged", FOREST, adds("<title>85% of patients</title>")),
    "description": ("words", FOREST, adds("<desc>two of the studies</desc>")),
    "tick reads otherwise": ("figure", FOREST, says("axis-50", "60%")),
    "tick of another value": ("figure", FOREST, sets("axis-50", "id", "axis-60")),
    "symbol reads otherwise": ("figure", FOREST, says("symbol-tau2", "tau³")),
    # places of texts
    "number in another row": ("place", FOREST, moves(ESTIMATE, y=15.12)),
    "number off its line": ("place", FOREST, moves(ESTIMATE, y=1)),
    "number in another column": ("place", FOREST, moves(ESTIMATE, x=36)),
    "numbers of two rows swapped": ("place", FOREST, swaps(ESTIMATE, LIST)),
    "numbers of one row swapped": ("place", FOREST, swaps(EVENTS, N)),
    "heterogeneity swapped": ("place", FOREST, swaps(f"num-{PREFIX}.tau2", f"num-{PREFIX}.q")),
    "labels swapped": (
        "place", FOREST, swaps("datum-studies#feng2020#label", "datum-studies#li2013#label"),
    ),
    "headers swapped": ("place", FOREST, swaps_words("Responders", "Patients")),
    "level elsewhere": ("place", FOREST, moves("num-const.level", x=-200)),
    "anchor turned": ("place", FOREST, restyles(ESTIMATE, "anchor: end", "anchor: start")),
    "text translated": ("place", FOREST, sets(ESTIMATE, "transform", "translate(0 15.12)")),
    "text moved by its rotation": (
        "place", FOREST, sets(ESTIMATE, "transform", "translate(-36)", "text"),
    ),
    "text turned": ("place", FOREST, sets(ESTIMATE, "transform", "rotate(5)")),
    "words of a row swapped": ("place", COURSE, swaps_words("As printed", "Missing as failures")),
    "month elsewhere": ("place", COURSE, moves(f"num-{MISSING}.months", y=15.12)),
    # places of marks
    "mark moved": ("place", FOREST, moves(MARK, x=1, tag="use")),
    "mark moved by a tenth": ("place", FOREST, moves(MARK, x=0.1, tag="use")),
    "mark lifted": ("place", FOREST, moves(MARK, y=1, tag="use")),
    "mark translated": ("place", FOREST, sets(MARK, "transform", "translate(1)")),
    "mark scaled": ("place", FOREST, sets(MARK, "transform", "scale(1.01, 1)")),
    "mark under a matrix": ("place", FOREST, sets(MARK, "transform", "matrix(1 0 0 1 2 0)")),
    "transform unknown": ("place", FOREST, sets(MARK, "transform", "skewX(3)")),
    "square with another corner": ("place", FOREST, bends(MARK, 3, x=-0.5)),
    "square larger": ("place", FOREST, scales_definition(MARK, 1.1)),
    "interval's low end": ("place", FOREST, bends(INTERVAL, 0, x=1)),
    "interval's high end": ("place", FOREST, bends(INTERVAL, 1, x=1)),
    "interval aslant": ("place", FOREST, bends(INTERVAL, 1, y=1)),
    "diamond's left": ("place", FOREST, bends(DIAMOND, 0, x=1)),
    "diamond's top": ("place", FOREST, bends(DIAMOND, 1, x=1)),
    "diamond's right": ("place", FOREST, bends(DIAMOND, 2, x=1)),
    "diamond's bottom": ("place", FOREST, bends(DIAMOND, 3, x=1)),
    "diamond's foot": ("place", FOREST, bends(DIAMOND, 3, y=1)),
    "prediction's low end": ("place", FOREST, bends(BAR, 0, x=1)),
    "prediction's high end": ("place", FOREST, bends(BAR, 1, x=-1)),
    "prediction lifted": ("place", FOREST, bends(BAR, 0, y=1)),
    "hollow square moved": ("place", COURSE, moves(f"mark-{MISSING}.all_enrolled", 1, tag="use")),
    "hollow diamond moved": (
        "place", COURSE,
        moves("mark-study.feng2020.sirolimus.overall_response.12", 1, tag="use"),
    ),
    "tick moved": ("place", FOREST, moves("axis-25", x=1)),
    "end of the axis moved": ("place", FOREST, moves("axis-100", x=5)),
    "ticks swapped": ("place", FOREST, swaps("axis-25", "axis-75")),
    "axis turned round": ("place", FOREST, swaps("axis-0", "axis-100")),
    "grid line moved": ("place", FOREST, bends("line2d_3", 0, x=2)),
    # marks that are too many or gone
    "mark deleted": ("figure", FOREST, removes(MARK)),
    "interval deleted": ("figure", FOREST, removes(INTERVAL)),
    "mark added with an id": ("figure", FOREST, copies(MARK, f"{MARK}.again")),
    "mark added without an id": ("figure", FOREST, copies(MARK, None)),
    "second diamond": ("figure", FOREST, copies(DIAMOND, None)),
    "mark in the mark's own group": (
        "figure", FOREST,
        lambda root: group(root, MARK).append(deepcopy(next(group(root, MARK).iter(f"{SVG}use")))),
    ),
    "mark of another colour": (
        "figure", FOREST, restyles(MARK, "fill: #0072b2", "fill: #d55e00", "use"),
    ),
    "grid line deleted": ("place", FOREST, removes("line2d_3")),
    # marks and numbers out of sight
    "number not displayed": (
        "place", FOREST, restyles(ESTIMATE, "font-size", "display: none; font-size"),
    ),
    "number transparent": (
        "place", FOREST, restyles(ESTIMATE, "font-size", "opacity: 0; font-size"),
    ),
    "number white": ("place", FOREST, restyles(ESTIMATE, "text-anchor", "fill: #fff; text-anchor")),
    "number tiny": ("place", FOREST, restyles(ESTIMATE, "font-size: 8px", "font-size: 0px")),
    "number invisible": ("place", FOREST, sets(ESTIMATE, "visibility", "hidden")),
    "group not displayed": ("place", FOREST, sets("axes_1", "style", "display: none")),
    "number among definitions": ("figure", FOREST, hides_in_defs(ESTIMATE)),
    "number off the page": ("place", FOREST, moves("num-const.level", y=-60)),
    "mark without paint": (
        "figure", FOREST, restyles(INTERVAL, "stroke: #0072b2", "stroke: none", "path"),
    ),
    "page cut": ("place", FOREST, lambda root: root.set("viewBox", "0 0 300 137.592")),
    "style sheet": ("place", FOREST, adds("<defs><style>text {opacity: 0}</style></defs>")),
    "picture on top": ("place", FOREST, adds('<image width="9" height="9"/>')),
    "box on top": (
        "figure", FOREST, adds('<g><path d="M 0 0 L 99 0 L 99 99 z" style="fill: #ffffff"/></g>'),
    ),
    # map
    "map: mark moved by a year": ("place", "map", moves(MAPPED, x=6.3, tag="use")),
    "map: mark moved by a point": ("place", "map", moves(MAPPED, x=1, tag="use")),
    "map: mark of another therapy": ("place", "map", moves(MAPPED, y=12.73, tag="use")),
    "map: mark deleted": ("figure", "map", removes(MAPPED)),
    "map: mark added": ("figure", "map", copies(MAPPED, None)),
    "map: mark hollow": (
        "figure", "map", restyles(MAPPED, "fill: #0072b2", "fill: #ffffff", "use"),
    ),
    "map: year": ("figure", "map", says("axis-2010", "2011")),
    "map: year moved": ("place", "map", moves("axis-2010", x=3)),
    "map: names swapped": ("place", "map", swaps(SPLENECTOMY, "datum-therapies#dapsone#label")),
    "map: name": ("figure", "map", says(SPLENECTOMY, "Splenectomy 2")),
    "map: legend": ("figure", "map", swaps_words("randomised trial", "case series")),
    # flow
    "flow: digit": ("figure", "flow", says("num-flow.rows.total", "327")),
    "flow: numbers swapped": (
        "place", "flow", swaps("num-flow.rows.excluded", "num-flow.rows.low_confidence"),
    ),
    "flow: rows and studies swapped": (
        "place", "flow", swaps("num-flow.rows.excluded", "num-flow.studies.excluded"),
    ),
    "flow: number moved": ("place", "flow", moves("num-flow.rows.total", x=1)),
    "flow: number lifted": ("place", "flow", moves("num-flow.rows.total", y=1)),
    "flow: words": ("place", "flow", swaps_words("Children only", "Reading uncertain")),
    "flow: mark added": ("figure", "flow", adds(
        f'<g><path d="M 0 0 L 9 0 L 9 9 L 0 9 z" style="{BLUE}"/></g>')),
}  # fmt: skip


def test_every_shipped_figure_passes(shown: Shown) -> None:
    assert shown.figures.keys() == shown.plans.keys()
    assert figures.check_names(shown.figures, shown.plans) == []
    assert [str(fault) for figure in shown.figures.values() for fault in shown.check(figure)] == []


def test_every_number_is_counted_and_none_is_unexplained(shown: Shown) -> None:
    for name, figure in shown.figures.items():
        plan = shown.plans[name]
        counts = figures.check(figure, shown.ledger, shown.sources, plan).counts
        assert counts["unexplained"] == 0
        assert counts["ledger"] + counts["constants"] == plan.keys.total()
        assert counts.total() >= len(figures.drawn(figure)) > 0


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(name: str, shown: Shown) -> None:
    rule, figure, edit = BROKEN[name]
    before = shown.figures[figure]
    root = deepcopy(before.root)
    edit(root)
    broken = figures.read(figure, etree.tostring(root), (before.data or "").encode())
    assert rule in {fault.rule for fault in shown.check(broken)}


def test_a_mark_moved_with_its_number_is_still_noticed(shown: Shown) -> None:
    figure = shown.figures[FOREST]
    root = deepcopy(figure.root)
    for edit in (moves(MARK, x=12.384, tag="use"), says(ESTIMATE, "94.9%")):
        edit(root)
    broken = figures.read(FOREST, etree.tostring(root), (figure.data or "").encode())
    assert {"figure", "place"} <= {fault.rule for fault in shown.check(broken)}


@pytest.mark.parametrize(
    ("svg", "message"),
    [
        (b"<svg", "broken XML"),
        (b"", "broken XML"),
        (b"<html/>", "not SVG"),
        (b'<!DOCTYPE svg [<!ENTITY n "85">]><svg xmlns="http://www.w3.org/2000/svg"/>', "DOCTYPE"),
    ],
)
def test_what_cannot_be_read_is_said(svg: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figures.read("x", svg, None)


def test_figures_missing_or_unasked_are_named(shown: Shown) -> None:
    names = [*(name for name in shown.plans if name != "map"), "extra"]
    assert [fault.place for fault in figures.check_names(names, shown.plans)] == [
        "figures/map.svg",
        "figures/extra.svg",
    ]


def swapped(old: str, new: str) -> Callable[[str], str | None]:
    def edit(data: str) -> str:
        assert old in data
        return data.replace(old, new, 1)

    return edit


@pytest.mark.parametrize(
    ("figure", "edit"),
    [
        (FOREST, swapped("0.8488372093023255", "0.8488372093023256")),
        (FOREST, swapped("73,86", "86,73")),
        (FOREST, swapped("73,86", ",86")),
        (FOREST, swapped("Feng 2020", "Feng 2021")),
        (FOREST, swapped("key,events", "key,cases")),
        (FOREST, lambda data: "\n".join(data.splitlines()[:-1])),
        (FOREST, lambda data: data + data.splitlines()[1] + "\n"),
        (FOREST, lambda data: data.splitlines()[0]),
        (FOREST, lambda data: ""),
        (FOREST, lambda data: None),
        (FOREST, swapped("\n", ",more\n")),
        (FOREST, swapped("73,86", "73,86,1,1,1,1,1,1,1,1,1,1,1,1,1")),
        ("flow", swapped("Children only,15", "Children only,16")),
        ("flow", lambda data: "\n".join([*data.splitlines()[:2], *data.splitlines()[3:]])),
        ("map", swapped("feng2020,2020", "feng2020,2021")),
        ("map", swapped("rct,True", "rct,False")),
        ("map", lambda data: "\n".join(data.splitlines()[:-1])),
    ],
)
def test_a_wrong_cell_beside_a_figure_is_named(
    figure: str, edit: Callable[[str], str | None], shown: Shown
) -> None:
    before = shown.figures[figure]
    broken = Figure(figure, before.root, edit(before.data or ""))
    assert {fault.rule for fault in shown.check(broken)} == {"download"}


# --- alternative texts ------------------------------------------------------------------------


def test_every_alternative_text_is_spoken_as_planned(shown: Shown) -> None:
    for name, drawn in shown.alts.items():
        assert drawn.alt_keys == shown.plans[name].spoken, name
        found = check_alt(name, drawn.alt, drawn.alt_keys, shown.ledger.numbers, shown.sources)
        assert [str(fault) for fault in found.faults] == []
        assert found.counts["unexplained"] == 0


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("84.9%", "84.8%", "alt"),
        ("84.9%", "84.9", "alt"),
        ("84.9%", "184.9%", "alt"),
        ("84.9%", "-84.9%", "alt"),
        ("73 of 86", "86 of 73", "alt"),
        ("Feng 2020", "Feng 2021", "alt"),
        ("Feng 2020", "Li 2013", "alt"),
        ("73 of 86, ", "", "alt"),
        ("Forest plot", "Forest plot of 3 studies", "untagged"),
        ("Forest plot", "Forest plot of three studies", "words"),
        (", weight", ", 12 others, weight", "untagged"),
        ("73 of 86", "73 of 86 of 90", "untagged"),
    ],
)
def test_a_wrong_alternative_text_is_named(old: str, new: str, rule: str, shown: Shown) -> None:
    drawn = shown.alts[FOREST]
    assert old in drawn.alt
    alt = drawn.alt.replace(old, new, 1)
    found = check_alt(FOREST, alt, drawn.alt_keys, shown.ledger.numbers, shown.sources)
    assert rule in {fault.rule for fault in found.faults}


@pytest.mark.parametrize("edit", ["dropped", "swapped", "unknown", "no address"])
def test_a_wrong_list_of_spoken_keys_is_named(edit: str, shown: Shown) -> None:
    drawn = shown.alts[FOREST]
    items = list(drawn.alt_keys)
    place = items.index(f"{STUDY}.events")
    if edit == "dropped":
        del items[place]
    elif edit == "swapped":
        items[place], items[place + 1] = items[place + 1], items[place]
    else:
        items[place] = "pool.none.k" if edit == "unknown" else "studies#none#label"
    found = check_alt(FOREST, drawn.alt, items, shown.ledger.numbers, shown.sources)
    assert found.faults


def test_a_number_may_be_spoken_as_its_word(shown: Shown) -> None:
    key = "evidence.cited_studies"
    for said in ("The six cited studies.", "The 6 cited studies."):
        assert not check_alt("x", said, [key], shown.ledger.numbers, shown.sources).faults
    assert check_alt("x", "The five cited studies.", [key], shown.ledger.numbers, shown.sources)
