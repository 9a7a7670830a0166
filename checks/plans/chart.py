"""What a chart must show: its axes, marks, texts, legend and table (analysis/plots/chart.py).

A plan holds the same things as the calls that draw the chart, worked out on the second road, in the
order of the calls: panels first, then texts. Marks are in the units of their panel's axes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from checks.sources import SHORTENED
from checks.text import normalise

Point = tuple[float, float]
#: A cell of a table: words or a count as they read, a float, or a float with its tolerance.
Cell = str | int | float | tuple[float, float] | None

#: Names with a digit.
_SYMBOLS = {"tau²": "symbol-tau2", "I²": "symbol-i2"}
_LONGEST_LABEL = 40


@dataclass(frozen=True)
class ChartAxis:
    """An axis: its ends, its ticks as (value, words, id), its title, whether it is logarithmic."""

    low: float
    high: float
    ticks: tuple[tuple[float, str, str], ...]
    title: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is, 0 at low and 1 at high."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def percent_axis(
    low: float = 0.0, high: float = 1.0, step: float = 0.25, title: str = ""
) -> ChartAxis:
    """Fractions, ticked in per cent."""
    shown = [(value, f"{100 * value:.6g}") for value in _multiples(low, high, step)]
    return ChartAxis(low, high, tuple((v, f"{s}%", f"axis-{s}") for v, s in shown), title)


def points_axis(low: float, high: float, step: float, title: str = "") -> ChartAxis:
    """Differences of fractions, ticked in percentage points."""
    shown = [(value, f"{100 * value:.6g}") for value in _multiples(low, high, step)]
    return ChartAxis(low, high, tuple((v, s, f"axis-{s}") for v, s in shown), title)


def number_axis(low: float, high: float, step: float, title: str = "") -> ChartAxis:
    """Plain numbers."""
    return ChartAxis(low, high, _plain(_multiples(low, high, step)), title)


def year_axis(low: float, high: float, step: int = 5, title: str = "") -> ChartAxis:
    """Years, ticked at the multiples of step."""
    return ChartAxis(low, high, _plain(_multiples(low, high, step)), title)


def log_axis(low: float, high: float, values: Iterable[float], title: str = "") -> ChartAxis:
    """Ratios on a logarithmic scale with ticks at these values."""
    return ChartAxis(low, high, _plain(values), title, log=True)


def rows_axis(
    rows: Sequence[tuple[str, Sequence[str]]], longest: int = _LONGEST_LABEL
) -> ChartAxis:
    """Rows by name, the first at 0 on top, the next at 1: (words, addresses of names quoted)."""
    ticks = []
    for row, (words, sources) in enumerate(rows):
        shown = words
        if len(words) > longest:
            shown = words[: longest - 1].rsplit(" ", 1)[0].rstrip(",;(") + SHORTENED
        ticks.append((float(row), shown, f"datum-{'+'.join(sources)}" if sources else ""))
    return ChartAxis(len(rows) - 0.5, -0.5, tuple(ticks))


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def _plain(values: Iterable[float]) -> tuple[tuple[float, str, str], ...]:
    return tuple((v, f"{round(v, 9):.9g}", f"axis-{round(v, 9):.9g}") for v in values)


@dataclass(frozen=True)
class ChartPanel:
    """A rectangle with two axes."""

    name: str
    x: ChartAxis
    y: ChartAxis


@dataclass(frozen=True)
class ChartMark:
    """A mark by its id (without `mark-`) at its points, in the units of its panel.

    shape: `circle`, `square` or `diamond` (all points of a cloud, in order), `line`, `curve`,
    `rule`. side: in points, the size of a marker (4 if not given; one for each point of a cloud
    whose marks differ) or the width of a line (1.1).
    """

    id: str
    shape: str
    points: tuple[Point, ...]
    panel: str = "main"
    filled: bool = True
    accent: bool = False
    grey: bool = False
    side: float | tuple[float, ...] | None = None

    @property
    def name(self) -> str:
        """The id in the drawing."""
        return f"mark-{self.id}"


def rule(id: str, panel: ChartPanel, x: float | None = None, y: float | None = None) -> ChartMark:
    """A thin grey line across a panel, at x or at y."""
    if x is not None:
        points = ((x, panel.y.low), (x, panel.y.high))
    else:
        assert y is not None
        points = ((panel.x.low, y), (panel.x.high, y))
    return ChartMark(id, "rule", points, panel.name, grey=True, side=0.8)


@dataclass(frozen=True)
class Where:
    """Where a text stands: left and bottom in inches from the lower left of the figure.

    x and y are places of a panel, from which left and bottom are then counted. A direction in which
    neither is given is not checked.
    """

    left: float | None = None
    bottom: float | None = None
    panel: str = ""
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class ChartText:
    """A text by its id, where it stands, and which end of it stands there (start, middle, end).

    words: blank for a number, whose text is the ledger's.
    """

    id: str
    words: str
    where: Where
    anchor: str = "start"


def number(key: str, where: Where) -> ChartText:
    """A number of the ledger with its right end there."""
    return ChartText(f"num-{key}", "", where, "end")


def label(words: str, sources: Sequence[str], where: Where, anchor: str = "start") -> ChartText:
    """Words that quote names of the data."""
    return ChartText(f"datum-{'+'.join(sources)}", normalise(words), where, anchor)


def words(text: str, where: Where, anchor: str = "start") -> ChartText:
    """Words without digits, or a symbol."""
    return ChartText(_SYMBOLS.get(text, ""), normalise(text), where, anchor)


@dataclass(frozen=True, eq=False)
class ChartPlan:
    """What a chart must show.

    spoken: keys and addresses of its alternative text, in order; legend: (shape, style, words) with
    a style of any of `hollow`, `accent`, `grey`; table: header and rows of the CSV beside it.
    """

    name: str
    panels: tuple[ChartPanel, ...]
    marks: tuple[ChartMark, ...]
    table: tuple[Sequence[str], Sequence[Sequence[Cell]]]
    texts: tuple[ChartText, ...] = ()
    spoken: tuple[str, ...] = ()
    legend: tuple[tuple[str, str, str], ...] = ()

    @cached_property
    def ticks(self) -> Mapping[tuple[str, str], tuple[ChartText, ...]]:
        """The texts of the ticks by panel and axis (x or y), as they read."""
        return {
            (panel.name, which): tuple(
                ChartText(id_, normalise(shown), Where()) for _, shown, id_ in axis.ticks
            )
            for panel in self.panels
            for which, axis in (("x", panel.x), ("y", panel.y))
        }

    @cached_property
    def titles(self) -> Mapping[tuple[str, str], ChartText]:
        """The titles of the axes by panel and axis."""
        return {
            (panel.name, which): words(axis.title, Where())
            for panel in self.panels
            for which, axis in (("x", panel.x), ("y", panel.y))
            if axis.title
        }

    @cached_property
    def _in_order(self) -> tuple[ChartText, ...]:
        """All texts, those of the legend apart, in the order of the drawing."""
        found = []
        for panel in self.panels:
            places = (panel.name, "x"), (panel.name, "y")
            found += [text for place in places for text in self.ticks[place]]
            found += [self.titles[place] for place in places if place in self.titles]
        return (*found, *self.texts)

    @cached_property
    def keys(self) -> Counter[str]:
        """How many texts each key has."""
        numbers = (text.id for text in self.texts if text.id.startswith("num-"))
        return Counter(name.removeprefix("num-") for name in numbers)

    @cached_property
    def labels(self) -> Counter[tuple[str, str]]:
        """How often each label with a source stands in the chart, by id and text."""
        return Counter((t.id, t.words) for t in self._in_order if t.id.startswith("datum-"))

    @cached_property
    def fixed(self) -> dict[str, str]:
        """What each tick and each symbol reads, by id; the second of one id has #2 behind it."""
        found: dict[str, str] = {}
        seen = Counter[str]()
        for text in self._in_order:
            if text.id.startswith(("axis-", "symbol-")):
                seen[text.id] += 1
                count = f"#{seen[text.id]}" if seen[text.id] > 1 else ""
                found[text.id + count] = text.words
        return found
