"""The book's ledger, numbers.json: its shape, its texts, and the order of its intervals."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any

from checks.faults import Fault, UnreadableError

REBUILD = "build the book again, and if it stays mend the analysis"
_FIELDS = ("key", "value", "text", "unit", "rows")
_TIE = Decimal("1e-9")
_ANY_FLOAT = Context(prec=330)  # digits enough to print the largest float
_FRACTIONS = {"percent", "percent_whole", "per_100"}
_NOT_NEGATIVE = {"count", "months", "platelets"}
# Each printed limit with the number that must not be below it.
_ORDERED = (
    ("ci_low", "estimate"),
    ("estimate", "ci_high"),
    ("pi_low", "ci_low"),
    ("ci_high", "pi_high"),
    ("tau2_low", "tau2_high"),
    ("glmm_ci_low", "glmm_estimate"),
    ("glmm_estimate", "glmm_ci_high"),
    ("events", "n"),
)
_ORDER_SLACK = 1e-9


@dataclass(frozen=True)
class Number:
    """One ledger entry; value is a float, an int, or a string where the unit is state."""

    key: str
    value: float | str
    text: str
    unit: str
    rows: tuple[str, ...]


def normalise(text: str) -> str:
    """Text as a reader sees it: one kind of space, hyphen-minus as minus, no invisible marks."""
    visible = re.sub("[\u00ad\u200b\u2060\ufeff]", "", text).replace("\u2212", "-")
    return " ".join(visible.split())  # str.split knows NBSP, thin and narrow spaces


def read(book: Path) -> tuple[dict[str, Number], list[Fault]]:
    """Return the well-formed entries by key, and the faults of the others.

    Raises UnreadableError where there is no list of numbers at all.
    """
    path = book / "numbers.json"
    remedy = "build the book first (nox -s book)"
    try:
        # parse_constant keeps NaN and Infinity as words, so that they are found, not computed with.
        entries = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)
    except FileNotFoundError:
        raise UnreadableError(f"{path}: found no file; expected the ledger; {remedy}") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"{path}: found broken JSON ({error}); expected a list of numbers; {remedy}"
        ) from None
    if not isinstance(entries, list) or not entries:
        found = "an empty list" if entries == [] else f"a JSON {type(entries).__name__}"
        raise UnreadableError(f"{path}: found {found}; expected a list of numbers; {remedy}")
    numbers: dict[str, Number] = {}
    faults: list[Fault] = []
    for position, entry in enumerate(entries, start=1):
        number, fault = _entry(entry, f"numbers.json entry {position}")
        if number is not None and number.key in numbers:
            fault = Fault(f"numbers.json entry {position}", f"key {number.key} a second time",
                          "unique keys", REBUILD)  # fmt: skip
        elif number is not None:
            numbers[number.key] = number
        if fault is not None:
            faults.append(fault)
    for number in numbers.values():
        faults.extend(_text_and_range(number))
    faults.extend(_order(numbers))
    return numbers, faults


def _entry(entry: Any, place: str) -> tuple[Number | None, Fault | None]:
    """Return the entry as a Number, or the fault that keeps it from being one."""
    if not isinstance(entry, dict):
        return None, Fault(place, repr(entry), "an object", REBUILD)
    missing = [field for field in _FIELDS if field not in entry]
    if missing:
        return None, Fault(
            f"{place} ({entry.get('key', 'no key')})",
            f"no field {', '.join(missing)}",
            f"at least {', '.join(_FIELDS)}",
            REBUILD,
        )
    key, value, text, unit, rows = (entry[field] for field in _FIELDS)
    place = f"{place} ({key})"
    if not all(isinstance(field, str) and field for field in (key, text, unit)):
        found = f"key {key!r}, text {text!r}, unit {unit!r}"
        return None, Fault(place, found, "three words that are not empty", REBUILD)
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        return None, Fault(place, f"rows {rows!r}", "a list of row addresses", REBUILD)
    if unit not in _FORMATS and unit != "state":
        allowed = ", ".join([*_FORMATS, "state"])
        return None, Fault(place, f"unit {unit!r}", f"one of {allowed}", REBUILD)
    if unit == "state":
        if not isinstance(value, str) or not value:
            return None, Fault(place, f"value {value!r}", "an identifier", REBUILD)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None, Fault(place, f"value {value!r}", "a finite number", REBUILD)
    elif unit == "count" and not isinstance(value, int):
        return None, Fault(place, f"value {value!r}", "a whole number (unit count)", REBUILD)
    return Number(key, value, text, unit, tuple(rows)), None


def _fixed(number: Decimal, places: int) -> set[str]:
    """Number with so many decimals, half up; on a tie (within 1e-9) either neighbour will do."""
    unit = Decimal(1).scaleb(-places)
    # A float that stands on a tie has no right side, so both roundings are honest.
    nudged = (number - _TIE, number + _TIE)
    return {f"{n.quantize(unit, ROUND_HALF_UP, _ANY_FLOAT) + 0:f}" for n in nudged}


def _general(number: Decimal) -> set[str]:
    """At most six significant digits, no trailing zeros: 5.5, 12, 88.7."""
    rounded = number.quantize(Decimal(1).scaleb(max(number.adjusted(), 0) - 5), ROUND_HALF_UP)
    text = f"{rounded:f}"
    return {text.rstrip("0").rstrip(".") if "." in text else text}


_FORMATS: dict[str, Callable[[Decimal], set[str]]] = {
    "percent": lambda v: {f"{text}%" for text in _fixed(v * 100, 1)},
    "percent_whole": lambda v: {f"{text}%" for text in _fixed(v * 100, 0)},
    "per_100": lambda v: _fixed(v * 100, 0),
    "count": lambda v: {f"{int(v):,}"},
    "number": lambda v: _fixed(v, 2),
    "months": _general,
    "platelets": _general,
    "plain": _general,
    "printed_percent": lambda v: {f"{text}%" for text in _general(v)},
}


def _text_and_range(number: Number) -> list[Fault]:
    place = f"numbers.json {number.key}"
    if isinstance(number.value, str):
        if "_" in number.text:
            return [Fault(place, f'text "{number.text}"', "words", REBUILD)]
        return []
    faults = []
    texts = _FORMATS[number.unit](Decimal(number.value))
    if normalise(number.text) not in texts:
        wanted = " or ".join(f'"{text}"' for text in sorted(texts))
        found = f'text "{number.text}" for the value {number.value!r}'
        faults.append(Fault(place, found, f"{wanted} ({number.unit})", REBUILD))
    high = 1 if number.unit in _FRACTIONS else 100 if number.unit == "printed_percent" else math.inf
    low = 0 if high < math.inf or number.unit in _NOT_NEGATIVE else -math.inf
    if not low <= number.value <= high:
        wanted = f"from {low} to {high}" if high < math.inf else "0 or more"
        faults.append(Fault(place, f"value {number.value!r}", wanted, REBUILD))
    return faults


def _order(numbers: Mapping[str, Number]) -> list[Fault]:
    """Low limit <= estimate <= high limit, and the prediction interval around the interval."""
    faults = []
    for number in numbers.values():
        prefix, _, stat = number.key.rpartition(".")
        for lower, upper in _ORDERED:
            other = numbers.get(f"{prefix}.{upper}")
            if stat != lower or other is None:
                continue
            small, large = number.value, other.value
            if isinstance(small, str) or isinstance(large, str):
                continue
            if small > large + _ORDER_SLACK:
                faults.append(
                    Fault(
                        f"numbers.json {number.key}",
                        f"{small!r}, above {upper} {large!r}",
                        f"{lower} <= {upper}",
                        REBUILD,
                    )
                )
    return faults
