"""The numbers that a book gives itself: of sections, figures and tables, references, dates, names.

What each ought to be is worked out from the list of chapters in _quarto.yml, from the order of the
headings and floats on the pages, and from the sources of the chapters: never from its look.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from posixpath import basename, dirname, join, normpath
from typing import Any
from urllib.parse import unquote

import yaml
from lxml import etree

from checks.faults import Fault
from checks.html import Block, Page, classes, content
from checks.text import normalise, numbers_in

#: Names with digits that are no quantities.
SYMBOLS = {"tau²", "I²", "10⁹/L", "SHA-256"}
#: Pages that a book may have without listing them.
UNLISTED = frozenset({"404.html"})
FLOATS = {"fig": "Figure", "tbl": "Table"}
_NUMBER_CLASSES = {"chapter-number", "header-section-number"}
_ON_AND_BACK = re.compile(r"^(?:Previous|Next) ")
_DASH = re.compile(r" [\u2013\u2014] ")
_FENCE = re.compile(r" *(`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_UNNUMBERED = re.compile(r"^# .*\{[^}]*(?:\.unnumbered|(?<![\w-])-(?![\w-]))[^}]*\}\s*$")
_RENDER = "render the book again; if it stays, the number was typed or the page edited"


class Manuscript:
    """The project that a book is made from: its chapters in order, and the names that it knows."""

    def __init__(
        self, files: Mapping[str, bytes], keys: Iterable[str], names: Iterable[str] = ()
    ) -> None:
        """files: content by path from the project's root; keys: the ledger's.

        names: further names that may stand as code, such as those of the files to download.
        Raises KeyError without _quarto.yml, ValueError where it or the schema cannot be read.
        """
        settings = _settings(files["_quarto.yml"])
        self.book: dict[str, Any] = settings.get("book") or {}
        self.sources = {
            _page_name(path): files.get(path, b"").decode("utf-8", errors="replace")
            for path in self._paths("chapters", "appendices")
        }
        numbered = bool(settings.get("number-sections"))
        self.appendices = {_page_name(path) for path in self._paths("appendices")}
        self.numbers = _chapter_numbers(self.sources, self.appendices) if numbered else {}
        self.names = {*_names_of(files), *_key_names(keys), *names}
        self._written = {name: _code_in(source) for name, source in self.sources.items()}

    def listings(self, page: str) -> Collection[str]:
        """The fenced blocks in the source of a page."""
        return self._written[page][0] if page in self._written else ()

    def code(self, page: str) -> Collection[str]:
        """The inline code in the source of a page."""
        return self._written[page][1] if page in self._written else ()

    @cached_property
    def dates(self) -> set[str]:
        """The book's date in each form that may be printed."""
        given = str(self.book.get("date", ""))
        try:
            date = datetime.date.fromisoformat(given)
        except ValueError:
            return {given}
        month = f"{date:%B}"
        return {given, f"{date.day} {month} {date.year}", f"{month} {date.day}, {date.year}"}

    @cached_property
    def descriptions(self) -> dict[str, set[str]]:
        """What the head of a page may say, by name."""
        said = {name: _words(self.book.get(name)) for name in ("title", "description", "author")}
        return {**said, "date": self.dates, "dcterms.date": self.dates}

    def _paths(self, *parts: str) -> Iterator[str]:
        for part in parts:
            yield from _listed(self.book.get(part) or ())


@dataclass(frozen=True)
class Heading:
    """A heading as it ought to be: its level, its number (empty without one), its words."""

    level: int
    number: str
    title: str
    appendix: bool = False

    @property
    def text(self) -> str:
        """Number and words."""
        return f"{self.number} {self.title}".strip()

    @property
    def texts(self) -> set[str]:
        """What the heading may show."""
        return {self.text, f"Appendix {self.text}"} if self.appendix else {self.text}

    @property
    def references(self) -> set[str]:
        """What a reference to it may show: numbers where there are any, words of sections too."""
        if not self.number:
            return {self.title}
        if self.level > 1:
            return {f"Section {self.number}", self.title}
        if self.appendix:
            return {f"Appendix {self.number}", f"Appendix {self.text}"}
        return {f"Chapter {self.number}", self.text}


