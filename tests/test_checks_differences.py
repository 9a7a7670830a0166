"""The second road to the regressions, and what the check notices in their values and figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.metaregression import regress
from analysis.plots import differences as drawing
from analysis.report import DATA, Report
from checks import figures, ledger, plans, rows
from checks.expected import FRACTION, TAU2
from checks.figures import Figure
from checks.plans import differences as planning
from checks.regression import fit
from checks.sources import Sources
from checks.values import differences as values

PREFIX = "differences.pool.rituximab.overall_response"
BUBBLE = "bubble-pool-rituximab-overall_response"
FUNNEL = "funnel-pool-rituximab-overall_response"
FILES = {path.name: path.read_bytes() for path in DATA.iterdir() if path.is_file()}


@pytest.mark.parametrize("seed", range(12))
def test_two_roads_to_a_regression_meet(seed: int) -> None:
    random = np.random.default_rng(seed)
    k = int(random.integers(10, 25))
    n = random.integers(3, 300, k)
    events = random.binomial(n, random.uniform(0.02, 0.98, k) if seed % 2 else 0.4)
    level = np.arange(k) % 3
    design = np.column_stack([np.ones(k), level == 1, level == 2, random.normal(size=k)])
    found = regress(events.tolist(), n.tolist(), design)
    exact = fit(
        tuple(zip(events.tolist(), n.tolist(), strict=True)),
        tuple(tuple(row) for row in design.tolist()),
    )
    assert abs(found.tau2 - exact.tau2) <= TAU2 * (1 + exact.tau2)
    assert found.rate(design[0]) == pytest.approx(exact.rate(design[0]), abs=FRACTION)
    contrast = [0, 1, 0, 0.5]
    ratio = exact.odds_ratio(contrast)
    assert found.odds_ratio(contrast) == pytest.approx(ratio, rel=values.RATIO)


def test_every_number_is_worked_out_again_and_no_other(shipped: Report) -> None:
    expected = values.expected(rows.read(FILES), {})
    numbers = {e.key: e for e in shipped.ledger if e.key.startswith("differences.")}
    assert numbers.keys() == expected.keys()
    for key, number in numbers.items():
        wanted = expected[key]
        assert number.value == pytest.approx(wanted.value, abs=wanted.tolerance), key
        assert (number.unit, set(number.rows)) == (wanted.unit, wanted.rows), key


def test_an_odds_ratio_outside_of_its_limits_is_noticed() -> None:
    entries = [
        f'{{"key": "a.{stat}", "value": {value}, "text": "{value}", "unit": "number", "rows": []}}'
        for stat, value in (("odds_ratio_low", 1.25), ("odds_ratio", 1.15))
    ]
    (fault,) = ledger.read(f"[{','.join(entries)}]".encode()).faults
    assert "odds_ratio_low <= odds_ratio" in fault.expected


@pytest.fixture(scope="module")
def drawn(shipped: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    drawing.draw(shipped, folder)
    return folder


@pytest.fixture(scope="module")
def faults(shipped: Report) -> Callable[[str, str, str], list[str]]:
    """The faults of a figure by its name, its SVG and its CSV."""
    sources = Sources(FILES, {})
    found = {plan.name: plan for plan in planning.plans(rows.read(FILES), sources)}
    numbers = ledger.read(shipped.ledger.to_json().encode())

    def check(name: str, svg: str, table: str) -> list[str]:
        figure: Figure = figures.read(name, svg.encode(), table.encode())
        plan = plans.of_chart(found[name])
        return [str(fault) for fault in figures.check(figure, numbers, sources, plan).faults]

    return check


def moved(svg: str, mark: str) -> str:
    """The drawing with the first coordinate of a mark a little aside."""
    start = svg.index(f'id="mark-{mark}"')
    number = re.compile(r'(?<=[ "])[xd]="(?:M )?(\d+\.\d+)').search(svg, start)
    assert number
    other = f"{float(number.group(1)) + 1:.4f}"
    return svg[: number.start(1)] + other + svg[number.end(1) :]


def raised(table: str) -> str:
    """The table with one digit of the first rate changed."""
    at = re.search(r"0\.(\d)", table)
    assert at
    return f"{table[: at.start(1)]}{(int(at.group(1)) + 1) % 10}{table[at.end(1) :]}"


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        (BUBBLE, f"{PREFIX}.year.fit"),
        (BUBBLE, f"{PREFIX}.year.ci_low"),
        (BUBBLE, f"{PREFIX}.design.trial.fit"),
        (BUBBLE, f"{PREFIX}.line.stasi2001"),
        (FUNNEL, f"{PREFIX}.size.stasi2001"),
        (FUNNEL, f"{PREFIX}.size.spread_high"),
    ],
)
def test_a_mark_moved_or_a_cell_changed_is_noticed(
    drawn: Path, faults: Callable[[str, str, str], list[str]], name: str, mark: str
) -> None:
    svg, table = ((drawn / f"{name}.{kind}").read_text() for kind in ("svg", "csv"))
    assert faults(name, svg, table) == []
    assert faults(name, moved(svg, mark), table)
    assert faults(name, svg, raised(table))
