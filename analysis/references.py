"""`references.bib`: each entry can be read, and each study has its own that agrees with it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.faults import Fault, Findings
from analysis.files import BOM, read_bytes
from analysis.rawtables import RawTable

if TYPE_CHECKING:
    from bibtexparser.model import Entry

REFERENCES_FILE = "references.bib"

_ENTRY = re.compile(r"^\s*@(?!comment)\w+\s*\{\s*([^\s,{}=]+)\s*,", re.IGNORECASE | re.MULTILINE)
_FORM = "@type{key, name = {value}, ...} with every brace closed"
#: What an entry and its study's row both state.
_SHARED = ("year", "doi", "pmid")


def check_references(path: Path, studies: RawTable, findings: Findings) -> None:
    """Add the faults of references.bib in the order of their lines, those without a line last.

    They are entries that cannot be read, lack a field or differ from their study, repeated keys,
    and studies without their entry. `studies` has the rows to compare with; a row that `findings`
    knows to be wrong is left out.
    """
    content = read_bytes(path, findings)
    if content is None:
        return
    try:
        text = content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found, remedy = "text in another encoding than UTF-8", "Save the file again as UTF-8."
        findings.add(Fault(path.name, row, None, found, "text in UTF-8", remedy))
        return

    from bibtexparser.entrypoint import parse_string
    from bibtexparser.model import DuplicateBlockKeyBlock

    # The parser also logs what it returns; one line for one fault.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    library = parse_string(text)
    faults = []
    for block in library.failed_blocks:
        opening = _ENTRY.match(block.raw or "")
        key = opening[1] if opening else ""
        if isinstance(block, DuplicateBlockKeyBlock):
            found, allowed = f"a second entry {key}", "one entry for each key"
            remedy = "Delete one of the two entries, or give it another key."
        else:
            found, allowed = f"an entry that cannot be read ({key or 'no key'})", _FORM
            remedy = "Look for a missing brace or comma, or a field given twice."
        row = (block.start_line or 0) + 1
        faults.append(Fault(path.name, row, None, found, allowed, remedy))
    # A study's row that is itself at fault proves nothing against its entry.
    records = {
        record["study_id"]: record
        for row, record in zip(studies.rows, studies.records, strict=True)
        if "study_id" in record
        and not any(findings.is_faulty(studies.file, row, name) for name in ("study_id", *_SHARED))
    }
    for entry in library.entries:
        faults += _check_entry(path.name, entry, records.get(entry.key, {}))
    # From the text, since an unclosed entry hides those after it.
    attempted = set(_ENTRY.findall(text))
    for key in records:
        if key not in attempted:
            remedy = f"Add an entry @article{{{key}, ...}} with author, title and year."
            allowed = "one entry for each study in studies.csv"
            faults.append(Fault(path.name, None, None, f"no entry {key}", allowed, remedy))
    # Past add(), since one entry may have several faults, all in its first line.
    findings.faults += sorted(faults, key=lambda fault: fault.row or len(content))


def _check_entry(file: str, entry: Entry, record: dict[str, str]) -> Iterator[Fault]:
    """Faults of one readable entry, against its study's row where it has one."""
    row = (entry.start_line or 0) + 1
    values = {part.key.lower(): str(part.value) for part in entry.fields}
    loose = [
        part.key
        for part in entry.fields
        if part.enclosing == "no-enclosing" and not str(part.value).isalnum()
    ]
    if loose or not entry.key:
        # Without its comma a field swallows the next one.
        found = f"an entry that cannot be read ({entry.key or 'no key'})"
        after = f"after {loose[0]}" if loose else "and for the key"
        remedy = f"Look for a missing comma {after}."
        yield Fault(file, row, None, found, _FORM, remedy)
        return
    for name in ("title", "year"):
        if not values.get(name):
            found = f"entry {entry.key} without {name}"
            yield Fault(file, row, None, found, "entries with title and year", f"Add its {name}.")
    for name in _SHARED:
        stated, study = values.get(name, ""), record.get(name, "")
        if study and stated != study and (stated or name != "year"):
            found = f"entry {entry.key} with {name} {stated or 'missing'}"
            remedy = f"Make {file} and studies.csv agree."
            yield Fault(file, row, None, found, f"{study}, as in studies.csv", remedy)
