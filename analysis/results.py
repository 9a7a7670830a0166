"""All results of one state of the data, worked out once for each build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis import agreement, audit, denominators, influence, outlook, selection
from analysis.agreement import Comparison
from analysis.audit import Audit
from analysis.comparisons import Comparisons, compare_all
from analysis.denominators import Bounds
from analysis.differences import Differences, examine
from analysis.evidence import Evidence
from analysis.influence import Influence
from analysis.outlook import Outlook
from analysis.pooling import Pool, pool
from analysis.selection import Selection

#: The therapy that the book puts in context.
FOCUS = "sirolimus"


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the ledger is made from.

    evidence, selection, pools (by prefix); influence: of single studies, by prefix; comparisons:
    with control groups; differences: why studies differ; audit: of the sources; agreement: beside
    other reviews; outlooks: what a next study would change, of pools of the focus by prefix;
    bounds: of percentages without a denominator. `trials` is the last recorded attack on the check,
    as checks/mutations.json has it; `records` holds what else was measured once and recorded, by
    name.
    """

    evidence: Evidence
    selection: Selection
    pools: dict[str, Pool]
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
    pools = pool_all(chosen)
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


def pool_all(chosen: Selection) -> dict[str, Pool]:
    """Every pool by prefix; pools with the same studies and counts are computed once."""
    done: dict[tuple[tuple[int, int], ...], Pool] = {}
    pools = {}
    for prefix, members in chosen.members.items():
        counts = tuple((study.events, study.n) for study in members.studies)
        if counts not in done:
            done[counts] = pool([e for e, _ in counts], [n for _, n in counts])
        pools[prefix] = done[counts]
    return pools
