"""The flow diagram of rows and studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.patches import Rectangle

from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.page import BLACK, BLUE, GREY, RC, WIDTH, canvas, write


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
