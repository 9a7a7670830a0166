"""The shipped evidence is valid, and what is broken in it is reported where it is broken."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pypandoc
import pytest
from frictionless import Package

from analysis.evidence import read, validate
from analysis.faults import EvidenceError, Fault

DATA = Path(__file__).parents[1] / "data"
TABLES = ("studies", "outcomes", "therapies", "published_pools", "constants")
PACKAGE = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {resource["name"]: resource for resource in PACKAGE["resources"]}

Break = Callable[[Path], None]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of data/ to break."""
    for path in DATA.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    return tmp_path


def lines_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write_lines(path: Path, lines: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def row_of(table: str, **cells: str) -> int:
    """Row, as a spreadsheet numbers it, of the first line with these cells."""
    lines = lines_of(DATA / f"{table}.csv")
    for row, line in enumerate(lines[1:], start=2):
        if cells.items() <= dict(zip(lines[0], line, strict=True)).items():
            return row
    raise LookupError(f"{table}: {cells}")


def put(table: str, row: int, **cells: str) -> Break:
    """Overwrite cells of one row."""

    def break_it(data: Path) -> None:
        path = data / f"{table}.csv"
        lines = lines_of(path)
        for column, cell in cells.items():
            lines[row - 1][lines[0].index(column)] = cell
        write_lines(path, lines)

    return break_it


def repeat(table: str, row: int, **cells: str) -> Break:
    """Append a copy of one row, with some cells changed."""

    def break_it(data: Path) -> None:
        path = data / f"{table}.csv"
        lines = lines_of(path)
        copy = dict(zip(lines[0], lines[row - 1], strict=True)) | cells
        write_lines(path, [*lines, list(copy.values())])

    return break_it


def swap(file: str, old: str, new: str, count: int = 1) -> Break:
    """Replace a piece of a file's text."""

    def break_it(data: Path) -> None:
        text = (data / file).read_text(encoding="utf-8")
        assert old in text
        (data / file).write_text(text.replace(old, new, count), encoding="utf-8", newline="")

    return break_it


def drop_column(table: str, column: str) -> Break:
    def break_it(data: Path) -> None:
        frame = pd.read_csv(data / f"{table}.csv", dtype=str, keep_default_na=False)
        frame.drop(columns=column).to_csv(data / f"{table}.csv", index=False)

    return break_it


def content(file: str, new: bytes) -> Break:
    def break_it(data: Path) -> None:
        (data / file).write_bytes(new)

    return break_it


def encoded(file: str, encoding: str) -> Break:
    def break_it(data: Path) -> None:
        text = (data / file).read_text(encoding="utf-8")
        (data / file).write_bytes(text.encode(encoding, errors="replace"))

    return break_it


def append(file: str, line: str) -> Break:
    def break_it(data: Path) -> None:
        with (data / file).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    return break_it


def both(*breaks: Break) -> Break:
    def break_it(data: Path) -> None:
        for each in breaks:
            each(data)

    return break_it


FENG = row_of("studies", study_id="feng2020")
FENG_3 = row_of("outcomes", study_id="feng2020", months="3")
FENG_12 = row_of("outcomes", study_id="feng2020", months="12")
ANY_TIME = row_of("outcomes", study_id="zaja1999")
DURABLE = row_of("outcomes", study_id="godeau2008")
WONG = row_of("studies", study_id="wong2017")
DOSE = row_of("constants", constant="tran2014_dose_mg")
FOUNDING = row_of("constants", constant="founding_rituximab_low")
LAST = {table: len(lines_of(DATA / f"{table}.csv")) for table in TABLES}
OUTCOMES_HEADER = ",".join(lines_of(DATA / "outcomes.csv")[0])

# What is broken; file, row, column of the only fault; a piece of found, allowed and remedy.
Case = tuple[str, Break, str, int | None, str | None, str, str, str]
CELLS: list[Case] = [
    ("word for a count", put("outcomes", FENG_3, events="thirty-four"), "outcomes.csv", FENG_3,
     "events", '"thirty-four"', "a whole number from 0", "in digits"),
    ("decimals in a count", put("outcomes", FENG_3, events="34.0"), "outcomes.csv", FENG_3,
     "events", '"34.0"', "a whole number", "in digits"),
    ("underscore in a count", put("outcomes", FENG_3, events="3_4"), "outcomes.csv", FENG_3,
     "events", '"3_4"', "a whole number", "in digits"),
    ("space before a count", put("outcomes", FENG_3, n=" 86"), "outcomes.csv", FENG_3,
     "n", '" 86"', "a whole number", "in digits"),
    ("digits of another script", put("outcomes", FENG_3, n="٨٦"), "outcomes.csv", FENG_3,
     "n", '"٨٦"', "a whole number", "in digits"),
    ("negative count", put("outcomes", FENG_3, events="-3"), "outcomes.csv", FENG_3,
     "events", '"-3"', "from 0 to", "Correct the number"),
    ("count beyond 64 bits", put("outcomes", FENG_3, n="9" * 30), "outcomes.csv", FENG_3,
     "n", "9999", "a whole number from 1 to", "Correct the number"),
    ("nobody treated", put("outcomes", FENG_3, events="0", n="0"), "outcomes.csv", FENG_3,
     "n", '"0"', "from 1 to", "Correct the number"),
    ("NaN for a number", put("outcomes", FENG_3, months="NaN"), "outcomes.csv", FENG_3,
     "months", '"NaN"', "a number from 0.1", "leave the cell blank"),
    ("infinite number", put("outcomes", FENG_3, reported_percent="Infinity"), "outcomes.csv",
     FENG_3, "reported_percent", '"Infinity"', "a number from 0 to 100", "in digits"),
    ("decimal comma", put("outcomes", FENG_3, reported_percent="39,5"), "outcomes.csv", FENG_3,
     "reported_percent", '"39,5"', "a number from 0 to 100", "Write 39.5"),
    ("percent sign", put("outcomes", FENG_3, reported_percent="40%"), "outcomes.csv", FENG_3,
     "reported_percent", '"40%"', "a number from 0 to 100", "in digits"),
    ("percentage above 100", put("outcomes", FENG_3, reported_percent="140"), "outcomes.csv",
     FENG_3, "reported_percent", '"140"', "from 0 to 100", "Correct the number"),
    ("unknown value, capitals", put("studies", FENG, design="RCT"), "studies.csv", FENG,
     "design", '"RCT"', "one of rct, single_arm_trial", "Did you mean rct?"),
    ("unknown value, misspelt", put("outcomes", FENG_3, exclusion="not itp"), "outcomes.csv",
     FENG_3, "exclusion", '"not itp"', "treatment_naive", "Did you mean not_itp?"),
    ("unknown value, nothing near", put("outcomes", FENG_3, confidence="sure"), "outcomes.csv",
     FENG_3, "confidence", '"sure"', "one of high, medium, low", "Correct the cell"),
    ("blank where required", put("outcomes", FENG_3, window=""), "outcomes.csv", FENG_3,
     "window", "a blank cell", "at_timepoint", "Fill in"),
    ("blank therapy", put("outcomes", FENG_3, therapy=""), "outcomes.csv", FENG_3,
     "therapy", "a blank cell", "a therapy of therapies.csv", "Fill in"),
    ("blank study", put("outcomes", FENG_3, study_id=""), "outcomes.csv", FENG_3,
     "study_id", "a blank cell", "a study_id of studies.csv", "Fill in"),
    ("address for a DOI", put("studies", FENG, doi="https://doi.org/10.3389/fmed.2020.00110"),
     "studies.csv", FENG, "doi", "https://doi.org", "a DOI without", "Correct the cell"),
    ("prefix on a PMID", put("studies", FENG, pmid="PMID 32296709"), "studies.csv", FENG,
     "pmid", '"PMID 32296709"', "a PubMed number", "Correct the cell"),
    ("unknown therapy", put("outcomes", FENG_3, therapy="sirolimuss"), "outcomes.csv", FENG_3,
     "therapy", '"sirolimuss"', "a therapy of therapies.csv", "Did you mean sirolimus?"),
    ("therapy of a published pool", put("published_pools", 2, therapy="surgery"),
     "published_pools.csv", 2, "therapy", '"surgery"', "a therapy of", "add surgery to"),
    ("unknown study", put("outcomes", FENG_3, study_id="fengg2020"), "outcomes.csv", FENG_3,
     "study_id", '"fengg2020"', "a study_id of studies.csv", "Did you mean feng2020?"),
    ("therapy renamed under its rows", put("therapies", 2, therapy="rapamycin"), "outcomes.csv",
     row_of("outcomes", therapy="sirolimus"), "therapy", "rows)", "a therapy of", "add sirolimus"),
    ("therapy misspelt under its rows", put("therapies", 2, therapy="Sirolimus"), "therapies.csv",
     2, "therapy", '"Sirolimus"', "lower-case", "Correct the cell"),
    ("study misspelt under its rows", put("studies", WONG, study_id="Wong2017"), "studies.csv",
     WONG, "study_id", '"Wong2017"', "lower-case", "Correct the cell"),
    ("constant without a source", put("constants", DOSE, source=""), "constants.csv", DOSE,
     "source", "a blank cell", "text", "Fill in"),
    ("constant without a value", put("constants", DOSE, value=""), "constants.csv", DOSE,
     "value", "a blank cell", "a number from 0", "Fill in"),
    ("constant with its unit in the cell", put("constants", DOSE, value="1000 mg"),
     "constants.csv", DOSE, "value", '"1000 mg"', "a number from 0", "in digits"),
    ("constant in an unknown unit", put("constants", DOSE, unit="percent"), "constants.csv", DOSE,
     "unit", '"percent"', "one of count, months", "Did you mean printed_percent?"),
    ("constant in words", put("constants", DOSE, constant="Dose of Tran"), "constants.csv", DOSE,
     "constant", '"Dose of Tran"', "lower-case words", "Correct the cell"),
]  # fmt: skip
RULES: list[Case] = [
    ("events above n", put("outcomes", FENG_3, events="87"), "outcomes.csv", FENG_3,
     "events", "events 87, n 86", "no larger than n", "changed places"),
    ("n without events", put("outcomes", FENG_3, events=""), "outcomes.csv", FENG_3,
     "events", "events blank, n 86", "both filled in or both blank", "percent_only"),
    ("events without n", put("outcomes", FENG_3, n=""), "outcomes.csv", FENG_3,
     "events", "events 34, n blank", "both filled in or both blank", "percent_only"),
    ("no counts, called reported", put("outcomes", FENG_3, events="", n=""), "outcomes.csv",
     FENG_3, "count_basis", "count_basis reported", "percent_only where", "Correct count_basis"),
    ("counts, called percent only", put("outcomes", FENG_12, events="1", n="2"), "outcomes.csv",
     FENG_12, "count_basis", "count_basis percent_only", "percent_only where", "Correct"),
    ("percent only, no percent", put("outcomes", FENG_12, reported_percent=""), "outcomes.csv",
     FENG_12, "reported_percent", "blank", "a printed percentage", "Enter the percentage"),
    ("months without basis", put("outcomes", FENG_3, months_basis=""), "outcomes.csv", FENG_3,
     "months", "months 3, months_basis blank", "both filled in or both blank", "Fill in"),
    ("basis without months", put("outcomes", FENG_3, months=""), "outcomes.csv", FENG_3,
     "months", "months blank, months_basis visit", "both filled in or both blank", "Fill in"),
    ("timepoint without months", put("outcomes", ANY_TIME, window="at_timepoint"), "outcomes.csv",
     ANY_TIME, "window", "months blank", "months filled in where window", "any_time"),
    ("durable without status", put("outcomes", DURABLE, treatment_status=""), "outcomes.csv",
     DURABLE, "treatment_status", "blank, outcome durable_response", "on or off", "Fill in"),
    ("status without durable", put("outcomes", FENG_3, treatment_status="on"), "outcomes.csv",
     FENG_3, "treatment_status", "outcome complete_response", "blank for every other", "clear"),
    ("year not in the name", put("studies", FENG, year="2021"), "studies.csv", FENG,
     "study_id", "study_id feng2020, year 2021", "carries the year", "whichever"),
    ("overlap with itself", put("studies", FENG, overlaps_with="feng2020"), "studies.csv", FENG,
     "overlaps_with", "overlaps_with feng2020", "other studies", "own id out"),
    ("overlap with nobody", put("studies", FENG, overlaps_with="li2020;fengg2020"), "studies.csv",
     FENG, "overlaps_with", "fengg2020", "ids that stand in", "Did you mean feng2020?"),
    ("overlaps set off by commas", put("studies", FENG, overlaps_with="li2020, li2013"),
     "studies.csv", FENG, "overlaps_with", '"li2020, li2013"', "semicolons", "Correct the cell"),
    ("one limit", put("published_pools", 3, ci_low=""), "published_pools.csv", 3,
     "ci_low", "ci_low blank, ci_high 72.5", "both filled in or both blank", "Fill in"),
    ("limits the wrong way", put("published_pools", 3, ci_low="72.5", ci_high="52.6"),
     "published_pools.csv", 3, "estimate_percent", "ci_low 72.5", "between", "Check the three"),
    ("half a milligram of a count", put("constants", DOSE, value="0.5"), "constants.csv", DOSE,
     "value", "value 0.5, unit count", "a whole number where", "change unit to plain"),
    ("constant above all patients", put("constants", FOUNDING, value="400"), "constants.csv",
     FOUNDING, "value", "value 400", "at most 100 where", "Correct the value"),
]  # fmt: skip
KEYS: list[Case] = [
    ("study twice", repeat("studies", FENG), "studies.csv", LAST["studies"] + 1, "study_id",
     f"feng2020, as in row {FENG}", "each study_id once", "entered twice"),
    ("therapy twice", repeat("therapies", 3, label="Mabthera"), "therapies.csv",
     LAST["therapies"] + 1, "therapy", "as in row 3", "each therapy once", "entered twice"),
    ("label twice", put("therapies", 3, label="Sirolimus"), "therapies.csv", 3, "label",
     "label Sirolimus, as in row 2", "each label once", "correct the one"),
    ("cited reference twice", put("studies", WONG, seed_reference="6"), "studies.csv", FENG,
     "seed_reference", f"as in row {WONG}", "each seed_reference once", "correct the one"),
    ("outcome twice", repeat("outcomes", FENG_3, events="30"), "outcomes.csv",
     LAST["outcomes"] + 1, "study_id", f"as in row {FENG_3}", "one row for each study", "Delete"),
    ("outcome without month twice", repeat("outcomes", ANY_TIME), "outcomes.csv",
     LAST["outcomes"] + 1, "study_id", f"as in row {ANY_TIME}", "one row for each study", "Delete"),
    ("published pool twice", repeat("published_pools", 4), "published_pools.csv",
     LAST["published_pools"] + 1, "source", "as in row 4", "each source + year", "entered twice"),
    ("constant twice", repeat("constants", 2, value="20"), "constants.csv", LAST["constants"] + 1,
     "constant", "as in row 2", "each constant once", "entered twice"),
]  # fmt: skip
FILES: list[Case] = [
    ("missing file", lambda data: (data / "studies.csv").unlink(), "studies.csv", None, None,
     "no such file", "a readable file", "Put the file back"),
    ("folder in its place", both(lambda data: (data / "therapies.csv").unlink(),
     lambda data: (data / "therapies.csv").mkdir()), "therapies.csv", None, None,
     "cannot be read", "a readable file", "Make it readable"),
    ("empty file", content("therapies.csv", b""), "therapies.csv", None, None,
     "an empty file", "a file with content", "Put the file's content back"),
    ("file of blank lines", content("outcomes.csv", b"\xef\xbb\xbf\r\n\r\n"), "outcomes.csv",
     None, None, "an empty file", "a file with content", "Put the file's content back"),
    ("header alone", content("outcomes.csv", OUTCOMES_HEADER.encode()), "outcomes.csv", None,
     None, "a header only", "at least one row", "Put the rows back"),
    ("UTF-16", encoded("studies.csv", "utf-16"), "studies.csv", None, None,
     "UTF-16", "text in UTF-8", "CSV UTF-8"),
    ("UTF-16 without mark", encoded("studies.csv", "utf-16-le"), "studies.csv", None, None,
     "UTF-16", "text in UTF-8", "CSV UTF-8"),
    ("Latin-1", encoded("studies.csv", "latin-1"), "studies.csv",
     row_of("studies", study_id="hernandez1995"), "first_author", '"Hernández"',
     "text in UTF-8", "check the accents"),
    ("semicolons", swap("therapies.csv", ",", ";", 10_000), "therapies.csv", 1, None,
     "separated by semicolons", "separated by commas", "CSV UTF-8"),
    ("tabs", swap("therapies.csv", ",", "\t", 10_000), "therapies.csv", 1, None,
     "separated by tabs", "separated by commas", "CSV UTF-8"),
    ("open quotation", swap("therapies.csv", "dapsone,Dapsone", 'dapsone,"Dapsone'),
     "therapies.csv", row_of("therapies", therapy="dapsone"), None, "without its partner",
     "in pairs", "Close the quotation"),
    ("row too short", swap("therapies.csv", "Dapsone,sulfone,", "Dapsone,"), "therapies.csv",
     row_of("therapies", therapy="dapsone"), None, "3 cells", "4 cells", "missing commas"),
    ("row too long", swap("therapies.csv", "Dapsone,", "Dapsone, oral,"), "therapies.csv",
     row_of("therapies", therapy="dapsone"), None, "5 cells", "4 cells", "double quotes"),
    ("study row too short", swap("studies.csv", "86,6,,yes,,", "86,6,yes,,"), "studies.csv", FENG,
     None, "17 cells", "18 cells", "missing commas"),
    ("row of commas", swap("therapies.csv", "dapsone,", ",,,\ndapsone,"), "therapies.csv",
     row_of("therapies", therapy="dapsone"), None, "a row of blank cells", "rows with content",
     "Delete the row"),
]  # fmt: skip
HEADERS: list[Case] = [
    ("comma in the header", swap("outcomes.csv", ",events,", ",eve,nts,"), "outcomes.csv", 1, None,
     "21 column names over rows of 20 cells", "a name for each column", "a comma too many"),
    ("name cut from the header", swap("outcomes.csv", ",events,", ","), "outcomes.csv", 1, None,
     "19 column names over rows of 20 cells", "a name for each column", "or too few"),
    ("missing column", drop_column("outcomes", "events"), "outcomes.csv", 1, "events",
     "no such column", "every column once", "Put the column events back"),
    ("missing key", drop_column("studies", "study_id"), "studies.csv", 1, "study_id",
     "no such column", "every column once", "Put the column study_id back"),
    ("missing target of a key", drop_column("therapies", "therapy"), "therapies.csv", 1,
     "therapy", "no such column", "every column once", "Put the column"),
    ("renamed column", swap("outcomes.csv", ",events,", ",evnts,"), "outcomes.csv", 1, "evnts",
     '"evnts"', '"events"', "Rename the column to events"),
    ("capitals in the header", swap("outcomes.csv", ",events,", ",EVENTS,"), "outcomes.csv", 1,
     "EVENTS", '"EVENTS"', '"events"', "Rename the column to events"),
    ("space in the header", swap("outcomes.csv", "study_id,", "study_id ,"), "outcomes.csv", 1,
     "study_id", '"study_id "', '"study_id"', "Rename the column to study_id"),
    ("extra column", swap("therapies.csv", "\n", ",\n", 10_000), "therapies.csv", 1, None,
     "a column without a name", "therapy, label", "Delete the column"),
    ("named extra column", both(swap("therapies.csv", "\n", ",x\n", 10_000),
     swap("therapies.csv", "mode,x", "mode,dose")), "therapies.csv", 1, "dose",
     'an extra column "dose"', "therapy, label", "describe it in datapackage.json"),
    ("column twice", both(swap("therapies.csv", "\n", ",x\n", 10_000),
     swap("therapies.csv", "mode,x", "mode,label")), "therapies.csv", 1, "label",
     '"label" a second time', "each column once", "Delete or rename"),
]  # fmt: skip
SCHEMA: list[Case] = [
    ("no schema", lambda data: (data / "datapackage.json").unlink(), "datapackage.json", None,
     None, "no such file", "a readable file", "Put the file back"),
    ("schema is not JSON", content("datapackage.json", b'{\n  "title": }'), "datapackage.json",
     2, None, "Expecting value", "a valid data package", "Undo"),
    ("schema is no package", content("datapackage.json", b'{"resources": 5}'),
     "datapackage.json", None, None, "resources", "a valid data package", "Undo"),
    ("column of another type", swap("datapackage.json", '"unit": "year",', '"type": "year",'),
     "datapackage.json", None, None, "column year of studies of type year",
     "string, integer, number", "Correct the description"),
    ("table too many", swap("datapackage.json", '"resources": [',
     '"resources": [{"name": "doses", "path": "doses.csv", "schema": {"fields": []}},'),
     "datapackage.json", None, None, "the tables doses, studies", "the tables studies, outcomes",
     "Correct the description"),
    ("schema in another encoding", content("datapackage.json", b'{"title": "\xe9"}'),
     "datapackage.json", None, None, "not UTF-8", "a valid data package", "Undo"),
]  # fmt: skip
BIB_FENG = (DATA / "references.bib").read_text(encoding="utf-8").split("@article{feng2020,")
BIB_LINE = BIB_FENG[0].count("\n") + 1
BIB_END = sum(part.count("\n") for part in BIB_FENG) + 1
REFERENCES: list[Case] = [
    ("no references", lambda data: (data / "references.bib").unlink(), "references.bib", None,
     None, "no such file", "a readable file", "Put the file back"),
    ("entry missing", swap("references.bib", "@article{feng2020,", "@comment{feng2020,"),
     "references.bib", None, None, "no entry feng2020", "for each study", "@article{feng2020"),
    ("entry twice", append("references.bib", "@misc{feng2020, title = {Again}, year = {2020}}"),
     "references.bib", BIB_END, None, "a second entry feng2020", "one entry for each", "Delete"),
    ("entry without a key", append("references.bib", "@misc{title = {A}, year = {2020}}"),
     "references.bib", BIB_END, None, "(no key)", "@type{key", "missing brace or comma"),
    ("entry with a blank key", append("references.bib", "@misc{, title = {A}, year = {2020}}"),
     "references.bib", BIB_END, None, "(no key)", "@type{key", "for the key"),
    ("method reference without title", append("references.bib", "@misc{rma, year = {2020}}"),
     "references.bib", BIB_END, None, "rma without title", "title and year", "Add its title"),
    ("brace missing", swap("references.bib", "Single-Arm Study}},", "Single-Arm Study},"),
     "references.bib", BIB_LINE, None, "cannot be read (feng2020)", "every brace", "missing brace"),
    ("comma missing", swap("references.bib", "Single-Arm Study}},", "Single-Arm Study}}"),
     "references.bib", BIB_LINE, None, "cannot be read (feng2020)", "every brace", "after title"),
    ("field twice", swap("references.bib", "@article{feng2020,", "@article{feng2020,\n year={1},"),
     "references.bib", BIB_LINE, None, "cannot be read (feng2020)", "every brace", "given twice"),
    ("year missing", swap("references.bib", "Study}},\n  year = {2020},", "Study}},"),
     "references.bib", BIB_LINE, None, "feng2020 without year", "title and year", "Add its year"),
    ("year of another article", swap("references.bib", "Study}},\n  year = {2020}",
     "Study}},\n  year = {2019}"), "references.bib", BIB_LINE, None, "feng2020 with year 2019",
     "2020, as in studies.csv", "agree"),
    ("DOI of another article", swap("references.bib", "fmed.2020.00110", "fmed.2020.00111"),
     "references.bib", BIB_LINE, None, "fmed.2020.00111", "10.3389/fmed.2020.00110", "agree"),
    ("references in Latin-1", encoded("references.bib", "latin-1"), "references.bib",
     BIB_FENG[0].split("Hernández")[0].count("\n") + 1, None, "another encoding",
     "text in UTF-8", "UTF-8"),
]  # fmt: skip
ALL = [*CELLS, *RULES, *KEYS, *FILES, *HEADERS, *SCHEMA, *REFERENCES]


# --- the shipped data -----------------------------------------------------------------------------


def test_shipped_data_are_valid() -> None:
    assert validate(DATA) == []


def test_frames_hold_every_cell_of_the_files() -> None:
    evidence = read(DATA)
    kinds = {"string": "str", "integer": "Int64", "number": "Float64"}
    for table in TABLES:
        frame, (header, *rows) = getattr(evidence, table), lines_of(DATA / f"{table}.csv")
        assert frame.index.equals(pd.RangeIndex(len(rows)))
        assert list(frame) == header
        for described in RESOURCES[table]["schema"]["fields"]:
            name = described["name"]
            assert str(frame[name].dtype) == kinds[described["type"]], (table, name)
            cells = [row[header.index(name)] for row in rows]
            for cell, value in zip(cells, frame[name], strict=True):
                if described["type"] == "string":
                    assert value == cell
                else:
                    assert pd.isna(value) if cell == "" else value == float(cell)


def test_the_six_cited_studies_are_marked() -> None:
    cited = read(DATA).studies.dropna(subset="seed_reference").set_index("seed_reference")
    assert cited["study_id"].to_dict() == {
        1: "montalvo2014",
        2: "tran2014",
        3: "yang2017",
        4: "bride2016",
        5: "lai2018",
        6: "feng2020",
    }


def test_import_stays_light() -> None:
    program = (
        "import sys, analysis.evidence; print({'frictionless', 'bibtexparser'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=DATA.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


# --- the schema -----------------------------------------------------------------------------------


def fields() -> list[Any]:
    return [
        pytest.param(described, id=f"{table}.{described['name']}")
        for table in TABLES
        for described in RESOURCES[table]["schema"]["fields"]
    ]


def test_package_is_valid_for_frictionless() -> None:
    report = Package(str(DATA / "datapackage.json")).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])
    assert [license_["name"] for license_ in PACKAGE["licenses"]] == ["CC-BY-4.0"]
    assert tuple(RESOURCES) == TABLES


