"""What the chapter on randomised comparisons shows, as markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.chapters import marker
from checks.contrasts import Contrast, contrasts
from checks.rows import POOL_OUTCOMES, background

if TYPE_CHECKING:
    from checks.vocabulary import Phrases

_INTERVAL = ("estimate", "ci_low", "ci_high")
_BACKGROUND = ("visit", "ever", "durable")


class Words:
    """The methods of analysis.pages.comparisons."""

    def __init__(self, say: Phrases) -> None:
        self._say = say
        self._contrasts = contrasts(say.data)

    def _prefixes(self, basis: str, outcome: str) -> list[str]:
        return [p for p in self._say.prefixes(basis, outcome) if p in self._contrasts]

    def trials(self, outcome: str) -> str:
        rows = [
            self._trial(prefix, contrast)
            for prefix in self._prefixes("pool", outcome)
            for contrast in self._contrasts[prefix]
        ]
        headers = [
            "Therapy and control",
            "Trial",
            "What was counted",
            "Month",
            "Treated",
            "Control",
        ]
        return self._say.table(headers, rows)

    def _trial(self, prefix: str, contrast: Contrast) -> list[str]:
        say, first = self._say, contrast.first
        trial = f"contrast.{prefix}.study.{contrast.study_id}"
        definition = marker("datum", f"outcomes#{first.address}#definition")
        return [
            say.label(prefix) + marker("datum", f"therapies#{contrast.control}#label"),
            marker("cite", contrast.study_id),
            definition if first.cells["definition"] else "",
            say.known_stats(first.key, "months"),
            say.stats(trial, "treated_events", "treated_n"),
            say.stats(trial, "control_events", "control_n"),
        ]

    def effects(self, outcome: str) -> str:
        say = self._say
        rows = [
            [
                say.label(prefix),
                say.num(f"contrast.{prefix}.k"),
                self._effect(f"difference.{prefix}"),
                say.num(f"difference.{prefix}.per_100"),
                self._effect(f"ratio.{prefix}"),
                say.known_stats(f"difference.{prefix}", "i2"),
            ]
            for basis in ("pool", "class")
            for prefix in self._prefixes(basis, outcome)
        ]
        headers = ["Therapy or class", "Trials", "Difference, percentage points"]
        headers += ["Of {const.per_100_patients} patients", "Ratio", "I²"]
        return say.table(headers, rows)

    def _effect(self, prefix: str) -> str:
        say = self._say
        if not say.known(f"{prefix}.estimate"):
            return ""
        predicted = say.known(f"{prefix}.pi_low")
        return say.stats(prefix, *_INTERVAL, *(("pi_low", "pi_high") if predicted else ("state",)))

    def beside(self, outcome: str) -> str:
        say = self._say
        rows = []
        for prefix in self._prefixes("pool", outcome):
            sides = (
                say.stats(f"contrast.{prefix}.{side}", *_INTERVAL)
                + say.stats(f"contrast.{prefix}", f"{side}_events", f"{side}_n")
                for side in ("treated", "control")
            )
            everything = say.stats(prefix, *_INTERVAL) + say.counts(prefix)
            difference = say.stats(f"difference.{prefix}", *_INTERVAL)
            rows.append([say.label(prefix), everything, *sides, difference])
        headers = ["Therapy", "All evidence", "Trials: treated", "Trials: control"]
        return say.table([*headers, "Difference, percentage points"], rows)

    def background(self) -> str:
        say = self._say
        glmm = ("glmm_estimate", "glmm_ci_low", "glmm_ci_high")
        rows = [
            [
                "",
                say.num(f"{prefix}.k"),
                say.stats(prefix, "events", "n"),
                say.known_stats(prefix, *_INTERVAL),
                say.known_stats(prefix, "pi_low", "pi_high"),
                say.known_stats(prefix, *glmm),
            ]
            for prefix in background(say.data)
        ]
        headers = ["What was counted", "Trials", "Responders / patients"]
        headers += ["Rate ({const.level} CI)", "Prediction interval", "Binomial-normal model"]
        return say.table(headers, rows)

    def background_rates(self) -> str:
        say = self._say
        return "".join(say.known_stats(prefix, "estimate") for prefix in background(say.data))

    def uncompared(self) -> str:
        data = self._say.data
        compared = {c.study_id for found in self._contrasts.values() for c in found}
        rows = []
        for study in data.studies.values():
            if study.cells["design"] == "rct" and study.study_id not in compared:
                said = "".join(
                    self._say.row_text(row) for row in data.rows if row.study_id == study.study_id
                )
                rows.append([marker("cite", study.study_id), said, ""])
        return self._say.table(["Trial", "What it reports", "Why not"], rows)

    def sentence(self, prefix: str) -> str:
        if prefix not in self._contrasts:
            return ""
        say = self._say
        return say.num(f"contrast.{prefix}.k") + say.stats(f"difference.{prefix}", *_INTERVAL)

    def against_control(self, therapy: str) -> str:
        prefixes = [f"pool.{therapy}.{outcome}" for outcome in POOL_OUTCOMES]
        return self._say.label(prefixes[0]) + "".join(map(self.sentence, prefixes))

    def not_compared_outcomes(self) -> str:
        return ""

    def shared_controls(self) -> str:
        therapies: dict[str, dict[str, None]] = {}
        for prefix, found in self._contrasts.items():
            if prefix.startswith("pool."):
                for contrast in found:
                    therapies.setdefault(contrast.study_id, {})[prefix.split(".")[1]] = None
        return "".join(
            marker("datum", f"therapies#{therapy}#label")
            for found in therapies.values()
            if len(found) > 1
            for therapy in found
        )


def words(say: Phrases) -> Words:
    """What stands for analysis.pages.comparisons."""
    return Words(say)
