"""What the forest plots of the randomised comparisons and of placebo must show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from checks.contrasts import Contrast, contrasts
from checks.plans.chart import ChartAxis, log_axis, points_axis
from checks.plans.figure import COLUMNS, FigurePlan, Line, Mark, pooled_lines, spoken, study_line
from checks.rows import POOL_OUTCOMES, Data, background
from checks.sources import Sources
from checks.values.comparisons import Effects, cells, effects

_AXES = {
    "difference": (points_axis(-0.5, 1, 0.5), "Difference", 0.0),
    "ratio": (log_axis(0.1, 1000, (0.1, 1, 10, 100, 1000)), "Ratio", 1.0),
}
_SIDES = ("treated_events", "treated_n", "control_events", "control_n")
_HEADERS = {"first": "", "second": "Treated", "third": "", "fourth": "Control", **COLUMNS}
_BACKGROUND = {
    "background.visit": "In response at a visit",
    "background.ever": "In response at least once",
    "background.durable": "Durable response",
}


def plans(data: Data, sources: Sources) -> list[FigurePlan]:
    """Differences and ratios of each outcome that has some, and the background."""
    found = [
        _effects(data, sources, measure, outcome)
        for outcome in POOL_OUTCOMES
        for measure in _AXES
        if any(_is(prefix, "pool", outcome) for prefix in contrasts(data))
    ]
    return [*found, _background(data, sources)]


def _is(prefix: str, basis: str, outcome: str) -> bool:
    return prefix.startswith(f"{basis}.") and prefix.endswith(f".{outcome}")


def _effects(data: Data, sources: Sources, measure: str, outcome: str) -> FigurePlan:
    """The trials of each therapy with their pooled line, then the classes."""
    axis, words, none = _AXES[measure]
    lines: list[Line] = []
    for prefix, source in _by_name(data, sources, "pool", outcome):
        lines.append(Line(sources.text(source) or "", {}, sources=(source,), kind="heading"))
        lines += _therapy(data, sources, measure, prefix, axis)
    classes = _by_name(data, sources, "class", outcome)
    if classes:
        lines.append(Line("Drug classes", {}, kind="heading"))
    for prefix, source in classes:
        found = effects(tuple(map(cells, contrasts(data)[prefix])), measure)
        label = sources.text(source) or ""
        lines += _pooled(label, measure, prefix, (source,), found, axis)
    weighted = any("weight" in line.cells for line in lines)
    headers = {c: w for c, w in _HEADERS.items() if c != "weight" or weighted}
    headers["rate"] = words
    return FigurePlan(
        f"{measure}-{outcome}", "forest", tuple(lines), tuple(spoken(lines)), headers,
        axis=axis, none=none,
    )  # fmt: skip


def _by_name(data: Data, sources: Sources, basis: str, outcome: str) -> list[tuple[str, str]]:
    """Prefixes with the address of their unit's name, in the order of the names."""
    table = "classes" if basis == "class" else "therapies"
    found = [
        (prefix, f"{table}#{prefix.split('.')[1]}#label")
        for prefix in contrasts(data)
        if _is(prefix, basis, outcome)
    ]
    return sorted(found, key=lambda pair: (sources.text(pair[1]) or "").lower())


def _therapy(
    data: Data, sources: Sources, measure: str, prefix: str, axis: ChartAxis
) -> Iterator[Line]:
    trials: Sequence[Contrast] = contrasts(data)[prefix]
    found = effects(tuple(map(cells, trials)), measure)
    there = [limits for limits in found.single if limits]
    for trial, limits in zip(trials, found.single, strict=True):
        source = f"studies#{trial.study_id}#label"
        label = sources.text(source) or ""
        if limits is None:
            yield Line(label, {}, sources=(source,), kind="text")
            continue
        of_trial = f"{measure}.{prefix}.study.{trial.study_id}"
        line = study_line(
            label, of_trial, (source,), _SIDES,
            weight=f"{of_trial}.weight" if len(there) > 1 else "",
            counted=f"contrast.{prefix}.study.{trial.study_id}",
        )  # fmt: skip
        yield _with_arrows(line, f"mark-{of_trial}.interval", limits[0], limits[2], axis)
    if len(there) > 1:
        yield from _pooled("Pooled, random effects", measure, prefix, (), found, axis)


def _pooled(
    label: str,
    measure: str,
    prefix: str,
    sources: tuple[str, ...],
    found: Effects,
    axis: ChartAxis,
) -> Iterator[Line]:
    """The diamond and the prediction, with an arrow head where either leaves the axis."""
    assert found.summary is not None
    k = sum(limits is not None for limits in found.single)
    lines = pooled_lines(
        label, f"{measure}.{prefix}", sources, k, _SIDES, counted=f"contrast.{prefix}"
    )
    mark = f"mark-{measure}.{prefix}"
    low, _, high = found.summary
    yield _with_arrows(lines[0], f"{mark}.interval", low, high, axis)
    if found.prediction:
        yield _with_arrows(lines[1], f"{mark}.prediction", *found.prediction, axis)


def _with_arrows(line: Line, mark: str, low: float, high: float, axis: ChartAxis) -> Line:
    shape = "arrow" if line.kind == "study" else "accent arrow"
    beyond = []
    if low < axis.low:
        beyond.append(Mark(f"{mark}.below", shape, (line.cells["low"],)))
    if high > axis.high:
        beyond.append(Mark(f"{mark}.above", shape, (line.cells["high"],)))
    return replace(line, marks=(*line.marks, *beyond))


def _background(data: Data, sources: Sources) -> FigurePlan:
    """The placebo arms by what was counted, each pooled."""
    in_file_order = list(data.studies)
    lines: list[Line] = []
    for prefix, entries in background(data).items():
        lines.append(Line(_BACKGROUND[prefix], {}, kind="heading"))

        def order(study_id: str) -> tuple[int, str, int]:
            study = data.studies[study_id]
            return (study.year, study.first_author, in_file_order.index(study_id))

        for study_id in sorted((entry.study_id for entry in entries), key=order):
            source = f"studies#{study_id}#label"
            of_study = f"{prefix}.study.{study_id}"
            weight = f"{of_study}.weight" if len(entries) > 1 else ""
            label = sources.text(source) or ""
            lines.append(study_line(label, of_study, (source,), weight=weight))
        if len(entries) > 1:
            counts = ("events", "n")
            lines += pooled_lines("Pooled, random effects", prefix, (), len(entries), counts)
    weighted = any("weight" in line.cells for line in lines)
    headers = {"first": "Responders", "second": "Patients", **COLUMNS}
    headers = {c: w for c, w in headers.items() if c != "weight" or weighted}
    return FigurePlan("background", "forest", tuple(lines), tuple(spoken(lines)), headers)
