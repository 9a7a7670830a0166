"""Charts: panels with axes, marks and curves in them, and numbers of the ledger around them.

What is not a forest plot is drawn with a Chart. Every text stands on a baseline known exactly, each
mark is one element with the id `mark-ID`, and curves keep all their points, so that the check can
measure the drawing. The caller gives marks in the units of the axes and texts in inches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D

from analysis.ledger import Ledger
from analysis.plots.page import (
    BLUE,
    FONT,
    GREY,
    LIGHT,
    RC,
    VERMILLION,
    Ids,
    canvas,
    shorten,
    write,
)

Align = Literal["left", "center", "right"]
Point = tuple[float, float]

#: Size of all texts of a chart in points, and how far below its middle a text's baseline is.
SIZE, RISE = 7.5, 2.7
#: Inches from the panel to the middle of the x ticks' words, to the end of the y ticks' words, to
#: the middle of the title below, of the title above.
TICK_BELOW, TICK_BESIDE, TITLE_BELOW, TITLE_ABOVE = 0.12, 0.07, 0.29, 0.13
#: Inches from the middle of a sample in the legend to its words, and between two entries.
SAMPLE, BETWEEN = 0.14, 0.36
#: Words with a digit that are names; they carry the id `symbol-NAME`.
SYMBOLS = {"tau²": "symbol-tau2", "I²": "symbol-i2"}
LONGEST_LABEL = 40


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: where it stands and what it reads.

    id: blank where the words hold no digit, `axis-...` for numbers, `datum-ADDRESS` for names.
    """

    value: float
    words: str
    id: str = ""


@dataclass(frozen=True)
class Axis:
    """An axis from low (left or below) to high (right or above); log where ratios are shown.

    The title of a level axis stands below it, that of an upright one above.
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]
    title: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is, 0 at low and 1 at high.

        Raises ValueError for a value beyond the ends.
        """
        ends = sorted((self.low, self.high))
        if not ends[0] - 1e-9 <= value <= ends[1] + 1e-9:
            raise ValueError(f"{value!r} beyond the axis from {self.low:g} to {self.high:g}")
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def percent_axis(low: float = 0.0, high: float = 1.0, step: float = 0.25, title: str = "") -> Axis:
    """Fractions, ticked in per cent."""
    ticks = (
        Tick(v, f"{_round(100 * v)}%", f"axis-{_round(100 * v)}") for v in _steps(low, high, step)
    )
    return Axis(low, high, tuple(ticks), title)


def points_axis(low: float, high: float, step: float, title: str = "") -> Axis:
    """Differences of fractions, ticked in percentage points."""
    ticks = (replace(_number(100 * value), value=value) for value in _steps(low, high, step))
    return Axis(low, high, tuple(ticks), title)


def number_axis(low: float, high: float, step: float, title: str = "") -> Axis:
    """Plain numbers; a minus is set as one."""
    return Axis(low, high, tuple(_number(value) for value in _steps(low, high, step)), title)


def year_axis(low: float, high: float, step: int = 5, title: str = "") -> Axis:
    """Years; the ticks stand at multiples of step, whatever the ends are."""
    years = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    return Axis(low, high, tuple(_number(year) for year in years), title)


def log_axis(low: float, high: float, values: Iterable[float], title: str = "") -> Axis:
    """Ratios on a logarithmic scale with ticks at these values."""
    return Axis(low, high, tuple(_number(value) for value in values), title, log=True)


def rows_axis(rows: Sequence[tuple[str, Sequence[str]]], longest: int = LONGEST_LABEL) -> Axis:
    """Rows by name, the first at 0 on top, the next at 1: (words, addresses of names quoted)."""
    ticks = (
        Tick(row, shorten(words, longest), f"datum-{'+'.join(sources)}" if sources else "")
        for row, (words, sources) in enumerate(rows)
    )
    return Axis(len(rows) - 0.5, -0.5, tuple(ticks))


def _steps(low: float, high: float, step: float) -> list[float]:
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float) -> Tick:
    return Tick(value, _round(value).replace("-", "\u2212"), f"axis-{_round(value)}")


