"""The check is attacked: each of its rules has teeth, and no change of a number gets past them."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader

from checks import html, ledger, mutate
from checks.__main__ import main
from checks.audit import Audit, audit
from checks.book import Book, Project
from checks.faults import RULES
from checks.figures import Figure
from checks.mutants import KINDS, Mutant
from checks.shown import Chapter
from tests.conftest import BuiltBook, Parts
from tests.pdf_editing import redrawn

INDEX, LEDGER = "index.html", "chapters/92-ledger.html"
FOREST = "forest-sirolimus-overall_response"
PDF = "itp-rescue-report.pdf"


def rules(book: Book, project: Project) -> set[str]:
    return {fault.rule for fault in audit(book, project).faults}


# Teeth: for each rule a change that no other rule would notice


def with_page(book: Book, name: str, change: Callable[[etree._Element], object]) -> Book:
    root = copy.deepcopy(book.pages[name].root)
    change(root)
    return replace(book, pages={**book.pages, name: html.page(name, root)})


def with_figure(book: Book, name: str, change: Callable[[etree._Element], object]) -> Book:
    old = book.figures[name]
    root = copy.deepcopy(old.root)
    change(root)
    return replace(book, figures={**book.figures, name: Figure(name, root, old.data)})


def with_entry(book: Book, key: str, **changes: object) -> Book:
    entries = json.loads(book.others["numbers.json"])
    next(entry for entry in entries if entry["key"] == key).update(changes)
    return replace(book, ledger=ledger.read(json.dumps(entries).encode()))


def first(root: etree._Element, path: str) -> etree._Element:
    found = root.xpath(path)
    assert found, path
    return found[0]


def an_unused_key(book: Book, project: Project) -> str:
    """A number that neither page nor figure nor download shows."""
    cells = "\n".join(figure.data or "" for figure in book.figures.values())
    numbers = book.ledger.numbers
    return next(
        key
        for key in audit(book, project).unused
        if numbers[key].unit == "percent" and str(numbers[key].value) not in cells
    )


def a_page_that_print_has_too(book: Book, project: Project) -> Parts:
    page = html.page("more.html", etree.HTML("<main><h1>More</h1></main>"))
    assert book.printed is not None
    chapters = (*book.printed.chapters, Chapter("More", (), (), ()))
    printed = replace(book.printed, chapters=chapters)
    return replace(book, pages={**book.pages, page.name: page}, printed=printed), project


def a_remark_in_the_code(book: Book, project: Project) -> Parts:
    code = project.files["analysis/pooling.py"] + b"\n# a remark\n"
    return book, Project({**project.files, "analysis/pooling.py": code})


def a_text_that_is_not_its_value(book: Book, project: Project) -> Parts:
    return with_entry(book, an_unused_key(book, project), text="12.3%"), project


def a_value_that_prints_the_same(book: Book, project: Project) -> Parts:
    key = an_unused_key(book, project)
    value = book.ledger.numbers[key].value
    assert isinstance(value, float)
    near = next(
        other
        for other in (value + 2e-5, value - 2e-5)
        if f"{100 * other:.1f}" == f"{100 * value:.1f}"
    )
    return with_entry(book, key, value=near), project


def another_digit_online(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        number = first(root, "//*[contains(@class, 'online-only')]//span[@data-key]")
        number.text = f"1{number.text}"

    return with_page(book, LEDGER, change), project


def a_twin_of_another_key(book: Book, project: Project) -> Parts:
    numbers = book.ledger.numbers

    def change(root: etree._Element) -> None:
        for number in root.iter("span"):
            text = numbers[key].text if (key := number.get("data-key")) in numbers else None
            twins = [k for k, other in numbers.items() if other.text == text and k != key]
            if twins:
                number.set("data-key", twins[0])
                return

    return with_page(book, INDEX, change), project


def typed_online(words: str) -> Callable[[Book, Project], Parts]:
    def change(root: etree._Element) -> None:
        cell = first(root, "//*[contains(@class, 'online-only')]//td[span[@data-key]]")
        cell.text = f"{words} {cell.text or ''}"

    return lambda book, project: (with_page(book, LEDGER, change), project)


def a_section_number_in_the_navigation(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        first(root, "//nav//span[contains(@class, 'chapter-number')]").text = "99"

    return with_page(book, INDEX, change), project


def a_citation_that_leads_to_another_work(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        works = list(dict.fromkeys(root.xpath("//*[contains(@class, 'citation')]//a/@href")))
        link = first(root, f"//*[contains(@class, 'citation')]//a[@href='{works[0]}']")
        link.set("href", works[1])

    return with_page(book, "chapters/03-methods.html", change), project


def a_name_misspelt(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        name = first(root, "//main//td//*[contains(@class, 'datum')][not(*)]")
        name.text = f"{name.text}e"

    return with_page(book, INDEX, change), project


def a_name_misspoken(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        picture = first(root, "//img[contains(@data-keys, 'therapies#')]")
        address = re.search(r"therapies#(\w+)#label", picture.get("data-keys", ""))
        assert address is not None
        name = f"{address[1][:4]}".capitalize()
        assert name in picture.get("alt", "")
        picture.set("alt", picture.get("alt", "").replace(name, f"X{name}"))

    name = next(
        name for name, page in book.pages.items()
        if page.root.xpath("//img[contains(@data-keys, 'therapies#')]")
    )  # fmt: skip
    return with_page(book, name, change), project


def a_mark_without_a_name(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        mark = first(root, "//*[starts-with(@id, 'mark-')]")
        twin = copy.deepcopy(mark)
        del twin.attrib["id"]
        mark.addnext(twin)

    return with_figure(book, FOREST, change), project


def a_mark_moved(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        mark = first(root, "//*[starts-with(@id, 'mark-')]")
        mark.set("transform", "translate(1 0)")

    return with_figure(book, FOREST, change), project


def a_cell_of_a_download(book: Book, project: Project) -> Parts:
    name = "data/pools.csv"
    content = re.sub(rb"(?<=,)\d+$", b"9999", book.others[name], count=1, flags=re.MULTILINE)
    assert content != book.others[name]
    return replace(book, others={**book.others, name: content}), project


def a_digit_in_print(book: Book, project: Project) -> Parts:
    assert book.printed is not None
    chapter, *others = book.printed.chapters
    number, *rest = chapter.prose
    changed = replace(chapter, prose=(replace(number, text=f"{number.text}0"), *rest))
    printed = replace(book.printed, chapters=(changed, *others))
    return replace(book, printed=printed), project


def a_link_to_nowhere(book: Book, project: Project) -> Parts:
    def change(root: etree._Element) -> None:
        first(root, "//main//a[contains(@href, 'numbers.json')]").set("href", "number.json")

    return with_page(book, INDEX, change), project


ONE_RULE_ONLY: dict[str, Callable[[Book, Project], Parts]] = {
    "file": a_page_that_print_has_too,
    "fresh": a_remark_in_the_code,
    "ledger": a_text_that_is_not_its_value,
    "value": a_value_that_prints_the_same,
    "text": another_digit_online,
    "sequence": a_twin_of_another_key,
    "untagged": typed_online("12"),
    "words": typed_online("twelve"),
    "structure": a_section_number_in_the_navigation,
    "citation": a_citation_that_leads_to_another_work,
    "quotation": a_name_misspelt,
    "alt": a_name_misspoken,
    "figure": a_mark_without_a_name,
    "place": a_mark_moved,
    "download": a_cell_of_a_download,
    "print": a_digit_in_print,
    "link": a_link_to_nowhere,
}


@pytest.mark.parametrize("rule", RULES)
def test_without_this_rule_a_change_would_survive(rule: str, parts: Parts) -> None:
    assert rules(*parts) == set()
    assert rules(*ONE_RULE_ONLY[rule](*parts)) == {rule}
    assert rules(*parts) == set()


# The makers


def serialised(book: Book, project: Project) -> dict[str, bytes]:
    """Everything that a mutant may change."""
    assert book.printed is not None
    return {
        **{name: etree.tostring(page.root) for name, page in book.pages.items()},
        **{name: etree.tostring(figure.root) for name, figure in book.figures.items()},
        "ledger": repr(book.ledger.numbers).encode(),
        "printed": repr(book.printed.chapters).encode(),
        **project.files,
    }


@pytest.fixture(scope="module")
def before(parts: Parts) -> dict[str, bytes]:
    return serialised(*parts)


def changed(mutant: Mutant, parts: Parts, before: dict[str, bytes]) -> dict[str, bytes]:
    """The parts of a mutant that read otherwise than before; parts left alone are not looked at."""
    (book, project), made = parts, mutant.book
    pages = {n: page.root for n, page in made.pages.items() if page is not book.pages[n]}
    drawn = {n: figure.root for n, figure in made.figures.items() if figure is not book.figures[n]}
    now = {name: etree.tostring(root) for name, root in (pages | drawn).items()}
    if made.printed is not book.printed and made.printed is not None:
        now["printed"] = repr(made.printed.chapters).encode()
    if mutant.project is not project:
        now |= mutant.project.files
    return {name: content for name, content in now.items() if before[name] != content}


def made(kind: str, parts: Parts, seed: str) -> Mutant:
    return KINDS[kind][0](*parts, random.Random(seed))


def test_the_kinds_of_change_are_those_that_a_book_may_meet() -> None:
    assert list(KINDS) == ["data", "html", "swapped", "figure", "pdf", "typed"]
    assert len({words for _, words in KINDS.values()}) == len(KINDS)


def test_every_mutant_differs_in_one_part_and_leaves_the_book_alone(
    parts: Parts, before: dict[str, bytes]
) -> None:
    for kind in KINDS:
        for number in range(20):
            mutant = made(kind, parts, f"{kind} {number}")
            assert mutant.kind == kind
            assert len(changed(mutant, parts, before)) == 1, mutant.change
    assert serialised(*parts) == before
    assert rules(*parts) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_makes_the_same_changes_again_and_another_seed_makes_others(
    kind: str, parts: Parts, before: dict[str, bytes]
) -> None:
    one, again, other = (
        [made(kind, parts, f"{seed}/{number}") for number in range(5)] for seed in (1, 1, 2)
    )
    assert [m.change for m in one] == [m.change for m in again] != [m.change for m in other]
    for mutant, twin in zip(one, again, strict=True):
        assert changed(mutant, parts, before) == changed(twin, parts, before)


def test_mutants_of_a_seed_that_was_never_recorded_are_all_noticed(
    parts: Parts, built_book: BuiltBook
) -> None:
    record = json.loads((built_book.project / "checks" / "mutations.json").read_bytes())
    seed = record["seed"] + 7919
    done = [mutate.trial(*parts, seed, number) for number in range(10 * len(KINDS))]
    assert [one.kind for one in done[: len(KINDS)]] == list(KINDS)
    assert [one.change for one in done if not one.killed] == []
    assert {rule for one in done for rule in one.rules} <= RULES.keys()


# The command


@pytest.fixture
def in_this_process(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials on the parts that were read already."""

    def trials(folder: Path, data: Path, seed: int, count: int) -> Iterator[mutate.Trial]:
        return (mutate.trial(*parts, seed, number) for number in range(count))

    monkeypatch.setattr(mutate, "trials", trials)


