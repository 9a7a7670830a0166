"""What the figures of the outlook must show: comparable rows, and a new study of each therapy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checks.constants import HALF, PREDICTION_STUDIES, VISITS
from checks.plans.chart import (
    ChartMark,
    ChartPanel,
    ChartPlan,
    ChartText,
    Where,
    label,
    number,
    percent_axis,
    rule,
    words,
)
from checks.plans.figure import (
    FigurePlan,
    Line,
    months,
    pooled_lines,
    printed_line,
    spoken,
    study_line,
    without_weight,
)
from checks.rows import POOL_OUTCOMES, Data, Entry, Row, is_at_visit, select
from checks.sources import Sources
from checks.values.outlook import FOCUS, exceeding

_HEADINGS = {
    "overall_response": "Overall response near",
    "complete_response": "Complete response near",
    "durable_response_on": "Durable, on drug, near",
    "durable_response_off": "Durable, off drug, near",
}
_COUNTS = {"first": "Responders", "second": "Patients"}
#: Three panels in a row; their measures in inches.
_ACROSS, _WIDTH, _LEFT, _GAP, _TALL, _ROW, _FOOT = 3, 7.4, 0.5, 0.42, 0.8, 1.42, 0.2
_STEPS = 100
#: Two ways to the scale of a t distribution; of a curve's points, as fractions.
_NEAR = 1e-6


def plans(data: Data, sources: Sources) -> list[FigurePlan | ChartPlan]:
    """The plans of both figures, as far as there is anything to show in them."""
    return [*_comparable(data, sources), *_new_study(data, sources)]


def _source(prefix: str) -> str:
    return f"therapies#{prefix.split('.')[1]}#label"


def _name(data: Data, prefix: str) -> str:
    return data.labels[prefix.split(".")[1]]


def _prefixes(data: Data, basis: str, outcome: str, fewest: int) -> list[str]:
    """Pools of so many studies, by the name of their therapy."""
    found = (f"{basis}.{therapy}.{outcome}" for therapy in data.therapies)
    pools = select(data)
    return sorted(
        (prefix for prefix in found if len(pools[prefix]) >= fewest),
        key=lambda prefix: _name(data, prefix).lower(),
    )


def _comparable(data: Data, sources: Sources) -> list[FigurePlan]:
    """Visit by visit and outcome by outcome the therapies, then percentages without counts."""
    lines: list[Line] = []
    for place, (visit, month) in zip(("first", "second", "third"), VISITS.items(), strict=True):
        for outcome in POOL_OUTCOMES:
            prefixes = _prefixes(data, visit, outcome, 1)
            found = [line for prefix in prefixes for line in _therapy(data, prefix)]
            found += _printed(data, outcome, month)
            if found:
                heading = {"month": f"const.visit_{place}"}
                lines += [Line(_HEADINGS[outcome], heading, kind="heading"), *found]
    if not lines:
        return []
    headers = without_weight(_COUNTS)
    return [FigurePlan("comparable", "forest", tuple(lines), tuple(spoken(lines)), headers)]


def _therapy(data: Data, prefix: str) -> list[Line]:
    entries, of_name = select(data)[prefix], (_name(data, prefix), prefix, (_source(prefix),))
    if len(entries) > 1:
        return pooled_lines(*of_name, len(entries), ("events", "n"))
    return [study_line(*of_name, months=months(_first_row(data, entries[0])))]


def _first_row(data: Data, entry: Entry) -> Row:
    return next(row for row in data.rows if row.address in entry.rows)


def _printed(data: Data, outcome: str, month: int) -> Iterable[Line]:
    for row in data.rows:
        bare = row.reason == "no_denominator" and row.outcome == outcome
        if bare and is_at_visit(row, month, data.studies):
            source = f"therapies#{row.therapy}#label"
            name = data.labels[row.therapy]
            yield printed_line(name, row.key, (source,), months(row))


def _new_study(data: Data, sources: Sources) -> list[ChartPlan]:
    """A curve a therapy: the probability that a new study's rate exceeds each rate."""
    prefixes = _prefixes(data, "pool", "overall_response", PREDICTION_STUDIES)
    if not prefixes:
        return []
    lines = -(-len(prefixes) // _ACROSS)
    wide = (_WIDTH - _LEFT - 0.25 - (_ACROSS - 1) * _GAP) / _ACROSS
    panels, marks, said = [], [], ["const.per_100_centres", "const.half"]
    texts: list[ChartText] = []
    table: list[Sequence[str | tuple[float, float]]] = []
    for place, prefix in enumerate(prefixes):
        therapy, studies = prefix.split(".")[1], _counts(data, prefix)
        rates = [step / _STEPS for step in range(_STEPS + 1)]
        curve = [(rate, exceeding(studies, rate)) for rate in rates]
        panel = ChartPanel(therapy, percent_axis(step=0.5), percent_axis(step=0.5))
        accent = therapy == FOCUS
        panels.append(panel)
        marks += [
            rule(f"{therapy}.half", panel, x=HALF),
            ChartMark(f"{therapy}.curve", "curve", tuple(curve), therapy, accent=accent),
            ChartMark(
                f"{therapy}.point", "circle", ((HALF, exceeding(studies, HALF)),), therapy,
                accent=accent,
            ),
        ]  # fmt: skip
        left = _LEFT + place % _ACROSS * (wide + _GAP)
        above = _FOOT + (lines - 1 - place // _ACROSS) * _ROW + _TALL + 0.11
        texts += _above(data, prefix, left, left + wide, above)
        said += [_source(prefix), f"{prefix}.k", f"{prefix}.p_above_50"]
        table += [(therapy, (rate, _NEAR), (share, _NEAR)) for rate, share in curve]
    return [
        ChartPlan(
            "new-study",
            tuple(panels),
            tuple(marks),
            (("therapy", "rate", "probability_above"), table),
            tuple(texts),
            tuple(said),
        )
    ]


def _counts(data: Data, prefix: str) -> tuple[tuple[int, int], ...]:
    return tuple((entry.events, entry.n) for entry in select(data)[prefix])


def _above(
    data: Data, prefix: str, left: float, right: float, height: float
) -> Iterable[ChartText]:
    """The therapy's name, and below it its studies and its centres above one half."""
    yield label(_name(data, prefix), (_source(prefix),), Where(left, height + 0.15))
    yield number(f"{prefix}.k", Where(left + 0.13, height))
    yield words("studies", Where(left + 0.18, height))
    yield number(f"{prefix}.p_above_50", Where(right - 0.66, height))
    yield words("above", Where(right - 0.62, height))
    yield number("const.half", Where(right, height))
