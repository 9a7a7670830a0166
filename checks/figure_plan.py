"""What each figure must show, worked out from the data alone: texts, marks, and what is spoken.

The layout rules of the plots are written here once more: which rows a plot has and in which order,
which numbers stand in a row, which mark stands for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from checks import plans
from checks.plans.figure import (
    COLUMNS,
    SYMBOLS,
    FigurePlan,
    Line,
    Mark,
    months,
    pooled_lines,
    printed_line,
    spoken,
    study_line,
    without_weight,
)
from checks.rows import LINES, POOL_OUTCOMES, Data, Entry, Row, class_slug, select
from checks.sources import Sources

FOCUS = "sirolimus"
OUTCOME_WORDS = {
    "overall_response": "overall",
    "complete_response": "complete",
    "durable_response_on": "durable",
    "durable_response_off": "durable",
}
_OF_STUDIES = {"first": "Responders", "second": "Patients"}
_OF_POOLS = {"first": "Studies", "second": "Patients"}
#: Heterogeneity below a forest plot: each number stands right of its name.
_FOOT = {**SYMBOLS, "q": "Q"}
_CITED = " *"

_FLOW = (
    ("In the data", "total"),
    ("No platelet-response figure", "no_outcome_rows"),
    ("Partial response or relapse, shown but not pooled", "outcome_not_pooled"),
    ("Children only", "population_child"),
    ("Secondary thrombocytopenia", "itp_secondary"),
    ("Remaining", "after.itp_secondary"),
    ("Coded as unfit for a pool", "excluded"),
    ("No denominator printed", "no_denominator"),
    ("Reading uncertain", "low_confidence"),
    ("Remaining", "after.low_confidence"),
    ("Another row of the same study preferred", "other_row_preferred"),
    ("Shares patients with a fuller study", "shared_patients"),
    ("Pooled", "pooled"),
)


def figure_plans(data: Data, sources: Sources, records: Mapping[str, Any]) -> dict[str, FigurePlan]:
    """The plan of every figure that the book must have, by name.

    records: what was measured once and recorded, by name.
    """
    found = [*_Planner(data, sources).plans(), *plans.plans(data, sources, records)]
    return {plan.name: plan for plan in found}


class _Planner:
    def __init__(self, data: Data, sources: Sources) -> None:
        self._data = data
        self._sources = sources
        self._pools = select(data)

    def plans(self) -> list[FigurePlan]:
        """The figures of the evidence, its selection and its pools."""
        found = [self._flow(), self._map(), self._time_course(), self._cited()]
        for outcome in POOL_OUTCOMES:
            found += [self._forest(p) for p in self._prefixes("pool", outcome, 2)]
            found += self._single(outcome)
            found += self._side_by_side("pool", outcome)
        for basis in (*LINES, "class"):
            found += self._side_by_side(basis, "overall_response")
        return found

    # --- units and names ---------------------------------------------------------------------

    def _text(self, address: str) -> str:
        return self._sources.text(address) or ""

    def _unit_source(self, prefix: str) -> str:
        basis, unit, _ = _parts(prefix)
        return f"{'classes' if basis == 'class' else 'therapies'}#{unit}#label"

    def _prefixes(self, basis: str, outcome: str, fewest: int) -> list[str]:
        """Pools of a basis with studies enough, by the name of their unit."""
        if basis == "class":
            units = dict.fromkeys(class_slug(name) for name in self._data.therapies.values())
        else:
            units = dict.fromkeys(self._data.therapies)
        found = [
            prefix
            for unit in units
            if len(self._pools.get(prefix := f"{basis}.{unit}.{outcome}", ())) >= fewest
        ]
        return sorted(found, key=lambda prefix: self._text(self._unit_source(prefix)).lower())

    def _studies(self, prefix: str) -> list[Entry]:
        """The studies of a pool by year, then name."""

        def order(entry: Entry) -> tuple[int, str, str]:
            label = self._text(f"studies#{entry.study_id}#label")
            return (self._data.studies[entry.study_id].year, label, entry.study_id)

        return sorted(self._pools[prefix], key=order)

    def _mark_of(self, study_id: str) -> str:
        return _CITED if self._data.studies[study_id].cited else ""

    # --- figures -----------------------------------------------------------------------------

    def _forest(self, prefix: str) -> FigurePlan:
        """The studies of one pool, then the pooled line."""
        lines = []
        for entry in self._studies(prefix):
            source = f"studies#{entry.study_id}#label"
            label = self._text(source) + self._mark_of(entry.study_id)
            of_study = f"{prefix}.study.{entry.study_id}"
            lines.append(study_line(label, of_study, (source,), weight=f"{of_study}.weight"))
        k = len(self._pools[prefix])
        lines += pooled_lines("Pooled, random effects", prefix, (), k, ("events", "n"))
        unit = self._unit_source(prefix)
        said = [unit, *spoken(lines)]
        foot = tuple((f"{prefix}.{stat}", name) for stat, name in _FOOT.items())
        name = "forest-" + prefix.removeprefix("pool.").replace(".", "-")
        headers = {**_OF_STUDIES, **COLUMNS}
        return FigurePlan(name, "forest", tuple(lines), tuple(said), headers, foot)

    def _single(self, outcome: str) -> list[FigurePlan]:
        """Therapies with a single study."""
        lines = []
        for prefix in self._prefixes("pool", outcome, 1):
            if len(self._pools[prefix]) > 1:
                continue
            study = self._pools[prefix][0].study_id
            sources = (self._unit_source(prefix), f"studies#{study}#label")
            names = ": ".join(self._text(source) for source in sources)
            lines.append(study_line(names + self._mark_of(study), prefix, sources))
        if not lines:
            return []
        headers = without_weight(_OF_STUDIES)
        return [
            FigurePlan(f"single-{outcome}", "forest", tuple(lines), tuple(spoken(lines)), headers)
        ]

    def _side_by_side(self, basis: str, outcome: str) -> list[FigurePlan]:
        """All units of a basis; on all evidence and by class those that are pooled."""
        prefixes = self._prefixes(basis, outcome, 1 if basis in LINES else 2)
        if len(prefixes) < 2:
            return []
        lines: list[Line] = []
        for prefix in prefixes:
            source = self._unit_source(prefix)
            label, k = self._text(source), len(self._pools[prefix])
            if k > 1:
                lines += pooled_lines(label, prefix, (source,), k, ("k", "n"))
            else:
                lines.append(study_line(label, prefix, (source,), counts=("k", "n")))
        headers = without_weight(_OF_POOLS)
        name = f"side-by-side-{basis}-{outcome}"
        return [FigurePlan(name, "forest", tuple(lines), tuple(spoken(lines)), headers)]

    def _time_course(self) -> FigurePlan:
        """The cited trial of the focus at each visit."""
        trial = [
            row
            for row in self._data.rows
            if row.therapy == FOCUS
            and self._data.studies[row.study_id].cited
            and row.pool_outcome
            and row.reason != "population_child"
        ]
        lines = []
        for outcome in ("overall_response", "complete_response"):
            lines.append(
                Line(f"{OUTCOME_WORDS[outcome].capitalize()} response", {}, kind="heading")
            )
            visits = [row for row in trial if row.outcome == outcome]
            # Blank months last, as everywhere in the book.
            for row in sorted(visits, key=lambda row: (row.months is None, row.months or 0)):
                lines += self._visit(row)
        headers = without_weight(_OF_STUDIES)
        return FigurePlan("sirolimus-course", "forest", tuple(lines), tuple(spoken(lines)), headers)

    def _visit(self, row: Row) -> list[Line]:
        month = months(row)
        if row.events is None:
            return [printed_line("As printed", row.key, (), month)]
        lines = [study_line("As analysed", row.key, (), months=month)]
        arms = {other.arm for other in self._data.rows if other.study_id == row.study_id}
        enrolled = self._data.studies[row.study_id].enrolled
        evaluable = row.cells["denominator"] == "evaluable"
        if len(arms) == 1 and evaluable and enrolled and row.n and enrolled > row.n:
            key = f"{row.key}.estimate_all_enrolled"
            cells = {**month, "first": f"{row.key}.events", "second": f"{row.key}.enrolled"}
            mark = Mark(f"mark-{row.key}.all_enrolled", "hollow square", (key,))
            lines.append(
                Line("Missing as failures", {**cells, "rate": key}, (mark,), (), row.key, "study")
            )
        return lines

    def _cited(self) -> FigurePlan:
        """The cited studies, each with what it can say."""
        cited = [study for study in self._data.studies.values() if study.cited]
        lines = []
        for study in sorted(cited, key=lambda study: int(study.cells["seed_reference"])):
            source = f"studies#{study.study_id}#label"
            below = [*self._cited_pools(study.study_id), *self._printed(study.study_id)]
            kind = "heading" if below else "text"
            lines += [Line(self._text(source), {}, sources=(source,), kind=kind), *below]
        headers = without_weight(_OF_STUDIES)
        said = ("evidence.cited_studies", *spoken(lines))
        return FigurePlan("cited-studies", "forest", tuple(lines), said, headers)

    def _cited_pools(self, study_id: str) -> list[Line]:
        lines = []
        for therapy in self._data.therapies:
            for outcome in POOL_OUTCOMES:
                entries = self._pools[f"cited.{therapy}.{outcome}"]
                if study_id not in {entry.study_id for entry in entries}:
                    continue
                source = f"therapies#{therapy}#label"
                label = f"{self._text(source)}, {OUTCOME_WORDS[outcome]}"
                first = self._studies(f"cited.{therapy}.{outcome}")[0].rows
                month = months(next(row for row in self._data.rows if row.address in first))
                prefix = f"cited.{therapy}.{outcome}"
                lines.append(study_line(label, prefix, (source,), months=month))
        return lines

    def _printed(self, study_id: str) -> list[Line]:
        lines = []
        for row in self._data.rows:
            if row.study_id == study_id and row.reason == "no_denominator":
                source = f"therapies#{row.therapy}#label"
                label = f"{self._text(source)}, {OUTCOME_WORDS[row.outcome]}"
                lines.append(printed_line(label, row.key, (source,), months(row)))
        return lines

    def _flow(self) -> FigurePlan:
        """Where rows and studies went."""
        lines = tuple(
            Line(words, {noun: f"flow.{noun}.{stage}" for noun in ("rows", "studies")})
            for words, stage in _FLOW
        )
        spoken = tuple(key for line in lines for key in line.cells.values())
        return FigurePlan("flow", "flow", lines, spoken, {})

    def _map(self) -> FigurePlan:
        """Every study and therapy once: year across, therapy down, shape by design."""
        pooled = {
            address
            for prefix, entries in self._pools.items()
            if prefix.startswith("pool.")
            for entry in entries
            for address in entry.rows
        }
        found: dict[str, dict[str, bool]] = {}
        for row in self._data.rows:
            of_therapy = found.setdefault(row.therapy, {})
            of_therapy[row.study_id] = of_therapy.get(row.study_id, False) | (row.address in pooled)
        lines = []
        for therapy, of_therapy in found.items():
            source = f"therapies#{therapy}#label"
            marks = tuple(self._map_marks(therapy, of_therapy))
            lines.append(Line(self._text(source), {}, marks, (source,), prefix=therapy))
        lines.sort(key=lambda line: line.label.lower())
        return FigurePlan(
            "map", "map", tuple(lines), ("evidence.studies", "evidence.therapies"), {}
        )

    def _map_marks(self, therapy: str, pooled: Mapping[str, bool]) -> Iterable[Mark]:
        """Studies of one year stand beside one another about it, in the order of the data."""
        by_year: dict[int, list[str]] = {}
        for study_id in pooled:
            by_year.setdefault(self._data.studies[study_id].year, []).append(study_id)
        for year, studies in by_year.items():
            for place, study_id in enumerate(studies):
                at = year + 0.84 * (place - (len(studies) - 1) / 2) / max(len(studies), 3)
                shape = self._data.studies[study_id].cells["design"]
                name = f"mark-map.{study_id}.{therapy}"
                yield Mark(name, shape, at=at, filled=pooled[study_id])


def _parts(prefix: str) -> tuple[str, str, str]:
    basis, _, rest = prefix.partition(".")
    unit, _, outcome = rest.rpartition(".")
    return basis, unit, outcome
