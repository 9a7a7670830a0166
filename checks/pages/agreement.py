"""The words of the chapter that compares the pools with those of other reviews."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.published import Published, entries, published, unlike

if TYPE_CHECKING:
    from checks.vocabulary import Phrases

_RATE = ("estimate", "ci_low", "ci_high")


class _Words:
    def __init__(self, say: Phrases) -> None:
        self._say = say

    def table(self) -> str:
        rows = [
            [
                self._what(one),
                _who(one),
                self._theirs(one),
                self._ours(one),
                self._say.num(f"{one.key}.difference"),
            ]
            for one in self._compared()
        ]
        headers = ["Therapy and outcome", "Review", "Its pool", "This book", "Difference"]
        return self._say.table(headers, rows)

    def facts(self) -> str:
        headers = ["Therapy and outcome", "Review", "Intervals overlap", "Our rate in its interval"]
        headers += ["Its rate in our interval", "Its rate in our prediction interval"]
        rows = [[self._what(one), _which(one)] for one in self._compared()]
        return self._say.table(headers, rows)

    def why(self) -> str:
        rows = [[self._what(one), _which(one), self._reasons(one)] for one in self._compared()]
        return self._say.table(["Therapy and outcome", "Review", "What is not the same"], rows)

    def without(self) -> str:
        rows = [
            [self._what(one), _who(one), self._theirs(one)]
            for one in published(self._say.data)
            if one.absent
        ]
        headers = ["Therapy and outcome", "Review", "Its pool", "Why not compared"]
        return self._say.table(headers, rows)

    def _compared(self) -> Iterable[Published]:
        return (one for one in published(self._say.data) if one.ours)

    def _what(self, one: Published) -> str:
        return marker("datum", f"therapies#{one.cells['therapy']}#label")

    def _theirs(self, one: Published) -> str:
        limits = _RATE if one.limits else _RATE[:1]
        return self._say.stats(one.key, *limits, "k", "n")

    def _ours(self, one: Published) -> str:
        rate = self._say.stats(one.ours, *_RATE, "k", "n")
        return rate + self._say.known_stats(one.ours, "pi_low", "pi_high")

    def _reasons(self, one: Published) -> str:
        """Numbers of our studies that are unlike theirs, where some are."""
        counts, k = unlike(self._say.data, one), len(entries(self._say.data, one))
        keys = []
        if counts.get("same_threshold", k) != k:
            keys.append(f"{one.key}.same_threshold")
        keys += [f"{one.key}.{name}" for name in ("later", "mixed_ages") if counts[name]]
        return "".join(self._say.num(key) + self._say.num(f"{one.ours}.k") for key in keys)


def _name(one: Published) -> str:
    return "".join(marker("datum", one.address(column)) for column in ("source", "year"))


def _which(one: Published) -> str:
    several = "~" in one.name
    return _name(one) + (marker("datum", one.address("definition")) if several else "")


def _who(one: Published) -> str:
    note = ["method_note"] if one.cells["method_note"] else []
    said = (marker("datum", one.address(column)) for column in ("definition", *note))
    return _name(one) + "".join(said)


def words(say: Phrases) -> _Words:
    """What stands for analysis.pages.agreement."""
    return _Words(say)
