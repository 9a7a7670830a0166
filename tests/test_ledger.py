from __future__ import annotations

import json
import math

import pytest

from analysis.ledger import FORMATS, Ledger, entry
from analysis.report import Report


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("percent", 73 / 86, "84.9%"),
        ("percent", 0.0, "0.0%"),
        ("percent", 1.0, "100.0%"),
        ("percent_whole", 0.6149, "61%"),
        ("per_100", 0.7825, "78"),
        ("printed_percent", 65.0, "65%"),
        ("printed_percent", 88.7, "88.7%"),
        ("count", 1245, "1,245"),
        ("number", 0.5331, "0.53"),
        ("months", 5.5, "5.5"),
        ("platelets", 100.0, "100"),
    ],
)
def test_text_follows_from_the_unit(unit: str, value: float, text: str) -> None:
    assert FORMATS[unit](value) == text


def test_a_key_is_given_once() -> None:
    with pytest.raises(ValueError, match=r"given twice: a\.b"):
        Ledger([entry("a.b", 1, "count"), entry("a.b", 2, "count")])


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        Ledger([entry("a.b", math.nan, "number")])


def test_an_unknown_key_names_the_nearest() -> None:
    ledger = Ledger([entry("pool.rituximab.overall_response.k", 1, "count")])
    with pytest.raises(KeyError, match=r"nearest: pool\.rituximab\.overall_response\.k"):
        ledger["pool.rituximab.overal_response.k"]


def test_json_has_what_others_rely_on(shipped: Report) -> None:
    saved = json.loads(shipped.ledger.to_json())
    assert len(saved) == len(shipped.ledger)
    assert all({"key", "value", "text", "unit", "rows"} <= entry.keys() for entry in saved)


def test_every_pool_has_its_state_and_counts(shipped: Report) -> None:
    for prefix, pool in shipped.pools.items():
        if prefix.startswith(("pool.", "class.", "cited.")) or pool.k:
            assert shipped.ledger[f"{prefix}.state"].value == pool.state
            assert shipped.ledger[f"{prefix}.k"].value == pool.k
        has = {
            stat: f"{prefix}.{stat}" in shipped.ledger for stat in ("estimate", "tau2", "pi_low")
        }
        assert has == {"estimate": pool.k > 0, "tau2": pool.k > 1, "pi_low": pool.k > 2}


def test_rows_of_an_entry_are_rows_of_the_evidence(shipped: Report) -> None:
    addresses = set(shipped.selection.rows["address"])
    assert all(set(entry.rows) <= addresses for entry in shipped.ledger)
