"""The printed book read by its tagged structure, and held against the pages of the book."""

from __future__ import annotations

import ctypes
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from pypdfium2 import PdfDocument, PdfiumError, PdfPage, PdfTextPage
from pypdfium2 import raw as pdfium

from checks.faults import Fault
from checks.leftovers import leftovers_in
from checks.shown import Chapter, Shown
from checks.text import around, clean, normalise, number_words, numbers_in, numerals

# Structure types that stand within a line of text; all others begin a new block.
_INLINE = frozenset({"Code", "Em", "Formula", "Link", "Quote", "Reference", "Span", "Strong"})
_UNBROKEN = frozenset({"Code", "Link"})  # addresses and file names: a line may end anywhere in them
_HEADINGS = ("H1", "H2", "H3", "H4", "H5", "H6")
_SECTION_NUMBER = re.compile(
    r"(?:(?:Chapter|Appendix) )?(?:\d+|[A-Z])(?:\.\d+)*[.:]?(?: [\u2014\u2013-])? "
)
_LINE_END_HYPHEN = 2  # what PDFium makes of a hyphen between a letter and a new line, hard or soft
_LAST_WORD, _FIRST_WORD = re.compile(r"[^\W\d]+$"), re.compile(r"^[^\W\d]+")
_BREAKABLE = ("-", "/", "\u2010", "\u2013", "\u2014")  # a line may end here without a space
# In heights of the type: a wider gap is a space, a much wider one parts two texts of one line,
# a deeper step is a new line, and so is a step back.
_SPACE, _APART, _STEP, _BACK = 0.12, 1.0, 0.6, 0.3
_HYPHEN_HEIGHT = 0.3  # of the font size; a hyphen is lower, a digit higher
_AGAIN = "render the book again"


@dataclass(frozen=True, eq=False)
class Printed:
    """The printed book: the numbers of its chapters, and what stands around them.

    front: the numbers of the title page; furniture: how many numbers are page numbers, running
    heads, repeated heads of tables, labels of lists or stand in the contents; faults: what can be
    seen to be wrong without the pages.
    """

    name: str
    pages: int
    front: tuple[Shown, ...]
    chapters: tuple[Chapter, ...]
    furniture: int
    faults: tuple[Fault, ...]


def read(content: bytes, name: str) -> Printed:
    """Read a tagged PDF; name is what messages call it.

    Raises ValueError for what is no PDF, is not whole, or has no tagged structure.
    """
    # PDFium mends some files that were cut off, in silence; their last pages are then missing.
    if content.startswith(b"%PDF-") and b"%%EOF" not in content[-1024:]:
        raise ValueError("it has no end: the file was cut off")
    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        raise ValueError(f"it is no PDF that can be read: {error}") from error
    faults: list[Fault] = []
    root, loose = _Element("Root", 1), list[_Run]()
    with document:
        pages = len(document)
        for number, page in enumerate(document, start=1):
            textpage = page.get_textpage()
            faults += leftovers_in(textpage.get_text_bounded(), _place(name, number))
            tagged = _read_objects(page, textpage, number)
            faults += _check_disguises(chain.from_iterable(tagged.values()), name)
            _read_structure(page, number, root, tagged)
            loose += chain.from_iterable(tagged.values())
            faults += _check_annotations(page, _place(name, number))
        faults += _check_viewer(document, _titles(root), name)
    if not root.children:
        raise ValueError("it has no tagged structure, so it cannot be read in its logical order")
    titles = _titles(root)
    furniture = 0
    for count, found in (
        _check_contents(root, titles, name),
        _check_labels(root, name),
        _check_loose(loose, root, titles, name),
    ):
        furniture += count
        faults += found
    front, *drafts = _drafts(root, name)
    for draft in drafts:
        faults += leftovers_in(draft.spoken.read(), f'{name} alternative texts, "{draft.title}"')
    chapters = tuple(draft.chapter() for draft in drafts if not draft.is_divider())
    return Printed(name, pages, front.prose.numbers(), chapters, furniture, tuple(faults))


# Comparison with the pages


