"""What the analysis costs, as the last recorded run of `nox -s bench` has it."""

from __future__ import annotations

import math
from typing import Any

from analysis.ledger import Entry, entry

#: The sizes of the evidence that are measured, by factor, and what they are called in keys.
SIZES = {1: "shipped", 10: "ten", 100: "hundred"}


def cost_entries(record: dict[str, Any]) -> list[Entry]:
    """Seconds and memory (MiB) from data to ledger at each size, and of all subsets (GOSH)."""
    found = [
        entry("speed.cores", record["cores"], "count"),
        entry("speed.again.seconds", record["again"], "plain"),
    ]
    first = record["growth"][0]
    for size in record["growth"]:
        prefix = f"cost.{SIZES[size['factor']]}"
        found += [
            entry(f"{prefix}.factor", size["factor"], "count"),
            entry(f"{prefix}.studies", size["studies"], "count"),
            entry(f"{prefix}.seconds", size["seconds"], "plain"),
            entry(f"{prefix}.mebibytes", size["mebibytes"], "count"),
            entry(f"{prefix}.times", round(size["seconds"] / first["seconds"], 1), "plain"),
        ]
    gosh = record["gosh"]
    found += [
        entry("speed.gosh.studies", gosh["studies"], "count"),
        entry("speed.gosh.subsets", gosh["subsets"], "count"),
        entry("speed.gosh.metafor_subsets", gosh["metafor_subsets"], "count"),
        entry("speed.gosh.places", exact_places(gosh["REML"]["worst"]), "count"),
    ]
    for method in ("DL", "REML"):
        prefix = f"speed.gosh.{method.lower()}"
        found += [
            entry(f"{prefix}.seconds", gosh[method]["seconds"], "plain"),
            entry(f"{prefix}.mebibytes", gosh[method]["mebibytes"], "count"),
            entry(f"{prefix}.ratio", gosh[method]["ratio"], "count"),
        ]
    return found


def exact_places(distance: float) -> int:
    """Decimal places to which a number within this distance of another is the same."""
    return math.floor(-math.log10(distance))
