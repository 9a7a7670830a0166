"""One pool analysed in every reasonable way, to see how far its estimate hangs on the analyst.

A specification is a choice of evidence, of denominator, of scale, of estimator and of interval. The
book's own is one of them. Choices that leave the same studies with the same counts are one sample,
analysed and counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.estimators import Limits
from analysis.evidence import Evidence
from analysis.glmm import fit_glmm
from analysis.pooling import HALF, POOL_MIN_K
from analysis.proportions import Interval, exact_interval
from analysis.selection import PROSPECTIVE, RULES, TRIALS, Members, Rules, Selection, select

#: The evidence sets that are the same for every pool; `definition` is made for each.
RULES_OF = {
    "default": RULES,
    "strict": Rules(populations=("adult",), itp_types=("primary",)),
    "wide": Rules(confidences=("high", "medium", "low")),
    "trials": Rules(designs=TRIALS),
    "prospective": Rules(designs=PROSPECTIVE),
    "rescue": Rules(lines=("rescue",)),
    "trials_first": Rules(trials_first=True),
}
#: All of them in the order of tables and figures.
EVIDENCE = (*RULES_OF, "definition")
DENOMINATORS = ("analysed", "enrolled")
DEFAULT_SAMPLE = ("default", "analysed")
DEFAULT_METHOD = ("logit", "reml", "kh_conservative")
#: The exact likelihood comes on its own scale with its own interval.
EXACT = ("logit", "glmm", "profile")
#: A pool of a single study is that study, by no model.
ALONE = ("", "", "exact")
#: A limit nearer to 0 or 1 is none: so far out it hangs on how it was searched for.
NO_LIMIT = 1e-6
#: Movements nearer than this print alike; the first in order is named.
SAME_MOVE = 5e-4

Counts = tuple[tuple[int, ...], tuple[int, ...]]
Method = tuple[str, str, str]


@dataclass(frozen=True)
class Sample:
    """Studies as one or more choices of (evidence, denominator) leave them.

    `studies` holds study_id, events and n of each; `rows` the addresses of what went in.
    """

    choices: tuple[tuple[str, str], ...]
    studies: tuple[tuple[str, int, int], ...]
    rows: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.studies)

    @property
    def counts(self) -> Counts:
        """Events and n of the studies."""
        return tuple(e for _, e, _ in self.studies), tuple(n for _, _, n in self.studies)


@dataclass(frozen=True)
class Grid:
    """All samples of one pool; `threshold` as in Multiverse."""

    threshold: float | None
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Specification:
    """One analysis of a sample; `method` is transform, estimator, interval.

    `summary` is None where there is no study or the method cannot be estimated.
    """

    sample: Sample
    method: Method
    summary: Interval | None

    @property
    def state(self) -> str:
        """What it gives: `pooled`, `single study`, `no study` or `cannot be estimated`."""
        if self.sample.k < POOL_MIN_K:
            return "single study" if self.sample.k else "no study"
        return "pooled" if self.summary else "cannot be estimated"


@dataclass(frozen=True)
class Multiverse:
    """All specifications of one pool, by sample and method.

    `threshold` is the one of the set of one definition, None where no study states any.
    """

    prefix: str
    threshold: float | None
    samples: tuple[Sample, ...]
    specifications: tuple[Specification, ...]

    @cached_property
    def pooled(self) -> tuple[Specification, ...]:
        """The specifications with an estimate from several studies: those that are counted."""
        return tuple(s for s in self.specifications if s.state == "pooled")

    @cached_property
    def estimates(self) -> tuple[float, ...]:
        """The estimates of those."""
        return tuple(s.summary.estimate for s in self.pooled if s.summary)

    @property
    def own(self) -> float:
        """The book's own estimate."""
        return self._alone(DEFAULT_SAMPLE, DEFAULT_METHOD[:2])[0]

    @property
    def above_half(self) -> float:
        """Share of the counted specifications with an estimate above one half."""
        return sum(estimate > HALF for estimate in self.estimates) / len(self.estimates)

    @property
    def low_above_half(self) -> float:
        """Share with the lower limit above one half too."""
        return sum(s.summary.low > HALF for s in self.pooled if s.summary) / len(self.pooled)

    @property
    def rows(self) -> tuple[str, ...]:
        """Addresses of all rows that went into any specification that is counted."""
        return tuple(dict.fromkeys(row for s in self.pooled for row in s.sample.rows))

    def sample(self, choice: tuple[str, str]) -> Sample:
        """What a choice of evidence and denominator leaves."""
        return next(sample for sample in self.samples if choice in sample.choices)

    def own_model(self, choice: tuple[str, str]) -> float | None:
        """The estimate of a sample by the book's own model; None where there is no study."""
        sample = self.sample(choice)
        method = ALONE if sample.k == 1 else DEFAULT_METHOD
        return next(iter(self._estimates(sample, method[:2])), None)

    def moves(self) -> dict[tuple[str, str], float]:
        """By (choice, option): how far the estimate moves when that alone is changed."""
        others: dict[tuple[str, str], tuple[tuple[str, str], tuple[str, ...]]] = {
            ("evidence", name): ((name, DEFAULT_SAMPLE[1]), DEFAULT_METHOD[:2])
            for name in EVIDENCE[1:]
        }
        others["denominator", "enrolled"] = (("default", "enrolled"), DEFAULT_METHOD[:2])
        others["transform", "arcsine"] = (DEFAULT_SAMPLE, ("arcsine", DEFAULT_METHOD[1]))
        for estimator in ("dl", "ml", "pm", "glmm"):
            others["estimator", estimator] = (DEFAULT_SAMPLE, ("logit", estimator))
        return {
            name: found[0] - self.own
            for name, (choice, method) in others.items()
            if self.sample(choice).k >= POOL_MIN_K and (found := self._alone(choice, method))
        }

    def largest_move(self) -> tuple[tuple[str, str], float]:
        """The choice and option that move the estimate most, and how far."""
        moves = self.moves()
        most = max(abs(move) for move in moves.values())
        return next((name, move) for name, move in moves.items() if abs(move) > most - SAME_MOVE)

    def _alone(self, choice: tuple[str, str], method: Sequence[str]) -> list[float]:
        return self._estimates(self.sample(choice), method)

    def _estimates(self, sample: Sample, method: Sequence[str]) -> list[float]:
        return [
            s.summary.estimate
            for s in self.specifications
            if s.sample is sample and s.method[:2] == tuple(method) and s.summary
        ]


