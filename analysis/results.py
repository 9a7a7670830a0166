"""All results of one state of the data, worked out once for each build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis import (
    agreement,
    audit,
    denominators,
    influence,
    jobs,
    multiverse,
    outlook,
    selection,
)
from analysis.agreement import Comparison
from analysis.audit import Audit
from analysis.comparisons import Comparisons, compare_all
from analysis.denominators import Bounds
from analysis.differences import Differences, examine
from analysis.estimators import two_step
from analysis.evidence import Evidence
from analysis.glmm import Glmm
from analysis.influence import Influence
from analysis.multiverse import Counts, Grid, Multiverse
from analysis.outlook import Outlook
from analysis.pooling import POOL_MIN_K, Pool, pool
from analysis.selection import Members, Selection

#: The therapy that the book puts in context.
FOCUS = "sirolimus"


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the ledger is made from.

    evidence, selection, pools (by prefix); multiverse: every analysis of the therapies' pools;
    influence: of single studies; comparisons: with control groups; differences: why studies differ;
    audit: of the sources; agreement: beside other reviews; outlooks: what a next study would
    change, of pools of the focus by prefix; bounds: of percentages without a denominator. `trials`
    is the last recorded attack on the check, as checks/mutations.json has it; `records` holds what
    else was measured once and recorded, by name.
    """

    evidence: Evidence
    selection: Selection
    pools: dict[str, Pool]
    multiverse: dict[str, Multiverse]
    influence: dict[str, Influence]
    comparisons: Comparisons
    differences: Differences
    audit: Audit
    agreement: tuple[Comparison, ...]
    outlooks: dict[str, Outlook]
    bounds: tuple[Bounds, ...]
    trials: dict[str, Any]
    records: dict[str, Any]


def work_out(
    evidence: Evidence,
    trials: dict[str, Any],
    records: dict[str, Any],
    progress: Callable[[str], None] = lambda message: None,
) -> Results:
    """Select, pool, and ask of the pools whatever the book says of them."""
    progress(f"selecting from {len(evidence.outcomes)} rows of {len(evidence.studies)} studies")
    chosen = selection.select(evidence)
    progress(f"pooling {sum(len(m.studies) > 1 for m in chosen.members.values())} pools")
    grids = multiverse.grids(evidence, chosen)
    glmms = fit_all(chosen, grids)
    pools = pool_all(chosen, glmms)
    explored = explore_all(grids, glmms)
    progress("leaving studies out")
    influences = influence.examine(chosen.members)
    progress("comparing with control groups")
    comparisons = compare_all(chosen, evidence)
    progress("asking why studies differ")
    differences = examine(chosen.members)
    progress("holding the sources against themselves and against other reviews")
    return Results(
        evidence=evidence,
        selection=chosen,
        pools=pools,
        multiverse=explored,
        influence=influences,
        comparisons=comparisons,
        differences=differences,
        audit=audit.audit(evidence, chosen.rows),
        agreement=agreement.compare(evidence, chosen.members, pools),
        outlooks=outlook.outlooks(chosen, FOCUS),
        bounds=denominators.bounds(chosen, evidence.printed_percent),
        trials=trials,
        records=records,
    )


def counts_of(members: Members) -> Counts:
    """Events and n of the studies of a pool."""
    return tuple(s.events for s in members.studies), tuple(s.n for s in members.studies)


def fit_all(chosen: Selection, grids: dict[str, Grid]) -> dict[Counts, Glmm]:
    """The binomial-normal model of every pool and sample of two studies or more, by its counts."""
    pooled = [counts_of(members) for members in chosen.members.values()]
    pooled += [sample.counts for grid in grids.values() for sample in grid.samples]
    several = [counts for counts in dict.fromkeys(pooled) if len(counts[0]) >= POOL_MIN_K]
    fits = jobs.run(multiverse.exact, several, "analysis: binomial-normal models")
    return {
        counts: Glmm(multiverse.as_interval(limits), *others)
        for counts, (limits, *others) in zip(several, fits, strict=True)
    }


def explore_all(grids: dict[str, Grid], glmms: dict[Counts, Glmm]) -> dict[str, Multiverse]:
    """Every analysis of the therapies' pools."""
    samples = dict.fromkeys(sample.counts for grid in grids.values() for sample in grid.samples)
    several = [counts for counts in samples if len(counts[0]) >= POOL_MIN_K]
    found = jobs.run(two_step, several, "analysis: pools in every way")
    exact = {counts: fit.summary for counts, fit in glmms.items()}
    return multiverse.explore(grids, dict(zip(several, found, strict=True)), exact)


def pool_all(chosen: Selection, glmms: dict[Counts, Glmm]) -> dict[str, Pool]:
    """Every pool by prefix; pools with the same studies and counts are computed once."""
    done: dict[Counts, Pool] = {}
    pools = {}
    for prefix, members in chosen.members.items():
        counts = counts_of(members)
        if counts not in done:
            done[counts] = pool(*counts, glmms.get(counts))
        pools[prefix] = done[counts]
    return pools
