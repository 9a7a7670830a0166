"""More evidence than there is: copies of every study with new names and counts drawn again.

A hundred times the studies would be neither a hundred times the therapies nor pools a hundred
times as large, but something of each: sqrt(factor) copies of every therapy, and so many times more
studies in each pool. Only control arms stay what they are: placebo is placebo. The tables are
valid under datapackage.json; nothing in them is evidence.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

SEED = 20
#: Columns that name a report, of which a copy has none.
_OF_THE_REPORT = ("doi", "pmid", "seed_reference", "source_url", "title", "journal")
#: Drug classes whose name has a meaning of its own in the analysis.
_SHARED_CLASSES = ("combination", "control")

Record = dict[str, str]


def grow(data: Path, target: Path, factor: int) -> None:
    """Write `factor` times the studies of data/ into target, which has data/ in it already.

    The first of the copies is the evidence itself. The same factor gives the same tables.
    """
    dice = np.random.default_rng(SEED)
    therapies = {record["therapy"]: record for record in _read(data / "therapies.csv")}
    kinds = round(factor**0.5)

    def therapy(name: str, copy: int) -> str:
        control = therapies[name]["drug_class"] == "control"
        return name if control else f"{name}{_letters(copy % kinds)}"

    def of_therapy(record: Record, copy: int) -> Iterator[Record]:
        name = therapy(record["therapy"], copy)
        if copy >= kinds or (copy and name == record["therapy"]):
            return
        letters = _letters(copy)
        kind = record["drug_class"]
        kind = kind if kind in _SHARED_CLASSES or not copy else f"{kind} {letters}"
        label = f"{record['label']} {letters}".strip()
        yield record | {"therapy": name, "label": label, "drug_class": kind}

    def of_study(record: Record, copy: int) -> Iterator[Record]:
        others = record["overlaps_with"].split(";") if record["overlaps_with"] else []
        changed = {
            "study_id": _named(record["study_id"], copy),
            "first_author": f"{record['first_author']} {_letters(copy)}".strip(),
            "overlaps_with": ";".join(_named(other, copy) for other in others),
        }
        blank = dict.fromkeys(_OF_THE_REPORT, "") if copy else {}
        yield record | blank | changed

    def of_outcome(record: Record, copy: int) -> Iterator[Record]:
        changed = {
            "study_id": _named(record["study_id"], copy),
            "therapy": therapy(record["therapy"], copy),
        }
        if copy and record["n"]:
            events, n = int(record["events"]), int(record["n"])
            drawn = dice.binomial(n, (events + 0.5) / (n + 1))
            changed |= {"events": str(drawn), "reported_percent": ""}
        yield record | changed

    _multiply(data, target, "therapies.csv", factor, of_therapy)
    _multiply(data, target, "studies.csv", factor, of_study)
    _multiply(data, target, "outcomes.csv", factor, of_outcome)
    shutil.copy(data / "references.bib", target / "references.bib")
    with (target / "references.bib").open("a", encoding="utf-8") as file:
        for record in _read(target / "studies.csv")[len(_read(data / "studies.csv")) :]:
            entry = f"author = {{{record['first_author']} and others}},\n  title = {{{{A copy}}}}"
            year = record["year"]
            file.write(f"\n@article{{{record['study_id']},\n  {entry},\n  year = {{{year}}},\n}}\n")


def _multiply(
    data: Path,
    target: Path,
    name: str,
    factor: int,
    copied: Callable[[Record, int], Iterator[Record]],
) -> None:
    """Write the copies of a table's lines, copy after copy."""
    records = _read(data / name)
    with (target / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        writer.writeheader()
        for copy in range(factor):
            for record in records:
                writer.writerows(copied(record, copy))


def _read(path: Path) -> list[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _letters(number: int) -> str:
    """Blank for 0, then a, b, ..., z, aa, ab and so on."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(97 + place) + letters
    return letters


def _named(study_id: str, copy: int) -> str:
    return f"{study_id}x{copy}" if copy else study_id
