"""Published pools beside the pools of this book: which belong together, and what differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from checks.rows import POOL_OUTCOMES, Data, Entry, class_slug, select

_THRESHOLD = re.compile(r"\bplatelets (?:above )?(\d+)")


@dataclass(frozen=True, eq=False)
class Published:
    """A line of published_pools.csv; ours is the prefix of the pool beside it, blank for none."""

    name: str
    cells: Mapping[str, str]
    ours: str
    absent: str

    @property
    def key(self) -> str:
        """The ledger key of this line, up to the statistic."""
        return f"published.{self.name}"

    @property
    def limits(self) -> tuple[float, float] | None:
        """The interval in per cent, None where none is printed."""
        low, high = self.cells["ci_low"], self.cells["ci_high"]
        return (float(low), float(high)) if low and high else None

    def address(self, column: str) -> str:
        """Where the words of a column stand."""
        return f"published#{self.name}#{column}"


def names(records: Sequence[Mapping[str, str]]) -> list[str]:
    """The name of each line: SOURCE_YEAR.THERAPY.OUTCOME, if need be ~POPULATION_DEFINITION."""
    short = [
        f"{class_slug(r['source'])}_{r['year']}.{r['therapy']}.{r['outcome']}" for r in records
    ]
    several = Counter(short)
    return [
        name
        if several[name] == 1
        else f"{name}~{class_slug(r['population'] + ' ' + r['definition'])}"
        for name, r in zip(short, records, strict=True)
    ]


@lru_cache(maxsize=4)
def published(data: Data) -> tuple[Published, ...]:
    """All lines by therapy, outcome, year and name; those without a counterpart come last."""
    pools = select(data)
    found = []
    for name, cells in zip(names(data.published), data.published, strict=True):
        therapy, outcome = cells["therapy"], cells["outcome"]
        if outcome == "durable_response":
            outcome += "_on" if data.modes[therapy] == "continuous" else "_off"
        absent = ""
        if cells["population"] == "child":
            absent = "children"
        elif outcome not in POOL_OUTCOMES:
            absent = "not_pooled"
        elif not pools[f"pool.{therapy}.{outcome}"]:
            absent = "no_pool"
        ours = "" if absent else f"pool.{therapy}.{outcome}"
        found.append(Published(name, cells, ours, absent))

    def order(one: Published) -> tuple[str, int, int, str]:
        label = data.labels[one.cells["therapy"]].lower()
        outcome = one.ours.rpartition(".")[2]
        place = POOL_OUTCOMES.index(outcome) if outcome else len(POOL_OUTCOMES)
        return label, place, int(one.cells["year"]), one.name

    return tuple(sorted(found, key=order))


def entries(data: Data, one: Published) -> tuple[Entry, ...]:
    """The studies of the pool beside a line."""
    return select(data)[one.ours]


def threshold(one: Published) -> float | None:
    """The platelet count that the definition names."""
    found = _THRESHOLD.search(one.cells["definition"])
    return float(found[1]) if found else None


def unlike(data: Data, one: Published) -> dict[str, int]:
    """How many of our studies use the same threshold, appeared later, or are of mixed ages."""
    studies = [data.studies[entry.study_id] for entry in entries(data, one)]
    adults = one.cells["population"] == "adult"
    counts = {
        "later": sum(study.year > int(one.cells["year"]) for study in studies),
        "mixed_ages": sum(adults and study.cells["population"] == "mixed" for study in studies),
    }
    wanted = threshold(one)
    if wanted is not None:
        thresholds = {row.address: row.threshold for row in data.rows}
        used = [thresholds[min(entry.rows)] for entry in entries(data, one)]
        counts["same_threshold"] = sum(found == wanted for found in used)
    return counts
