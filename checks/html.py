"""The HTML pages read back: tagged numbers, leftovers of rendering, links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree, html

from checks.faults import Fault
from checks.figures import check_svg
from checks.ledger import Number, normalise
from checks.tags import Findings

# What an unfinished render leaves behind, in HTML and in PDF.
LEFTOVERS = {
    re.compile(r"\{python\}"): ("code that was not run", "an inline value"),
    re.compile(r"\?@|\?(fig|tbl|sec|eq)-"): ("a cross-reference to nothing", "its number"),
    re.compile(r"\?\?"): ("a reference that was not resolved", "its number"),
}
_SPOKEN = ("alt", "title", "aria-label", "content")
_LINKS = {
    "a": "href", "area": "href", "link": "href", "img": "src", "script": "src", "iframe": "src",
    "source": "src", "object": "data", "embed": "src",
}  # fmt: skip
_UNREAD = "not(ancestor-or-self::script or ancestor-or-self::style or ancestor-or-self::template)"
_UNRESOLVED = "contains(concat(' ', @class, ' '), ' quarto-unresolved-ref ')"


@dataclass(frozen=True)
class Page:
    """One parsed page; name is its path in the book."""

    name: str
    path: Path
    root: etree._Element
    anchors: frozenset[str]

    def place(self, element: etree._Element) -> str:
        """Page and line of an element."""
        return f"{self.name} line {element.sourceline}"


def check_pages(book: Path, numbers: Mapping[str, Number]) -> tuple[int, Findings]:
    """Check every page of the book; return how many there are and what was found."""
    findings = Findings()
    pages = {}
    for path in sorted(book.rglob("*.html")):
        try:
            page = _read(book, path)
        except (OSError, etree.LxmlError, ValueError) as error:
            name = path.relative_to(book).as_posix()
            findings.faults.append(
                Fault(name, f"no readable page ({error})", "HTML", "render the book again")
            )
            continue
        pages[page.path] = page
    for page in pages.values():
        findings.add(_spans(page, numbers))
        findings.add(_alt_texts(page, numbers))
        for svg in page.root.iter("svg"):
            findings.add(check_svg(svg, page.name, numbers))
        findings.faults += _leftovers(page)
        findings.faults += _links(page, pages, book.resolve())
    return len(pages), findings


def _read(book: Path, path: Path) -> Page:
    root = html.document_fromstring(path.read_bytes(), html.HTMLParser(encoding="utf-8"))
    anchors = frozenset([*root.xpath("//@id"), *root.xpath("//a/@name")])
    return Page(path.relative_to(book).as_posix(), path.resolve(), root, anchors)


def _spans(page: Page, numbers: Mapping[str, Number]) -> Findings:
    """Check [TEXT]{.num data-key=KEY} as rendered: the key is known, the text is the ledger's."""
    findings = Findings()
    for element in page.root.iter(etree.Element):
        is_number = "num" in (element.get("class") or "").split()
        key = element.get("data-key")
        if is_number and key:
            findings.tag(page.place(element), key, _content(element), numbers)
        elif is_number or key is not None:
            findings.faults.append(
                Fault(
                    page.place(element),
                    f'"{_content(element)}" with half a tag',
                    'class "num" and a data-key together',
                    'write it as [TEXT]{.num data-key="KEY"}',
                )
            )
    return findings


def _alt_texts(page: Page, numbers: Mapping[str, Number]) -> Findings:
    """Check that the numbers of an alternative text stand in it, in the order of data-keys."""
    findings = Findings()
    for element in page.root.xpath("//*[@data-keys]"):
        place = f"{page.place(element)} alt text"
        alt = normalise(element.get("alt", ""))
        position = 0
        for key in element.get("data-keys").split():
            number = numbers.get(key)
            shown = number and _standing(normalise(number.text), alt, position)
            if number is None or shown:
                findings.tag(place, key, None, numbers)
                position = shown.end() if shown else position
                continue
            findings.tag(place, key, f"{alt[position:][:60]}...", numbers)
    return findings


