"""What the figures of single parts of the book must show, a module for each part.

A module has plans(data, sources): the plans of its figures, worked out from the data alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from checks.rows import Data
from checks.sources import Sources

if TYPE_CHECKING:
    from checks.figure_plan import FigurePlan


class Part(Protocol):
    """What each module offers."""

    plans: Callable[[Data, Sources], Sequence[FigurePlan]]


PARTS: tuple[Part, ...] = ()


def plans(data: Data, sources: Sources) -> list[FigurePlan]:
    """The plans of the figures of every part."""
    return [plan for part in PARTS for plan in part.plans(data, sources)]