@pytest.mark.parametrize("described", fields())
def test_every_column_is_described_in_full(described: dict[str, Any]) -> None:
    constraints = described.get("constraints", {})
    assert described["title"]
    assert len(described["description"].split()) >= 4
    assert described.get("valueDescriptions", {}).keys() == set(constraints.get("enum", []))
    assert ("pattern" in constraints) == ("patternDescription" in described)
    assert ("blankMeans" in described) != constraints.get("required", False)
    if described["type"] != "string":
        assert {"minimum", "maximum"} <= constraints.keys()
        assert "unit" in described or described["name"] == "seed_reference"


def test_every_rule_is_broken_by_a_case() -> None:
    pieces = [case[6] for case in (*RULES, *KEYS)]
    for resource in RESOURCES.values():
        for rule in resource.get("rules", []):
            assert any(piece in rule["message"] for piece in pieces), rule["id"]


# --- broken data ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "file", "row", "column", "found", "allowed", "remedy"),
    [
        pytest.param(*case[1:], id=case[0])
        for case in (*CELLS, *RULES, *KEYS, *FILES, *HEADERS, *SCHEMA, *REFERENCES)
    ],
)
def test_a_fault_is_one_clear_line(
    data: Path,
    break_it: Break,
    file: str,
    row: int | None,
    column: str | None,
    found: str,
    allowed: str,
    remedy: str,
) -> None:
    break_it(data)
    faults = validate(data)
    assert len(faults) == 1, "\n".join(map(str, faults))
    (fault,) = faults
    assert (fault.file, fault.row, fault.column) == (file, row, column)
    assert found in fault.found
    assert allowed in fault.allowed
    assert remedy in fault.remedy
    line = str(fault)
    assert len(line.splitlines()) == 1
    assert line.startswith(file)
    assert row is None or re.search(rf"\b(row|line) {row}\b", line)
    assert column is None or f"column {column}" in line
    assert str(data) not in line


