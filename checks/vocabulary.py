"""The words of the chapters as the checks understand them: which keys each phrase and table shows.

This is the written layout of the book's phrases and tables, apart from the code that makes them. A
table that puts a number in the wrong cell shows its keys in another order than here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from checks import constants, pages
from checks.chapters import marker
from checks.counts import FATES, late_entries
from checks.ledger import Number
from checks.rows import PARTS_OF_EVIDENCE, POOL_OUTCOMES, Data, Row, class_slug, left_out, select

_STATS = (
    "k", "events", "n", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_above_50",
    "tau2", "tau2_low", "tau2_high", "i2", "q",
    "glmm_estimate", "glmm_ci_low", "glmm_ci_high", "glmm_tau2",
)  # fmt: skip
_BASES = ("pool", "class", "cited", *PARTS_OF_EVIDENCE)
_INTERVAL = ("estimate", "ci_low", "ci_high")
_KEY_IN_HEADER = re.compile(r"\{([^}]+)\}")


def vocabulary(
    data: Data,
    numbers: Mapping[str, Number],
    package: bytes,
    build: Mapping[str, Any],
    trials: Mapping[str, Any],
) -> dict[str, Any]:
    """Every name that a chapter may use; each call gives text with markers in place of numbers."""
    phrases = Phrases(data, numbers)
    tables = Tables(phrases, json.loads(package), build, trials)
    names = {name: getattr(phrases, name) for name in vars(Phrases) if not name.startswith("_")}
    return names | pages.words(phrases) | {"tables": SimpleNamespace(**_methods(tables))}


def _methods(thing: object) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in dir(thing) if not name.startswith("_")}


class Layout:
    """What phrases and tables are made of: numbers by key, pools, names."""

    def __init__(self, data: Data, numbers: Mapping[str, Number]) -> None:
        self.data = data
        self.numbers = numbers
        self.pools = select(data)

    def num(self, key: str) -> str:
        return marker("num", key)

    def keys(self, *keys: str) -> str:
        return "".join(self.num(key) for key in keys)

    def stats(self, prefix: str, *stats: str) -> str:
        return self.keys(*(f"{prefix}.{stat}" for stat in stats))

    def known_stats(self, prefix: str, *stats: str) -> str:
        return self.stats(prefix, *(s for s in stats if self.known(f"{prefix}.{s}")))

    def text(self, key: str) -> str:
        return self.numbers[key].text if key in self.numbers else key

    def known(self, key: str) -> bool:
        return key in self.numbers

    def label(self, prefix: str) -> str:
        """The name of a pool's therapy or class."""
        table = "classes" if prefix.startswith("class.") else "therapies"
        return marker("datum", f"{table}#{prefix.split('.')[1]}#label")

    def row_text(self, row: Row) -> str:
        """One row of the evidence: its arm, and its counts or the bare percentage."""
        stats = ("events", "n") if self.known(f"{row.key}.events") else ("reported_percent",)
        return self.arm(row) + self.stats(row.key, *stats)

    def arm(self, row: Row) -> str:
        return marker("datum", f"outcomes#{row.address}#arm")

    def prefixes(self, basis: str, outcome: str, least: int = 1) -> list[str]:
        """Pools of at least so many studies, in the alphabetical order of their labels."""
        classes = {class_slug(name): name for name in self.data.therapies.values()}
        labels = classes if basis == "class" else self.data.labels
        found = [
            prefix
            for prefix, entries in self.pools.items()
            if prefix.startswith(f"{basis}.")
            and prefix.endswith(f".{outcome}")
            and len(entries) >= least
        ]
        return sorted(found, key=lambda prefix: labels[prefix.split(".")[1]].lower())

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """A table: the words of each header, and before each cell that shows something its column.

        A key in braces in a header stands for its number.
        """
        parts = []
        for column, header in enumerate(headers):
            keys = _KEY_IN_HEADER.findall(header)
            words = _KEY_IN_HEADER.sub(lambda found: self.text(found.group(1)), header)
            if words:
                parts += [marker("head", f"{column} {words}"), *map(self.num, keys)]
        for row in rows:
            for column, cell in enumerate(row):
                if cell:
                    parts += [marker("cell", str(column)), cell]
        return "".join(parts)


