"""The choices of this book and the constants of published sources."""

from __future__ import annotations

import pandas as pd

from analysis import (
    denominators,
    differences,
    grim,
    influence,
    outlook,
    proportions,
    selection,
    simulation,
    subsets,
    trust,
)
from analysis.ledger import Entry, entry
from analysis.pooling import EXTREME_RATES, FEW_PATIENTS, HALF, POOL_MIN_K, PREDICTION_MIN_K

METHODS = "this book's choice, see the methods chapter"
#: The choices of this book; constants of published sources are in data/constants.csv.
CHOICES = (
    entry("const.level", proportions.LEVEL, "percent_whole", source=METHODS),
    entry("const.correction", proportions.CORRECTION, "plain", source=METHODS),
    entry("const.early_months", selection.EARLY_MONTHS, "months", source=METHODS),
    entry("const.target_months", selection.TARGET_MONTHS, "months", source=METHODS),
    entry("const.pool_studies", POOL_MIN_K, "count", source=METHODS),
    entry("const.prediction_studies", PREDICTION_MIN_K, "count", source=METHODS),
    entry("const.half", HALF, "percent_whole", source=METHODS),
    entry("const.per_100_centres", 1.0, "per_100", source="scale of the sentence"),
    entry("const.rate_floor", 0, "plain", source="lowest value of a rate"),
    entry("const.rate_ceiling", 1, "plain", source="highest value of a rate"),
    entry("const.few_patients", FEW_PATIENTS, "count", source=METHODS),
    entry("const.extreme_low", EXTREME_RATES[0], "percent_whole", source=METHODS),
    entry("const.extreme_high", EXTREME_RATES[1], "percent_whole", source=METHODS),
    entry("const.trust_patients", trust.FEW_PATIENTS, "count", source=METHODS),
    entry("const.trust_ci_points", trust.WIDE_INTERVAL, "per_100", source=METHODS),
    entry("const.trust_pi_points", trust.WIDE_PREDICTION, "per_100", source=METHODS),
    entry("const.trust_retrospective", trust.MOSTLY, "percent_whole", source=METHODS),
    entry("const.grim_always_fits", grim.ALWAYS_FITS, "count", source="arithmetic of percentages"),
    entry(
        "const.grim_each_decimal", grim.EACH_DECIMAL, "count", source="arithmetic of percentages"
    ),
    entry("const.regression_studies", differences.MIN_STUDIES, "count", source=METHODS),
    entry("const.level_studies", differences.MIN_LEVEL, "count", source=METHODS),
    entry("const.regression_years", differences.YEARS, "plain", source=METHODS),
    entry("const.influence_studies", influence.INFLUENCE_MIN_K, "count", source=METHODS),
    entry("const.clouds_studies", influence.CLOUDS_MIN_K, "count", source=METHODS),
    entry("const.clouds_apart", influence.APART, "percent_whole", source=METHODS),
    entry("const.subsets_middle", influence.MIDDLE, "percent_whole", source=METHODS),
    entry("const.all_subsets", subsets.MOST_STUDIES, "count", source=METHODS),
    entry("const.sampled_subsets", subsets.SAMPLE, "count", source=METHODS),
    entry("const.cell_rate", influence.RATE_STEP, "per_100", source=METHODS),
    entry("const.cell_i2", influence.I2_STEP, "per_100", source=METHODS),
    entry("const.per_100_patients", 1.0, "per_100", source="scale of the sentence"),
    *(
        entry(f"const.visit_{place}", month, "months", source=METHODS)
        for place, month in zip(
            ("first", "second", "third"), selection.VISITS.values(), strict=True
        )
    ),
    entry("const.visit_tolerance", selection.VISIT_TOLERANCE, "months", source=METHODS),
    entry("const.narrowed", outlook.SHARE, "percent_whole", source=METHODS),
    entry("const.largest_study", outlook.LARGEST_STUDY, "count", source=METHODS),
    entry("const.most_studies", outlook.MOST_STUDIES, "count", source=METHODS),
    entry("const.largest_n", denominators.LARGEST_N, "count", source=METHODS),
    entry("const.coverage_floor", simulation.FLOOR, "percent_whole", source=METHODS),
)


def constant_entries(constants: pd.DataFrame) -> list[Entry]:
    """The constants of published sources, each with its source."""
    return [
        entry(
            f"const.{row.constant}",
            int(row.value) if row.unit == "count" else float(row.value),
            row.unit,
            source=row.source,
        )
        for row in constants.itertuples()
    ]
