"""The report says the same in a line, a table, JSON and a page; the exit status follows it."""

from __future__ import annotations

import ast
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree, html

from checks import __main__ as command
from checks import report
from checks.audit import Audit
from checks.faults import RULES, Fault
from checks.html import read_page

ROOT = Path(__file__).parents[1]
FAULT = Fault("text", "index.html line 5", '"<script>alert(1)</script> & 62%"', "x", "mend it")


def found(*faults: Fault) -> Audit:
    """What a check of a small book found."""
    return Audit(
        faults=list(faults),
        counts={
            "index.html": Counter(ledger=1200, constants=3, structure=40),
            "figures": Counter(ledger=100, unexplained=len(faults)),
        },
        titles={"index.html": "Findings <& more>"},
        unused=["a.b", "a.c"],
        recomputed=5000,
        printed=1100,
        furniture=12,
        sheets=9,
    )


def test_the_last_line_counts_every_number_by_what_it_is() -> None:
    assert report.closing_line(found()) == (
        "1,343 numbers: 1,300 ledger, 3 constants, 40 structure, 0 unexplained; no fault"
    )
    assert report.closing_line(found(FAULT, FAULT)).endswith("2 unexplained; 2 faults")


def test_the_table_has_a_line_for_each_chapter_and_one_for_all() -> None:
    header, *lines = report.lines(found())
    assert header.split() == ["Chapter", "Ledger", "Constants", "Structure", "Unexplained"]
    assert [line.rsplit(maxsplit=4) for line in lines[:3]] == [
        ["Findings <& more>", "1,200", "3", "40", "0"],
        ["Figures", "100", "0", "0", "0"],
        ["The whole book", "1,300", "3", "40", "0"],
    ]
    assert len({len(line) for line in (header, *lines[:3])}) == 1
    assert lines[3].startswith("PDF: 1,100 numbers on 9 sheets")
    assert lines[4].startswith("5,000 ledger values")
    assert "2 of them shown nowhere" in lines[4]
    assert lines[-1] == report.closing_line(found())


def test_the_json_says_the_same() -> None:
    told = json.loads(report.as_json(found(FAULT)))
    assert told["passed"] is False
    assert told["summary"] == report.closing_line(found(FAULT))
    assert told["numbers"]["total"] == sum(
        told["numbers"][name] for name in ("ledger", "constants", "structure", "unexplained")
    )
    assert told["chapters"][0] == {
        "page": "index.html", "title": "Findings <& more>",
        "ledger": 1200, "constants": 3, "structure": 40, "unexplained": 0,
    }  # fmt: skip
    assert {rule: told["rules"][rule]["faults"] for rule in RULES} == {
        rule: int(rule == "text") for rule in RULES
    }
    assert told["faults"] == [{"rule": "text", "text": str(FAULT)}]
    assert told["unused_keys"] == ["a.b", "a.c"]
    assert told["blind_spots"]
    assert json.loads(report.as_json(found()))["passed"] is True


def test_the_page_is_well_formed_and_shows_text_as_text() -> None:
    text = report.as_page(found(FAULT))
    page = read_page("checked.html", text.encode())
    body = html.tostring(page.root.find("body"), encoding="unicode")
    assert "alert(1)" in "".join(page.root.itertext(etree.Element))
    assert page.root.xpath("//script") == []
    assert "&lt;script&gt;" in body
    assert "$" not in "".join(page.root.find("body").itertext(etree.Element))
    assert [cell.text for cell in page.root.xpath("//tbody[1]/tr[1]/*")][:2] == [
        "Findings <& more>", "1,200",
    ]  # fmt: skip
    assert page.root.xpath("//*[contains(@class, 'verdict')]/@class") == ["verdict faulty"]
    assert [item.text for item in page.root.xpath("//li")][1:] == list(report.BLIND_SPOTS)


def test_the_page_of_a_sound_book_says_so() -> None:
    page = read_page("checked.html", report.as_page(found()).encode())
    assert page.root.xpath("//*[contains(@class, 'verdict')]/@class") == ["verdict sound"]
    shown = " ".join("".join(page.root.itertext(etree.Element)).split())
    assert report.closing_line(found()) in shown
    for rule, guards in RULES.items():
        assert f"{rule} {guards} 0" in " ".join(
            " ".join(row.itertext()) for row in page.root.xpath("//tr")
        )


