"""Small changes to a finished book or its data, made at random from a seed, each of one kind.

A mutant is what a slip of a hand or a fault of a program would leave: one cell, one digit, one
number, one mark. Nothing is written to disk; the changed part takes the place of the parsed one.
"""

from __future__ import annotations

import copy
import csv
import io
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lxml import etree

from checks.book import Book, Project
from checks.figures import Figure
from checks.html import Page, classes, content, page
from checks.ledger import Number
from checks.shown import Chapter, Shown
from checks.text import around

_DIGIT = re.compile(r"\d")
_SILENT = {"script", "style", "template", "noscript", "meta"}
_TABLES = ("studies", "outcomes", "therapies", "published_pools", "constants")
_TYPED = ("about 12 of them", "three patients", "17%", "in 2019", "of half of these", "n = 86")
#: Least move of a mark, in user units: the axis of a forest plot is 124 of them wide.
_MOVE = (1.0, 25.0)
_POINT = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Mutant:
    """A changed book or project, and the change in words."""

    kind: str
    change: str
    book: Book
    project: Project


class NothingToChangeError(Exception):
    """A kind of change that this book has no place for."""


Maker = Callable[[Book, Project, random.Random], Mutant]


def data_cell(book: Book, project: Project, dice: random.Random) -> Mutant:
    """Another value in one cell of the data, after the book was built."""
    path = f"data/{dice.choice(_TABLES)}.csv"
    rows = list(csv.reader(io.StringIO(project.files[path].decode("utf-8"), newline="")))
    line = dice.randrange(1, len(rows))
    column = dice.randrange(len(rows[line]))
    old = rows[line][column]
    rows[line][column] = new = _other_digit(old, dice) if _DIGIT.search(old) else f"{old}x"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    files = {**project.files, path: text.getvalue().encode()}
    where = f"{path} line {line + 1} {rows[0][column]}"
    return Mutant("data", f'{where}: "{old}" -> "{new}"', book, Project(files))


def html_digit(book: Book, project: Project, dice: random.Random) -> Mutant:
    """Another digit anywhere in the text, title or alternative texts of a page."""
    name = _weighted(book, dice)
    root = copy.deepcopy(book.pages[name].root)
    index, where = dice.choice(_digit_places(book.pages[name]))
    element = _nth(root, index)
    old = _get(element, where)
    new = _other_digit(old, dice)
    _set(element, where, new)
    return _in_html(
        "html", f'{name} <{element.tag!s}>: "{_short(old, new)}"', book, project, name, root
    )


def swapped(book: Book, project: Project, dice: random.Random) -> Mutant:
    """Another correct number of the ledger in the place of one, with its own key and text.

    Every second time one that looks the same, in a page or in a figure.
    """
    alike = _alike(book)
    if dice.random() < 0.2:
        return _swapped_in_figure(book, project, dice)
    name = _weighted(book, dice, tagged=True)
    root = copy.deepcopy(book.pages[name].root)
    element = dice.choice(_tagged(root))
    old = element.get("data-key")
    text = content(element)
    twins = [key for key in alike.get(text, ()) if key != old]
    numbers = book.ledger.numbers
    new = dice.choice(twins if twins and dice.random() < 0.5 else list(numbers))
    if new == old:
        new = next(key for key in numbers if key != old)
    element.set("data-key", new)
    for child in element:
        element.remove(child)
    element.text = numbers[new].text
    return _in_html("swapped", f"{name}: {old} -> {new} ({text} -> {element.text})", book, project,
                    name, root)  # fmt: skip


def _swapped_in_figure(book: Book, project: Project, dice: random.Random) -> Mutant:
    name, root = _figure(book, dice)
    groups = [g for g in root.iter("{*}g") if (g.get("id") or "").startswith("num-")]
    if not groups:  # the map of the evidence shows none
        return _swapped_in_figure(book, project, dice)
    group = dice.choice(groups)
    old = group.get("id", "").removeprefix("num-")
    numbers = book.ledger.numbers
    others = [
        k for k in _alike(book)[numbers[old.partition("#")[0]].text] if k != old.partition("#")[0]
    ]
    new = dice.choice(others or [key for key in numbers if key != old])
    group.set("id", f"num-{new}")
    for text in group.iter("{*}text"):
        text.text = numbers[new].text
    return _in_figure("swapped", f"{name}: {old} -> {new}", book, project, name, root)


