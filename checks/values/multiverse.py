"""How far each pool's estimate hangs on the analyst: every choice made again.

A pool of at least two studies is analysed on each sample that the choices of evidence and of
denominator leave, by each scale, estimator and interval, and by the mixed model. Choices that leave
the same studies and counts are one sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from checks.constants import HALF, POOL_STUDIES
from checks.estimators import ESTIMATORS, INTERVALS, SCALES, Limits, pooled
from checks.expected import FRACTION, GLMM, Expected
from checks.mixed_model import fitted
from checks.rows import BOOK, Data, Entry, Row, Rules, select
from checks.statistics import exact_interval

FAMILIES: tuple[str, ...] = ("multiverse",)

_TRIALS = frozenset({"rct", "single_arm_trial"})
_FIXED = {
    "default": BOOK,
    "strict": Rules(populations=frozenset({"adult"}), types=frozenset({"primary"})),
    "wide": Rules(uncertain=True),
    "trials": Rules(designs=_TRIALS),
    "prospective": Rules(designs=_TRIALS | {"prospective_cohort"}),
    "rescue": Rules(lines=frozenset({"rescue"})),
    "trials_first": Rules(trials_first=True),
}
EVIDENCE = (*_FIXED, "definition")
DENOMINATORS = ("analysed", "enrolled")
OWN = ("default", "analysed")
#: Scale and estimator of each column of a sample.
COLUMNS = (*((scale, estimator) for scale in SCALES for estimator in ESTIMATORS), ("logit", "glmm"))
_SAME = 5e-4  # half a printed digit: movements that print alike

Choice = tuple[str, str]
Study = tuple[str, int, int]  # study, events, n


@dataclass(frozen=True)
class Analysis:
    """One specification; method is scale, estimator and interval, tolerance of its limits."""

    method: tuple[str, str, str]
    limits: Limits | None
    tolerance: float


@dataclass(frozen=True, eq=False)
class Sample:
    """What some choices of evidence and denominator leave; rows are the addresses that went in."""

    choices: tuple[Choice, ...]
    studies: tuple[Study, ...]
    rows: frozenset[str]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.studies)

    @cached_property
    def analyses(self) -> tuple[Analysis, ...]:
        """Every specification in the order of the book's tables, by column then interval."""
        counts = tuple((events, n) for _, events, n in self.studies)
        if self.k < POOL_STUDIES:
            return tuple(
                Analysis(("", "", "exact"), _alone(events, n), FRACTION) for events, n in counts
            )
        found = []
        for scale, estimator in COLUMNS:
            if estimator == "glmm":
                method = (scale, estimator, "profile")
                found.append(Analysis(method, _mixed(counts), GLMM))
                continue
            for interval, limits in zip(INTERVALS, pooled(counts, scale, estimator), strict=True):
                found.append(Analysis((scale, estimator, interval), limits, FRACTION))
        return tuple(found)

    def estimate(self, *column: str) -> float | None:
        """The estimate of one scale and estimator, None where there is none."""
        return next(
            (a.limits[1] for a in self.analyses if a.method[:2] == column and a.limits), None
        )

    @property
    def own(self) -> float | None:
        """The estimate of the book's own model, of a single study as it is."""
        return self.estimate("", "") if self.k == 1 else self.estimate("logit", "reml")


def _alone(events: int, n: int) -> Limits:
    low, high = exact_interval(events, n)
    return low, events / n, high


def _mixed(counts: tuple[tuple[int, int], ...]) -> Limits | None:
    """The mixed model; None where it has no maximum or no limits."""
    if sum(e for e, _ in counts) in (0, sum(n for _, n in counts)):
        return None
    fit = fitted(counts)
    if not FRACTION < fit.ci_low <= fit.ci_high < 1 - FRACTION:
        return None
    return fit.ci_low, fit.estimate, fit.ci_high


@dataclass(frozen=True, eq=False)
class Universe:
    """All samples of one pool; threshold is that of the set of one definition."""

    threshold: Decimal | None
    samples: tuple[Sample, ...]

    def sample(self, choice: Choice) -> Sample:
        """What a choice leaves."""
        return next(sample for sample in self.samples if choice in sample.choices)

    @cached_property
    def counted(self) -> tuple[Limits, ...]:
        """The results of every specification with several studies that can be estimated."""
        return tuple(
            analysis.limits
            for sample in self.samples
            if sample.k >= POOL_STUDIES
            for analysis in sample.analyses
            if analysis.limits
        )

    @property
    def shares(self) -> tuple[float, float]:
        """Shares of them with the estimate, and with the lower limit, above one half."""
        total = len(self.counted)
        above = sum(estimate > HALF for _, estimate, _ in self.counted)
        return above / total, sum(low > HALF for low, _, _ in self.counted) / total

    @property
    def rows(self) -> frozenset[str]:
        """What went into them."""
        several = (sample.rows for sample in self.samples if sample.k >= POOL_STUDIES)
        return frozenset[str]().union(*several)

    @property
    def own(self) -> float:
        """The book's own estimate."""
        found = self.sample(OWN).own
        assert found is not None
        return found

    def largest_move(self) -> tuple[str, float]:
        """What changed alone moves the estimate most (`evidence.strict`), and how far."""
        moves = dict(self._moves())
        most = max(map(abs, moves.values()))
        return next((name, move) for name, move in moves.items() if abs(move) > most - _SAME)

    def _moves(self) -> Iterator[tuple[str, float]]:
        own = self.sample(OWN)
        others = [
            *((f"evidence.{name}", self.sample((name, "analysed")), "logit", "reml")
              for name in EVIDENCE[1:]),
            ("denominator.enrolled", self.sample(("default", "enrolled")), "logit", "reml"),
            ("transform.arcsine", own, "arcsine", "reml"),
            *((f"estimator.{name}", own, "logit", name) for name in ("dl", "ml", "pm", "glmm")),
        ]  # fmt: skip
        for name, sample, *column in others:
            estimate = sample.estimate(*column) if sample.k >= POOL_STUDIES else None
            if estimate is not None:
                yield name, estimate - self.own