def test_all_faults_are_reported_at_once_in_reading_order(data: Path) -> None:
    both(
        swap("therapies.csv", "Dapsone,sulfone,", "Dapsone,"),
        put("outcomes", FENG_12, window="later", months="a year"),
        put("outcomes", FENG_3, events="87", treatment_status="on"),
        put("outcomes", 2, therapy="cyclo"),
        put("studies", FENG, population="grown-ups"),
        swap("studies.csv", ",journal,", ",jurnal,"),
        lambda folder: (folder / "published_pools.csv").unlink(),
        swap("references.bib", "@article{li2013,", "@comment{li2013,"),
    )(data)
    with pytest.raises(EvidenceError) as caught:
        read(data)
    faults = caught.value.faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [
        ("studies.csv", 1, "jurnal"),
        ("studies.csv", FENG, "population"),
        ("outcomes.csv", 2, "therapy"),
        ("outcomes.csv", FENG_3, "treatment_status"),
        ("outcomes.csv", FENG_3, "events"),
        ("outcomes.csv", FENG_12, "months"),
        ("outcomes.csv", FENG_12, "window"),
        ("therapies.csv", row_of("therapies", therapy="dapsone"), None),
        ("published_pools.csv", None, None),
        ("references.bib", None, None),
    ]
    assert str(caught.value) == "\n".join(map(str, faults))
    assert faults == tuple(validate(data))


