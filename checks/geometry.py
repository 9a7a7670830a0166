"""Whether each mark of a figure stands where its value puts it, and each number in its row.

Places are read from the SVG and mapped back through the axis, whose scale is read from its ticks.
The rules of the plots, in user units of the SVG (points): the lines of a plot are equally far
apart; a text stands on its line's baseline, a mark at one height above it; the side of a study's
square is 2.5 + 7 sqrt(weight), 4 without a weight.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from checks.faults import Fault
from checks.ledger import REBUILD, Number
from checks.plans.figure import COUNTS, FigurePlan, Line, Mark
from checks.svg import Drawing, Shape, Text

#: How far a mark or a text may stand from its place: a twelfth of the thinnest line. On the axes
#: of the book it is 0.04 percentage points, less than half of the last digit that is printed.
NEAR = 0.05
#: The same for a baseline of words, which letters with accents move a little.
NEAR_FOR_WORDS = 0.5

BLUE, VERMILLION, WHITE = "#0072b2", "#d55e00", "#ffffff"
GREYS = {"#6b6b6b", "#d9d9d9"}
BLACKS = {"#000000", "#1a1a1a"}
_SMALLEST, _GROWTH, _UNWEIGHTED = 2.5, 7.0, 4.0
_BASELINE = (0.0, 4.0)  # how far below the middle of its line a text's baseline may be
_BEFORE_INTERVAL = 39.6  # from the end of the level to that of the word interval
_AFTER_NAME = 34.56  # from the end of a name below the plot to that of its number
_USUAL_PITCH = 15.0  # of a plot with one line

#: Shape of a design on the map and its words in the legend.
DESIGNS = {
    "rct": ("circle", "randomised trial"),
    "single_arm_trial": ("square", "single-arm trial"),
    "prospective_cohort": ("triangle", "prospective cohort"),
    "retrospective_cohort": ("diamond", "retrospective cohort"),
    "case_series": ("cross", "case series"),
}
_LEGEND = "legend_1"
_MAP_MARKS = (3.5, 6.5)  # smallest and largest side of a mark on the map


def check(
    place: str, drawing: Drawing, plan: FigurePlan, numbers: Mapping[str, Number]
) -> list[Fault]:
    """Faults in the places of a figure's marks and texts; place names the figure."""
    plot = {"forest": _Forest, "map": _Map, "flow": _Flow}[plan.kind](place, drawing, plan, numbers)
    try:
        plot.check()
    except _LostError as lost:
        plot.fault(str(lost), "a plot whose lines and axis can be told")
    return unfollowed(place, drawing) + plot.faults


def unfollowed(place: str, drawing: Drawing) -> list[Fault]:
    """What a drawing holds that cannot be followed."""
    expected = "only what the check can follow, in full sight"
    return [
        Fault("place", f"{place} line {line}", found, expected, REBUILD)
        for line, found in drawing.problems
    ]


class _LostError(Exception):
    """So much is missing that places cannot be told."""


