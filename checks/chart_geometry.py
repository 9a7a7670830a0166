"""Whether a chart shows what its plan holds: axes, marks, curves, texts and legend in their places.

The scale of each axis is read from where its ticks' words stand, and every mark is measured on it.
The rules of charts, in inches unless said: a text's baseline is 2.7 points below its middle; the
words of level axes stand 0.12 below the panel, those of upright ones end 0.07 left of it; titles
stand 0.29 below the panel in its middle, and 0.13 above its left end; samples of the legend stand
0.14 left of their words.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from checks.faults import Fault
from checks.geometry import (
    BLUE,
    NEAR,
    VERMILLION,
    WHITE,
    base,
    is_circle,
    is_diamond,
    is_square,
    unfollowed,
)
from checks.ledger import REBUILD
from checks.plans.chart import ChartAxis, ChartMark, ChartPanel, ChartPlan, ChartText, Where
from checks.svg import Drawing, Point, Shape, Text

INCH = 72.0
GREY, LIGHT = "#6b6b6b", "#d9d9d9"
_RISE = 2.7
_TICK_BELOW, _TICK_BESIDE = 0.12 * INCH, 0.07 * INCH
_TITLE_BELOW, _TITLE_ABOVE = 0.29 * INCH, 0.13 * INCH
_SAMPLE, _SAMPLE_SIDE, _SAMPLE_LENGTH = 0.14 * INCH, 5.0, 0.16 * INCH
#: Width of a digit in points, a little less than it is.
_DIGIT = 4.7
_MARKER, _LINE, _EDGE, _AXIS = 4.0, 1.1, 0.8, 0.6
_FORMS = {"circle": is_circle, "square": is_square, "diamond": is_diamond}


def check(place: str, drawing: Drawing, plan: ChartPlan) -> list[Fault]:
    """Faults in the places, forms and colours of a chart; place names the figure."""
    chart = _Chart(place, drawing, plan)
    chart.check()
    return unfollowed(place, drawing) + chart.faults


class _Scale:
    """Where the values of one axis are along its direction on the page, in points."""

    def __init__(self, axis: ChartAxis, known: Sequence[tuple[float, float]]) -> None:
        """known: shares of the axis with their places, two or more of them.

        The middle of all slopes, so that one tick that was moved is named and not followed.
        """
        self.axis = axis
        self.length = median((b - a) / (t - s) for (s, a), (t, b) in combinations(known, 2))
        self.start = median(place - share * self.length for share, place in known)

    def __call__(self, value: float) -> float:
        return self.start + self.axis.share(value) * self.length


class _Chart:
    def __init__(self, place: str, drawing: Drawing, plan: ChartPlan) -> None:
        self.place = place
        self.plan = plan
        self.faults: list[Fault] = []
        self.height = drawing.height
        self.texts: dict[tuple[str, str], deque[Text]] = defaultdict(deque)
        for text in drawing.texts:
            self.texts[_name(base(text.id), text.words)].append(text)
        self.marks: dict[str, list[Shape]] = defaultdict(list)
        self.samples: list[Shape] = []
        self.furniture: list[Shape] = []
        for shape in drawing.shapes:
            if shape.id:
                self.marks[shape.id].append(shape)
            elif any(group.startswith("legend_") for group in shape.group):
                self.samples.append(shape)
            else:
                self.furniture.append(shape)
        self.covers = [shape for shape in drawing.shapes if shape.fill != "none"]
        self.scales: dict[tuple[str, str], _Scale] = {}

    def check(self) -> None:
        """Everything, axes first; without an axis its panel cannot be measured."""
        for panel in self.plan.panels:
            self._panel(panel)
        for shape in self.furniture:
            found = (
                f"a shape of fill {shape.fill} and stroke {shape.stroke} that stands for nothing"
            )
            self.fault(found, "the marks and axes of the plan", shape.line, "figure")
        for mark in self.plan.marks:
            if (mark.panel, "x") in self.scales:
                self._mark(mark, self.marks[mark.name])
        for text in self.plan.texts:
            self._text(text)
        self._legend()
        for left in self.texts.values():
            for one in left:
                self.fault(f'"{one.words}"', "no such text in this place", one.line, "figure")

    def fault(self, found: str, expected: str, line: int = 0, rule: str = "place") -> None:
        where = f"{self.place} line {line}" if line else self.place
        self.faults.append(Fault(rule, where, found, expected, REBUILD))

    def near(self, found: float, wanted: float, what: str, line: int) -> None:
        """A place along one direction; what names the thing."""
        if not abs(found - wanted) <= NEAR:
            self.fault(f"{what} at {found:.2f}", f"{wanted:.2f} (in points)", line)

    # --- axes --------------------------------------------------------------------------------

    def _panel(self, panel: ChartPanel) -> None:
        """The ticks' words, the titles, and the lines of a panel."""
        words = {which: self._ticks(panel, which) for which in ("x", "y")}
        titles = {
            which: self._take(self.plan.titles[panel.name, which])
            for which in ("x", "y")
            if (panel.name, which) in self.plan.titles
        }
        if any(None in texts or not texts for texts in words.values()):
            self.fault(f"an axis of the panel {panel.name} without all of its ticks", "all of them")
            return
        level = [text for text in words["x"] if text]
        upright = [text for text in words["y"] if text]
        x = self._scale(panel.x, [text.x for text in level], 0)
        y = self._scale(panel.y, [text.y - _RISE for text in upright], 1)
        if x.length < 1 or y.length > -1:
            self.fault(f"an axis of the panel {panel.name} turned round", "from low to high")
            return
        self.scales[panel.name, "x"], self.scales[panel.name, "y"] = x, y
        left, right, bottom, top = x(panel.x.low), x(panel.x.high), y(panel.y.low), y(panel.y.high)
        for text, (value, _, _) in zip(level, panel.x.ticks, strict=True):
            self._stands(text, "middle", x(value), bottom + _TICK_BELOW)
        for text, (value, _, _) in zip(upright, panel.y.ticks, strict=True):
            self._stands(text, "end", left - _TICK_BESIDE, y(value))
        if title := titles.get("x"):
            self._stands(title, "middle", (left + right) / 2, bottom + _TITLE_BELOW)
        if title := titles.get("y"):
            self._stands(title, "start", left, top - _TITLE_ABOVE)
        for value, words_, _ in panel.x.ticks:
            self._grid(f"grid line at {words_}", (x(value), bottom), (x(value), top), LIGHT)
        for value, words_, _ in panel.y.ticks:
            self._grid(f"grid line at {words_}", (left, y(value)), (right, y(value)), LIGHT)
        self._grid("axis below", (left, bottom), (right, bottom), GREY)

    def _ticks(self, panel: ChartPanel, which: str) -> list[Text | None]:
        return [self._take(text) for text in self.plan.ticks[panel.name, which]]

    def _scale(self, axis: ChartAxis, places: Sequence[float], along: int) -> _Scale:
        """From the ticks; where there is only one, from the grid lines that run along the axis."""
        known = [(axis.share(v), at) for (v, _, _), at in zip(axis.ticks, places, strict=True)]
        if len(known) > 1:
            return _Scale(axis, known)
        lines = [
            sorted(point[along] for point in shape.points)
            for shape in self.furniture
            if shape.stroke == LIGHT and shape.box[along] < places[0] < shape.box[along + 2]
        ]
        ends = max(lines, key=lambda line: line[-1] - line[0], default=[places[0], places[0]])
        return _Scale(axis, [(along, ends[0]), (1 - along, ends[-1])])

    def _grid(self, what: str, start: Point, end: Point, stroke: str) -> None:
        """One line of a panel; the first of those that stand there."""
        for shape in self.furniture:
            if (
                shape.stroke == stroke
                and shape.fill == "none"
                and abs(shape.width - _AXIS) <= NEAR
                and _same(shape, (start, end))
            ):
                self.furniture.remove(shape)
                return
        self.fault(f"no {what}", f"one from {_told(start)} to {_told(end)}")

    # --- marks -------------------------------------------------------------------------------

    def _mark(self, mark: ChartMark, shapes: Sequence[Shape]) -> None:
        """The shapes of a mark, one at each point or one through all of them."""
        x, y = self.scales[mark.panel, "x"], self.scales[mark.panel, "y"]
        places = [(x(across), y(up)) for across, up in mark.points]
        marker = mark.shape in _FORMS
        count = len(places) if marker else 1
        if len(shapes) != count:
            found = f"{len(shapes)} visible shapes for {mark.name}"
            self.fault(found, f"{count}", shapes[0].line if shapes else 0, "figure")
        elif not marker:
            self._stroke(mark, shapes[0], places)
        else:
            side = _MARKER if mark.side is None else mark.side
            sides = side if isinstance(side, tuple) else (side,) * count
            for shape, place, one in zip(shapes, places, sides, strict=True):
                self._marker(mark, shape, place, one)

    def _stroke(self, mark: ChartMark, shape: Shape, places: Sequence[Point]) -> None:
        """A line through these places."""
        self._painted(mark, shape, "none", _colour(mark.accent, mark.grey))
        assert not isinstance(mark.side, tuple)
        width = _LINE if mark.side is None else mark.side
        if not abs(shape.width - width) <= NEAR:
            self.fault(f"{mark.name} {shape.width:g} wide", f"{width:g}", shape.line)
        if shape.commands != "M" + "L" * (len(places) - 1):
            found = f"{mark.name} a path {_brief(shape.commands)}"
            self.fault(found, f"a line of {len(places)} points", shape.line)
            return
        for found_, wanted in zip(shape.points, places, strict=True):
            if not _close(found_, wanted):
                self.fault(f"{mark.name} through {_told(found_)}", _told(wanted), shape.line)
                return

    def _marker(self, mark: ChartMark, shape: Shape, place: Point, side: float) -> None:
        """One marker of this size at a place."""
        colour = _colour(mark.accent, mark.grey)
        if mark.filled:
            self._painted(mark, shape, colour, "none")
        else:
            self._painted(mark, shape, WHITE, colour)
            if not abs(shape.width - _EDGE) <= NEAR:
                self.fault(f"{mark.name} with an edge {shape.width:g} wide", f"{_EDGE}", shape.line)
        left, top, right, bottom = shape.box
        centre = (left + right) / 2, (top + bottom) / 2
        if not _close(centre, place):
            self.fault(f"{mark.name} at {_told(centre)}", _told(place), shape.line)
        if not _FORMS[mark.shape](shape):
            self.fault(f"{mark.name} is no {mark.shape}", f"a {mark.shape}", shape.line)
        found = (right - left) / (math.sqrt(2) if mark.shape == "diamond" else 1)
        if not abs(found - side) <= NEAR:
            self.fault(f"{mark.name} of side {found:.2f}", f"{side:.2f}", shape.line)

    def _painted(self, mark: ChartMark, shape: Shape, fill: str, stroke: str) -> None:
        if (shape.fill, shape.stroke) != (fill, stroke):
            found = f"{mark.name} filled {shape.fill}, drawn {shape.stroke}"
            self.fault(found, f"fill {fill}, line {stroke}", shape.line, "figure")

    # --- texts -------------------------------------------------------------------------------

    def _take(self, wanted: ChartText) -> Text | None:
        """The next text of this id and these words; what is missing with an id is told elsewhere.

        Numbers go by their id alone, for their text is compared with the ledger.
        """
        found = self.texts[_name(wanted.id, wanted.words)]
        if found:
            return found.popleft()
        if not wanted.id:
            self.fault(f'no text "{wanted.words}"', "one", rule="figure")
        return None

    def _text(self, wanted: ChartText) -> None:
        """A text where its plan puts it, whole on the page and with nothing over it."""
        text = self._take(wanted)
        if text is None:
            return
        where = wanted.where
        x = None if where.left is None else INCH * where.left
        y = None if where.bottom is None else -INCH * where.bottom
        if y is not None and where.y is None:
            y += self.height
        if where.panel and (where.panel, "x") in self.scales:
            if where.x is not None:
                x = (x or 0.0) + self.scales[where.panel, "x"](where.x)
            if where.y is not None:
                y = (y or 0.0) + self.scales[where.panel, "y"](where.y)
        self._stands(text, wanted.anchor, x, y)

    def _stands(self, text: Text, anchor: str, x: float | None, y: float | None) -> None:
        """A text with its middle at this height."""
        if text.anchor != anchor:
            self.fault(f'"{text.words}" anchored {text.anchor}', anchor, text.line)
        if x is not None:
            self.near(text.x, x, f'"{text.words}"', text.line)
        if y is not None:
            self.near(text.y, y + _RISE, f'height of "{text.words}"', text.line)
        width = _DIGIT * len(text.words)
        left = text.x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}.get(text.anchor, 0.0)
        middle = (left + width / 2, text.y - _RISE)
        if text.id.startswith("num-") and left < 0:
            self.fault(f'"{text.words}" cut off by the edge', "whole on the page", text.line)
        for shape in self.covers:
            if shape.line > text.line and _contains(shape, middle):
                self.fault(f'"{text.words}" under {shape.id or "a shape"}', "in sight", text.line)

    def _legend(self) -> None:
        """A sample left of the words of each entry, outside of the panels."""
        for form, style, words in self.plan.legend:
            text = self._take(ChartText("", words, Where()))
            if text is None:
                continue
            centre = (text.x - _SAMPLE, text.y - _RISE)
            sample = next((s for s in self.samples if _close(s.centre, centre)), None)
            if sample is None or not self._is_sample(sample, form, style):
                self.fault(f'no {style} {form} left of "{words}"', "one", text.line, "figure")
            else:
                self.samples.remove(sample)
            for panel in self.plan.panels:
                if (panel.name, "x") in self.scales and self._within(panel, centre):
                    self.fault(f'"{words}" in the panel {panel.name}', "outside", text.line)
        for shape in self.samples:
            self.fault("a sample without words", "the legend of the plan", shape.line, "figure")

    def _is_sample(self, shape: Shape, form: str, style: str) -> bool:
        colour = _colour("accent" in style, "grey" in style)
        left, _, right, _ = shape.box
        if form == "line":
            long = abs(right - left - _SAMPLE_LENGTH) <= NEAR
            level = _same(shape, ((left, shape.centre[1]), (right, shape.centre[1])))
            return long and level and (shape.fill, shape.stroke) == ("none", colour)
        side = (right - left) / (math.sqrt(2) if form == "diamond" else 1)
        paint = (WHITE, colour) if "hollow" in style else (colour, "none")
        large = abs(side - _SAMPLE_SIDE) <= NEAR
        return large and _FORMS[form](shape) and (shape.fill, shape.stroke) == paint

    def _within(self, panel: ChartPanel, point: Point) -> bool:
        x, y = self.scales[panel.name, "x"], self.scales[panel.name, "y"]
        across = (point[0] - x.start) / x.length
        up = (point[1] - y.start) / y.length
        return 0 <= across <= 1 and 0 <= up <= 1


def _name(id_: str, words: str) -> tuple[str, str]:
    return (id_, "") if id_.startswith("num-") else (id_, words)


def _colour(accent: bool, grey: bool) -> str:
    return GREY if grey else VERMILLION if accent else BLUE


def _same(shape: Shape, ends: tuple[Point, Point]) -> bool:
    """Whether a shape is the line from one end to the other."""
    return shape.commands == "ML" and all(
        _close(found, wanted) for found, wanted in zip(shape.points, ends, strict=True)
    )


def _close(point: Point, place: Point) -> bool:
    return abs(point[0] - place[0]) <= NEAR and abs(point[1] - place[1]) <= NEAR


def _contains(shape: Shape, point: Point) -> bool:
    left, top, right, bottom = shape.box
    return left <= point[0] <= right and top <= point[1] <= bottom


def _told(point: Point) -> str:
    return f"({point[0]:.2f}, {point[1]:.2f})"


def _brief(commands: str) -> str:
    return commands if len(commands) <= 12 else f"{commands[:9]}..."