class Phrases(Layout):
    """The phrases that every chapter may use."""

    num = Layout.num
    word = Layout.num

    def rate(self, prefix: str) -> str:
        low, high = f"{prefix}.ci_low", f"{prefix}.ci_high"
        return self.keys(f"{prefix}.estimate", "const.level", low, high)

    def prediction(self, prefix: str) -> str:
        return self.stats(prefix, "pi_low", "pi_high")

    def many(self, key: str, one: str, several: str) -> str:
        return self.num(key)

    def counts(self, prefix: str) -> str:
        return self.stats(prefix, "k", "n")

    def centres(self, prefix: str) -> str:
        return self.keys("const.per_100_centres", f"{prefix}.p_above_50", "const.half")

    def compared(self, prefix: str, other: str) -> str:
        return ""

    def reference(self, study_ids: Iterable[str]) -> str:
        return ""

    def how_to_read(self) -> str:
        return ""

    def version(self) -> str:
        return marker("datum", "build#/version")

    def cited_alone(self) -> str:
        several = [p for p in self.pools if p.startswith("cited.") and len(self.pools[p]) > 1]
        return "".join(self.label(prefix) for prefix in several)

    def figure(self, name: str, caption: str, folder: str = "") -> str:
        return marker("figure", name) + caption

    def forest_sections(self, outcome: str, *beside: Callable[[str], str]) -> str:
        parts = []
        for prefix in self.prefixes("pool", outcome, 2):
            label = self.label(prefix)
            name = "forest-" + prefix.removeprefix("pool.").replace(".", "-")
            parts += [label, self.pool_paragraph(prefix), *(say(prefix) for say in beside)]
            parts.append(self.figure(name, label))
        return "".join(parts)

    def pool_paragraph(self, prefix: str) -> str:
        parts = [self.rate(prefix), self.counts(prefix)]
        if self.known(f"{prefix}.pi_low"):
            parts += [self.prediction(prefix), self.centres(prefix)]
        else:
            parts.append(self.num(f"{prefix}.k"))
        if self.known(f"{prefix}.glmm_estimate"):
            parts.append(self.stats(prefix, "glmm_estimate", "glmm_ci_low", "glmm_ci_high"))
        if self._models_may_part(prefix):
            parts.append(self.keys("const.rate_floor", "const.rate_ceiling"))
        return "".join(parts)

    def _models_may_part(self, prefix: str) -> bool:
        entries = self.pools[prefix]
        events, n = sum(e.events for e in entries), sum(e.n for e in entries)
        few = n < constants.FEW_PATIENTS
        return few or not constants.EXTREME_LOW <= events / n <= constants.EXTREME_HIGH


