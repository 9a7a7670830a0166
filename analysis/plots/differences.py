"""Bubble plots of the regressions, and funnels of rates against the size of studies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from analysis.differences import Answer, Level, PoolDifferences
from analysis.entries.differences import ends, key
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Axis, Chart, Panel, Tick, log_axis, number_axis, percent_axis
from analysis.proportions import LEVEL
from analysis.report import Report
from analysis.selection import OUTCOME_LABELS

#: Places at which curves are worked out, from one end of the axis to the other.
STEPS = 41
#: Diameter in points of a circle that has all the weight; circles' areas go with their weights.
WHOLE = 34.0
#: Share of the range that is left free on either side of the outermost circles.
MARGIN = 0.06

BOTTOM, TALL, PITCH = 0.45, 1.85, 2.65
HALVES, WHOLE_WIDTH = ((0.5, 3.55), (4.2, 7.25)), (0.5, 7.25)


def draw(report: Report, folder: Path) -> list[Drawn]:
    """Every bubble plot and funnel of the book."""
    drawn = []
    for pool in report.differences.pools.values():
        if pool.answers:
            drawn.append(bubbles(report, folder, pool))
        if pool.size:
            drawn.append(funnel(report, folder, pool))
    return drawn


def figure_name(kind: str, prefix: str) -> str:
    """File name of a pool's bubble plot or funnel."""
    return f"{kind}-{prefix.replace('.', '-')}"


def level_text(level: Level) -> str:
    """A level as it is read: `second line`, `30`."""
    return level.replace("_", " ") if isinstance(level, str) else f"{level:g}"


def step_of(span: float) -> float:
    """The largest of 1, 2, 5 and their tens that goes into the span three times or more."""
    power = 10.0 ** math.floor(math.log10(span / 3))
    return max(power * factor for factor in (1, 2, 5) if 3 * power * factor <= span * (1 + 1e-9))


# --- bubble plots --------------------------------------------------------------------------------


