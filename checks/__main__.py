"""Read a built book back and account for every number in it: python -m checks BOOK_DIR.

Prints one line per fault, a table by chapter, and the coverage line last; leaves the same as
checked.json and checked.html in the book. The exit code is 0 without faults, else 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from checks import report
from checks.audit import Audit, audit
from checks.book import REPORT_DATA, REPORT_PAGE, read_book, read_project
from checks.faults import Fault, UnreadableError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks and print what they found."""
    parser = argparse.ArgumentParser(prog="python -m checks", description=__doc__)
    parser.add_argument("book", type=Path, metavar="BOOK_DIR", help="the folder of the built book")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the evidence (data/)")
    options = parser.parse_args(arguments)
    try:
        project = read_project(Path.cwd(), options.data)
        found = audit(read_book(options.book), project)
    except UnreadableError as error:
        print(error)
        # A report of an earlier check must not go on saying that all is well.
        if (options.book / REPORT_PAGE).exists():
            remedy = "mend that first"
            unread = Fault("file", "the check", str(error), "a book and data to read", remedy)
            leave_report(options.book, Audit(faults=[unread]))
        return 1
    for fault in found.faults:
        print(fault)
    for line in report.lines(found):
        print(line)
    leave_report(options.book, found)
    return 1 if found.faults else 0


def leave_report(book: Path, found: Audit) -> None:
    """Write what was found into the book."""
    try:
        (book / REPORT_DATA).write_text(report.as_json(found), encoding="utf-8")
        (book / REPORT_PAGE).write_text(report.as_page(found), encoding="utf-8")
    except OSError as error:
        print(f"{book}: the report could not be written ({error})", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