def check(printed: Printed, pages: Iterable[Chapter]) -> list[Fault]:
    """Compare each chapter in print with its page, found by its title, number by number."""
    faults: list[Fault] = []
    left = list(printed.chapters)
    for page in pages:
        chapter = next((one for one in left if _bare(one.title) == _bare(page.title)), None)
        if chapter is None:
            expected = f'the chapter "{page.title}", as on the pages'
            faults.append(Fault("print", printed.name, "no such chapter", expected, _AGAIN))
        else:
            left.remove(chapter)
            faults += _differences(printed.name, chapter, page)
    for chapter in left:
        found = f'a chapter "{chapter.title}"'
        faults.append(Fault("print", printed.name, found, "the chapters of the pages", _AGAIN))
    return faults


@lru_cache(maxsize=1024)  # by identity: what one change leaves as it was is not compared again
def _differences(name: str, printed: Chapter, page: Chapter) -> tuple[Fault, ...]:
    return (
        *_differing(name, f'"{printed.title}", text', printed.prose, page.prose),
        *_differing(name, f'"{printed.title}", alternative text', printed.spoken, page.spoken),
        *_differing(name, f'"{printed.title}", figure', printed.drawn, page.drawn),
    )


def _differing(
    name: str, part: str, printed: Sequence[Shown], page: Sequence[Shown]
) -> Iterator[Fault]:
    """One fault for each stretch where the numbers in print and on the page differ."""
    ours, theirs = [shown.text for shown in printed], [shown.text for shown in page]
    if ours == theirs:
        return
    # What is the same at both ends need not be aligned: thousands of numbers, often alike.
    start = _common(ours, theirs)
    tail = _common(ours[start:][::-1], theirs[start:][::-1])
    end, last = len(ours) - tail, len(theirs) - tail
    matcher = SequenceMatcher(None, ours[start:end], theirs[start:last], autojunk=False)
    for kind, here, until, there, thither in matcher.get_opcodes():
        if kind == "equal":
            continue
        found = printed[start + here : start + until]
        wanted = page[start + there : start + thither]
        side, near = ("before", printed[start + here :][:1])
        if not near:
            side, near = ("after", printed[-1:])
        yield Fault(
            "print",
            f"{near[0].place if near else name}, {part}",
            _quoted(found) or f"nothing {side} {_quoted(near) or 'the title'}",
            f"{_quoted(wanted) or 'none'}, as on the page",
            _AGAIN,
        )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items two sequences share from their start."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _quoted(numbers: Sequence[Shown]) -> str:
    """Numbers for a message, with the words around the first."""
    if not numbers:
        return ""
    listed = ", ".join(shown.text for shown in numbers[:5])
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return f'{listed}{more} in "{numbers[0].words}"'


def _bare(title: str) -> str:
    """The letters of a title without its section number, which each format sets in its way."""
    return _letters(_SECTION_NUMBER.sub("", normalise(title), count=1))


# Structure and text


@dataclass(frozen=True)
class _Run:
    """One text object: what it reads, its page, and where its line runs (points).

    broken: a hyphen follows that ends the line; disguised: it may be drawn as another number than
    it reads.
    """

    text: str
    page: int
    left: float
    right: float
    baseline: float
    height: float
    broken: bool
    disguised: bool


@dataclass
class _Element:
    """An element of the structure, on all its pages; page is the first.

    A page lists only what stands on it, but gives each child its index among all children; so the
    index joins what goes on over pages: a paragraph, a table, a row, a cell.
    """

    kind: str
    page: int
    alt: str = ""
    children: dict[int, _Element | list[_Run]] = field(default_factory=dict)

    @cached_property  # asked for when all pages are read
    def parts(self) -> list[_Element | list[_Run]]:
        """The children in reading order: a caption after what it describes."""
        children = [self.children[index] for index in sorted(self.children)]
        return sorted(
            children, key=lambda child: isinstance(child, _Element) and child.kind == "Caption"
        )

    def elements(self, *kinds: str) -> Iterator[_Element]:
        """The elements of some kinds below this one, in order."""
        for part in self.parts:
            if isinstance(part, _Element):
                if part.kind in kinds:
                    yield part
                yield from part.elements(*kinds)

    def runs(self) -> list[_Run]:
        """The text objects below this element, in order."""
        return [
            run
            for part in self.parts
            for run in (part.runs() if isinstance(part, _Element) else part)
        ]


