"""A finished book and the project it was made from, read once into parts that never change.

A change of one part is a new Book or Project with that part replaced (dataclasses.replace); all
other parts stay the same objects, and what was found in them is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks import figures, fresh, html, ledger, pdf
from checks.faults import Fault, UnreadableError
from checks.figures import Figure
from checks.html import Page
from checks.ledger import Ledger
from checks.pdf import Printed

_BUILD_AGAIN = "build the book again (nox -s book)"
#: Written by the check itself, so not a part of what it checks.
REPORT_PAGE = "checked.html"
REPORT_DATA = "checked.json"
MUTATIONS = "checks/mutations.json"
RECORDS = "analysis/records/"


@dataclass(frozen=True, eq=False)
class Project:
    """The files that the book is made from: content by path from the project's root.

    The data are under data/, wherever the folder lies.
    """

    files: Mapping[str, bytes]

    @property
    def data(self) -> dict[str, bytes]:
        """The files of data/ by name."""
        return {
            path.removeprefix("data/"): content
            for path, content in self.files.items()
            if path.startswith("data/")
        }

    @property
    def trials(self) -> bytes:
        """The record of the last attack on the check, as JSON."""
        return self.files[MUTATIONS]

    @property
    def records(self) -> dict[str, Any]:
        """What was measured once and recorded (analysis/records/), by the name of its file."""
        return {
            path.removeprefix(RECORDS).removesuffix(".json"): json.loads(content)
            for path, content in self.files.items()
            if path.startswith(RECORDS) and path.endswith(".json")
        }


@dataclass(frozen=True, eq=False)
class Book:
    """A finished book: its pages by path, figures by name, the printed book, the ledger, the rest.

    others holds the text files that are neither (CSV, JSON) by path; paths all files there are;
    faults what could not be read.
    """

    ledger: Ledger
    pages: Mapping[str, Page]
    figures: Mapping[str, Figure]
    printed: Printed | None
    others: Mapping[str, bytes]
    paths: frozenset[str]
    faults: tuple[Fault, ...] = field(default=())


def read_project(root: Path, data: Path) -> Project:
    """Read the data and the sources of the book.

    Raises UnreadableError where they are not there.
    """
    project = Project(fresh.read_files(root, data))
    for needed in (MUTATIONS, "_quarto.yml", "data/datapackage.json", "data/references.bib"):
        if needed not in project.files:
            raise UnreadableError(
                f"{root / needed}: found no file; expected one of the project's own; run the check "
                "from the project's root, on the files as they were committed"
            )
    try:
        record = json.loads(project.trials)
        complete = record["kinds"].keys() and record["rules"].keys()
    except (ValueError, KeyError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise UnreadableError(
            f"{root / MUTATIONS}: found no record of kinds and rules; expected what "
            "`nox -s mutate -- --record` leaves; restore the file"
        )
    return project


def read_book(folder: Path) -> Book:
    """Read every file of a finished book that holds numbers.

    What cannot be read is a fault of the book, so that one broken file does not hide another.
    Raises UnreadableError where there is no book, or no ledger to compare it with.
    """
    if not folder.is_dir():
        raise UnreadableError(
            f"{folder}: found no folder; expected a built book; build it first (nox -s book)"
        )
    content = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    faults: list[Fault] = []
    pages, drawn, printed = {}, {}, []
    for name, path in content.items():
        if name == REPORT_PAGE:
            continue
        try:
            if path.suffix == ".html":
                pages[name] = html.read_page(name, path.read_bytes())
            elif path.suffix == ".svg" and name.startswith("figures/"):
                beside = content.get(Path(name).with_suffix(".csv").as_posix())
                data = beside.read_bytes() if beside else None
                drawn[path.stem] = figures.read(path.stem, path.read_bytes(), data)
            elif path.suffix == ".pdf" and "/" not in name:
                printed.append(pdf.read(path.read_bytes(), name))
        except (OSError, ValueError) as error:
            faults.append(Fault("file", name, f"{error}", "a whole file", _BUILD_AGAIN))
    if len(printed) != 1 and not any(fault.place.endswith(".pdf") for fault in faults):
        found = ", ".join(one.name for one in printed) or "no PDF"
        faults.append(Fault("file", "the PDF", found, "one PDF in the book's folder", _BUILD_AGAIN))
    others = {
        name: path.read_bytes()
        for name, path in content.items()
        if path.suffix in (".csv", ".json") and name != REPORT_DATA and "site_libs" not in name
    }
    return Book(
        ledger.read(others.get("numbers.json"), f"{folder / 'numbers.json'}"),
        pages,
        drawn,
        printed[0] if len(printed) == 1 else None,
        others,
        frozenset(content),
        tuple(faults),
    )
