"""The words about percentages without a denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.values.denominators import Bounds, bounds

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


class Words:
    """What each function of analysis/pages/denominators.py shows."""

    def __init__(self, say: Phrases) -> None:
        self._say = say

    def table(self) -> str:
        say = self._say
        rows = []
        for found in bounds(say.data):
            ends = ("smallest", "largest") if found.rounded else ()
            stats = ("events", "n", "estimate", "ci_low", "ci_high")
            rows.append(
                [
                    marker("cite", found.row.study_id),
                    say.num(f"{found.row.key}.reported_percent"),
                    say.stats(found.key, "sizes", "limit"),
                    *(say.stats(f"{found.key}.{end}", *stats) for end in ends),
                ]
            )
        headers = ["Study", "Printed", "Possible numbers of patients"]
        return say.table([*headers, "Fewest patients: rate", "Most patients: rate"], rows)

    def sentences(self) -> str:
        return "".join(self._sentence(found) for found in bounds(self._say.data))

    def _sentence(self, found: Bounds) -> str:
        say = self._say
        key = found.key
        printed = say.num(f"{found.row.key}.reported_percent") + say.num(f"{key}.limit")
        if not found.rounded:
            return printed
        parts = [printed, say.stats(key, "sizes", "smallest.n")]
        if found.cut_off:
            parts.append(say.stats(key, "cut_sizes", "cut_smallest_n"))
        if not found.prefix:
            ends = ("smallest.ci_low", "smallest.ci_high", "largest.ci_low", "largest.ci_high")
            return "".join([*parts, say.stats(key, *ends)])
        for end in ("smallest", "largest"):
            parts += [say.stats(f"{key}.{end}", "events", "n"), say.rate(f"{key}.with_{end}")]
        return "".join([*parts, say.rate(found.prefix)])


def words(say: Phrases) -> Words:
    """The words of this part."""
    return Words(say)
