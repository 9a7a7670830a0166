"""The words of the chapter that audits the sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.values.audit import BASES, Audited, audited, founding

if TYPE_CHECKING:
    from checks.vocabulary import Phrases

_GRIM = {
    "printed": "Rows",
    "no_n": "No patients stated",
    "no_power": "Too many patients to test",
    "tested": "Tested",
    "rounded": "A count fits",
    "cut_off": "Fits if cut off",
    "none": "None fits",
}
_USED = {
    "printed": "Rows",
    "used_rounded": "Counts agree",
    "used_cut_off": "Agree if cut off",
    "used_none": "Counts disagree",
}


class _Words:
    def __init__(self, say: Phrases) -> None:
        self._say = say

    def grim_table(self) -> str:
        return self._counts(_GRIM)

    def used_table(self) -> str:
        return self._counts(_USED)

    def _counts(self, columns: dict[str, str]) -> str:
        rows = [
            ["", *(self._say.num(f"audit.{basis}.{name}") for name in columns)] for basis in BASES
        ]
        return self._say.table(["", *columns.values()], rows)

    def disagreements(self, fit: str) -> str:
        rows = []
        for found in audited(self._say.data):
            if found.used != fit:
                continue
            key = f"audit.{found.row.key}"
            fits = ("low", "high") if len(found.fitting) > 1 else ("low",)
            if not found.fitting:
                fits = ("nearest", "nearest_rate")
            rows.append(
                [
                    *self._named(found),
                    _cell(found, "reported_percent"),
                    self._used(found),
                    self._say.num(f"{key}.distance"),
                    *([self._say.stats(key, *fits)] if fit == "none" else []),
                    _cell(found, "source_locator"),
                ]
            )
        headers = ["Study", "Result", "Printed, %", "Used here", "Difference"]
        headers += ["What would fit"] if fit == "none" else []
        return self._say.table([*headers, "Source"], rows)

    def ambiguous(self) -> str:
        rows = [
            [
                *self._named(found),
                _cell(found, "reported_percent"),
                self._used(found),
                self._say.stats(f"audit.{found.row.key}", "low", "high"),
                self._say.stats(f"audit.{found.row.key}", "low_rate", "high_rate"),
            ]
            for found in self._rows("ambiguous")
        ]
        headers = ["Study", "Result", "Printed, %", "Used here", "Counts that fit", "Their rates"]
        return self._say.table(headers, rows)

    def disputed(self) -> str:
        rows = [
            [
                *self._named(found),
                _cell(found, "definition"),
                _cell(found, "reported_percent"),
                self._used(found),
                self._say.known_stats(f"audit.{found.row.key}", *_ends(found)),
            ]
            for found in self._rows("disputed")
        ]
        headers = ["Study", "Result", "As noted", "Printed, %", "Used here", "Counts that fit"]
        return self._say.table(headers, rows)

    def founding(self) -> str:
        rows = []
        for constant, (found, verdict) in founding(self._say.data).items():
            key = f"audit.{constant}"
            rows.append(
                [
                    marker("datum", f"constants#{constant}#stated"),
                    self._say.num(f"const.{constant}"),
                    "".join(self._named(found)) + _cell(found, "reported_percent"),
                    self._used(found) if found.by_count else "",
                    self._say.num(f"{key}.distance") if found.by_count else "",
                    self._say.num(f"{key}.rounded") if verdict == "counts_differ" else "",
                ]
            )
        headers = ["In the article", "Figure", "The study", "Its counts", "Difference"]
        return self._say.table([*headers, "Reading"], rows)

    def rituximab_range(self) -> str:
        return ""

    def _rows(self, what: str) -> Iterable[Audited]:
        return (found for found in audited(self._say.data) if getattr(found, what))

    def _named(self, found: Audited) -> list[str]:
        row = found.row
        arm = marker("datum", f"outcomes#{row.address}#arm")
        result = arm + self._say.known_stats(row.key, "months")
        return [marker("cite", row.study_id), result]

    def _used(self, found: Audited) -> str:
        return self._say.stats(found.row.key, "events", "n", "estimate")


def _cell(found: Audited, column: str) -> str:
    return marker("datum", f"outcomes#{found.row.address}#{column}")


def _ends(found: Audited) -> tuple[str, ...]:
    return ("low", "high") if len(found.fitting) > 1 else ("low",)


def words(say: Phrases) -> _Words:
    """What stands for analysis.pages.audit."""
    return _Words(say)
