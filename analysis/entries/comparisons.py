"""The numbers of the randomised comparisons, and of placebo by itself.

`contrast.` has counts and the rates of both sides, `difference.` and `ratio.` the effects, each
followed by the prefix of the pool of all evidence; `background.` has placebo by what was counted.
"""

from __future__ import annotations

from analysis.comparisons import Comparison, Comparisons, Effects, Limits
from analysis.entries.pools import pool_entries
from analysis.ledger import CI, STATE_WORDS, Entry, entry, interval_entries


def comparison_entries(comparisons: Comparisons) -> list[Entry]:
    """Every number of every comparison and of the background."""
    entries = []
    for comparison in comparisons.by_prefix.values():
        entries += _counts(comparison)
        entries += _effects(comparison, "difference", "points", comparison.difference)
        entries += _effects(comparison, "ratio", "ratio", comparison.ratio)
        if comparison.difference.summary:
            key = f"difference.{comparison.prefix}.per_100"
            more = abs(comparison.difference.summary.estimate)
            entries.append(entry(key, more, "per_100", comparison.rows))
        i2 = comparison.difference.i2
        if i2 is not None:
            key = f"difference.{comparison.prefix}.i2"
            entries.append(entry(key, i2, "percent_whole", comparison.rows))
    for background in comparisons.background.values():
        entries += pool_entries(background.members, background.pool)
    return entries


def _counts(comparison: Comparison) -> list[Entry]:
    """Trials, both sides' counts and pooled rates; of each trial its counts."""
    prefix, rows = f"contrast.{comparison.prefix}", comparison.rows
    treated, against = comparison.treated, comparison.against
    entries = [entry(f"{prefix}.k", len(comparison.contrasts), "count", rows)]
    for side, pool, arms in (
        ("treated", treated, [c.treated for c in comparison.contrasts]),
        ("control", against, [c.against for c in comparison.contrasts]),
    ):
        own = tuple(address for arm in arms for address in arm.rows)
        entries.append(entry(f"{prefix}.{side}_events", pool.events, "count", own))
        entries.append(entry(f"{prefix}.{side}_n", pool.n, "count", own))
        if pool.summary:
            entries += interval_entries(f"{prefix}.{side}", pool.summary, own, CI)
        if comparison.members.basis != "pool":
            continue  # the trials of a class stand with their therapies
        for contrast, arm in zip(comparison.contrasts, arms, strict=True):
            of_trial = f"{prefix}.study.{contrast.study_id}"
            entries.append(entry(f"{of_trial}.{side}_events", arm.events, "count", arm.rows))
            entries.append(entry(f"{of_trial}.{side}_n", arm.n, "count", arm.rows))
    return entries


def _effects(comparison: Comparison, family: str, unit: str, effects: Effects) -> list[Entry]:
    """One effect of one comparison, and of each of its trials that has it."""
    prefix, rows = f"{family}.{comparison.prefix}", comparison.rows
    words = STATE_WORDS[effects.state]
    entries = [Entry(f"{prefix}.state", effects.state.value, words, "state", rows)]
    if effects.summary:
        entries += _limits(prefix, effects.summary, unit, rows)
    if effects.prediction:
        for stat, value in zip(("pi_low", "pi_high"), effects.prediction, strict=True):
            entries.append(entry(f"{prefix}.{stat}", value, unit, rows))
    if comparison.members.basis != "pool":
        return entries
    for contrast, limits, weight in zip(
        comparison.contrasts, effects.single, effects.weights, strict=True
    ):
        of_trial = f"{prefix}.study.{contrast.study_id}"
        if limits:
            entries += _limits(of_trial, limits, unit, contrast.rows)
        if weight is not None:
            entries.append(entry(f"{of_trial}.weight", weight, "percent", rows))
    return entries


def _limits(prefix: str, limits: Limits, unit: str, rows: tuple[str, ...]) -> list[Entry]:
    return [
        entry(f"{prefix}.{stat}", value, unit, rows) for stat, value in zip(CI, limits, strict=True)
    ]
