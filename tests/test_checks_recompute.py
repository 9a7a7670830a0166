"""Every ledger value, constant, download and digest is worked out again; each rule broken once."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis import provenance, report
from analysis.pooling import POOL_MIN_K, State
from analysis.report import Report
from checks import constants, counts, downloads, fresh, ledger, mixed_model, recompute, rows
from checks.book import Project
from checks.faults import Fault, UnreadableError
from checks.ledger import Ledger
from checks.rows import Data
from tests.projects import NO_PUBLISHED_POOLS

ROOT = Path(__file__).parents[1]
TRIALS = (ROOT / "checks" / "mutations.json").read_bytes()
RECORDS = recompute.Records(Project(fresh.read_files(ROOT, ROOT / "data")).records)
Entries = list[dict[str, Any]]
Break = Callable[[Entries], None]


def data_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {n.removeprefix("data/"): c for n, c in files.items() if n.startswith("data/")}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return fresh.read_files(ROOT, ROOT / "data")


@pytest.fixture(scope="module")
def data(files: dict[str, bytes]) -> Data:
    return rows.read(data_of(files))


@pytest.fixture(scope="module")
def numbers(shipped: Report) -> bytes:
    return shipped.ledger.to_json().encode()


@pytest.fixture(scope="module")
def right(numbers: bytes) -> Ledger:
    return ledger.read(numbers)


def cell(files: dict[str, bytes], name: str, row: int, column: str, new: str) -> dict[str, bytes]:
    """The files of data/ with one cell changed; rows count from 0."""
    table = list(csv.reader(io.StringIO(files[f"data/{name}"].decode(), newline="")))
    table[row + 1][table[0].index(column)] = new
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return {**data_of(files), name: text.getvalue().encode()}


def index(files: dict[str, bytes], name: str, **cells: str) -> int:
    """The number of the first row with these cells."""
    records = csv.DictReader(io.StringIO(files[f"data/{name}"].decode(), newline=""))
    return next(i for i, r in enumerate(records) if cells.items() <= r.items())


# --- the ledger -----------------------------------------------------------------------------------


def test_nothing_in_the_ledger_is_taken_on_trust(right: Ledger, data: Data) -> None:
    found = recompute.compare(right, data, TRIALS, RECORDS)
    assert (right.faults, found.faults) == ((), ())
    assert found.recomputed == right.numbers.keys()


def put(key: str, **fields: Any) -> Break:
    """Overwrite fields of one entry; its text follows a new value where the unit is count."""

    def break_it(entries: Entries) -> None:
        entry = next(e for e in entries if e["key"] == key)
        entry |= fields
        if "value" in fields and entry["unit"] == "count":
            entry["text"] = f"{entry['value']:,}"

    return break_it


def drop(key: str) -> Break:
    def break_it(entries: Entries) -> None:
        entries[:] = [e for e in entries if e["key"] != key]

    return break_it


def add(key: str, value: int = 1) -> Break:
    def break_it(entries: Entries) -> None:
        entries.append({"key": key, "value": value, "text": f"{value:,}", "unit": "count",
                        "rows": []})  # fmt: skip

    return break_it


FENG_3 = "study.feng2020.sirolimus.overall_response.3"
FENG_6 = "study.feng2020.sirolimus.overall_response.6"
RITUXIMAB = "pool.rituximab.overall_response"


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (put("flow.rows.total", value=325), "flow.rows.total"),
        (put("flow.rows.excluded", value=25), "flow.rows.excluded"),
        (put("flow.rows.excluded.not_itp", value=1), "flow.rows.excluded.not_itp"),
        (put("flow.rows.after.low_confidence", value=1), "flow.rows.after.low_confidence"),
        (put("flow.studies.shared_patients", value=90), "flow.studies.shared_patients"),
        (put("flow.studies.no_outcome_rows", value=0), "flow.studies.no_outcome_rows"),
        (put("flow.rows.pooled", rows=["feng2020/sirolimus/relapse/3"]), "flow.rows.pooled"),
        (drop("flow.rows.after.excluded"), "flow.rows.after.excluded"),
        (add("flow.rows.excluded.boredom"), "flow.rows.excluded.boredom"),
        (put("evidence.studies", value=123), "evidence.studies"),
        (put("evidence.design.rct", value=1), "evidence.design.rct"),
        (put("evidence.count_basis.derived", value=1), "evidence.count_basis.derived"),
        (put("evidence.unverified_citations", value=1), "evidence.unverified_citations"),
        (put("evidence.pools.overall_response.pooled", value=1), "overall_response.pooled"),
        (put("evidence.late_visits", value=1), "evidence.late_visits"),
        (put("evidence.late_visits", rows=[]), "evidence.late_visits"),
        (drop("evidence.late_visits"), "evidence.late_visits"),
        (add("evidence.design.guess"), "evidence.design.guess"),
        (add("gossip.total"), "gossip.total"),
        (drop(f"{FENG_3}.months"), f"{FENG_3}.months"),
        (put(f"{FENG_6}.enrolled", value=87), f"{FENG_6}.enrolled"),
        (add(f"{FENG_3}.enrolled", 86), f"{FENG_3}.enrolled"),
        (put(f"{RITUXIMAB}.k", value=1), f"{RITUXIMAB}.k"),
        (put(f"{RITUXIMAB}.glmm_tau2", value=9.0, text="9.00"), f"{RITUXIMAB}.glmm_tau2"),
        (drop(f"{RITUXIMAB}.glmm_ci_low"), f"{RITUXIMAB}.glmm_ci_low"),
        (drop("class.immunosuppressant.overall_response.k"), "class.immunosuppressant"),
        (add("second_line.control.overall_response.k", 0), "second_line.control"),
        (put("const.level", value=0.9, text="90%"), "const.level"),
        (put("const.few_patients", unit="months", text="50"), "const.few_patients"),
        (put("const.early_months", source=""), "const.early_months"),
        (put("const.early_months", source="see nobody2020"), "const.early_months, source"),
        (put("const.response_platelets", source="tran2014"), "const.response_platelets"),
        (put("const.complete_platelets", value=150.0, text="150"), "const.complete_platelets"),
        (drop("const.half"), "const.half"),
        (put("mutation.made", value=10**6), "mutation.made"),
        (put("mutation.rate", value=0.123, text="12.3%"), "mutation.rate"),
        (drop("mutation.kinds"), "mutation.kinds"),
        (add("const.hearsay"), "const.hearsay"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(numbers: bytes, data: Data, break_it: Break, place: str) -> None:
    entries = json.loads(numbers)
    break_it(entries)
    broken = ledger.read(json.dumps(entries).encode())
    faults = recompute.compare(broken, data, TRIALS, RECORDS).faults
    assert any(place in fault.place for fault in faults)
    assert {fault.rule for fault in faults} == {"value"}


def test_all_entries_of_a_mixed_model_may_not_go(numbers: bytes, data: Data) -> None:
    entries = json.loads(numbers)
    entries = [e for e in entries if not e["key"].startswith(f"{RITUXIMAB}.glmm_")]
    faults = recompute.compare(
        ledger.read(json.dumps(entries).encode()), data, TRIALS, RECORDS
    ).faults
    assert [f.place.rpartition("_")[0] for f in faults if "glmm" in f.place]


def test_a_mixed_model_that_cannot_be_estimated_is_not_printed() -> None:
    one = rows.Entry("a", 0, 9, frozenset(), None, "any_time")
    number = ledger.Number("p.glmm_tau2", 0.0, "0.00", "number", ())
    assert recompute._mixed_model("p", [one, one], {}) == []
    (fault,) = recompute._mixed_model("p", [one, one], {"glmm_tau2": number})
    assert fault.place.endswith("p.glmm_tau2")


@pytest.mark.parametrize(
    ("name", "where", "column", "new"),
    [
        ("outcomes.csv", {"study_id": "feng2020", "months": "3"}, "events", "33"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "12"}, "reported_percent", "66"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "6"}, "denominator", "itt"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "3"}, "exclusion", "not_itp"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "3"}, "confidence", "low"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "3"}, "source_kind", "secondary"),
        ("outcomes.csv", {"study_id": "feng2020", "months": "3"}, "count_basis", "derived"),
        ("outcomes.csv", {"exclusion": "selected_patients"}, "exclusion", "not_itp"),
        ("studies.csv", {"study_id": "feng2020"}, "design", "rct"),
        ("studies.csv", {"study_id": "feng2020"}, "population", "mixed"),
        ("studies.csv", {"study_id": "feng2020"}, "line", "mixed"),
        ("studies.csv", {"study_id": "feng2020"}, "n_enrolled", "90"),
        ("studies.csv", {"study_id": "feng2020"}, "seed_reference", ""),
        ("studies.csv", {"study_id": "feng2020"}, "citation_verified", "no"),
        ("therapies.csv", {"therapy": "azathioprine"}, "drug_class", "control"),
        ("constants.csv", {"constant": "tran2014_dose_mg"}, "value", "1001"),
        ("constants.csv", {"constant": "tran2014_dose_mg"}, "unit", "plain"),
        ("constants.csv", {"constant": "tran2014_dose_mg"}, "source", "feng2020"),
    ],
)
def test_a_cell_changed_after_the_build_is_noticed(
    files: dict[str, bytes], right: Ledger, name: str, where: dict[str, str], column: str, new: str
) -> None:
    changed = rows.read(cell(files, name, index(files, name, **where), column, new))
    assert recompute.compare(right, changed, TRIALS, RECORDS).faults


def test_a_changed_cell_costs_only_its_own_pools(
    files: dict[str, bytes], right: Ledger, data: Data
) -> None:
    recompute.compare(right, data, TRIALS, RECORDS)
    before = mixed_model.fitted.cache_info().misses
    row = index(files, "outcomes.csv", study_id="feng2020", months="3")
    recompute.compare(
        right, rows.read(cell(files, "outcomes.csv", row, "events", "35")), TRIALS, RECORDS
    )
    assert 1 <= mixed_model.fitted.cache_info().misses - before <= 4


@pytest.mark.parametrize(
    ("name", "column", "new", "message"),
    [
        ("outcomes.csv", "events", "many", "outcomes.csv line 2, events"),
        ("outcomes.csv", "study_id", "nobody2020", "outcomes.csv line 2, study_id"),
        ("constants.csv", "value", "", "constants.csv line 2, value"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(
    files: dict[str, bytes], name: str, column: str, new: str, message: str
) -> None:
    with pytest.raises(UnreadableError, match=message):
        rows.read(cell(files, name, 0, column, new))


@pytest.mark.parametrize("name", ["studies.csv", "outcomes.csv", "therapies.csv", "constants.csv"])
def test_a_missing_table_is_named(files: dict[str, bytes], name: str) -> None:
    with pytest.raises(UnreadableError, match=f"elsewhere/{name}: found no file"):
        rows.read({n: c for n, c in data_of(files).items() if n != name}, "elsewhere")


def test_trailing_zeros_do_not_change_an_address(files: dict[str, bytes], data: Data) -> None:
    row = index(files, "outcomes.csv", study_id="feng2020", months="3")
    same = rows.read(cell(files, "outcomes.csv", row, "months", "3.0"))
    assert same.rows[row].address == data.rows[row].address


# --- the form of the ledger -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "found"),
    [
        (put(f"{RITUXIMAB}.state", text="single study"), 'text "single study"'),
        (put(f"{RITUXIMAB}.state", value="splendid"), "value 'splendid'"),
        (put(f"{RITUXIMAB}.k", value=10**400), "value 1000"),
        (put(f"{RITUXIMAB}.k", text="1"), 'text "1"'),
        (put("const.level", source=7), "source 7"),
        (add(f"{RITUXIMAB}.k"), "a second time"),
    ],
)
def test_a_malformed_entry_is_named(numbers: bytes, break_it: Break, found: str) -> None:
    entries = json.loads(numbers)
    try:
        break_it(entries)
    except ValueError:  # too many digits to print
        entries[0] |= {"value": 10**400}
    (fault, *_) = ledger.read(_json(entries)).faults
    assert fault.rule == "ledger"
    assert found in fault.found


def _json(entries: Entries) -> bytes:
    return json.dumps(entries).encode()


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"[1,", b"\xff", b"[" * 100_000])
def test_a_ledger_that_is_none_is_unreadable(content: bytes | None) -> None:
    with pytest.raises(UnreadableError, match=r"numbers\.json: found"):
        ledger.read(content)


def test_choices_are_declared_twice_alike(right: Ledger, data: Data) -> None:
    keys = [key for key in right.numbers if key.startswith("const.")]
    assert keys == [key for key, _ in constants.in_order(data)]
    states = [State.of(k) for k in range(POOL_MIN_K + 1)]
    assert states == [State.NONE, State.SINGLE_STUDY, State.TWO_STUDIES]


# --- what became of rows and studies --------------------------------------------------------------

STUDIES = """study_id,first_author,year,design,population,itp_type,line,n_enrolled,seed_reference,\
overlaps_with,citation_verified
a2001,A,2001,rct,adult,primary,rescue,50,,,yes
b2002,B,2002,rct,mixed,mixed,mixed,20,,a2001,yes
c2003,C,2003,case_series,child,primary,mixed,,,,no
d2004,D,2004,case_series,adult,secondary,mixed,,,,no
e2005,E,2005,case_series,adult,primary,second_line,,,,yes
f2006,F,2006,case_series,child,secondary,mixed,,,,yes
"""
OUTCOMES = """study_id,arm,therapy,outcome,months,months_basis,window,platelet_threshold,\
treatment_status,events,n,reported_percent,count_basis,denominator,source_kind,confidence,\
second_extraction,exclusion,source_locator,definition
a2001,x,drug,overall_response,3,visit,at_timepoint,30,,20,50,,reported,itt,primary,high,agreed,
a2001,x,drug,overall_response,6,visit,at_timepoint,30,,18,50,,reported,itt,primary,high,agreed,
a2001,x,drug,partial_response,6,visit,at_timepoint,30,,9,50,,reported,itt,primary,low,agreed,
a2001,x,drug,complete_response,12,visit,at_timepoint,100,,9,50,,reported,itt,primary,high,agreed,
b2002,x,drug,overall_response,3,visit,at_timepoint,30,,5,20,,reported,itt,primary,high,agreed,
c2003,x,drug,overall_response,3,visit,at_timepoint,30,,5,9,,reported,itt,primary,low,agreed,not_itp
d2004,x,drug,overall_response,3,visit,at_timepoint,30,,5,9,,reported,itt,primary,high,agreed,not_itp
e2005,x,drug,overall_response,3,visit,at_timepoint,30,,,,40,percent_only,itt,primary,low,agreed,
e2005,x,drug,complete_response,3,visit,at_timepoint,99,,5,9,,derived,itt,primary,low,not_done,
e2005,y,drug,complete_response,3,visit,at_timepoint,99,,5,9,,derived,itt,primary,low,agreed,not_itp
"""
THERAPIES = "therapy,label,drug_class,mode\ndrug,Drug,class,course\n"
FATES = [
    "pooled", "other_row_preferred", "outcome_not_pooled", "pooled", "shared_patients",
    "population_child", "itp_secondary", "no_denominator", "low_confidence", "excluded",
]  # fmt: skip


def small() -> Data:
    tables = {"studies": STUDIES, "outcomes": OUTCOMES, "therapies": THERAPIES}
    tables["constants"] = "constant,value,unit,source\n"
    tables["published_pools"] = NO_PUBLISHED_POOLS
    return rows.read({f"{name}.csv": text.encode() for name, text in tables.items()})


def test_each_row_leaves_once_by_the_first_reason_that_holds() -> None:
    assert list(counts.fates(small()).values()) == FATES


def test_the_flow_counts_every_row_and_study_once() -> None:
    flow = counts.flow(small())
    assert {place: flow[f"flow.rows.{place}"] for place in FATES} == Counter(FATES)
    left = [10, 9, 8, 7, 6, 5, 4, 3, 2]  # nobody leaves for want of a row, one for each reason
    assert [flow[f"flow.rows.after.{place}"] for place in counts.FATES[:-1]] == left
    studies = {p: n for p in counts.FATES if (n := flow[f"flow.studies.{p}"])}
    assert studies == {
        "no_outcome_rows": 1, "population_child": 1, "itp_secondary": 1, "low_confidence": 1,
        "shared_patients": 1, "pooled": 1,
    }  # fmt: skip
    assert flow["flow.studies.after.shared_patients"] == 1
    assert {key: n for key, n in flow.items() if ".excluded." in key} == {
        "flow.rows.excluded.not_itp": 1
    }


def test_the_evidence_is_counted() -> None:
    found = counts.evidence(small())
    assert found["evidence.studies"] == 6
    assert found["evidence.unverified_citations"] == 2
    assert found["evidence.design.case_series"] == 4
    assert found["evidence.second_extraction.not_done"] == 1
    assert found["evidence.pools.overall_response.single_study"] == 1
    assert found["evidence.pools.durable_response_on.none"] == 1
    (late,) = counts.late_visits(small()).values()
    assert [entry.study_id for entry in late] == ["a2001"]


# --- adding a study -------------------------------------------------------------------------------


def test_a_study_can_be_added(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(ROOT / "data", folder)
    row = {
        "study_id": "new2026", "first_author": "New", "year": "2026", "design": "case_series",
        "population": "adult", "itp_type": "primary", "line": "rescue", "citation_verified": "yes",
        "arm": "sirolimus", "therapy": "sirolimus", "outcome": "overall_response", "months": "3",
        "months_basis": "visit", "window": "at_timepoint", "definition": "above 30", "events": "8",
        "n": "9", "count_basis": "reported", "denominator": "itt", "source_kind": "primary",
        "source_locator": "Abstract", "confidence": "high", "second_extraction": "not_done",
        "constant": "new_dose", "value": "2", "unit": "count", "source": "new2026",
    }  # fmt: skip
    for name in ("studies.csv", "outcomes.csv", "constants.csv"):
        with (folder / name).open("r+", encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
            file.seek(0, 2)
            csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore").writerow(row)
    with (folder / "references.bib").open("a", encoding="utf-8") as file:
        file.write("@article{new2026,\n title = {{A new one}},\n year = {2026},\n}\n")
    added = report.build(folder)
    files = fresh.read_files(ROOT, folder)
    assert added.evidence.digest == fresh.data_digest(files)
    found = recompute.compare(
        ledger.read(added.ledger.to_json().encode()), rows.read(data_of(files)), TRIALS, RECORDS
    )
    assert found.faults == ()
    assert {"study.new2026.sirolimus.overall_response.3.n", "const.new_dose"} <= found.recomputed


# --- downloads ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(shipped: Report) -> dict[str, str]:
    return {
        "data/pools.csv": report.pools_table(shipped).to_csv(index=False),
        "data/rows.csv": report.fates_table(shipped).to_csv(index=False),
    }


def download_faults(tables: Mapping[str, str], data: Data) -> list[Fault]:
    return downloads.check({name: text.encode() for name, text in tables.items()}, data)


def test_right_downloads_pass_in_any_order(tables: dict[str, str], data: Data) -> None:
    header, *lines = tables["data/rows.csv"].splitlines()
    turned = {**tables, "data/rows.csv": "\n".join([header, *lines[::-1]])}
    assert download_faults(tables, data) == download_faults(turned, data) == []


@pytest.mark.parametrize("name", ["data/pools.csv", "data/rows.csv"])
@pytest.mark.parametrize(
    ("break_it", "found"),
    [
        (lambda lines: lines[:3] + lines[4:], "no line for"),
        (lambda lines: [*lines, lines[3]], "a second time"),
        (lambda lines: [*lines, "x" + lines[3]], "x"),
        (lambda lines: [*lines, "x,y"], "x,y"),
        (lambda lines: [*lines, "x"], "x"),
        (lambda lines: [*lines[:3], "", *lines[3:]], "a blank line"),
        (lambda lines: [lines[0], lines[1] + "0", *lines[2:]], "0"),
        (lambda lines: [lines[0], lines[1].replace(",", ",x", 1), *lines[2:]], ",x"),
        (lambda lines: lines[1:], ","),
        (lambda lines: [], "an empty file"),
        (lambda lines: [*lines, '"'], "unexpected end"),
    ],
)
def test_a_wrong_download_is_named(
    tables: dict[str, str],
    data: Data,
    name: str,
    break_it: Callable[[list[str]], list[str]],
    found: str,
) -> None:
    text = "\n".join(break_it(tables[name].splitlines()))
    faults = download_faults({**tables, name: text}, data)
    assert any(found in fault.found for fault in faults)
    assert {(fault.rule, fault.place.split()[0]) for fault in faults} == {("download", name)}


@pytest.mark.parametrize(("old", "new"), [(",pooled,", ",low_confidence,"), (",not_itp", ",")])
def test_a_wrong_fate_is_named(tables: dict[str, str], data: Data, old: str, new: str) -> None:
    text = tables["data/rows.csv"].replace(old, new, 1)
    (fault,) = download_faults({**tables, "data/rows.csv": text}, data)
    assert old in fault.expected


def test_a_missing_download_is_named(data: Data) -> None:
    assert [f.place for f in download_faults({}, data)] == ["data/pools.csv", "data/rows.csv"]


PAGE = ["4.1", "1", "12", "34", "5%", "4.2", "7"]
FOUND = "4.1 By therapy\nOf 12 studies:\n34\n\n5%"


def search(text: str = FOUND, href: str = "a.html#sec-a", section: str = "") -> list[Fault]:
    entry = {"href": href, "title": "4  Results", "section": section, "text": text}
    return downloads.check_search(
        json.dumps([entry]).encode(), {"a.html": ("4", *PAGE)}.__getitem__
    )


def test_a_right_search_index_passes() -> None:
    assert search() == []
    assert search("4.1 By therapy\nOf 1 cases:\n5%") == [], "the list after it is left out"
    assert search(section="4.1 By therapy") == []


@pytest.mark.parametrize(
    "text",
    [
        FOUND.replace("12", "13"),
        FOUND.replace("34\n", ""),
        FOUND.replace("34", "34\n34"),
        FOUND.replace("12", "34").replace("34\n\n", "12\n\n"),
        FOUND.replace("5%", "0.5%"),
        FOUND.replace("4.1", "4.3"),
    ],
)
def test_a_wrong_number_in_the_search_index_is_named(text: str) -> None:
    (fault,) = search(text.replace("studies:", "studies,"))
    assert fault.rule == "download"
    assert fault.place.startswith("search.json")


def test_a_heading_of_another_section_is_named() -> None:
    (fault,) = search(section="4.2 By class")
    assert '"4.2 By class"' in fault.expected


@pytest.mark.parametrize("content", [b"[1]", b"{", b"{}", b"\xff", b'[{"href": 1}]'])
def test_a_broken_search_index_is_named(content: bytes) -> None:
    (fault,) = downloads.check_search(content, lambda page: ())
    assert fault.rule == "download"


# --- freshness ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build(shipped: Report) -> bytes:
    return provenance.to_json(shipped.build).encode()


def test_a_book_of_these_data_and_this_code_is_fresh(build: bytes, files: dict[str, bytes]) -> None:
    assert fresh.check(build, files) == []
    assert {"data/constants.csv", "data/references.bib", "_quarto.yml", "index.qmd"} <= files.keys()


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("data/outcomes.csv", "data"),
        ("data/references.bib", "data"),
        ("data/datapackage.json", "data"),
        ("analysis/pooling.py", "code"),
        ("render/builtin/html.py", "code"),
        ("render/report.typ", "code"),
        ("chapters/03-methods.qmd", "code"),
        ("_quarto.yml", "code"),
    ],
)
def test_an_older_book_fails_with_that_reason(
    build: bytes, files: dict[str, bytes], path: str, noun: str
) -> None:
    (fault,) = fresh.check(build, {**files, path: files[path] + b"\n"})
    assert fault.rule == "fresh"
    assert fault.found.startswith(f"the book was made from other {noun}: ")
    assert json.loads(build)[noun][:12] in fault.found
    gone = {name: content for name, content in files.items() if name != path}
    assert fresh.check(build, gone) == fresh.check(build, gone)
    assert [f.found for f in fresh.check(build, gone)] == [fault.found]


def test_files_that_are_no_part_of_the_book_do_not_age_it(
    build: bytes, files: dict[str, bytes]
) -> None:
    crlf = {name: content.replace(b"\n", b"\r\n") for name, content in files.items()}
    more = {"data/reference/new.csv": b"1", "checks/new.py": b"1", "chapters/a.md": b"1"}
    assert fresh.check(build, crlf | more) == []


def test_a_renamed_file_ages_the_book(build: bytes, files: dict[str, bytes]) -> None:
    renamed = {n.replace("01-question", "01-why"): content for n, content in files.items()}
    assert len(fresh.check(build, renamed)) == 1


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"version": "9.9.9"}, "version 9.9.9"),
        ({"packages": {"numpy": "0.1"}}, "numpy 0.1"),
        ({"packages": {"nosuch": "1"}}, "nosuch 1"),
        ({"packages": {"numpy": 1}}, "no version of numpy"),
        ({"packages": {}}, "no packages"),
        ({"data": "abc"}, "no digest of the data"),
        ({"code": None}, "no code"),
        ({"python": "snake"}, "no version of Python"),
        ({"engine": ""}, "no engine"),
    ],
)
def test_a_wrong_build_file_is_named(
    build: bytes, files: dict[str, bytes], changes: dict[str, Any], found: str
) -> None:
    (fault,) = fresh.check(json.dumps(json.loads(build) | changes).encode(), files)
    assert found in fault.found


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff"])
def test_a_book_that_does_not_say_what_made_it_is_not_fresh(
    content: bytes | None, files: dict[str, bytes]
) -> None:
    (fault,) = fresh.check(content, files)
    assert fault.rule == "fresh"


def test_packages_are_those_pinned_for_the_python_of_the_build(build: bytes) -> None:
    stated = json.loads(build) | {"packages": {"numpy": "2"}}
    pins = b"numpy==1 ; python_full_version < '3.12'\nnumpy==2 ; python_full_version >= '3.12'\n"

    def outdated(python: str) -> bool:
        content = json.dumps(stated | {"python": python}).encode()
        return any("numpy" in f.found for f in fresh.check(content, {"constraints.txt": pins}))

    assert outdated("3.11.9")
    assert not outdated("3.12.1")


def test_the_data_may_lie_elsewhere(tmp_path: Path, files: dict[str, bytes]) -> None:
    moved = tmp_path / "evidence"
    shutil.copytree(ROOT / "data", moved)
    assert data_of(fresh.read_files(ROOT, moved)) == data_of(files)
    assert provenance.data_digest(moved) == fresh.data_digest(files)
    with pytest.raises(UnreadableError, match="nowhere: found no folder"):
        fresh.read_files(ROOT, tmp_path / "nowhere")


def test_the_build_file_ends_like_a_text_file(build: bytes) -> None:
    text = build.decode()
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