class Tables:
    """The tables, row by row, each cell with what it shows; cells of words alone are blank."""

    def __init__(
        self, say: Phrases, package: Any, build: Mapping[str, Any], trials: Mapping[str, Any]
    ) -> None:
        self._say = say
        self._data = say.data
        self._package = package
        self._build = build
        self._trials = trials

    def summary(self) -> str:
        say = self._say
        rows = []
        for prefix in say.prefixes("pool", "overall_response", 2):
            base = prefix.removesuffix("overall_response")
            few = len(say.pools[prefix]) == 2
            rows.append(
                [
                    say.label(prefix) + say.counts(prefix),
                    *(self._pooled_cell(base + outcome) for outcome in POOL_OUTCOMES),
                    say.num(f"{prefix}.state") if few else "",
                ]
            )
        headers = ["Therapy", "Overall", "Complete", "Durable, on drug", "Durable, off drug"]
        return self._say.table([*headers, "What limits trust"], rows)

    def _pooled_cell(self, prefix: str) -> str:
        say = self._say
        if not say.pools[prefix]:
            return ""
        known = say.known(f"{prefix}.pi_low")
        return say.stats(prefix, *_INTERVAL, *(("pi_low", "pi_high") if known else ("state",)))

    def pools(self, basis: str, outcome: str, min_k: int = 1) -> str:
        say = self._say
        glmm = ("glmm_estimate", "glmm_ci_low", "glmm_ci_high")
        rows = [
            [
                say.label(prefix),
                say.num(f"{prefix}.k"),
                say.stats(prefix, "events", "n"),
                say.stats(prefix, *_INTERVAL),
                say.known_stats(prefix, "pi_low", "pi_high"),
                say.known_stats(prefix, "i2"),
                say.known_stats(prefix, *glmm),
            ]
            for prefix in say.prefixes(basis, outcome, min_k)
        ]
        headers = ["Drug class" if basis == "class" else "Therapy", "Studies"]
        headers += ["Responders / patients", "Rate ({const.level} CI)", "Prediction interval"]
        return self._say.table([*headers, "I²", "Binomial-normal model"], rows)

    def cited(self) -> str:
        rows = [[_cite(study), self._reported(study), ""] for study in self._data.cited]
        return self._say.table(["Study", "What it reports", "In this book"], rows)

    def _reported(self, study: str) -> str:
        """What a cited study reports: its pools, or its rows where it enters none."""
        say = self._say
        pools = [
            prefix
            for prefix in _in_order(say.pools, self._data)
            if prefix.startswith("cited.")
            and study in {entry.study_id for entry in say.pools[prefix]}
        ]
        if not pools:
            return "".join(self._say.row_text(r) for r in self._data.rows if r.study_id == study)
        return "".join(
            say.label(prefix) + say.stats(prefix, "events", "n") + say.rate(prefix)
            for prefix in pools
        )

    def cited_beside_all(self, outcome: str = "overall_response") -> str:
        say = self._say
        rows = []
        for cited in say.prefixes("cited", outcome):
            everything = "pool." + cited.removeprefix("cited.")
            cells = (say.stats(p, *_INTERVAL) + say.counts(p) for p in (cited, everything))
            rows.append([say.label(everything), *cells])
        return self._say.table(["Therapy", "Cited alone", "All evidence"], rows)

    def flow(self) -> str:
        rows = [
            ["", self._say.num(f"flow.rows.{place}"), self._say.num(f"flow.studies.{place}")]
            for place in ("total", *FATES)
        ]
        return self._say.table(["", "Rows", "Studies"], rows)

    def exclusions(self) -> str:
        where, field = self._field("outcomes", "exclusion")
        rows = [
            ["", marker("datum", f"{where}/valueDescriptions/{code}"), self._say.num(key)]
            for code in field["valueDescriptions"]
            if self._say.known(key := f"flow.rows.excluded.{code}")
        ]
        return self._say.table(["Code", "Meaning", "Rows"], rows)

    def shared_patients(self) -> str:
        pairs = left_out(self._data)
        rows = [
            [self._say.label(prefix), "", _cite(left), _cite(kept)]
            for prefix in _in_order(pairs, self._data)
            if prefix.startswith("pool.")
            for left, kept in pairs[prefix]
        ]
        return self._say.table(["Therapy", "Outcome", "Left out", "Kept"], rows)

    def late_visits(self) -> str:
        late = late_entries(self._data)
        rows = [
            [self._say.label(prefix), "", _cite(row.study_id), self._say.num(f"{row.key}.months")]
            for prefix in _in_order(late, self._data)
            for row in late[prefix]
        ]
        return self._say.table(["Therapy", "Outcome", "Study", "Month"], rows)

    def studies(self) -> str:
        studies = sorted(self._data.studies.values(), key=lambda s: (s.year, s.first_author))
        rows = []
        for study in studies:
            given = (row.therapy for row in self._data.rows if row.study_id == study.study_id)
            names = (marker("datum", f"therapies#{name}#label") for name in dict.fromkeys(given))
            rows.append([_cite(study.study_id), "".join(names)])
        headers = ["Study", "Therapies", "Design", "Patients", "Line", "In this book"]
        return self._say.table(headers, rows)

    def outcome_rows(self) -> str:
        years = {study.study_id: study.year for study in self._data.studies.values()}
        rows = [
            [
                _cite(row.study_id),
                self._say.arm(row),
                "",
                *(
                    self._say.known_stats(row.key, *stats)
                    for stats in (
                        ("months",),
                        ("events", "n"),
                        ("estimate",),
                        ("reported_percent",),
                    )
                ),
            ]
            for row in sorted(self._data.rows, key=lambda r: (years[r.study_id], r.study_id))
        ]
        headers = ["Study", "Arm", "Outcome", "Month", "Events / n", "Rate", "Printed"]
        return self._say.table([*headers, "In this book"], rows)

    def constants(self) -> str:
        rows = [
            ["", self._say.num(key), marker("datum", source) if source else ""]
            for key, source in constants.in_order(self._data)
        ]
        return self._say.table(["Constant", "Value", "Source"], rows)

    def pool_ledger(self) -> str:
        say = self._say
        tables = []
        for basis in _BASES:
            prefixes = [p for outcome in POOL_OUTCOMES for p in say.prefixes(basis, outcome)]
            rows = [["", *(say.known_stats(p, stat) for stat in _STATS)] for p in prefixes]
            tables.append(self._say.table(["Pool", *_STATS], rows))
        return "".join(tables)

    def versions(self) -> str:
        packages = [f"packages/{name}" for name in self._build.get("packages", {})]
        names = ("version", "data", "code", "engine", "python", *packages)
        return self._say.table(
            ["", ""], [["", marker("datum", f"build#/{name}")] for name in names]
        )

    def mutations(self) -> str:
        headers = ["Change", "Made", "Noticed"]
        return self._attack("kinds", "mutation", ("made", "killed"), headers)

    def mutation_rules(self) -> str:
        headers = ["Rule", "Noticed", "No other rule did"]
        return self._attack("rules", "mutation.rule", ("noticed", "alone"), headers)

    def _attack(self, part: str, family: str, stats: Sequence[str], headers: Sequence[str]) -> str:
        """One part of the record of the attack, an entry a row."""
        rows = [
            [
                marker("datum", f"mutations#/{part}/{name}/words"),
                *(self._say.num(f"{family}.{name}.{stat}") for stat in stats),
            ]
            for name in self._trials[part]
        ]
        return self._say.table(headers, rows)

    def dictionary(self) -> str:
        parts = []
        for place, resource in enumerate(self._package["resources"]):
            where = f"package#/resources/{place}"
            rows = [
                ["", *_described(f"{where}/schema/fields/{number}", field)]
                for number, field in enumerate(resource["schema"]["fields"])
            ]
            parts.append(marker("datum", f"{where}/description"))
            parts.append(self._say.table(["Column", "Type", "Meaning", "Allowed"], rows))
            for number, _ in enumerate(resource.get("rules", [])):
                parts.append(marker("datum", f"{where}/rules/{number}/message"))
        return "".join(parts)

    def _field(self, resource: str, name: str) -> tuple[str, Any]:
        for place, found in enumerate(self._package["resources"]):
            for number, field in enumerate(found["schema"]["fields"]):
                if (found["name"], field["name"]) == (resource, name):
                    return f"package#/resources/{place}/schema/fields/{number}", field
        raise KeyError(f"datapackage.json has no column {name} of {resource}")


