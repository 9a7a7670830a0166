"""How well the methods do: the recorded simulation, as far as the book prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from analysis.ledger import Entry, entry
from analysis.pooling import EXTREME_RATES
from analysis.proportions import LEVEL
from analysis.simulation import (
    FLOOR,
    GLMM_RATES,
    GLMM_TAU2,
    KS,
    RATES,
    TAU2S,
    Outcome,
    outcomes,
)

#: From this number of studies on the pools of low rates are averaged for a sentence.
MANY = 10

Record = Mapping[str, Any]


def scenario_key(k: int, rate: float) -> str:
    """Key prefix of a scenario that is printed in full."""
    return f"simulation.k_{k}.rate_{round(100 * rate)}"


def simulation_entries(record: Record) -> list[Entry]:
    """Everything that the book prints of the simulation."""
    found = outcomes(record)
    return [*_design(record, found), *_table(record, found), *_findings(record, found)]


def _design(record: Record, found: Sequence[Outcome]) -> list[Entry]:
    """What was simulated, and how exact a coverage is: its standard error at the nominal level."""
    datasets, glmm_datasets = record["datasets"], record["glmm_datasets"]
    return [
        entry("simulation.scenarios", len(found), "count"),
        entry("simulation.datasets", datasets, "count"),
        entry("simulation.error", sqrt(LEVEL * (1 - LEVEL) / datasets), "points"),
        entry("simulation.glmm.scenarios", len(_with_glmm(found)), "count"),
        entry("simulation.glmm.datasets", glmm_datasets, "count"),
        entry("simulation.glmm.error", sqrt(LEVEL * (1 - LEVEL) / glmm_datasets), "points"),
        *(
            entry(f"simulation.size.{name}", record["sizes"][name], "count")
            for name in ("median", "least", "most")
        ),
        *(entry(f"simulation.studies.{k}", k, "count") for k in KS),
        *(entry(f"simulation.rate.{round(100 * r)}", r, "percent_whole") for r in RATES),
        *(entry(f"simulation.tau2.{tau2:g}", tau2, "plain") for tau2 in TAU2S),
    ]


def _table(record: Record, found: Sequence[Outcome]) -> list[Entry]:
    """Coverage and width of each method in the scenarios in which all were tried."""
    datasets = record["datasets"]
    entries = []
    for outcome in _with_glmm(found):
        shares = {
            "covered": outcome.covered / datasets,
            "plain": outcome.plain_covered / datasets,
            "wald": outcome.wald_covered / datasets,
            "glmm": glmm_coverage(outcome),
        }
        if outcome.prediction_covered is not None:
            shares["prediction"] = outcome.prediction_covered / datasets
        prefix = scenario_key(outcome.k, outcome.rate)
        entries += [entry(f"{prefix}.{stat}", share, "percent") for stat, share in shares.items()]
        entries.append(entry(f"{prefix}.width", outcome.width, "points"))
        entries.append(entry(f"{prefix}.glmm_width", outcome.glmm_width or 0.0, "points"))
    return entries


def _findings(record: Record, found: Sequence[Outcome]) -> list[Entry]:
    """What the sentences say: where coverage is too low, how far estimates are from the truth."""
    datasets = record["datasets"]
    low = [outcome for outcome in found if outcome.covered / datasets < FLOOR]
    outer = [o for o in low if not EXTREME_RATES[0] < o.rate < EXTREME_RATES[1]]
    middle = [o for o in found if EXTREME_RATES[0] < o.rate < EXTREME_RATES[1]]
    worst = min(found, key=lambda outcome: outcome.covered)
    coverages = [outcome.covered / datasets for outcome in middle]
    predictions = [
        o.prediction_covered / datasets for o in found if o.prediction_covered is not None
    ]
    biased = max(found, key=lambda o: abs(o.estimate - o.rate))
    both = _with_glmm(found)
    surest = min(both, key=glmm_coverage)
    rare = [o for o in both if o.rate == RATES[0] and o.k >= MANY]
    estimated = sum(o.glmm_estimated or 0 for o in both) / (record["glmm_datasets"] * len(both))
    return [
        entry("simulation.below", len(low), "count"),
        entry("simulation.below.outer", len(outer), "count"),
        entry("simulation.middle.lowest", min(coverages), "percent"),
        entry("simulation.middle.highest", max(coverages), "percent"),
        entry("simulation.worst.covered", worst.covered / datasets, "percent"),
        entry("simulation.worst.k", worst.k, "count"),
        entry("simulation.worst.rate", worst.rate, "percent_whole"),
        entry("simulation.worst.tau2", worst.tau2, "plain"),
        entry("simulation.prediction.lowest", min(predictions), "percent"),
        entry("simulation.prediction.highest", max(predictions), "percent"),
        entry("simulation.bias", abs(biased.estimate - biased.rate), "points"),
        entry("simulation.bias.tau2", biased.tau2, "plain"),
        entry("simulation.glmm.lowest", glmm_coverage(surest), "percent"),
        entry("simulation.glmm.lowest.k", surest.k, "count"),
        entry("simulation.glmm.estimated", estimated, "percent"),
        entry("simulation.rare.covered", _mean([o.covered / datasets for o in rare]), "percent"),
        entry("simulation.rare.bias", _mean([o.estimate - o.rate for o in rare]), "points"),
        entry("simulation.rare.glmm", _mean([glmm_coverage(o) for o in rare]), "percent"),
        entry(
            "simulation.rare.glmm_bias",
            _mean([(o.glmm_estimate or 0.0) - o.rate for o in rare]),
            "points",
        ),
    ]


def _with_glmm(found: Sequence[Outcome]) -> list[Outcome]:
    """The scenarios in which every method was tried, by rate."""
    chosen = [o for o in found if o.rate in GLMM_RATES and o.tau2 == GLMM_TAU2]
    return sorted(chosen, key=lambda outcome: (outcome.rate, outcome.k))


def glmm_coverage(outcome: Outcome) -> float:
    """Share of the sets in which the model could be estimated whose interval holds the truth."""
    assert outcome.glmm_covered is not None
    assert outcome.glmm_estimated
    return outcome.glmm_covered / outcome.glmm_estimated


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
