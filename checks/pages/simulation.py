"""What the methods chapter shows of the simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.values.simulation import PRINTED_RATES, STUDIES

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


def words(say: Phrases) -> object:
    """The phrases and the table of analysis/pages/simulation.py."""
    return Words(say)


class Words:
    """The functions that the chapter calls, by their names."""

    def __init__(self, say: Phrases) -> None:
        self._say = say

    def _keys(self, *stats: str) -> str:
        return "".join(
            self._say.num(stat if stat.startswith("const.") else f"simulation.{stat}")
            for stat in stats
        )

    def design(self) -> str:
        return self._keys(
            "studies.2", "studies.20", "rate.5", "rate.95", "tau2.0", "tau2.2", "scenarios",
            "datasets", "size.median", "size.least", "size.most", "glmm.scenarios", "tau2.0.5",
            "glmm.datasets",
        )  # fmt: skip

    def findings(self) -> str:
        return self._keys(
            "rate.30", "rate.50", "rate.70", "middle.lowest", "middle.highest",
            "below", "const.coverage_floor", "below.outer", "const.extreme_low",
            "const.extreme_high", "worst.covered", "worst.k", "worst.rate", "worst.tau2",
            "studies.10", "studies.20", "rate.5", "rare.bias", "rare.covered", "rare.glmm_bias",
            "rare.glmm", "glmm.lowest", "glmm.lowest.k", "glmm.estimated",
            "bias", "bias.tau2",
            "studies.2", "rate.50", "tau2.0.5", "k_2.rate_50.width", "k_10.rate_50.width",
            "studies.10",
            "const.level", "prediction.lowest", "prediction.highest",
        )  # fmt: skip

    def table(self) -> str:
        stats = ("covered", "plain", "wald", "glmm", "prediction", "width", "glmm_width")
        rows = [
            [
                self._keys(f"rate.{rate}"),
                self._keys(f"studies.{k}"),
                *(
                    ""
                    if (stat, k) == ("prediction", 2)
                    else self._keys(f"k_{k}.rate_{rate}.{stat}")
                    for stat in stats
                ),
            ]
            for rate in PRINTED_RATES
            for k in STUDIES
        ]
        headers = ["Median rate", "Studies", "This book", "Knapp-Hartung", "Wald"]
        headers += ["Binomial-normal", "Prediction", "Width", "Width, binomial-normal"]
        return self._say.table(headers, rows)