def _cite(study: str) -> str:
    return marker("cite", study)


def _described(where: str, field: Mapping[str, Any]) -> tuple[str, str, str]:
    """One column of the dictionary: type and unit, meaning, what is allowed."""
    constraints = field.get("constraints", {})
    meanings = field.get("valueDescriptions", {})
    allowed = [f"valueDescriptions/{v}" for v in constraints.get("enum", []) if meanings.get(v)]
    if "pattern" in constraints:
        allowed.append("patternDescription")
    allowed += [f"constraints/{bound}" for bound in ("minimum", "maximum") if bound in constraints]
    if field.get("blankMeans"):
        allowed.append("blankMeans")
    kind = [name for name in ("type", "unit") if name in field]
    description = [name for name in ("description",) if name in field]
    type_and_unit, meaning, rules = (
        "".join(marker("datum", f"{where}/{name}") for name in names)
        for names in (kind, description, allowed)
    )
    return type_and_unit, meaning, rules


def _in_order(pools: Iterable[str], data: Data) -> list[str]:
    """Prefixes of therapies in the order of therapies.csv, each with its outcomes."""
    therapies = list(data.therapies)
    return sorted(
        (prefix for prefix in pools if not prefix.startswith("class.")),
        key=lambda p: (therapies.index(p.split(".")[1]), POOL_OUTCOMES.index(p.split(".")[2])),
    )
