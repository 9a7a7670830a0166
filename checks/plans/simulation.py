"""The figure of coverage against the rate, from the recorded simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checks.constants import LEVEL
from checks.plans.chart import (
    ChartMark,
    ChartPanel,
    ChartPlan,
    ChartText,
    Where,
    number,
    percent_axis,
    rule,
    words,
)
from checks.values.simulation import PRINTED_RATES, PRINTED_TAU2, RATES, STUDIES, Line, lines

_LEFTS = (0.55, 3.0, 5.45)
_HEADS = (4.23, 2.03)


def plans(records: Mapping[str, Any]) -> Sequence[ChartPlan]:
    """The plan of the figure."""
    record = records["simulation"]
    found = lines(record)
    x, y = percent_axis(title="Median rate"), percent_axis(0.6, 1, 0.1)
    panels = tuple(ChartPanel(f"k_{k}", x, y) for k in STUDIES)
    marks: list[ChartMark] = []
    texts: list[ChartText] = []
    for place, panel in enumerate(panels):
        marks += _marks(STUDIES[place], panel, found)
        left, head = _LEFTS[place % 3], _HEADS[place // 3]
        key = f"simulation.studies.{STUDIES[place]}"
        texts.append(number(key, Where(left=left + 0.16, bottom=head)))
        texts.append(words("studies", Where(left=left + 0.21, bottom=head)))
    header = record["columns"]
    rows = [[line[column] for column in header] for line in found.values()]
    legend = (
        ("circle", "", "this book's interval"),
        ("square", "hollow grey", "Wald interval"),
        ("diamond", "accent", "binomial-normal model"),
    )
    plan = ChartPlan(
        "coverage", panels, tuple(marks), (header, rows), tuple(texts), _spoken(), legend
    )
    return [plan]


def _marks(
    k: int, panel: ChartPanel, found: Mapping[tuple[int, int, float], Line]
) -> list[ChartMark]:
    def points(rates: Sequence[int], column: str) -> tuple[tuple[float, float], ...]:
        shares = [found[k, rate, PRINTED_TAU2][column] for rate in rates]
        assert None not in shares
        return tuple((r / 100, float(s or 0)) for r, s in zip(rates, shares, strict=True))

    wald, own = points(RATES, "wald_covered"), points(RATES, "covered")
    glmm = points(PRINTED_RATES, "glmm_covered")
    where = panel.name
    marks = [
        rule(f"level.{where}", panel, y=LEVEL),
        ChartMark(f"wald.{where}", "curve", wald, where, grey=True),
        ChartMark(f"covered.{where}", "curve", own, where),
        ChartMark(f"glmm.{where}", "curve", glmm, where, accent=True),
    ]
    for rate, at_wald, at_own in zip(RATES, wald, own, strict=True):
        key = f"simulation.{where}.rate_{rate}"
        marks.append(ChartMark(f"{key}.wald", "square", (at_wald,), where, filled=False, grey=True))
        marks.append(ChartMark(f"{key}.covered", "circle", (at_own,), where))
    for rate, at in zip(PRINTED_RATES, glmm, strict=True):
        key = f"simulation.{where}.rate_{rate}.glmm"
        marks.append(ChartMark(key, "diamond", (at,), where, accent=True))
    return marks


def _spoken() -> tuple[str, ...]:
    keys = []
    for k in (STUDIES[0], STUDIES[-1]):
        keys.append(f"simulation.studies.{k}")
        for rate in (PRINTED_RATES[0], PRINTED_RATES[-1]):
            keys.append(f"simulation.rate.{rate}")
            prefix = f"simulation.k_{k}.rate_{rate}"
            keys += [f"{prefix}.{stat}" for stat in ("covered", "wald", "glmm")]
    return tuple(keys)
