"""What each figure must show, worked out from the data alone: texts, marks, and what is spoken.

The layout rules of the plots are written here once more: which rows a plot has and in which order,
which numbers stand in a row, which mark stands for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from checks import plans
from checks.rows import LINES, POOL_OUTCOMES, Data, Entry, Row, class_slug, select
from checks.sources import SHORTENED, Sources

FOCUS = "sirolimus"
OUTCOME_WORDS = {
    "overall_response": "overall",
    "complete_response": "complete",
    "durable_response_on": "durable",
    "durable_response_off": "durable",
}
#: Columns of a forest plot with the words above them; the limits of intervals share one.
COLUMNS = {"rate": "Rate", "low": "", "high": "interval", "weight": "Weight"}
_OF_STUDIES = {"first": "Responders", "second": "Patients"}
_OF_POOLS = {"first": "Studies", "second": "Patients"}
TICKS = (0, 25, 50, 75, 100)
SYMBOLS = {"tau2": "tau²", "i2": "I²"}
#: Heterogeneity below a forest plot: each number stands right of its name.
_FOOT = {**SYMBOLS, "q": "Q"}
_LONGEST_LABEL = 40
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


@dataclass(frozen=True)
class Mark:
    """A mark with the keys of the values at which it stands, from left to right.

    shape: `square` (as large as `weight` says), `line`, `diamond` (low, estimate, high), `bar`,
    `hollow square` or `hollow diamond`; on the map the shape of the study's design. The map's
    marks have no keys but `at`, the year as a place on the axis, and `filled`.
    """

    id: str
    shape: str
    keys: tuple[str, ...] = ()
    weight: str = ""
    at: float = 0.0
    filled: bool = True


@dataclass(frozen=True)
class Line:
    """One line of a figure: its label, key by column, marks; `prefix` and `kind` as in its CSV.

    sources are the addresses of the names in the label, in order.
    """

    label: str
    cells: Mapping[str, str]
    marks: tuple[Mark, ...] = ()
    sources: tuple[str, ...] = ()
    prefix: str = ""
    kind: str = ""

    @property
    def shown(self) -> str:
        """The label as drawn: cut after a word, with an ellipsis, where it is too long."""
        if len(self.label) <= _LONGEST_LABEL:
            return self.label
        return self.label[: _LONGEST_LABEL - 1].rsplit(" ", 1)[0].rstrip(",;(") + SHORTENED

    @property
    def id(self) -> str:
        """The id of the label's text, blank where it quotes nothing."""
        return f"datum-{'+'.join(self.sources)}" if self.sources else ""


@dataclass(frozen=True, eq=False)
class FigurePlan:
    """What one figure must show; kind is `forest`, `flow` or `map`.

    headers: words above the columns; foot: keys of the numbers below the plot with the name of
    each; spoken: keys and addresses of the alternative text, in order.
    """

    name: str
    kind: str
    lines: tuple[Line, ...]
    spoken: tuple[str, ...]
    headers: Mapping[str, str]
    foot: tuple[tuple[str, str], ...] = ()

    @cached_property
    def keys(self) -> Counter[str]:
        """How many texts each key has."""
        found = Counter(key for line in self.lines for key in line.cells.values())
        found.update(key for key, _ in self.foot)
        if self.kind == "forest":
            found["const.level"] += 1
        return found

    @cached_property
    def labels(self) -> Counter[tuple[str, str]]:
        """How often each label with a source stands in the figure, by id and text."""
        return Counter((line.id, line.shown) for line in self.lines if line.id)

    @cached_property
    def symbols(self) -> dict[str, str]:
        """Names with digits that stand in the figure, by id."""
        named = {name: f"symbol-{stat}" for stat, name in SYMBOLS.items()}
        return {named[name]: name for _, name in self.foot if name in named}

    @cached_property
    def marks(self) -> frozenset[str]:
        """The ids of all marks."""
        return frozenset(mark.id for line in self.lines for mark in line.marks)


def figure_plans(data: Data, sources: Sources) -> dict[str, FigurePlan]:
    """The plan of every figure that the book must have, by name."""
    return _Planner(data, sources).plans()