def _round(value: float) -> str:
    """The number without the dust of floating point."""
    return f"{round(value, 9) + 0:g}" if abs(value) < 1e5 else f"{value:.0f}"


@dataclass(frozen=True)
class _Stroke:
    """A line or a shape as it is painted, in inches; a marker where `marker` names one."""

    id: str
    points: tuple[Point, ...]
    colour: str
    width: float
    marker: str = ""
    sides: tuple[float, ...] = ()
    filled: bool = True
    group: str = "mark"


class Panel:
    """A rectangle with two axes; marks are given in the units of these."""

    def __init__(self, name: str, box: tuple[float, float, float, float], x: Axis, y: Axis) -> None:
        self.name = name
        self.left, self.bottom, self.right, self.top = box
        self.x, self.y = x, y
        self.strokes: list[_Stroke] = []

    def at(self, x: float, y: float) -> Point:
        """Where a point of the panel is on the page, in inches.

        Raises ValueError for a point outside of the panel.
        """
        return self.across(x), self.up(y)

    def across(self, x: float) -> float:
        """Inches from the left of the page."""
        return self.left + self.x.share(x) * (self.right - self.left)

    def up(self, y: float) -> float:
        """Inches from the foot of the page."""
        return self.bottom + self.y.share(y) * (self.top - self.bottom)

    def circle(self, id: str, x: float, y: float, side: float = 4.0, filled: bool = True,
               accent: bool = False, grey: bool = False) -> None:  # fmt: skip
        """A circle; side is its diameter in points."""
        self._markers("circle", id, [x], [y], side, filled, accent, grey)

    def square(self, id: str, x: float, y: float, side: float = 4.0, filled: bool = True,
               accent: bool = False, grey: bool = False) -> None:  # fmt: skip
        """A square with sides of so many points."""
        self._markers("square", id, [x], [y], side, filled, accent, grey)

    def diamond(self, id: str, x: float, y: float, side: float = 4.0, filled: bool = True,
                accent: bool = False, grey: bool = False) -> None:  # fmt: skip
        """A square on its corner."""
        self._markers("diamond", id, [x], [y], side, filled, accent, grey)

    def cloud(self, id: str, xs: Iterable[float], ys: Iterable[float],
              side: float | Iterable[float] = 4.0, filled: bool = True,
              accent: bool = False, grey: bool = False) -> None:  # fmt: skip
        """Many squares under one id, all of one size or each of its own: for hundreds of them."""
        self._markers("square", id, xs, ys, side, filled, accent, grey)

    def line(self, id: str, start: Point, end: Point, accent: bool = False, width: float = 1.1,
             grey: bool = False) -> None:  # fmt: skip
        """A straight line, so many points wide."""
        points = (self.at(*start), self.at(*end))
        self.strokes.append(_Stroke(f"mark-{id}", points, _colour(accent, grey), width))

    def curve(self, id: str, xs: Iterable[float], ys: Iterable[float], accent: bool = False,
              width: float = 1.1, grey: bool = False) -> None:  # fmt: skip
        """A line through all these points, straight between them."""
        points = tuple(self.at(x, y) for x, y in zip(xs, ys, strict=True))
        self.strokes.append(_Stroke(f"mark-{id}", points, _colour(accent, grey), width))

    def rule(self, id: str, x: float | None = None, y: float | None = None) -> None:
        """A thin grey line across the whole panel, at x or at y."""
        if x is not None:
            points = (self.at(x, self.y.low), self.at(x, self.y.high))
        elif y is not None:
            points = (self.at(self.x.low, y), self.at(self.x.high, y))
        else:
            raise ValueError(f"the rule {id} stands nowhere: give x or y")
        self.strokes.append(_Stroke(f"mark-{id}", points, GREY, 0.8))

    def _markers(
        self, marker: str, id: str, xs: Iterable[float], ys: Iterable[float],
        side: float | Iterable[float], filled: bool, accent: bool, grey: bool,
    ) -> None:  # fmt: skip
        points = tuple(self.at(x, y) for x, y in zip(xs, ys, strict=True))
        sides = (side,) * len(points) if isinstance(side, int | float) else tuple(side)
        if len(sides) != len(points):
            raise ValueError(f"{len(sides)} sizes for {len(points)} marks of {id}")
        colour = _colour(accent, grey)
        self.strokes.append(_Stroke(f"mark-{id}", points, colour, 0.8, marker, sides, filled))

    def _grid(self) -> Iterable[_Stroke]:
        """A light line at each tick, and the axis below."""
        for tick in self.x.ticks:
            x = self.across(tick.value)
            yield _Stroke("", ((x, self.bottom), (x, self.top)), LIGHT, 0.6)
        for tick in self.y.ticks:
            y = self.up(tick.value)
            yield _Stroke("", ((self.left, y), (self.right, y)), LIGHT, 0.6)
        yield _Stroke("", ((self.left, self.bottom), (self.right, self.bottom)), GREY, 0.6)


