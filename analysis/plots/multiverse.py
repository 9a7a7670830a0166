"""Specification curves: what every reasonable analysis of a pool gives, and which choices it makes.

Columns are analyses. Those of one sample stand together, samples by the estimate of the book's own
model; within a sample the methods stand always in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

import pandas as pd

from analysis.entries.multiverse import multiverse_prefix
from analysis.estimators import ESTIMATORS, TRANSFORMS
from analysis.multiverse import (
    DEFAULT_METHOD,
    DEFAULT_SAMPLE,
    DENOMINATORS,
    EVIDENCE,
    EXACT,
    Multiverse,
    Sample,
    Specification,
)
from analysis.plots.alttext import Drawn, Speaker
from analysis.plots.chart import Axis, Chart, Tick, percent_axis, rows_axis
from analysis.pooling import HALF, POOL_MIN_K
from analysis.report import Report
from analysis.selection import OUTCOME_LABELS

#: What the choices are called in figures and tables.
WORDS = {
    "default": "the evidence of this book",
    "strict": "adults with primary ITP only",
    "wide": "with uncertain readings",
    "trials": "trials only",
    "prospective": "trials and prospective cohorts",
    "rescue": "rescue patients only",
    "trials_first": "trials kept before fuller studies",
    "definition": "a single platelet threshold only",
    "analysed": "patients as analysed",
    "enrolled": "all enrolled patients",
    "logit": "logit",
    "arcsine": "arcsine",
    "dl": "DerSimonian-Laird",
    "ml": "maximum likelihood",
    "reml": "restricted maximum likelihood",
    "pm": "Paule-Mandel",
    "glmm": "binomial-normal model",
    "wald": "Wald",
    "kh": "Knapp-Hartung",
    "kh_conservative": "conservative Knapp-Hartung",
    "profile": "profile likelihood",
    "exact": "exact",
}
ROWS = (*EVIDENCE, *DENOMINATORS, *TRANSFORMS, *ESTIMATORS, "glmm")
#: Scale and estimator of the columns of a sample, from left to right.
COLUMNS = (
    *(("logit", estimator) for estimator in ESTIMATORS),
    *(("arcsine", estimator) for estimator in ESTIMATORS),
    EXACT[:2],
)
#: Columns between the last of one sample and the first of the next.
STEP = 2
#: Size of a row, of the panel above and of what stands around them, in inches.
ROW, ABOVE, TITLE, BETWEEN, FOOT = 0.16, 2.1, 0.42, 0.42, 0.24
LEFT, RIGHT, STUDIES, RATE = 2.1, 6.25, 6.7, 7.34


def figure_name(pool: str) -> str:
    """File name of a pool's specification curve."""
    return "robustness-" + pool.removeprefix("pool.").replace(".", "-")


@dataclass(frozen=True)
class Block:
    """A sample in the figure: its letter, and where its first column stands."""

    sample: Sample
    letter: str
    start: int

    @property
    def width(self) -> int:
        """Number of columns: a single study has no methods to choose from."""
        return len(COLUMNS) if self.sample.k >= POOL_MIN_K else 1

    def column(self, method: tuple[str, str, str]) -> int:
        """Where the column of a method stands."""
        several = self.sample.k >= POOL_MIN_K
        return self.start + (COLUMNS.index((method[0], method[1])) if several else 0)


def blocks(one: Multiverse) -> tuple[Block, ...]:
    """The samples with studies, by the estimate of the book's own model."""
    placed = []
    start = 0
    shown = [s for s in one.samples if s.k]
    for letter, sample in zip(
        ascii_lowercase, sorted(shown, key=lambda s: one.own_model(s.choices[0]) or 0), strict=False
    ):
        placed.append(Block(sample, letter, start))
        start += placed[-1].width - 1 + STEP
    return tuple(placed)


def specification_curves(report: Report, folder: Path) -> Iterator[Drawn]:
    """The figure of every pool that was analysed in every way."""
    for pool in report.multiverse:
        yield _draw(report, folder, pool)


