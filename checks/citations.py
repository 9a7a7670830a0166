"""Citations and bibliography against references.bib.

What an entry of the bibliography prints is fixed by the book's citation style: authors, title,
journal, year, volume, pages (a range without the digits that do not change) and DOI.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from posixpath import dirname, join, normpath
from string import ascii_lowercase
from urllib.parse import unquote

from bibtexparser.entrypoint import parse_string
from lxml import etree

from checks.faults import Fault
from checks.html import Block, Page, content
from checks.text import clean, normalise, numbers_in

_ENTRY = "ref-"
_DOI = "https://doi.org/"
_PUBMED = "https://www.ncbi.nlm.nih.gov/pubmed/"
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
_REMEDY = "correct data/references.bib or the citation, then render the book again"


@dataclass(frozen=True, eq=False)
class Work:
    """An entry of references.bib, its fields as they read."""

    key: str
    fields: Mapping[str, str]

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Family names of the authors as a citation shows them: one, both, or the first of more."""
        names = self.fields.get("author", "").split(" and ")
        families = tuple(_family(name) for name in names)
        return families if len(families) < 3 and families[-1] != "others" else families[:1]

    @property
    def year(self) -> str:
        """Year of publication."""
        return self.fields.get("year", "")

    @cached_property
    def links(self) -> set[str]:
        """Where the entry may lead."""
        doi, pmid = self.fields.get("doi"), self.fields.get("pmid")
        found = {self.fields.get("url"), doi and f"{_DOI}{doi}", pmid and f"{_PUBMED}{pmid}"}
        return {link for link in found if link}


class Works:
    """All entries of references.bib by key."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError where an entry cannot be read."""
        # The parser also logs what it returns.
        logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
        library = parse_string(data.decode("utf-8-sig"))
        if library.failed_blocks:
            line = (library.failed_blocks[0].start_line or 0) + 1
            raise ValueError(f"data/references.bib: line {line} has an entry that cannot be read")
        self.by_key = {
            entry.key: Work(entry.key, {f.key.lower(): _plain(str(f.value)) for f in entry.fields})
            for entry in library.entries
        }


@dataclass(frozen=True)
class _Cited:
    """What a page cites, and the entries that it lists, each with the letter after its year."""

    name: str
    keys: frozenset[str]
    listed: tuple[tuple[str, str], ...]
    hidden: bool


@dataclass(frozen=True)
class Bibliography:
    """The works and what each page cites and lists. Equal pages make equal bibliographies."""

    works: Works
    cited: tuple[_Cited, ...]

    @cached_property
    def keys(self) -> set[str]:
        """All works that are cited."""
        return {key for page in self.cited for key in page.keys}

    @cached_property
    def entries(self) -> set[tuple[str, str]]:
        """Page and key of each entry."""
        return {(page.name, key) for page in self.cited for key, _ in page.listed}

    @cached_property
    def alike(self) -> list[dict[str, str]]:
        """Works of one year whose authors read the same: the letter of each in the list."""
        groups: dict[tuple[tuple[str, ...], str], dict[str, str]] = defaultdict(dict)
        for page in self.cited:
            for key, letter in page.listed if not page.hidden else ():
                if work := self.works.by_key.get(key):
                    groups[work.families, work.year][key] = letter
        return [group for group in groups.values() if len(group) > 1]


def bibliography(works: Works, pages: Iterable[Page]) -> Bibliography:
    """What the citations of a book are checked against."""
    return Bibliography(works, tuple(_cited(page, works) for page in pages))


def check_list(bibliography: Bibliography) -> list[Fault]:
    """The faults of a book whose list of references is not there."""
    if bibliography.keys and all(page.hidden or not page.listed for page in bibliography.cited):
        expected = f"a list of {len(bibliography.keys)} works"
        return [Fault("citation", "book", "no list of references", expected, _REMEDY)]
    return []


@lru_cache(maxsize=256)
def check(page: Page, bibliography: Bibliography) -> list[Fault]:
    """The faults of a page's citations and of the entries that it lists."""
    return list(_Check(page, bibliography).faults())