class _Plot:
    def __init__(
        self, place: str, drawing: Drawing, plan: FigurePlan, numbers: Mapping[str, Number]
    ) -> None:
        self.place = place
        self.texts = drawing.texts
        self.plan = plan
        self.numbers = numbers
        self.faults: list[Fault] = []
        self.by_id: dict[str, list[Text]] = defaultdict(list)
        for text in drawing.texts:
            self.by_id[base(text.id)].append(text)
        self.marks: dict[str, list[Shape]] = defaultdict(list)
        self.furniture: list[Shape] = []
        for shape in drawing.shapes:
            if shape.id.startswith("mark-"):
                self.marks[shape.id].append(shape)
            else:
                self.furniture.append(shape)

    def check(self) -> None:
        raise NotImplementedError

    def fault(self, found: str, expected: str, line: int = 0, rule: str = "place") -> None:
        where = f"{self.place} line {line}" if line else self.place
        self.faults.append(Fault(rule, where, found, expected, REBUILD))

    def unexplained(self, shape: Shape) -> None:
        self.fault(
            f"a shape of fill {shape.fill} and stroke {shape.stroke} that stands for nothing",
            "marks with the id of their number, and the axis",
            shape.line,
            "figure",
        )

    def near(self, found: float, wanted: float, what: str, line: int, within: float = NEAR) -> None:
        """A place along one direction; what names the thing."""
        if not abs(found - wanted) <= within:
            self.fault(f"{what} at {found:.2f}", f"{wanted:.2f} (in points)", line)

    def value(self, key: str) -> float | None:
        """The fraction that a key stands for; None where the ledger has none."""
        number = self.numbers.get(key)
        if number is None or isinstance(number.value, str):
            return None
        return number.value / 100 if number.unit == "printed_percent" else float(number.value)

    # --- lines -------------------------------------------------------------------------------

    def fit_lines(self, known: Iterable[tuple[int, float]]) -> None:
        """The baseline of each line from texts known to belong to one.

        Medians, so that one text that was moved is named and not followed.
        """
        by_line: dict[int, list[float]] = defaultdict(list)
        for line, y in known:
            by_line[line].append(y)
        if not by_line:
            raise _LostError("no number on any line")
        middle = sorted((line, median(ys)) for line, ys in by_line.items())
        steps = [(y2 - y1) / (second - first) for (first, y1), (second, y2) in pairwise(middle)]
        self.pitch = median(steps) if steps else _USUAL_PITCH
        if self.pitch <= 1:
            raise _LostError("lines that do not follow one another down the page")
        self.first = median(y - line * self.pitch for line, y in middle)

    def baseline(self, line: int) -> float:
        return self.first + line * self.pitch

    def lines_of_texts(self) -> tuple[list[Text], list[list[Text]], list[Text]]:
        """Texts above the lines, on each, and below; each sorted from the left."""
        count = len(self.plan.lines)
        above: list[Text] = []
        on: list[list[Text]] = [[] for _ in range(count)]
        below: list[Text] = []
        for text in sorted(self.texts, key=lambda text: text.x):
            # Half a line up, as a header may stand a little more than one line above.
            place = (text.y - self.first) / self.pitch
            if place < -0.5:
                above.append(text)
            elif place > count - 0.5:
                below.append(text)
            else:
                line = min(max(round(place), 0), count - 1)
                within = NEAR if text.id.startswith("num-") else NEAR_FOR_WORDS
                self.near(text.y, self.baseline(line), _height_of(text), text.line, within)
                on[line].append(text)
        return above, on, below

    def label(self, line: Line, texts: Sequence[Text]) -> None:
        """The first text of a line is its label."""
        found = texts[0] if texts else None
        if found is None or found.words != line.shown or base(found.id) != line.id:
            words = f'"{found.words}"' if found else "nothing"
            self.fault(
                f"{words} as the label of a line", f'"{line.shown}"', found.line if found else 0
            )

    def heights(self) -> None:
        """Every mark at the same height above its line's baseline."""
        found = [
            (line, shape)
            for line, planned in enumerate(self.plan.lines)
            for mark in planned.marks
            for shape in self.marks.get(mark.id, ())
        ]
        if not found:
            raise _LostError("no mark")
        self.rise = median(self.baseline(line) - shape.centre[1] for line, shape in found)
        if not _BASELINE[0] < self.rise < _BASELINE[1]:
            self.fault(f"marks {self.rise:.2f} above the numbers of their lines", "in their lines")
        for line, shape in found:
            wanted = self.baseline(line) - self.rise
            self.near(shape.centre[1], wanted, f"height of {shape.id}", shape.line)

    def one_shape(self, mark: Mark) -> Shape | None:
        """The shape of a mark; the plan's check has told where an id is missing."""
        shapes = self.marks.get(mark.id, [])
        if len(shapes) == 1:
            return shapes[0]
        self.fault(f"{len(shapes)} visible shapes for {mark.id}", "one", rule="figure")
        return None

    def painted(self, shape: Shape, fill: str, stroke: str | None) -> None:
        """Colours of a mark; stroke is None where any will do."""
        if shape.fill != fill or (stroke is not None and shape.stroke != stroke):
            found = f"{shape.id} filled {shape.fill}, drawn {shape.stroke}"
            self.fault(found, f"fill {fill}, line {stroke or shape.stroke}", shape.line, "figure")


