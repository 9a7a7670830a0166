"""Figures of influence: the pool without each study and by year, and the pools of all subsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.entries.influence import scatter_key, through_key, without_key
from analysis.influence import I2_STEP, RATE_STEP, Scatter
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Chart, Panel, percent_axis, rows_axis
from analysis.report import Report
from analysis.selection import OUTCOME_LABELS, Members

#: Height of a row of studies, and where their panels and columns of numbers end, in inches.
ROW = 0.18
LEFT, RIGHT = 1.75, 4.2
RATE, LOW, TO, HIGH, CHANGE, TAU2, I2 = 4.72, 5.2, 5.31, 5.78, 6.4, 6.86, 7.3
ABOVE, BELOW = 0.42, 0.42
#: Panels of the subsets: left and right ends, height, and their feet.
WIDE, TALL, FEET = (0.6, 7.2), 1.5, (2.5, 0.45)
#: Sides in points of the squares of the fewest subsets, and how much more those of the most have.
LEAST, MORE = 1.2, 3.4

STATS = ("estimate", "ci_low", "ci_high", "change", "tau2", "i2")


def draw(report: Report, folder: Path) -> list[Drawn]:
    """Both figures of every pool whose studies were looked at."""
    return [
        figure
        for prefix in report.influence
        for figure in (studies(report, folder, prefix), scatter(report, folder, prefix))
    ]


def figure_name(kind: str, prefix: str) -> str:
    """File name of a pool's figure; kind is `studies` or `subsets`."""
    return f"{kind}-{prefix.removeprefix('pool.').replace('.', '-')}"


def study_source(study_id: str) -> str:
    """Where in the data the name of a study stands."""
    return f"studies#{study_id}#label"


# --- study by study ------------------------------------------------------------------------------


def studies(report: Report, folder: Path, prefix: str) -> Drawn:
    """The pool without each study, then the pool of each study and all before it."""
    members = report.members(prefix)
    k = len(members.studies)
    foot = BELOW + k * ROW + ABOVE + BELOW
    chart = Chart(report.ledger, foot + (k + 1) * ROW + ABOVE + 0.1)
    rows = _rows(members, lambda study_id: without_key(prefix, study_id))
    whole = [("All studies", (), prefix)]
    boxes = ((LEFT, foot, RIGHT, foot + (k + 1) * ROW), (LEFT, BELOW, RIGHT, BELOW + k * ROW))
    _panel(chart, "without", boxes[0], "Without this study", [*rows, *whole], prefix)
    rows = _rows(members, lambda study_id: through_key(prefix, study_id))
    _panel(chart, "through", boxes[1], "Up to this study, by year", rows, prefix)
    chart.legend([("line", "grey", "all studies together")], x=LEFT)
    name = figure_name("studies", prefix)
    chart.write(folder, name, _records(report, members))
    return _speak_studies(report, members, name)


def _rows(members: Members, key: Callable[[str], str]) -> list[tuple[str, tuple[str, ...], str]]:
    """Name, its place in the data, and key prefix of the numbers of each row."""
    return [(s.label, (study_source(s.study_id),), key(s.study_id)) for s in members.studies]


def _panel(
    chart: Chart,
    name: str,
    box: tuple[float, float, float, float],
    title: str,
    rows: Sequence[tuple[str, tuple[str, ...], str]],
    prefix: str,
) -> None:
    """Rates with intervals, row by row, and their numbers right of them."""
    axis = replace(rows_axis([(label, sources) for label, sources, _ in rows]), title=title)
    panel = chart.panel(name, box, percent_axis(), axis)
    ledger = chart.ledger
    panel.rule(f"{name}.{prefix}.all", x=float(ledger[f"{prefix}.estimate"].value))
    for place, (_, _, key) in enumerate(rows):
        low, rate, high = (
            float(ledger[f"{key}.{stat}"].value) for stat in ("ci_low", "estimate", "ci_high")
        )
        accent = key == prefix
        mark = f"{name}.{key}" if accent else key
        panel.line(f"{mark}.interval", (low, place), (high, place), accent=accent)
        (panel.diamond if accent else panel.square)(mark, rate, place, accent=accent)
        _numbers(chart, panel.up(place), key)
    _headers(chart, panel, changes=name == "without")


def _numbers(chart: Chart, y: float, key: str) -> None:
    for x, stat in zip((RATE, LOW, HIGH, CHANGE, TAU2, I2), STATS, strict=True):
        if f"{key}.{stat}" in chart.ledger:
            chart.number(x, y, f"{key}.{stat}")
    chart.words(TO, y, "to", "center")


def _headers(chart: Chart, panel: Panel, changes: bool) -> None:
    y = panel.top + 0.13
    chart.words(RATE, y, "Rate", "right")
    chart.number(HIGH - 0.48, y, "const.level")
    chart.words(HIGH, y, "interval", "right")
    if changes:
        chart.words(CHANGE, y, "Change", "right")
    chart.words(TAU2, y, "tau²", "right")
    chart.words(I2, y, "I²", "right")