@dataclass(frozen=True)
class Outline:
    """The headings and floats of a page by id, as their places number them."""

    name: str
    chapter: Heading | None
    headings: tuple[tuple[str, Heading], ...]
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Context:
    """What the pages of a book are checked against. Equal outlines make equal contexts."""

    manuscript: Manuscript
    outlines: tuple[Outline, ...]

    @cached_property
    def headings(self) -> dict[tuple[str, str], Heading]:
        """Each heading by page and id; a page's chapter has the id '' too."""
        found = {(o.name, id_): heading for o in self.outlines for id_, heading in o.headings}
        return found | {(o.name, ""): o.chapter for o in self.outlines if o.chapter}

    @cached_property
    def labels(self) -> dict[tuple[str, str], str]:
        """The label of each figure and table by page and id."""
        return {(o.name, id_): label for o in self.outlines for id_, label in o.labels}


@dataclass(frozen=True)
class _Placed:
    """A heading where it stands."""

    element: etree._Element
    ids: tuple[str, ...]
    heading: Heading


def context(manuscript: Manuscript, pages: Iterable[Page]) -> Context:
    """What the pages must say of themselves and of each other."""
    return Context(manuscript, tuple(_outline(page, manuscript) for page in pages))


def check_pages(context: Context, unlisted: Collection[str] = UNLISTED) -> list[Fault]:
    """The faults of a book whose pages are not those of its list of chapters."""
    there = {outline.name for outline in context.outlines}
    listed = context.manuscript.sources.keys()
    remedy = "render the whole book again"
    return [
        *(
            Fault("file", name, "no such page", "a page for each chapter of _quarto.yml", remedy)
            for name in listed
            if name not in there
        ),
        *(
            Fault("file", name, "a page that is no chapter", "the chapters of _quarto.yml", remedy)
            for name in sorted(there - listed - set(unlisted))
        ),
    ]


@lru_cache(maxsize=256)
def check(page: Page, context: Context) -> list[Fault]:
    """The faults of all that a page shows for the sake of order."""
    return list(_Check(page, context).faults())


