"""The numbers of each pool and of the studies in it."""

from __future__ import annotations

from analysis.ledger import CI, STATE_WORDS, Entry, entry, interval_entries
from analysis.pooling import Pool
from analysis.proportions import exact_interval
from analysis.selection import Members


def pool_entries(members: Members, pool: Pool) -> list[Entry]:
    """Numbers of one pool and of its studies; keys exist only where the state allows them."""
    prefix, rows = members.prefix, members.rows
    entries = [
        Entry(f"{prefix}.state", pool.state.value, STATE_WORDS[pool.state], "state", rows),
        entry(f"{prefix}.k", pool.k, "count", rows),
        entry(f"{prefix}.events", pool.events, "count", rows),
        entry(f"{prefix}.n", pool.n, "count", rows),
    ]
    if pool.summary:
        entries += interval_entries(prefix, pool.summary, rows, CI)
    if pool.prediction:
        entries += interval_entries(prefix, pool.prediction, rows, ("pi_low", "", "pi_high"))
    if pool.p_above_half is not None:
        entries.append(entry(f"{prefix}.p_above_50", pool.p_above_half, "per_100", rows))
    if pool.heterogeneity:
        spread = pool.heterogeneity
        for stat in ("tau2", "tau2_low", "tau2_high", "q"):
            entries.append(entry(f"{prefix}.{stat}", getattr(spread, stat), "number", rows))
        entries.append(entry(f"{prefix}.i2", spread.i2, "percent_whole", rows))
    if pool.glmm and pool.glmm.summary:
        names = ("glmm_ci_low", "glmm_estimate", "glmm_ci_high")
        entries += interval_entries(prefix, pool.glmm.summary, rows, names)
        entries.append(entry(f"{prefix}.glmm_tau2", pool.glmm.tau2 or 0.0, "number", rows))
    for place, study in enumerate(members.studies):
        of_study = f"{prefix}.study.{study.study_id}"
        entries.append(entry(f"{of_study}.events", study.events, "count", study.rows))
        entries.append(entry(f"{of_study}.n", study.n, "count", study.rows))
        exact = exact_interval(study.events, study.n)
        entries += interval_entries(of_study, exact, study.rows, CI)
        if pool.weights:
            entries.append(entry(f"{of_study}.weight", pool.weights[place], "percent", rows))
    return entries