class _Forest(_Plot):
    def check(self) -> None:
        self._axis()
        self.fit_lines(
            (line, texts[0].y)
            for line, planned in enumerate(self.plan.lines)
            for key in planned.cells.values()
            if len(texts := self.by_id.get(f"num-{key}", [])) == 1
        )
        above, on, below = self.lines_of_texts()
        self._columns(above, on)
        for line, texts in zip(self.plan.lines, on, strict=True):
            self._line(line, texts)
        self._foot(below)
        self.heights()
        for line in self.plan.lines:
            for mark in line.marks:
                self._mark(mark)
        self._furniture()

    def _axis(self) -> None:
        """The scale: where its ends are, and that the ticks between stand where they belong."""
        axis = self.plan.axis
        ticks = {value: self.by_id.get(name, []) for value, _, name in axis.ticks}
        if any(len(texts) != 1 for texts in ticks.values()):
            wanted = ", ".join(words for _, words, _ in axis.ticks)
            raise _LostError(f"an axis without one tick at each of {wanted}")
        self.ticks = {value: texts[0] for value, texts in ticks.items()}
        self.left, self.right = self.ticks[axis.low].x, self.ticks[axis.high].x
        if self.right - self.left < 1:
            raise _LostError("an axis that does not run from left to right")
        height = median(text.y for text in self.ticks.values())
        for value, text in self.ticks.items():
            self.near(text.x, self.x(value), f"the tick {text.words}", text.line)
            self.near(text.y, height, f"height of the tick {text.words}", text.line)
            if text.anchor != "middle":
                self.fault(f"the tick {text.words} anchored {text.anchor}", "middle", text.line)

    def x(self, value: float) -> float:
        """Where a value stands; one beyond an end of the axis stands at that end."""
        axis = self.plan.axis
        share = axis.share(min(max(value, axis.low), axis.high))
        return self.left + share * (self.right - self.left)

    def _columns(self, above: Sequence[Text], on: Sequence[Sequence[Text]]) -> None:
        """Where each column ends, by the words above it."""
        self.column: dict[str, float] = {}
        height = median(text.y for text in above) if above else 0.0
        for text in above:
            self.near(text.y, height, _height_of(text), text.line)
        for column, words in self.plan.headers.items():
            heads = [text for text in above if text.words == words and not text.id]
            if words and len(heads) == 1 and heads[0].anchor == "end":
                self.column[column] = heads[0].x
            elif words:
                raise _LostError(f'{len(heads)} texts "{words}" above a column')
        cells = [(line, texts) for line, texts in zip(self.plan.lines, on, strict=True)]
        for column in ("month", *(c for c, words in self.plan.headers.items() if not words)):
            keys = {f"num-{line.cells[column]}" for line, _ in cells if column in line.cells}
            found = [text.x for _, texts in cells for text in texts if base(text.id) in keys]
            if found:
                self.column[column] = median(found)
        levels = [text for text in above if text.id == "num-const.level"]
        if len(levels) != 1:
            self.fault("no level above the intervals", "the level left of the word interval")
        for text in levels:
            self.near(text.x, self.column["high"] - _BEFORE_INTERVAL, "the level", text.line)
        order = ["month", *COUNTS, "rate", "low", "high", "weight"]
        places = [self.column[column] for column in order if column in self.column]
        last = max(self.column[column] for column in COUNTS if column in self.column)
        if places != sorted(places) or not last < self.left < self.right < self.column["rate"]:
            self.fault("columns in another order", "counts, plot, rate, interval, weight")

    def _line(self, line: Line, texts: Sequence[Text]) -> None:
        """The label, and in each column the number of the line."""
        self.label(line, texts)
        numbers = {base(text.id): text for text in texts if text.id.startswith("num-")}
        for column, key in line.cells.items():
            text = numbers.pop(f"num-{key}", None)
            if text is None:
                self.fault(f"no {key} in the line of {line.shown}", "its number in its line")
                continue
            self.near(text.x, self.column[column], f"right end of {key}", text.line)
            if text.anchor != "end":
                self.fault(
                    f"{key} anchored {text.anchor}", "its right end in its column", text.line
                )
            before = texts[texts.index(text) - 1].words if column == "month" else "month"
            if before != "month":
                self.fault(f'{key} after "{before}"', 'after the word "month"', text.line)
        for name, text in numbers.items():
            found = f"{name.removeprefix('num-')} in the line of {line.shown}"
            self.fault(found, "its number in its line", text.line)

    def _foot(self, below: Sequence[Text]) -> None:
        """Each number below the plot stands right after its name, all on one line."""
        wanted = {f"num-{key}": name for key, name in self.plan.foot}
        foot = [text for text in below if not text.id.startswith("axis-")]
        height = median(text.y for text in foot) if foot else 0.0
        for place, text in enumerate(foot):
            self.near(text.y, height, _height_of(text), text.line)
            if text.id.startswith("num-"):
                name = wanted.pop(base(text.id), "")
                before = foot[place - 1].words if place else ""
                if not name or before != name:
                    self.fault(f'{text.id} after "{before}"', f'after "{name}"', text.line)
                else:
                    end = foot[place - 1].x + _AFTER_NAME
                    self.near(text.x, end, f"right end of {text.id}", text.line)
        for name in wanted:
            self.fault(f"no {name} below the plot", "heterogeneity below the plot")
        ticks = {text.y for text in self.ticks.values()}
        if foot and height <= max(ticks):
            self.fault("heterogeneity above the ticks", "below them")
        if min(ticks) <= self.baseline(len(self.plan.lines) - 1):
            self.fault("ticks above the last line", "below it")

    # --- marks -------------------------------------------------------------------------------

    def _mark(self, mark: Mark) -> None:
        shape = self.one_shape(mark)
        values = [self.value(key) for key in mark.keys]
        if shape is None or None in values:
            return
        wanted = [self.x(value) for value in values if value is not None]
        xs = sorted(x for x, _ in shape.points)
        if mark.shape.endswith("arrow"):
            self._arrow(mark, shape, values[0] or 0.0)
            return
        if mark.shape in ("line", "bar"):
            self.painted(shape, "none", BLUE if mark.shape == "line" else VERMILLION)
            if shape.commands != "ML" or abs(shape.points[0][1] - shape.points[1][1]) > NEAR:
                self.fault(f"{mark.id} is no level line", "a level line", shape.line)
                return
            found = xs
        elif mark.shape == "diamond":
            self.painted(shape, VERMILLION, "none")
            if not is_diamond(shape, upright=False):
                self.fault(f"{mark.id} is no diamond about its line", "a diamond", shape.line)
                return
            found = [xs[0], xs[1], xs[3]]
        else:
            self._square(mark, shape)
            found = [shape.centre[0]]
        for key, x, place in zip(mark.keys, found, wanted, strict=True):
            if not abs(x - place) <= NEAR:
                percent = 100 * (x - self.left) / (self.right - self.left)
                self.fault(
                    f"{mark.id} drawn at {percent:.2f} % for {key}",
                    f"{100 * (place - self.left) / (self.right - self.left):.2f} %",
                    shape.line,
                )

    def _arrow(self, mark: Mark, shape: Shape, value: float) -> None:
        """A head at the end of the axis, on the side where the value lies beyond it."""
        colour = BLUE if mark.shape == "arrow" else VERMILLION
        self.painted(shape, colour, colour)
        axis, (left, top, right, bottom) = self.plan.axis, shape.box
        if axis.low <= value <= axis.high:
            self.fault(f"{mark.id} for a value on the axis", "no arrow", shape.line, "figure")
        back, tip = (right, left) if value < axis.low else (left, right)
        corners = {(tip, shape.centre[1]), (back, top), (back, bottom)}
        right_form = shape.commands == "MLLz" and all(_close(p, corners) for p in shape.points)
        if not right_form or not 1 < bottom - top < self.pitch or not 1 < right - left < self.pitch:
            self.fault(f"{mark.id} is no arrow head", "an arrow head", shape.line)
        self.near(shape.centre[0], self.x(value), f"{mark.id}", shape.line)

    def _square(self, mark: Mark, shape: Shape) -> None:
        """A filled square as large as its weight says, or a hollow one, or a hollow diamond."""
        hollow = mark.shape.startswith("hollow")
        self.painted(shape, WHITE if hollow else BLUE, BLUE)
        right = is_diamond(shape) if mark.shape == "hollow diamond" else is_square(shape)
        left, _, end, _ = shape.box
        if not right:
            self.fault(f"{mark.id} is no {mark.shape}", f"a {mark.shape}", shape.line)
        if mark.shape == "hollow diamond":
            side, wanted = (end - left) / math.sqrt(2), 4.5
        else:
            weight = self.value(mark.weight) if mark.weight else None
            side = end - left
            wanted = _UNWEIGHTED if weight is None else _SMALLEST + _GROWTH * math.sqrt(weight)
        if not abs(side - wanted) <= NEAR:
            self.fault(f"{mark.id} of side {side:.2f}", f"{wanted:.2f} (by its weight)", shape.line)

    def _furniture(self) -> None:
        """Grid lines under the ticks, the axis, and the rule below the header: nothing else."""
        upright: list[Shape] = []
        level: list[Shape] = []
        for shape in self.furniture:
            (x1, y1), (x2, y2) = shape.points[0], shape.points[-1]
            plain = shape.commands == "ML" and shape.fill == "none"
            plain = plain and shape.stroke in GREYS | BLACKS
            if plain and abs(x1 - x2) <= NEAR:
                upright.append(shape)
            elif plain and abs(y1 - y2) <= NEAR:
                level.append(shape)
            else:
                self.unexplained(shape)
        top = self.baseline(0) - self.pitch / 2
        bottom = self.baseline(len(self.plan.lines) - 1)
        for value, text in self.ticks.items():
            under = [shape for shape in upright if abs(shape.centre[0] - self.x(value)) <= NEAR]
            found = f"grid lines at {text.words}"
            if len(under) != 1 or not (under[0].box[1] < top and under[0].box[3] > bottom):
                self.fault(f"{len(under)} {found}", "one along all lines", text.line)
            elif (under[0].stroke in BLACKS) != (value == self.plan.none):
                self.fault(f"{found} drawn {under[0].stroke}", "dark where nothing differs, only",
                           text.line, "figure")  # fmt: skip
        if len(upright) != len(self.ticks):
            self.fault(f"{len(upright)} upright lines", "one for each tick", rule="figure")
        axes = [
            shape
            for shape in level
            if abs(shape.box[0] - self.left) <= NEAR and abs(shape.box[2] - self.right) <= NEAR
        ]
        rules = [shape for shape in level if shape not in axes]
        if len(axes) != 1 or axes[0].centre[1] < bottom:
            self.fault(f"{len(axes)} axes from end to end", "one below the lines")
        if any(shape.stroke in BLACKS for shape in level):
            self.fault("a dark level line", "grey ones", rule="figure")
        if len(rules) != 1 or rules[0].centre[1] > top:
            self.fault(f"{len(rules)} other level lines", "one, below the header", rule="figure")


