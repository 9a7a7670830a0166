"""The coverage of the methods against the rate, a panel for each number of studies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.entries.simulation import glmm_coverage, scenario_key
from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Chart, percent_axis
from analysis.proportions import LEVEL
from analysis.simulation import GLMM_RATES, GLMM_TAU2, KS, RATES, outcomes

NAME = "coverage"
HEIGHT = 4.7
LEFTS, WIDTH = (0.55, 3.0, 5.45), 1.8
BOTTOMS, TALL = (2.65, 0.45), 1.45
LOWEST = 0.6


def coverage(ledger: Ledger, folder: Path, record: dict[str, object]) -> Drawn:
    """Coverage of each interval at GLMM_TAU2, and in the table beside it of every scenario."""
    datasets = record["datasets"]
    assert isinstance(datasets, int)
    found = outcomes(record)
    chart = Chart(ledger, HEIGHT)
    chart.legend(
        [
            ("circle", "", "this book's interval"),
            ("square", "hollow grey", "Wald interval"),
            ("diamond", "accent", "binomial-normal model"),
        ]
    )
    for place, k in enumerate(KS):
        left, bottom = LEFTS[place % 3], BOTTOMS[place // 3]
        panel = chart.panel(
            f"k_{k}",
            (left, bottom, left + WIDTH, bottom + TALL),
            percent_axis(title="Median rate"),
            percent_axis(LOWEST, 1, 0.1),
        )
        panel.rule(f"level.k_{k}", y=LEVEL)
        shown = [outcome for outcome in found if (outcome.k, outcome.tau2) == (k, GLMM_TAU2)]
        wald = [outcome.wald_covered / datasets for outcome in shown]
        own = [outcome.covered / datasets for outcome in shown]
        glmm = [glmm_coverage(o) for o in shown if o.rate in GLMM_RATES]
        panel.curve(f"wald.k_{k}", RATES, wald, grey=True)
        panel.curve(f"covered.k_{k}", RATES, own)
        panel.curve(f"glmm.k_{k}", GLMM_RATES, glmm, accent=True)
        for rate, share in zip(RATES, wald, strict=True):
            panel.square(f"{scenario_key(k, rate)}.wald", rate, share, filled=False, grey=True)
        for rate, share in zip(RATES, own, strict=True):
            panel.circle(f"{scenario_key(k, rate)}.covered", rate, share)
        for rate, share in zip(GLMM_RATES, glmm, strict=True):
            panel.diamond(f"{scenario_key(k, rate)}.glmm", rate, share, accent=True)
        head = bottom + TALL + 0.13
        chart.number(left + 0.16, head, f"simulation.studies.{k}")
        chart.words(left + 0.21, head, "studies")
    records = pd.DataFrame([outcome._asdict() for outcome in found])
    for column in records.columns[4:]:
        if column.endswith("_covered") or column == "covered":
            of = records["glmm_estimated"] if column.startswith("glmm") else datasets
            records[column] = records[column] / of
    records["glmm_estimated"] = records["glmm_estimated"] / record["glmm_datasets"]
    chart.write(folder, NAME, records)
    return _spoken(ledger)


def _spoken(ledger: Ledger) -> Drawn:
    speaker = Speaker(ledger)
    speaker.say(
        "Coverage of the intervals against the median rate, a panel for each number of studies; "
        "the nominal level is a line."
    )
    for k in (KS[0], KS[-1]):
        speaker.say(f"With {{=simulation.studies.{k}}} studies:")
        for rate in (GLMM_RATES[0], GLMM_RATES[-1]):
            speaker.say(
                f"at a rate of {{=simulation.rate.{round(100 * rate)}}} this book's interval "
                "{covered}, Wald {wald}, binomial-normal model {glmm}.",
                scenario_key(k, rate),
            )
    speaker.say("The table beside it holds every scenario.")
    return speaker.drawn(NAME)