def _read_structure(
    page: PdfPage, number: int, root: _Element, tagged: dict[int, list[_Run]]
) -> None:
    """Add a page to the structure; what it takes from tagged is part of the structure."""
    tree = pdfium.FPDF_StructTree_GetForPage(page)
    for index in range(pdfium.FPDF_StructTree_CountChildren(tree)):
        handle = pdfium.FPDF_StructTree_GetChildAtIndex(tree, index)
        if handle:
            _read_element(handle, index, number, root, tagged)
    pdfium.FPDF_StructTree_Close(tree)


def _read_element(
    handle: Any, place: int, page: int, parent: _Element, tagged: dict[int, list[_Run]]
) -> None:
    element = parent.children.get(place)
    if not isinstance(element, _Element):
        kind = _string(pdfium.FPDF_StructElement_GetType, handle)
        alt = _string(pdfium.FPDF_StructElement_GetAltText, handle)
        element = parent.children[place] = _Element(kind, page, alt)
    for index in range(pdfium.FPDF_StructElement_CountChildren(handle)):
        content = pdfium.FPDF_StructElement_GetChildMarkedContentID(handle, index)
        if content != -1:
            element.children[index] = tagged.pop(content, [])
            continue
        child = pdfium.FPDF_StructElement_GetChildAtIndex(handle, index)
        if child:
            _read_element(child, index, page, element, tagged)


def _string(function: Any, handle: Any) -> str:
    size = function(handle, None, 0)
    if not size:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(handle, buffer, size)
    return buffer.raw.decode("utf-16-le").rstrip("\0")


def _read_objects(page: PdfPage, textpage: PdfTextPage, number: int) -> dict[int, list[_Run]]:
    """The text objects of a page by marked-content id (-1: none), in the order of drawing."""
    characters = _read_characters(textpage)
    tagged: dict[int, list[_Run]] = defaultdict(list)
    for handle, owner in _objects(
        page.raw, pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject, owner=-1
    ):
        read = characters.get(ctypes.addressof(handle.contents))
        if read:
            tagged[owner].append(_run(handle, textpage.raw, read, number))
    return tagged


def _objects(container: Any, count: Any, get: Any, owner: int) -> Iterator[tuple[Any, int]]:
    """Text objects and the marked-content id they belong to; those of a form to the form's."""
    for index in range(count(container)):
        handle = get(container, index)
        own = pdfium.FPDFPageObj_GetMarkedContentID(handle)
        belongs = owner if own == -1 else own
        kind = pdfium.FPDFPageObj_GetType(handle)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            yield handle, belongs
        elif kind == pdfium.FPDF_PAGEOBJ_FORM:
            yield from _objects(
                handle, pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject, belongs
            )


@dataclass
class _Characters:
    """The characters of a text object: their codes, and the indices of the first and the last."""

    first: int
    last: int
    codes: list[int]


def _read_characters(textpage: PdfTextPage) -> dict[int, _Characters]:
    """The characters of each text object of a page, by the object's address."""
    found: dict[int, _Characters] = {}
    raw = textpage.raw
    for index in range(textpage.count_chars()):
        handle = pdfium.FPDFText_GetTextObject(raw, index)
        if not handle:  # a space or line end that PDFium adds
            continue
        code = pdfium.FPDFText_GetUnicode(raw, index)
        address = ctypes.addressof(handle.contents)
        characters = found.get(address)
        if characters is None:
            found[address] = _Characters(index, index, [code])
        else:
            characters.last = index
            characters.codes.append(code)
    return found


