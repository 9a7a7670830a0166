"""The book's ledger, numbers.json: its shape, its texts, and the order of its intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from checks.faults import Fault, UnreadableError
from checks.text import normalise

REBUILD = "build the book again, and if it stays mend the analysis"
#: What a state is called, by its identifier.
STATE_WORDS = {
    "none": "no study",
    "single_study": "single study",
    "two_studies": "two studies",
    "pooled": "pooled",
}
_FIELDS = ("key", "value", "text", "unit", "rows")
_TIE = Decimal("1e-9")
_ANY_FLOAT = Context(prec=330)  # digits enough to print the largest float
_FRACTIONS = {"percent", "percent_whole", "per_100"}
_NOT_NEGATIVE = {"count", "months", "platelets", "ratio"}
#: Beyond these a ratio is printed as a bound.
_RATIO_LOW, _RATIO_HIGH = Decimal("0.001"), Decimal(1000)
# Each printed limit with the number that must not be below it.
_ORDERED = (
    ("ci_low", "estimate"),
    ("estimate", "ci_high"),
    ("pi_low", "ci_low"),
    ("ci_high", "pi_high"),
    ("tau2_low", "tau2_high"),
    ("glmm_ci_low", "glmm_estimate"),
    ("glmm_estimate", "glmm_ci_high"),
    ("odds_ratio_low", "odds_ratio"),
    ("odds_ratio", "odds_ratio_high"),
    ("events", "n"),
)
_ORDER_SLACK = 1e-9


@dataclass(frozen=True)
class Number:
    """One ledger entry; value is a float, an int, or a string where the unit is state.

    source says where a constant comes from, blank for other numbers.
    """

    key: str
    value: float | str
    text: str
    unit: str
    rows: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, eq=False)
class Ledger:
    """The well-formed entries by key, and the faults of the ledger's form."""

    numbers: Mapping[str, Number]
    faults: tuple[Fault, ...]


def read(content: bytes | None, place: str = "numbers.json") -> Ledger:
    """Read the ledger; content is None where there is no such file.

    Raises UnreadableError where there is no list of numbers at all.
    """
    remedy = "build the book first (nox -s book)"
    if content is None:
        raise UnreadableError(f"{place}: found no file; expected the ledger; {remedy}")
    try:
        # parse_constant keeps NaN and Infinity as words, so that they are found, not computed with.
        entries = json.loads(content.decode("utf-8"), parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"{place}: found broken JSON ({error}); expected a list of numbers; {remedy}"
        ) from None
    if not isinstance(entries, list) or not entries:
        found = "an empty list" if entries == [] else f"a JSON {type(entries).__name__}"
        raise UnreadableError(f"{place}: found {found}; expected a list of numbers; {remedy}")
    numbers: dict[str, Number] = {}
    faults: list[Fault] = []
    for position, entry in enumerate(entries, start=1):
        number, fault = _entry(entry, f"{place} entry {position}")
        if number is not None and number.key in numbers:
            found = f"key {number.key} a second time"
            fault = _fault(f"{place} entry {position}", found, "unique keys")
        elif number is not None:
            numbers[number.key] = number
        if fault is not None:
            faults.append(fault)
    for number in numbers.values():
        faults.extend(_text_and_range(number))
    faults.extend(_order(numbers))
    return Ledger(numbers, tuple(faults))


def _fault(place: str, found: str, expected: str) -> Fault:
    return Fault("ledger", place, found, expected, REBUILD)


def _entry(entry: Any, place: str) -> tuple[Number | None, Fault | None]:
    """Return the entry as a Number, or the fault that keeps it from being one."""
    if not isinstance(entry, dict):
        return None, _fault(place, repr(entry), "an object")
    missing = [field for field in _FIELDS if field not in entry]
    if missing:
        place = f"{place} ({entry.get('key', 'no key')})"
        return None, _fault(
            place, f"no field {', '.join(missing)}", f"at least {', '.join(_FIELDS)}"
        )
    key, value, text, unit, rows = (entry[field] for field in _FIELDS)
    source = entry.get("source", "")
    place = f"{place} ({key})"
    if not all(isinstance(field, str) and field for field in (key, text, unit)):
        found = f"key {key!r}, text {text!r}, unit {unit!r}"
        return None, _fault(place, found, "three words that are not empty")
    if not isinstance(source, str):
        return None, _fault(place, f"source {source!r}", "words, or no source")
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        return None, _fault(place, f"rows {rows!r}", "a list of row addresses")
    if unit not in _FORMATS and unit != "state":
        allowed = ", ".join([*_FORMATS, "state"])
        return None, _fault(place, f"unit {unit!r}", f"one of {allowed}")
    if unit == "state":
        if not isinstance(value, str) or value not in STATE_WORDS:
            return None, _fault(place, f"value {value!r}", f"one of {', '.join(STATE_WORDS)}")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        return None, _fault(place, f"value {value!r}", "a finite number")
    elif unit == "count" and not isinstance(value, int):
        return None, _fault(place, f"value {value!r}", "a whole number (unit count)")
    return Number(key, value, text, unit, tuple(rows), source), None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the largest float
        return False


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


def _ratio(number: Decimal) -> set[str]:
    """Three significant digits, two below 1; whole from 100 on, a bound far from 1."""
    if number < _RATIO_LOW:
        return {f"<{_RATIO_LOW}"}
    if number > _RATIO_HIGH:
        return {f">{_RATIO_HIGH:,}"}
    places = max(0, (1 if number < 1 else 2) - number.adjusted())
    return {f"{Decimal(text):,}" for text in _fixed(number, places)}


_FORMATS: dict[str, Callable[[Decimal], set[str]]] = {
    "percent": lambda v: {f"{text}%" for text in _fixed(v * 100, 1)},
    "percent_whole": lambda v: {f"{text}%" for text in _fixed(v * 100, 0)},
    "per_100": lambda v: _fixed(v * 100, 0),
    "count": lambda v: {f"{int(v):,}"},
    "number": lambda v: _fixed(v, 2),
    "months": _general,
    "platelets": _general,
    "plain": _general,
    "ratio": _ratio,
    "points": lambda v: _fixed(v * 100, 1),
    "printed_percent": lambda v: {f"{text}%" for text in _general(v)},
}


def _text_and_range(number: Number) -> list[Fault]:
    place = f"numbers.json {number.key}"
    if isinstance(number.value, str):
        words = STATE_WORDS[number.value]
        wrong = normalise(number.text) != words
        return [_fault(place, f'text "{number.text}"', f'"{words}"')] if wrong else []
    faults = []
    texts = _FORMATS[number.unit](Decimal(number.value))
    if normalise(number.text) not in texts:
        wanted = " or ".join(f'"{text}"' for text in sorted(texts))
        found = f'text "{number.text}" for the value {number.value!r}'
        faults.append(_fault(place, found, f"{wanted} ({number.unit})"))
    high = 1 if number.unit in _FRACTIONS else 100 if number.unit == "printed_percent" else math.inf
    low = 0 if high < math.inf or number.unit in _NOT_NEGATIVE else -math.inf
    if not low <= number.value <= high:
        wanted = f"from {low} to {high}" if high < math.inf else "0 or more"
        faults.append(_fault(place, f"value {number.value!r}", wanted))
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
                found = f"{small!r}, above {upper} {large!r}"
                faults.append(_fault(f"numbers.json {number.key}", found, f"{lower} <= {upper}"))
    return faults
