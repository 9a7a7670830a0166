"""Read a built book back and compare it with data/: python -m checks BOOK_DIR [--data data].

Prints one line per fault and a coverage line last; the exit code is 0 without faults, else 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from checks import ledger, recompute, rows
from checks.faults import Fault, UnreadableError
from checks.figures import check_figures
from checks.html import check_pages
from checks.pdf import check_pdf


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks and print what they found."""
    parser = argparse.ArgumentParser(prog="python -m checks", description=__doc__)
    parser.add_argument("book", type=Path, metavar="BOOK_DIR", help="the folder of the built book")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the evidence (data/)")
    options = parser.parse_args(arguments)
    try:
        faults, coverage = check(options.book, options.data)
    except UnreadableError as error:
        print(error)
        return 1
    for fault in faults:
        print(fault)
    print(coverage)
    return 1 if faults else 0


def check(book: Path, data: Path) -> tuple[list[Fault], str]:
    """Return the faults of a built book and the closing line on what was looked at.

    Raises UnreadableError where the book, its ledger or the data cannot be read at all.
    """
    if not book.is_dir():
        raise UnreadableError(
            f"{book}: found no folder; expected a built book; build it first (nox -s book)"
        )
    numbers, faults = ledger.read(book)
    comparison = recompute.compare(numbers, rows.read(data), book)
    page_count, findings = check_pages(book, numbers)
    figure_count, in_figures = check_figures(book, numbers)
    findings.add(in_figures)
    pdf_pages, pdf_faults = check_pdf(book)
    faults += comparison.faults + findings.faults + pdf_faults
    if not findings.keys:
        faults.append(
            Fault(str(book), "no tagged number", "at least one", "the book was built without any")
        )
    tagged = len(findings.keys)
    unused = len(numbers.keys() - set(findings.keys))
    coverage = (
        f"checked {tagged:,} tagged numbers on {page_count:,} pages and {figure_count:,} figures: "
        f"{tagged - findings.disagreeing:,} agree, {len(faults):,} faults; "
        f"{len(comparison.recomputed):,} of {len(numbers):,} ledger values recomputed from {data} "
        f"({len(comparison.not_recomputed):,} flow, evidence and constants not recomputed); "
        f"{unused:,} ledger keys unused; PDF of {pdf_pages:,} pages read"
    )
    return faults, coverage


if __name__ == "__main__":
    sys.exit(main())
