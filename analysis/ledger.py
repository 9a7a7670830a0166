"""The ledger: every number the book may print, by key, with its exact value and its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from analysis.pooling import State
from analysis.proportions import Interval

STATE_WORDS = {
    State.NONE: "no study",
    State.SINGLE_STUDY: "single study",
    State.TWO_STUDIES: "two studies",
    State.POOLED: "pooled",
}


def _with_minus(text: str) -> str:
    """The text with a true minus, and no sign where all digits are 0."""
    unsigned = text.lstrip("-")
    return unsigned if not unsigned.strip("0.") else text.replace("-", "\N{MINUS SIGN}")


#: Beyond these a ratio is printed as a bound: what is left of an interval says no more.
RATIO_BOUNDS = (0.001, 1000.0)


def _ratio(value: float) -> str:
    """Three significant digits, two below 1, none after the point from 100 on."""
    low, high = RATIO_BOUNDS
    if value < low:
        return f"<{low:g}"
    if value > high:
        return f">{high:,.0f}"
    digits = 2 if value < 1 else 3
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(value)))}f}"


#: How a value of each unit is printed. Fractions are printed as percentages, differences between
#: them as percentage points.
FORMATS: dict[str, Callable[[float], str]] = {
    "percent": lambda value: f"{100 * value:.1f}%",
    "percent_whole": lambda value: f"{100 * value:.0f}%",
    "per_100": lambda value: f"{100 * value:.0f}",
    "printed_percent": lambda value: f"{value:g}%",
    "count": lambda value: f"{value:,}",
    "number": lambda value: _with_minus(f"{value:.2f}"),
    "points": lambda value: _with_minus(f"{100 * value:.1f}"),
    "ratio": _ratio,
    "plain": lambda value: f"{value:g}",
    "months": lambda value: f"{value:g}",
    "platelets": lambda value: f"{value:g}",
}


@dataclass(frozen=True)
class Entry:
    """One number: `value` exact, `text` as printed, `rows` what went in, `source` if a constant."""

    key: str
    value: float | int | str
    text: str
    unit: str
    rows: tuple[str, ...] = ()
    source: str = ""


class Ledger:
    """Entries by key. A key is given once; asking for an unknown one names the nearest."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry.key in self._entries:
                raise ValueError(f"ledger key given twice: {entry.key}")
            if isinstance(entry.value, float) and not math.isfinite(entry.value):
                raise ValueError(f"ledger value not finite: {entry.key} = {entry.value}")
            self._entries[entry.key] = entry

    def __getitem__(self, key: str) -> Entry:
        if key not in self._entries:
            from difflib import get_close_matches

            near = get_close_matches(key, self._entries, n=3)
            raise KeyError(f"no number {key!r} in the ledger; nearest: {', '.join(near) or 'none'}")
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def to_json(self) -> str:
        """The list of entries as JSON, one a line so that a change is easy to see."""
        lines = (json.dumps(asdict(entry), ensure_ascii=False) for entry in self)
        return "[\n" + ",\n".join(lines) + "\n]\n"


def entry(
    key: str, value: float | int, unit: str, rows: Iterable[str] = (), source: str = ""
) -> Entry:
    """An entry whose text follows from its unit."""
    return Entry(key, value, FORMATS[unit](value), unit, tuple(rows), source)


CI = ("ci_low", "estimate", "ci_high")


def interval_entries(
    prefix: str, interval: Interval, rows: tuple[str, ...], stats: tuple[str, str, str]
) -> list[Entry]:
    """The limits and the estimate of an interval under the names of `stats`; blank names none."""
    return [
        entry(f"{prefix}.{stat}", value, "percent", rows)
        for stat, value in zip(stats, interval, strict=True)
        if stat
    ]


def row_prefix(address: str) -> str:
    """Key prefix of the numbers of one row of the evidence."""
    return "study." + address.replace("/", ".")
