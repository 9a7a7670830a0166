"""The ledger's form: what an entry must be, how its value is printed, what must be in order."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from checks import ledger
from checks.faults import UnreadableError
from checks.ledger import STATE_WORDS, Ledger

Entry = dict[str, Any]
P = "pool.a.overall_response"


def entry(key: str, value: Any, text: str, unit: str, **more: Any) -> Entry:
    return {"key": key, "value": value, "text": text, "unit": unit, "rows": [], **more}


def right() -> list[Entry]:
    return [
        entry(f"{P}.estimate", 0.625, "62.5%", "percent", rows=["s/a/overall_response/3"]),
        entry(f"{P}.ci_low", 0.5, "50.0%", "percent"),
        entry(f"{P}.ci_high", 0.75, "75.0%", "percent"),
        entry(f"{P}.pi_low", 0.25, "25.0%", "percent"),
        entry(f"{P}.pi_high", 0.875, "87.5%", "percent"),
        entry(f"{P}.tau2_low", 0.0, "0.00", "number"),
        entry(f"{P}.tau2_high", 1.25, "1.25", "number"),
        entry(f"{P}.glmm_estimate", 0.6, "60.0%", "percent"),
        entry(f"{P}.glmm_ci_low", 0.5, "50.0%", "percent"),
        entry(f"{P}.glmm_ci_high", 0.7, "70.0%", "percent"),
        entry(f"{P}.events", 5, "5", "count"),
        entry(f"{P}.n", 8, "8", "count"),
        entry(f"{P}.state", "two_studies", "two studies", "state"),
        entry("const.level", 0.95, "95%", "percent_whole", source="by custom"),
    ]


def read(entries: list[Any]) -> Ledger:
    return ledger.read(json.dumps(entries).encode())


def test_a_right_ledger_has_no_fault() -> None:
    found = read(right())
    assert found.faults == ()
    assert list(found.numbers) == [e["key"] for e in right()]
    assert found.numbers[f"{P}.estimate"].rows == ("s/a/overall_response/3",)
    assert found.numbers["const.level"].source == "by custom"


# --- one entry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("x", "'x'"),
        ({"key": "a.b", "value": 1}, "no field text, unit, rows"),
        (entry("", 1, "1", "count"), "key ''"),
        (entry(7, 1, "1", "count"), "key 7"),  # type: ignore[arg-type]
        (entry("a.b", 1, "", "count"), "text ''"),
        (entry("a.b", 1, "1", ""), "unit ''"),
        (entry("a.b", 1, "1", "permille"), "unit 'permille'"),
        (entry("a.b", 1, "1", "count", rows="s1"), "rows 's1'"),
        (entry("a.b", 1, "1", "count", rows=[1]), "rows [1]"),
        (entry("a.b", 1, "1", "count", source=7), "source 7"),
        (entry("a.b", 1.5, "1.5", "count"), "value 1.5"),
        (entry("a.b", 1.0, "1", "count"), "value 1.0"),
        (entry("a.b", True, "1", "count"), "value True"),
        (entry("a.b", None, "1", "count"), "value None"),
        (entry("a.b", "1", "1", "count"), "value '1'"),
        (entry("a.b", 10**400, "1", "percent"), "value 1000"),
        (entry("a.b", math.nan, "nan", "number"), "value 'NaN'"),
        (entry("a.b", math.inf, "inf", "number"), "value 'Infinity'"),
        (entry("a.b", -math.inf, "-inf", "number"), "value '-Infinity'"),
        (entry("a.b", "many", "many", "state"), "value 'many'"),
        (entry("a.b", 2, "two studies", "state"), "value 2"),
        (entry("a.b", "two_studies", "two_studies", "state"), 'text "two_studies"'),
        (entry("a.b", "two_studies", "single study", "state"), 'text "single study"'),
        (entry("const.level", 0.95, "95%", "percent_whole"), "key const.level a second time"),
        # beyond what the unit allows
        (entry("a.b", 1.2, "120.0%", "percent"), "value 1.2"),
        (entry("a.b", -0.1, "-10%", "percent_whole"), "value -0.1"),
        (entry("a.b", 1.01, "101", "per_100"), "value 1.01"),
        (entry("a.b", 100.5, "100.5%", "printed_percent"), "value 100.5"),
        (entry("a.b", -1, "-1", "count"), "value -1"),
        (entry("a.b", -1, "-1", "months"), "value -1"),
        (entry("a.b", -1, "-1", "platelets"), "value -1"),
    ],
)
def test_a_wrong_entry_is_named(wrong: Any, found: str) -> None:
    faults = read([*right(), wrong]).faults
    assert [fault.rule for fault in faults] == ["ledger"] * len(faults)
    assert found in faults[0].found
    assert len(faults) == 1


def test_a_malformed_entry_does_not_hide_another() -> None:
    assert len(read([*right(), "x", entry("a.b", 1, "2", "count"), 7]).faults) == 3


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"{}", b"7", b"[1,", b"\xff", b"[" * 100_000]
)
def test_a_ledger_that_is_none_cannot_be_read(content: bytes | None) -> None:
    with pytest.raises(UnreadableError, match=r"found .*; expected .*build the book"):
        ledger.read(content)


# --- how values are printed -----------------------------------------------------------------------


def rounded(value: float, places: int) -> str:
    """By decimal arithmetic on what the value's shortest spelling says."""
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