@lru_cache(maxsize=8)
def universes(data: Data) -> Mapping[str, Universe]:
    """Every therapy's pool of at least two studies by its prefix (`pool.THERAPY.OUTCOME`)."""
    by_address = {row.address: row for row in data.rows}
    arms = Counter(study for study, _ in {(row.study_id, row.arm) for row in data.rows})
    found = {}
    for prefix, entries in select(data).items():
        if not prefix.startswith("pool.") or len(entries) < POOL_STUDIES:
            continue
        threshold = _common_threshold(entries, by_address)
        sets = {name: select(data, rules)[prefix] for name, rules in _FIXED.items()}
        sets["definition"] = (
            () if threshold is None else select(data, Rules(threshold=threshold))[prefix]
        )
        found[prefix] = Universe(threshold, _samples(sets, data, by_address, arms))
    return found


def _common_threshold(entries: tuple[Entry, ...], rows: Mapping[str, Row]) -> Decimal | None:
    """The threshold that most studies state, the lowest of equals."""
    stated = Counter(rows[min(entry.rows)].threshold for entry in entries)
    del stated[None]
    most = max(stated.values(), default=0)
    return min((t for t, count in stated.items() if t is not None and count == most), default=None)


def _samples(
    sets: Mapping[str, tuple[Entry, ...]],
    data: Data,
    rows: Mapping[str, Row],
    arms: Mapping[str, int],
) -> tuple[Sample, ...]:
    """The distinct samples of one pool, in the order of their first choices."""
    choices: dict[frozenset[Study], list[Choice]] = {}
    first: dict[frozenset[Study], tuple[tuple[Study, ...], frozenset[str]]] = {}
    for name in EVIDENCE:
        for denominator in DENOMINATORS:
            studies = tuple(
                (
                    entry.study_id,
                    entry.events,
                    entry.n + (denominator == "enrolled") * _missing(entry, data, rows, arms),
                )
                for entry in sets[name]
            )
            choices.setdefault(frozenset(studies), []).append((name, denominator))
            went_in = frozenset[str]().union(*(entry.rows for entry in sets[name]))
            first.setdefault(frozenset(studies), (studies, went_in))
    return tuple(Sample(tuple(of), *first[studies]) for studies, of in choices.items())


def _missing(entry: Entry, data: Data, rows: Mapping[str, Row], arms: Mapping[str, int]) -> int:
    """Patients of a study with a single arm who were enrolled and could not be assessed."""
    enrolled = data.studies[entry.study_id].enrolled
    partial = any(
        rows[address].cells["denominator"] in ("evaluable", "per_protocol")
        for address in entry.rows
    )
    if arms[entry.study_id] > 1 or enrolled is None or not partial:
        return 0
    return max(0, enrolled - entry.n)


def incomplete(data: Data) -> list[str]:
    """The studies whose n leaves enrolled patients out, in a pool by the book's own rules."""
    found = set[str]()
    for one in universes(data).values():
        as_analysed = one.sample(OWN).studies
        found |= {s for s, _, _ in {*one.sample(("default", "enrolled")).studies} - {*as_analysed}}
    return sorted(found)


def expected(data: Data, records: Mapping[str, Any]) -> Mapping[str, Expected]:
    """Every number of the analyses."""
    found = universes(data)
    above, low_above = ([one.shares[which] for one in found.values()] for which in (0, 1))
    counts = {
        "pools": len(found),
        "specifications": sum(len(one.counted) for one in found.values()),
        "all_above": above.count(1.0),
        "some_above": sum(0 < share < 1 for share in above),
        "none_above": above.count(0.0),
        "all_low_above": low_above.count(1.0),
    }
    values = {f"multiverse.{name}": Expected(count, "count") for name, count in counts.items()}
    for pool, one in found.items():
        values.update(_of_pool("multiverse." + pool.removeprefix("pool."), one))
    return values


def _of_pool(prefix: str, one: Universe) -> dict[str, Expected]:
    estimates = [estimate for _, estimate, _ in one.counted]
    lowest, highest = min(estimates), max(estimates)
    name, move = one.largest_move()
    stats = {
        "specifications": (len(estimates), "count", 0.0),
        "lowest": (lowest, "percent", GLMM),
        "highest": (highest, "percent", GLMM),
        "down": (lowest - one.own, "points", GLMM),
        "up": (highest - one.own, "points", GLMM),
        "above_half": (one.shares[0], "percent_whole", FRACTION),
        "low_above_half": (one.shares[1], "percent_whole", FRACTION),
        f"moves.{name}": (move, "points", GLMM),
    }
    if one.threshold is not None:
        stats["threshold"] = (float(one.threshold), "platelets", 0.0)
    values = {
        f"{prefix}.{stat}": Expected(value, unit, tolerance, one.rows)
        for stat, (value, unit, tolerance) in stats.items()
    }
    for evidence, denominator in (*((e, "analysed") for e in EVIDENCE), ("default", "enrolled")):
        sample = one.sample((evidence, denominator))
        of = f"{prefix}.{evidence if denominator == 'analysed' else denominator}"
        values[f"{of}.k"] = Expected(sample.k, "count", rows=sample.rows)
        if sample.own is not None:
            values[f"{of}.estimate"] = Expected(sample.own, "percent", FRACTION, sample.rows)
    return values
