"""The recorded simulation: shares from its counts, and where they are lowest or farthest off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from checks.constants import COVERAGE_FLOOR, EXTREME_HIGH, EXTREME_LOW, LEVEL
from checks.expected import FRACTION, Expected
from checks.rows import Data

FAMILIES = ("simulation",)

STUDIES = (2, 3, 5, 10, 20)
RATES = (5, 10, 30, 50, 70, 90, 95)  # per cent
#: Where all methods were tried: these rates, this variance.
PRINTED_RATES, PRINTED_TAU2 = (5, 10, 30, 50), 0.5
_TAU2S = (0.0, 0.1, 0.5, 1.0, 2.0)
_MANY = (10, 20)

#: A line of the record by column, with its shares in place of its counts.
Line = Mapping[str, float | None]


def lines(record: Mapping[str, Any]) -> dict[tuple[int, int, float], Line]:
    """The scenarios by studies, rate in per cent and variance, with shares for counts.

    Raises KeyError where the record lacks a column.
    """
    found: dict[tuple[int, int, float], Line] = {}
    for row in record["rows"]:
        cells = dict(zip(record["columns"], row, strict=True))
        for name in ("covered", "plain_covered", "wald_covered", "prediction_covered"):
            cells[name] = _share(cells[name], record["datasets"])
        cells["glmm_covered"] = _share(cells["glmm_covered"], cells["glmm_estimated"])
        cells["glmm_estimated"] = _share(cells["glmm_estimated"], record["glmm_datasets"])
        found[cells["k"], round(100 * cells["rate"]), cells["tau2"]] = cells
    return found


def _share(count: int | None, of: int | None) -> float | None:
    return None if count is None or not of else count / of


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number that the book prints of the simulation."""
    record = records["simulation"]
    found = lines(record)
    values = {**_design(record, found), **_extremes(found), **_both(found)}
    for k in STUDIES:
        for rate in PRINTED_RATES:
            values |= _printed(k, rate, found[k, rate, PRINTED_TAU2])
    return {f"simulation.{key}": value for key, value in values.items()}


def _percent(value: float) -> Expected:
    return Expected(value, "percent", FRACTION)


def _points(value: float) -> Expected:
    return Expected(value, "points", FRACTION)


def _design(record: Mapping[str, Any], found: Mapping[Any, Line]) -> dict[str, Expected]:
    values = {f"studies.{k}": Expected(k, "count") for k in STUDIES}
    values |= {f"rate.{r}": Expected(r / 100, "percent_whole", FRACTION) for r in RATES}
    values |= {f"tau2.{tau2:g}": Expected(tau2, "plain") for tau2 in _TAU2S}
    values |= {
        f"size.{name}": Expected(record["sizes"][name], "count")
        for name in ("median", "least", "most")
    }
    for prefix, sets, scenarios in (
        ("", record["datasets"], len(STUDIES) * len(RATES) * len(_TAU2S)),
        ("glmm.", record["glmm_datasets"], len(STUDIES) * len(PRINTED_RATES)),
    ):
        values[f"{prefix}datasets"] = Expected(sets, "count")
        values[f"{prefix}scenarios"] = Expected(scenarios, "count")
        values[f"{prefix}error"] = _points((LEVEL * (1 - LEVEL) / sets) ** 0.5)
    return values


def _printed(k: int, rate: int, line: Line) -> dict[str, Expected]:
    columns = {
        "covered": "covered", "plain": "plain_covered", "wald": "wald_covered",
        "glmm": "glmm_covered", "prediction": "prediction_covered",
        "width": "width", "glmm_width": "glmm_width",
    }  # fmt: skip
    return {
        f"k_{k}.rate_{rate}.{stat}": (_points if "width" in stat else _percent)(value)
        for stat, column in columns.items()
        if (value := line[column]) is not None
    }


def _column(found: Iterable[Line], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([value for line in found if (value := line[name]) is not None], float)


def _extremes(found: Mapping[Any, Line]) -> dict[str, Expected]:
    """Of all scenarios: coverage where it is lowest, and the largest bias."""
    scenarios = list(found)
    covered, bias = (
        _column(found.values(), "covered"),
        _column(found.values(), "estimate") - _column(found.values(), "rate"),
    )
    between = np.array([EXTREME_LOW < rate / 100 < EXTREME_HIGH for _, rate, _ in scenarios])
    worst, farthest = int(covered.argmin()), int(np.abs(bias).argmax())
    k, rate, tau2 = scenarios[worst]
    prediction = _column(found.values(), "prediction_covered")
    return {
        "below": Expected(int((covered < COVERAGE_FLOOR).sum()), "count"),
        "below.outer": Expected(int((covered < COVERAGE_FLOOR)[~between].sum()), "count"),
        "middle.lowest": _percent(float(covered[between].min())),
        "middle.highest": _percent(float(covered[between].max())),
        "worst.covered": _percent(float(covered[worst])),
        "worst.k": Expected(k, "count"),
        "worst.rate": Expected(rate / 100, "percent_whole", FRACTION),
        "worst.tau2": Expected(tau2, "plain"),
        "prediction.lowest": _percent(float(prediction.min())),
        "prediction.highest": _percent(float(prediction.max())),
        "bias": _points(float(np.abs(bias).max())),
        "bias.tau2": Expected(scenarios[farthest][2], "plain"),
    }


def _both(found: Mapping[Any, Line]) -> dict[str, Expected]:
    """Of the scenarios in which both models were fitted."""
    both = [found[k, rate, PRINTED_TAU2] for k in STUDIES for rate in PRINTED_RATES]
    rare = [found[k, RATES[0], PRINTED_TAU2] for k in _MANY]
    covered, truth = _column(both, "glmm_covered"), RATES[0] / 100
    least = int(covered.argmin())
    return {
        "glmm.lowest": _percent(float(covered[least])),
        "glmm.lowest.k": Expected(STUDIES[least // len(PRINTED_RATES)], "count"),
        "glmm.estimated": _percent(float(_column(both, "glmm_estimated").mean())),
        "rare.covered": _percent(float(_column(rare, "covered").mean())),
        "rare.bias": _points(float(_column(rare, "estimate").mean()) - truth),
        "rare.glmm_bias": _points(float(_column(rare, "glmm_estimate").mean()) - truth),
        "rare.glmm": _percent(float(_column(rare, "glmm_covered").mean())),
    }
