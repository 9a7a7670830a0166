"""The pools of this book beside those of other reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pandas as pd

from analysis.agreement import Comparison, Review
from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Chart, percent_axis, rows_axis
from analysis.proportions import Interval
from analysis.selection import OUTCOME_LABELS, Members

#: Inches: height of a row, and where the panel and the columns of numbers stand.
ROW, LEFT, RIGHT, BELOW, ABOVE = 0.2, 2.6, 5.35, 0.35, 0.55
RATE, LOW, TO, HIGH = 5.87, 6.53, 6.64, 7.18
LEGEND = (
    ("diamond", "accent", "this book, pooled or a single study"),
    ("line", "grey", "prediction interval"),
    ("square", "hollow", "another review"),
)


@dataclass(frozen=True)
class Row:
    """One row: a pool of this book, or a review. Rates and limits are fractions.

    label: as drawn; name: as spoken, with the whole definition where the label has a part of it.
    """

    key: str
    label: str
    name: str
    sources: tuple[str, ...]
    is_ours: bool
    estimate: float
    interval: tuple[float, float] | None = None
    prediction: Interval | None = None


def agreement(ledger: Ledger, folder: Path, comparisons: Sequence[Comparison]) -> Drawn:
    """Write the figure: each pool that has a counterpart, and its reviews below it."""
    rows = _rows(comparisons)
    chart = Chart(ledger, ROW * len(rows) + BELOW + ABOVE)
    top = chart.height - ABOVE
    axis = rows_axis([(row.label, row.sources) for row in rows])
    panel = chart.panel("main", (LEFT, BELOW, RIGHT, top), percent_axis(), axis)
    for y, row in enumerate(rows):
        if row.prediction:
            low, _, high = row.prediction
            panel.line(f"{row.key}.prediction", (low, y), (high, y), grey=True)
        if row.interval:
            low, high = row.interval
            width = 3.0 if row.is_ours else 1.1
            panel.line(f"{row.key}.interval", (low, y), (high, y), row.is_ours, width)
        if row.is_ours:
            panel.diamond(row.key, row.estimate, y, side=5.0, accent=True)
        else:
            panel.square(row.key, row.estimate, y, side=5.0, filled=False)
    above = top + ROW / 2
    chart.words(RATE, above, "Rate", "right")
    chart.number(HIGH - 0.55, above, "const.level")
    chart.words(HIGH, above, "interval", "right")
    for y, row in enumerate(rows):
        chart.number(RATE, panel.up(y), f"{row.key}.estimate")
        if row.interval:
            chart.number(LOW, panel.up(y), f"{row.key}.ci_low")
            chart.words(TO, panel.up(y), "to", "center")
            chart.number(HIGH, panel.up(y), f"{row.key}.ci_high")
    chart.legend(LEGEND)
    chart.write(folder, "agreement", pd.DataFrame(map(_record, rows)))
    return _spoken(ledger, rows)


def _rows(comparisons: Sequence[Comparison]) -> list[Row]:
    """The pools in the order of the comparisons, each followed by the reviews beside it."""
    compared = [(c.ours, c.review) for c in comparisons if c.ours]
    rows = []
    for _, group in groupby(compared, key=lambda pair: pair[0].members.prefix):
        pairs = list(group)
        ours, _ = pairs[0]
        members, (low, estimate, high) = ours.members, ours.summary
        label = f"{members.unit_label}, {_short(members)}"
        sources = (members.label_source,)
        interval = (low, high)
        rows.append(
            Row(members.prefix, label, label, sources, True, estimate, interval, ours.prediction)
        )
        rows += [_review(review) for _, review in pairs]
    return rows


def _short(members: Members) -> str:
    """The outcome without the word that all outcomes share: `durable on treatment`."""
    return OUTCOME_LABELS[members.outcome].replace(" response", "")


def _review(review: Review) -> Row:
    place = f"published#{review.name}"
    label = name = f"{review.source} {review.year}"
    sources: tuple[str, ...] = (f"{place}#source", f"{place}#year")
    if review.is_one_of_several:
        label += f", {review.part or review.definition}"
        name += f" ({review.definition})"
        sources += (f"{place}#definition",)
    interval = review.interval and (review.interval[0] / 100, review.interval[1] / 100)
    key = f"published.{review.name}"
    return Row(key, label, name, sources, False, review.estimate / 100, interval)


def _record(row: Row) -> dict[str, object]:
    low, high = row.interval or (None, None)
    bottom, _, top = row.prediction or (None, None, None)
    return {
        "key": row.key, "label": row.label, "estimate": row.estimate, "ci_low": low,
        "ci_high": high, "pi_low": bottom, "pi_high": top,
    }  # fmt: skip


def _spoken(ledger: Ledger, rows: Sequence[Row]) -> Drawn:
    speaker = Speaker(ledger)
    speaker.say(
        "Pooled rates of this book, each followed by those of other reviews, in alphabetical order."
    )
    for row in rows:
        said = f"{row.name}: {'this book ' if row.is_ours else ''}{{estimate}}"
        said += " ({ci_low} to {ci_high})" if row.interval else ", no interval printed"
        said += ", prediction interval {pi_low} to {pi_high}." if row.prediction else "."
        speaker.say(said, row.key, row.sources)
    return speaker.drawn("agreement")
