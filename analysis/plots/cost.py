"""How time and memory grow with the evidence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.entries.cost import SIZES
from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Axis, Chart, log_axis

#: What is measured: name of the panel, title of its axis, its left end in inches.
MEASURES = (("seconds", "seconds", 0.6), ("mebibytes", "memory in MiB", 4.25))
WIDTH, BOTTOM, TOP, HEIGHT = 3.0, 0.55, 2.35, 2.85


def growth(ledger: Ledger, folder: Path, record: dict[str, Any]) -> Drawn:
    """Write the chart of seconds and memory by the size of the evidence, from its record."""
    sizes = record["growth"]
    factors = [size["factor"] for size in sizes]
    chart = Chart(ledger, HEIGHT)
    for name, title, left in MEASURES:
        values = [size[name] for size in sizes]
        in_proportion = [factor * values[0] / factors[0] for factor in factors]
        box = (left, BOTTOM, left + WIDTH, TOP)
        across = log_axis(factors[0], factors[-1], factors, "times the shipped evidence")
        panel = chart.panel(name, box, across, _decades([*values, *in_proportion], title))
        panel.curve(f"{name}.proportion", factors, in_proportion, grey=True)
        panel.curve(f"{name}.measured", factors, values)
        for factor, value in zip(factors, values, strict=True):
            panel.circle(f"{name}.{factor}", factor, value, side=5)
    chart.legend([("circle", "", "measured"), ("line", "grey", "in proportion to the evidence")])
    columns = ["factor", "studies", "rows", "seconds", "mebibytes"]
    chart.write(folder, "cost", pd.DataFrame(sizes, columns=columns))
    speaker = Speaker(ledger)
    speaker.say("Time and memory from data to ledger by the size of the evidence.")
    for factor in factors:
        said = "{factor} times the evidence: {seconds} seconds, {mebibytes} MiB."
        speaker.say(said, f"cost.{SIZES[factor]}")
    return speaker.drawn("cost")


def _decades(values: list[float], title: str) -> Axis:
    """A logarithmic axis from one power of ten to another around the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [10.0**power for power in range(low, max(high, low + 1) + 1)]
    return log_axis(ticks[0], ticks[-1], ticks, title)