class _Check:
    def __init__(self, page: Page, context: Context) -> None:
        self.page = page
        self.context = context
        self.manuscript = context.manuscript
        self.headings = _headings(page, self.manuscript)
        self.floats = _floats(page, self.manuscript)

    def faults(self) -> Iterator[Fault]:
        """All faults, by what they belong to."""
        yield from self._headings()
        yield from self._labels()
        yield from self._footnotes()
        yield from self._date_is_there()
        yield from self._empty_code()
        yield from self._claims()

    def _headings(self) -> Iterator[Fault]:
        for placed in self.headings:
            yield from self._unless(placed.element, _plain(placed.element), placed.heading.texts)
            for said in placed.element.xpath("(self::* | parent::section)/@data-number"):
                yield from self._unless(placed.element, str(said), {placed.heading.number})
        for title in _book_titles(self.page, self.headings):
            yield from self._unless(title, _plain(title), _words(self.manuscript.book.get("title")))

    def _labels(self) -> Iterator[Fault]:
        for element, _, label in self.floats:
            captions = element.xpath(
                ".//figcaption[contains(concat(' ', @class, ' '), ' quarto-float-caption ')]"
            )
            shown = normalise(captions[0].text or "") if captions else "no caption"
            if not shown.startswith(f"{label}:"):
                yield self._fault(element, shown, {f"{label}:"})

    def _footnotes(self) -> Iterator[Fault]:
        # By element and not by claim: a mark without its number shows no text to claim.
        marks = self.page.root.xpath("//*[contains(concat(' ', @class, ' '), ' footnote-ref ')]")
        for number, mark in enumerate(marks, start=1):
            yield from self._unless(mark, _plain(mark), {str(number)})
        for back in self.page.root.xpath("//*[contains(@class, 'footnote-back')]"):
            if numbers_in(_plain(back)):
                yield self._fault(back, _plain(back), {"no number in a link back"})

    def _empty_code(self) -> Iterator[Fault]:
        for element in self.page.root.iter("code"):
            if not content(element).strip():
                yield self._fault(element, "", {"a name"}, "write the name, or take the code out")

    def _date_is_there(self) -> Iterator[Fault]:
        first = next(iter(self.manuscript.sources), None)
        if self.page.name == first and self.manuscript.book.get("date"):
            dates = self.page.root.xpath("//p[contains(concat(' ', @class, ' '), ' date ')]")
            if len(dates) != 1:
                yield self._fault(self.page.root, f"{len(dates)} dates", self.manuscript.dates)

    def _claims(self) -> Iterator[Fault]:
        verify: dict[str, Callable[[etree._Element], Iterator[Fault]]] = {
            "heading": self._heading_number,
            "label": self._label,
            "reference": self._reference,
            "date": self._date,
            "code": self._code,
            "listing": self._listing,
            "symbol": self._symbol,
            "navigation": self._link,
            "title": self._title,
            "meta": self._meta,
        }
        seen: set[etree._Element] = set()
        for part in self.page.parts:
            if not isinstance(part, Block):
                continue
            for run in part.runs:
                if run.claim is None:
                    continue
                kind, element = run.claim.kind, run.claim.element
                if part.spoken:
                    yield from self._spoken(kind, element, run.text)
                elif kind == "navigation" and element.tag != "a":
                    if numbers_in(run.text):
                        yield self._fault(element, run.text, {"numbers in links only"})
                elif kind in verify and element not in seen:
                    seen.add(element)
                    yield from verify[kind](element)

    def _heading_number(self, element: etree._Element) -> Iterator[Fault]:
        # A number in a heading is checked with the heading.
        headings = {placed.element for placed in self.headings}
        if headings.isdisjoint(element.iterancestors()):
            yield self._fault(element, _plain(element), {"section numbers in headings only"})

    def _label(self, element: etree._Element) -> Iterator[Fault]:
        floats = {element for element, _, _ in self.floats}
        if floats.isdisjoint(element.iterancestors()):
            yield self._fault(element, _plain(element), {"the caption of a figure or a table"})

    def _reference(self, element: etree._Element) -> Iterator[Fault]:
        heading = self._heading_behind(element)
        label = self.context.labels.get(_target(self.page.name, element))
        allowed = heading.references if heading else {label} if label else set()
        yield from self._unless(
            element, _plain(element), allowed or {"a link to a heading, figure or table"}
        )

    def _link(self, element: etree._Element) -> Iterator[Fault]:
        shown = _ON_AND_BACK.sub("", _plain(element))
        heading = self._heading_behind(element)
        if heading and shown and (heading.title in shown or numbers_in(heading.title)):
            yield from self._unless(element, shown, {heading.text})
        elif numbers_in(shown):
            yield self._fault(element, shown, {"no number but that of the heading behind it"})

    def _spoken(self, kind: str, element: etree._Element, text: str) -> Iterator[Fault]:
        """An attribute may say what its link says; all else in it has no number."""
        heading = self._heading_behind(element) if kind == "navigation" else None
        allowed = {heading.title, heading.text} if heading else set()
        shown = _plain_text(text)
        if numbers_in(shown) or (heading and numbers_in(heading.title)):
            yield from self._unless(element, shown, allowed or {"no number in an attribute"})

    def _heading_behind(self, element: etree._Element) -> Heading | None:
        if element.get("href") is None:
            return None
        return self.context.headings.get(_target(self.page.name, element))

    def _date(self, element: etree._Element) -> Iterator[Fault]:
        yield from self._unless(element, _plain(element), self.manuscript.dates)

    def _code(self, element: etree._Element) -> Iterator[Fault]:
        shown = normalise(content(element))
        if shown not in self.manuscript.names and shown not in self.manuscript.code(self.page.name):
            yield self._fault(
                element,
                shown,
                {"a key of the ledger, a name of the data or a file, or code of the chapter"},
                "correct the name; words of the data are tagged .datum, not set as code",
            )

    def _listing(self, element: etree._Element) -> Iterator[Fault]:
        if content(element).strip("\n") not in self.manuscript.listings(self.page.name):
            yield self._fault(
                element, normalise(content(element)), {"a listing of the chapter's source"}
            )

    def _symbol(self, element: etree._Element) -> Iterator[Fault]:
        yield from self._unless(element, _plain(element), SYMBOLS)

    def _title(self, element: etree._Element) -> Iterator[Fault]:
        book = normalise(str(self.manuscript.book.get("title", "")))
        chapter = self.context.headings.get((self.page.name, ""))
        first = next(iter(self.manuscript.sources), None)
        if chapter is None or self.page.name == first:
            allowed = {book}
        else:
            allowed = {f"{text} {book}" for text in chapter.texts}
        yield from self._unless(element, _plain(element), allowed)

    def _meta(self, element: etree._Element) -> Iterator[Fault]:
        said = self.manuscript.descriptions
        name = (element.get("name") or element.get("property") or "").lower()
        shown = normalise(element.get("content", ""))
        if name in said:
            yield from self._unless(element, shown, said[name])
        elif numbers_in(shown):
            yield from self._unless(element, shown, set().union(*said.values()))

    def _unless(
        self, element: etree._Element, shown: str, allowed: Collection[str]
    ) -> Iterator[Fault]:
        if shown not in allowed:
            yield self._fault(element, shown, allowed)

    def _fault(
        self,
        element: etree._Element,
        shown: str,
        allowed: Collection[str],
        remedy: str = _RENDER,
    ) -> Fault:
        expected = " or ".join(sorted(f'"{text}"' for text in allowed))
        return Fault("structure", self.page.place(element), f'"{shown}"', expected, remedy)


