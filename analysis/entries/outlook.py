"""The numbers of the outlook: comparable rows, a new study, and a next one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis import outlook
from analysis.ledger import CI, Entry, entry, interval_entries
from analysis.outlook import NextStudy, Outlook, Predictive, Turn
from analysis.pooling import Pool
from analysis.selection import VISITS, Selection


def outlook_entries(
    chosen: Selection, pools: Mapping[str, Pool], looks: Mapping[str, Outlook]
) -> list[Entry]:
    """Numbers of the outlook of each pool of the focus, by prefix, and of the comparable rows."""
    entries = [
        *_studies_entries(chosen),
        entry("outlook.many_quantile", outlook.many_studies_quantile(), "number"),
    ]
    for prefix, look in looks.items():
        rows = chosen.members[prefix].rows
        base = f"outlook.{prefix.removeprefix('pool.')}"
        predictive = outlook.predictive(pools[prefix])
        if predictive:
            entries += _predictive_entries(base, predictive, rows)
        if look.narrowing:
            entries += _narrowing_entries(base, look.narrowing, rows)
        if look.next_study:
            entries += _next_entries(base, look.next_study, rows)
    return entries


def _studies_entries(chosen: Selection) -> list[Entry]:
    """Rates of rescue patients at visits, and how many studies give them, at visits and at all."""
    pools = [m for m in chosen.members.values() if m.basis in VISITS and m.studies]
    single = [m for m in pools if len(m.studies) == 1]
    entries = [
        entry(f"comparable.{name}", len(found), "count", [a for m in found for a in m.rows])
        for name, found in (("rates", pools), ("single", single))
    ]
    for outcome in ("overall_response", "complete_response"):
        for basis in ("rescue", *VISITS):
            members = [
                m for m in chosen.members.values() if m.basis == basis and m.outcome == outcome
            ]
            studies = {study.study_id for m in members for study in m.studies}
            rows = [address for m in members for address in m.rows]
            entries.append(entry(f"comparable.{basis}.{outcome}", len(studies), "count", rows))
    return entries


def _predictive_entries(base: str, new: Predictive, rows: tuple[str, ...]) -> list[Entry]:
    return [
        entry(f"{base}.df", new.df, "count", rows),
        entry(f"{base}.quantile", new.quantile, "number", rows),
        *interval_entries(f"{base}.if_many", new.limits_if_many(), rows, ("pi_low", "", "pi_high")),
    ]


def _narrowing_entries(base: str, found: outlook.Narrowing, rows: tuple[str, ...]) -> list[Entry]:
    entries = [
        entry(f"{base}.width", found.width, "points", rows),
        entry(f"{base}.remaining", found.remaining, "percent_whole", rows),
        entry(f"{base}.typical", found.typical, "plain", rows),
    ]
    if found.patients:
        entries.append(entry(f"{base}.patients", math.ceil(found.patients), "count", rows))
    if found.studies and found.after:
        entries.append(entry(f"{base}.further", found.studies, "count", rows))
        entries += interval_entries(f"{base}.after", found.after, rows, CI)
    return entries


def _next_entries(base: str, found: NextStudy, rows: tuple[str, ...]) -> list[Entry]:
    entries = [entry(f"{base}.next_n", found.n, "count", rows)]
    for side, turn in (("above", found.above), ("below", found.below)):
        entries += _turn_entries(f"{base}.{side}", turn, found.n, rows)
    return entries


def _turn_entries(base: str, turn: Turn, n: int, rows: tuple[str, ...]) -> list[Entry]:
    """The results that would do, or the limit that comes nearest where none would."""
    if turn.fewest is None or turn.most is None:
        return [
            entry(f"{base}.limit", turn.nearest, "percent", rows),
            entry(f"{base}.at", turn.at, "count", rows),
        ]
    return [
        entry(f"{base}.{stat}{suffix}", value, unit, rows)
        for stat, events in (("fewest", turn.fewest), ("most", turn.most))
        for suffix, value, unit in (("", events, "count"), ("_rate", events / n, "percent"))
    ]