def test_a_name_missing_from_another_table_is_reported_once(data: Path) -> None:
    put("studies", FENG, study_id="fung2020")(data)
    faults = validate(data)
    assert [(fault.file, fault.row) for fault in faults] == [
        ("outcomes.csv", FENG_3),
        ("references.bib", None),
    ]
    assert faults[0].found == '"feng2020" (in 7 rows)'
    assert faults[0].remedy.startswith("Did you mean fung2020?")


def test_a_study_entered_twice_does_not_hide_an_orphan(data: Path) -> None:
    both(repeat("studies", FENG), put("outcomes", FENG_3, study_id="fengg2020"))(data)
    assert [(fault.file, fault.row) for fault in validate(data)] == [
        ("studies.csv", LAST["studies"] + 1),
        ("outcomes.csv", FENG_3),
    ]


def test_a_missing_table_does_not_orphan_the_others(data: Path) -> None:
    for table in ("studies", "therapies"):
        (data / f"{table}.csv").unlink()
    assert [fault.file for fault in validate(data)] == ["studies.csv", "therapies.csv"]


def test_an_unclosed_reference_does_not_hide_the_others(data: Path) -> None:
    swap("references.bib", "title = {{Sirolimus as Rescue", "title = {{{Sirolimus as Rescue")(data)
    (fault,) = validate(data)
    assert (fault.row, fault.found) == (BIB_LINE, "an entry that cannot be read (feng2020)")