def test_a_book_that_has_faults_is_not_attacked(
    root: Path, in_this_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "_book" / "data" / "pools.csv").unlink()
    assert mutate.main(["_book"]) == 1
    output = capsys.readouterr().out
    assert "before any change" in output
    assert "data/pools.csv" in output
    assert "noticed" not in output


def test_a_book_that_cannot_be_read_is_not_attacked(
    root: Path, in_this_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "_book" / "numbers.json").unlink()
    assert mutate.main(["_book"]) == 1
    assert "found no file; expected the ledger" in capsys.readouterr().out


def test_what_is_recorded_is_what_was_found_and_what_the_book_will_print(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mutate.main(["_book", "--count", "12", "--seed", "5", "--record"]) == 0
    lines = capsys.readouterr().out.splitlines()
    record = json.loads((root / "checks" / "mutations.json").read_text(encoding="utf-8"))
    assert record["seed"] == 5
    assert record["survivors"] == []
    assert {name: kind["made"] for name, kind in record["kinds"].items()} == dict.fromkeys(KINDS, 2)
    assert all(kind["killed"] == kind["made"] for kind in record["kinds"].values())
    assert {name: kind["words"] for name, kind in record["kinds"].items()} == {
        name: words for name, (_, words) in KINDS.items()
    }
    for rule, found in record["rules"].items():
        assert found["noticed"] >= found["alone"] >= 0
        said = re.compile(rf"{rule} +{found['noticed']} noticed, {found['alone']} by this rule .*")
        assert any(map(said.fullmatch, lines))
    assert "seed 5: 12 of 12 changes noticed (100.0%)" in lines

    assert main(["_book"]) == 1
    output = capsys.readouterr().out
    assert "the book was made from other code" in output
    assert "numbers.json mutation.made: found" in output


def test_without_recording_the_record_stays(root: Path, in_this_process: None) -> None:
    before = (root / "checks" / "mutations.json").read_bytes()
    assert mutate.main(["_book", "--count", "2"]) == 0
    assert (root / "checks" / "mutations.json").read_bytes() == before


def test_survivors_are_listed_and_counted_and_fail_the_command(
    root: Path,
    in_this_process: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def without_print(book: Book, project: Project) -> Audit:
        found = audit(book, project)
        return replace(found, faults=[fault for fault in found.faults if fault.rule != "print"])

    monkeypatch.setattr(mutate, "audit", without_print)
    assert mutate.main(["_book", "--count", "12", "--seed", "5", "--record"]) == 1
    lines = capsys.readouterr().out.splitlines()
    survivors = [line for line in lines if line.startswith("survived")]
    assert len(survivors) == 2
    assert all(line.startswith("survived (pdf): itp-rescue-report.pdf page ") for line in survivors)
    assert any(re.match(r"pdf +0 of +2 noticed", line) for line in lines)
    assert not any(line.startswith("print") for line in lines)
    assert "seed 5: 10 of 12 changes noticed (83.3%)" in lines
    record = json.loads((root / "checks" / "mutations.json").read_text(encoding="utf-8"))
    assert record["kinds"]["pdf"]["killed"] == 0
    assert [f"survived (pdf): {one.removeprefix('pdf: ')}" for one in record["survivors"]] == (
        survivors
    )


# The same changes made to files


def edited(path: str, pattern: str, new: str) -> Callable[[Path], None]:
    """A change of the first place in a text file that a pattern finds."""

    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        after, count = re.subn(pattern, new, text, count=1)
        assert count == 1
        (root / path).write_text(after, encoding="utf-8")

    return change


def one_glyph(root: Path) -> None:
    path = root / "_book" / PDF
    content = path.read_bytes()
    book = json.loads((root / "_book" / "numbers.json").read_text(encoding="utf-8"))
    text = next(e["text"] for e in book if e["key"] == "pool.sirolimus.overall_response.estimate")
    pages = (page.extract_text() for page in PdfReader(path).pages)
    number = next(number for number, page in enumerate(pages, start=1) if text in page)
    other = text.replace(text[0], str((int(text[0]) + 1) % 10), 1)
    path.write_bytes(redrawn(content, number, text, other))


ON_DISK: dict[str, tuple[Callable[[Path], None], str]] = {
    "data": (edited("data/outcomes.csv", r",73,86,", ",74,86,"), "fresh"),
    "html": (edited(f"_book/{INDEX}", r"(<span class=\"num\"[^>]*>\d*)(\d)", r"\g<1>0\2"), "text"),
    "swapped": (
        edited(
            f"_book/{INDEX}",
            r'data-key="evidence\.studies">[^<]*<',
            'data-key="evidence.therapies">THERAPIES<',
        ),
        "sequence",
    ),
    "figure": (
        edited(
            f"_book/figures/{FOREST}.svg",
            r'(<g id="mark-pool\.sirolimus\.overall_response")',
            r'\1 transform="translate(1 0)"',
        ),
        "place",
    ),
    "pdf": (one_glyph, "print"),
    "typed": (edited(f"_book/{INDEX}", r"<p>", "<p>Of these 17 responded. "), "untagged"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_notices_the_same_change_in_a_file(
    kind: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, rule = ON_DISK[kind]
    change(root)
    assert main(["_book"]) == 1
    faults = capsys.readouterr().out.splitlines()[:-1]
    assert any(fault.endswith(f"[{rule}]") for fault in faults)
