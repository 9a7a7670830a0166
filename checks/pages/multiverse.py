"""The words of the chapter on the analyst's choices, and the sentence beside each pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.rows import POOL_OUTCOMES
from checks.values.multiverse import incomplete, universes

if TYPE_CHECKING:
    from checks.vocabulary import Phrases

#: The citations in the cells of the table of choices, by row; `ENROLLED` stands for the studies.
_ENROLLED = 9
_CITED = {12: "dersimonian1986", 15: "paule1982"}
_CHOICES = 20
#: A movement too small to be printed is not told.
_NO_MOVE = "0.0"


def words(say: Phrases) -> _Words:
    """The phrases of this part."""
    return _Words(say)


class _Words:
    def __init__(self, say: Phrases) -> None:
        self._say = say
        self._found = universes(say.data)

    def _of(self, pool: str) -> str:
        return "multiverse." + pool.removeprefix("pool.")

    def sentence(self, pool: str, linked: bool = True) -> str:
        one, of = self._found[pool], self._of(pool)
        name, _ = one.largest_move()
        stats = ["specifications", "lowest", "highest", "down", "up"]
        if self._say.text(f"{of}.moves.{name}") != _NO_MOVE:
            stats.append(f"moves.{name}")
        return self._say.stats(of, *stats) + self._half(pool)

    def _half(self, pool: str) -> str:
        """Which shares are told: none where all analyses agree."""
        of, (above, low) = self._of(pool), self._found[pool].shares
        told = [f"{of}.above_half"] if 0 < above < 1 else []
        told.append("const.half")
        if above > 0 and 0 < low < 1:
            told.append(f"{of}.low_above_half")
        return self._say.keys(*told)

    def choices(self) -> str:
        cells = {row: marker("cite", key) for row, key in _CITED.items()}
        studies = incomplete(self._say.data)
        cells[_ENROLLED] = "".join(marker("cite", study) for study in studies)
        rows = [["", "", cells.get(row, "")] for row in range(_CHOICES)]
        return self._say.table(["Choice", "Option", "What it means"], rows)

    def _pools(self) -> list[str]:
        say = self._say
        return [p for o in POOL_OUTCOMES for p in say.prefixes("pool", o) if p in self._found]

    def overview(self) -> str:
        stats = ("lowest", "highest", "above_half", "low_above_half")
        rows = []
        for pool in self._pools():
            of = self._of(pool)
            numbers = [f"{of}.specifications", f"{pool}.estimate", *(f"{of}.{s}" for s in stats)]
            rows.append([self._say.label(pool), "", *map(self._say.num, numbers)])
        headers = ["Therapy", "Outcome", "Analyses", "This book", "Lowest", "Highest"]
        return self._say.table(
            [*headers, "Above {const.half}", "Lower limit above {const.half}"], rows
        )

    def sections(self, outcome: str) -> str:
        say = self._say
        parts = []
        for pool in self._pools():
            if not pool.endswith(f".{outcome}"):
                continue
            parts += [say.label(pool), self.sentence(pool)]
            if self._found[pool].threshold is not None:
                parts.append(say.num(f"{self._of(pool)}.threshold"))
            name = "robustness-" + pool.removeprefix("pool.").replace(".", "-")
            parts.append(say.figure(name, say.label(pool)))
        return "".join(parts)
