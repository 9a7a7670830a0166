"""The second road to the analyses of every pool, and what it notices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.estimators import ESTIMATORS, INTERVALS, TRANSFORMS
from analysis.plots.multiverse import specification_curves
from analysis.report import Report
from checks import estimators, figures, ledger, plans, rows
from checks.faults import Fault
from checks.ledger import Ledger
from checks.plans import multiverse as planning
from checks.plans.figure import FigurePlan
from checks.recompute import _differences
from checks.rows import Data
from checks.sources import Sources
from checks.values import multiverse
from tests.test_checks_rows import STUDIES, chosen
from tests.test_estimators import golden_pools
from tests.test_estimators import rows as reference_rows

POOL = "pool.rituximab.overall_response"
NAME = "robustness-rituximab-overall_response"
FILES = {path.name: path.read_bytes() for path in Path("data").iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def data() -> Data:
    return rows.read(FILES)


@pytest.fixture(scope="module")
def numbers(shipped: Report) -> Ledger:
    return ledger.read(shipped.ledger.to_json().encode())


def test_metafor_agrees() -> None:
    pools = golden_pools()
    for row in reference_rows("estimators.csv"):
        counts = tuple(zip(*pools[row["pool"]], strict=True))
        found = estimators.pooled(counts, row["transform"], row["estimator"])
        limits = found[estimators.INTERVALS.index(row["interval"])]
        assert limits
        wanted = [float(row[name]) for name in ("low", "estimate", "high")]
        near = 1e-10 if row["estimator"] == "dl" else 1e-8
        assert limits == pytest.approx(wanted, abs=near), row


def test_both_roads_know_the_same_choices() -> None:
    assert tuple(TRANSFORMS) == estimators.SCALES
    assert tuple(ESTIMATORS) == estimators.ESTIMATORS
    assert INTERVALS == estimators.INTERVALS


def test_identical_rates_have_no_plain_knapp_hartung_interval() -> None:
    wald, plain, conservative = estimators.pooled(((5, 10), (10, 20)), "logit", "reml")
    assert (wald and conservative) is not None
    assert plain is None


def test_every_number_is_worked_out_again(data: Data, numbers: Ledger) -> None:
    wanted = multiverse.expected(data, {})
    found = {k: n for k, n in numbers.numbers.items() if k.startswith("multiverse.")}
    assert found.keys() == wanted.keys()
    assert [fault for key, n in found.items() for fault in _differences(n, wanted[key])] == []


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    folder = tmp_path_factory.mktemp("curves")
    only = SimpleNamespace(
        multiverse={POOL: shipped.multiverse[POOL]}, ledger=shipped.ledger, members=shipped.members
    )
    list(specification_curves(only, folder))  # type: ignore[arg-type]
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def check(data: Data, numbers: Ledger) -> Callable[[bytes, bytes], list[Fault]]:
    sources = Sources(FILES, {})
    wanted: dict[str, FigurePlan] = {
        plan.name: plans.of_chart(plan) for plan in planning.plans(data, sources)
    }

    def run(svg: bytes, csv: bytes) -> list[Fault]:
        figure = figures.read(NAME, svg, csv)
        return figures.check(figure, numbers, sources, wanted[NAME]).faults

    return run


def test_a_curve_is_as_its_plan_says(
    drawn: Mapping[str, bytes], check: Callable[[bytes, bytes], list[Fault]]
) -> None:
    assert [str(fault) for fault in check(drawn[".svg"], drawn[".csv"])] == []


@pytest.mark.parametrize(
    ("part", "pattern", "instead"),
    [
        (".csv", r"(0\.\d{3})(\d)", lambda m: f"{m[1]}{(int(m[2]) + 5) % 10}"),
        (".csv", r"pooled", lambda m: "single study"),
        (".csv", r"\nb,", lambda m: "\na,"),
        (".csv", r"default, analysed", lambda m: "default, enrolled"),
        (".svg", r'(id="mark-estimate\.c\.logit\.dl[^>]*>.*?y=")', lambda m: f"{m[1]}9"),
        (".svg", r'(id="mark-choice\.wide".*?x=")', lambda m: f"{m[1]}9"),
        (".svg", r'id="mark-own"', lambda m: 'id="mark-choice.own"'),
        (".svg", r">trials only<", lambda m: ">rescue patients only<"),
        (".svg", r">59\.3%<", lambda m: ">59.4%<"),
    ],
)
def test_a_curve_that_is_broken_is_noticed(
    part: str,
    pattern: str,
    instead: Callable[[re.Match[str]], str],
    drawn: Mapping[str, bytes],
    check: Callable[[bytes, bytes], list[Fault]],
) -> None:
    broken, count = re.subn(pattern, instead, drawn[part].decode(), count=1, flags=re.DOTALL)
    assert count == 1
    parts = {**drawn, part: broken.encode()}
    assert check(parts[".svg"], parts[".csv"])


def test_only_the_choice_that_moves_most_is_told(data: Data) -> None:
    name, _ = multiverse.universes(data)[POOL].largest_move()
    told = [key for key in multiverse.expected(data, {}) if f"{POOL[5:]}.moves." in key]
    assert told == [f"multiverse.{POOL[5:]}.moves.{name}"]


LINES = [
    "s1,a,alpha,overall_response,3,visit,at_timepoint,50,,10,20,,high,",
    "s2,a,alpha,overall_response,3,visit,at_timepoint,50,,10,20,,low,",
    "s3,a,alpha,overall_response,3,visit,at_timepoint,30,,10,20,,high,",
    "s5,a,alpha,overall_response,3,visit,at_timepoint,30,,10,20,,high,",
]


@pytest.mark.parametrize(
    ("rules", "studies"),
    [
        (rows.BOOK, {"s1", "s3", "s5"}),
        (rows.Rules(uncertain=True), {"s1", "s2", "s3", "s5"}),
        (rows.Rules(lines=frozenset({"rescue"})), {"s1"}),
        (rows.Rules(designs=frozenset({"case_series"})), set()),
        (rows.Rules(threshold=rows.Decimal(30)), {"s3", "s5"}),
        (rows.Rules(populations=frozenset({"mixed"}), uncertain=True), {"s2"}),
    ],
)
def test_other_rules_choose_other_studies(rules: rows.Rules, studies: set[str]) -> None:
    found = chosen(LINES, STUDIES, rules)["pool.alpha.overall_response"]
    assert {entry.study_id for entry in found} == studies


def test_a_trial_is_kept_before_a_fuller_study_where_asked_for() -> None:
    lines = [
        "s1,a,alpha,overall_response,3,visit,at_timepoint,50,,10,20,,high,",
        "s4,a,alpha,overall_response,3,visit,at_timepoint,50,,10,90,,high,",
    ]
    for rules, kept in ((rows.BOOK, "s4"), (rows.Rules(trials_first=True), "s1")):
        found = chosen(lines, STUDIES.replace("2004,rct", "2004,case_series"), rules)
        assert [e.study_id for e in found["pool.alpha.overall_response"]] == [kept]
