"""How far each pool's estimate moves with the choices of the analyst."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.ledger import Entry, entry
from analysis.multiverse import EVIDENCE, Multiverse


def multiverse_prefix(pool: str) -> str:
    """Key prefix of the analyses of a pool."""
    return "multiverse." + pool.removeprefix("pool.")


def multiverse_entries(explored: Mapping[str, Multiverse]) -> list[Entry]:
    """Numbers of each pool's analyses, and how many pools stay above one half."""
    found = list(explored.values())
    entries = [
        entry("multiverse.pools", len(found), "count"),
        entry("multiverse.specifications", sum(len(m.pooled) for m in found), "count"),
        entry("multiverse.all_above", sum(m.above_half == 1 for m in found), "count"),
        entry("multiverse.some_above", sum(0 < m.above_half < 1 for m in found), "count"),
        entry("multiverse.none_above", sum(m.above_half == 0 for m in found), "count"),
        entry("multiverse.all_low_above", sum(m.low_above_half == 1 for m in found), "count"),
    ]
    for pool, one in explored.items():
        prefix, rows = multiverse_prefix(pool), one.rows
        (choice, option), move = one.largest_move()
        lowest, highest = min(one.estimates), max(one.estimates)
        entries += [
            entry(f"{prefix}.specifications", len(one.pooled), "count", rows),
            entry(f"{prefix}.lowest", lowest, "percent", rows),
            entry(f"{prefix}.highest", highest, "percent", rows),
            entry(f"{prefix}.down", lowest - one.own, "points", rows),
            entry(f"{prefix}.up", highest - one.own, "points", rows),
            entry(f"{prefix}.above_half", one.above_half, "percent_whole", rows),
            entry(f"{prefix}.low_above_half", one.low_above_half, "percent_whole", rows),
            entry(f"{prefix}.moves.{choice}.{option}", move, "points", rows),
        ]
        if one.threshold is not None:
            entries.append(entry(f"{prefix}.threshold", one.threshold, "platelets", rows))
        choices = [*((name, "analysed") for name in EVIDENCE), ("default", "enrolled")]
        for evidence, denominator in choices:
            sample = one.sample((evidence, denominator))
            of = f"{prefix}.{evidence if denominator == 'analysed' else denominator}"
            entries.append(entry(f"{of}.k", sample.k, "count", sample.rows))
            estimate = one.own_model((evidence, denominator))
            if estimate is not None:
                entries.append(entry(f"{of}.estimate", estimate, "percent", sample.rows))
    return entries
