"""The numbers of what single studies do to a pool."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.influence import Influence, Refit, Scatter
from analysis.ledger import CI, Entry, entry, interval_entries
from analysis.pooling import Pool
from analysis.selection import Members


def without_key(prefix: str, study_id: str) -> str:
    """Key prefix of a pool without one of its studies."""
    return f"loo.{prefix}.without.{study_id}"


def through_key(prefix: str, study_id: str) -> str:
    """Key prefix of the pool of a study and all before it."""
    return f"cumulative.{prefix}.through.{study_id}"


def scatter_key(prefix: str) -> str:
    """Key prefix of the pools of all subsets of a pool's studies."""
    return f"gosh.{prefix}"


def influence_entries(
    members: Mapping[str, Members], pools: Mapping[str, Pool], found: Mapping[str, Influence]
) -> list[Entry]:
    """Every number of the influence of studies, by the prefix of their pool."""
    entries = []
    for prefix, influence in found.items():
        studies, whole = members[prefix].studies, pools[prefix].summary
        assert whole
        for place, study in enumerate(studies):
            others = (*studies[:place], *studies[place + 1 :])
            rows = tuple(address for other in others for address in other.rows)
            key, fit = without_key(prefix, study.study_id), influence.without[place]
            entries += _refit_entries(key, fit, rows)
            change = fit.summary.estimate - whole.estimate
            entries.append(entry(f"{key}.change", change, "points", members[prefix].rows))
            rows = tuple(address for one in studies[: place + 1] for address in one.rows)
            key, fit = through_key(prefix, study.study_id), influence.through[place]
            entries += _refit_entries(key, fit, rows)
        entries += _scatter_entries(scatter_key(prefix), influence.scatter, members[prefix].rows)
    return entries


def _refit_entries(key: str, fit: Refit, rows: tuple[str, ...]) -> list[Entry]:
    entries = interval_entries(key, fit.summary, rows, CI)
    if fit.tau2 is not None and fit.i2 is not None:
        entries.append(entry(f"{key}.tau2", fit.tau2, "number", rows))
        entries.append(entry(f"{key}.i2", fit.i2, "percent_whole", rows))
    return entries


def _scatter_entries(key: str, scatter: Scatter, rows: tuple[str, ...]) -> list[Entry]:
    entries = [
        entry(f"{key}.subsets", scatter.count, "count", rows),
        entry(f"{key}.median", scatter.median, "percent", rows),
        entry(f"{key}.low", scatter.low, "percent", rows),
        entry(f"{key}.high", scatter.high, "percent", rows),
        entry(f"{key}.above_half", scatter.above_half, "percent_whole", rows),
        entry(f"{key}.separation", scatter.separation, "percent_whole", rows),
        entry(f"{key}.i2_above", scatter.i2_above, "percent_whole", rows),
        entry(f"{key}.shift", scatter.shift, "points", rows),
    ]
    for name, side in (("with", scatter.inside), ("without", scatter.outside)):
        entries.append(entry(f"{key}.{name}.subsets", side.count, "count", rows))
        entries.append(entry(f"{key}.{name}.median", side.rate, "percent", rows))
        entries.append(entry(f"{key}.{name}.i2", side.i2, "percent_whole", rows))
    return entries