class _Check:
    def __init__(self, page: Page, bibliography: Bibliography) -> None:
        self.page = page
        self.works = bibliography.works.by_key
        self.bibliography = bibliography
        self.cited = _cited(page, bibliography.works)
        self.listed = [key for key, _ in self.cited.listed]
        # A page that is rendered by itself gives letters only where it cites works alike.
        self.letters: dict[str, set[str]] = defaultdict(lambda: {""})
        for group in bibliography.alike:
            alone = {""} if len(group.keys() & self.cited.keys) < 2 else set()
            self.letters |= {key: {letter} | alone for key, letter in group.items()}

    def faults(self) -> Iterator[Fault]:
        """All faults: of the list, then in reading order."""
        yield from self._list()
        verify = {"citation": self._citation, "bibliography": self._entry}
        seen = set()
        for part in self.page.parts:
            if not isinstance(part, Block):
                continue
            for run in part.runs:
                if run.claim is None or run.claim.kind not in verify:
                    continue
                element = run.claim.element
                if part.spoken and numbers_in(run.text):
                    yield self._fault(element, run.text, "no number in an attribute")
                if element not in seen:
                    seen.add(element)
                    yield from verify[run.claim.kind](element)

    def _list(self) -> Iterator[Fault]:
        listed = self.listed
        if not listed:
            return
        due = self.cited.keys if self.cited.hidden else self.bibliography.keys
        place = f"{self.page.name} references"
        for key in sorted(due - set(listed)):
            yield Fault("citation", place, f"no entry {key}", "one for each work cited", _REMEDY)
        for key in sorted({key for key in listed if key not in due or listed.count(key) > 1}):
            yield Fault("citation", place, f"an entry {key}", "works that are cited, once", _REMEDY)
        if not self.cited.hidden:
            for group in self.bibliography.alike:
                letters = ascii_lowercase[: len(group)]
                if sorted(group.values()) != list(letters):
                    found = f"letters {list(group.values())} of {', '.join(group)}"
                    yield Fault("citation", place, found, f"{letters}, each once", _REMEDY)

    def _citation(self, element: etree._Element) -> Iterator[Fault]:
        due = (element.get("data-cites") or "").split()
        shown: list[str] = []
        names = ""
        for text, link in _by_link(element):
            if link is None:
                if _numbered(text):
                    yield self._fault(element, text, "years in links to the references only")
                continue
            target, _, id_ = unquote(link.get("href") or "").partition("#")
            key = id_.removeprefix(_ENTRY)
            shown.append(key)
            page = normpath(join(dirname(self.page.name), target)) if target else self.page.name
            work = self.works.get(key)
            if work is None or key not in due or (page, key) not in self.bibliography.entries:
                yield self._fault(link, f"a link to {id_}", f"an entry of {', '.join(due)}")
                continue
            # Several works of the same authors share their names: (Kuter et al., 2008a, 2008b).
            before, year = _year_apart(text, work.year)
            names = before if any(map(str.isalpha, before)) else names
            if year is None or _numbered(before):
                yield self._fault(link, text, f"{work.year} of {key}")
            elif year not in self.letters[key]:
                letters = " or ".join(sorted(work.year + letter for letter in self.letters[key]))
                yield self._fault(link, f"{work.year}{year}", f"{letters} of {key}")
            elif not all(family in names.casefold() for family in work.families):
                yield self._fault(link, names, f"{' and '.join(work.families)} of {key}")
        if sorted(shown) != sorted(due):
            yield self._fault(element, f"links to {shown}", f"one to each of {due}")

    def _entry(self, element: etree._Element) -> Iterator[Fault]:
        key = (element.get("id") or "").removeprefix(_ENTRY)
        work = self.works.get(key)
        if work is None:
            yield self._fault(element, f"an entry {key}", "an entry of data/references.bib")
            return
        text = _plain(content(element))
        for name, options in _printed(work, self.letters[key]):
            rest = next((r for option in options if (r := _without(text, option))), None)
            if rest is None:
                yield self._fault(element, text, f"{name} {' or '.join(sorted(options))} of {key}")
                return
            text = rest
        if _numbered(text):
            yield self._fault(element, text, f"no number that is not in the entry {key}")
        for link in element.iter("a"):
            href = unquote(link.get("href") or "").casefold()
            words = _plain(content(link))
            if href not in work.links or (words.startswith("http") and words != href):
                yield self._fault(link, f"{words} leading to {href}", " or ".join(work.links))

    def _fault(self, element: etree._Element, found: str, expected: str) -> Fault:
        return Fault("citation", self.page.place(element), f'"{found}"', expected, _REMEDY)


