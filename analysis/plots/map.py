"""The map of the evidence: a mark per study and therapy, by year and design."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.page import BLUE, GREY, LIGHT, RC, WIDTH, write

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
