"""The numbers of a chapter in the order in which a reader meets them, in HTML or in print."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """One number as it reads, with its place and the words around it for a message."""

    text: str
    place: str
    words: str


@dataclass(frozen=True, eq=False)
class Chapter:
    """What one chapter shows.

    prose: numbers of headings, text, tables and captions (a caption after what it describes);
    spoken: those of the alternative texts; drawn: those of the figures, in the order of their SVG.
    Numbers are numerals and number words of checks.text.
    """

    title: str
    prose: tuple[Shown, ...]
    spoken: tuple[Shown, ...]
    drawn: tuple[Shown, ...]