def _run(handle: Any, textpage: Any, read: _Characters, page: int) -> _Run:
    is_broken = read.codes[-1] == _LINE_END_HYPHEN
    text = "".join([chr(code) for code in read.codes if code != _LINE_END_HYPHEN])
    first = last = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(textpage, read.first, first)
    if read.last != read.first:
        last = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(textpage, read.last, last)
    x, baseline = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, read.first, x, baseline)
    return _Run(
        text,
        page,
        first.left,
        last.right,
        baseline.value,
        first.top - first.bottom,
        is_broken,
        _has_replacement(handle) and _is_disguise(handle, text),
    )


def _has_replacement(handle: Any) -> bool:
    """Whether a text object carries a text to be read in place of what is drawn (ActualText)."""
    size = ctypes.c_ulong()
    return any(
        pdfium.FPDFPageObjMark_GetParamStringValue(
            pdfium.FPDFPageObj_GetMark(handle, index), b"ActualText", None, 0, size
        )
        for index in range(pdfium.FPDFPageObj_CountMarks(handle))
    )


def _is_disguise(handle: Any, text: str) -> bool:
    """Whether what is drawn under a replaced text may be a number; PDFium tells its size only."""
    if any(map(str.isnumeric, text)):
        return True
    if any(map(str.isalpha, text)):
        return False
    left, bottom, right, top, size = (ctypes.c_float() for _ in range(5))
    pdfium.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    pdfium.FPDFTextObj_GetFontSize(handle, size)
    return top.value - bottom.value > _HYPHEN_HEIGHT * size.value


