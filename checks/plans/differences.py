"""What the bubble plots and funnels must show, worked out from the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from checks.constants import LEVEL
from checks.expected import FRACTION
from checks.plans.chart import (
    Cell,
    ChartAxis,
    ChartMark,
    ChartPanel,
    ChartPlan,
    log_axis,
    number_axis,
    percent_axis,
    rule,
)
from checks.rows import Data, Entry, select
from checks.sources import Sources
from checks.statistics import pool
from checks.values.differences import Level, Regression, asked

_TITLES = {
    "threshold": "Platelet threshold",
    "line": "Line of therapy",
    "design": "Design",
    "months": "Month of assessment",
    "year": "Year of publication",
}
_STEPS = 41
_WHOLE = 34.0
_MARGIN = 0.06
_WIDE, _PLAIN = 1.6, 1.1


def plans(data: Data, sources: Sources) -> list[ChartPlan]:
    """The plans of all bubble plots and funnels."""
    return list(_plans(data, sources))


def _plans(data: Data, sources: Sources) -> Iterator[ChartPlan]:
    for prefix, regressions in asked(data).items():
        entries = _by_year(data, sources, select(data)[prefix])
        answers = {name: one for name, one in regressions.items() if not one.why_not}
        if answers:
            yield _bubbles(data, sources, prefix, answers)
        if len({entry.n for entry in entries}) > 1:
            yield _funnel(prefix, entries)


def _by_year(data: Data, sources: Sources, entries: Sequence[Entry]) -> list[Entry]:
    """Studies by year, then name, as every figure has them."""

    def order(entry: Entry) -> tuple[int, str, str]:
        label = sources.text(f"studies#{entry.study_id}#label") or ""
        return data.studies[entry.study_id].year, label, entry.study_id

    return sorted(entries, key=order)


def _unit(prefix: str) -> str:
    basis, unit, _ = prefix.split(".")
    return f"{'classes' if basis == 'class' else 'therapies'}#{unit}#label"


# --- bubble plots --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Bubble:
    """A study of a regression in the order of the figure."""

    entry: Entry
    value: Level
    weight: float


_HEADER = (
    "pool", "moderator", "kind", "study", "value", "events", "n", "rate", "ci_low", "ci_high",
    "weight",
)  # fmt: skip


def _bubbles(
    data: Data, sources: Sources, prefix: str, answers: dict[str, Regression]
) -> ChartPlan:
    panels, marks, rows = [], [], []
    spoken = [_unit(prefix)]
    for name, one in answers.items():
        panels.append(ChartPanel(name, _across(name, one), percent_axis(title="Rate")))
        values = dict(zip((e.study_id for e in one.used), one.values, strict=True))
        weights = dict(zip((e.study_id for e in one.used), one.fit.weights, strict=True))
        studies = [
            _Bubble(entry, values[entry.study_id], float(weights[entry.study_id]))
            for entry in _by_year(data, sources, one.used)
        ]
        key = f"differences.{prefix}.{name}"
        fitted = (_line if one.numeric else _levels)(key, name, one, studies)
        marks += fitted
        rows += [[prefix, name, *row] for row in _table(one, studies)]
        for word, level in one.levels:
            if not isinstance(level, str):
                spoken.append(f"{key}.{word}.value")
            spoken += [f"{key}.{word}.{stat}" for stat in ("estimate", "ci_low", "ci_high")]
    return ChartPlan(
        name=f"bubble-{prefix.replace('.', '-')}",
        panels=tuple(panels),
        marks=tuple(marks),
        table=(_HEADER, rows),
        spoken=tuple(spoken),
        legend=(
            ("circle", "hollow", "a study, its area by weight"),
            ("line", "accent", "fitted rate"),
            ("line", "grey", "its confidence interval"),
        ),
    )


def _across(name: str, one: Regression) -> ChartAxis:
    """The axis of the moderator."""
    if not one.numeric:
        ticks = tuple(
            (float(place), _read(level), "" if isinstance(level, str) else f"axis-{level:g}")
            for place, (_, level) in enumerate(one.levels)
        )
        return ChartAxis(-0.5, len(ticks) - 0.5, ticks, _TITLES[name])
    low, high = (float(level) for _, level in one.levels)
    span = high - low
    step = _step(span)
    if name == "year":
        step = max(1.0, step)
    return number_axis(low - _MARGIN * span, high + _MARGIN * span, step, _TITLES[name])


def _step(span: float) -> float:
    """The largest round number that goes into the span three times."""
    third = span / 3 * (1 + 1e-9)
    power = 10.0 ** math.floor(math.log10(span / 3))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= third)


def _read(level: Level) -> str:
    return level.replace("_", " ") if isinstance(level, str) else f"{level:g}"


def _circles(
    key: str, panel: str, studies: Sequence[_Bubble], places: Sequence[float]
) -> list[ChartMark]:
    """A circle for each study, the heaviest first."""
    order = sorted(range(len(studies)), key=lambda one: -studies[one].weight)
    return [
        ChartMark(
            f"{key}.{(entry := studies[one].entry).study_id}",
            "circle",
            ((places[one], entry.events / entry.n),),
            panel,
            filled=False,
            side=_WHOLE * math.sqrt(studies[one].weight),
        )
        for one in order
    ]


def _xs(one: Regression) -> list[float]:
    low, high = (float(level) for _, level in one.levels)
    return [float(x) for x in np.linspace(low, high, _STEPS)]


def _line(key: str, panel: str, one: Regression, studies: Sequence[_Bubble]) -> list[ChartMark]:
    xs = _xs(one)
    rates = [one.fit.rate(one.row(x)) for x in xs]
    marks = [
        ChartMark(
            f"{key}.{part}",
            "curve",
            tuple((x, rate[place]) for x, rate in zip(xs, rates, strict=True)),
            panel,
            accent=part == "fit",
            grey=part != "fit",
            side=_WIDE if part == "fit" else _PLAIN,
        )
        for part, place in (("ci_low", 0), ("ci_high", 2), ("fit", 1))
    ]
    return marks + _circles(key, panel, studies, [float(study.value) for study in studies])


def _levels(key: str, panel: str, one: Regression, studies: Sequence[_Bubble]) -> list[ChartMark]:
    marks = []
    for place, (word, level) in enumerate(one.levels):
        rate = one.fit.rate(one.row(level))
        for part, y in (("ci_low", rate[0]), ("ci_high", rate[2]), ("fit", rate[1])):
            marks.append(
                ChartMark(
                    f"{key}.{word}.{part}",
                    "line",
                    ((place - 0.4, y), (place + 0.4, y)),
                    panel,
                    accent=part == "fit",
                    grey=part != "fit",
                    side=_WIDE if part == "fit" else _PLAIN,
                )
            )
    places = []
    for of_study in studies:
        shared = [study for study in studies if study.value == of_study.value]
        column = [level for _, level in one.levels].index(of_study.value)
        places.append(column + 0.7 * ((shared.index(of_study) + 0.5) / len(shared) - 0.5))
    return marks + _circles(key, panel, studies, places)


def _table(one: Regression, studies: Sequence[_Bubble]) -> Iterator[list[Cell]]:
    for study in studies:
        entry = study.entry
        rate, weight = entry.events / entry.n, (study.weight, FRACTION)
        counts: list[Cell] = [entry.events, entry.n, rate]
        yield ["study", entry.study_id, _read(study.value), *counts, None, None, weight]
    at: list[tuple[Cell, Level]] = [(_read(level), level) for _, level in one.levels]
    if one.numeric:
        at = [((x, 1e-9 * abs(x)), x) for x in _xs(one)]
    for shown, level in at:
        low, middle, high = ((rate, FRACTION) for rate in one.fit.rate(one.row(level)))
        yield ["fitted", "", shown, None, None, middle, low, high, None]


# --- funnels -------------------------------------------------------------------------------------


def _funnel(prefix: str, entries: Sequence[Entry]) -> ChartPlan:
    """Rates against the number of patients, and the limits around the pooled rate."""
    events, n = np.array([(entry.events, entry.n) for entry in entries], dtype=float).T
    pooled = pool(events, n)
    ticks = _round_sizes(int(n.min()), int(n.max()))
    panel = ChartPanel(
        "funnel",
        percent_axis(title="Rate"),
        log_axis(ticks[0], ticks[-1], ticks, "Patients in the study"),
    )
    sizes = [float(size) for size in np.geomspace(ticks[0], ticks[-1], _STEPS)]
    limits = {
        word: [_limits(pooled.estimate, tau2, size) for size in sizes]
        for word, tau2 in (("chance", 0.0), ("spread", pooled.tau2))
    }
    key = f"differences.{prefix}.size"
    marks = [rule(f"{key}.pooled", panel, x=pooled.estimate)]
    marks += [
        ChartMark(
            f"{key}.{word}_{side}",
            "curve",
            tuple((of[place], size) for of, size in zip(found, sizes, strict=True)),
            panel.name,
            accent=word == "spread",
            grey=word == "chance",
            side=_WIDE if word == "spread" else _PLAIN,
        )
        for word, found in limits.items()
        for place, side in enumerate(("low", "high"))
    ]
    marks += [
        ChartMark(f"{key}.{e.study_id}", "circle", ((e.events / e.n, e.n),), panel.name)
        for e in entries
    ]
    rows: list[list[Cell]] = [
        ["study", e.study_id, e.n, e.events, e.events / e.n, None, None, None, None]
        for e in entries
    ]
    rows += [
        [
            "limits", "", (size, 1e-9 * size), None, None,
            *((limit, FRACTION) for found in limits.values() for limit in found[place]),
        ]
        for place, size in enumerate(sizes)
    ]  # fmt: skip
    header = (
        "kind", "study", "n", "events", "rate",
        "chance_low", "chance_high", "spread_low", "spread_high",
    )  # fmt: skip
    stats = ("small.n", "large.n", "odds_ratio", "odds_ratio_low", "odds_ratio_high")
    return ChartPlan(
        name=f"funnel-{prefix.replace('.', '-')}",
        panels=(panel,),
        marks=tuple(marks),
        table=(header, rows),
        spoken=(_unit(prefix), *(f"{key}.{stat}" for stat in stats)),
        legend=(
            ("circle", "", "a study"),
            ("line", "grey", "expected by chance alone"),
            ("line", "accent", "with the variance between studies"),
        ),
    )


def _round_sizes(smallest: int, largest: int) -> list[float]:
    """1, 2, 5, 10 and so on, from the last below the smallest to the first above the largest."""
    sizes = [0.5] + [factor * 10.0**power for power in range(9) for factor in (1, 2, 5)]
    first = max(place for place, size in enumerate(sizes) if size < smallest)
    last = min(place for place, size in enumerate(sizes) if size > largest)
    return sizes[first : last + 1]


def _limits(rate: float, tau2: float, n: float) -> tuple[float, float]:
    """Between which rates a study of n patients is expected, normal on the logit scale."""
    reach = float(norm.ppf((1 + LEVEL) / 2)) * math.sqrt(tau2 + 1 / (n * rate * (1 - rate)))
    middle = float(logit(rate))
    return float(expit(middle - reach)), float(expit(middle + reach))
