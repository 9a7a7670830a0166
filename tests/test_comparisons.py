"""Randomised comparisons: which trials, which effects, and agreement with R metafor."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import pytest
from scipy.special import stdtrit

from analysis import comparisons, evidence, ledger, selection
from analysis.comparisons import Arm, Comparisons, Effect, combine, log_risk_ratio, risk_difference
from analysis.entries.comparisons import comparison_entries
from analysis.pooling import State
from analysis.report import DATA, Report
from tests.test_selection import made_up

REFERENCE = Path(__file__).parent.parent / "data" / "reference"
SIDES = ("treated_events", "treated_n", "control_events", "control_n")
PLACEBO = {"therapy": "placebo", "arm": "placebo", "events": 2}
Cells = dict[str, object]


def read(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sides(trial: dict[str, str]) -> tuple[Arm, Arm]:
    e1, n1, e0, n0 = (int(trial[name]) for name in SIDES)
    return Arm(e1, n1, ()), Arm(e0, n0, ())


TRIALS = read("comparisons_trials.csv")
BY_POOL: dict[str, list[dict[str, str]]] = {}
for one in TRIALS:
    BY_POOL.setdefault(one["pool"], []).append(one)
EFFECTS = {"rd": risk_difference, "rr": log_risk_ratio}


@pytest.mark.parametrize("measure", EFFECTS)
def test_each_trial_agrees_with_metafor(measure: str) -> None:
    for trial in TRIALS:
        found = EFFECTS[measure](*sides(trial))
        if not trial[measure]:
            assert found is None
            continue
        assert found == pytest.approx(
            (float(trial[measure]), float(trial[f"{measure}_variance"])), rel=1e-10, abs=1e-10
        )


@pytest.mark.parametrize(
    "golden", read("comparisons_pools.csv"), ids=lambda g: f"{g['pool']} {g['measure']}"
)
def test_each_pooled_effect_agrees_with_metafor(golden: dict[str, str]) -> None:
    effects = [EFFECTS[golden["measure"]](*sides(trial)) for trial in BY_POOL[golden["pool"]]]
    found = combine(effects, lambda value: value)
    assert found.k == int(golden["k"])
    assert found.summary
    wanted = [float(golden[stat]) for stat in ("ci_low", "estimate", "ci_high", "i2")]
    assert [*found.summary, found.i2] == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert (found.prediction is None) is (found.k < 3)
    if found.prediction:
        half = stdtrit(found.k - 1, 0.975) * float(golden["spread"])
        wanted = [float(golden["estimate"]) - half, float(golden["estimate"]) + half]
        assert found.prediction == pytest.approx(wanted, abs=1e-6)


def test_goldens_are_of_the_shipped_trials(shipped: Report) -> None:
    ours = {
        prefix: [(c.study_id, c.treated.events, c.treated.n, c.against.events, c.against.n)
                 for c in found.contrasts]
        for prefix, found in shipped.comparisons.by_prefix.items()
        if found.members.basis == "pool"
    }  # fmt: skip
    goldens = {
        pool: [(t["study_id"], *(int(t[name]) for name in SIDES)) for t in found]
        for pool, found in BY_POOL.items()
        if pool.startswith("pool.")
    }
    if ours != goldens:
        pytest.skip("data/ has moved on since the goldens: `nox -s reference` remakes them with R")


@pytest.mark.parametrize("pool", [name for name in BY_POOL if name.startswith("made_up.")])
def test_edges_give_a_state_or_limits_that_are_effects(pool: str) -> None:
    both = [sides(trial) for trial in BY_POOL[pool]]
    differences = combine([risk_difference(*one) for one in both], comparisons.to_difference)
    ratios = combine([log_risk_ratio(*one) for one in both], math.exp)
    for found, (floor, ceiling) in ((differences, (-1.0, 1.0)), (ratios, (0.0, math.inf))):
        limits = [*filter(None, (*found.single, found.summary))]
        assert all(floor <= one.low <= one.estimate <= one.high <= ceiling for one in limits)
        assert (found.summary is None) is (found.state is State.NONE)
    assert (ratios.state is State.NONE) is (pool in ("made_up.all_respond", "made_up.none_respond"))


def test_a_difference_is_of_the_printed_rates_and_never_certain() -> None:
    found = risk_difference(Arm(20, 20, ()), Arm(0, 10, ()))
    assert found.y == 1
    assert found.v > 0
    assert combine([found], comparisons.to_difference).summary == pytest.approx(
        (1 - 1.959963984540054 * math.sqrt(found.v), 1, 1)
    )


def test_one_effect_of_several_is_a_single_study_without_weights() -> None:
    found = combine([None, Effect(0.5, 0.1), None], math.exp)
    assert (found.state, found.k, found.weights) == (State.SINGLE_STUDY, 1, (None,) * 3)


# --- which trials ------------------------------------------------------------------------------


shipped_evidence = cache(lambda: evidence.read(DATA))


def compare(studies: list[Cells], rows: list[Cells]) -> Comparisons:
    found = made_up(shipped_evidence(), studies, rows)
    return comparisons.compare_all(selection.select(found), found)


def trial(study_id: str = "kim2001", **changes: object) -> Cells:
    return {"study_id": study_id, "year": int(study_id[-4:]), "design": "rct", **changes}


def row(study_id: str, **changes: object) -> Cells:
    return {"study_id": study_id, **changes}


def test_dose_arms_are_added_together_against_one_control() -> None:
    rows = [row("kim2001", arm="low", events=8), row("kim2001", arm="high", events=12)]
    found = compare([trial()], [*rows, row("kim2001", **PLACEBO)]).by_prefix
    (contrast,) = found["pool.rituximab.overall_response"].contrasts
    assert (contrast.treated.events, contrast.treated.n, contrast.against.n) == (20, 40, 20)


def test_the_measure_is_the_best_that_both_sides_have() -> None:
    rows = [
        row("kim2001", months=3.0),
        row("kim2001", months=5.0),
        row("kim2001", months=5.0, **PLACEBO),
        row("kim2001", months=12.0, **PLACEBO),
    ]
    (contrast,) = compare([trial()], rows).by_prefix["pool.rituximab.overall_response"].contrasts
    assert contrast.months == 5


@pytest.mark.parametrize(
    ("changes", "of_placebo", "of_study"),
    [
        ({}, {}, {"design": "single_arm_trial"}),
        ({}, {}, {"population": "child"}),
        ({"exclusion": "includes_newly_diagnosed"}, {}, {}),
        ({}, {"confidence": "low"}, {}),
        ({"platelet_threshold": 30.0}, {"platelet_threshold": 50.0}, {}),
        ({}, {"therapy": "eltrombopag"}, {}),
    ],
)
def test_no_comparison_where(changes: Cells, of_placebo: Cells, of_study: Cells) -> None:
    rows = [row("kim2001", **changes), row("kim2001", **{**PLACEBO, **of_placebo})]
    assert not compare([trial(**of_study)], rows).by_prefix


def test_a_control_that_serves_two_therapies_is_said_and_counted_once_in_a_class() -> None:
    rows = [
        row("kim2001", therapy="eltrombopag", arm="e"),
        row("kim2001", therapy="romiplostim", arm="r"),
        row("kim2001", **PLACEBO),
        row("lee2002", therapy="romiplostim", arm="r"),
        row("lee2002", **PLACEBO),
    ]
    found = compare([trial(), trial("lee2002")], rows)
    assert found.shared_controls() == [("kim2001", ("eltrombopag", "romiplostim"))]
    of_class = found.by_prefix["class.thrombopoietin_receptor_agonist.overall_response"]
    assert [(c.treated.n, c.against.n) for c in of_class.contrasts] == [(40, 20), (20, 20)]


def test_trials_that_share_patients_enter_once() -> None:
    rows = [r for name in ("kim2001", "lee2002") for r in (row(name), row(name, **PLACEBO))]
    studies = [trial(), trial("lee2002", overlaps_with="kim2001")]
    (contrast,) = compare(studies, rows).by_prefix["pool.rituximab.overall_response"].contrasts
    assert contrast.study_id == "lee2002"


def test_the_background_counts_a_trial_under_each_definition(shipped: Report) -> None:
    found = shipped.comparisons.background
    members = {name: {s.study_id for s in one.members.studies} for name, one in found.items()}
    assert "mei2021" in members["visit"] & members["ever"] & members["durable"]
    assert "larue2025" not in members["visit"] | members["ever"]  # its control is not placebo


def test_the_shipped_comparisons_say_nothing_of_sirolimus(shipped: Report) -> None:
    units = {found.members.unit for found in shipped.comparisons.by_prefix.values()}
    assert {"romiplostim", "eltrombopag", "dapsone"} <= units
    assert "sirolimus" not in units


def test_limits_that_say_nothing_are_bounds_in_the_ledger(shipped: Report) -> None:
    numbers = ledger.Ledger(comparison_entries(shipped.comparisons))
    assert numbers["ratio.pool.romiplostim.overall_response.ci_high"].text == ">1,000"
    assert numbers["difference.pool.romiplostim.overall_response.ci_high"].value == 1.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0002, "<0.001"), (0.0352, "0.035"), (0.94, "0.94"), (2.0044, "2.00"), (17.63, "17.6"),
     (533.41, "533"), (1000.4, ">1,000")],
)  # fmt: skip
def test_a_ratio_is_printed_with_as_many_digits_as_it_has(value: float, text: str) -> None:
    assert ledger.entry("ratio.a", value, "ratio").text == text