@dataclass(frozen=True)
class _Text:
    x: float
    y: float
    words: str
    id: str
    align: Align
    colour: str = "black"


class Chart:
    """A figure of panels and texts, as wide as the book's figures and `height` inches high.

    Texts are placed by the middle of their height, in inches from the lower left of the figure.
    """

    def __init__(self, ledger: Ledger, height: float) -> None:
        self.ledger = ledger
        self.height = height
        self.panels: dict[str, Panel] = {}
        self._texts: list[_Text] = []
        self._samples: list[_Stroke] = []

    def panel(self, name: str, box: tuple[float, float, float, float], x: Axis, y: Axis) -> Panel:
        """A new panel in a box of left, bottom, right and top, in inches from the lower left.

        The words of the ticks and titles stand outside of the box.
        Raises ValueError where the name is taken.
        """
        if name in self.panels:
            raise ValueError(f"a second panel {name}")
        self.panels[name] = panel = Panel(name, box, x, y)
        return panel

    def number(self, x: float, y: float, key: str) -> None:
        """A number of the ledger with its right end at x."""
        self._texts.append(_Text(x, y, self.ledger[key].text, f"num-{key}", "right"))

    def words(self, x: float, y: float, text: str, align: Align = "left") -> None:
        """Words without digits, or one of SYMBOLS alone."""
        self._texts.append(_Text(x, y, text, SYMBOLS.get(text, ""), align, GREY))

    def label(
        self, x: float, y: float, text: str, sources: Sequence[str], align: Align = "left"
    ) -> None:
        """Words that quote names of the data; sources are their addresses, in order."""
        self._texts.append(_Text(x, y, text, f"datum-{'+'.join(sources)}", align))

    def legend(
        self, entries: Iterable[tuple[str, str, str]], x: float = 0.05, y: float | None = None
    ) -> None:
        """Samples with their words right of them, from x on; y is below the top if not given.

        Each entry has a shape (circle, square, diamond, line), a style (any of `hollow`, `accent`,
        `grey`, joined by spaces) and words. All stand outside of the panels.
        """
        y = self.height - 0.12 if y is None else y
        for shape, style, words in entries:
            colour = _colour("accent" in style, "grey" in style)
            middle = x + SAMPLE / 2
            if shape == "line":
                ends = ((middle - 0.08, y), (middle + 0.08, y))
                sample = _Stroke("", ends, colour, 1.1, group="legend")
            else:
                hollow = "hollow" in style
                sample = _Stroke(
                    "", ((middle, y),), colour, 0.8, shape, (5.0,), not hollow, "legend"
                )
            self._samples.append(sample)
            self._texts.append(_Text(middle + SAMPLE, y, words, "", "left", GREY))
            x = middle + SAMPLE + _width(words) + BETWEEN

    def write(self, folder: Path, name: str, records: pd.DataFrame) -> None:
        """Write NAME.svg, and the records as NAME.csv."""
        ids = Ids()
        panels = self.panels.values()
        grid = [stroke for panel in panels for stroke in panel._grid()]
        marks = [stroke for panel in panels for stroke in panel.strokes]
        with mpl.rc_context(RC):
            figure, page = canvas(self.height)
            # The check takes ticks and titles panel by panel, before all other texts.
            for text in [*(t for panel in panels for t in _titles(panel)), *self._texts]:
                page.text(
                    text.x, text.y - RISE / 72, text.words, ha=text.align, va="baseline",
                    size=SIZE, color=text.colour, gid=ids.new(text.id) if text.id else None,
                )  # fmt: skip
            page.add_artist(_Strokes([*grid, *marks, *self._samples]))
            write(figure, folder, name, records)


