"""Alternative texts: the numbers and names that they speak, one after the other, and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from checks.faults import Fault
from checks.ledger import REBUILD, Number
from checks.sources import Sources
from checks.tags import Findings
from checks.text import around, in_words, normalise, number_words, numerals


def check_alt(
    place: str, alt: str, items: Sequence[str], numbers: Mapping[str, Number], sources: Sources
) -> Findings:
    """Walk through an alternative text by its items, keys or addresses of names in the data.

    Each stands whole after the one before; what is left between them holds no number.
    """
    findings = Findings()
    text = normalise(alt)
    position = 0
    for item in items:
        quoted = "#" in item
        wanted = _quoted(item, sources) if quoted else _texts(item, numbers)
        if not quoted:
            findings.tag("alt", place, item, None, numbers)
        if not wanted:
            if quoted:
                findings.faults.append(
                    Fault("alt", place, f"the address {item}", "words that the data hold", REBUILD)
                )
            continue
        match = _first(wanted, text, position)
        if match is None:
            found = f'"{text[position:][:60]}" where {item} should be spoken'
            findings.faults.append(Fault("alt", place, found, f'"{wanted[0]}" there', REBUILD))
            continue
        if quoted:
            findings.counts["structure"] += len(numerals(match.group()))
        _unexplained(text, position, match.start(), place, findings)
        position = match.end()
    _unexplained(text, position, len(text), place, findings)
    return findings


def _texts(key: str, numbers: Mapping[str, Number]) -> list[str]:
    """How a number may be said: its text, or its word."""
    if key not in numbers:
        return []
    number = numbers[key]
    word = None if isinstance(number.value, str) else in_words(number.value)
    return [normalise(number.text), *([word] if word else [])]


def _quoted(address: str, sources: Sources) -> list[str]:
    words = sources.text(address)
    # An alternative text stands in double quotes, so those within are single.
    return [normalise(words).replace('"', "'")] if words else []


def _first(wanted: Sequence[str], text: str, position: int) -> re.Match[str] | None:
    """The first of these texts from position on, not as a part of a longer word or number."""
    choice = "|".join(re.escape(one) for one in wanted)
    pattern = re.compile(rf"(?<![\w.,\-\u2012\u2013])(?:{choice})(?![\w%]|[.,]\d)")
    return pattern.search(text, position)


def _unexplained(text: str, start: int, end: int, place: str, findings: Findings) -> None:
    """Report the numbers between two items."""
    for rule, found in (
        ("untagged", numerals(text[start:end])),
        ("words", number_words(text[start:end])),
    ):
        for number in found:
            words = around(text, start + number.start, start + number.end)
            findings.counts["unexplained"] += 1
            findings.faults.append(
                Fault(
                    rule,
                    place,
                    f'"{number.text}" without a key in "{words}"',
                    "an item of data-keys for each number, in order",
                    "say it from the ledger or the data, see analysis/alttext.py",
                )
            )
