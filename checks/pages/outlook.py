"""The words of the chapter on sirolimus: comparable rows, a new study, a next study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.constants import NARROWED, PREDICTION_STUDIES, VISITS
from checks.rows import POOL_OUTCOMES, Entry
from checks.values.outlook import FOCUS

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


class Words:
    """What each function of analysis/pages/outlook.py shows."""

    def __init__(self, say: Phrases) -> None:
        self._say = say

    def coverage(self, outcome: str, opening: str = "") -> str:
        say = self._say
        parts = [say.num(f"comparable.rescue.{outcome}")]
        for place, visit in zip(("first", "second", "third"), VISITS, strict=True):
            key = f"comparable.{visit}.{outcome}"
            parts += [say.num(key)] if self._value(key) else []
            parts.append(say.num(f"const.visit_{place}"))
        return "".join(parts)

    def singles(self) -> str:
        return self._say.keys("comparable.single", "comparable.rates")

    def comparable(self) -> str:
        say = self._say
        rows = []
        for prefix in self._comparable():
            entries = self._by_year(say.pools[prefix])
            rows.append(
                [
                    "",
                    say.label(prefix),
                    say.num(f"{prefix}.state"),
                    say.keys(*(f"{self._first_row(entry)}.months" for entry in entries)),
                    "".join(marker("cite", entry.study_id) for entry in entries),
                ]
            )
        return say.table(["Outcome", "Therapy", "", "Month", "Study"], rows)

    def new_studies(self) -> str:
        say = self._say
        rows = [
            [
                say.label(prefix),
                say.num(f"{prefix}.k"),
                say.prediction(prefix),
                say.num(f"{prefix}.p_above_50"),
            ]
            for prefix in say.prefixes("pool", "overall_response", PREDICTION_STUDIES)
        ]
        headers = ["Therapy", "Studies", "Prediction interval"]
        return say.table([*headers, "Of {const.per_100_centres} centres, above {const.half}"], rows)

    def new_study(self) -> str:
        say = self._say
        prefix, base = f"pool.{FOCUS}.overall_response", f"outlook.{FOCUS}.overall_response"
        if len(say.pools[prefix]) < PREDICTION_STUDIES:
            return say.num("const.prediction_studies")
        parts = [say.prediction(prefix), say.centres(prefix), say.num(f"{prefix}.k")]
        parts += [say.stats(base, "df", "quantile"), say.num("outlook.many_quantile")]
        return "".join([*parts, say.stats(base, "if_many.pi_low", "if_many.pi_high")])

    def next_study(self, outcome: str) -> str:
        say = self._say
        prefix, base = f"pool.{FOCUS}.{outcome}", f"outlook.{FOCUS}.{outcome}"
        if not say.known(f"{base}.width"):
            return say.num("const.pool_studies")
        parts = [say.rate(prefix), say.num(f"{base}.width"), self._one_study(base)]
        parts.append(self._further(base))
        if say.known(f"{base}.next_n"):
            parts.append(say.num(f"{base}.next_n"))
            parts += [self._turn(f"{base}.{side}") for side in ("above", "below")]
        return "".join(parts)

    def conclusion(self) -> str:
        base = f"outlook.{FOCUS}.overall_response"
        if not self._say.known(f"{base}.width"):
            return ""
        patients = f"{base}.patients"
        size = self._say.num(patients) if self._say.known(patients) else ""
        return size + self._say.num("const.narrowed")

    def _one_study(self, base: str) -> str:
        say = self._say
        if say.known(f"{base}.patients"):
            return say.keys(f"{base}.patients", "const.narrowed")
        if self._any_size(base):
            return say.num("const.narrowed")
        return say.keys("const.narrowed", "const.largest_study", f"{base}.remaining")

    def _further(self, base: str) -> str:
        say = self._say
        if self._any_size(base):
            return say.stats(base, "typical", "after.ci_low", "after.ci_high")
        if not say.known(f"{base}.further"):
            return say.keys("const.most_studies", f"{base}.typical")
        return say.stats(base, "typical", "further", "after.ci_low", "after.ci_high")

    def _any_size(self, base: str) -> bool:
        """Whether a next study narrows the interval enough, whatever its size."""
        some = self._say.known(f"{base}.patients")
        return not some and self._value(f"{base}.remaining") <= NARROWED

    def _turn(self, at: str) -> str:
        say = self._say
        if say.known(f"{at}.fewest"):
            shown = say.stats(at, "fewest", "most", "fewest_rate", "most_rate")
            return say.num("const.half") + shown
        return say.num("const.half") + say.stats(at, "limit", "at")

    def _value(self, key: str) -> float:
        number = self._say.numbers.get(key)
        return float(number.value) if number else 0.0

    def _comparable(self) -> Iterable[str]:
        for visit in VISITS:
            for outcome in POOL_OUTCOMES:
                yield from self._say.prefixes(visit, outcome)

    def _by_year(self, entries: Iterable[Entry]) -> list[Entry]:
        studies = self._say.data.studies

        def order(entry: Entry) -> tuple[int, str, str]:
            study = studies[entry.study_id]
            return study.year, study.first_author, entry.study_id

        return sorted(entries, key=order)

    def _first_row(self, entry: Entry) -> str:
        rows = [row for row in self._say.data.rows if row.address in entry.rows]
        return rows[0].key


def words(say: Phrases) -> Words:
    """The words of this part."""
    return Words(say)
