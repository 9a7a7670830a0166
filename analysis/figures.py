"""How figures look and are written, and those that are not forest plots: flow and map.

Figures are SVG with their text as text, each with its data as CSV beside it. Every number drawn is
a ledger entry: its text carries `id="num-KEY"`, its mark `mark-...`; a name quoted from the data
carries `datum-ADDRESS`, a tick `axis-VALUE`.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.alttext import Drawn, Speaker
from analysis.ledger import Ledger

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


class Ids:
    """The ids of one figure; a name used again is numbered, for an id may stand only once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def new(self, name: str) -> str:
        """The name, or NAME#2, NAME#3 where it was used before."""
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}#{self._used[name]}"


@dataclass(frozen=True)
class Box:
    """A box of the flow diagram: lines of (words, key of the rows, key of the studies)."""

    title: str
    lines: tuple[tuple[str, str, str], ...]


def flow(
    ledger: Ledger, folder: Path, name: str, stages: Sequence[Box], exits: Sequence[Box]
) -> Drawn:
    """Write the flow diagram: stages below one another, what leaves beside the arrow between."""
    line, gap = 0.2, 0.22
    heights = [(len(box.lines) + 1) * line + 0.14 for box in stages]
    exit_heights = [(len(box.lines) + 1) * line + 0.14 for box in exits]
    height = sum(heights) + sum(exit_heights) + 2 * gap * len(exits) + 0.1
    speaker = Speaker(ledger)
    speaker.say("Flow of rows and studies from the evidence to the pools.")
    records = []
    with mpl.rc_context(RC):
        figure, page = canvas(height)

        def draw(box: Box, left: float, right: float, top: float, tall: float, edge: str) -> None:
            page.add_patch(
                Rectangle((left, top - tall), right - left, tall, fc="none", ec=edge, lw=0.9)
            )
            y = top - 0.07 - line / 2
            page.text(left + 0.1, y, box.title, va="center", weight="bold")
            for words, rows_key, studies_key in box.lines:
                y -= line
                page.text(left + 0.1, y, words, va="center")
                for key, x, noun in (
                    (rows_key, right - 1.18, "rows"),
                    (studies_key, right - 0.6, "studies"),
                ):
                    if not key:
                        continue
                    number = page.text(x, y, ledger[key].text, va="center", ha="right")
                    number.set_gid(f"num-{key}")
                    page.text(x + 0.05, y, noun, va="center", color=GREY)
                said = f"{words}: {{={rows_key}}} rows" + (
                    f", {{={studies_key}}} studies." if studies_key else "."
                )
                speaker.say(said)
                records.append(
                    {
                        "box": box.title,
                        "line": words,
                        "rows": ledger[rows_key].value,
                        "studies": ledger[studies_key].value if studies_key else None,
                    }
                )

        y = height - 0.05
        for place, stage in enumerate(stages):
            draw(stage, 0.05, 3.5, y, heights[place], BLUE)
            y -= heights[place]
            if place == len(exits):
                break
            drop = exit_heights[place] + 2 * gap
            middle = y - drop / 2
            page.annotate(
                "",
                (1.0, y - drop),
                (1.0, y),
                arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 0.9},
            )
            page.annotate(
                "", (1.75, middle), (1.0, middle),
                arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 0.9},
            )  # fmt: skip
            draw(exits[place], 1.78, WIDTH - 0.05, y - gap, exit_heights[place], GREY)
            y -= drop
        write(figure, folder, name, pd.DataFrame(records))
    return speaker.drawn(name)


MARKERS = {
    "rct": ("o", "randomised trial"),
    "single_arm_trial": ("s", "single-arm trial"),
    "prospective_cohort": ("^", "prospective cohort"),
    "retrospective_cohort": ("D", "retrospective cohort"),
    "case_series": ("x", "case series"),
}


def evidence_map(ledger: Ledger, folder: Path, name: str, data: pd.DataFrame) -> Drawn:
    """Write the map of studies: one mark per study and therapy, by year and design.

    `data` has the columns therapy, label (of the therapy), study, year, design and pooled (bool).
    """
    therapies = sorted(data["label"].unique(), key=str.lower, reverse=True)
    with mpl.rc_context(RC):
        height = 0.175 * len(therapies) + 0.75
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.34, 0.3 / height, 0.64, 1 - 0.65 / height))
        place = {label: y for y, label in enumerate(therapies)}
        # Studies of one therapy and year stand beside one another, not on top.
        order = data.groupby(["label", "year"]).cumcount()
        size = data.groupby(["label", "year"])["year"].transform("size")
        x = data["year"] + 0.42 * (order - (size - 1) / 2) / size.clip(lower=3) * 2
        for design, (marker, words) in MARKERS.items():
            for pooled in (True, False):
                style = {"marker": marker, "s": 17, "zorder": 3, "linewidths": 0.8}
                if marker == "x":
                    style["color"] = BLUE if pooled else GREY
                else:
                    style |= {"facecolor": BLUE if pooled else "white", "edgecolor": BLUE}
                if pooled:
                    axes.scatter([], [], label=words, **style)
                mask = data["design"].eq(design) & data["pooled"].eq(pooled)
                for row, at in zip(data[mask].itertuples(), x[mask], strict=True):
                    gid = f"mark-map.{row.study}.{row.therapy}"
                    axes.scatter([at], [place[row.label]], gid=gid, **style)
        first, last = axes.get_xlim()
        years = [int(year) for year in axes.get_xticks() if first <= year <= last]
        axes.set_xticks(years, [str(year) for year in years])
        for tick, year in zip(axes.get_xticklabels(), years, strict=True):
            tick.set_gid(f"axis-{year}")
        axes.set_yticks(range(len(therapies)), therapies)
        addresses = dict(zip(data["label"], data["therapy"], strict=True))
        for tick, label in zip(axes.get_yticklabels(), therapies, strict=True):
            tick.set_gid(f"datum-therapies#{addresses[label]}#label")
        axes.set_ylim(-0.6, len(therapies) - 0.4)
        axes.grid(axis="y", color=LIGHT, lw=0.5)
        axes.tick_params(length=0, labelsize=7.5)
        axes.spines[["top", "right", "left"]].set_visible(False)
        figure.legend(
            loc="upper left", ncols=5, frameon=False, fontsize=7, handletextpad=0.2,
            columnspacing=1.2, bbox_to_anchor=(0.02, 1.0),
        )  # fmt: skip
        write(figure, folder, name, data.sort_values(["label", "year", "study"]))
    speaker = Speaker(ledger)
    speaker.say(
        "Map of the evidence: {=evidence.studies} studies of {=evidence.therapies} therapies by "
        "year of publication; the shape shows the design, filled marks entered a pool. "
        "The table of all studies in the appendix holds the same."
    )
    return speaker.drawn(name)