class _Planner:
    def __init__(self, data: Data, sources: Sources) -> None:
        self._data = data
        self._sources = sources
        self._pools = select(data)

    def plans(self) -> dict[str, FigurePlan]:
        found = [self._flow(), self._map(), self._time_course(), self._cited()]
        for outcome in POOL_OUTCOMES:
            found += [self._forest(p) for p in self._prefixes("pool", outcome, 2)]
            found += self._single(outcome)
            found += self._side_by_side("pool", outcome)
        for basis in (*LINES, "class"):
            found += self._side_by_side(basis, "overall_response")
        found += plans.plans(self._data, self._sources)
        return {plan.name: plan for plan in found}

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
            lines.append(_study_line(label, of_study, (source,), weight=f"{of_study}.weight"))
        k = len(self._pools[prefix])
        lines += _pooled_lines("Pooled, random effects", prefix, (), k, ("events", "n"))
        unit = self._unit_source(prefix)
        spoken = [unit, *_spoken(lines)]
        foot = tuple((f"{prefix}.{stat}", name) for stat, name in _FOOT.items())
        name = "forest-" + prefix.removeprefix("pool.").replace(".", "-")
        headers = {**_OF_STUDIES, **COLUMNS}
        return FigurePlan(name, "forest", tuple(lines), tuple(spoken), headers, foot)

    def _single(self, outcome: str) -> list[FigurePlan]:
        """Therapies with a single study."""
        lines = []
        for prefix in self._prefixes("pool", outcome, 1):
            if len(self._pools[prefix]) > 1:
                continue
            study = self._pools[prefix][0].study_id
            sources = (self._unit_source(prefix), f"studies#{study}#label")
            names = ": ".join(self._text(source) for source in sources)
            lines.append(_study_line(names + self._mark_of(study), prefix, sources))
        if not lines:
            return []
        headers = _without_weight(_OF_STUDIES)
        spoken = tuple(_spoken(lines))
        return [FigurePlan(f"single-{outcome}", "forest", tuple(lines), spoken, headers)]

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
                lines += _pooled_lines(label, prefix, (source,), k, ("k", "n"))
            else:
                lines.append(_study_line(label, prefix, (source,), counts=("k", "n")))
        headers = _without_weight(_OF_POOLS)
        spoken = tuple(_spoken(lines))
        name = f"side-by-side-{basis}-{outcome}"
        return [FigurePlan(name, "forest", tuple(lines), spoken, headers)]

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
        headers = _without_weight(_OF_STUDIES)
        spoken = tuple(_spoken(lines))
        return FigurePlan("sirolimus-course", "forest", tuple(lines), spoken, headers)

    def _visit(self, row: Row) -> list[Line]:
        months = _months(row)
        if row.events is None:
            return [_printed_line("As printed", row.key, (), months)]
        lines = [_study_line("As analysed", row.key, (), months=months)]
        arms = {other.arm for other in self._data.rows if other.study_id == row.study_id}
        enrolled = self._data.studies[row.study_id].enrolled
        evaluable = row.cells["denominator"] == "evaluable"
        if len(arms) == 1 and evaluable and enrolled and row.n and enrolled > row.n:
            key = f"{row.key}.estimate_all_enrolled"
            cells = {**months, "first": f"{row.key}.events", "second": f"{row.key}.enrolled"}
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
        headers = _without_weight(_OF_STUDIES)
        spoken = ("evidence.cited_studies", *_spoken(lines))
        return FigurePlan("cited-studies", "forest", tuple(lines), spoken, headers)

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
                months = _months(next(row for row in self._data.rows if row.address in first))
                prefix = f"cited.{therapy}.{outcome}"
                lines.append(_study_line(label, prefix, (source,), months=months))
        return lines

    def _printed(self, study_id: str) -> list[Line]:
        lines = []
        for row in self._data.rows:
            if row.study_id == study_id and row.reason == "no_denominator":
                source = f"therapies#{row.therapy}#label"
                label = f"{self._text(source)}, {OUTCOME_WORDS[row.outcome]}"
                lines.append(_printed_line(label, row.key, (source,), _months(row)))
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


def _without_weight(counts: Mapping[str, str]) -> dict[str, str]:
    return {**counts, **{c: words for c, words in COLUMNS.items() if c != "weight"}}


def _months(row: Row) -> dict[str, str]:
    return {} if row.months is None else {"month": f"{row.key}.months"}


def _interval(prefix: str, low: str, high: str) -> dict[str, str]:
    return {"low": f"{prefix}.{low}", "high": f"{prefix}.{high}"}


def _study_line(
    label: str,
    prefix: str,
    sources: tuple[str, ...],
    counts: tuple[str, str] = ("events", "n"),
    months: Mapping[str, str] | None = None,
    weight: str = "",
) -> Line:
    """A square with its exact interval."""
    limits = _interval(prefix, "ci_low", "ci_high")
    cells = {
        **(months or {}),
        "first": f"{prefix}.{counts[0]}",
        "second": f"{prefix}.{counts[1]}",
        "rate": f"{prefix}.estimate",
        **limits,
        **({"weight": weight} if weight else {}),
    }
    marks = (
        Mark(f"mark-{prefix}.interval", "line", tuple(limits.values())),
        Mark(f"mark-{prefix}", "square", (cells["rate"],), weight),
    )
    return Line(label, cells, marks, sources, prefix, "study")


def _pooled_lines(
    label: str, prefix: str, sources: tuple[str, ...], k: int, counts: tuple[str, str]
) -> list[Line]:
    """A diamond, and from three studies the prediction interval below it."""
    limits = _interval(prefix, "ci_low", "ci_high")
    rate = f"{prefix}.estimate"
    cells = {"first": f"{prefix}.{counts[0]}", "second": f"{prefix}.{counts[1]}", "rate": rate}
    diamond = Mark(f"mark-{prefix}", "diamond", (limits["low"], rate, limits["high"]))
    pooled = Line(label, {**cells, **limits}, (diamond,), sources, prefix, "pooled")
    if k < 3:
        return [pooled]
    ends = _interval(prefix, "pi_low", "pi_high")
    bar = Mark(f"mark-{prefix}.prediction", "bar", tuple(ends.values()))
    return [pooled, Line("a new study (prediction)", ends, (bar,), kind="prediction")]


def _printed_line(
    label: str, prefix: str, sources: tuple[str, ...], months: Mapping[str, str]
) -> Line:
    """A percentage without a denominator."""
    key = f"{prefix}.reported_percent"
    mark = Mark(f"mark-{prefix}", "hollow diamond", (key,))
    cells = {**months, "rate": key}
    return Line(label, cells, (mark,), sources, prefix, "printed")


def _spoken(lines: Sequence[Line]) -> list[str]:
    """Keys and addresses of the lines as they are said: the label, then its numbers.

    Of a pooled line the responders are not said, of its studies the number where it is drawn.
    """
    said: list[str] = []
    for line in lines:
        cells = dict(line.cells)
        if line.kind == "pooled" and not cells["first"].endswith(".k"):
            del cells["first"]
        if line.kind == "study" and cells["first"].endswith(".k"):
            del cells["first"]
        said += [*line.sources, *cells.values()]
    return said