def test_an_empty_folder_is_one_fault(tmp_path: Path) -> None:
    (fault,) = validate(tmp_path)
    assert fault == Fault(
        "datapackage.json",
        None,
        None,
        "no such file",
        "a readable file",
        "Put the file back under this name.",
    )


# --- harmless differences -------------------------------------------------------------------------


def with_bom(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def with_crlf(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def with_bom_and_crlf(path: Path) -> None:
    with_crlf(path)
    with_bom(path)


def with_every_cell_quoted(path: Path) -> None:
    lines = lines_of(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(lines)


def with_reordered_columns(path: Path) -> None:
    write_lines(path, [line[::-1] for line in lines_of(path)])


def with_a_blank_line_at_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def without_a_line_end(path: Path) -> None:
    path.write_bytes(path.read_bytes().rstrip(b"\n"))


@pytest.mark.parametrize(
    "rewrite",
    [
        with_bom,
        with_crlf,
        with_bom_and_crlf,
        with_every_cell_quoted,
        with_reordered_columns,
        with_a_blank_line_at_the_end,
        without_a_line_end,
    ],
)
def test_harmless_differences_are_accepted(data: Path, rewrite: Callable[[Path], None]) -> None:
    for table in TABLES:
        before = (data / f"{table}.csv").read_bytes()
        rewrite(data / f"{table}.csv")
        assert (data / f"{table}.csv").read_bytes() != before
    shipped, read_back = read(DATA), read(data)
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(read_back, table), getattr(shipped, table))
    assert (read_back.digest == shipped.digest) == (rewrite is with_crlf)


def test_references_may_have_a_bom_and_crlf(data: Path) -> None:
    with_bom_and_crlf(data / "references.bib")
    assert validate(data) == []


def test_digest_follows_the_data(data: Path) -> None:
    before = read(data).digest
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert read(data).digest == before
    (data / "notes.txt").write_text("not evidence", encoding="utf-8")
    assert read(data).digest == before
    put("outcomes", FENG_3, events="33")(data)
    assert read(data).digest != before


# --- references -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cited() -> list[dict[str, Any]]:
    """references.bib as the book's own citation reader understands it."""
    text = (DATA / "references.bib").read_text(encoding="utf-8")
    studies, _ = text.split("% Methods and definitions")
    return list(json.loads(pypandoc.convert_text(studies, "csljson", format="bibtex")))


def test_references_follow_the_studies(cited: list[dict[str, Any]]) -> None:
    studies = read(DATA).studies
    assert [item["id"] for item in cited] == studies["study_id"].tolist()
    for item, study in zip(cited, studies.itertuples(), strict=True):
        first, *others = item["author"]
        assert (
            " ".join([first["family"], *filter(None, [first.get("given")])]) == study.first_author
        )
        assert others == [{"literal": "others"}]
        assert item["issued"]["date-parts"] == [[study.year]]
        assert item.get("DOI", "") == study.doi
        assert item.get("PMID", "") == study.pmid
        assert bool(item.get("URL")) == bool(study.source_url)
        assert study.title.startswith(item["title"]) or not study.title
        assert study.journal.startswith(item.get("container-title", ""))
        if pages := item.get("page"):
            assert f"{item['volume']}" in study.journal
            assert study.journal.endswith(pages)


def test_unverified_references_say_so(cited: list[dict[str, Any]]) -> None:
    unverified = {item["id"] for item in cited if "unverified" in item.get("note", "")}
    studies = read(DATA).studies
    assert unverified == set(studies.loc[studies["citation_verified"].eq("no"), "study_id"])


def test_remarks_are_notes_and_not_titles(cited: list[dict[str, Any]]) -> None:
    remarks = re.compile("not shown on page|not seen|figures from|observational part")
    assert not [item["id"] for item in cited if remarks.search(item["title"])]
    by_id = {item["id"]: item for item in cited}
    assert "12138687" in by_id["stasi2001"]["note"]
    assert "Exact title not seen" in by_id["grace2012"]["note"]
