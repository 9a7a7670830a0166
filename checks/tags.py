"""One tagged number: a key beside the text that the reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.faults import Fault
from checks.ledger import Number, normalise


@dataclass
class Findings:
    """What was read in some part of the book.

    One key per tagged number in keys; disagreeing counts the tagged numbers with a fault.
    """

    faults: list[Fault] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    disagreeing: int = 0

    def add(self, other: Findings) -> None:
        """Add the findings of another part."""
        self.faults += other.faults
        self.keys += other.keys
        self.disagreeing += other.disagreeing

    def tag(self, place: str, key: str, text: str | None, numbers: Mapping[str, Number]) -> None:
        """Note one tagged number; text is what it shows, None for a mark without any."""
        self.keys.append(key)
        fault = None
        if key not in numbers:
            fault = Fault(
                place,
                f'key "{key}"',
                "a key of numbers.json",
                "correct the key where the number is written",
            )
        elif text is not None and normalise(text) != normalise(numbers[key].text):
            fault = Fault(
                place,
                f'"{normalise(text)}" for {key}',
                f'"{numbers[key].text}" (numbers.json)',
                "render the book again; if it stays, the number was typed or its key swapped",
            )
        if fault is not None:
            self.faults.append(fault)
            self.disagreeing += 1