class _Map(_Plot):
    def check(self) -> None:
        self._axis()
        self.fit_lines(
            (line, text.y)
            for line, planned in enumerate(self.plan.lines)
            for text in self.by_id.get(planned.id, ())
        )
        above, on, _ = self.lines_of_texts()
        for line, texts in zip(self.plan.lines, on, strict=True):
            self.label(line, texts)
        self.heights()
        for line in self.plan.lines:
            for mark in line.marks:
                self._mark(mark)
        legend = [shape for shape in self.furniture if _LEGEND in shape.group]
        self._legend(legend, above)
        self._grid([shape for shape in self.furniture if _LEGEND not in shape.group])

    def _axis(self) -> None:
        """The scale: the years' ticks stand evenly, below everything."""
        years = {
            int(name.removeprefix("axis-")): texts[0]
            for name, texts in self.by_id.items()
            if name.startswith("axis-") and name.removeprefix("axis-").isdecimal()
        }
        if len(years) < 2:
            raise _LostError("an axis with fewer than 2 years")
        first, last = min(years), max(years)
        self.year, self.origin = first, years[first].x
        self.scale = (years[last].x - years[first].x) / (last - first)
        if self.scale <= 0:
            raise _LostError("years that do not run from left to right")
        height = median(text.y for text in years.values())
        for year, text in years.items():
            self.near(text.x, self.x(year), f"the tick at {year}", text.line)
            self.near(text.y, height, f"height of the tick at {year}", text.line)
            if text.anchor != "middle":
                self.fault(f"the tick at {year} anchored {text.anchor}", "middle", text.line)

    def x(self, year: float) -> float:
        return self.origin + (year - self.year) * self.scale

    def _mark(self, mark: Mark) -> None:
        shape = self.one_shape(mark)
        if shape is None:
            return
        if not abs(shape.centre[0] - self.x(mark.at)) <= NEAR:
            year = self.year + (shape.centre[0] - self.origin) / self.scale
            self.fault(f"{mark.id} drawn at {year:.2f}", f"{mark.at:.2f}", shape.line)
        form = DESIGNS[mark.shape][0]
        found = _form(shape)
        if found != form:
            self.fault(f"{mark.id} a {found}", f"a {form} ({mark.shape})", shape.line, "figure")
        elif form == "cross":
            grey = shape.stroke in GREYS
            if grey is mark.filled or not (grey or shape.stroke == BLUE):
                self.fault(f"{mark.id} drawn {shape.stroke}", "blue where pooled, else grey",
                           shape.line, "figure")  # fmt: skip
        else:
            self.painted(shape, BLUE if mark.filled else WHITE, BLUE)

    def _legend(self, shapes: Sequence[Shape], above: Sequence[Text]) -> None:
        """A shape for each design with its words right of it, above the map."""
        found = set()
        for shape in shapes:
            x, y = shape.centre
            if y > self.baseline(0) - self.rise - self.pitch / 2:
                self.unexplained(shape)
                continue
            words = min((text for text in above if text.x > x), key=lambda t: t.x, default=None)
            found.add((_form(shape), words.words if words else ""))
        if found != set(DESIGNS.values()) or len(shapes) != len(DESIGNS):
            self.fault("another legend", "one shape for each design with its words", rule="figure")

    def _grid(self, shapes: Sequence[Shape]) -> None:
        """A level line for each therapy, and the axis below."""
        wanted = [self.baseline(line) - self.rise for line in range(len(self.plan.lines))]
        grid = []
        for shape in shapes:
            (_, y1), (_, y2) = shape.points[0], shape.points[-1]
            plain = shape.commands == "ML" and shape.fill == "none" and abs(y1 - y2) <= NEAR
            if not plain or shape.stroke not in GREYS | BLACKS:
                self.unexplained(shape)
            elif y1 < wanted[-1] + self.pitch / 2:
                grid.append(y1)
        grid.sort()
        right = len(grid) == len(wanted) and all(
            abs(found - place) <= NEAR for found, place in zip(grid, wanted, strict=True)
        )
        if not right:
            self.fault(f"{len(grid)} level lines", "one at the height of each therapy")


