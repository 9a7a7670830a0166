"""An SVG figure as it is drawn: its texts and shapes, each where it stands on the page.

Only what the book's figures are made of is understood. Anything else, and whatever could hide or
move a part unseen, is a problem of the drawing and not skipped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from checks.text import normalise

SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
TAGGED = ("num-", "datum-", "axis-", "symbol-", "mark-")
#: Points are printed with six decimals.
EXACT = 1e-4

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_ATTRIBUTES = {
    "svg": {"width", "height", "viewBox", "version"},
    "g": {"id", "clip-path", "transform"},
    "defs": set[str](),
    "clipPath": {"id"},
    "path": {"id", "d", "style", "clip-path", "transform"},
    "use": {_HREF, "x", "y", "style", "transform"},
    "text": {"x", "y", "style", "transform"},
    "rect": {"x", "y", "width", "height"},
    "style": {"type"},
}
_PAINT = {"fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"}
_LETTERS = {"font-size", "font-family", "font-weight", "text-anchor", "fill"}
_TEXT_COLOURS = {"", "#6b6b6b"}
_FONT_SIZES = (6.0, 12.0)
_STROKES = (0.3, 3.0)
_STYLE_SHEET = re.compile(r"\s*\*\s*\{[\s]*(stroke-line(join|cap):\s*\w+;?\s*)*\}\s*")
_SILENT = {"metadata", "title", "desc"}  # never drawn; their words are read elsewhere
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FUNCTION = re.compile(rf"\s*([a-zA-Z]+)\s*\(((?:\s*,?\s*{_NUMBER})+)\s*\)\s*,?")
_TOKEN = re.compile(rf"\s*,?\s*(?:([A-Za-z])|({_NUMBER}))")
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3}


class ProblemError(ValueError):
    """Something in a drawing that cannot be followed; the message says what was found."""


@dataclass(frozen=True)
class Text:
    """A text: the id of its tag (blank without one), its words, where its anchor stands."""

    id: str
    words: str
    x: float
    y: float
    anchor: str
    line: int


@dataclass(frozen=True)
class Shape:
    """A painted shape: its tag's id, all points as drawn, commands of its path, colours.

    group holds the ids of the groups around it.
    """

    id: str
    points: tuple[Point, ...]
    commands: str
    fill: str
    stroke: str
    width: float
    group: tuple[str, ...]
    line: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def centre(self) -> Point:
        """The middle of its box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


@dataclass
class Drawing:
    """What a figure draws, in the order of the file; problems: line and what was found there.

    height: of the page.
    """

    texts: list[Text] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    height: float = 0.0