def common_threshold(members: Members) -> float | None:
    """The platelet threshold that most studies of a pool state, the lower of equals."""
    stated = Counter(
        study.platelet_threshold
        for study in members.studies
        if study.platelet_threshold is not None
    )
    return min(stated, key=lambda threshold: (-stated[threshold], threshold), default=None)


def grids(evidence: Evidence, chosen: Selection) -> dict[str, Grid]:
    """What the choices of evidence and denominator leave of each therapy's pool.

    Pools with at least two studies by the book's own rules (`chosen`). Where no study states a
    threshold the set of one definition is empty.
    """
    pools = {
        prefix: members
        for prefix, members in chosen.members.items()
        if members.basis == "pool" and len(members.studies) >= POOL_MIN_K
    }
    thresholds = {prefix: common_threshold(members) for prefix, members in pools.items()}
    found = {name: select(evidence, rules, only="pool").members for name, rules in RULES_OF.items()}
    of_threshold = {
        threshold: select(evidence, Rules(threshold=threshold), only="pool").members
        for threshold in sorted({t for t in thresholds.values() if t is not None})
    }
    made = {}
    for prefix in pools:
        sets = {name: members[prefix] for name, members in found.items()}
        threshold = thresholds[prefix]
        if threshold is not None:
            sets["definition"] = of_threshold[threshold][prefix]
        made[prefix] = Grid(threshold, _distinct(sets))
    return made


def _distinct(sets: Mapping[str, Members]) -> tuple[Sample, ...]:
    """The samples of one pool, each with all the choices that lead to it."""
    choices: dict[tuple[tuple[str, int, int], ...], list[tuple[str, str]]] = {}
    rows: dict[tuple[tuple[str, int, int], ...], tuple[str, ...]] = {}
    for name in EVIDENCE:
        members = sets[name].studies if name in sets else ()
        for denominator in DENOMINATORS:
            studies = tuple(
                (s.study_id, s.events, s.n + (s.missing if denominator == "enrolled" else 0))
                for s in members
            )
            choices.setdefault(studies, []).append((name, denominator))
            rows.setdefault(studies, tuple(row for s in members for row in s.rows))
    return tuple(Sample(tuple(of), studies, rows[studies]) for studies, of in choices.items())


def exact(
    events: Sequence[int], n: Sequence[int]
) -> tuple[Limits | None, float | None, float | None, str]:
    """The binomial-normal model of k >= 2 studies in plain values, in the order of Glmm."""
    fit = fit_glmm(events, n)
    summary = fit.summary
    limits = (summary.low, summary.estimate, summary.high) if summary else None
    return limits, fit.tau2, fit.log_likelihood, fit.why_not


def as_interval(limits: Limits | None) -> Interval | None:
    """The plain limits and estimate as an interval."""
    return Interval(*limits) if limits else None


def explore(
    made: Mapping[str, Grid],
    two_steps: Mapping[Counts, Iterable[tuple[str, str, str, Limits | None]]],
    glmms: Mapping[Counts, Interval | None],
) -> dict[str, Multiverse]:
    """Every specification of every pool, from what `two_step` and the GLMM give by counts."""

    def specifications(sample: Sample) -> list[Specification]:
        if sample.k == 0:
            return [Specification(sample, ("", "", ""), None)]
        if sample.k < POOL_MIN_K:
            _, events, n = sample.studies[0]
            return [Specification(sample, ALONE, exact_interval(events, n))]
        found = [
            Specification(sample, (transform, estimator, interval), as_interval(limits))
            for transform, estimator, interval, limits in two_steps[sample.counts]
        ]
        exact = glmms[sample.counts]
        limited = exact and exact.low > NO_LIMIT and exact.high < 1 - NO_LIMIT
        return [*found, Specification(sample, EXACT, exact if limited else None)]

    return {
        prefix: Multiverse(
            prefix,
            grid.threshold,
            grid.samples,
            tuple(spec for sample in grid.samples for spec in specifications(sample)),
        )
        for prefix, grid in made.items()
    }