def _records(report: Report, members: Members) -> pd.DataFrame:
    """One line a row of the figure."""
    rows = [("without", s.label, without_key(members.prefix, s.study_id)) for s in members.studies]
    rows.append(("without", "All studies", members.prefix))
    rows += [("through", s.label, through_key(members.prefix, s.study_id)) for s in members.studies]
    ledger = report.ledger
    records = []
    for panel, label, key in rows:
        values = (ledger[k].value if (k := f"{key}.{s}") in ledger else None for s in STATS)
        records.append((panel, label, key, *values))
    return pd.DataFrame(records, columns=["panel", "study", "key", *STATS], dtype=object)


def _speak_studies(report: Report, members: Members, name: str) -> Drawn:
    """The figure in words: the ends of its upper panel, and where to find the rest."""
    prefix = members.prefix
    outcome = OUTCOME_LABELS[members.outcome]
    speaker = Speaker(report.ledger)
    speaker.say(
        f"{members.unit_label}, {outcome}, pooled without each study in turn, and below it with "
        "studies added by year, with confidence intervals.",
        sources=(members.label_source,),
    )
    speaker.say("All studies: {estimate} ({ci_low} to {ci_high}).", prefix)
    for place, end in zip(report.influence[prefix].ends, ("lowest", "highest"), strict=True):
        study = members.studies[place]
        said = f"Without {study.label}: {{estimate}} ({{ci_low}} to {{ci_high}}), the {end}."
        source = study_source(study.study_id)
        speaker.say(said, without_key(prefix, study.study_id), (source,))
    speaker.say("The data file beside the figure holds every row.")
    return speaker.drawn(name)


# --- all subsets ---------------------------------------------------------------------------------


def scatter(report: Report, folder: Path, prefix: str) -> Drawn:
    """Pooled rate against I2 of all subsets, with and without the study that sets them apart."""
    members, found = report.members(prefix), report.influence[prefix].scatter
    study = members.studies[found.study]
    key = scatter_key(prefix)
    most = max(cell.count for side in (found.inside, found.outside) for cell in side.cells)
    chart = Chart(report.ledger, FEET[0] + TALL + 0.5)
    for name, foot, side in zip(
        ("with", "without"), FEET, (found.inside, found.outside), strict=True
    ):
        rates = percent_axis(step=0.1, title="Pooled rate" if name == "without" else "")
        box = (WIDE[0], foot, WIDE[1], foot + TALL)
        panel = chart.panel(name, box, rates, percent_axis(title="I²"))
        panel.rule(f"{key}.{name}.all", x=float(report.ledger[f"{prefix}.estimate"].value))
        panel.cloud(
            f"{key}.{name}",
            [(cell.rate + 0.5) * RATE_STEP for cell in side.cells],
            [(cell.i2 + 0.5) * I2_STEP for cell in side.cells],
            [LEAST + MORE * (cell.count / most) ** 0.5 for cell in side.cells],
        )
        y = panel.top + 0.13
        source = study_source(study.study_id)
        chart.label(1.0, y, f"{name.capitalize()} {study.label}", (source,))
        chart.number(4.6, y, f"{key}.{name}.subsets")
        chart.words(4.66, y, "subsets")
        chart.words(6.7, y, "median rate", "right")
        chart.number(WIDE[1], y, f"{key}.{name}.median")
    entries = [("square", "", "subsets, larger where there are more")]
    chart.legend([*entries, ("line", "grey", "all studies together")], x=WIDE[0])
    name = figure_name("subsets", prefix)
    chart.write(folder, name, _cells(found))
    return _speak_scatter(report, members, name)


def _cells(found: Scatter) -> pd.DataFrame:
    """The squares: where their cells begin, in whole per cent, and how many subsets they hold."""
    rows = [
        (name, round(100 * RATE_STEP) * cell.rate, round(100 * I2_STEP) * cell.i2, cell.count)
        for name, side in (("with", found.inside), ("without", found.outside))
        for cell in side.cells
    ]
    return pd.DataFrame(rows, columns=["study", "rate_from", "i2_from", "subsets"])


def _speak_scatter(report: Report, members: Members, name: str) -> Drawn:
    study = members.studies[report.influence[members.prefix].scatter.study]
    key = scatter_key(members.prefix)
    speaker = Speaker(report.ledger)
    speaker.say(
        f"{members.unit_label}, {OUTCOME_LABELS[members.outcome]}: pooled rate against I-squared "
        "of subsets of the studies.",
        sources=(members.label_source,),
    )
    source = (study_source(study.study_id),)
    said = "{subsets} subsets, median rate {median}, median I-squared {i2}."
    speaker.say(f"Above, with {study.label}: {said}", f"{key}.with", source)
    speaker.say(f"Below, without {study.label}: {said}", f"{key}.without", source)
    speaker.say("The data file beside the figure holds the count of each cell.")
    return speaker.drawn(name)
