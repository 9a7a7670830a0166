"""How figures look and are written: colours, fonts, ids.

Figures are SVG with their text as text, each with its data as CSV beside it. Every number drawn is
a ledger entry: its text carries `id="num-KEY"`, its mark `mark-...`; a name quoted from the data
carries `datum-ADDRESS`, a tick `axis-VALUE`.
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart in print and by colour-blind readers.
BLUE, VERMILLION, GREY, BLACK, LIGHT = "#0072B2", "#D55E00", "#6B6B6B", "#1A1A1A", "#D9D9D9"

FONT = "DejaVu Sans"
#: Fonts of the same width where the reader's machine lacks the first.
FONT_STACK = "'DejaVu Sans', Verdana, Geneva, sans-serif"
RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "itp",
    "font.family": FONT,
    "font.size": 8.0,
    "axes.linewidth": 0.6,
}
WIDTH = 7.4


def canvas(height: float) -> tuple[Figure, Axes]:
    """A figure of the book's width whose only axes measure inches from the lower left."""
    figure = Figure(figsize=(WIDTH, height))
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, WIDTH), ylim=(0, height))
    page.axis("off")
    return figure, page


def write(figure: Figure, folder: Path, name: str, data: pd.DataFrame) -> None:
    """Write NAME.svg and NAME.csv; the same figure gives the same bytes."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue().replace(f"'{FONT}'", FONT_STACK)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    data.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def shorten(text: str, limit: int) -> str:
    """Cut at a word so that the text has at most `limit` characters, with an ellipsis."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;(") + "…"


class Ids:
    """The ids of one figure; a name used again is numbered, for an id may stand only once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def new(self, name: str) -> str:
        """The name, or NAME#2, NAME#3 where it was used before."""
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}#{self._used[name]}"
