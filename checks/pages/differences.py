"""What the chapter on differences between studies shows, phrase by phrase and cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from checks.constants import PREDICTION_STUDIES
from checks.rows import POOL_OUTCOMES
from checks.values.differences import MODERATORS, Regression, asked, within

if TYPE_CHECKING:
    from checks.vocabulary import Phrases

_LABELS = {
    "threshold": "Platelet threshold",
    "line": "Line of therapy",
    "design": "Design",
    "months": "Month of assessment",
    "year": "Year of publication",
}
_RATE = ("estimate", "ci_low", "ci_high")
_RATIO = ("odds_ratio", "odds_ratio_low", "odds_ratio_high")


def words(say: Phrases) -> object:
    """The phrases and tables of analysis/pages/differences.py."""
    return Words(say)


class Words:
    """The functions that the chapters call, by their names."""

    def __init__(self, say: Phrases) -> None:
        self._say = say
        self._data = say.data

    def _pools(self) -> dict[str, Mapping[str, Regression]]:
        """The pools that were asked, therapies before classes, by outcome and name."""
        found = asked(self._data)
        return {
            prefix: found[prefix]
            for basis in ("pool", "class")
            for outcome in POOL_OUTCOMES
            for prefix in self._say.prefixes(basis, outcome)
            if prefix in found
        }

    def sentence(self, prefix: str) -> str:
        return ""

    def spread(self) -> str:
        say = self._say
        rows = [
            [
                say.label(prefix),
                "",
                say.num(f"{prefix}.k"),
                say.stats(prefix, "tau2", "tau2_low", "tau2_high"),
                say.num(f"{prefix}.i2"),
                say.num(f"differences.{prefix}.prediction_width"),
                say.num(f"differences.{prefix}.retrospective"),
            ]
            for outcome in POOL_OUTCOMES
            for prefix in say.prefixes("pool", outcome, PREDICTION_STUDIES)
        ]
        headers = ["Therapy", "Outcome", "Studies", "tau² ({const.level} CI)", "I²"]
        return say.table([*headers, "Prediction width", "Retrospective"], rows)

    def sections(self) -> str:
        say = self._say
        parts = []
        for prefix, regressions in self._pools().items():
            parts.append(say.label(prefix))
            answers = {name: one for name, one in regressions.items() if not one.why_not}
            if not answers:
                continue
            for name, one in answers.items():
                if len(one.used) < len(say.pools[prefix]):
                    parts.append(say.num(f"differences.{prefix}.{name}.left_out"))
            parts.append(self._regressions(prefix, answers))
            parts.append(say.label(prefix))  # of the caption
            name = f"bubble-{prefix.replace('.', '-')}"
            parts.append(say.figure(name, say.label(prefix)))
        return "".join(parts)

    def _regressions(self, prefix: str, answers: Mapping[str, Regression]) -> str:
        say, rows = self._say, []
        for name, one in answers.items():
            key = f"differences.{prefix}.{name}"
            for place, (word, level) in enumerate(one.levels):
                of, first = f"{key}.{word}", place == 0
                # A line has one odds ratio and one number of studies, a level has its own.
                row = ["", say.num(f"{of}.k"), say.stats(of, *_RATE), say.stats(of, *_RATIO)]
                if one.numeric:
                    row[1] = say.num(f"{key}.k") if first else ""
                    row[3] = say.stats(key, *_RATIO) if first else ""
                elif first:
                    row[3] = ""
                row.insert(2, "" if isinstance(level, str) else say.num(f"{of}.value"))
                spread = [say.stats(key, "tau2", "tau2_without"), say.known_stats(key, "explained")]
                rows.append([*row, *(spread if first else ["", ""])])
        headers = ["Moderator", "Studies", "At", "Rate ({const.level} CI)"]
        headers += ["Odds ratio ({const.level} CI)", "tau² (without)", "Explained"]
        return say.table(headers, rows)

    def not_asked(self) -> str:
        say = self._say
        rows = []
        for prefix, regressions in self._pools().items():
            cells = []
            for name, one in regressions.items():
                key = f"differences.{prefix}.{name}"
                shown = one.why_not or ("k",)
                of_all = "" if len(shown) > 1 else say.num(f"{prefix}.k")
                cells.append(say.stats(key, *shown) + of_all)
            rows.append([say.label(prefix), *cells])
        return say.table(["Pool", *(_LABELS[name] for name in MODERATORS)], rows)

    def within(self, outcome: str) -> str:
        pools = within(self._data, outcome)
        if not pools:
            return ""
        say, name = self._say, f"differences.within.{outcome}"
        labels = "".join(say.label(prefix) for prefix in pools)
        ratio = say.num(f"{name}.odds_ratio") + say.num("const.level")
        limits = say.stats(name, "odds_ratio_low", "odds_ratio_high")
        return say.num(f"{name}.therapies") + labels + say.num(f"{name}.k") + ratio + limits

    def funnels(self) -> str:
        say = self._say
        parts = []
        for prefix in self._pools():
            parts.append(say.label(prefix))
            name = f"differences.{prefix}.size"
            if len({entry.n for entry in say.pools[prefix]}) < 2:
                continue
            for size in ("small", "large"):
                parts.append(say.stats(f"{name}.{size}", *_RATE, "n"))
            parts.append(say.num(f"{name}.odds_ratio") + say.num("const.level"))
            parts.append(say.stats(name, "odds_ratio_low", "odds_ratio_high"))
            caption = say.label(prefix) + say.num("const.level")
            parts.append(say.figure(f"funnel-{prefix.replace('.', '-')}", caption))
        return "".join(parts)

    def too_few(self) -> str:
        counts = ("differences.too_few", "differences.several", "const.regression_studies")
        return self._say.keys(*counts)
