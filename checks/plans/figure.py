"""How the plan of a figure is written: lines, marks, numbers, and the makers of usual lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from checks.plans.chart import ChartAxis, ChartPlan, percent_axis
from checks.rows import Row
from checks.sources import SHORTENED

#: Columns of a forest plot with the words above them; the limits of intervals share one.
COLUMNS = {"rate": "Rate", "low": "", "high": "interval", "weight": "Weight"}
#: Columns of counts, from the left; a blank header stands above a column that shares the next.
COUNTS = ("first", "second", "third", "fourth")
RATES = percent_axis()
SYMBOLS = {"tau2": "tau²", "i2": "I²"}
_LONGEST_LABEL, _LONGEST_BESIDE_FOUR = 40, 25  # beside so many counts


@dataclass(frozen=True)
class Mark:
    """A mark with the keys of the values at which it stands, from left to right.

    shape: `square` (as large as `weight` says), `line`, `diamond` (low, estimate, high), `bar`,
    `hollow square`, `hollow diamond`, or an `arrow` (of a pooled line, an `accent arrow`) at the
    end of the axis beyond which its value lies; on the map the shape of the study's design. The
    map's marks have no keys but `at`, the year as a place on the axis, and `filled`.
    """

    id: str
    shape: str
    keys: tuple[str, ...] = ()
    weight: str = ""
    at: float = 0.0
    filled: bool = True


@dataclass(frozen=True)
class Line:
    """One line of a figure: its label, key by column, marks; `prefix` and `kind` as in its CSV.

    sources are the addresses of the names in the label, in order.
    """

    label: str
    cells: Mapping[str, str]
    marks: tuple[Mark, ...] = ()
    sources: tuple[str, ...] = ()
    prefix: str = ""
    kind: str = ""

    @property
    def shown(self) -> str:
        """The label as drawn: cut after a word, with an ellipsis, where it is too long."""
        longest = _LONGEST_BESIDE_FOUR if "fourth" in self.cells else _LONGEST_LABEL
        if len(self.label) <= longest:
            return self.label
        return self.label[: longest - 1].rsplit(" ", 1)[0].rstrip(",;(") + SHORTENED

    @property
    def id(self) -> str:
        """The id of the label's text, blank where it quotes nothing."""
        return f"datum-{'+'.join(self.sources)}" if self.sources else ""


@dataclass(frozen=True, eq=False)
class FigurePlan:
    """What one figure must show; kind is `forest`, `flow`, `map`, or `chart` with its plan.

    headers: words above the columns; foot: keys of the numbers below the plot with the name of
    each; spoken: keys and addresses of the alternative text, in order. Of a forest plot also its
    axis, and none, the tick with a dark line where nothing differs.
    """

    name: str
    kind: str
    lines: tuple[Line, ...]
    spoken: tuple[str, ...]
    headers: Mapping[str, str]
    foot: tuple[tuple[str, str], ...] = ()
    chart: ChartPlan | None = None
    axis: ChartAxis = RATES
    none: float | None = None

    @cached_property
    def keys(self) -> Counter[str]:
        """How many texts each key has."""
        found = Counter(key for line in self.lines for key in line.cells.values())
        found.update(key for key, _ in self.foot)
        if self.kind == "forest":
            found["const.level"] += 1
        if self.chart:
            found.update(self.chart.keys)
        return found

    @cached_property
    def labels(self) -> Counter[tuple[str, str]]:
        """How often each label with a source stands in the figure, by id and text."""
        found = Counter((line.id, line.shown) for line in self.lines if line.id)
        if self.chart:
            found.update(self.chart.labels)
        return found

    @cached_property
    def fixed(self) -> dict[str, str]:
        """What each tick and each name with a digit reads, by id; the map's years are free."""
        if self.chart:
            return self.chart.fixed
        named = {name: f"symbol-{stat}" for stat, name in SYMBOLS.items()}
        ticks = {name: words for _, words, name in self.axis.ticks if self.kind == "forest"}
        return ticks | {named[name]: name for _, name in self.foot if name in named}

    @cached_property
    def marks(self) -> frozenset[str]:
        """The ids of all marks."""
        of_chart = [mark.name for mark in self.chart.marks] if self.chart else []
        return frozenset([*of_chart, *(mark.id for line in self.lines for mark in line.marks)])


def without_weight(counts: Mapping[str, str]) -> dict[str, str]:
    return {**counts, **{c: words for c, words in COLUMNS.items() if c != "weight"}}


def months(row: Row) -> dict[str, str]:
    return {} if row.months is None else {"month": f"{row.key}.months"}


def interval(prefix: str, low: str, high: str) -> dict[str, str]:
    return {"low": f"{prefix}.{low}", "high": f"{prefix}.{high}"}


def study_line(
    label: str,
    prefix: str,
    sources: tuple[str, ...],
    counts: tuple[str, ...] = ("events", "n"),
    months: Mapping[str, str] | None = None,
    weight: str = "",
    counted: str = "",
) -> Line:
    """A square with its interval; counted is the prefix of the counts where it is another."""
    limits = interval(prefix, "ci_low", "ci_high")
    cells = {
        **(months or {}),
        **_counts(counted or prefix, counts),
        "rate": f"{prefix}.estimate",
        **limits,
        **({"weight": weight} if weight else {}),
    }
    marks = (
        Mark(f"mark-{prefix}.interval", "line", tuple(limits.values())),
        Mark(f"mark-{prefix}", "square", (cells["rate"],), weight),
    )
    return Line(label, cells, marks, sources, prefix, "study")


def pooled_lines(
    label: str,
    prefix: str,
    sources: tuple[str, ...],
    k: int,
    counts: tuple[str, ...],
    counted: str = "",
) -> list[Line]:
    """A diamond, and from three studies the prediction interval below it."""
    limits = interval(prefix, "ci_low", "ci_high")
    rate = f"{prefix}.estimate"
    cells = {**_counts(counted or prefix, counts), "rate": rate}
    diamond = Mark(f"mark-{prefix}", "diamond", (limits["low"], rate, limits["high"]))
    pooled = Line(label, {**cells, **limits}, (diamond,), sources, prefix, "pooled")
    if k < 3:
        return [pooled]
    ends = interval(prefix, "pi_low", "pi_high")
    bar = Mark(f"mark-{prefix}.prediction", "bar", tuple(ends.values()))
    return [pooled, Line("a new study (prediction)", ends, (bar,), kind="prediction")]


def _counts(prefix: str, stats: tuple[str, ...]) -> dict[str, str]:
    return {column: f"{prefix}.{stat}" for column, stat in zip(COUNTS, stats, strict=False)}


def printed_line(
    label: str, prefix: str, sources: tuple[str, ...], months: Mapping[str, str]
) -> Line:
    """A percentage without a denominator."""
    key = f"{prefix}.reported_percent"
    mark = Mark(f"mark-{prefix}", "hollow diamond", (key,))
    cells = {**months, "rate": key}
    return Line(label, cells, (mark,), sources, prefix, "printed")


def spoken(lines: Sequence[Line]) -> list[str]:
    """Keys and addresses of the lines as they are said: the label, then its numbers.

    Of a pooled line the responders are not said, of its studies the number where it is drawn.
    """
    said: list[str] = []
    for line in lines:
        cells = dict(line.cells)
        both_sides = "fourth" in cells
        if line.kind == "pooled" and not cells["first"].endswith(".k") and not both_sides:
            del cells["first"]
        if line.kind == "study" and cells["first"].endswith(".k"):
            del cells["first"]
        said += [*line.sources, *cells.values()]
    return said