def _outline(page: Page, manuscript: Manuscript) -> Outline:
    headings = _headings(page, manuscript)
    return Outline(
        page.name,
        next((placed.heading for placed in headings if placed.heading.level == 1), None),
        tuple((id_, placed.heading) for placed in headings for id_ in placed.ids),
        tuple((id_, label) for _, id_, label in _floats(page, manuscript)),
    )


@lru_cache(maxsize=256)
def _headings(page: Page, manuscript: Manuscript) -> tuple[_Placed, ...]:
    """The chapter's heading and those of its sections, with the numbers that are due to them."""
    main = page.root.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5]")
    elements = [element for element in main if not _is_aside(element)]
    chapter = min(
        (element for element in elements if element.tag == "h1"),
        key=lambda h1: "title" in classes(h1),
        default=None,
    )
    number = manuscript.numbers.get(page.name, "")
    appendix = page.name in manuscript.appendices
    counts: list[int] = []
    placed = []
    for element in elements:
        level = int(element.tag[1])
        if level == 1 and element is not chapter:
            continue
        own = number
        if level > 1:
            own = ""
            if number and not _is_unnumbered(element):
                counts = [*counts, *[0] * level][: level - 1]
                counts[-1] += 1
                own = ".".join([number, *map(str, counts)])
        title = _plain_text(_without_number(element))
        if appendix and level == 1:
            title = title.removeprefix(f"Appendix {number} ")
        # Links know a heading by its own id, its section's, or that of a part of it.
        ids = tuple(map(str, element.xpath("parent::section/@id | descendant-or-self::*/@id")))
        heading = Heading(level, own, title, appendix and level == 1)
        placed.append(_Placed(element, ids, heading))
    return tuple(placed)


@lru_cache(maxsize=256)
def _floats(page: Page, manuscript: Manuscript) -> tuple[tuple[etree._Element, str, str], ...]:
    """Figures and tables in order: element, id and label."""
    number = manuscript.numbers.get(page.name, "")
    counts = dict.fromkeys(FLOATS, 0)
    found = []
    for element in page.root.xpath(
        "//main//*[@id and contains(concat(' ', @class, ' '), ' quarto-float ')]"
    ):
        kind = element.get("id").partition("-")[0]
        if kind in counts:
            counts[kind] += 1
            place = f"{number}.{counts[kind]}" if number else f"{counts[kind]}"
            found.append((element, element.get("id"), f"{FLOATS[kind]} {place}"))
    return tuple(found)


def _book_titles(page: Page, headings: Iterable[_Placed]) -> list[etree._Element]:
    """Headings of the first level that are not the chapter's."""
    known = {placed.element for placed in headings}
    return [h1 for h1 in page.root.iter("h1") if h1 not in known]


