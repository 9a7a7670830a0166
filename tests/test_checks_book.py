"""A whole book through the command: the shipped one passes, a broken one is met in plain words."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from checks.__main__ import main
from tests.conftest import BuiltBook
from tests.projects import ROOT

CLOSING = re.compile(
    r"[\d,]+ numbers: [\d,]+ ledger, [\d,]+ constants, [\d,]+ structure, 0 unexplained; no fault"
)
AGAIN = "build the book again (nox -s book) [file]"
RENDER = "render the whole book again [file]"


# The shipped book


def test_the_shipped_book_is_sound_and_says_so_in_three_places(built_book: BuiltBook) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checks", str(built_book.folder)],
        cwd=built_book.project, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert CLOSING.fullmatch(lines[-1])
    assert not [line for line in lines if ": found " in line]

    report = json.loads((built_book.folder / "checked.json").read_text(encoding="utf-8"))
    assert report["passed"]
    assert report["faults"] == []
    assert report["summary"] == lines[-1]
    numbers = report["numbers"]
    assert numbers["total"] == sum(count for name, count in numbers.items() if name != "total")
    assert numbers["unexplained"] == 0
    for name in ("ledger", "constants", "structure"):
        assert numbers[name] == sum(chapter[name] for chapter in report["chapters"]) > 0

    page = (built_book.folder / "checked.html").read_text(encoding="utf-8")
    assert lines[-1] in page
    assert "Every number is accounted for." in page
    shown = [unescape(cell) for cell in re.findall(r'<th scope="row">([^<]*)</th>', page)]
    titles = [chapter["title"].capitalize() for chapter in report["chapters"]]
    assert [title.capitalize() for title in shown[: len(titles)]] == titles


def test_every_page_and_the_figures_have_a_row_of_their_own(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["_book"]) == 0
    report = json.loads((root / "_book" / "checked.json").read_text(encoding="utf-8"))
    pages = {path.relative_to("_book").as_posix() for path in Path("_book").rglob("*.html")}
    assert {chapter["page"] for chapter in report["chapters"]} == {
        *(pages - {"checked.html"}), "figures",
    }  # fmt: skip
    assert len(capsys.readouterr().out.splitlines()) == len(report["chapters"]) + 5


def test_a_key_that_is_shown_nowhere_is_reported_and_no_fault(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["_book"]) == 0
    report = json.loads((root / "_book" / "checked.json").read_text(encoding="utf-8"))
    unused = report["unused_keys"]
    text = "".join(
        path.read_text(encoding="utf-8")
        for kind in ("html", "svg")
        for path in (root / "_book").rglob(f"*.{kind}")
    )
    assert unused
    assert set(re.findall(r'(?:data-key="|id="num-)([^"#]+)', text)).isdisjoint(unused)
    assert f"{len(unused):,} of them shown nowhere in the book" in capsys.readouterr().out
    assert not report["faults"]


# Broken books

Change = Callable[[Path], object]


def replaced(path: str, before: str, after: str) -> Change:
    """A change of one place of a text file."""

    def change(root: Path) -> None:
        file = root / path
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after, 1), encoding="utf-8")

    return change


def without(path: str) -> Change:
    def change(root: Path) -> None:
        shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()

    return change


def emptied(folder: str) -> Change:
    def change(root: Path) -> None:
        shutil.rmtree(root / folder)
        (root / folder).mkdir()

    return change


def cut(path: str, share: float) -> Change:
    def change(root: Path) -> None:
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: int(len(content) * share)])

    return change


def written(path: str, content: bytes) -> Change:
    return lambda root: (root / path).write_bytes(content)


def copied(path: str, to: str) -> Change:
    return lambda root: shutil.copy(root / path, root / to)


def without_figure(root: Path) -> None:
    (root / "_book/figures/map.svg").unlink()
    (root / "_book/figures/map.csv").unlink()


def without_column(root: Path) -> None:
    path = root / "data" / "outcomes.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.partition(",")[2] for line in lines), encoding="utf-8")


PDF = "itp-rescue-report.pdf"
KEY = "pool.sirolimus.overall_response.estimate"

#: What is done to the book or the project, and what the fault says of it: place, what was found,
#: what should be, what to do.
BROKEN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "a missing page": (
        without("_book/chapters/03-methods.html"),
        ("chapters/03-methods.html", "no such page", "a page for each chapter", RENDER),
    ),
    "a page too many": (
        copied("_book/index.html", "_book/chapters/old.html"),
        ("chapters/old.html", "a page that is no chapter", "the chapters of _quarto.yml", RENDER),
    ),
    "a truncated PDF": (
        cut(f"_book/{PDF}", 0.8), (PDF, "the file was cut off", "a whole file", AGAIN),
    ),
    "an empty PDF": (
        written(f"_book/{PDF}", b""), (PDF, "no PDF that can be read", "a whole file", AGAIN),
    ),
    "no PDF": (without(f"_book/{PDF}"), ("the PDF", "no PDF", "one PDF in the book's", AGAIN)),
    "two PDFs": (
        copied(f"_book/{PDF}", "_book/old.pdf"),
        (f"{PDF}, old.pdf", "one PDF in the book's", AGAIN),
    ),
    "a tag that is not closed": (
        replaced("_book/index.html", "</main>", ""),
        ("index.html", "where </main> of line", "a whole file", AGAIN),
    ),
    "a tag that is cut in two": (
        replaced("_book/index.html", "</main>", "<span clas"),
        ("index.html", "a whole file", AGAIN),
    ),
    "a page cut off": (
        cut("_book/index.html", 0.5), ("index.html", "never closed", "a whole file", AGAIN),
    ),
    "binary garbage in a page": (
        written("_book/index.html", bytes(range(256)) * 40),
        ("index.html", "not UTF-8", "a whole file", AGAIN),
    ),
    "a figure without its data": (
        without("_book/figures/map.csv"),
        ("figures/map.csv", "no map.csv", "the data of the figure beside it", "[download]"),
    ),
    "a figure missing": (
        without_figure, ("figures/map.svg", "no such figure", "one, by the data", "[figure]"),
    ),
    "a broken figure": (
        cut("_book/figures/map.svg", 0.5), ("figures/map.svg", "broken XML", "a whole file", AGAIN),
    ),
    "a key that nobody knows": (
        replaced("_book/index.html", f'data-key="{KEY}"', 'data-key="pool.sirolimus.estimat"'),
        ("index.html line", 'key "pool.sirolimus.estimat"', "a key of numbers.json", "[text]"),
    ),
    "an entry that nothing asks for": (
        replaced("_book/numbers.json", f'"{KEY}"', '"pool.sirolimus.estimat"'),
        ("numbers.json pool.sirolimus.estimat", "a key that data/ does not give", "[value]"),
    ),
    "nothing that says what it was made from": (
        without("_book/build.json"), ("build.json", "no file", "build it again", "[fresh]"),
    ),
    "data changed since": (
        replaced("data/outcomes.csv", ",73,86,", ",74,86,"),
        ("build.json", "the book was made from other data", "build it again", "[fresh]"),
    ),
    "code changed since": (
        replaced("analysis/pooling.py", "\n\n\n", "\n\n\n\n"),
        ("build.json", "the book was made from other code", "build it again", "[fresh]"),
    ),
    "a chapter changed since": (
        replaced("chapters/15-limits.qmd", "# ", "# New: "),
        ("build.json", "the book was made from other code", "build it again", "[fresh]"),
    ),
    "a column missing": (without_column, ("outcomes.csv", "study_id")),
    "a download missing": (
        without("_book/data/pools.csv"), ("data/pools.csv", "no file", "[download]"),
    ),
}  # fmt: skip

#: The same where there is nothing that could be checked: the message is all that is printed.
UNREADABLE: dict[str, tuple[Change, tuple[str, ...]]] = {
    "an empty ledger": (
        written("_book/numbers.json", b"[]"),
        ("numbers.json", "an empty list", "a list of numbers"),
    ),
    "an empty file for a ledger": (
        written("_book/numbers.json", b""),
        ("numbers.json", "broken JSON", "a list of numbers"),
    ),
    "a broken ledger": (
        cut("_book/numbers.json", 0.5), ("numbers.json", "broken JSON", "a list of numbers"),
    ),
    "no ledger": (without("_book/numbers.json"), ("numbers.json", "no file", "the ledger")),
    "no data": (without("data"), ("data", "no folder", "the evidence")),
    "no book": (without("_book"), ("_book", "no folder", "a built book")),
    "an empty book": (
        emptied("_book"),
        ("numbers.json", "no file", "the ledger"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_book_fails_with_place_finding_and_remedy(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = BROKEN[name]
    change(root)
    assert main(["_book"]) == 1
    output = capsys.readouterr()
    *lines, last = output.out.splitlines()
    faults = [line for line in lines if re.search(r": found .*; expected .* \[\w+\]$", line)]
    assert any(all(words in fault for words in said) for fault in faults), faults[:5]
    assert last.endswith("; 1 fault" if len(faults) == 1 else f"; {len(faults):,} faults")
    assert output.err == ""

    report = json.loads((root / "_book/checked.json").read_text(encoding="utf-8"))
    assert not report["passed"]
    assert [fault["text"] for fault in report["faults"]] == faults
    assert last in (root / "_book/checked.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_checked_at_all_is_told_in_one_line(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = UNREADABLE[name]
    change(root)
    assert main(["_book"]) == 1
    output = capsys.readouterr()
    (line,) = output.out.splitlines()
    assert re.search(r": found .*; expected .*; .*", line)
    assert all(words in line for words in said), line
    assert output.err == ""
    if (
        root / "_book/checked.html"
    ).exists():  # the report of an earlier check is not left to stand
        assert not json.loads((root / "_book/checked.json").read_text(encoding="utf-8"))["passed"]
        assert "This book has faults." in (root / "_book/checked.html").read_text(encoding="utf-8")


def test_one_broken_file_does_not_hide_another(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a truncated PDF", "a broken figure", "a tag that is not closed"):
        BROKEN[name][0](root)
    assert main(["_book"]) == 1
    output = capsys.readouterr().out
    assert all(f"{name}: found " in output for name in (PDF, "figures/map.svg", "index.html"))
