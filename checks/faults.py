"""What a check reports: one line per fault, written for the person who must mend it."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 160

#: Every rule by name, with what it guards. A fault belongs to one of them.
RULES = {
    "file": "every file of the book is there and can be read",
    "fresh": "the book was made from the data and the code that stand beside it",
    "ledger": "each ledger entry is well formed, prints its value by its unit, intervals in order",
    "value": "each ledger value is what the data give on a second road",
    "text": "each tagged number shows the text of its key",
    "sequence": "each page shows the keys that its chapter asks for, in that order",
    "untagged": "no digit stands in the book without a key or a place that explains it",
    "words": "no number stands in the book as an untagged word",
    "structure": "section, figure and table numbers, references to them, dates and listings",
    "citation": "citations and bibliography agree with references.bib",
    "quotation": "names and words quoted from the data read as they do there",
    "alt": "each alternative text speaks the numbers of its keys, in order, and no others",
    "figure": "each text in a figure shows the text of its key, and no key is missing",
    "place": "each mark in a figure stands where its value puts it, each number in its row",
    "download": "each file to download holds the numbers of the ledger",
    "print": "the PDF shows the numbers of the pages, chapter by chapter, in their order",
    "link": "links lead somewhere, and nothing unfinished is left",
}


class UnreadableError(Exception):
    """Something that must be there cannot be read at all; the message is the line to print."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the rule, where it stands, what is there, what should be, remedy."""

    rule: str
    place: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        parts = (self.place, self.found, self.expected, self.remedy)
        place, found, expected, remedy = (_one_line(part) for part in parts)
        return f"{place}: found {found}; expected {expected}; {remedy} [{self.rule}]"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
