"""The words of single chapters as the checks understand them, a module for each part of the book.

A module has words(say): an object whose methods are the functions that analysis/pages/ has under
the same name, each giving markers in place of numbers (see vocabulary.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from checks.pages import (
    agreement,
    audit,
    comparisons,
    cost,
    denominators,
    differences,
    influence,
    multiverse,
    outlook,
    simulation,
)

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


class Part(Protocol):
    """What each module offers."""

    def words(self, say: Phrases, /) -> object:
        """The functions of the part's module in analysis/pages/, as methods."""


#: By the name that the chapters import from analysis.pages.
PARTS: dict[str, Part] = {
    "agreement": agreement,
    "audit": audit,
    "comparisons": comparisons,
    "cost": cost,
    "denominators": denominators,
    "differences": differences,
    "influence": influence,
    "multiverse": multiverse,
    "outlook": outlook,
    "simulation": simulation,
}


def words(say: Phrases) -> dict[str, Any]:
    """The objects that stand for the modules of analysis.pages, by name."""
    return {name: part.words(say) for name, part in PARTS.items()}