def _titles(panel: Panel) -> Iterable[_Text]:
    """The words of the ticks and the titles of a panel."""
    below = panel.bottom - TICK_BELOW
    for tick in panel.x.ticks:
        yield _Text(panel.across(tick.value), below, tick.words, tick.id, "center", GREY)
    beside = panel.left - TICK_BESIDE
    for tick in panel.y.ticks:
        named = not tick.id.startswith("axis-")
        colour = "black" if named else GREY
        yield _Text(beside, panel.up(tick.value), tick.words, tick.id, "right", colour)
    if title := panel.x.title:
        middle = (panel.left + panel.right) / 2
        y = panel.bottom - TITLE_BELOW
        yield _Text(middle, y, title, SYMBOLS.get(title, ""), "center", GREY)
    if title := panel.y.title:
        y = panel.top + TITLE_ABOVE
        yield _Text(panel.left, y, title, SYMBOLS.get(title, ""), "left", GREY)


def _colour(accent: bool, grey: bool) -> str:
    return GREY if grey else VERMILLION if accent else BLUE


def _width(words: str) -> float:
    """Width of a text in inches."""
    font = FontProperties(family=FONT, size=SIZE)
    return float(text_to_path.get_text_width_height_descent(words, font, False)[0]) / 72


#: Outlines of the markers with a side (a diameter, an edge) of one point.
_OUTLINES = {
    "circle": Outline.unit_circle().transformed(Affine2D().scale(0.5)),
    "square": Outline([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (0, 0)], closed=True),
    "diamond": Outline([(0, -0.5), (0.5, 0), (0, 0.5), (-0.5, 0), (0, 0)], closed=True).transformed(
        Affine2D().scale(math.sqrt(2))
    ),
}


class _Strokes(Artist):
    """All lines and marks of a chart in one artist: thousands of artists would take seconds."""

    def __init__(self, strokes: Sequence[_Stroke]) -> None:
        super().__init__()
        self.strokes = strokes
        self.zorder = 2

    def draw(self, renderer: RendererBase) -> None:
        """Paint them in their order."""
        scale = Affine2D().scale(renderer.points_to_pixels(72))
        for stroke in self.strokes:
            renderer.open_group(stroke.group, gid=stroke.id or None)
            context = renderer.new_gc()
            context.set_foreground(stroke.colour)
            context.set_linewidth(renderer.points_to_pixels(stroke.width))
            context.set_capstyle("butt")
            if stroke.marker:
                _paint_markers(renderer, context, stroke, scale)
            else:
                path = Outline(stroke.points)
                path.should_simplify = False
                renderer.draw_path(context, path, scale)
            context.restore()
            renderer.close_group(stroke.group)


def _paint_markers(
    renderer: RendererBase, context: GraphicsContextBase, stroke: _Stroke, scale: Affine2D
) -> None:
    if stroke.filled:
        context.set_linewidth(0)
    face = to_rgba(stroke.colour if stroke.filled else "white")
    outline = _OUTLINES[stroke.marker]
    # Neighbours of one size are written together.
    starts = [0, *(n for n, (a, b) in enumerate(pairwise(stroke.sides), start=1) if a != b)]
    for start, end in pairwise([*starts, len(stroke.points)]):
        size = Affine2D().scale(renderer.points_to_pixels(stroke.sides[start]))
        places = Outline(stroke.points[start:end])
        renderer.draw_markers(context, outline, size, places, scale, face)
