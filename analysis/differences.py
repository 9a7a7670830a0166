"""Why the studies of a pool differ: one moderator at a time, and the size of the studies.

What may be asked is declared, not chosen after the fact: MODERATORS, the fewest studies for a
regression, and how they must be spread over what is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.metaregression import Ratio, Regression, regress
from analysis.proportions import Interval
from analysis.selection import Members, StudyCounts
from analysis.trust import RETROSPECTIVE

#: Fewest studies for each characteristic modelled (Cochrane Handbook, section 10.11.5.1), and for
#: a test of small-study effects (Sterne 2011).
MIN_STUDIES = 10
#: Fewest studies at each level, and on either side of the middle of a range; fewest levels.
MIN_LEVEL, MIN_LEVELS = 2, 2
#: Years that the odds ratio of the year of publication spans; that of the month spans one month.
YEARS = 10

#: Bases whose pools are asked; the others are parts of these.
BASES = ("pool", "class")

DESIGNS = ("trial", "prospective", "retrospective")
LINES = ("second_line", "rescue", "mixed")

Level = float | str


def threshold_of(study: StudyCounts) -> Level | None:
    """The platelet count that the study's definition asks for."""
    return study.platelet_threshold


def line_of(study: StudyCounts) -> Level | None:
    """The line of therapy, one of LINES."""
    return study.line


def design_of(study: StudyCounts) -> Level | None:
    """The design of a study as one of DESIGNS."""
    if is_retrospective(study):
        return "retrospective"
    return "prospective" if study.design == "prospective_cohort" else "trial"


def month_of(study: StudyCounts) -> Level | None:
    """The month of the visit, or of the follow-up, at which response was counted."""
    return study.months


def year_of(study: StudyCounts) -> Level | None:
    """The year of publication."""
    return float(study.year)


def is_retrospective(study: StudyCounts) -> bool:
    """Whether the study looked back at its patients' records."""
    return study.design in RETROSPECTIVE


