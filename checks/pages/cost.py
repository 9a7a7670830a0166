"""The words of the chapter on the making of the book, as far as they tell its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.values.cost import SIZES

if TYPE_CHECKING:
    from checks.vocabulary import Phrases


class _Words:
    def __init__(self, say: Phrases) -> None:
        self._say = say

    def grown(self) -> str:
        larger = (f"cost.{name}" for factor, name in SIZES.items() if factor > 1)
        return "".join(
            self._say.keys(f"{prefix}.factor", f"{prefix}.times")
            for prefix in larger
            if self._say.known(f"{prefix}.factor")
        )


def words(say: Phrases) -> _Words:
    """The sentence on growth."""
    return _Words(say)
