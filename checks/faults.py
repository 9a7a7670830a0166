"""What a check reports: one line per fault, written for the person who must mend it."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 160


class UnreadableError(Exception):
    """Something that must be there cannot be read at all; the message is the line to print."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what is there, what should be, what to do."""

    place: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        parts = (self.place, self.found, self.expected, self.remedy)
        place, found, expected, remedy = (_one_line(part) for part in parts)
        return f"{place}: found {found}; expected {expected}; {remedy}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
