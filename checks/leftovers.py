"""What an unfinished render leaves behind, in HTML and in print."""

from __future__ import annotations

import re

from checks.faults import Fault
from checks.text import around

_LEFTOVERS = {
    re.compile(r"\{python\}"): ("code that was not run", "an inline value"),
    re.compile(r"\?@|\?(fig|tbl|sec|eq)-"): ("a cross-reference to nothing", "its number"),
    re.compile(r"\?\?"): ("a reference that was not resolved", "its number"),
}


def leftovers_in(text: str, place: str) -> list[Fault]:
    """Return one fault per kind of leftover in a text."""
    faults = []
    for mark, (found, expected) in _LEFTOVERS.items():
        match = mark.search(text)
        if match:
            words = around(text, match.start(), match.end())
            faults.append(
                Fault(
                    "link", place, f'{found}: "{words}"', expected, "mend the source, then render"
                )
            )
    return faults
