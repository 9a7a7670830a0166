"""What is wrong in `data/`, in words: one Fault for each thing, and all of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

_FOUND_WIDTH = 80


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in `data/`, worded for the person who can mend it.

    file: name of the file. row: row of a table as a spreadsheet numbers it (the header is row 1),
    line of any other file; None where none can be named. column: the column, None where the fault
    concerns the whole row or file. found, allowed, remedy: what stands there, what may stand
    there, what to do.
    """

    file: str
    row: int | None
    column: str | None
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", {'row' if self.file.endswith('.csv') else 'line'} {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        line = f"{place}: found {self.found}; allowed: {self.allowed}. {self.remedy}"
        return " ".join(line.split())


class EvidenceError(Exception):
    """The data cannot be used; `faults` has every reason and the message one line for each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass
class Findings:
    """The faults that one pass over `data/` finds. A cell that has one is not reported again."""

    faults: list[Fault] = field(default_factory=list)
    _faulty: set[tuple[str, int | None, str | None]] = field(default_factory=set)

    def add(self, fault: Fault, columns: Iterable[str] = ()) -> None:
        """Keep a fault unless its row, or one of the columns that it concerns, already has one."""
        named: Iterable[str | None] = columns or [fault.column]
        if not any(self.is_faulty(fault.file, fault.row, column) for column in named):
            self.faults.append(fault)
            self._faulty |= {(fault.file, fault.row, column) for column in named}

    def is_faulty(self, file: str, row: int | None, column: str | None) -> bool:
        """Whether the cell, or its whole row, has a fault already."""
        return not self._faulty.isdisjoint({(file, row, column), (file, row, None)})


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely stands for, whatever its capitals."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else None


def shown(cell: str) -> str:
    """A cell in quotation marks, on one line and not too long."""
    if not cell:
        return "a blank cell"
    text = json.dumps(cell, ensure_ascii=False)
    return text if len(text) <= _FOUND_WIDTH else f'{text[: _FOUND_WIDTH - 2]}…"'
