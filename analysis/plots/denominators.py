"""The interval of a percentage without a denominator, for every number of patients it allows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd

from analysis.entries.denominators import bounds_prefix
from analysis.ledger import row_prefix
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Chart, number_axis, percent_axis
from analysis.plots.page import WIDTH
from analysis.report import Report
from analysis.selection import study_labels

#: Inches of a panel, of its row with name and ticks, and of the legend on top.
TALL, ROW, TOP = 1.1, 1.75, 0.2


def draw(report: Report, folder: Path) -> list[Drawn]:
    """A panel a percentage: lower and upper exact limits over the possible numbers of patients."""
    found = [bounds for bounds in report.bounds if bounds.rounded]
    if not found:
        return []
    labels = study_labels(report.evidence.studies)
    chart = Chart(report.ledger, len(found) * ROW + TOP)
    chart.legend([("circle", "", "limits of the exact interval"), ("line", "grey", "as printed")])
    speaker = Speaker(report.ledger)
    speaker.say(
        "Percentages without a denominator: the exact interval for every number of patients that "
        "rounds to the printed percentage."
    )
    records = []
    for place, bounds in enumerate(found):
        study = bounds.address.split("/")[0]
        bottom = (len(found) - 1 - place) * ROW + 0.4
        panel = chart.panel(
            study,
            (0.5, bottom, WIDTH - 0.3, bottom + TALL),
            number_axis(0, bounds.limit, 20 * -(-bounds.limit // 200), "patients"),
            percent_axis(),
        )
        panel.rule(f"{study}.printed", y=float(Decimal(bounds.printed) / 100))
        sizes = [n for n, _ in bounds.band]
        for side in ("low", "high"):
            limits = [getattr(interval, side) for _, interval in bounds.band]
            panel.curve(f"{study}.{side}", sizes, limits)
            for n, limit in zip(sizes, limits, strict=True):
                panel.circle(f"{study}.{side}.{n}", n, limit, side=3.0)
        source = f"studies#{study}#label"
        chart.label(0.5, bottom + TALL + 0.13, labels[study], (source,))
        prefix = bounds_prefix(bounds.address)
        speaker.say(f"{labels[study]}:", sources=(source,))
        speaker.say("{reported_percent};", row_prefix(bounds.address))
        speaker.say(
            "with {smallest.n} patients {smallest.ci_low} to {smallest.ci_high}, with {largest.n} "
            "patients {largest.ci_low} to {largest.ci_high}.",
            prefix,
        )
        records += [
            {"study": study, "n": n, "low": interval.low, "high": interval.high}
            for n, interval in bounds.band
        ]
    chart.write(folder, "denominators", pd.DataFrame(records))
    return [speaker.drawn("denominators")]
