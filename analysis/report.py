"""The report: one frozen object with everything that the book says, made once for each build."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import entries, evidence, provenance
from analysis.ledger import Ledger
from analysis.plots.alttext import Drawn
from analysis.results import Results, work_out
from analysis.selection import Members

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
REPORT = ROOT / "_report"
FIGURES = ROOT / "figures"
MUTATIONS = ROOT / "checks" / "mutations.json"
RECORDS = ROOT / "analysis" / "records"


@dataclass(frozen=True, kw_only=True)
class Report(Results):
    """All results and their ledger; `build` says what the book is made from, as build.json does."""

    ledger: Ledger
    build: dict[str, Any]
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
    trials = json.loads(MUTATIONS.read_text(encoding="utf-8"))
    records = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RECORDS.glob("*.json")
    }
    results = work_out(data, trials, records, progress)
    return Report(
        **vars(results),
        ledger=entries.build(results),
        build=provenance.describe(data.digest, ROOT),
    )


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
