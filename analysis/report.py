"""The report: one frozen object with everything that the book says, made once for each build."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import agreement, entries, evidence, jobs, multiverse, provenance, selection
from analysis import audit as sources
from analysis.agreement import Comparison
from analysis.audit import Audit
from analysis.estimators import two_step
from analysis.evidence import Evidence
from analysis.glmm import Glmm
from analysis.ledger import Ledger
from analysis.multiverse import Counts, Grid, Multiverse
from analysis.plots.alttext import Drawn
from analysis.pooling import POOL_MIN_K, Pool, pool
from analysis.selection import Members, Selection

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
REPORT = ROOT / "_report"
FIGURES = ROOT / "figures"
MUTATIONS = ROOT / "checks" / "mutations.json"
RECORDS = ROOT / "analysis" / "records"

#: The therapy that the book puts in context.
FOCUS = "sirolimus"


@dataclass(frozen=True)
class Report:
    """Evidence, selection, pools (by prefix) and ledger of one state of the data.

    `build` says what the book is made from, as build.json does; `trials` is the last recorded
    attack on the check; `records` holds what else was measured once and recorded, by name;
    `multiverse` has every analysis of the therapies' pools, by prefix.
    """

    evidence: Evidence
    selection: Selection
    pools: dict[str, Pool]
    ledger: Ledger
    build: dict[str, Any]
    trials: dict[str, Any]
    records: dict[str, Any]
    audit: Audit
    comparisons: tuple[Comparison, ...]
    multiverse: dict[str, Multiverse]
    figures: dict[str, Drawn] = field(default_factory=dict)

    def members(self, prefix: str) -> Members:
        """The studies of the pool with this prefix."""
        return self.selection.members[prefix]

    def prefixes(self, basis: str, outcome: str, min_k: int = 1) -> list[str]:
        """Pools of a basis and outcome with at least min_k studies, by the unit's label."""
        found = [
            members
            for members in self.selection.members.values()
            if members.basis == basis
            and members.outcome == outcome
            and len(members.studies) >= min_k
        ]
        return [m.prefix for m in sorted(found, key=lambda m: m.unit_label.lower())]

    def cited_pools(self, study_id: str) -> list[Members]:
        """The pools of the cited basis that one of the cited studies enters."""
        return [
            members
            for members in self.selection.members.values()
            if members.basis == "cited" and study_id in {s.study_id for s in members.studies}
        ]


def figure_name(prefix: str) -> str:
    """File name of a pool's forest plot."""
    return "forest-" + prefix.removeprefix("pool.").replace(".", "-")


def build(data_dir: Path = DATA, progress: Callable[[str], None] = lambda message: None) -> Report:
    """Read, select, pool and enter everything in the ledger.

    Raises EvidenceError with every fault of the data.
    """
    progress("reading and validating the evidence")
    data = evidence.read(data_dir)
    progress(f"selecting from {len(data.outcomes)} rows of {len(data.studies)} studies")
    chosen = selection.select(data)
    progress(f"pooling {sum(len(m.studies) > 1 for m in chosen.members.values())} pools")
    grids = multiverse.grids(data, chosen)
    glmms = fit_all(chosen, grids)
    pools = pool_all(chosen, glmms)
    explored = explore_all(grids, glmms)
    trials = json.loads(MUTATIONS.read_text(encoding="utf-8"))
    records = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RECORDS.glob("*.json")
    }
    audited = sources.audit(data, chosen.rows)
    compared = agreement.compare(data, chosen.members, pools)
    numbers = entries.build(data, chosen, pools, trials, audited, compared, explored)
    made_from = provenance.describe(data.digest, ROOT)
    return Report(
        data, chosen, pools, numbers, made_from, trials, records, audited, compared, explored
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


def pools_table(report: Report) -> pd.DataFrame:
    """One line per study in each pool: pool, study_id, events, n."""
    return pd.DataFrame(
        [
            (prefix, study.study_id, study.events, study.n)
            for prefix, members in report.selection.members.items()
            for study in members.studies
        ],
        columns=["pool", "study_id", "events", "n"],
    )


def fates_table(report: Report) -> pd.DataFrame:
    """One line per row of outcomes.csv: its address, and whether it is pooled or why not."""
    rows = report.selection.rows
    return rows[["address", "study_id", "therapy", "pool_outcome", "fate", "exclusion"]]


def save(report: Report, figures: dict[str, Drawn], folder: Path = REPORT) -> None:
    """Write numbers.json, build.json, the downloads in data/, and the report for the chapters."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "numbers.json").write_text(report.ledger.to_json(), encoding="utf-8")
    build_json = provenance.to_json(report.build)
    (folder / provenance.BUILD_FILE).write_text(build_json, encoding="utf-8")
    pools_table(report).to_csv(folder / "data" / "pools.csv", index=False, lineterminator="\n")
    fates_table(report).to_csv(folder / "data" / "rows.csv", index=False, lineterminator="\n")
    (folder / "report.pickle").write_bytes(pickle.dumps(replace(report, figures=figures)))


def load(folder: Path = REPORT) -> Report:
    """The report saved by this build.

    Raises FileNotFoundError saying what to run when there is none.
    """
    path = folder / "report.pickle"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: run `python -m analysis` first")
    loaded = pickle.loads(path.read_bytes())
    assert isinstance(loaded, Report)
    return loaded
