"""Alternative texts of figures: what a reader who cannot see the plot is told.

They are made from the ledger, and keep the keys of their numbers in the order in which they stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis.ledger import Ledger


@dataclass(frozen=True)
class Drawn:
    """A figure that has been written: its file name and how it is spoken.

    `alt` holds the numbers' texts already; `alt_keys` their keys in the same order.
    """

    name: str
    alt: str
    alt_keys: tuple[str, ...]


class Speaker:
    """Collects an alternative text and the keys of its numbers, in order."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._parts: list[str] = []
        self._keys: list[str] = []

    def say(self, template: str, prefix: str = "") -> None:
        """Add a sentence; `{stat}` becomes the text of PREFIX.stat, `{=KEY}` of the whole KEY."""

        def fill(match: re.Match[str]) -> str:
            name = match.group(1)
            key = name[1:] if name.startswith("=") else f"{prefix}.{name}"
            self._keys.append(key)
            return self._ledger[key].text

        self._parts.append(re.sub(r"\{(=?[^}]+)\}", fill, template))

    def drawn(self, name: str) -> Drawn:
        """The finished text for the figure of this name."""
        return Drawn(name, " ".join(self._parts), tuple(self._keys))