PRINTED: dict[str, Callable[[float], str]] = {
    "percent": lambda v: rounded(v * 100, 1) + "%",
    "percent_whole": lambda v: rounded(v * 100, 0) + "%",
    "per_100": lambda v: rounded(v * 100, 0),
    "number": lambda v: rounded(v, 2),
}


@pytest.mark.parametrize("unit", PRINTED)
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1234, 0.5, 0.99949, 0.00051, 2 / 3, 0.8761])
def test_a_rounded_value_is_printed_by_its_unit(unit: str, value: float) -> None:
    text = PRINTED[unit](value)
    assert read([entry("a.b", value, text, unit)]).faults == ()
    for wrong in (text + "0", "1" + text, "-" + text, text.replace("%", ""), "~" + text):
        if wrong != text:
            (fault,) = read([entry("a.b", value, wrong, unit)]).faults
            assert f'"{text}"' in fault.expected
    last = text.rstrip("%")[-1]
    other = text[: len(text.rstrip("%")) - 1] + str((int(last) + 1) % 10)
    assert read([entry("a.b", value, other + "%" * text.endswith("%"), unit)]).faults


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("count", 0, "0"), ("count", 1234, "1,234"), ("count", 1234567, "1,234,567"),
        ("months", 5.5, "5.5"), ("months", 12, "12"), ("months", 12.0, "12"), ("plain", 2.5, "2.5"),
        ("plain", -0.25, "-0.25"), ("platelets", 30.0, "30"), ("platelets", 100, "100"),
        ("printed_percent", 88.7, "88.7%"), ("printed_percent", 65, "65%"),
        ("number", -1.5, "\u22121.50"), ("number", 1234.5, "1234.50"),
        *(("state", state, words) for state, words in STATE_WORDS.items()),
    ],
)  # fmt: skip
def test_other_values_are_printed_in_full(unit: str, value: Any, text: str) -> None:
    assert read([entry("a.b", value, text, unit)]).faults == ()
    assert read([entry("a.b", value, text + "0", unit)]).faults
    assert read([entry("a.b", value, text.replace(",", " "), unit)]).faults or "," not in text


@pytest.mark.parametrize(
    ("value", "unit", "right", "wrong"),
    [
        (0.125, "per_100", ("12", "13"), ("11", "14")),
        (0.6245, "percent", ("62.4%", "62.5%"), ("62.3%", "62.6%")),
        (0.1251, "per_100", ("13",), ("12",)),
        (0.1249, "per_100", ("12",), ("13",)),
        (-0.001, "number", ("0.00",), ("0.01", "-0.01")),
    ],
)
def test_either_side_of_a_tie_will_do_and_no_other(
    value: float, unit: str, right: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    for text in right:
        assert read([entry("a.b", value, text, unit)]).faults == ()
    for text in wrong:
        assert read([entry("a.b", value, text, unit)]).faults


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "text", "order"),
    [
        ("ci_low", 0.7, "70.0%", "ci_low <= estimate"),
        ("ci_high", 0.6, "60.0%", "estimate <= ci_high"),
        ("pi_low", 0.55, "55.0%", "pi_low <= ci_low"),
        ("pi_high", 0.7, "70.0%", "ci_high <= pi_high"),
        ("tau2_low", 1.5, "1.50", "tau2_low <= tau2_high"),
        ("glmm_ci_low", 0.65, "65.0%", "glmm_ci_low <= glmm_estimate"),
        ("glmm_ci_high", 0.55, "55.0%", "glmm_estimate <= glmm_ci_high"),
        ("events", 9, "9", "events <= n"),
    ],
)
def test_limits_out_of_order_are_named(key: str, value: Any, text: str, order: str) -> None:
    entries = right()
    (changed,) = (e for e in entries if e["key"] == f"{P}.{key}")
    changed.update(value=value, text=text)
    faults = read(entries).faults
    assert [fault.expected for fault in faults] == [order]


def test_equal_limits_are_in_order_and_other_prefixes_do_not_matter() -> None:
    same = [e | {"value": 0.5, "text": "50.0%"} for e in right()[:3]]
    other = [e | {"key": e["key"].replace(".a.", ".b.")} for e in right()[1:2]]
    other[0].update(value=0.9, text="90.0%")
    assert read([*same, *other]).faults == ()