@dataclass(frozen=True)
class Moderator:
    """A characteristic of studies; `value` is None where it is unknown.

    Numeric moderators have a `step`, the unit of their odds ratio. The others have levels, of which
    the first is the reference: in the order of `order`, or by number.
    """

    name: str
    label: str
    value: Callable[[StudyCounts], Level | None]
    step: float = 0.0
    order: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether it is modelled as a line rather than as levels."""
        return self.step > 0

    def rank(self, level: Level) -> float:
        """The place of a level among others."""
        return float(self.order.index(str(level)) if self.order else level)


MODERATORS = (
    Moderator("threshold", "Platelet threshold", threshold_of),
    Moderator("line", "Line of therapy", line_of, order=LINES),
    Moderator("design", "Design", design_of, order=DESIGNS),
    Moderator("months", "Month of assessment", month_of, step=1),
    Moderator("year", "Year of publication", year_of, step=YEARS),
)


class Obstacle(StrEnum):
    """Why a moderator cannot be asked about."""

    UNKNOWN = "unknown"
    ALIKE = "alike"
    THIN = "thin"


@dataclass(frozen=True)
class Question:
    """What a pool can be asked about one moderator.

    `used` are the studies of a regression: those with a known value and, for levels, at a level
    with MIN_LEVEL studies or more. `levels` are these levels, the reference first; for numbers the
    lowest and the highest. `known` counts the studies with a known value; `alike` those at the
    commonest level, for numbers those in the fuller half of the range. `obstacle` is None where the
    question can be asked.
    """

    moderator: Moderator
    used: tuple[StudyCounts, ...]
    levels: tuple[Level, ...]
    known: int
    alike: int
    obstacle: Obstacle | None

    @property
    def values(self) -> list[Level]:
        """The value of each used study."""
        return [value for s in self.used if (value := self.moderator.value(s)) is not None]

    @property
    def rows(self) -> tuple[str, ...]:
        """Addresses of all rows that a regression takes in."""
        return tuple(address for study in self.used for address in study.rows)

    def design_row(self, value: Level) -> list[float]:
        """The row of the design: an intercept, then the steps from the mean or the levels.

        Each level but the first has an indicator.
        """
        if self.moderator.numeric:
            centre = float(np.mean([float(v) for v in self.values]))
            return [1.0, (float(value) - centre) / self.moderator.step]
        return [1.0, *(float(value == level) for level in self.levels[1:])]


def ask(moderator: Moderator, studies: Sequence[StudyCounts]) -> Question:
    """Judge whether these studies can be asked about the moderator."""
    judge = _numbers if moderator.numeric else _levels
    used, levels, known, alike = judge(moderator, studies)
    obstacle = None
    if known < MIN_STUDIES:
        obstacle = Obstacle.UNKNOWN
    elif known - alike < MIN_LEVEL or len(levels) < MIN_LEVELS:
        obstacle = Obstacle.ALIKE
    elif len(used) < MIN_STUDIES:
        obstacle = Obstacle.THIN
    return Question(moderator, tuple(used), tuple(levels), known, alike, obstacle)


Judgement = tuple[list[StudyCounts], list[Level], int, int]


def _numbers(moderator: Moderator, studies: Sequence[StudyCounts]) -> Judgement:
    """Used studies, ends of the range, studies known, studies in the fuller half of the range."""
    used = [study for study in studies if moderator.value(study) is not None]
    x = sorted(float(value) for s in used if (value := moderator.value(s)) is not None)
    if not x:
        return [], [], 0, 0
    upper = sum(value > (x[0] + x[-1]) / 2 for value in x)
    return used, [x[0], x[-1]], len(x), max(upper, len(x) - upper)


def _levels(moderator: Moderator, studies: Sequence[StudyCounts]) -> Judgement:
    """Used studies, levels with enough of them, studies known, studies at the commonest level."""
    counts = Counter(value for s in studies if (value := moderator.value(s)) is not None)
    levels = sorted((v for v, k in counts.items() if k >= MIN_LEVEL), key=moderator.rank)
    used = [study for study in studies if moderator.value(study) in levels]
    return used, levels, counts.total(), max(counts.values(), default=0)


@dataclass(frozen=True)
class Answer:
    """The regression of one pool on one moderator, by the design of the question."""

    question: Question
    regression: Regression

    def rate(self, value: Level) -> Interval:
        """The mean rate at a value of the moderator, with its confidence interval."""
        return self.regression.rate(self.question.design_row(value))

    def odds_ratio(self, level: Level | None = None) -> Ratio:
        """The odds ratio of a step of a number, or of a level against the reference."""
        contrast = [1.0] if level is None else self.question.design_row(level)[1:]
        return self.regression.odds_ratio([0.0, *contrast])


def answer(question: Question) -> Answer:
    """Fit the regression that the question asks for."""
    design = np.array([question.design_row(value) for value in question.values])
    events, n = [s.events for s in question.used], [s.n for s in question.used]
    return Answer(question, regress(events, n, design))


@dataclass(frozen=True)
class SizeEffect:
    """Rates of a pool against the size of its studies: logit on 1/n (after Peters 2006).

    The predictor does not depend on the rate, as the standard error of a proportion does, which
    makes the usual funnel lopsided by itself (Hunter 2014).
    """

    regression: Regression
    smallest: int
    largest: int

    def rate(self, n: int) -> Interval:
        """The mean rate of studies of this size."""
        return self.regression.rate([1.0, 1 / n])

    @property
    def odds_ratio(self) -> Ratio:
        """The odds in a study as small as the smallest over those in one as large as the largest.

        One where all are of a size.
        """
        return self.regression.odds_ratio([0.0, 1 / self.smallest - 1 / self.largest])


@dataclass(frozen=True)
class PoolDifferences:
    """What one pool with enough studies can be asked, and what it answers."""

    prefix: str
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    size: SizeEffect | None


def differences(members: Members) -> PoolDifferences:
    """Ask a pool about every moderator and about the size of its studies."""
    questions = tuple(ask(moderator, members.studies) for moderator in MODERATORS)
    answers = tuple(answer(question) for question in questions if question.obstacle is None)
    return PoolDifferences(members.prefix, questions, answers, size_effect(members))


def size_effect(members: Members) -> SizeEffect | None:
    """Regress on 1/n; None where all studies are of one size."""
    n = [study.n for study in members.studies]
    if len(set(n)) < 2:
        return None
    design = np.column_stack([np.ones(len(n)), 1 / np.array(n, dtype=float)])
    events = [study.events for study in members.studies]
    return SizeEffect(regress(events, n, design), min(n), max(n))


@dataclass(frozen=True)
class WithinTherapies:
    """Retrospective against other studies of the same therapy, over all therapies that have both.

    Each therapy has an intercept of its own, so that only studies of the same therapy are compared;
    the contrast and the variance between studies are taken to be the same for all.
    """

    regression: Regression
    therapies: tuple[Members, ...]

    @property
    def odds_ratio(self) -> Ratio:
        """The odds of response in retrospective over those in other studies."""
        return self.regression.odds_ratio([*(0.0 for _ in self.therapies), 1.0])


def within_therapies(pools: Iterable[Members]) -> WithinTherapies | None:
    """Compare designs within the therapies that have studies of both kinds.

    None where fewer than MIN_STUDIES studies, or a single therapy, could tell.
    """
    both = [m for m in pools if len({is_retrospective(study) for study in m.studies}) > 1]
    studies = [(place, study) for place, m in enumerate(both) for study in m.studies]
    if len(both) < MIN_LEVELS or len(studies) < MIN_STUDIES:
        return None
    design = np.array(
        [
            [*(float(place == column) for column in range(len(both))), is_retrospective(study)]
            for place, study in studies
        ],
        dtype=float,
    )
    events, n = [s.events for _, s in studies], [s.n for _, s in studies]
    return WithinTherapies(regress(events, n, design, base=len(both)), tuple(both))


@dataclass(frozen=True)
class Differences:
    """All of it: pools with enough studies by prefix, and the contrast of designs by outcome."""

    pools: dict[str, PoolDifferences]
    within: dict[str, WithinTherapies]


def retrospective_share(members: Members) -> float:
    """The share of a pool's patients that come from retrospective studies."""
    total = sum(study.n for study in members.studies)
    return sum(study.n for study in members.studies if is_retrospective(study)) / total


def examine(members: dict[str, Members]) -> Differences:
    """Ask every pool of BASES with enough studies, and every outcome across therapies."""
    pools = {
        prefix: differences(m)
        for prefix, m in members.items()
        if m.basis in BASES and len(m.studies) >= MIN_STUDIES
    }
    by_outcome: dict[str, list[Members]] = {}
    for m in members.values():
        if m.basis == "pool":
            by_outcome.setdefault(m.outcome, []).append(m)
    found = {outcome: within_therapies(of) for outcome, of in by_outcome.items()}
    return Differences(pools, {outcome: w for outcome, w in found.items() if w})
