"""Forest plots of the randomised comparisons, and of placebo by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis.comparisons import Comparison
from analysis.plots.alttext import Drawn
from analysis.plots.chart import log_axis, points_axis
from analysis.plots.forest import Row, Scale, forest
from analysis.report import Report
from analysis.selection import OUTCOME_LABELS, OUTCOMES

SCALES = {
    "difference": Scale(points_axis(-0.5, 1, 0.5), "Difference", none=0.0),
    "ratio": Scale(log_axis(0.1, 1000, (0.1, 1, 10, 100, 1000)), "Ratio", none=1.0),
}
TITLES = {
    "difference": "Difference of response rates, treated minus control, in percentage points",
    "ratio": "Ratio of response rates, treated over control",
}
COUNTS = ("treated_events", "treated_n", "control_events", "control_n")
HEADERS = ("", "Treated", "", "Control")
NO_RATIO = "no ratio: both sides all alike"
BACKGROUND_LABELS = {
    "visit": "In response at a visit",
    "ever": "In response at least once",
    "durable": "Durable response",
}


def draw(report: Report, folder: Path) -> list[Drawn]:
    """A plot of the differences and one of the ratios for each outcome, and the background's."""
    drawn = [
        effects(report, folder, measure, outcome)
        for outcome in OUTCOMES
        for measure in SCALES
        if report.comparisons.of("pool", outcome)
    ]
    return [*drawn, background(report, folder)]


def effects(report: Report, folder: Path, measure: str, outcome: str) -> Drawn:
    """The trials of an outcome by therapy, each with its pooled line, and the classes below."""
    rows = [
        row
        for comparison in report.comparisons.of("pool", outcome)
        for row in _therapy(comparison, measure)
    ]
    classes = report.comparisons.of("class", outcome)
    if classes:
        rows.append(Row("Drug classes", kind="heading"))
    for comparison in classes:
        label, source = comparison.members.unit_label, comparison.members.label_source
        rows.append(_pooled(comparison, measure, label, (source,)))
    title = f"{TITLES[measure]}: {OUTCOME_LABELS[outcome]} in randomised trials, by therapy."
    name, scale = f"{measure}-{outcome}", SCALES[measure]
    return forest(report.ledger, folder, name, title, rows, HEADERS, scale=scale)


def _therapy(comparison: Comparison, measure: str) -> Iterator[Row]:
    """A heading, the trials, and the pooled line where there are several."""
    members, found = comparison.members, getattr(comparison, measure)
    yield Row(members.unit_label, kind="heading", sources=(members.label_source,))
    for contrast, limits in zip(comparison.contrasts, found.single, strict=True):
        trial = f"{comparison.prefix}.study.{contrast.study_id}"
        sources = (f"studies#{contrast.study_id}#label",)
        if limits is None:
            yield Row(contrast.label, kind="text", words=NO_RATIO, sources=sources)
            continue
        yield Row(
            contrast.label, f"{measure}.{trial}", counts=COUNTS, counted=f"contrast.{trial}",
            sources=sources,
        )  # fmt: skip
    if found.k > 1:
        yield _pooled(comparison, measure, "Pooled, random effects", ())


def _pooled(comparison: Comparison, measure: str, label: str, sources: tuple[str, ...]) -> Row:
    prefix = comparison.prefix
    return Row(
        label, f"{measure}.{prefix}", "pooled", counts=COUNTS, counted=f"contrast.{prefix}",
        sources=sources,
    )  # fmt: skip


def background(report: Report, folder: Path) -> Drawn:
    """The placebo arms by what was counted, each pooled."""
    rows = []
    for name, found in report.comparisons.background.items():
        rows.append(Row(BACKGROUND_LABELS[name], kind="heading"))
        prefix = found.members.prefix
        rows += [
            Row(
                study.label,
                f"{prefix}.study.{study.study_id}",
                sources=(f"studies#{study.study_id}#label",),
            )
            for study in found.members.studies
        ]
        if found.pool.k > 1:
            rows.append(Row("Pooled, random effects", prefix, kind="pooled"))
    title = "Placebo arms of the randomised trials, by what was counted."
    return forest(report.ledger, folder, "background", title, rows)
