"""What was read in a part of the book, and the test of one tagged number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.chapters import Item
from checks.faults import Fault
from checks.ledger import Number
from checks.text import normalise

CONSTANT = "const."
#: What a number of the book may be, in the order of the report.
COUNTED = ("ledger", "constants", "structure", "unexplained")


@dataclass
class Findings:
    """What was read in some part of the book.

    keys: one per tagged number; items: keys, quotations and figures in reading order; counts:
    numbers by what they are (COUNTED).
    """

    faults: list[Fault] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        """Add the findings of another part."""
        self.faults += other.faults
        self.keys += other.keys
        self.items += other.items
        self.counts += other.counts

    def tag(
        self, rule: str, place: str, key: str, text: str | None, numbers: Mapping[str, Number]
    ) -> None:
        """Note one tagged number; text is what it shows, None for a mark without any."""
        self.keys.append(key)
        if key not in numbers:
            self.counts["unexplained"] += 1
            self.faults.append(
                Fault(
                    rule,
                    place,
                    f'key "{key}"',
                    "a key of numbers.json",
                    "correct the key where the number is written",
                )
            )
            return
        self.counts["constants" if key.startswith(CONSTANT) else "ledger"] += 1
        if text is not None and normalise(text) != normalise(numbers[key].text):
            self.faults.append(
                Fault(
                    rule,
                    place,
                    f'"{normalise(text)}" for {key}',
                    f'"{numbers[key].text}" (numbers.json)',
                    "render the book again; if it stays, the number was typed or its key swapped",
                )
            )