def _standing(text: str, alt: str, position: int) -> re.Match[str] | None:
    """Find text from position on, not as a part of a longer number."""
    pattern = rf"(?<![\w.,]){re.escape(text)}(?![\w%]|[.,]\d)"
    return re.compile(pattern).search(alt, position)


def _content(element: etree._Element) -> str:
    return normalise("".join(element.itertext(etree.Element)))


def _leftovers(page: Page) -> list[Fault]:
    faults = [
        Fault(
            page.place(element),
            f'an unresolved reference "{_content(element)}"',
            "the number of a figure, table or section",
            "correct the reference in the chapter",
        )
        for element in page.root.xpath(f"//*[{_UNRESOLVED}]")
    ]
    for place, text in _read_texts(page):
        faults += leftovers_in(text, place)
    return faults


def _read_texts(page: Page) -> Iterator[tuple[str, str]]:
    """Everything a reader, a screen reader or a search engine is told, with its place."""
    condition = f"{_UNREAD} and not(ancestor-or-self::*[{_UNRESOLVED}])"
    for text in page.root.xpath(f"//text()[{condition}]"):
        parent = text.getparent()
        if parent is not None and text.strip():
            yield page.place(parent), str(text)
    for element in page.root.iter(etree.Element):
        for name in _SPOKEN:
            spoken = element.get(name)
            if spoken:
                yield f"{page.place(element)} {name}", spoken


def leftovers_in(text: str, place: str) -> list[Fault]:
    """Return one fault per kind of leftover in a text."""
    faults = []
    for mark, (found, expected) in LEFTOVERS.items():
        match = mark.search(text)
        if match:
            around = text[max(0, match.start() - 20) : match.start() + 40]
            faults.append(
                Fault(place, f'{found}: "{around}"', expected, "mend the source and render again")
            )
    return faults


def _links(page: Page, pages: Mapping[Path, Page], book: Path) -> list[Fault]:
    faults = []
    for element in page.root.iter(*_LINKS):
        target = element.get(_LINKS[str(element.tag)])
        if target is None:
            continue
        problem = (_empty if element.tag == "a" else _blank)(element, target) or _unresolved(
            target.strip(), page, pages, book
        )
        if problem:
            found, expected = problem
            faults.append(Fault(page.place(element), found, expected, "correct or remove the link"))
    return faults


def _blank(element: etree._Element, target: str) -> tuple[str, str] | None:
    return None if target.strip() else (f"<{element.tag!s}> without an address", "a file")


def _empty(element: etree._Element, target: str) -> tuple[str, str] | None:
    """A link without an address or without words; buttons made of links are left alone."""
    if element.get("onclick") or element.get("role") == "button" or element.get("aria-hidden"):
        return None
    if not target.strip():
        return f'a link "{_content(element)}" without an address', "an address"
    named = element.get("aria-label") or element.get("title") or _content(element)
    if not named and not element.xpath(".//img | .//svg | .//i"):
        return f"a link to {target} without words", "words to click on"
    return None


def _unresolved(
    target: str, page: Page, pages: Mapping[Path, Page], book: Path
) -> tuple[str, str] | None:
    """Say what is wrong with a link to a file of the book; links elsewhere are not followed."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return f"a link to {target}", "a valid address"
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    base = book if path.startswith("/") else page.path.parent
    file = (base / path.lstrip("/")).resolve() if path else page.path
    if file.is_dir():
        file /= "index.html"
    if not file.is_file() or not file.is_relative_to(book):
        return f"a link to {target}", "a file of the book"
    anchor = unquote(parts.fragment)
    if not anchor or anchor == "top" or anchor.startswith(":~:") or file not in pages:
        return None
    if anchor not in pages[file].anchors:
        return f"a link to {target}", f"an element with the id {anchor} in {pages[file].name}"
    return None
