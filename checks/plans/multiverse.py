"""What the specification curves must show: every analysis of a pool and the choices it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_lowercase

from checks.constants import HALF, POOL_STUDIES
from checks.expected import FRACTION
from checks.plans.chart import (
    Cell,
    ChartAxis,
    ChartMark,
    ChartPanel,
    ChartPlan,
    ChartText,
    Where,
    number,
    percent_axis,
    rows_axis,
    rule,
    words,
)
from checks.rows import Data
from checks.sources import Sources
from checks.values.multiverse import (
    COLUMNS,
    DENOMINATORS,
    EVIDENCE,
    OWN,
    Analysis,
    Sample,
    Universe,
    universes,
)

_ROWS = (
    ("default", "the evidence of this book"),
    ("strict", "adults with primary ITP only"),
    ("wide", "with uncertain readings"),
    ("trials", "trials only"),
    ("prospective", "trials and prospective cohorts"),
    ("rescue", "rescue patients only"),
    ("trials_first", "trials kept before fuller studies"),
    ("definition", "a single platelet threshold only"),
    ("analysed", "patients as analysed"),
    ("enrolled", "all enrolled patients"),
    ("logit", "logit"),
    ("arcsine", "arcsine"),
    ("dl", "DerSimonian-Laird"),
    ("ml", "maximum likelihood"),
    ("reml", "restricted maximum likelihood"),
    ("pm", "Paule-Mandel"),
    ("glmm", "binomial-normal model"),
)
_HEADER = (
    "sample", "evidence_and_denominator", "transform", "estimator", "interval", "studies",
    "events", "n", "estimate", "low", "high", "state",
)  # fmt: skip
_LEGEND = (
    ("circle", "accent", "this book"),
    ("circle", "", "another analysis"),
    ("circle", "hollow", "a single study"),
)
_STUDIES, _RATE = 6.7, 7.34
_HEAD = 0.24 + 0.16 * len(_ROWS) + 0.13
_BY_THIS_BOOK = ("logit", "reml", "kh_conservative")

Placed = tuple[str, int, Sample]  # letter, first column, sample


def plans(data: Data, sources: Sources) -> list[ChartPlan]:
    """The plan of each pool's curve."""
    return [_plan(pool, one) for pool, one in universes(data).items()]


def _placed(one: Universe) -> Iterator[Placed]:
    """The samples with studies, by the estimate of the book's own model."""
    shown = sorted((s for s in one.samples if s.k), key=lambda sample: sample.own or 0)
    start = 0
    for letter, sample in zip(ascii_lowercase, shown, strict=False):
        yield letter, start, sample
        start += _width(sample) + 1


def _width(sample: Sample) -> int:
    return len(COLUMNS) if sample.k >= POOL_STUDIES else 1


def _plan(pool: str, one: Universe) -> ChartPlan:
    placed = tuple(_placed(one))
    _, start, last = placed[-1]
    middles = tuple((start + (_width(s) - 1) / 2, letter, "") for letter, start, s in placed)
    across = ChartAxis(-1.0, float(start + _width(last)), middles)
    above = ChartPanel("estimates", across, percent_axis(title="Response rate"))
    below = ChartPanel("choices", across, rows_axis([(shown, ()) for _, shown in _ROWS]))
    marks = [rule("half", above, y=HALF)]
    own = one.sample(OWN)
    for letter, start, sample in placed:
        for analysis in sample.analyses:
            marks += _analysis(letter, start, sample, analysis, sample is own)
    for row, (name, _) in enumerate(_ROWS):
        columns = [x for _, start, sample in placed for x in _chosen(name, start, sample)]
        if columns:
            points = tuple((x, row) for x in columns)
            marks.append(ChartMark(f"choice.{name}", "square", points, "choices", side=2.6))
    here = next(start for _, start, sample in placed if sample is own)
    here += COLUMNS.index(_BY_THIS_BOOK[:2])
    rows = [row for row, (name, _) in enumerate(_ROWS) if name in (*OWN, *_BY_THIS_BOOK)]
    points = tuple((here, row) for row in rows)
    marks.append(ChartMark("own", "square", points, "choices", accent=True, side=3.2))
    return ChartPlan(
        "robustness-" + pool.removeprefix("pool.").replace(".", "-"),
        (above, below),
        tuple(marks),
        (_HEADER, _table(one, placed)),
        tuple(_texts(pool, one)),
        tuple(_spoken(pool, one)),
        _LEGEND,
    )