def test_a_fault_is_one_line_however_long() -> None:
    fault = Fault("text", "a\nb", "x" * 999, "  y \n z", "mend it")
    assert str(fault).startswith("a b: found xxx")
    assert str(fault).endswith("...; expected y z; mend it [text]")
    assert len(str(fault)) < 250


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def few(tmp_path: Path) -> str:
    """The evidence with its first rows alone, so that little is to be worked out again."""
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (ROOT / "data").glob("*.*"):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = lines[:4] if path.name == "outcomes.csv" else lines
        (folder / path.name).write_bytes(b"".join(kept))
    return str(folder)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book with a ledger and a page, beside the project's own sources."""
    monkeypatch.chdir(ROOT)
    folder = tmp_path / "book"
    folder.mkdir()
    entry = {"key": "a.b", "value": 2, "text": "2", "unit": "count", "rows": []}
    (folder / "numbers.json").write_text(json.dumps([entry]))
    (folder / "index.html").write_text(
        '<!DOCTYPE html><html><head><title>T</title></head><body><main><h1>T</h1><p><span '
        'class="num" data-key="a.b">2</span> of 61</p></main></body></html>'
    )  # fmt: skip
    return folder


def give(monkeypatch: pytest.MonkeyPatch, result: Audit) -> None:
    monkeypatch.setattr(command, "audit", lambda book, project: result)


def test_a_sound_book_leaves_with_zero_and_a_report(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, found())
    assert command.main([str(book)]) == 0
    assert capsys.readouterr().out.splitlines() == list(report.lines(found()))
    assert (book / "checked.json").read_text(encoding="utf-8") == report.as_json(found())
    assert (book / "checked.html").read_text(encoding="utf-8") == report.as_page(found())


def test_a_faulty_book_leaves_with_one_a_line_for_each_fault_and_a_report(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, found(FAULT, FAULT))
    assert command.main([str(book)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == [str(FAULT)] * 2
    assert told[-1] == report.closing_line(found(FAULT, FAULT))
    assert json.loads((book / "checked.json").read_text(encoding="utf-8"))["passed"] is False


def test_a_book_that_is_hardly_one_has_every_part_named(
    book: Path, few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(book), "--data", few]) == 1
    told = capsys.readouterr().out
    for words in (
        'index.html line 1 <p>: found "61" without a key in "2 of 61"',
        "the PDF: found no PDF",
        "build.json: found no file",
        "data/pools.csv: found no file",
        "numbers.json a.b: found a key that",
        "chapters/03-methods.html: found no such page",
    ):
        assert words in told
    assert told.splitlines()[-1].startswith("2 numbers: 1 ledger, 0 constants, 0 structure, 1 un")


@pytest.mark.parametrize("name", ["numbers.json", ""])
def test_no_book_or_no_ledger_is_one_line(
    name: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (book / "numbers.json").unlink()
    assert command.main([str(book if name else book / "gone")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert f"{name or 'gone'}: found no f" in line
    assert not (book / "checked.html").exists()


def test_no_data_is_one_line(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(book), "--data", str(book / "data")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "data: found no folder; expected the evidence" in line


@pytest.mark.parametrize("name", ["_quarto.yml", "data/references.bib", "data/datapackage.json"])
def test_a_project_without_its_parts_is_one_line(
    name: str, book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = book.parent / "project"
    for path in ("_quarto.yml", "data", "checks/mutations.json"):
        (elsewhere / path).parent.mkdir(parents=True, exist_ok=True)
        if path != name:
            (elsewhere / path).symlink_to(ROOT / path)
    if name.startswith("data/"):
        (elsewhere / "data").unlink()
        (elsewhere / "data").mkdir()
        for file in (ROOT / "data").glob("*.*"):
            if file.name != Path(name).name:
                (elsewhere / "data" / file.name).symlink_to(file)
    monkeypatch.chdir(elsewhere)
    assert command.main([str(book)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert f"{name}: found no file" in line


def test_a_report_that_cannot_be_written_does_not_change_the_verdict(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, found())
    (book / "checked.json").mkdir()  # as good as a folder that may not be written to
    assert command.main([str(book)]) == 0
    assert f"{book}: the report could not be written" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_book_is_checked_all_the_same(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, found())
    book.chmod(0o555)
    assert command.main([str(book)]) == 0
    assert "the report could not be written" in capsys.readouterr().err
    book.chmod(0o755)


def test_the_report_itself_is_not_checked(
    book: Path, few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main([str(book), "--data", few])
    before = capsys.readouterr().out
    command.main([str(book), "--data", few])
    assert capsys.readouterr().out == before


# --- independence ---------------------------------------------------------------------------------


def test_the_checks_import_nothing_that_they_check() -> None:
    imported = {
        name.split(".")[0]
        for path in (ROOT / "checks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert "checks" in imported
    assert imported.isdisjoint({"analysis", "render", "pymare", "tests"})


def test_the_book_states_every_blind_spot_in_the_same_words() -> None:
    chapter = (ROOT / "chapters" / "94-checks.qmd").read_text(encoding="utf-8")
    assert [line[2:] for line in chapter.splitlines() if line.startswith("- ")] == [
        *report.BLIND_SPOTS
    ]
