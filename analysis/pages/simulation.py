"""Sentences and the table about the simulation in the methods chapter."""

from __future__ import annotations

from analysis.entries.simulation import MANY, scenario_key
from analysis.prose import Markdown, many, num, word
from analysis.simulation import GLMM_RATES, GLMM_TAU2, KS, RATES, TAU2S
from analysis.tables import NONE, pipe_table


def design() -> Markdown:
    """What was simulated."""
    return Markdown(
        f"So sets of {_studies(KS[0])} to {_studies(KS[-1])} studies were made up, with median "
        f"rates from {_rate(RATES[0])} to {_rate(RATES[-1])} and [tau²]{{.symbol}} "
        f"from {_tau2(TAU2S[0])} to {_tau2(TAU2S[-1])}. "
        f"That makes {num('simulation.scenarios')} scenarios, with {num('simulation.datasets')} "
        "sets in each. The sizes of the studies are drawn like those in this book, from a "
        f"log-normal distribution with a median of {num('simulation.size.median')}, none below "
        f"{num('simulation.size.least')} or above {num('simulation.size.most')}. Each set was then "
        "pooled exactly as the pools of this book are, and once more with simpler intervals "
        "for comparison: the method of Knapp and Hartung without its floor, and the Wald interval. "
        "The binomial-normal model is slow; it was fitted in "
        f"{num('simulation.glmm.scenarios')} scenarios, with [tau²]{{.symbol}} of "
        f"{_tau2(GLMM_TAU2)}, to {num('simulation.glmm.datasets')} sets in each."
    )


def findings() -> Markdown:
    """What came out, in words."""
    few, several = scenario_key(KS[0], 0.5), scenario_key(10, 0.5)
    return Markdown(
        f"**Between the extremes the interval keeps its promise.** Where the median rate is "
        f"{_rate(0.3)}, {_rate(0.5)} or {_rate(0.7)}, its coverage is from "
        f"{num('simulation.middle.lowest')} to {num('simulation.middle.highest')} over all numbers "
        "of studies and all [tau²]{.symbol}.\n\n"
        "**At low and at high rates it does not.** In "
        f"{many('simulation.below', 'scenario', 'scenarios')} coverage is below "
        f"{num('const.coverage_floor')}; in {num('simulation.below.outer')} of them the median "
        f"rate is {num('const.extreme_low')} or less, or {num('const.extreme_high')} or more. The "
        f"lowest coverage is {num('simulation.worst.covered')}, with "
        f"{num('simulation.worst.k')} studies, a median rate of {num('simulation.worst.rate')} and "
        f"[tau²]{{.symbol}} of {num('simulation.worst.tau2')}. More studies make this worse, not "
        "better: the estimate is drawn towards the middle, because studies that happen to see few "
        "events count for less and those without any are corrected, and a narrower interval around "
        "a shifted estimate misses more.\n\n"
        "**There the binomial-normal model is nearer to the truth.** Averaged over "
        f"{_studies(MANY)} and {_studies(KS[-1])} studies with a median rate of "
        f"{_rate(RATES[0])}, the first model overestimates the rate by "
        f"{num('simulation.rare.bias')} percentage points and covers it in "
        f"{num('simulation.rare.covered')} of the sets; the binomial-normal model is off by "
        f"{num('simulation.rare.glmm_bias')} and covers it in {num('simulation.rare.glmm')}. This "
        "is why both are printed, and why pools with such rates are marked. With few studies the "
        "binomial-normal model is too sure of itself, for its profile interval takes no account of "
        f"how few they are: its coverage falls to {num('simulation.glmm.lowest')}, with "
        f"{num('simulation.glmm.lowest.k')} studies. It could be estimated in "
        f"{num('simulation.glmm.estimated')} of the sets, and its figures are of these.\n\n"
        f"**Bias grows with heterogeneity.** Over all scenarios the mean estimate of the first "
        f"model is off by {num('simulation.bias')} percentage points at most, at "
        f"[tau²]{{.symbol}} of {num('simulation.bias.tau2')}.\n\n"
        f"**With {word(f'simulation.studies.{KS[0]}')} studies there is safety, but little "
        f"knowledge.** At a median rate of {_rate(0.5)} and [tau²]{{.symbol}} of "
        f"{_tau2(GLMM_TAU2)} the interval is on average {num(f'{few}.width')} percentage points "
        f"wide, against {num(f'{several}.width')} with {_studies(10)} studies.\n\n"
        "**The prediction interval is the weakest.** It should hold the true rate of a new study "
        f"in {num('const.level')} of the sets. It does in {num('simulation.prediction.lowest')} "
        f"to {num('simulation.prediction.highest')}: too rarely where the rate is extreme, or "
        "where there is some heterogeneity and it is estimated as none."
    )


def table() -> Markdown:
    """Coverage and width in the scenarios in which every method was tried."""
    rows = []
    for rate in GLMM_RATES:
        for k in KS:
            prefix = scenario_key(k, rate)
            stats = ["covered", "plain", "wald", "glmm", "prediction", "width", "glmm_width"]
            rows.append(
                [
                    _rate(rate),
                    _studies(k),
                    *(
                        NONE if stat == "prediction" and k == KS[0] else num(f"{prefix}.{stat}")
                        for stat in stats
                    ),
                ]
            )
    headers = ["Median rate", "Studies", "This book", "Knapp-Hartung", "Wald", "Binomial-normal"]
    headers += ["Prediction", "Width", "Width, binomial-normal"]
    return pipe_table(headers, rows, (8, 9, 9, 14, 8, 15, 13, 8, 16), "rrrrrrrrr")


def _studies(k: int) -> str:
    return num(f"simulation.studies.{k}")


def _rate(rate: float) -> str:
    return num(f"simulation.rate.{round(100 * rate)}")


def _tau2(tau2: float) -> str:
    return num(f"simulation.tau2.{tau2:g}")
