"""What the chapters ask for: their sources run again, with words that name keys instead of numbers.

A chapter says `num("pool.rituximab.overall_response.estimate")`. Run with checks.vocabulary, that
call leaves a marker with the key; the markers of a chapter, in order, are what its page must show.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CODE = re.compile(
    r"^```\{python\}[ ]*\n(?P<cell>.*?)^```[ ]*$|^```.*?^```[ ]*$|`\{python\} (?P<inline>[^`]+)`",
    re.DOTALL | re.MULTILINE,
)
_DIVISION = re.compile(r"^(?P<colons>:{3,})[ ]*(?P<rest>.*)$")
_MARKER = re.compile("\x02(num|datum|figure|head|cell|cite):([^\x03]+)\x03")


@dataclass(frozen=True)
class Item:
    """One thing that a page must show, in its place.

    kind: num (name is the key), datum (an address in the data), figure; in tables also head (number
    of the column and its words), cell (number of the column, before what stands in it) and cite
    (the study that a row is about).
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "num" else f"{self.kind} {self.name}"


class ChapterError(Exception):
    """A chapter that cannot be run with the checks' own words; says which and why."""


def marker(kind: str, name: str) -> str:
    """What a call leaves in the text in the place of a number."""
    return f"\x02{kind}:{name}\x03"


def items(source: str, place: str, vocabulary: Mapping[str, Any]) -> list[Item]:
    """The items that the page of a chapter must show, in order.

    Raises ChapterError where the source asks for something that the vocabulary does not have.
    """
    printed: list[str] = []
    names: dict[str, Any] = {
        **vocabulary, "print": lambda *parts: printed.extend(str(part) for part in parts)
    }  # fmt: skip
    for match in _CODE.finditer(_without_print_only(source)):
        line = source.count("\n", 0, match.start()) + 1
        try:
            if match["cell"] is not None:
                exec(_compiled(match["cell"], place), names)
            elif match["inline"] is not None:
                printed.append(str(eval(match["inline"], names)))
        except Exception as error:  # the chapter's code may raise anything
            raise ChapterError(f"near line {line}: {type(error).__name__}: {error}") from error
    return [Item(*found) for found in _MARKER.findall("".join(printed))]


def _compiled(cell: str, place: str) -> Any:
    """The code of a cell without its imports: its words come from the vocabulary."""
    tree = ast.parse(cell, place)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return compile(tree, place, "exec")


def _without_print_only(source: str) -> str:
    """The source without what only the printed book shows; its lines are kept, as blanks."""
    kept, hidden, depth = [], 0, 0
    for line in source.split("\n"):
        division = _DIVISION.match(line)
        if division:
            opens = bool(division["rest"])
            depth += 1 if opens else -1
            if opens and not hidden and _print_only(division["rest"]):
                hidden = depth
        kept.append("" if hidden else line)
        if division and depth < hidden:
            hidden = 0
    return "\n".join(kept)


def _print_only(attributes: str) -> bool:
    visible = ".content-visible" in attributes and 'when-format="typst"' in attributes
    return visible or (".content-hidden" in attributes and 'when-format="html"' in attributes)