class _Text:
    """A text put together from text objects; it knows the page of each of its characters."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._pages: list[int] = []
        self._length = 0
        self._last: _Run | None = None
        self._element: _Element | None = None

    def write(self, run: _Run, element: _Element | None = None) -> None:
        """Add a text object of an element to the block at hand."""
        if self._last is not None:
            self._put(self._between(self._last, run, element), run.page)
        self._put(run.text, run.page)
        self._last, self._element = run, element

    def end_block(self) -> None:
        """Part what follows from what stands."""
        if self._last is not None:
            self._put("\n", self._last.page)
            self._last = None

    def say(self, text: str, page: int) -> None:
        """Add a block that is not drawn."""
        self._put(f"{text}\n", page)

    def read(self) -> str:
        """The whole text, cleaned."""
        return "".join(self._pieces)

    def numbers(self) -> tuple[Shown, ...]:
        """Every number of the text, in order."""
        text = self.read()
        return tuple(
            Shown(
                number.text,
                _place(self._name, self._pages[bisect_right(self._starts, number.start) - 1]),
                around(text, number.start, number.end),
            )
            for number in numbers_in(text)
        )

    def _between(self, before: _Run, after: _Run, element: _Element | None) -> str:
        """What parts two text objects of a block: nothing, a space, or a hyphen."""
        written = self._pieces[-1] if self._pieces else ""
        if before.broken:
            # Whether the hyphen belongs to the word is not told; it does not to seven-teen.
            word = "".join(_LAST_WORD.findall(written) + _FIRST_WORD.findall(after.text))
            return "" if number_words(word) else "-"
        if written[-1:].isspace() or after.text[:1].isspace():
            return ""
        if _same_line(before, after, float("inf")):
            return "" if _same_line(before, after, _SPACE) else " "
        if element is not None and element is self._element and element.kind in _UNBROKEN:
            return ""
        return "" if written.endswith(_BREAKABLE) else " "

    def _put(self, text: str, page: int) -> None:
        cleaned = clean(text)
        if cleaned:
            self._pieces.append(cleaned)
            self._starts.append(self._length)
            self._pages.append(page)
            self._length += len(cleaned)


def _same_line(before: _Run, after: _Run, reach: float) -> bool:
    """Whether a text object goes on in the line of another, at most reach (heights) after it."""
    height = max(before.height, after.height)
    return (
        before.page == after.page
        and abs(after.baseline - before.baseline) < _STEP * height
        and -_BACK * height < after.left - before.right < reach * height
    )


def _join(runs: Iterable[_Run]) -> str:
    text = _Text("")
    for run in runs:
        text.write(run)
    return text.read()


# Chapters


@dataclass(frozen=True)
class _Draft:
    """A chapter while it is read."""

    title: str
    prose: _Text
    spoken: _Text
    drawn: _Text

    @classmethod
    def begin(cls, title: str, name: str) -> _Draft:
        return cls(title, _Text(name), _Text(name), _Text(name))

    def is_divider(self) -> bool:
        """Whether it is but a heading, as over the contents and before the appendices."""
        return normalise(self.prose.read()) == self.title and not self.spoken.read()

    def chapter(self) -> Chapter:
        return Chapter(
            self.title, self.prose.numbers(), self.spoken.numbers(), self.drawn.numbers()
        )


def _drafts(root: _Element, name: str) -> list[_Draft]:
    """What stands before the first chapter, then the chapters; each begins with an H1."""
    drafts = [_Draft.begin("", name)]
    for part in root.parts:
        if isinstance(part, _Element):
            _write(part, drafts, name)
    return drafts


def _write(element: _Element, drafts: list[_Draft], name: str) -> None:
    if element.kind == "TOC":
        return
    if element.kind == "H1":
        drafts.append(_Draft.begin(normalise(_join(element.runs())), name))
    draft = drafts[-1]
    if element.kind == "Figure":
        draft.spoken.say(element.alt, element.page)
        for run in element.runs():
            draft.drawn.write(run)
        draft.drawn.end_block()
        return
    is_block = element.kind not in _INLINE
    if is_block:
        draft.prose.end_block()
    for part in element.parts:
        if isinstance(part, list):
            for run in part:
                drafts[-1].prose.write(run, element)
        elif (element.kind, part.kind) != ("LI", "Lbl"):
            _write(part, drafts, name)
    if is_block:
        drafts[-1].prose.end_block()


# What is not compared with the pages

_Key = tuple[tuple[str, ...], str]  # the numbers and the letters of a text
_Titles = set[tuple[tuple[str, ...], str, int]]  # the same of a heading, and its page


def _titles(root: _Element) -> _Titles:
    """Numbers, letters and page of every heading."""
    return {(*_key(_join(heading.runs())), heading.page) for heading in root.elements(*_HEADINGS)}


def _check_contents(root: _Element, titles: _Titles, name: str) -> tuple[int, list[Fault]]:
    """Check that each line of the contents is a heading and the page on which it stands."""
    count, faults = 0, list[Fault]()
    for entry in root.elements("TOCI"):
        text = _join(entry.runs())
        numbers, letters = _key(text)
        count += len(numbers)
        *own, page = numbers or ("",)
        if not page.isdigit() or (tuple(own), letters, int(page)) not in titles:
            faults.append(
                Fault(
                    "print",
                    f"{_place(name, entry.page)}, contents",
                    f'"{normalise(text)}"',
                    "a heading of the book and the page on which it stands",
                    _AGAIN,
                )
            )
    return count, faults


def _check_viewer(document: PdfDocument, titles: _Titles, name: str) -> Iterator[Fault]:
    """Check what a viewer tells beside the pages: bookmarks, page labels, the document's title."""
    for bookmark in document.get_toc():
        text, target = bookmark.get_title(), bookmark.get_dest()
        index = target.get_index() if target else None
        if index is None or (*_key(text), index + 1) not in titles:
            wanted = "a heading of the book and the page on which it stands"
            yield Fault("print", f"{name}, bookmarks", f'"{normalise(text)}"', wanted, _AGAIN)
    for index in range(len(document)):
        label, number = document.get_page_label(index), str(index + 1)
        if label not in ("", number):
            place = f"{_place(name, index + 1)}, label of the page"
            yield Fault("print", place, f'"{label}"', number, _AGAIN)
    told = document.get_metadata_dict()
    for field_name in ("Title", "Author", "Subject", "Keywords"):
        if numbers_in(clean(told.get(field_name, ""))):
            found, wanted = f'"{normalise(told[field_name])}"', "words without a number"
            yield Fault("print", f"{name}, {field_name}", found, wanted, _AGAIN)


