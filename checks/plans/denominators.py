"""What the figure of percentages without a denominator must show."""

from __future__ import annotations

from decimal import Decimal

from checks.plans.chart import (
    ChartMark,
    ChartPanel,
    ChartPlan,
    Where,
    label,
    number_axis,
    percent_axis,
    rule,
)
from checks.rows import Data
from checks.sources import Sources
from checks.statistics import exact_interval
from checks.values.denominators import Bounds, bounds

_TALL, _ROW = 1.1, 1.75
_LEGEND = (("circle", "", "limits of the exact interval"), ("line", "grey", "as printed"))
_NEAR = 1e-9
_SPOKEN = (
    "smallest.n", "smallest.ci_low", "smallest.ci_high",
    "largest.n", "largest.ci_low", "largest.ci_high",
)  # fmt: skip


def plans(data: Data, sources: Sources) -> list[ChartPlan]:
    """A panel a percentage that some number of patients can give."""
    given = [found for found in bounds(data) if found.rounded]
    if not given:
        return []
    panels, marks, texts, said, table = [], [], [], [], []
    for place, found in enumerate(given):
        study = found.row.study_id
        step = 20 * -(-found.limit // 200)
        panel = ChartPanel(study, number_axis(0, found.limit, step, "patients"), percent_axis())
        panels.append(panel)
        printed = float(Decimal(found.row.cells["reported_percent"]) / 100)
        marks.append(rule(f"{study}.printed", panel, y=printed))
        limits = _limits(found)
        for side, which in (("low", 0), ("high", 1)):
            points = tuple((float(n), limits[n][which]) for n in limits)
            marks.append(ChartMark(f"{study}.{side}", "curve", points, study))
            marks += [
                ChartMark(f"{study}.{side}.{n:.0f}", "circle", ((n, limit),), study, side=3.0)
                for n, limit in points
            ]
        source = f"studies#{study}#label"
        bottom = (len(given) - 1 - place) * _ROW + 0.4
        where = Where(0.5, bottom + _TALL + 0.13)
        texts.append(label(sources.text(source) or "", (source,), where))
        said += [source, f"{found.row.key}.reported_percent"]
        said += [f"{found.key}.{stat}" for stat in _SPOKEN]
        table += [(study, n, (low, _NEAR), (high, _NEAR)) for n, (low, high) in limits.items()]
    return [
        ChartPlan(
            "denominators",
            tuple(panels),
            tuple(marks),
            (("study", "n", "low", "high"), table),
            tuple(texts),
            tuple(said),
            _LEGEND,
        )
    ]


def _limits(found: Bounds) -> dict[int, tuple[float, float]]:
    """By number of patients the lowest and the highest limit of all numbers of events."""
    limits: dict[int, tuple[float, float]] = {}
    for events, n in found.rounded:
        low, high = exact_interval(events, n)
        other = limits.get(n, (low, high))
        limits[n] = (min(low, other[0]), max(high, other[1]))
    return limits
