"""The second road to the numbers of single parts of the book, a module for each part.

A module has FAMILIES, the first words of its keys, and expected(data, records), what each key must
be worth. What is slow to work out is remembered by the counts that went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from checks.expected import Expected
from checks.rows import Data
from checks.values import (
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


class Part(Protocol):
    """What each module offers."""

    @property
    def FAMILIES(self) -> tuple[str, ...]:
        """First words of the keys."""

    def expected(self, data: Data, records: Mapping[str, Any], /) -> Mapping[str, Expected]:
        """What each key must be worth."""


PARTS: tuple[Part, ...] = (
    multiverse,
    influence,
    comparisons,
    differences,
    audit,
    agreement,
    outlook,
    denominators,
    simulation,
    cost,
)
FAMILIES = tuple(family for part in PARTS for family in part.FAMILIES)


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """What data/ and the records of analysis/records/ give for every key of every part."""
    return {key: value for part in PARTS for key, value in part.expected(data, records).items()}
