"""The whole check: a book and the project it was made from go in, faults and counts come out.

Everything here is a pure function of parsed parts. What was found in a part is remembered, so that
a mutation run, which replaces one part at a time, runs this very code in little time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from checks import citations, downloads, figures, fresh, links, pdf, recompute, rows, structure
from checks.accounting import account
from checks.book import Book, Project
from checks.chapters import ChapterError, Item, items
from checks.faults import Fault, UnreadableError
from checks.figure_plan import figure_plans
from checks.html import Block, Page, chapter
from checks.ledger import Ledger
from checks.pdf import Printed
from checks.plans.figure import FigurePlan
from checks.rows import Data
from checks.shown import Chapter
from checks.sources import Sources
from checks.text import numerals
from checks.vocabulary import vocabulary

_SHOWN_DIFFERENCES = 5


@dataclass
class Audit:
    """What the check found.

    counts: numbers by what they are (tags.COUNTED), by page, and under `figures`; titles: pages'
    headings by name; unused: ledger keys that the book shows nowhere; printed: numbers compared
    between the PDF and the pages; furniture: numbers of the PDF alone (page numbers, contents).
    """

    faults: list[Fault] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    recomputed: int = 0
    printed: int = 0
    furniture: int = 0
    sheets: int = 0

    @property
    def total(self) -> Counter[str]:
        """Numbers by what they are, in the whole book."""
        whole: Counter[str] = Counter()
        for counts in self.counts.values():
            whole.update(counts)
        return whole


def audit(book: Book, project: Project) -> Audit:
    """Check a book against the project that it should have been made from."""
    result = Audit(faults=[*book.faults, *book.ledger.faults])
    build = book.others.get(fresh.BUILD)
    result.faults += fresh.check(build, project.files)
    try:
        data = _data(project)
    except UnreadableError as error:
        # Without the data nothing in the book can be right or wrong.
        result.faults.append(Fault("value", "data", str(error), "data that can be read", "mend it"))
        return result
    sources = _sources(project, build or b"")
    comparison = recompute.compare(book.ledger, data, project.trials, _records(project))
    result.faults += comparison.faults
    result.recomputed = len(comparison.recomputed)
    result.faults += downloads.check(book.others, data)
    plans = _plans(data, sources, _records(project))
    chapters, unreadable = _chapters(project, book.ledger, build or b"")
    result.faults += unreadable
    keys = _pages(book, project, sources, plans, chapters, result)
    keys |= _figures(book, sources, plans, result)
    _print(book, _manuscript(project, book.ledger, book.paths).dates, result)
    if search := book.others.get(downloads.SEARCH):
        result.faults += downloads.check_search(
            search, lambda name: _numerals(book.pages[name]) if name in book.pages else ()
        )
    result.unused = [key for key in book.ledger.numbers if key not in keys]
    return result


def _pages(
    book: Book,
    project: Project,
    sources: Sources,
    plans: Mapping[str, FigurePlan],
    chapters: Mapping[str, list[Item]],
    result: Audit,
) -> set[str]:
    """Check each page; return the keys that it shows."""
    pages = book.pages.values()
    manuscript = _manuscript(project, book.ledger, book.paths)
    context = structure.context(manuscript, pages)
    bibliography = citations.bibliography(_works(project), pages)
    site = tuple((page.name, page.ids) for page in pages)
    result.faults += structure.check_pages(context)
    result.faults += citations.check_list(bibliography)
    keys: set[str] = set()
    in_order = [name for name in manuscript.sources if name in book.pages]
    for name in [*in_order, *(name for name in book.pages if name not in in_order)]:
        page = book.pages[name]
        findings = account(page, book.ledger, sources)
        keys.update(findings.keys)
        result.counts[name] = findings.counts
        result.titles[name] = page.title
        result.faults += findings.faults
        if chapters:
            result.faults += _sequence(name, findings.items, chapters.get(name, []))
        result.faults += _spoken(page, plans)
        result.faults += structure.check(page, context)
        result.faults += citations.check(page, bibliography)
        result.faults += links.check_words(page)
        result.faults += links.check_links(page, site, book.paths)
    return keys


def _figures(
    book: Book, sources: Sources, plans: Mapping[str, FigurePlan], result: Audit
) -> set[str]:
    """Check each figure; return the keys that it shows."""
    counts: Counter[str] = Counter()
    keys: set[str] = set()
    result.faults += figures.check_names(book.figures, plans)
    for name, figure in book.figures.items():
        findings = figures.check(figure, book.ledger, sources, plans.get(name))
        keys.update(findings.keys)
        counts.update(findings.counts)
        result.faults += findings.faults
    result.counts["figures"] = counts
    return keys


def _print(book: Book, dates: Collection[str], result: Audit) -> None:
    """Compare the printed book with the pages."""
    if book.printed is None:
        return
    result.faults += book.printed.faults
    result.faults += _title_page(book.printed, dates)
    result.faults += pdf.check(book.printed, _chapters_of(book))
    result.sheets = book.printed.pages
    result.furniture = book.printed.furniture
    result.printed = sum(
        len(numbers)
        for one in book.printed.chapters
        for numbers in (one.prose, one.spoken, one.drawn)
    )


def _title_page(printed: Printed, dates: Collection[str]) -> list[Fault]:
    """The title page shows no number but those of the book's date."""
    shown = [number.text for number in printed.front]
    if not shown or shown in [[number.text for number in numerals(date)] for date in dates]:
        return []
    return [
        Fault("print", printed.front[0].place, f"{', '.join(shown)} on the title page",
              "the date of _quarto.yml", "render the book again")
    ]  # fmt: skip


