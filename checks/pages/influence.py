"""What the chapter on single studies shows, phrase by phrase and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.rows import POOL_OUTCOMES, Entry
from checks.values.influence import Scatter, asked, counts_of, refit, scatter

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


def words(say: Phrases) -> object:
    """The phrases and tables of analysis/pages/influence.py."""
    return Words(say)


class Words:
    """The functions that the chapters call, by their names."""

    def __init__(self, say: Phrases) -> None:
        self._say = say
        self._asked = asked(say.data)

    def _prefixes(self, outcome: str) -> Iterator[str]:
        return (prefix for prefix in self._say.prefixes("pool", outcome) if prefix in self._asked)

    def _found(self, prefix: str) -> tuple[Scatter, Entry]:
        """The subsets of a pool, and the study that sets them apart."""
        entries = self._asked[prefix]
        found = scatter(counts_of(entries))
        return found, entries[found.study]

    def _ends(self, prefix: str) -> list[Entry]:
        """The studies without which the rate is lowest and highest."""
        entries = self._asked[prefix]
        rates = [
            refit(counts_of([*entries[:place], *entries[place + 1 :]])).estimate
            for place in range(len(entries))
        ]
        return [entries[rates.index(end(rates))] for end in (min, max)]

    def _rate_without(self, prefix: str, entry: Entry) -> str:
        return self._say.num(f"loo.{prefix}.without.{entry.study_id}.estimate")

    def _extremes(self, prefix: str) -> str:
        ends = self._ends(prefix)
        return "".join(self._rate_without(prefix, entry) + _name(entry) for entry in ends)

    def sentence(self, prefix: str) -> str:
        if prefix not in self._asked:
            return ""
        found, study = self._found(prefix)
        parts = found.parts(len(self._asked[prefix]))
        return self._extremes(prefix) + (_name(study) if parts else "")

    def _reading(self, prefix: str) -> str:
        say, key = self._say, f"gosh.{prefix}"
        found, study = self._found(prefix)
        numbers = say.num(f"{prefix}.estimate") + self._extremes(prefix)
        numbers += say.stats(key, "subsets", "median") + say.num("const.subsets_middle")
        numbers += say.stats(key, "low", "high", "above_half") + say.num("const.half")
        numbers += _name(study)
        if found.parts(len(self._asked[prefix])) is not None:
            numbers += say.stats(key, "separation", "i2_above")
        return numbers + say.stats(key, "with.median", "without.median", "with.i2", "without.i2")

    def overview(self) -> str:
        say = self._say
        rows = []
        for outcome in POOL_OUTCOMES:
            for prefix in self._prefixes(outcome):
                key = f"gosh.{prefix}"
                found, study = self._found(prefix)
                parts = found.parts(len(self._asked[prefix]))
                low, high = (
                    self._rate_without(prefix, entry) + marker("cite", entry.study_id)
                    for entry in self._ends(prefix)
                )
                parted = marker("cite", study.study_id) + say.num(f"{key}.shift") if parts else ""
                rows.append(
                    [
                        say.label(prefix),
                        say.num(f"{prefix}.estimate"),
                        low + high,
                        say.stats(key, "low", "high", "above_half"),
                        parted,
                    ]
                )
        headers = ["Therapy and outcome", "Rate", "Lowest and highest without a study"]
        headers.append("Middle {const.subsets_middle} of subsets, share above {const.half}")
        return say.table([*headers, "Subsets parted by"], rows)

    def sections(self) -> str:
        say = self._say
        parts = []
        for outcome in POOL_OUTCOMES:
            for prefix in self._prefixes(outcome):
                end = prefix.removeprefix("pool.").replace(".", "-")
                _, study = self._found(prefix)
                parts += [say.label(prefix), self._reading(prefix)]
                parts.append(say.figure(f"subsets-{end}", say.label(prefix) + _name(study)))
                parts.append(say.figure(f"studies-{end}", say.label(prefix)))
        return "".join(parts)


def _name(entry: Entry) -> str:
    return marker("datum", f"studies#{entry.study_id}#label")
