"""The figure of pools beside those of other reviews."""

from __future__ import annotations

from dataclasses import dataclass

from checks.plans.chart import (
    Cell,
    ChartMark,
    ChartPanel,
    ChartPlan,
    ChartText,
    Where,
    number,
    percent_axis,
    rows_axis,
    words,
)
from checks.published import Published, published
from checks.rows import Data
from checks.sources import Sources
from checks.values.agreement import ours

_ROW, _BELOW, _ABOVE = 0.2, 0.35, 0.55
_RATE, _LOW, _TO, _HIGH = 5.87, 6.53, 6.64, 7.18
_OUTCOMES = {
    "overall_response": "overall",
    "complete_response": "complete",
    "durable_response_on": "durable on treatment",
    "durable_response_off": "durable off treatment",
}
_LEGEND = (
    ("diamond", "accent", "this book, pooled or a single study"),
    ("line", "grey", "prediction interval"),
    ("square", "hollow", "another review"),
)
_HEADER = ("key", "label", "estimate", "ci_low", "ci_high", "pi_low", "pi_high")
#: How near a plotted rate must be; two ways of finding the REML root differ by less.
_NEAR = 1e-6


@dataclass(frozen=True)
class _Line:
    key: str
    label: str
    sources: tuple[str, ...]
    rates: tuple[float, float | None, float | None]
    prediction: tuple[float, float] | None = None

    @property
    def is_ours(self) -> bool:
        return self.key.startswith("pool.")

    def record(self) -> tuple[Cell, ...]:
        """The line of the CSV."""
        numbers = (*self.rates, *(self.prediction or (None, None)))
        cells = (None if value is None else (value, _NEAR) for value in numbers)
        return (self.key, self.label, *cells)

    def marks(self, y: int) -> list[ChartMark]:
        """The prediction interval below the interval, the rate on top."""
        estimate, low, high = self.rates
        marks = []
        if self.prediction:
            bar = tuple((x, y) for x in self.prediction)
            marks.append(ChartMark(f"{self.key}.prediction", "line", bar, grey=True))
        if low is not None and high is not None:
            ends, width = ((low, y), (high, y)), 3.0 if self.is_ours else 1.1
            name = f"{self.key}.interval"
            marks.append(ChartMark(name, "line", ends, accent=self.is_ours, side=width))
        mine, at = self.is_ours, ((estimate, y),)
        shape = "diamond" if mine else "square"
        marks.append(ChartMark(self.key, shape, at, filled=mine, accent=mine, side=5.0))
        return marks

    def texts(self, y: int) -> list[ChartText]:
        """The rate, and its limits where there are some."""

        def at(left: float) -> Where:
            return Where(left=left, panel="main", y=y)

        texts = [number(f"{self.key}.estimate", at(_RATE))]
        if self.rates[1] is not None:
            texts.append(number(f"{self.key}.ci_low", at(_LOW)))
            texts.append(words("to", at(_TO), "middle"))
            texts.append(number(f"{self.key}.ci_high", at(_HIGH)))
        return texts

    def spoken(self) -> list[str]:
        """Names, then numbers."""
        stats = ["estimate", *(["ci_low", "ci_high"] if self.rates[1] is not None else [])]
        stats += ["pi_low", "pi_high"] if self.prediction else []
        return [*self.sources, *(f"{self.key}.{stat}" for stat in stats)]


def _of_pool(data: Data, one: Published) -> _Line:
    low, estimate, high, prediction = ours(data, one)
    therapy, outcome = one.cells["therapy"], one.ours.rpartition(".")[2]
    label = f"{data.labels[therapy]}, {_OUTCOMES[outcome]}"
    sources = (f"therapies#{therapy}#label",)
    return _Line(one.ours, label, sources, (estimate, low, high), prediction)


def _of_review(one: Published) -> _Line:
    cells = one.cells
    label = f"{cells['source']} {cells['year']}"
    columns = ["source", "year"]
    if "~" in one.name:
        whole, _, part = cells["definition"].partition("; ")
        label += f", {part or whole}"
        columns.append("definition")
    low, high = (limit / 100 for limit in one.limits) if one.limits else (None, None)
    rates = (float(cells["estimate_percent"]) / 100, low, high)
    return _Line(one.key, label, tuple(map(one.address, columns)), rates)


def _lines(data: Data) -> list[_Line]:
    lines: list[_Line] = []
    shown = set()
    for one in published(data):
        if not one.ours:
            continue
        if one.ours not in shown:
            shown.add(one.ours)
            lines.append(_of_pool(data, one))
        lines.append(_of_review(one))
    return lines


def plans(data: Data, sources: Sources) -> list[ChartPlan]:
    """The plan of the figure, where anything can be compared."""
    lines = _lines(data)
    if not lines:
        return []
    above = _ROW * len(lines) + _BELOW + _ROW / 2
    head = (
        words("Rate", Where(left=_RATE, bottom=above), "end"),
        number("const.level", Where(left=_HIGH - 0.55, bottom=above)),
        words("interval", Where(left=_HIGH, bottom=above), "end"),
    )
    rows = rows_axis([(line.label, line.sources) for line in lines])
    return [
        ChartPlan(
            "agreement",
            (ChartPanel("main", percent_axis(), rows),),
            tuple(mark for y, line in enumerate(lines) for mark in line.marks(y)),
            (_HEADER, [line.record() for line in lines]),
            (*head, *(text for y, line in enumerate(lines) for text in line.texts(y))),
            tuple(item for line in lines for item in line.spoken()),
            _LEGEND,
        )
    ]
