"""Alternative texts of figures: what a reader who cannot see the plot is told.

They are made from the ledger and the data, and keep the keys of their numbers and the addresses of
the labels that they quote, in the order in which they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.ledger import Ledger


@dataclass(frozen=True)
class Drawn:
    """A figure that has been written: its file name and how it is spoken.

    `alt` holds the numbers' texts already; `alt_keys` their keys and the addresses of the quoted
    labels (`studies#ID#label`), in the same order.
    """

    name: str
    alt: str
    alt_keys: tuple[str, ...]


class Speaker:
    """Collects an alternative text, the keys of its numbers and the addresses of its labels."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._parts: list[str] = []
        self._keys: list[str] = []

    def say(self, template: str, prefix: str = "", sources: Iterable[str] = ()) -> None:
        """Add a sentence; `{stat}` becomes the text of PREFIX.stat, `{=KEY}` of the whole KEY.

        `sources` are the addresses of the labels in it, which stand before its numbers.
        """
        self._keys.extend(sources)

        def fill(match: re.Match[str]) -> str:
            name = match.group(1)
            key = name[1:] if name.startswith("=") else f"{prefix}.{name}"
            self._keys.append(key)
            return self._ledger[key].text

        self._parts.append(re.sub(r"\{(=?[^}]+)\}", fill, template))

    def drawn(self, name: str) -> Drawn:
        """The finished text for the figure of this name."""
        return Drawn(name, " ".join(self._parts), tuple(self._keys))
