"""The numbers that the written rules name, declared a second time, and the constants' entries.

Constants are of two kinds: the book's own choices (methods chapter), which stand here, and those
of published sources, which stand in data/constants.csv.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.faults import Fault
from checks.ledger import REBUILD, Number

if TYPE_CHECKING:
    from checks.rows import Data

FAMILY = "const"

LEVEL = 0.95
CORRECTION = 0.5
EARLY_MONTHS = 6
TARGET_MONTHS = 3
POOL_STUDIES = 2
PREDICTION_STUDIES = 3
HALF = 0.5
FEW_PATIENTS = 50
EXTREME_LOW, EXTREME_HIGH = 0.1, 0.9
REGRESSION_STUDIES = 10
LEVEL_STUDIES = 2
REGRESSION_YEARS = 10
INFLUENCE_STUDIES = 3
CLOUDS_STUDIES = 5
CLOUDS_APART = 0.9
SUBSETS_MIDDLE = 0.9
ALL_SUBSETS = 20
SAMPLED_SUBSETS = 65536
CELL_RATE, CELL_I2 = 0.01, 0.05
#: Months of the visits at which rescue studies are laid beside one another, by basis.
VISITS = {"rescue_month_3": 3, "rescue_month_6": 6, "rescue_month_12": 12}
VISIT_TOLERANCE = 1
NARROWED = 0.5
LARGEST_STUDY = 10_000
MOST_STUDIES = 100
LARGEST_N = 200
COVERAGE_FLOOR = 0.9

_REFERENCE = re.compile(r"\b[a-z]+[0-9]{4}[a-z0-9]*\b")


@dataclass(frozen=True)
class Constant:
    """Value and unit as in the ledger; source is blank where any words will do."""

    value: float
    unit: str
    source: str = ""


#: The book's own choices by ledger key, in the order in which the book lists them.
WRITTEN = {
    f"{FAMILY}.{name}": Constant(value, unit)
    for name, value, unit in (
        ("level", LEVEL, "percent_whole"),
        ("correction", CORRECTION, "plain"),
        ("early_months", EARLY_MONTHS, "months"),
        ("target_months", TARGET_MONTHS, "months"),
        ("pool_studies", POOL_STUDIES, "count"),
        ("prediction_studies", PREDICTION_STUDIES, "count"),
        ("half", HALF, "percent_whole"),
        ("per_100_centres", 1, "per_100"),
        ("rate_floor", 0, "plain"),
        ("rate_ceiling", 1, "plain"),
        ("few_patients", FEW_PATIENTS, "count"),
        ("extreme_low", EXTREME_LOW, "percent_whole"),
        ("extreme_high", EXTREME_HIGH, "percent_whole"),
        ("trust_patients", 100, "count"),
        ("trust_ci_points", 0.3, "per_100"),
        ("trust_pi_points", 0.5, "per_100"),
        ("trust_retrospective", 0.5, "percent_whole"),
        ("grim_always_fits", 100, "count"),
        ("grim_each_decimal", 10, "count"),
        ("regression_studies", REGRESSION_STUDIES, "count"),
        ("level_studies", LEVEL_STUDIES, "count"),
        ("regression_years", REGRESSION_YEARS, "plain"),
        ("influence_studies", INFLUENCE_STUDIES, "count"),
        ("clouds_studies", CLOUDS_STUDIES, "count"),
        ("clouds_apart", CLOUDS_APART, "percent_whole"),
        ("subsets_middle", SUBSETS_MIDDLE, "percent_whole"),
        ("all_subsets", ALL_SUBSETS, "count"),
        ("sampled_subsets", SAMPLED_SUBSETS, "count"),
        ("cell_rate", CELL_RATE, "per_100"),
        ("cell_i2", CELL_I2, "per_100"),
        ("per_100_patients", 1, "per_100"),
        ("visit_first", VISITS["rescue_month_3"], "months"),
        ("visit_second", VISITS["rescue_month_6"], "months"),
        ("visit_third", VISITS["rescue_month_12"], "months"),
        ("visit_tolerance", VISIT_TOLERANCE, "months"),
        ("narrowed", NARROWED, "percent_whole"),
        ("largest_study", LARGEST_STUDY, "count"),
        ("most_studies", MOST_STUDIES, "count"),
        ("largest_n", LARGEST_N, "count"),
        ("coverage_floor", COVERAGE_FLOOR, "percent_whole"),
    )
}


def in_order(data: Data) -> list[tuple[str, str]]:
    """Return each constant's key as the book lists them, with where its source is quoted from.

    The book's own choices come first and quote nothing.
    """
    return [(key, "") for key in WRITTEN] + [
        (f"{FAMILY}.{name}", f"constants#{name}#source") for name in data.constants
    ]


def compare(
    numbers: Mapping[str, Number], published: Mapping[str, Constant], references: Collection[str]
) -> list[Fault]:
    """The faults of the ledger's constants.

    published: the lines of constants.csv by name; references: the keys of references.bib.
    """
    expected = WRITTEN | {f"{FAMILY}.{name}": constant for name, constant in published.items()}
    found = {key: n for key, n in numbers.items() if key.split(".", 1)[0] == FAMILY}
    faults = [
        Fault("value", f"numbers.json {key}", "no such key", f"{expected[key].value:g}", REBUILD)
        for key in expected
        if key not in found
    ]
    for key, number in found.items():
        if key in expected:
            faults += _differences(number, expected[key])
        else:
            wanted = "a choice that the checks know, or a constant of data/constants.csv"
            remedy = "enter it in data/constants.csv with its source, or in checks/constants.py"
            faults.append(Fault("value", f"numbers.json {key}", "an unknown key", wanted, remedy))
        for name in _REFERENCE.findall(number.source):
            if name not in references:
                place, wanted = f"numbers.json {key}, source", "a key of data/references.bib"
                faults.append(Fault("value", place, name, wanted, "correct the source, or add it"))
    return faults


def _differences(number: Number, expected: Constant) -> list[Fault]:
    place = f"numbers.json {number.key}"
    faults = [
        Fault("value", place, f"{name} {found!r}", f"{wanted!r} by the written rules", REBUILD)
        for name, found, wanted in (
            ("value", number.value, expected.value),
            ("unit", number.unit, expected.unit),
        )
        if found != wanted
    ]
    if not number.source or expected.source not in ("", number.source):
        wanted = f'"{expected.source}"' if expected.source else "words that say where it comes from"
        faults.append(Fault("value", place, f'source "{number.source}"', wanted, REBUILD))
    return faults