class _Flow(_Plot):
    def check(self) -> None:
        """Each line reads: label, rows, the word rows, studies, the word studies."""
        lines = [line for line in self._baselines() if any(t.id.startswith("num-") for t in line)]
        wanted = [self._reads(line) for line in self.plan.lines]
        found = [
            [base(t.id) if t.id.startswith("num-") else t.words for t in line] for line in lines
        ]
        for texts, read in zip(lines, found, strict=True):
            if read not in wanted:
                self.fault(f"a line that reads {' | '.join(read)}", "a line of the flow",
                           texts[0].line)  # fmt: skip
        if found != wanted and not self.faults:
            self.fault("lines of the flow in another order", "the order of the rules")
        if found == wanted:
            self._gaps(lines)
        for shape in self.furniture:
            box = shape.fill == "none" and shape.stroke in {BLUE, *GREYS, *BLACKS}
            if not box and not (shape.fill in BLACKS and shape.stroke in BLACKS):
                self.unexplained(shape)
        for shapes in self.marks.values():
            self.unexplained(shapes[0])

    def _baselines(self) -> list[list[Text]]:
        """Texts of one baseline, from the top, each from the left."""
        lines: list[list[Text]] = []
        for text in sorted(self.texts, key=lambda text: text.y):
            if lines and text.y - lines[-1][0].y <= NEAR:
                lines[-1].append(text)
            else:
                lines.append([text])
        return [sorted(line, key=lambda text: text.x) for line in lines]

    @staticmethod
    def _reads(line: Line) -> list[str]:
        return [line.label, *(part for n, key in line.cells.items() for part in (f"num-{key}", n))]

    def _gaps(self, lines: Sequence[Sequence[Text]]) -> None:
        """Each number stands as far from its neighbours as in every other line."""
        for left, right in ((1, 2), (3, 4), (1, 3)):
            usual = median(line[right].x - line[left].x for line in lines)
            for line in lines:
                gap = line[right].x - line[left].x
                self.near(gap, usual, f"{line[right].words} from {line[left].id}", line[left].line)
        for line in lines:
            for text in (line[1], line[3]):
                if text.anchor != "end":
                    self.fault(f"{text.id} anchored {text.anchor}", "end", text.line)