def bubbles(report: Report, folder: Path, pool: PoolDifferences) -> Drawn:
    """A panel for each regression of a pool: studies as circles, the fitted rate, its interval."""
    members = report.members(pool.prefix)
    rows = (len(pool.answers) + 1) // 2
    chart = Chart(report.ledger, rows * PITCH + 0.3)
    entries = [
        ("circle", "hollow", "a study, its area by weight"),
        ("line", "accent", "fitted rate"),
    ]
    chart.legend([*entries, ("line", "grey", "its confidence interval")])
    records: list[dict[str, object]] = []
    for place, answer in enumerate(pool.answers):
        alone = place % 2 == 0 and place == len(pool.answers) - 1
        left, right = WHOLE_WIDTH if alone else HALVES[place % 2]
        bottom = (rows - 1 - place // 2) * PITCH + BOTTOM
        name = answer.question.moderator.name
        box = (left, bottom, right, bottom + TALL)
        rates = percent_axis(title="Rate")
        panel = chart.panel(name, box, _across(answer), rates)
        paint = _line if answer.question.moderator.numeric else _levels
        for record in paint(panel, key(pool.prefix, name), answer):
            records.append({"pool": pool.prefix, "moderator": name, **record})
    speaker = Speaker(report.ledger)
    outcome = OUTCOME_LABELS[members.outcome]
    speaker.say(
        f"Bubble plots of {outcome}, {members.unit_label}: a circle for each study, larger where "
        "it weighs more, with the fitted rate.",
        sources=(members.label_source,),
    )
    for answer in pool.answers:
        _speak(speaker, pool.prefix, answer)
    figure = figure_name("bubble", pool.prefix)
    chart.write(folder, figure, pd.DataFrame(records, dtype=object))
    return speaker.drawn(figure)


def _across(answer: Answer) -> Axis:
    """The axis of the moderator."""
    question = answer.question
    title = question.moderator.label
    if not question.moderator.numeric:
        ticks = (
            Tick(place, level_text(level), "" if isinstance(level, str) else f"axis-{level:g}")
            for place, level in enumerate(question.levels)
        )
        return Axis(-0.5, len(question.levels) - 0.5, tuple(ticks), title)
    low, high = (float(level) for level in question.levels)
    step = step_of(high - low)
    if question.moderator.name == "year":
        step = max(1.0, step)
    margin = MARGIN * (high - low)
    return number_axis(low - margin, high + margin, step, title)


def _studies(
    panel: Panel, name: str, answer: Answer, places: list[float]
) -> Iterator[dict[str, object]]:
    """A circle for each study, the large ones first so that none is hidden."""
    question, weights = answer.question, answer.regression.weights
    order = sorted(range(len(places)), key=lambda one: (-weights[one], one))
    for one in order:
        study = question.used[one]
        side = WHOLE * math.sqrt(weights[one])
        rate = study.events / study.n
        panel.circle(f"{name}.{study.study_id}", places[one], rate, side, filled=False)
    for study, value, weight in zip(question.used, question.values, weights, strict=True):
        yield {
            "kind": "study", "study": study.study_id, "value": level_text(value),
            "events": study.events, "n": study.n, "rate": study.events / study.n,
            "ci_low": None, "ci_high": None, "weight": weight,
        }  # fmt: skip


def _line(panel: Panel, name: str, answer: Answer) -> Iterator[dict[str, object]]:
    """The fitted line of a number, with its interval, from the lowest to the highest value."""
    low, high = (float(level) for level in answer.question.levels)
    xs = np.linspace(low, high, STEPS).tolist()
    rates = [answer.rate(x) for x in xs]
    for limit in ("low", "high"):
        ys = [getattr(rate, limit) for rate in rates]
        panel.curve(f"{name}.ci_{limit}", xs, ys, grey=True)
    panel.curve(f"{name}.fit", xs, [rate.estimate for rate in rates], accent=True, width=1.6)
    yield from _studies(panel, name, answer, [float(v) for v in answer.question.values])
    for x, rate in zip(xs, rates, strict=True):
        yield _fitted(repr(x), rate.estimate, rate.low, rate.high)


def _levels(panel: Panel, name: str, answer: Answer) -> Iterator[dict[str, object]]:
    """The fitted rate of each level with its interval; its studies stand side by side."""
    question = answer.question
    rates = [answer.rate(level) for level in question.levels]
    for place, (level, rate) in enumerate(zip(question.levels, rates, strict=True)):
        ids = f"{name}.{level_text(level).replace(' ', '_')}"
        for part, y in (("ci_low", rate.low), ("ci_high", rate.high), ("fit", rate.estimate)):
            fitted = part == "fit"
            width = 1.6 if fitted else 1.1
            ends_of = (place - 0.4, y), (place + 0.4, y)
            panel.line(f"{ids}.{part}", *ends_of, accent=fitted, grey=not fitted, width=width)
    places = []
    for index, value in enumerate(question.values):
        before, of_level = question.values[:index].count(value), question.values.count(value)
        aside = 0.7 * ((before + 0.5) / of_level - 0.5)
        places.append(question.levels.index(value) + aside)
    yield from _studies(panel, name, answer, places)
    for level, rate in zip(question.levels, rates, strict=True):
        yield _fitted(level_text(level), rate.estimate, rate.low, rate.high)


def _fitted(value: str, rate: float, low: float, high: float) -> dict[str, object]:
    return {
        "kind": "fitted", "study": "", "value": value, "events": None, "n": None,
        "rate": rate, "ci_low": low, "ci_high": high, "weight": None,
    }  # fmt: skip


def _speak(speaker: Speaker, prefix: str, answer: Answer) -> None:
    question = answer.question
    name = key(prefix, question.moderator.name)
    said = []
    for word, level in ends(question):
        at = f"{word}.value" if not isinstance(level, str) else ""
        words = f"{{{at}}}" if at else level_text(level)
        said.append(f"{words} {{{word}.estimate}} ({{{word}.ci_low}} to {{{word}.ci_high}})")
    speaker.say(f"{question.moderator.label}: {', '.join(said)}.", name)


# --- funnels -------------------------------------------------------------------------------------


def funnel(report: Report, folder: Path, pool: PoolDifferences) -> Drawn:
    """Rates against the number of patients, with the limits expected around the pooled rate.

    The inner limits are of chance alone, the outer ones add the variance between studies (normal
    on the logit scale).
    """
    members, prefix = report.members(pool.prefix), pool.prefix
    pooled = report.pools[prefix]
    assert pooled.summary
    assert pooled.heterogeneity
    chart = Chart(report.ledger, 3.6)
    chart.legend(
        [
            ("circle", "", "a study"),
            ("line", "grey", "expected by chance alone"),
            ("line", "accent", "with the variance between studies"),
        ]
    )
    sizes = log_ticks([study.n for study in members.studies])
    upright = log_axis(sizes[0], sizes[-1], sizes, "Patients in the study")
    panel = chart.panel("funnel", (0.5, 0.45, 7.25, 3.0), percent_axis(title="Rate"), upright)
    ns = np.geomspace(sizes[0], sizes[-1], STEPS)
    inner = expected_limits(pooled.summary.estimate, 0.0, ns)
    outer = expected_limits(pooled.summary.estimate, pooled.heterogeneity.tau2, ns)
    name = key(prefix, "size")
    panel.rule(f"{name}.pooled", x=pooled.summary.estimate)
    for word, (low, high), accent in (("chance", inner, False), ("spread", outer, True)):
        for side, xs in (("low", low), ("high", high)):
            width = 1.6 if accent else 1.1
            ids = f"{name}.{word}_{side}"
            panel.curve(ids, xs, ns.tolist(), accent=accent, grey=not accent, width=width)
    records: list[dict[str, object]] = []
    for study in members.studies:
        panel.circle(f"{name}.{study.study_id}", study.events / study.n, study.n)
        records.append(
            {
                "kind": "study",
                "study": study.study_id,
                "n": study.n,
                "events": study.events,
                "rate": study.events / study.n,
            }
        )
    records += [
        {
            "kind": "limits", "study": "", "n": repr(float(n)), "events": None, "rate": None,
            "chance_low": inner[0][place], "chance_high": inner[1][place],
            "spread_low": outer[0][place], "spread_high": outer[1][place],
        }
        for place, n in enumerate(ns)
    ]  # fmt: skip
    speaker = Speaker(report.ledger)
    speaker.say(
        f"Funnel plot of {OUTCOME_LABELS[members.outcome]}, {members.unit_label}: rates across, "
        "patients up on a logarithmic scale, from {small.n} to {large.n}. Odds of response in the "
        "smallest over the largest: {odds_ratio} ({odds_ratio_low} to {odds_ratio_high}).",
        name,
        sources=(members.label_source,),
    )
    figure = figure_name("funnel", prefix)
    chart.write(folder, figure, pd.DataFrame(records, dtype=object))
    return speaker.drawn(figure)


def log_ticks(values: list[int]) -> list[float]:
    """All of 1, 2, 5 and their tens from the last below all values to the first above them."""
    round_ones = [factor * 10.0**power for power in range(9) for factor in (1, 2, 5)]
    low = max((r for r in round_ones if r < min(values)), default=0.5)
    high = min(r for r in round_ones if r > max(values))
    return [r for r in [0.5, *round_ones] if low <= r <= high]


def expected_limits(
    rate: float, tau2: float, n: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    """Between which rates studies of n patients (shape (m,)) are expected around a rate."""
    spread = ndtri((1 + LEVEL) / 2) * np.sqrt(tau2 + 1 / (n * rate * (1 - rate)))
    middle = logit(rate)
    return expit(middle - spread).tolist(), expit(middle + spread).tolist()