def figure(book: Book, project: Project, dice: random.Random) -> Mutant:
    """A digit of a figure changed, or a mark moved, taken away or doubled."""
    name, root = _figure(book, dice)
    marks = [g for g in root.iter("{*}g") if (g.get("id") or "").startswith("mark-")]
    texts = [t for t in root.iter("{*}text") if _DIGIT.search("".join(t.itertext()))]
    act = dice.choice(("digit", "move", "move", "delete", "double")) if marks else "digit"
    if act == "digit":
        text = dice.choice(texts)
        old = text.text or ""
        text.text = _other_digit(old, dice)
        return _in_figure("figure", f'{name}: "{old}" -> "{text.text}"', book, project, name, root)
    mark = dice.choice(marks)
    told = f"{name}: {mark.get('id')} "
    if act == "delete":
        _parent(mark).remove(mark)
        return _in_figure("figure", told + "deleted", book, project, name, root)
    if act == "double":
        twin = copy.deepcopy(mark)
        twin.attrib.pop("id")
        _move(twin, dice)
        mark.addnext(twin)
        return _in_figure("figure", told + "drawn again elsewhere", book, project, name, root)
    return _in_figure("figure", told + _move(mark, dice), book, project, name, root)


def _move(mark: etree._Element, dice: random.Random) -> str:
    """Move a mark, or one corner of it, to the side or up and down."""
    step = dice.uniform(*_MOVE) * dice.choice((-1, 1))
    across = dice.random() < 0.75
    uses = list(mark.iter("{*}use"))
    if dice.random() < 0.2:
        mark.set("transform", f"translate({step if across else 0:.3f} {0 if across else step:.3f})")
    elif uses:
        for use in uses:
            axis = "x" if across else "y"
            use.set(axis, f"{float(use.get(axis, 0)) + step:.6f}")
    else:
        path = next(mark.iter("{*}path"))
        drawn = path.get("d", "")
        points = list(_POINT.finditer(drawn))
        which = dice.randrange(len(points) // 2) * 2 + (0 if across else 1)
        found = points[which]
        moved = f"{float(found.group()) + step:.6f}"
        path.set("d", drawn[: found.start()] + moved + drawn[found.end() :])
    return f"moved by {step:.1f} {'across' if across else 'down'}"


def pdf_number(book: Book, project: Project, dice: random.Random) -> Mutant:
    """A number of the printed book changed, lost, doubled or changed for the one before it."""
    if book.printed is None:
        raise NothingToChangeError("the book has no PDF")
    place = dice.choice([i for i, c in enumerate(book.printed.chapters) for _ in _all(c)])
    chapter = book.printed.chapters[place]
    part = dice.choice([name for name in ("prose", "spoken", "drawn") if getattr(chapter, name)])
    numbers = list(getattr(chapter, part))
    which = dice.randrange(len(numbers))
    old = numbers[which]
    act = dice.choice(("digit", "digit", "delete", "double", "swap"))
    if act == "delete":
        del numbers[which]
    elif act == "double":
        numbers.insert(which, old)
    elif act == "swap" and which and numbers[which - 1].text != old.text:
        numbers[which - 1 : which + 1] = [old, numbers[which - 1]]
    else:
        act = "digit"
        text = _other_digit(old.text, dice) if _DIGIT.search(old.text) else f"{old.text}fold"
        numbers[which] = replace(old, text=text)
    chapters = list(book.printed.chapters)
    chapters[place] = _with(chapter, part, numbers)
    printed = replace(book.printed, chapters=tuple(chapters))
    told = f'{old.place} ({part}) {act} "{old.text}" in "{old.words}"'
    return Mutant("pdf", told, replace(book, printed=printed), project)


def typed(book: Book, project: Project, dice: random.Random) -> Mutant:
    """A number deleted, doubled, given a minus, its point moved, or typed in without a tag."""
    act = dice.choice(("delete", "double", "sign", "point", "untagged"))
    name = _weighted(book, dice, tagged=True)
    root = copy.deepcopy(book.pages[name].root)
    spans = _tagged(root)
    if act == "point":
        spans = [span for span in spans if len(re.findall(r"\d", content(span))) > 1]
    if not spans:
        act, spans = "delete", _tagged(root)
    element = dice.choice(spans)
    told = f"{name}: {act} {element.get('data-key')} {content(element)}"
    if act == "delete":
        _drop(element)
    elif act == "double":
        twin = copy.deepcopy(element)
        twin.tail = " "
        element.addprevious(twin)
    elif act == "sign":
        dash = dice.choice("-\u2212\u2013")
        if dice.random() < 0.5:
            element.text = f"{dash}{content(element)}"
        else:
            _write_before(element, dash)
    elif act == "point":
        element.text = _point_moved(content(element), dice)
        told += f" -> {element.text}"
    else:
        words = dice.choice(_TYPED)
        blocks = [p for p in root.iter("p", "li", "td", "dd") if p.xpath("ancestor::main")]
        block = dice.choice(blocks)
        block.text = f"{block.text or ''} {words} "
        told = f'{name}: "{words}" typed into <{block.tag!s}>'
    return _in_html("typed", told, book, project, name, root)


#: Each kind of change by name, with what the book says of it.
KINDS: dict[str, tuple[Maker, str]] = {
    "data": (data_cell, "a cell of the data, after the build"),
    "html": (html_digit, "a digit in the text of a page"),
    "swapped": (swapped, "a number changed for another correct number"),
    "figure": (figure, "a digit or a mark in a figure"),
    "pdf": (pdf_number, "a number in the PDF"),
    "typed": (typed, "a number deleted, doubled, typed in; a sign, a decimal point"),
}


def _other_digit(text: str, dice: random.Random) -> str:
    """The text with one digit changed for another."""
    found = dice.choice(list(_DIGIT.finditer(text)))
    digit = dice.choice([d for d in "0123456789" if d != found.group()])
    return text[: found.start()] + digit + text[found.end() :]


def _point_moved(text: str, dice: random.Random) -> str:
    """The number with its decimal point one place further left, or with one put in."""
    digits = re.search(r"\d[\d.,]*", text)
    assert digits is not None
    plain = re.sub(r"\D", "", digits.group())
    places = [i for i in range(1, len(plain)) if f"{plain[:i]}.{plain[i:]}" != digits.group()]
    if not places:
        return text.replace(digits.group(), f"0.{plain}")
    at = dice.choice(places)
    return text.replace(digits.group(), f"{plain[:at]}.{plain[at:]}")


def _short(old: str, new: str) -> str:
    """The change with a few words around it."""
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    return f'{around(old, at, at + 1, 12)}" -> "{around(new, at, at + 1, 12)}'


@cache
def _digit_places(of: Page) -> list[tuple[int, str]]:
    """Every digit that a reader is told: number of the element in its tree, and where in it."""
    places = []
    unread: set[etree._Element] = set()
    for index, element in enumerate(of.root.iter()):
        parent = element.getparent()
        silent = not isinstance(element.tag, str) or element.tag in _SILENT or parent in unread
        if silent:
            unread.add(element)
        for where in ("text", "tail", "alt"):
            of_parent = where == "tail"
            if (parent is None or parent in unread) if of_parent else silent:
                continue
            places += [(index, where)] * len(_DIGIT.findall(_get(element, where)))
    return places


@cache
def _tags_of(of: Page) -> int:
    return len(_tagged(of.root))


def _weighted(book: Book, dice: random.Random, tagged: bool = False) -> str:
    """A page, those with more numbers more often; every fourth time any page at all."""
    weigh = _tags_of if tagged else (lambda one: len(_digit_places(one)))
    weights = {name: weigh(one) for name, one in book.pages.items()}
    names = [name for name, weight in weights.items() if weight]
    if dice.random() < 0.5:
        return dice.choice(names)
    return dice.choices(names, [weights[name] for name in names])[0]


def _tagged(root: etree._Element) -> list[etree._Element]:
    """The tagged numbers of a page, without the copies that navigation holds."""
    return [
        element
        for element in root.iter("span")
        if "num" in classes(element) and element.get("data-key")
    ]


@cache
def _alike_of(texts: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    alike: dict[str, list[str]] = {}
    for key, text in texts:
        alike.setdefault(text, []).append(key)
    return alike


def _alike(book: Book) -> dict[str, list[str]]:
    """Keys of the ledger by what they print."""
    numbers: dict[str, Number] = dict(book.ledger.numbers)
    return _alike_of(tuple((key, number.text) for key, number in numbers.items()))


def _figure(book: Book, dice: random.Random) -> tuple[str, etree._Element]:
    name = dice.choice(sorted(book.figures))
    return name, copy.deepcopy(book.figures[name].root)


def _nth(root: etree._Element, index: int) -> etree._Element:
    return next(element for place, element in enumerate(root.iter()) if place == index)


def _get(element: etree._Element, where: str) -> str:
    return (element.get("alt") if where == "alt" else getattr(element, where)) or ""


def _set(element: etree._Element, where: str, text: str) -> None:
    if where == "alt":
        element.set("alt", text)
    else:
        setattr(element, where, text)


def _write_before(element: etree._Element, text: str) -> None:
    before, parent = element.getprevious(), _parent(element)
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _drop(element: etree._Element) -> None:
    _write_before(element, element.tail or "")
    _parent(element).remove(element)


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None, "the root is never changed"
    return parent


def _in_html(
    kind: str, change: str, book: Book, project: Project, name: str, root: etree._Element
) -> Mutant:
    pages = {**book.pages, name: page(name, root)}
    return Mutant(kind, change, replace(book, pages=pages), project)


def _in_figure(
    kind: str, change: str, book: Book, project: Project, name: str, root: etree._Element
) -> Mutant:
    figures = {**book.figures, name: Figure(name, root, book.figures[name].data)}
    return Mutant(kind, change, replace(book, figures=figures), project)


def _all(chapter: Chapter) -> Sequence[Shown]:
    return (*chapter.prose, *chapter.spoken, *chapter.drawn)


def _with(chapter: Chapter, part: str, numbers: list[Shown]) -> Chapter:
    parts = {"prose": chapter.prose, "spoken": chapter.spoken, "drawn": chapter.drawn}
    return Chapter(chapter.title, **{**parts, part: tuple(numbers)})
