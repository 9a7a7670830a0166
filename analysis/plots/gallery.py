"""Which figures the book has, and which rows each of them shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.ledger import row_prefix
from analysis.plots import (
    agreement,
    comparisons,
    cost,
    denominators,
    differences,
    influence,
    outlook,
    simulation,
)
from analysis.plots import flow as flow_diagram
from analysis.plots import map as study_map
from analysis.plots.alttext import Drawn
from analysis.plots.flow import Box
from analysis.plots.forest import Row, forest
from analysis.plots.multiverse import specification_curves
from analysis.report import FIGURES, Report, figure_name
from analysis.results import FOCUS
from analysis.selection import (
    FATE_LABELS,
    LINES,
    OUTCOME_LABELS,
    OUTCOMES,
    POOLED,
    study_labels,
)

CITED_MARK = " *"
COUNTS_OF_POOLS = ("k", "n")
HEADERS_OF_POOLS = ("Studies", "Patients")


def draw_all(
    report: Report, folder: Path = FIGURES, progress: Callable[[str], None] = lambda message: None
) -> dict[str, Drawn]:
    """Write every figure of the book into folder, which is emptied of older ones first."""
    for old in [*folder.glob("*.svg"), *folder.glob("*.csv")]:
        old.unlink()
    drawn = []
    for outcome in OUTCOMES:
        progress(f"drawing {OUTCOME_LABELS[outcome]}")
        drawn += [pool_forest(report, folder, p) for p in report.prefixes("pool", outcome, 2)]
        drawn += single_studies(report, folder, outcome)
        drawn += side_by_side(report, folder, "pool", outcome)
    progress("drawing flow, map and context")
    for line in LINES:
        drawn += side_by_side(report, folder, line, "overall_response")
    drawn += side_by_side(report, folder, "class", "overall_response")
    drawn += [flow(report, folder), evidence_map(report, folder)]
    drawn += [cost.growth(report.ledger, folder, report.records["cost"])]
    drawn += [time_course(report, folder), cited_studies(report, folder)]
    progress("drawing every analysis of every pool")
    drawn += specification_curves(report, folder)
    progress("drawing influence")
    drawn += influence.draw(report, folder)
    drawn += comparisons.draw(report, folder)
    progress("drawing why studies differ")
    drawn += differences.draw(report, folder)
    if any(comparison.ours for comparison in report.agreement):
        drawn.append(agreement.agreement(report.ledger, folder, report.agreement))
    drawn += [*outlook.draw(report, folder), *denominators.draw(report, folder)]
    drawn.append(simulation.coverage(report.ledger, folder, report.records["simulation"]))
    return {figure.name: figure for figure in drawn}


def is_cited(report: Report, study_id: str) -> bool:
    """Whether the study is one of the six that the founding article cites."""
    studies = report.evidence.studies
    return bool(studies.loc[studies["study_id"].eq(study_id), "seed_reference"].notna().any())


def study_source(study_id: str) -> str:
    """Where in the data the name of a study stands."""
    return f"studies#{study_id}#label"


def pool_forest(report: Report, folder: Path, prefix: str) -> Drawn:
    """The forest plot of one pool: its studies by year, then the pooled row."""
    members = report.members(prefix)
    rows = [
        Row(
            study.label + (CITED_MARK if is_cited(report, study.study_id) else ""),
            f"{prefix}.study.{study.study_id}",
            sources=(study_source(study.study_id),),
        )
        for study in members.studies
    ]
    rows.append(Row("Pooled, random effects", prefix, kind="pooled"))
    outcome = OUTCOME_LABELS[members.outcome]
    title = f"Forest plot of {outcome}, {members.unit_label}."
    return forest(
        report.ledger, folder, figure_name(prefix), title, rows,
        title_sources=(members.label_source,),
    )  # fmt: skip


def single_studies(report: Report, folder: Path, outcome: str) -> list[Drawn]:
    """One plot of the therapies with a single study, with exact intervals."""
    rows = []
    for prefix in report.prefixes("pool", outcome):
        members = report.members(prefix)
        if len(members.studies) == 1:
            study = members.studies[0]
            mark = CITED_MARK if is_cited(report, study.study_id) else ""
            sources = (members.label_source, study_source(study.study_id))
            rows.append(Row(f"{members.unit_label}: {study.label}{mark}", prefix, sources=sources))
    if not rows:
        return []
    title = f"Single studies of {OUTCOME_LABELS[outcome]}, with exact intervals, not pooled."
    return [forest(report.ledger, folder, f"single-{outcome}", title, rows)]


def side_by_side(report: Report, folder: Path, basis: str, outcome: str) -> list[Drawn]:
    """All units of a basis in alphabetical order: diamonds for pools, squares for single studies.

    On all evidence only units with two studies or more, so that the plot stays readable.
    """
    prefixes = report.prefixes(basis, outcome, 1 if basis in LINES else 2)
    if len(prefixes) < 2:
        return []
    rows = [
        Row(
            report.members(prefix).unit_label,
            prefix,
            kind="pooled" if report.pools[prefix].k > 1 else "study",
            emphasis=report.members(prefix).unit == FOCUS,
            counts=COUNTS_OF_POOLS,
            sources=(report.members(prefix).label_source,),
        )
        for prefix in prefixes
    ]
    where = {"pool": "all evidence", "class": "by drug class"}.get(
        basis, f"{basis.replace('_', '-')} studies only"
    )
    title = (
        f"{OUTCOME_LABELS[outcome].capitalize()}, {where}, in alphabetical order. "
        "These are not head-to-head comparisons."
    )
    name = f"side-by-side-{basis}-{outcome}"
    return [forest(report.ledger, folder, name, title, rows, HEADERS_OF_POOLS)]


def flow(report: Report, folder: Path) -> Drawn:
    """The flow of rows and studies, in four stages."""

    def fate(name: str) -> tuple[str, str, str]:
        return (FATE_LABELS[name].capitalize(), f"flow.rows.{name}", f"flow.studies.{name}")

    def after(name: str, words: str) -> tuple[str, str, str]:
        return (words, f"flow.rows.after.{name}", f"flow.studies.after.{name}")

    stages = [
        Box("Evidence", (("In the data", "flow.rows.total", "flow.studies.total"),)),
        Box("Platelet response, adults, ITP", (after("itp_secondary", "Remaining"),)),
        Box("Fit for a pool", (after("low_confidence", "Remaining"),)),
        Box("In a pool", (("Pooled", f"flow.rows.{POOLED}", f"flow.studies.{POOLED}"),)),
    ]
    first = ("no_outcome_rows", "outcome_not_pooled", "population_child", "itp_secondary")
    second = ("excluded", "no_denominator", "low_confidence")
    third = ("other_row_preferred", "shared_patients")
    exits = [
        Box("Not an adult ITP response", tuple(fate(name) for name in first)),
        Box("Not fit for a pool", tuple(fate(name) for name in second)),
        Box("Not chosen", tuple(fate(name) for name in third)),
    ]
    return flow_diagram.flow(report.ledger, folder, "flow", stages, exits)


def evidence_map(report: Report, folder: Path) -> Drawn:
    """Every study and therapy once, by year and design."""
    rows = report.selection.rows.assign(pooled=report.selection.rows["fate"].eq(POOLED))
    once = rows.groupby(["study_id", "therapy"], sort=False, as_index=False).agg(
        label=("label", "first"),
        year=("year", "first"),
        design=("design", "first"),
        pooled=("pooled", "any"),
    )
    data = pd.DataFrame(
        {
            "therapy": once["therapy"],
            "label": once["label"],
            "study": once["study_id"],
            "year": once["year"].astype(int),
            "design": once["design"],
            "pooled": once["pooled"],
        }
    )
    return study_map.evidence_map(report.ledger, folder, "map", data)


def time_course(report: Report, folder: Path) -> Drawn:
    """The cited sirolimus trial at each visit, with the missing patients as failures too."""
    rows = report.selection.rows
    trial = rows[rows["therapy"].eq(FOCUS) & rows["seed_reference"].notna()]
    trial = trial[trial["pool_outcome"].ne("") & trial["fate"].ne("population_child")]
    drawn_rows = []
    for outcome in ("overall_response", "complete_response"):
        drawn_rows.append(Row(OUTCOME_LABELS[outcome].capitalize(), kind="heading"))
        visits = trial[trial["pool_outcome"].eq(outcome)].sort_values("months", kind="stable")
        for row in visits.itertuples():
            prefix = row_prefix(row.address)
            months = months_key(report, prefix)
            if pd.isna(row.events):
                drawn_rows.append(
                    Row("As printed", prefix, "printed", "no denominator", months=months)
                )
                continue
            drawn_rows.append(Row("As analysed", prefix, months=months))
            if f"{prefix}.estimate_all_enrolled" in report.ledger:
                drawn_rows.append(
                    Row(
                        "Missing as failures",
                        prefix,
                        counts=("events", "enrolled"),
                        estimate="estimate_all_enrolled",
                        months=months,
                    )
                )
    title = "Sirolimus in the cited trial at each visit, with exact intervals."
    return forest(report.ledger, folder, "sirolimus-course", title, drawn_rows)


def months_key(report: Report, prefix: str) -> str:
    """Key of the month of a row, blank where the row has none."""
    key = f"{prefix}.months"
    return key if key in report.ledger else ""


def cited_studies(report: Report, folder: Path) -> Drawn:
    """The six cited studies, each with what it can say: a rate, a bare percentage, or words."""
    chosen = report.selection
    studies = report.evidence.studies
    labels = study_labels(studies)
    rows = []
    for study_id in studies.dropna(subset="seed_reference").sort_values("seed_reference")[
        "study_id"
    ]:
        pooled = report.cited_pools(study_id)
        of_study = chosen.rows[chosen.rows["study_id"].eq(study_id)]
        printed = of_study[of_study["fate"].eq("no_denominator")]
        of_label = (study_source(study_id),)
        if not pooled and printed.empty:
            words = f"not pooled: {FATE_LABELS[chosen.study_fates[study_id]]}"
            rows.append(
                Row(labels[study_id], kind="text", words=words, emphasis=True, sources=of_label)
            )
            continue
        rows.append(Row(labels[study_id], kind="heading", sources=of_label))
        for members in pooled:
            label = f"{members.unit_label}, {short(members.outcome)}"
            months = months_key(report, row_prefix(members.studies[0].rows[0]))
            source = members.label_source
            rows.append(Row(label, members.prefix, months=months, sources=(source,)))
        for row in printed.itertuples():
            prefix = row_prefix(row.address)
            label = f"{row.label}, {short(row.pool_outcome)}"
            months = months_key(report, prefix)
            rows.append(
                Row(
                    label,
                    prefix,
                    "printed",
                    "no denominator",
                    months=months,
                    sources=(f"therapies#{row.therapy}#label",),
                )
            )
    title = (
        "The {=evidence.cited_studies} cited studies, with exact intervals where events and "
        "patients are printed."
    )
    return forest(report.ledger, folder, "cited-studies", title, rows)


def short(outcome: str) -> str:
    """An outcome of pools in one word: `overall`, `complete`, `durable`."""
    return OUTCOME_LABELS[outcome].split()[0]