def _analysis(
    letter: str, start: int, sample: Sample, analysis: Analysis, own: bool
) -> Iterator[ChartMark]:
    """The marks of one specification; plain Knapp-Hartung has none."""
    scale, estimator, interval = analysis.method
    if analysis.limits is None or interval == "kh":
        return
    several = sample.k >= POOL_STUDIES
    x = start + (COLUMNS.index((scale, estimator)) if several else 0)
    name = ".".join(part for part in (letter, scale, estimator, interval) if part)
    low, estimate, high = analysis.limits
    ends, line = ((x, low), (x, high)), f"interval.{name}"
    if interval == "wald":
        yield ChartMark(line, "line", ends, "estimates", grey=True, side=1.6)
        return
    mine = own and analysis.method == _BY_THIS_BOOK
    yield ChartMark(line, "line", ends, "estimates", accent=mine, grey=not mine, side=0.7)
    yield ChartMark(
        f"estimate.{name}", "circle", ((x, estimate),), "estimates", several, mine,
        side=5.0 if mine else 3.0,
    )  # fmt: skip


def _chosen(name: str, start: int, sample: Sample) -> list[int]:
    """The columns of a sample that make a choice."""
    everywhere = list(range(start, start + _width(sample)))
    if name in (*EVIDENCE, *DENOMINATORS):
        return everywhere if any(name in choice for choice in sample.choices) else []
    if sample.k < POOL_STUDIES:
        return []
    return [x for x, column in zip(everywhere, COLUMNS, strict=True) if name in column]


def _table(one: Universe, placed: Sequence[Placed]) -> list[list[Cell]]:
    empty = [("", 0, sample) for sample in one.samples if not sample.k]
    lines: list[list[Cell]] = []
    for letter, _, sample in (*placed, *empty):
        choices = "; ".join(
            f"{evidence}, {denominator}" for evidence, denominator in sample.choices
        )
        patients = sum(n for _, _, n in sample.studies)
        counts: list[Cell] = [sample.k, sum(e for _, e, _ in sample.studies), patients]
        for analysis in sample.analyses or (Analysis(("", "", ""), None, FRACTION),):
            cells: list[Cell] = [None, None, None]
            if analysis.limits:
                low, estimate, high = ((x, analysis.tolerance) for x in analysis.limits)
                cells = [estimate, low, high]
            state = _state(sample.k, analysis)
            lines.append([letter, choices, *analysis.method, *counts, *cells, state])
    return lines


def _state(k: int, analysis: Analysis) -> str:
    if k < POOL_STUDIES:
        return "single study" if k else "no study"
    return "pooled" if analysis.limits else "cannot be estimated"


def _numbers(pool: str, one: Universe) -> Iterator[tuple[str, list[str]]]:
    """By row: the keys that stand in it."""
    prefix = "multiverse." + pool.removeprefix("pool.")
    for name in (*EVIDENCE, "enrolled"):
        choice = (name, "analysed") if name in EVIDENCE else ("default", name)
        stats = ["k", "estimate"] if one.sample(choice).k else ["k"]
        yield name, [f"{prefix}.{name}.{stat}" for stat in stats]


def _texts(pool: str, one: Universe) -> Iterator[ChartText]:
    for left, shown in ((_STUDIES, "Studies"), (_RATE, "Rate")):
        yield words(shown, Where(left=left, bottom=_HEAD), "end")
    names = [name for name, _ in _ROWS]
    for name, keys in _numbers(pool, one):
        for left, key in zip((_STUDIES, _RATE), keys, strict=False):
            yield number(key, Where(left=left, panel="choices", y=names.index(name)))


def _spoken(pool: str, one: Universe) -> Iterator[str]:
    prefix = "multiverse." + pool.removeprefix("pool.")
    yield f"therapies#{pool.split('.')[1]}#label"
    yield from (f"{prefix}.{stat}" for stat in ("specifications", "lowest", "highest"))
    yield f"{pool}.estimate"
    for _, keys in _numbers(pool, one):
        yield from keys
