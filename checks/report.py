"""What the check says of itself: a table and a line for the terminal, JSON, and a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from checks.audit import Audit
from checks.faults import RULES
from checks.tags import COUNTED

#: What the check cannot see, said wherever it reports.
BLIND_SPOTS = (
    "Whether the data say what the sources say: a number misread from a paper is misread here too.",
    "Whether the sentence around a number is true: the key is checked, not what is said of it.",
    'Numbers hidden in words: "single", "both" and "none"; "one", unless a noun that the evidence '
    'counts follows it; ordinals such as "second-line".',
    "A sign set apart from its number, such as plus or about; letters that only look like others.",
    "Words that the code chooses in place of numbers, such as above and below, and the rules that "
    "limit trust.",
    "What a script or a style sheet writes into a page while it is shown.",
    "The ink of the PDF: a number is read from its text, so text that is covered or has no colour "
    "counts as shown, and the marks of its figures are measured on the pages only.",
    "Words of a figure that hold no number and quote nothing, such as those of its legend.",
)
_TEMPLATE = Path(__file__).with_name("report.html")
_HEADERS = ("Chapter", "Ledger", "Constants", "Structure", "Unexplained")


def closing_line(audit: Audit) -> str:
    """How many numbers there are and what they are, and whether the book is sound."""
    total = audit.total
    kinds = ", ".join(f"{total[name]:,} {name}" for name in COUNTED)
    verdict = "no fault"
    if audit.faults:
        verdict = f"{len(audit.faults):,} fault" + ("s" if len(audit.faults) > 1 else "")
    return f"{total.total():,} numbers: {kinds}; {verdict}"


def lines(audit: Audit) -> Iterator[str]:
    """The report for the terminal: the table by chapter, what else was looked at, the last line."""
    rows = [_HEADERS, *_rows(audit)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADERS))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield f"{row[0]:{widths[0]}}  {'  '.join(cells)}"
    yield _print_line(audit)
    yield (
        f"{audit.recomputed:,} ledger values worked out again from the data; "
        f"{len(audit.unused):,} of them shown nowhere in the book"
    )
    yield closing_line(audit)


def _print_line(audit: Audit) -> str:
    return (
        f"PDF: {audit.printed:,} numbers on {audit.sheets:,} sheets beside those of the pages, "
        f"{audit.furniture:,} page numbers and contents"
    )


def _rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    named = [(audit.titles.get(name, name.capitalize()), c) for name, c in audit.counts.items()]
    for title, counts in [*named, ("The whole book", audit.total)]:
        yield (title, *(f"{counts[name]:,}" for name in COUNTED))


def as_json(audit: Audit) -> str:
    """The report as JSON: totals, chapters, faults by rule and one by one, blind spots."""
    by_rule = Counter(fault.rule for fault in audit.faults)
    content: dict[str, Any] = {
        "passed": not audit.faults,
        "summary": closing_line(audit),
        "numbers": {"total": audit.total.total(), **_counts(audit.total)},
        "chapters": [
            {"page": name, "title": audit.titles.get(name, name), **_counts(counts)}
            for name, counts in audit.counts.items()
        ],
        "print": {
            "sheets": audit.sheets, "compared": audit.printed, "furniture": audit.furniture,
        },
        "recomputed": audit.recomputed,
        "unused_keys": audit.unused,
        "rules": {
            rule: {"guards": guards, "faults": by_rule[rule]} for rule, guards in RULES.items()
        },
        "faults": [{"rule": fault.rule, "text": str(fault)} for fault in audit.faults],
        "blind_spots": list(BLIND_SPOTS),
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in COUNTED}


def as_page(audit: Audit) -> str:
    """The report as a page of the book, with the same figures."""
    by_rule = Counter(fault.rule for fault in audit.faults)
    verdict = "Every number is accounted for." if not audit.faults else "This book has faults."
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        verdict=verdict,
        state="sound" if not audit.faults else "faulty",
        summary=escape(closing_line(audit)),
        faults=_list(str(fault) for fault in audit.faults),
        chapters=_table(_HEADERS, _rows(audit)),
        printed=escape(_print_line(audit)),
        recomputed=f"{audit.recomputed:,}",
        unused=f"{len(audit.unused):,}",
        rules=_table(
            ("Rule", "What it guards", "Faults"),
            ((rule, guards, f"{by_rule[rule]:,}") for rule, guards in RULES.items()),
        ),
        blind=_list(BLIND_SPOTS),
    )


def _list(texts: Iterator[str] | tuple[str, ...]) -> str:
    return "\n".join(f"<li>{escape(text)}</li>" for text in texts)


def _table(headers: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
