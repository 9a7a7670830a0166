"""What the analysis costs, from the record of the last measurement (analysis/records/cost.json)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from checks.expected import Expected
from checks.rows import Data

FAMILIES = ("cost", "speed")
#: What the sizes of the evidence are called in keys.
SIZES = {1: "shipped", 10: "ten", 100: "hundred"}


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """What each key must be worth."""
    record = records["cost"]
    found = {
        "speed.cores": Expected(record["cores"], "count"),
        "speed.again.seconds": Expected(record["again"], "plain"),
    }
    shipped = next(size for size in record["growth"] if size["factor"] == 1)
    for size in record["growth"]:
        prefix = f"cost.{SIZES[size['factor']]}"
        for stat in ("factor", "studies", "mebibytes"):
            found[f"{prefix}.{stat}"] = Expected(size[stat], "count")
        found[f"{prefix}.seconds"] = Expected(size["seconds"], "plain")
        times = Fraction(str(size["seconds"])) / Fraction(str(shipped["seconds"]))
        # Rounded to one decimal; a tie may go either way.
        found[f"{prefix}.times"] = Expected(float(round(times, 1)), "plain", 0.1000001)
    gosh = record["gosh"]
    for stat in ("studies", "subsets", "metafor_subsets"):
        found[f"speed.gosh.{stat}"] = Expected(gosh[stat], "count")
    places = 0
    while gosh["REML"]["worst"] <= 10.0 ** -(places + 1):
        places += 1
    found["speed.gosh.places"] = Expected(places, "count")
    for method in ("DL", "REML"):
        prefix = f"speed.gosh.{method.lower()}"
        found[f"{prefix}.seconds"] = Expected(gosh[method]["seconds"], "plain")
        found[f"{prefix}.mebibytes"] = Expected(gosh[method]["mebibytes"], "count")
        found[f"{prefix}.ratio"] = Expected(gosh[method]["ratio"], "count")
    return found
