"""What limits trust in a pool, in words, by declared rules rather than by impression."""

from __future__ import annotations

from analysis.pooling import Pool, State
from analysis.selection import Members

FEW_PATIENTS = 100
#: Width of the confidence and of the prediction interval, as fractions of the 0-1 scale.
WIDE_INTERVAL = 0.30
WIDE_PREDICTION = 0.50
MOSTLY = 0.50
RETROSPECTIVE = ("retrospective_cohort", "case_series")


def limits(members: Members, pool: Pool) -> list[str]:
    """The limits that hold for this pool, most basic first; empty where none of the rules holds."""
    if pool.summary is None:
        return ["no study"]
    found = []
    if pool.state is State.SINGLE_STUDY:
        found.append("single study")
    if pool.state is State.TWO_STUDIES:
        found.append("two studies")
    if pool.n < FEW_PATIENTS:
        found.append("few patients")
    if pool.summary.high - pool.summary.low > WIDE_INTERVAL:
        found.append("wide interval")
    if pool.prediction and pool.prediction.high - pool.prediction.low > WIDE_PREDICTION:
        found.append("centres differ")
    retrospective = sum(study.n for study in members.studies if study.design in RETROSPECTIVE)
    if retrospective > MOSTLY * pool.n:
        found.append("mostly retrospective")
    if len({(study.platelet_threshold, study.window) for study in members.studies}) > 1:
        found.append("definitions differ")
    if pool.models_may_part:
        found.append("models may part")
    return found