def draw(root: etree._Element) -> Drawing:
    """Follow a figure from its root."""
    return _Reader(root).drawing


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.drawing = Drawing()
        self._paths: dict[str, etree._Element] = {}
        self._regions: dict[str, etree._Element] = {}
        self._outlines: dict[str, tuple[str, tuple[Point, ...], dict[str, str]]] = {}
        self._width = self._height = 0.0
        for element in root.iter(f"{SVG}path", f"{SVG}clipPath"):
            if name := element.get("id"):
                if name in self._paths or name in self._regions:
                    found = f"a second definition of {name}"
                    self.drawing.problems.append((element.sourceline or 0, found))
                known = self._paths if element.tag == f"{SVG}path" else self._regions
                known[name] = element
        self._page(root)
        self._children(root, _SAME, (), "")

    def _page(self, root: etree._Element) -> None:
        """The page is as wide and high as its view, so that nothing is cut off or stretched."""
        self._known(root, "svg")
        size = [root.get(name, "").removesuffix("pt") for name in ("width", "height")]
        if root.tag != f"{SVG}svg" or (root.get("viewBox") or "").split() != ["0", "0", *size]:
            found = f"<{_name(root)} viewBox={root.get('viewBox')!r}> of {' by '.join(size)}"
            self.drawing.problems.append((root.sourceline or 0, found))
        try:
            self._width, self._height = map(float, size)
            self.drawing.height = self._height
        except ValueError:
            self.drawing.problems.append((root.sourceline or 0, f"a page of {size}"))

    def _children(
        self, parent: etree._Element, matrix: Matrix, groups: tuple[str, ...], tag: str
    ) -> None:
        for element in parent:
            if not isinstance(element.tag, str):
                if isinstance(element, etree._Entity | etree._ProcessingInstruction):
                    self.drawing.problems.append((element.sourceline or 0, f"{element!s}"[:60]))
                continue
            try:
                self._element(element, matrix, groups, tag)
            except ProblemError as problem:
                self.drawing.problems.append((element.sourceline or 0, str(problem)))

    def _element(
        self, element: etree._Element, matrix: Matrix, groups: tuple[str, ...], tag: str
    ) -> None:
        name = _name(element)
        if name in _SILENT:
            return
        self._known(element, name)
        if "transform" in element.attrib:
            matrix = _times(matrix, _transform(element.attrib["transform"]))
        if name == "g":
            own = element.get("id", "")
            if own.startswith(TAGGED):
                tag = own
            before = len(self.drawing.shapes)
            self._children(element, matrix, (*groups, own), tag)
            if "clip-path" in element.attrib:
                self._check_clip(element, matrix, self.drawing.shapes[before:])
        elif name == "text":
            self._text(element, matrix, tag)
        elif name == "path":
            commands, points = _path(element.get("d", ""))
            style = _style(element, _PAINT)
            self._shape(element, matrix, groups, tag, commands, points, style)
        elif name == "use":
            self._use(element, matrix, groups, tag)
        elif name == "defs":
            self._definitions(element)
        else:
            raise ProblemError(f"<{name}>")

    def _definitions(self, defs: etree._Element) -> None:
        for element in defs:
            if not isinstance(element.tag, str):
                continue
            name = _name(element)
            self._known(element, name)
            if name == "style":
                if not _STYLE_SHEET.fullmatch(element.text or ""):
                    raise ProblemError(f"a style sheet {(element.text or '')[:60]!r}")
            elif name == "clipPath":
                if [_name(child) for child in element] != ["rect"]:
                    raise ProblemError("a clip path that is no rectangle")
            elif name != "path":
                raise ProblemError(f"<{name}> among the definitions")

    def _known(self, element: etree._Element, name: str) -> None:
        """Refuse elements and attributes whose effect is not followed."""
        if not str(element.tag).startswith(SVG) or name not in _ATTRIBUTES:
            raise ProblemError(f"<{name}>")
        unknown = set(element.attrib) - _ATTRIBUTES[name]
        if unknown:
            raise ProblemError(f"<{name} {min(unknown)}={element.attrib[min(unknown)]!r}>")

    def _text(self, element: etree._Element, matrix: Matrix, tag: str) -> None:
        style = _style(element, _LETTERS)
        size = _length(style.get("font-size", "0"))
        if style.get("fill", "") not in _TEXT_COLOURS or not _within(size, _FONT_SIZES):
            raise ProblemError(f"a text of style {element.get('style')!r}, too faint to be read")
        if not all(
            math.isclose(a, b, abs_tol=EXACT) for a, b in zip(matrix[:4], _SAME, strict=False)
        ):
            raise ProblemError(f"a turned text ({element.get('transform')})")
        x, y = _at(matrix, (_length(element.get("x", "0")), _length(element.get("y", "0"))))
        if len(element):
            raise ProblemError(f"a text with parts ({_words(element)!r})")
        self._on_page([(x, y)], f'the text "{_words(element)}"')
        text = Text(tag, _words(element), x, y, style.get("text-anchor", "start"),
                    element.sourceline or 0)  # fmt: skip
        self.drawing.texts.append(text)

    def _use(
        self, element: etree._Element, matrix: Matrix, groups: tuple[str, ...], tag: str
    ) -> None:
        name = element.get(_HREF, "").removeprefix("#")
        if name not in self._outlines:
            if name not in self._paths:
                raise ProblemError(f"a use of {element.get(_HREF)!r}, which is not there")
            path = self._paths[name]
            if "transform" in path.attrib or "clip-path" in path.attrib:
                raise ProblemError(f"a definition {name} that is moved or clipped")
            self._outlines[name] = (*_path(path.get("d", "")), _style(path, _PAINT))
        commands, points, own = self._outlines[name]
        x, y = _length(element.get("x", "0")), _length(element.get("y", "0"))
        style = {**_style(element, _PAINT), **own}
        moved = _times(matrix, (1.0, 0.0, 0.0, 1.0, x, y))
        self._shape(element, moved, groups, tag, commands, points, style)

    def _shape(
        self,
        element: etree._Element,
        matrix: Matrix,
        groups: tuple[str, ...],
        tag: str,
        commands: str,
        points: tuple[Point, ...],
        style: dict[str, str],
    ) -> None:
        fill, stroke = style.get("fill", "#000000"), style.get("stroke", "none")
        if commands == "M" or fill == stroke == "none":
            return  # paints nothing
        width = _length(style.get("stroke-width", "1"))
        if stroke != "none" and not _within(width, _STROKES):
            raise ProblemError(f"a line {width:g} wide")
        drawn = tuple(_at(matrix, point) for point in points)
        shape = Shape(tag, drawn, commands, fill, stroke, width, groups, element.sourceline or 0)
        self._on_page(drawn, f"a shape {tag or 'without id'}")
        self.drawing.shapes.append(shape)
        if "clip-path" in element.attrib:
            self._check_clip(element, matrix, [shape])

    def _check_clip(self, element: etree._Element, matrix: Matrix, shapes: list[Shape]) -> None:
        """What stands outside of its clip path would not be seen."""
        reference = element.attrib["clip-path"]
        region = self._regions.get(reference.removeprefix("url(#").removesuffix(")"))
        if region is None or len(region) != 1:
            raise ProblemError(f"a clip path {reference!r}, which is not there")
        x, y, width, height = (
            _length(region[0].get(n, "0")) for n in ("x", "y", "width", "height")
        )
        left, top = _at(matrix, (x, y))
        right, bottom = _at(matrix, (x + width, y + height))
        for shape in shapes:
            for px, py in shape.points:
                inside = left - 1 <= px <= right + 1 and top - 1 <= py <= bottom + 1
                if not inside:
                    raise ProblemError(f"a shape {shape.id or 'without id'} that is clipped away")

    def _on_page(self, points: list[Point] | tuple[Point, ...], what: str) -> None:
        for x, y in points:
            if not (-1 <= x <= self._width + 1 and -1 <= y <= self._height + 1):
                raise ProblemError(f"{what} outside of the page")


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _words(element: etree._Element) -> str:
    return normalise("".join(element.itertext()))


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _length(text: str) -> float:
    try:
        value = float(text.removesuffix("px"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProblemError(f"a length {text!r}")
    return value


def _style(element: etree._Element, known: set[str]) -> dict[str, str]:
    style = {}
    for part in element.get("style", "").split(";"):
        name, _, value = part.partition(":")
        if not name.strip():
            continue
        if name.strip() not in known:
            raise ProblemError(f"a style {part.strip()!r}")
        style[name.strip()] = value.strip().lower()
    return style


def _path(data: str) -> tuple[str, tuple[Point, ...]]:
    """The commands of a path, one letter a segment, and its points with those that steer curves."""
    commands: list[str] = []
    values: list[float] = []
    wanted = 0
    for token in _tokens(_TOKEN, data):
        letter, number = token.groups()
        if letter is None:
            values.append(float(number))
            continue
        if len(values) != wanted or (letter not in _POINTS and letter not in "zZ"):
            raise ProblemError(f"a path {data[:40]!r}")
        commands.append(letter)
        wanted += 2 * _POINTS.get(letter, 0)
    if len(values) != wanted or not values:
        raise ProblemError(f"a path {data[:40]!r}")
    pairs = tuple((values[i], values[i + 1]) for i in range(0, len(values), 2))
    return "".join(commands), pairs


def _transform(text: str) -> Matrix:
    """The matrix of a transform attribute (SVG 1.1, section 7.6)."""
    matrix = _SAME
    for match in _tokens(_FUNCTION, text):
        values = [float(v) for v in re.findall(_NUMBER, match.group(2))]
        matrix = _times(matrix, _function(match.group(1), values))
    return matrix


def _function(name: str, values: list[float]) -> Matrix:
    count = len(values)
    if name == "translate" and count in (1, 2):
        return (1.0, 0.0, 0.0, 1.0, values[0], values[1] if count == 2 else 0.0)
    if name == "scale" and count in (1, 2):
        return (values[0], 0.0, 0.0, values[-1], 0.0, 0.0)
    if name == "rotate" and count in (1, 3):
        cos, sin = math.cos(math.radians(values[0])), math.sin(math.radians(values[0]))
        x, y = values[1:] if count == 3 else (0.0, 0.0)
        return (cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)
    if name == "matrix" and count == 6:
        a, b, c, d, e, f = values
        return (a, b, c, d, e, f)
    raise ProblemError(f"a transform {name} of {count} numbers")


def _times(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    if second == _SAME:
        return first
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j,
            a * k + c * m + e, b * k + d * m + f)  # fmt: skip


def _at(matrix: Matrix, point: Point) -> Point:
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def _tokens(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that follow one another to the end of the text."""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = pattern.match(text, position)
        if match is None:
            raise ProblemError(f"{text[position : position + 40]!r}")
        yield match
        position = match.end()
