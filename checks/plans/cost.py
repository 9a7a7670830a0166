"""The figure of time and memory by the size of the evidence, from the record of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checks.plans.chart import ChartAxis, ChartMark, ChartPanel, ChartPlan, log_axis
from checks.values.cost import SIZES

_TITLES = {"seconds": "seconds", "mebibytes": "memory in MiB"}
_HEADER = ("factor", "studies", "rows", "seconds", "mebibytes")


def plans(records: Mapping[str, Any]) -> list[ChartPlan]:
    """One panel for each measure: what was measured, and the line of equal growth."""
    sizes = records["cost"]["growth"]
    panels, marks = [], []
    for measure, title in _TITLES.items():
        measured = [(float(size["factor"]), float(size[measure])) for size in sizes]
        (first, value), last = measured[0], measured[-1][0]
        line = [(factor, value * factor / first) for factor, _ in measured]
        across = log_axis(first, last, [x for x, _ in measured], "times the shipped evidence")
        panels.append(ChartPanel(measure, across, _decades([*measured, *line], title)))
        marks += [
            ChartMark(f"{measure}.proportion", "curve", tuple(line), measure, grey=True),
            ChartMark(f"{measure}.measured", "curve", tuple(measured), measure),
        ]
        for size, point in zip(sizes, measured, strict=True):
            name = f"{measure}.{size['factor']}"
            marks.append(ChartMark(name, "circle", (point,), measure, side=5.0))
    spoken = (
        f"cost.{SIZES[size['factor']]}.{stat}"
        for size in sizes
        for stat in ("factor", "seconds", "mebibytes")
    )
    table = [tuple(size[column] for column in _HEADER) for size in sizes]
    legend = (("circle", "", "measured"), ("line", "grey", "in proportion to the evidence"))
    plan = ChartPlan(
        "cost", tuple(panels), tuple(marks), (_HEADER, table), spoken=tuple(spoken), legend=legend
    )
    return [plan]


def _decades(points: Sequence[tuple[float, float]], title: str) -> ChartAxis:
    """Powers of ten, the last below all values to the first above."""
    low = 1.0
    values = [y for _, y in points]
    while low > min(values):
        low /= 10
    while low * 10 <= min(values):
        low *= 10
    high = low * 10
    while high < max(values):
        high *= 10
    ticks = [low]
    while ticks[-1] < high * 0.99:
        ticks.append(ticks[-1] * 10)
    return log_axis(low, high, ticks, title)
