"""Forest plots: rows of rates or effects between columns of numbers, on an axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import matplotlib as mpl
import pandas as pd
from matplotlib.patches import Polygon

from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Axis, percent_axis
from analysis.plots.page import (
    BLACK,
    BLUE,
    GREY,
    LIGHT,
    RC,
    VERMILLION,
    WIDTH,
    Ids,
    canvas,
    shorten,
    write,
)

#: Height of a row in inches.
ROW = 0.21


@dataclass(frozen=True)
class Row:
    """One line of a forest plot.

    kind: `study` (square and interval), `pooled` (diamond, and a bar for the prediction interval),
    `printed` (a percentage without a denominator: a hollow mark), `text` (words only) or
    `heading`. `prefix` is the key prefix of its numbers; `counts` the stats in the first columns,
    under the prefix `counted` where it is another; `months` the key of the visit's month, where it
    is shown; `sources` the addresses of the names in the data that the label quotes, in order.
    """

    label: str
    prefix: str = ""
    kind: str = "study"
    words: str = ""
    emphasis: bool = False
    counts: tuple[str, ...] = ("events", "n")
    counted: str = ""
    estimate: str = "estimate"
    months: str = ""
    sources: tuple[str, ...] = ()

    @property
    def count_keys(self) -> tuple[str, ...]:
        """Keys of the numbers in the first columns."""
        return tuple(f"{self.counted or self.prefix}.{stat}" for stat in self.counts)


@dataclass(frozen=True)
class Scale:
    """What a forest plot measures: its axis, the words above its numbers, and no effect.

    `none`, one of the ticks, has a dark line: no difference. What lies beyond an end of the axis
    is drawn up to that end, with an arrow head on it.
    """

    axis: Axis
    words: str
    none: float | None = None


RATES = Scale(percent_axis(), "Rate")


class Forest:
    """Draws rows of rates or effects between columns of numbers, on the axis of a scale."""

    #: Where the columns stand, in inches from the left.
    LABEL, MONTH, LEFT, RIGHT = 0.05, 2.3, 3.48, 5.2
    COUNTS: ClassVar = {2: (2.74, 3.3), 4: (2.02, 2.4, 2.92, 3.3)}
    RATE, LOW, TO, HIGH, WEIGHT = 5.72, 6.22, 6.33, 6.86, 7.36
    #: Longest label before so many columns of counts, in letters.
    MAX_LABEL: ClassVar = {2: 40, 4: 25}

    def __init__(
        self,
        ledger: Ledger,
        rows: Sequence[Row],
        headers: tuple[str, ...],
        scale: Scale = RATES,
    ) -> None:
        self.ledger = ledger
        self.rows = rows
        self.headers = headers
        self.scale = scale
        lines = sum(2 if self._has_prediction(row) else 1 for row in rows)
        self.weighted = any(self._key(row, "weight") in ledger for row in rows)
        pooled = [row for row in rows if row.kind == "pooled"]
        self.summary = pooled[0] if self.weighted and len(pooled) == 1 else None
        self.height = ROW * (lines + (4.1 if self.summary else 3.0))
        self.figure, self.page = canvas(self.height)
        self.ids = Ids()

    def draw(self) -> pd.DataFrame:
        """Draw everything; the data of the figure, one line a row, come back."""
        y = self.height - 0.9 * ROW
        self._header(y)
        top = y - 0.6 * ROW
        y -= ROW * 1.25
        records = []
        for row in self.rows:
            self._row(row, y)
            records.append(self._record(row))
            if self._has_prediction(row):
                y -= ROW
                self._prediction(row, y)
            y -= ROW
        self._axis(y + 0.45 * ROW, top)
        if self.summary:
            self._heterogeneity(self.summary, y - 1.35 * ROW)
        return pd.DataFrame(records, dtype=object)

    @staticmethod
    def _key(row: Row, stat: str) -> str:
        return f"{row.prefix}.{stat}"

    def _has_prediction(self, row: Row) -> bool:
        return row.kind == "pooled" and self._key(row, "pi_low") in self.ledger

    def _value(self, row: Row, stat: str) -> float:
        return float(self.ledger[self._key(row, stat)].value)

    def _x(self, value: float) -> float:
        """Where a value stands; one beyond an end of the axis stands at that end."""
        axis = self.scale.axis
        share = axis.share(min(max(value, axis.low), axis.high))
        return self.LEFT + share * (self.RIGHT - self.LEFT)

    def _number(self, x: float, y: float, key: str, **style: object) -> None:
        """A number of the ledger, right-aligned at x, tagged with its key."""
        gid = self.ids.new(f"num-{key}")
        self.page.text(x, y, self.ledger[key].text, ha="right", va="center", gid=gid, **style)

    def _header(self, y: float) -> None:
        columns = list(zip(self.COUNTS[len(self.headers)], self.headers, strict=True))
        columns += [(self.RATE, self.scale.words)]
        columns += [(self.WEIGHT, "Weight")] if self.weighted else []
        for x, words in columns:
            self.page.text(x, y, words, ha="right", va="center", color=GREY)
        self.page.text(self.HIGH, y, "interval", ha="right", va="center", color=GREY)
        self._number(self.HIGH - 0.55, y, "const.level", color=GREY)
        line = y - 0.6 * ROW
        self.page.plot([0.05, WIDTH - 0.03], [line, line], color=GREY, lw=0.6)

    def _row(self, row: Row, y: float) -> None:
        summary = row.kind == "pooled" and self.weighted
        weight = "bold" if row.emphasis or summary or row.kind == "heading" else "normal"
        under = self.weighted or any(other.kind == "heading" for other in self.rows)
        flush = summary or row.kind in ("heading", "text")
        indent = 0.08 if under and not flush else 0.0
        self.page.text(
            self.LABEL + indent, y, shorten(row.label, self.MAX_LABEL[len(row.counts)]),
            va="center", weight=weight,
            gid=self.ids.new(f"datum-{'+'.join(row.sources)}") if row.sources else None,
        )  # fmt: skip
        if row.months:
            self.page.text(self.MONTH - 0.3, y, "month", ha="right", va="center", color=GREY)
            self._number(self.MONTH, y, row.months)
        if row.words:
            self.page.text(self.LEFT + 0.05, y, row.words, va="center", color=GREY)
        if row.kind in ("text", "heading"):
            return
        if row.kind == "printed":
            key = self._key(row, "reported_percent")
            x = self._x(float(self.ledger[key].value) / 100)
            self.page.plot(
                [x], [y], marker="D", mfc="white", mec=BLUE, ms=4.5, gid=f"mark-{row.prefix}"
            )
            self._number(self.RATE, y, key)
            return
        for x, key in zip(self.COUNTS[len(self.headers)], row.count_keys, strict=True):
            if key in self.ledger:
                self._number(x, y, key, weight=weight)
        self._rate(row, y, weight)

    def _rate(self, row: Row, y: float, weight: str) -> None:
        """The mark with its interval, and their numbers."""
        estimate = self._value(row, row.estimate)
        self._number(self.RATE, y, self._key(row, row.estimate), weight=weight)
        if self._key(row, "ci_low") not in self.ledger or row.estimate != "estimate":
            self.page.plot(
                [self._x(estimate)], [y], marker="s", mfc="white", mec=BLUE, ms=4,
                gid=f"mark-{row.prefix}.{row.estimate.removeprefix('estimate_')}",
            )  # fmt: skip
            return
        low, high = self._value(row, "ci_low"), self._value(row, "ci_high")
        self._number(self.LOW, y, self._key(row, "ci_low"), weight=weight)
        self.page.text(self.TO, y, "to", ha="center", va="center", color=GREY)
        self._number(self.HIGH, y, self._key(row, "ci_high"), weight=weight)
        mark = f"mark-{row.prefix}"
        self._arrows(f"{mark}.interval", low, high, y, row.kind)
        if row.kind == "pooled":
            half = 0.3 * ROW
            corners = [
                (self._x(low), y),
                (self._x(estimate), y + half),
                (self._x(high), y),
                (self._x(estimate), y - half),
            ]
            self.page.add_patch(Polygon(corners, closed=True, fc=VERMILLION, ec="none", gid=mark))
            return
        self.page.plot(
            [self._x(low), self._x(high)], [y, y], color=BLUE, lw=1.1, gid=f"{mark}.interval"
        )
        size = 4.0
        if self._key(row, "weight") in self.ledger:
            share = self._value(row, "weight")
            size = 2.5 + 7.0 * share**0.5
            self._number(self.WEIGHT, y, self._key(row, "weight"))
        self.page.plot([self._x(estimate)], [y], marker="s", color=BLUE, ms=size, gid=mark)

    def _arrows(self, mark: str, low: float, high: float, y: float, kind: str) -> None:
        """An arrow head at each end of the axis that an interval goes beyond."""
        axis, colour = self.scale.axis, VERMILLION if kind == "pooled" else BLUE
        for beyond, end, shape, name in (
            (low < axis.low, axis.low, "<", "below"), (high > axis.high, axis.high, ">", "above"),
        ):  # fmt: skip
            if beyond:
                gid = f"{mark}.{name}"
                self.page.plot([self._x(end)], [y], marker=shape, color=colour, ms=5, gid=gid)

    def _prediction(self, row: Row, y: float) -> None:
        low, high = self._value(row, "pi_low"), self._value(row, "pi_high")
        self._arrows(f"mark-{row.prefix}.prediction", low, high, y, row.kind)
        self.page.text(self.LABEL + 0.08, y, "a new study (prediction)", va="center", color=GREY)
        self.page.plot(
            [self._x(low), self._x(high)],
            [y, y],
            color=VERMILLION,
            lw=2.2,
            solid_capstyle="butt",
            gid=f"mark-{row.prefix}.prediction",
        )
        self._number(self.LOW, y, self._key(row, "pi_low"))
        self.page.text(self.TO, y, "to", ha="center", va="center", color=GREY)
        self._number(self.HIGH, y, self._key(row, "pi_high"))

    def _axis(self, bottom: float, top: float) -> None:
        axis = self.scale.axis
        for tick in axis.ticks:
            x = self._x(tick.value)
            colour = LIGHT if axis.low < tick.value < axis.high else GREY
            colour = BLACK if tick.value == self.scale.none else colour
            self.page.plot([x, x], [bottom, top], color=colour, lw=0.6, zorder=0)
            self.page.text(
                x, bottom - 0.5 * ROW, tick.words, ha="center", va="center",
                color=GREY, size=7, gid=tick.id,
            )  # fmt: skip
        self.page.plot([self.LEFT, self.RIGHT], [bottom, bottom], color=GREY, lw=0.6)

    def _heterogeneity(self, row: Row, y: float) -> None:
        """tau2, I2 and Q of the pooled row, each number in a place of its own."""
        self.page.text(self.LABEL, y, "Differences between studies:", va="center", color=GREY)
        for label, stat, x in (("tau²", "tau2", 2.9), ("I²", "i2", 3.8), ("Q", "q", 4.85)):
            symbol = f"symbol-{stat}" if stat != "q" else None
            self.page.text(x - 0.48, y, label, ha="right", va="center", color=GREY, gid=symbol)
            self._number(x, y, self._key(row, stat), color=GREY)

    def _record(self, row: Row) -> dict[str, object]:
        record: dict[str, object] = {"label": row.label, "kind": row.kind, "key": row.prefix}
        if row.kind in ("text", "heading"):
            return record
        limits = ("ci_low", "ci_high") if row.estimate == "estimate" else ()
        stats = (row.estimate, *limits, "pi_low", "pi_high", "weight", "tau2", "i2", "q")
        keys = [*row.count_keys, *(self._key(row, s) for s in (*stats, "reported_percent"))]
        for key in keys:
            stat = key.rpartition(".")[2]
            record[stat] = self.ledger[key].value if key in self.ledger else None
        return record


def speak_row(speaker: Speaker, row: Row, ledger: Ledger) -> None:
    """Say one row of a forest plot; the pooled row is announced as pooled."""

    def has(stat: str) -> bool:
        return f"{row.prefix}.{stat}" in ledger

    label = f"{row.label}, month {{={row.months}}}" if row.months else row.label
    if row.kind == "heading":
        speaker.say(f"{label}.", sources=row.sources)
    elif row.kind == "text":
        speaker.say(f"{label}: {row.words}.", sources=row.sources)
    elif row.kind == "printed":
        said = f"{label}: {{reported_percent}}, denominator not printed."
        speaker.say(said, row.prefix, row.sources)
    elif row.kind == "pooled":
        name = "Pooled" if row.label.startswith("Pooled") else f"{row.label}, pooled"
        if len(row.counts) == 4:
            said = f"{name}: {speak_sides(row)}"
        else:
            first, second = row.counts
            said = f"{name}: " + (f"{{{first}}} studies, " if first == "k" else "")
            said += f"{{{second}}} patients, "
        said += "{estimate} ({ci_low} to {ci_high})"
        said += ", prediction interval {pi_low} to {pi_high}." if has("pi_low") else "."
        speaker.say(said, row.prefix, row.sources)
    else:
        said = f"{label}: "
        if len(row.counts) == 4:
            said += speak_sides(row)
        else:
            first, second = row.counts
            said += f"{{{first}}} of " if first == "events" else ""
            said += f"{{{second}}}, " if first == "events" else f"{{{second}}} patients, "
        said += f"{{{row.estimate}}}"
        said += " ({ci_low} to {ci_high})" if has("ci_low") and row.estimate == "estimate" else ""
        said += ", weight {weight}." if has("weight") else "."
        speaker.say(said, row.prefix, row.sources)


def speak_sides(row: Row) -> str:
    """Both sides of a comparison: responders and patients of each."""
    e1, n1, e0, n0 = row.count_keys
    return f"treated {{={e1}}} of {{={n1}}}, control {{={e0}}} of {{={n0}}}, "


def forest(
    ledger: Ledger,
    folder: Path,
    name: str,
    title: str,
    rows: Iterable[Row],
    headers: tuple[str, ...] = ("Responders", "Patients"),
    title_sources: tuple[str, ...] = (),
    scale: Scale = RATES,
) -> Drawn:
    """Write a forest plot of the rows as NAME.svg with NAME.csv.

    `title` opens the alt text, a template as for Speaker.say, with the sources of its labels.
    """
    rows = tuple(rows)
    with mpl.rc_context(RC):
        plot = Forest(ledger, rows, headers, scale)
        data = plot.draw()
        write(plot.figure, folder, name, data)
    speaker = Speaker(ledger)
    speaker.say(title, sources=title_sources)
    for row in rows:
        speak_row(speaker, row, ledger)
    return speaker.drawn(name)
