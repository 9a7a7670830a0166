"""The check works randomised comparisons out again; what is changed in one is noticed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace

import pytest
from lxml import etree

from analysis import comparisons
from analysis.pages import comparisons as pages
from analysis.plots import comparisons as plots
from analysis.report import DATA, Report
from checks import contrasts, figures, ledger, recompute, rows
from checks.pages.comparisons import Words
from checks.plans import comparisons as plans
from checks.sources import Sources
from checks.svg import SVG
from checks.values.comparisons import effects
from tests.test_checks_figures import (
    Root,
    bends,
    from_files,
    group,
    moves,
    removes,
    restyles,
    says,
    scales_definition,
    sets,
    swaps,
)
from tests.test_checks_recompute import RECORDS, TRIALS
from tests.test_comparisons import BY_POOL, SIDES

FILES = {path.name: path.read_bytes() for path in DATA.iterdir() if path.is_file()}
ROMIPLOSTIM = "pool.romiplostim.overall_response"
RATIO, DIFFERENCE = "ratio-overall_response", "difference-overall_response"
ARROW = f"mark-ratio.{ROMIPLOSTIM}.interval.above"
TRIAL = f"difference.{ROMIPLOSTIM}.study.kuter2008a"


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("figures")
    spoken = {figure.name: figure.alt_keys for figure in plots.draw(shipped, folder)}
    sources = Sources(FILES, {})
    return SimpleNamespace(
        figures={path.stem: from_files(path) for path in folder.glob("*.svg")},
        spoken=spoken,
        ledger=ledger.read(shipped.ledger.to_json().encode()),
        sources=sources,
        plans={plan.name: plan for plan in plans.plans(rows.read(FILES), sources)},
    )


def faults(drawn: SimpleNamespace, figure: figures.Figure) -> set[str]:
    plan = drawn.plans[figure.name]
    return {f.rule for f in figures.check(figure, drawn.ledger, drawn.sources, plan).faults}


def test_every_plot_passes_and_is_spoken_in_order(drawn: SimpleNamespace) -> None:
    assert drawn.figures.keys() == drawn.plans.keys()
    for name, figure in drawn.figures.items():
        assert faults(drawn, figure) == set()
        assert drawn.spoken[name] == drawn.plans[name].spoken


def turns_round(root: Root) -> None:
    path = list(group(root, ARROW).iter(f"{SVG}path"))[-1]
    path.set("d", "M -2.5 0 L 2.5 -2.5 L 2.5 2.5 z")


@pytest.mark.parametrize(
    ("rule", "name", "edit"),
    [
        ("figure", DIFFERENCE, says(f"num-{TRIAL}.estimate", "78.5")),
        ("figure", DIFFERENCE, says("axis--50", "−60")),
        ("figure", DIFFERENCE, sets("axis--50", "id", "axis-50")),
        ("place", DIFFERENCE, moves(f"mark-{TRIAL}", x=0.1, tag="use")),
        ("place", DIFFERENCE, bends(f"mark-{TRIAL}.interval", 1, x=1)),
        ("place", DIFFERENCE, moves("axis-50", x=1)),
        ("figure", DIFFERENCE, restyles("line2d_2", "#1a1a1a", "#d9d9d9", "path")),
        ("figure", DIFFERENCE, restyles("line2d_3", "#d9d9d9", "#1a1a1a", "path")),
        ("place", DIFFERENCE, swaps(
            f"num-contrast.{ROMIPLOSTIM}.study.kuter2008a.treated_n",
            f"num-contrast.{ROMIPLOSTIM}.study.kuter2008a.control_n")),
        ("place", RATIO, bends(f"mark-ratio.{ROMIPLOSTIM}.study.kuter2008a.interval", 0, x=1)),
        ("place", RATIO, swaps("axis-10", "axis-100")),
        ("figure", RATIO, removes(ARROW)),
        ("place", RATIO, moves(ARROW, x=-1, tag="use")),
        ("place", RATIO, scales_definition(ARROW, 5)),
        ("figure", RATIO, restyles(ARROW, "#d55e00", "#0072b2", "use")),
        ("place", RATIO, turns_round),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(
    rule: str, name: str, edit: Callable[[Root], None], drawn: SimpleNamespace
) -> None:
    before = drawn.figures[name]
    root = deepcopy(before.root)
    edit(root)
    broken = figures.read(name, etree.tostring(root), (before.data or "").encode())
    assert rule in faults(drawn, broken)


def test_a_changed_cell_of_the_data_beside_a_plot_is_noticed(drawn: SimpleNamespace) -> None:
    before = drawn.figures[DIFFERENCE]
    changed = (before.data or "").replace(",33,42,0,21,", ",33,42,1,21,", 1)
    assert changed != before.data
    broken = figures.read(DIFFERENCE, etree.tostring(before.root), changed.encode())
    assert faults(drawn, broken) == {"download"}


@pytest.mark.parametrize(
    ("key", "change"),
    [
        (f"{TRIAL}.estimate", {"value": 0.5, "text": "50.0"}),
        (f"ratio.{ROMIPLOSTIM}.ci_high", {"value": 70000.0}),
        (f"contrast.{ROMIPLOSTIM}.control_events", {"value": 4, "text": "4"}),
        (f"contrast.{ROMIPLOSTIM}.treated.estimate", {"unit": "points"}),
        (f"difference.{ROMIPLOSTIM}.state", {"value": "pooled", "text": "pooled"}),
        (f"difference.{ROMIPLOSTIM}.per_100", {"rows": []}),
        ("background.visit.estimate", {"value": 0.09, "text": "9.0%"}),
        ("background.durable.glmm_estimate", {"value": 0.02, "text": "2.0%"}),
    ],
)
def test_a_wrong_entry_is_named(key: str, change: dict[str, object], shipped: Report) -> None:
    entries = json.loads(shipped.ledger.to_json())
    next(entry for entry in entries if entry["key"] == key).update(change)
    found = ledger.read(json.dumps(entries).encode())
    compared = recompute.compare(found, rows.read(FILES), TRIALS, RECORDS)
    assert key.rpartition(".")[0] in "".join(fault.place for fault in compared.faults)


def test_both_roads_find_the_same_trials(shipped: Report) -> None:
    ours = {
        prefix: [(c.study_id, c.therapies[0], frozenset(c.rows)) for c in found.contrasts]
        for prefix, found in shipped.comparisons.by_prefix.items()
    }
    theirs = {
        prefix: [(c.study_id, next(iter(c.therapies)), c.rows) for c in found]
        for prefix, found in contrasts.contrasts(rows.read(FILES)).items()
    }
    assert ours == theirs


@pytest.mark.parametrize("pool", [name for name in BY_POOL if name.startswith("made_up.")])
@pytest.mark.parametrize("family", ["difference", "ratio"])
def test_both_roads_agree_at_the_edges(pool: str, family: str, shipped: Report) -> None:
    trials = [tuple(int(trial[name]) for name in SIDES) for trial in BY_POOL[pool]]
    theirs = effects(tuple((e1, n1, e0, n0) for e1, n1, e0, n0 in trials), family)
    arms = [(comparisons.Arm(e1, n1, ()), comparisons.Arm(e0, n0, ())) for e1, n1, e0, n0 in trials]
    found = comparisons.compare(
        shipped.members(ROMIPLOSTIM),
        [
            comparisons.Contrast(
                f"t{place}", "", 2000, ("x",), "placebo", "", *sides, None, "", None
            )
            for place, sides in enumerate(arms)
        ],
    )
    ours = getattr(found, family)
    assert ours.state.value == theirs.state
    assert (ours.summary is None) is (theirs.summary is None)
    if ours.summary:
        assert ours.summary == pytest.approx(theirs.summary, rel=1e-5, abs=1e-6)
    for one, other in zip(ours.single, theirs.single, strict=True):
        assert (one is None and other is None) or one == pytest.approx(other, rel=1e-9)


def test_both_sides_have_the_same_words() -> None:
    ours = {
        name
        for name, function in inspect.getmembers(pages, inspect.isfunction)
        if function.__module__ == pages.__name__ and not name.startswith("_")
    }
    assert ours == {name for name in vars(Words) if not name.startswith("_")}


def test_a_ratio_is_read_as_it_is_printed() -> None:
    for value, text in ((0.0002, "<0.001"), (0.035, "0.035"), (17.6, "17.6"), (5e4, ">1,000")):
        entry = {"key": "ratio.a", "value": value, "text": text, "unit": "ratio", "rows": []}
        assert ledger.read(json.dumps([entry]).encode()).faults == ()
        entry["text"] = "2.00"
        assert ledger.read(json.dumps([entry]).encode()).faults
