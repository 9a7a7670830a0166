"""What the chapter on the making of the book says of its cost."""

from __future__ import annotations

from analysis.entries.cost import SIZES
from analysis.prose import Markdown, book, num


def grown() -> Markdown:
    """How much longer the analysis takes on each larger copy of the evidence."""
    names = [SIZES[size["factor"]] for size in book().records["cost"]["growth"][1:]]
    said = [
        f"with {num(f'cost.{name}.factor')} times the studies the analysis takes "
        f"{num(f'cost.{name}.times')} times as long"
        for name in names
    ]
    text = ", and ".join(said)
    return Markdown(f"{text[:1].upper()}{text[1:]}.")