def _draw(report: Report, folder: Path, pool: str) -> Drawn:
    one, prefix = report.multiverse[pool], multiverse_prefix(pool)
    placed = blocks(one)
    end = placed[-1].start + placed[-1].width
    letters = tuple(Tick(b.start + (b.width - 1) / 2, b.letter) for b in placed)
    across = Axis(-1.0, float(end), letters)
    below = FOOT + ROW * len(ROWS)
    height = below + BETWEEN + ABOVE + TITLE
    chart = Chart(report.ledger, height)
    box = (LEFT, below + BETWEEN, RIGHT, below + BETWEEN + ABOVE)
    above = chart.panel("estimates", box, across, percent_axis(title="Response rate"))
    above.rule("half", y=HALF)
    by_sample = {id(b.sample): b for b in placed}
    own = (id(one.sample(DEFAULT_SAMPLE)), DEFAULT_METHOD)
    for spec in one.specifications:
        if spec.summary is None:
            continue
        block = by_sample[id(spec.sample)]
        x, name = block.column(spec.method), ".".join([block.letter, *filter(None, spec.method)])
        low, estimate, high = spec.summary
        mine = (id(spec.sample), spec.method) == own
        if spec.method[2] == "wald":
            above.line(f"interval.{name}", (x, low), (x, high), width=1.6, grey=True)
        elif spec.method[2] != "kh":
            above.line(
                f"interval.{name}", (x, low), (x, high), accent=mine, width=0.7, grey=not mine
            )
            filled = spec.sample.k >= POOL_MIN_K
            side = 5.0 if mine else 3.0
            above.circle(f"estimate.{name}", x, estimate, side, filled=filled, accent=mine)
    rows = rows_axis([(WORDS[row], ()) for row in ROWS])
    choices = chart.panel("choices", (LEFT, FOOT, RIGHT, below), across, rows)
    for place, row in enumerate(ROWS):
        columns = [x for block in placed for x in _columns(block, row)]
        if columns:
            choices.cloud(f"choice.{row}", columns, [place] * len(columns), side=2.6)
    places = [ROWS.index(row) for row in (*DEFAULT_SAMPLE, *DEFAULT_METHOD[:2])]
    here = by_sample[own[0]].column(DEFAULT_METHOD)
    choices.cloud("own", [here] * len(places), places, side=3.2, accent=True)
    head = below + 0.13
    chart.words(STUDIES, head, "Studies", "right")
    chart.words(RATE, head, "Rate", "right")
    for name in (*EVIDENCE, "enrolled"):
        y = choices.up(ROWS.index(name))
        chart.number(STUDIES, y, f"{prefix}.{name}.k")
        if f"{prefix}.{name}.estimate" in report.ledger:
            chart.number(RATE, y, f"{prefix}.{name}.estimate")
    chart.legend(
        [
            ("circle", "accent", "this book"),
            ("circle", "", "another analysis"),
            ("circle", "hollow", "a single study"),
        ]
    )
    name = figure_name(pool)
    chart.write(folder, name, _records(one, placed))
    return _spoken(report, pool, name)


def _columns(block: Block, row: str) -> list[int]:
    """The columns of a block that make the choice of a row."""
    ways = range(block.width)
    if row in EVIDENCE or row in DENOMINATORS:
        if not any(row in choice for choice in block.sample.choices):
            return []
        return [block.start + place for place in ways]
    if block.sample.k < POOL_MIN_K:
        return []
    return [block.start + place for place in ways if row in COLUMNS[place]]


def _records(one: Multiverse, placed: tuple[Block, ...]) -> pd.DataFrame:
    """Every specification as a line, in the order of the figure; samples without a study last."""
    empty = [Block(sample, "", 0) for sample in one.samples if not sample.k]
    lines = [
        _record(block, spec)
        for block in (*placed, *empty)
        for spec in one.specifications
        if spec.sample is block.sample
    ]
    return pd.DataFrame(lines, dtype=object)


def _record(block: Block, spec: Specification) -> dict[str, object]:
    low, estimate, high = spec.summary or (None, None, None)
    transform, estimator, interval = spec.method
    return {
        "sample": block.letter,
        "evidence_and_denominator": "; ".join(f"{e}, {d}" for e, d in block.sample.choices),
        "transform": transform,
        "estimator": estimator,
        "interval": interval,
        "studies": spec.sample.k,
        "events": sum(spec.sample.counts[0]),
        "n": sum(spec.sample.counts[1]),
        "estimate": estimate,
        "low": low,
        "high": high,
        "state": spec.state,
    }


def _spoken(report: Report, pool: str, name: str) -> Drawn:
    members, prefix = report.members(pool), multiverse_prefix(pool)
    speaker = Speaker(report.ledger)
    speaker.say(
        f"Specification curve of {OUTCOME_LABELS[members.outcome]}, {members.unit_label}.",
        sources=(members.label_source,),
    )
    speaker.say("{specifications} analyses give from {lowest} to {highest};", prefix)
    speaker.say("this book {estimate}.", pool)
    speaker.say("By the model of this book:")
    for choice in (*EVIDENCE, "enrolled"):
        of = f"{prefix}.{choice}"
        if f"{of}.estimate" in report.ledger:
            speaker.say(f"{WORDS[choice]}, studies {{k}}, {{estimate}};", of)
        else:
            speaker.say(f"{WORDS[choice]}, studies {{k}};", of)
    speaker.say("The data beside the figure hold every analysis.")
    return speaker.drawn(name)
