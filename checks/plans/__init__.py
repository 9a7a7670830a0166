"""What the figures of single parts of the book must show, a module for each part.

A module has plans(data, sources): the plans of its figures, worked out from the data alone. How
plans are written is in figure.py (forest plots) and chart.py (all others).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from checks.plans import (
    agreement,
    comparisons,
    cost,
    denominators,
    differences,
    influence,
    multiverse,
    outlook,
    simulation,
)
from checks.plans.chart import ChartPlan
from checks.plans.figure import FigurePlan
from checks.rows import Data
from checks.sources import Sources


class Part(Protocol):
    """What each module offers."""

    def plans(self, data: Data, sources: Sources, /) -> Sequence[FigurePlan | ChartPlan]:
        """The plans of its figures."""


PARTS: tuple[Part, ...] = (
    multiverse,
    influence,
    comparisons,
    differences,
    agreement,
    outlook,
    denominators,
)


def plans(data: Data, sources: Sources, records: Mapping[str, Any]) -> list[FigurePlan]:
    """The plans of the figures of every part; records as in analysis/records/, by name."""
    found = [plan for part in PARTS for plan in part.plans(data, sources)]
    found += [*cost.plans(records), *simulation.plans(records)]
    return [of_chart(plan) if isinstance(plan, ChartPlan) else plan for plan in found]


def of_chart(plan: ChartPlan) -> FigurePlan:
    """The plan of a chart as that of any figure."""
    return FigurePlan(plan.name, "chart", (), plan.spoken, {}, chart=plan)
