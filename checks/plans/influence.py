"""What the figures of influence must show: studies left out and added, and all subsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from checks.constants import CELL_I2, CELL_RATE
from checks.expected import FRACTION, TAU2
from checks.plans.chart import (
    Cell,
    ChartMark,
    ChartPanel,
    ChartPlan,
    ChartText,
    Where,
    label,
    number,
    percent_axis,
    rows_axis,
    rule,
    words,
)
from checks.rows import Data, Entry
from checks.sources import Sources
from checks.values.influence import Refit, asked, counts_of, refit, scatter

#: Right ends of the columns of numbers in inches, the middle of the word between two of them.
_COLUMNS = {
    "estimate": 4.72, "ci_low": 5.2, "ci_high": 5.78, "change": 6.4, "tau2": 6.86, "i2": 7.3,
}  # fmt: skip
_HEADS = {"Rate": "estimate", "interval": "ci_high", "Change": "change", "tau²": "tau2", "I²": "i2"}
_TO, _LEVEL = 5.31, 5.3
_ABOVE = 0.13
_LEAST, _MORE = 1.2, 3.4
_TOGETHER = ("line", "grey", "all studies together")


@dataclass(frozen=True)
class _Row:
    """One row of a panel: its name with its place in the data, its key, and what it shows."""

    label: str
    sources: tuple[str, ...]
    key: str
    fit: Refit
    change: float | None = None


def plans(data: Data, sources: Sources) -> Sequence[ChartPlan]:
    """Both figures of every pool that was looked at."""
    return [
        plan
        for prefix, entries in asked(data).items()
        for plan in (_studies(prefix, entries, sources), _subsets(prefix, entries, sources))
    ]


def _name(kind: str, prefix: str) -> str:
    return f"{kind}-{prefix.removeprefix('pool.').replace('.', '-')}"


def _source(entry: Entry) -> str:
    return f"studies#{entry.study_id}#label"


def _therapy(prefix: str) -> str:
    return f"therapies#{prefix.split('.')[1]}#label"


# --- study by study ------------------------------------------------------------------------------


def _studies(prefix: str, entries: Sequence[Entry], sources: Sources) -> ChartPlan:
    """The pool without each study and all together, then with studies added."""
    whole = refit(counts_of(entries))
    without, through = [], []
    for place, entry in enumerate(entries):
        fit = refit(counts_of([*entries[:place], *entries[place + 1 :]]))
        name, of_label = sources.text(_source(entry)) or "", (_source(entry),)
        key = f"loo.{prefix}.without.{entry.study_id}"
        without.append(_Row(name, of_label, key, fit, fit.estimate - whole.estimate))
        key = f"cumulative.{prefix}.through.{entry.study_id}"
        through.append(_Row(name, of_label, key, refit(counts_of(entries[: place + 1]))))
    every = [*without, _Row("All studies", (), prefix, whole)]
    rates = [row.fit.estimate for row in without]
    ends = [without[rates.index(end(rates))] for end in (min, max)]
    spoken = [_therapy(prefix), *(f"{prefix}.{stat}" for stat in ("estimate", "ci_low", "ci_high"))]
    for row in ends:
        spoken += [*row.sources, *(f"{row.key}.{s}" for s in ("estimate", "ci_low", "ci_high"))]
    panels = (_panel("without", every), _panel("through", through))
    return ChartPlan(
        name=_name("studies", prefix),
        panels=panels,
        marks=(
            *_marks(panels[0], every, prefix, whole),
            *_marks(panels[1], through, prefix, whole),
        ),
        texts=(*_texts("without", every), *_texts("through", through)),
        table=(
            ("panel", "study", "key", *_COLUMNS),
            [*_lines("without", every), *_lines("through", through)],
        ),
        spoken=tuple(spoken),
        legend=(_TOGETHER,),
    )


def _panel(name: str, rows: Sequence[_Row]) -> ChartPanel:
    title = "Without this study" if name == "without" else "Up to this study, by year"
    axis = rows_axis([(row.label, row.sources) for row in rows])
    return ChartPanel(name, percent_axis(), replace(axis, title=title))


def _marks(panel: ChartPanel, rows: Sequence[_Row], prefix: str, whole: Refit) -> list[ChartMark]:
    marks = [rule(f"{panel.name}.{prefix}.all", panel, x=whole.estimate)]
    for place, row in enumerate(rows):
        accent = row.key == prefix
        name = f"{panel.name}.{row.key}" if accent else row.key
        ends = ((row.fit.ci_low, float(place)), (row.fit.ci_high, float(place)))
        at = ((row.fit.estimate, float(place)),)
        shape = "diamond" if accent else "square"
        marks.append(ChartMark(f"{name}.interval", "line", ends, panel.name, accent=accent))
        marks.append(ChartMark(name, shape, at, panel.name, accent=accent))
    return marks


def _texts(panel: str, rows: Sequence[_Row]) -> list[ChartText]:
    texts = []
    for place, row in enumerate(rows):
        texts += [
            number(f"{row.key}.{stat}", Where(left=_COLUMNS[stat], panel=panel, y=place))
            for stat in _shown(row)
        ]
        texts.append(words("to", Where(left=_TO, panel=panel, y=place), "middle"))
    top = Where(bottom=_ABOVE, panel=panel, y=-0.5)
    texts.append(number("const.level", replace(top, left=_LEVEL)))
    for head, stat in _HEADS.items():
        if stat != "change" or panel == "without":
            texts.append(words(head, replace(top, left=_COLUMNS[stat]), "end"))
    return texts


def _values(row: _Row) -> dict[str, float | None]:
    fit = row.fit
    return {
        "estimate": fit.estimate, "ci_low": fit.ci_low, "ci_high": fit.ci_high,
        "change": row.change, "tau2": fit.tau2, "i2": fit.i2,
    }  # fmt: skip


def _shown(row: _Row) -> list[str]:
    return [stat for stat, value in _values(row).items() if value is not None]


def _lines(panel: str, rows: Sequence[_Row]) -> list[list[Cell]]:
    lines: list[list[Cell]] = []
    for row in rows:
        line: list[Cell] = [panel, row.label, row.key]
        for stat, value in _values(row).items():
            near = TAU2 * (1 + (value or 0.0)) if stat == "tau2" else 2 * FRACTION
            line.append(None if value is None else (value, near))
        lines.append(line)
    return lines


# --- all subsets ---------------------------------------------------------------------------------


def _subsets(prefix: str, entries: Sequence[Entry], sources: Sources) -> ChartPlan:
    """A square for each cell, with and without the study that sets the subsets apart."""
    found, whole = scatter(counts_of(entries)), refit(counts_of(entries))
    study, key = entries[found.study], f"gosh.{prefix}"
    name = sources.text(_source(study)) or ""
    most = max(count for side in found.sides.values() for _, _, count in side.cells)
    panels, marks, texts, table = [], [], [], []
    spoken = [_therapy(prefix)]
    for which, side in found.sides.items():
        title = "Pooled rate" if which == "without" else ""
        panel = ChartPanel(which, percent_axis(step=0.1, title=title), percent_axis(title="I²"))
        panels.append(panel)
        marks.append(rule(f"{key}.{which}.all", panel, x=whole.estimate))
        middles = tuple(
            (rate / 100 + CELL_RATE / 2, spread / 100 + CELL_I2 / 2)
            for rate, spread, _ in side.cells
        )
        sizes = tuple(_LEAST + _MORE * (count / most) ** 0.5 for _, _, count in side.cells)
        marks.append(ChartMark(f"{key}.{which}", "square", middles, which, side=sizes))
        top = Where(bottom=_ABOVE, panel=which, y=1.0)
        texts += [
            label(f"{which.capitalize()} {name}", (_source(study),), replace(top, left=1.0)),
            number(f"{key}.{which}.subsets", replace(top, left=4.6)),
            words("subsets", replace(top, left=4.66)),
            words("median rate", replace(top, left=6.7), "end"),
            number(f"{key}.{which}.median", replace(top, left=7.2)),
        ]
        table += [(which, *cell) for cell in side.cells]
        stats = ("subsets", "median", "i2")
        spoken += [_source(study), *(f"{key}.{which}.{stat}" for stat in stats)]
    return ChartPlan(
        name=_name("subsets", prefix),
        panels=tuple(panels),
        marks=tuple(marks),
        texts=tuple(texts),
        table=(("study", "rate_from", "i2_from", "subsets"), table),
        spoken=tuple(spoken),
        legend=(("square", "", "subsets, larger where there are more"), _TOGETHER),
    )