def _is_aside(element: etree._Element) -> bool:
    return any(outer.tag == "nav" for outer in element.iterancestors())


def _is_unnumbered(element: etree._Element) -> bool:
    return any("unnumbered" in classes(e) for e in element.xpath("self::* | parent::section"))


def _without_number(element: etree._Element) -> str:
    """The text of a heading but for the spans that number it."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and not _NUMBER_CLASSES.intersection(classes(child)):
            parts.append(_without_number(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _plain(element: etree._Element) -> str:
    return _plain_text(content(element))


def _plain_text(text: str) -> str:
    """The text as it reads, without the dashes that set a number or a book's title apart."""
    return normalise(_DASH.sub(" ", f" {normalise(text)}"))


def _target(page: str, link: etree._Element) -> tuple[str, str]:
    """Page and id that a link leads to."""
    path, _, id_ = unquote(link.get("href") or "").partition("#")
    return (normpath(join(dirname(page), path)) if path else page), id_


def _settings(data: bytes) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise ValueError(f"_quarto.yml: {error}") from None
    if not isinstance(settings, dict):
        raise ValueError("_quarto.yml: found no settings; expected those of a book")
    return settings


def _listed(entries: Iterable[Any]) -> Iterator[str]:
    """The files of a list of chapters; a part of a book has a list of its own."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            yield from _listed(entry.get("chapters", ()))


def _page_name(path: str) -> str:
    return f"{path.rpartition('.')[0]}.html"


def _chapter_numbers(sources: Mapping[str, str], appendices: Collection[str]) -> dict[str, str]:
    """The number or letter of each page that has one."""
    numbered = [name for name, source in sources.items() if not _opens_unnumbered(source)]
    chapters = [name for name in numbered if name not in appendices]
    lettered = [name for name in numbered if name in appendices]
    return {
        **{name: str(place) for place, name in enumerate(chapters, start=1)},
        **{name: chr(ord("A") + place) for place, name in enumerate(lettered)},
    }


def _opens_unnumbered(source: str) -> bool:
    prose, _ = _parted(source)
    heading = next((line for line in prose.splitlines() if line.startswith("# ")), "")
    return _UNNUMBERED.match(heading) is not None


def _code_in(source: str) -> tuple[set[str], set[str]]:
    """The listings and the inline code of a chapter's source."""
    prose, listings = _parted(source)
    inline = {normalise(match[2]) for match in _CODE.finditer(prose)}
    return set(listings), {code for code in inline if not code.startswith("{")}


def _parted(source: str) -> tuple[str, list[str]]:
    """A source without its fenced blocks, and those blocks."""
    prose: list[str] = []
    blocks: list[list[str]] = []
    fence = ""
    for line in source.splitlines():
        opening = _FENCE.match(line)
        if fence:
            if opening and opening[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            else:
                blocks[-1].append(line)
        elif opening:
            fence = opening[1]
            blocks.append([])
        else:
            prose.append(line)
    return "\n".join(prose), ["\n".join(block) for block in blocks]


def _key_names(keys: Iterable[str]) -> Iterator[str]:
    """Keys, what they begin with up to a dot, and their last parts."""
    for key in keys:
        *parts, last = key.split(".")
        yield from (key, last)
        for start in accumulate(parts, lambda start, part: f"{start}.{part}"):
            yield from (start, f"{start}.")


def _names_of(files: Mapping[str, bytes]) -> Iterator[str]:
    """Names of files, folders and tables, of their columns and of the values that these allow."""
    for path in files:
        yield from (path, basename(path), f"{dirname(path)}/", dirname(path))
    package = json.loads(files.get("data/datapackage.json", b"{}"))
    for resource in package.get("resources", ()):
        yield resource["name"]
        for field in resource.get("schema", {}).get("fields", ()):
            yield field["name"]
            yield from map(str, field.get("constraints", {}).get("enum", ()))
            yield from field.get("valueDescriptions", ())


def _words(said: Any) -> set[str]:
    """A setting, or each of a list of them, as it reads."""
    return {normalise(str(word)) for word in (said if isinstance(said, list) else [said]) if word}