def _check_annotations(page: PdfPage, place: str) -> Iterator[Fault]:
    """Notes, stamps and form fields are shown, and their text belongs to no structure."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        pdfium.FPDFPage_CloseAnnot(annotation)
        if kind != pdfium.FPDF_ANNOT_LINK:
            found = f"an annotation of type {kind}"
            yield Fault("print", place, found, "links alone", _AGAIN)


def _check_labels(root: _Element, name: str) -> tuple[int, list[Fault]]:
    """Check that the numbers of a list count up, from 1 or from where the list before it ended."""
    count, faults, last = 0, list[Fault](), 0
    for listing in root.elements("L"):
        labels = [
            number.text
            for item in listing.parts
            if isinstance(item, _Element)
            for label in item.parts
            if isinstance(label, _Element) and label.kind == "Lbl"
            for number in numerals(_join(label.runs()))
        ]
        count += len(labels)
        counted = {start: [str(start + at) for at in range(len(labels))] for start in (1, last + 1)}
        if labels in counted.values():
            last = int(labels[-1]) if labels else last
        else:
            faults.append(
                Fault(
                    "print",
                    f"{_place(name, listing.page)}, a list",
                    f"the labels {', '.join(labels)}",
                    f"labels that count up from 1, or from {last + 1}",
                    _AGAIN,
                )
            )
    return count, faults


def _check_loose(
    loose: Sequence[_Run],
    root: _Element,
    titles: _Titles,
    name: str,
) -> tuple[int, list[Fault]]:
    """Check what is in no element: a page's own number, a heading of the book, a table's head."""
    headings = _running_heads(root)
    heads = _table_heads(root)
    count, faults = 0, list[Fault]()
    for piece in _pieces(loose):
        text, page = normalise(_join(piece)), piece[0].page
        numbers = numbers_in(text)
        if not numbers:
            continue
        own, letters = _key(text)
        if (
            text == str(page)
            or any(own == of and letters.endswith(title) for of, title in headings)
            or any(f" {text} " in f" {head} " for head in heads[page])
        ):
            count += len(numbers)
            continue
        faults.append(
            Fault(
                "print",
                _place(name, page),
                f'"{text}" outside the text',
                "the number of the page, a heading of the book or the head of a table going on",
                _AGAIN,
            )
        )
    return count, faults


def _running_heads(root: _Element) -> set[_Key]:
    """What may stand over a page: numbers and letters of a heading.

    Over a chapter without a number Quarto's template sets the last number that it gave.
    """
    heads, last = set(), tuple[str, ...]()
    for heading in root.elements(*_HEADINGS):
        numbers, letters = _key(_join(heading.runs()))
        heads.add((numbers, letters))
        if heading.kind == "H1":
            last = numbers or last
            heads.add((numbers or last, letters))
    return heads


def _table_heads(root: _Element) -> dict[int, set[str]]:
    """The texts of the heads of the tables on each page, cell after cell."""
    heads: dict[int, set[str]] = defaultdict(set)
    for table in root.elements("Table"):
        texts = {
            normalise(" ".join(_join(cell.runs()) for cell in head.elements("TH", "TD")))
            for head in table.elements("THead")
        }
        for page in {run.page for run in table.runs()}:
            heads[page] |= texts
    return heads


def _pieces(runs: Iterable[_Run]) -> Iterator[list[_Run]]:
    """Text objects that follow one another in a line."""
    piece: list[_Run] = []
    for run in runs:
        if piece and not _same_line(piece[-1], run, _APART):
            yield piece
            piece = []
        piece.append(run)
    if piece:
        yield piece


def _check_disguises(runs: Iterable[_Run], name: str) -> list[Fault]:
    return [
        Fault(
            "print",
            _place(name, run.page),
            f'a replacement text "{run.text}" (ActualText) over what may be another number',
            "text that is read as it is drawn",
            "set raised digits in one way throughout, and no soft hyphen beside a digit",
        )
        for run in runs
        if run.disguised
    ]


def _key(text: str) -> _Key:
    """The numbers and the letters of a text: what a heading and its mentions share."""
    return tuple(number.text for number in numerals(text)), _letters(text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.casefold()))


def _place(name: str, page: int) -> str:
    return f"{name} page {page}"
