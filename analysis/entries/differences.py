"""The numbers of what pools were asked about differences between their studies."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.differences import (
    BASES,
    Answer,
    Differences,
    Level,
    Obstacle,
    PoolDifferences,
    Question,
    SizeEffect,
    retrospective_share,
)
from analysis.ledger import CI, Entry, entry, interval_entries
from analysis.metaregression import Ratio
from analysis.pooling import PREDICTION_MIN_K, Pool
from analysis.selection import Members

FAMILY = "differences"
#: Units of the values that moderators take, as they are printed; other moderators have words.
UNITS = {"threshold": "platelets", "months": "months", "year": "plain"}
_WHY_NOT = {
    Obstacle.UNKNOWN: ("known",),
    Obstacle.ALIKE: ("alike", "known"),
    Obstacle.THIN: ("used",),
}


def key(prefix: str, *words: str) -> str:
    """Key of what the pool with this prefix answers."""
    return ".".join((FAMILY, prefix, *words))


def level_word(level: Level) -> str:
    """A level as a word of a key: `rescue`, `30`."""
    return level if isinstance(level, str) else f"{level:g}"


def differences_entries(
    members: dict[str, Members], pools: dict[str, Pool], found: Differences
) -> list[Entry]:
    """All numbers of the chapter on differences between studies."""
    asked = [m for m in members.values() if m.basis in BASES]
    several = [m for m in asked if len(m.studies) > 1]
    entries = [
        entry(f"{FAMILY}.several", len(several), "count"),
        entry(f"{FAMILY}.asked", len(found.pools), "count"),
        entry(f"{FAMILY}.too_few", len(several) - len(found.pools), "count"),
        entry(f"{FAMILY}.regressions", sum(len(p.answers) for p in found.pools.values()), "count"),
    ]
    for m in asked:
        if len(m.studies) >= PREDICTION_MIN_K:
            entries += _spread(m, pools[m.prefix])
    for pool in found.pools.values():
        entries += _of_pool(pool, members[pool.prefix])
    for outcome, within in found.within.items():
        rows = [address for m in within.therapies for address in m.rows]
        prefix = f"{FAMILY}.within.{outcome}"
        entries += [
            entry(f"{prefix}.k", within.regression.k, "count", rows),
            entry(f"{prefix}.therapies", len(within.therapies), "count", rows),
            *_ratio(prefix, within.odds_ratio, tuple(rows)),
        ]
    return entries


def _spread(members: Members, pool: Pool) -> Iterator[Entry]:
    """How far a new study may lie from another, and how much of the pool is retrospective."""
    share = retrospective_share(members)
    yield entry(key(members.prefix, "retrospective"), share, "percent_whole", members.rows)
    if pool.prediction:
        width = pool.prediction.high - pool.prediction.low
        yield entry(key(members.prefix, "prediction_width"), width, "points", members.rows)


def _of_pool(pool: PoolDifferences, members: Members) -> Iterator[Entry]:
    for question in pool.questions:
        name = key(pool.prefix, question.moderator.name)
        if question.obstacle is not None:
            counts = {
                "known": question.known, "alike": question.alike, "used": len(question.used)
            }  # fmt: skip
            for stat in _WHY_NOT[question.obstacle]:
                yield entry(f"{name}.{stat}", counts[stat], "count", members.rows)
        elif len(question.used) < len(members.studies):
            left = len(members.studies) - len(question.used)
            yield entry(f"{name}.left_out", left, "count", members.rows)
    for answer in pool.answers:
        yield from _answer(pool.prefix, answer)
    if pool.size:
        yield from _size(pool.prefix, pool.size, members.rows)


def ends(question: Question) -> list[tuple[str, Level]]:
    """The values at which a regression's rates are given, with the word of their keys."""
    if question.moderator.numeric:
        return list(zip(("low", "high"), question.levels, strict=True))
    return [(level_word(level), level) for level in question.levels]


def _answer(prefix: str, answer: Answer) -> Iterator[Entry]:
    question, fit, rows = answer.question, answer.regression, answer.question.rows
    name = key(prefix, question.moderator.name)
    yield entry(f"{name}.k", fit.k, "count", rows)
    yield entry(f"{name}.tau2", fit.tau2, "number", rows)
    yield entry(f"{name}.tau2_without", fit.tau2_without, "number", rows)
    if fit.explained is not None:
        yield entry(f"{name}.explained", fit.explained, "percent_whole", rows)
    if question.moderator.numeric:
        yield from _ratio(name, answer.odds_ratio(), rows)
    for place, (word, level) in enumerate(ends(question)):
        at = f"{name}.{word}"
        if not isinstance(level, str):
            yield entry(f"{at}.value", level, UNITS[question.moderator.name], rows)
        yield from interval_entries(at, answer.rate(level), rows, CI)
        if not question.moderator.numeric:
            yield entry(f"{at}.k", question.values.count(level), "count", rows)
            if place:
                yield from _ratio(at, answer.odds_ratio(level), rows)


def _size(prefix: str, size: SizeEffect, rows: tuple[str, ...]) -> Iterator[Entry]:
    name = key(prefix, "size")
    yield from _ratio(name, size.odds_ratio, rows)
    for word, n in (("small", size.smallest), ("large", size.largest)):
        yield entry(f"{name}.{word}.n", n, "count", rows)
        yield from interval_entries(f"{name}.{word}", size.rate(n), rows, CI)


def _ratio(prefix: str, ratio: Ratio, rows: tuple[str, ...]) -> Iterator[Entry]:
    """An odds ratio with its limits."""
    for stat, value in zip(("odds_ratio_low", "odds_ratio", "odds_ratio_high"), ratio, strict=True):
        yield entry(f"{prefix}.{stat}", value, "number", rows)