@lru_cache(maxsize=256)
def _cited(page: Page, works: Works) -> _Cited:
    cites = page.root.xpath("//*[contains(concat(' ', @class, ' '), ' citation ')]/@data-cites")
    entries = page.root.xpath("//*[contains(concat(' ', @class, ' '), ' csl-entry ')]")
    listed = []
    for entry in entries:
        key = (entry.get("id") or "").removeprefix(_ENTRY)
        year = works.by_key[key].year if key in works.by_key else ""
        letter = re.search(rf"(?<!\w){year}([a-z])(?!\w)", _plain(content(entry)))
        listed.append((key, letter[1] if year and letter else ""))
    return _Cited(
        page.name,
        frozenset(key for keys in cites for key in keys.split()),
        tuple(listed),
        any("display:none" in _style(outer) for e in entries[:1] for outer in e.iterancestors()),
    )


@lru_cache(maxsize=4096)
def _numbered(text: str) -> bool:
    """Whether a text has a number; citations of a work read the same again and again."""
    return bool(numbers_in(text))


def _style(element: etree._Element) -> str:
    return (element.get("style") or "").replace(" ", "")


def _by_link(element: etree._Element) -> Iterator[tuple[str, etree._Element | None]]:
    """The text of a citation up to the end of each link, and what is left."""
    before = element.text or ""
    for child in element:
        if child.tag == "a":
            yield normalise(before + content(child)), child
            before = ""
        else:
            before += content(child)
        before += child.tail or ""
    yield normalise(before), None


def _year_apart(text: str, year: str) -> tuple[str, str | None]:
    """What stands before the year at the end of a text, and the letter after it, None without."""
    match = re.fullmatch(rf"(.*?)(?<!\d){re.escape(year)}([a-z]?)\W*", text, re.DOTALL)
    return (match[1], match[2]) if match else (text, None)


def _printed(work: Work, letters: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    """What the style prints of a work, longest first, each in the ways in which it may stand.

    Longest first, so that the year in a DOI is not taken for the year of the work.
    """
    fields = work.fields
    if doi := fields.get("doi"):
        yield "DOI", {f"{_DOI}{doi}".casefold()}
    if title := fields.get("title"):
        yield "title", {title.casefold()}
    for number in numbers_in(fields.get("journal", "")):
        yield "journal", {number.text}
    if pages := fields.get("pages"):
        yield "pages", {_abbreviated(pages)}
    if work.year:
        yield "year", {work.year + letter for letter in letters}
    if volume := fields.get("volume"):
        yield "volume", {volume.casefold()}


def _abbreviated(pages: str) -> str:
    """A range of pages without the digits of the last page that are those of the first."""
    first, dash, last = pages.partition("-")
    if not dash or len(first) != len(last):
        return pages
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=True))))
    return f"{first}-{last[same:]}"


def _without(text: str, part: str) -> str | None:
    """A text but for a part of it around which no letter or digit goes on; None without it."""
    start = text.find(part)
    while start >= 0:
        before, after = text[:start], text[start + len(part) :]
        if not (before[-1:].isalnum() or after[:1].isalnum()):
            return f"{before} {after}"
        start = text.find(part, start + 1)
    return None


def _plain(text: str) -> str:
    """A text without the marks of BibTeX, with one kind of dash and quotation mark, in small."""
    text = re.sub(r"[{}\\]", "", clean(text)).translate(_QUOTES)
    return normalise(re.sub("[\u2013-]+", "-", text)).casefold()


def _family(name: str) -> str:
    family, comma, _ = name.partition(",")
    return (family if comma else name.rpartition(" ")[2] or name).strip()