def _chapters_of(book: Book) -> list[Chapter]:
    """What the pages show that print must show too."""
    return [
        chapter(
            page, tuple(book.figures[p.figure] for p in page.pictures if p.figure in book.figures)
        )
        for page in book.pages.values()
    ]


def _sequence(name: str, shown: Sequence[Item], wanted: Sequence[Item]) -> list[Fault]:
    """The keys of a page beside those that its chapter asks for."""
    if list(shown) == list(wanted):
        return []
    faults = []
    matcher = SequenceMatcher(None, shown, wanted, autojunk=False)
    for change, i, j, k, m in matcher.get_opcodes():
        if change == "equal":
            continue
        before = f" after {shown[i - 1]}" if i else " at the beginning"
        faults.append(
            Fault(
                "sequence",
                f"{name}{before}",
                _listed(shown[i:j]),
                _listed(wanted[k:m]),
                "render the book again; if it stays, the chapter's code puts a number elsewhere "
                "than checks/vocabulary.py says",
            )
        )
    return faults[:_SHOWN_DIFFERENCES]


def _listed(found: Sequence[Item]) -> str:
    if not found:
        return "nothing"
    rest = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(str(item) for item in found[:3]) + rest


def _spoken(page: Page, plans: Mapping[str, FigurePlan]) -> list[Fault]:
    """The keys that each alternative text says it speaks beside those of its figure."""
    faults = []
    for part in page.pictures:
        plan = plans.get(part.figure)
        said = (part.element.get("data-keys") or "").split()
        if plan is not None and tuple(said) != plan.spoken:
            wrong = [Item("num", key) for key in said]
            right = [Item("num", key) for key in plan.spoken]
            place = f"{page.place(part.element)} alt text"
            faults += _sequence(place, wrong, right)
    return faults


@lru_cache(maxsize=8)
def _data(project: Project) -> Data:
    return rows.read(project.data)


@lru_cache(maxsize=8)
def _records(project: Project) -> recompute.Records:
    return recompute.Records(project.records)


@lru_cache(maxsize=8)
def _build(content: bytes) -> Mapping[str, Any]:
    """What the book says it was made from; what is wrong with it is said by fresh.check."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=8)
def _sources(project: Project, build: bytes) -> Sources:
    return Sources(project.data, {"build": build, "mutations": project.trials})


@lru_cache(maxsize=8)
def _plans(data: Data, sources: Sources, records: recompute.Records) -> Mapping[str, FigurePlan]:
    return figure_plans(data, sources, records.found)


@lru_cache(maxsize=8)
def _manuscript(project: Project, ledger: Ledger, paths: frozenset[str]) -> structure.Manuscript:
    names = (name for path in paths for name in (path, path.rpartition("/")[2]))
    try:
        return structure.Manuscript(project.files, ledger.numbers, names)
    except ValueError as error:
        raise UnreadableError(f"{error}; correct the file") from None


@lru_cache(maxsize=8)
def _works(project: Project) -> citations.Works:
    try:
        return citations.Works(project.files["data/references.bib"])
    except ValueError as error:
        raise UnreadableError(f"{error}; correct the entry") from None


@lru_cache(maxsize=4096)
def _numerals(page: Page) -> tuple[str, ...]:
    """The numerals of a page in the order of the file."""
    blocks = (part for part in page.as_written if isinstance(part, Block))
    return tuple(numeral.text for block in blocks for numeral in numerals(block.text))


@lru_cache(maxsize=8)
def _chapters(
    project: Project, ledger: Ledger, build: bytes
) -> tuple[dict[str, list[Item]], list[Fault]]:
    """What each page must show, by its name, and the chapters that cannot be run."""
    package = project.files["data/datapackage.json"]
    words = vocabulary(
        _data(project), ledger.numbers, package, _build(build), json.loads(project.trials)
    )
    found, faults = {}, []
    for path, content in project.files.items():
        if not path.endswith(".qmd"):
            continue
        try:
            asked = items(content.decode("utf-8"), path, words)
        except (ChapterError, UnicodeDecodeError) as error:
            faults.append(
                Fault("sequence", path, str(error), "words that checks/vocabulary.py has",
                      "use those words, or teach the vocabulary what the new one shows")
            )  # fmt: skip
            continue
        found[path.removesuffix(".qmd") + ".html"] = asked
    return found, faults