def _height_of(text: Text) -> str:
    return f'height of "{text.words}"'


def base(name: str) -> str:
    """An id without the count of its repetition: num-KEY of num-KEY#2."""
    head, hash_, count = name.rpartition("#")
    return head if hash_ and count.isdecimal() else name


def is_circle(shape: Shape) -> bool:
    """A closed path of curves about its centre."""
    left, top, right, bottom = shape.box
    side = max(right - left, bottom - top)
    # The points that steer a circle's curves lie up to 4 % outside of it.
    away = [2 * math.dist(point, shape.centre) / side for point in shape.points]
    return set(shape.commands) == set("MCz") and min(away) > 0.98 and max(away) < 1.06


def is_square(shape: Shape) -> bool:
    """A level square."""
    left, top, right, bottom = shape.box
    corners = {(left, top), (left, bottom), (right, top), (right, bottom)}
    return (
        shape.commands == "MLLLz"
        and abs((right - left) - (bottom - top)) <= NEAR
        and all(_close(point, corners) for point in shape.points)
        and len(set(shape.points)) == 4
    )


def is_diamond(shape: Shape, upright: bool = True) -> bool:
    """Corners at the middle of each side of the box; not upright, top and bottom may lean aside."""
    if shape.commands != "MLLLz":
        return False
    left, top, right, bottom = shape.box
    x, y = shape.centre
    across = sorted(shape.points)
    sides = _close(across[0], {(left, y)}) and _close(across[-1], {(right, y)})
    (x1, y1), (x2, y2) = across[1], across[2]
    level = (
        abs(x1 - x2) <= NEAR
        and abs(min(y1, y2) - top) <= NEAR
        and (abs(max(y1, y2) - bottom) <= NEAR)
    )
    return sides and level and bottom - top > 1 and (not upright or abs(x1 - x) <= NEAR)


def _close(point: tuple[float, float], places: Iterable[tuple[float, float]]) -> bool:
    return any(math.dist(point, place) <= NEAR for place in places)


def _form(shape: Shape) -> str:
    """The form of a mark on the map."""
    left, top, right, bottom = shape.box
    side = max(right - left, bottom - top)
    if not _MAP_MARKS[0] <= side <= _MAP_MARKS[1]:
        return f"shape {side:.1f} across"
    x, _ = shape.centre
    corners = {(left, top), (left, bottom), (right, top), (right, bottom)}
    if shape.commands == "MLML" and all(_close(point, corners) for point in shape.points):
        return "cross"
    if is_circle(shape):
        return "circle"
    feet = {(left, bottom), (right, bottom), (x, top)}
    if shape.commands == "MLLz" and all(_close(point, feet) for point in shape.points):
        return "triangle"
    if is_square(shape):
        return "square"
    return "diamond" if is_diamond(shape) else "shape of another form"
