"""Figures of the outlook: comparable rows, and what a new study of each therapy would see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ledger import row_prefix
from analysis.outlook import predictive
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Chart, percent_axis
from analysis.plots.forest import Row, forest
from analysis.plots.page import WIDTH
from analysis.pooling import HALF, PREDICTION_MIN_K
from analysis.report import Report
from analysis.results import FOCUS
from analysis.selection import OUTCOMES, VISITS, at_visit

#: What an outcome is called above its rows, before the month.
HEADINGS = {
    "overall_response": "Overall response near",
    "complete_response": "Complete response near",
    "durable_response_on": "Durable, on drug, near",
    "durable_response_off": "Durable, off drug, near",
}

#: Panels beside one another, and their measures in inches.
COLUMNS, LEFT, GAP, TALL, ROW, FOOT, HEAD = 3, 0.5, 0.42, 0.8, 1.42, 0.2, 0.36
#: Rates at which the curves are worked out.
RATES = np.linspace(0, 1, 101)


def draw(report: Report, folder: Path) -> list[Drawn]:
    """Write the figures of the outlook."""
    return [*comparable(report, folder), *new_study(report, folder)]


def comparable(report: Report, folder: Path) -> list[Drawn]:
    """Rescue studies at fixed visits, by visit, outcome and therapy in alphabetical order."""
    rows: list[Row] = []
    evidence = report.selection.rows
    bare = evidence[evidence["fate"].eq("no_denominator")]
    for place, (visit, month) in zip(("first", "second", "third"), VISITS.items(), strict=True):
        printed = bare[at_visit(bare, month)]
        for outcome in OUTCOMES:
            found = [_row(report, prefix) for prefix in report.prefixes(visit, outcome)]
            found += [
                Row(
                    row.label, row_prefix(row.address), "printed", "no denominator",
                    months=row_prefix(row.address) + ".months",
                    sources=(f"therapies#{row.therapy}#label",),
                )
                for row in printed[printed["pool_outcome"].eq(outcome)].itertuples()
            ]  # fmt: skip
            if found:
                months = f"const.visit_{place}"
                rows += [Row(HEADINGS[outcome], kind="heading", months=months), *found]
    if not rows:
        return []
    title = (
        "Studies of rescue patients at fixed visits, by therapy in alphabetical order. "
        "These are not head-to-head comparisons."
    )
    return [forest(report.ledger, folder, "comparable", title, rows)]


def _row(report: Report, prefix: str) -> Row:
    """A diamond for a pool, a square for a single study with the month of its visit."""
    members = report.members(prefix)
    single = len(members.studies) == 1
    return Row(
        members.unit_label,
        prefix,
        kind="study" if single else "pooled",
        emphasis=members.unit == FOCUS,
        months=row_prefix(members.studies[0].rows[0]) + ".months" if single else "",
        sources=(members.label_source,),
    )


def new_study(report: Report, folder: Path) -> list[Drawn]:
    """The probability that a new study's true rate exceeds each rate, a panel a therapy."""
    prefixes = report.prefixes("pool", "overall_response", PREDICTION_MIN_K)
    if not prefixes:
        return []
    lines = -(-len(prefixes) // COLUMNS)
    chart = Chart(report.ledger, FOOT + (lines - 1) * ROW + TALL + HEAD)
    speaker = Speaker(report.ledger)
    speaker.say(
        "The probability that a new, comparable study's rate of overall response exceeds each "
        "rate, a curve a therapy, in alphabetical order; said of each is in how many of "
        "{=const.per_100_centres} new centres more than {=const.half} would respond. These are not "
        "head-to-head comparisons. The points of the curves are in the data below the figure."
    )
    wide = (WIDTH - LEFT - 0.25 - (COLUMNS - 1) * GAP) / COLUMNS
    records = []
    for place, prefix in enumerate(prefixes):
        members, new = report.members(prefix), predictive(report.pools[prefix])
        assert new is not None
        left = LEFT + place % COLUMNS * (wide + GAP)
        bottom = FOOT + (lines - 1 - place // COLUMNS) * ROW
        box = (left, bottom, left + wide, bottom + TALL)
        panel = chart.panel(members.unit, box, percent_axis(step=0.5), percent_axis(step=0.5))
        accent = members.unit == FOCUS
        probabilities = new.above(RATES)
        panel.rule(f"{members.unit}.half", x=HALF)
        panel.curve(f"{members.unit}.curve", RATES, probabilities, accent=accent)
        panel.circle(f"{members.unit}.point", HALF, float(new.above(HALF)), accent=accent)
        above, right = bottom + TALL + 0.11, left + wide
        chart.label(left, above + 0.15, members.unit_label, (members.label_source,))
        chart.number(left + 0.13, above, f"{prefix}.k")
        chart.words(left + 0.18, above, "studies")
        chart.number(right - 0.66, above, f"{prefix}.p_above_50")
        chart.words(right - 0.62, above, "above")
        chart.number(right, above, "const.half")
        speaker.say(
            f"{members.unit_label}: {{k}} studies, {{p_above_50}}.",
            prefix,
            (members.label_source,),
        )
        records += [
            {"therapy": members.unit, "rate": rate, "probability_above": probability}
            for rate, probability in zip(RATES, probabilities, strict=True)
        ]
    chart.write(folder, "new-study", pd.DataFrame(records))
    return [speaker.drawn("new-study")]
