"""Links and images of a page lead somewhere, and nothing unfinished is left in its text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lxml import etree

from checks.faults import Fault
from checks.html import Page, Picture, content
from checks.leftovers import leftovers_in
from checks.text import normalise

_LINKS = {
    "a": "href", "area": "href", "link": "href", "img": "src", "script": "src", "iframe": "src",
    "source": "src", "object": "data", "embed": "src",
}  # fmt: skip
Site = tuple[tuple[str, frozenset[str]], ...]
_UNRESOLVED = "contains(concat(' ', @class, ' '), ' quarto-unresolved-ref ')"


@lru_cache(maxsize=4096)
def check_words(page: Page) -> list[Fault]:
    """Leftovers of rendering in what a reader, a screen reader or a search engine is told."""
    faults = [
        Fault(
            "link",
            page.place(element),
            f'an unresolved reference "{normalise(content(element))}"',
            "the number of a figure, table or section",
            "correct the reference in the chapter",
        )
        for element in page.root.xpath(f"//*[{_UNRESOLVED}]")
    ]
    for part in page.parts:
        if isinstance(part, Picture):
            faults += leftovers_in(part.element.get("alt", ""), page.place(part.element))
        elif not any("quarto-unresolved-ref" in (r.element.get("class") or "") for r in part.runs):
            faults += leftovers_in(part.text, page.place(part.runs[0].element))
    return faults


@lru_cache(maxsize=4096)
def check_links(page: Page, site: Site, files: frozenset[str]) -> list[Fault]:
    """Links to files of the book and to places in them; links elsewhere are not followed.

    site holds each page's name and ids, files all paths of the book.
    """
    ids = dict(site)
    faults = []
    for element in page.root.iter(*_LINKS):
        target = element.get(_LINKS[str(element.tag)])
        if target is None:
            continue
        problem = (
            (_empty if element.tag == "a" else _blank)(element, target)
            or _foreign(element, target)
            or _unresolved(target.strip(), page, ids, files)
        )
        if problem:
            found, expected = problem
            remedy = "correct or remove the link"
            faults.append(Fault("link", page.place(element), found, expected, remedy))
    return faults


def _blank(element: etree._Element, target: str) -> tuple[str, str] | None:
    return None if target.strip() else (f"<{element.tag!s}> without an address", "a file")


def _foreign(element: etree._Element, target: str) -> tuple[str, str] | None:
    """An image that is no file of the book cannot be read."""
    elsewhere = re.match(r"\s*(?:[\w+.-]+:|[/\\]{2})", target)
    return (
        (f"an image from {target}", "a file of the book")
        if (element.tag == "img" and elsewhere)
        else None
    )


def _empty(element: etree._Element, target: str) -> tuple[str, str] | None:
    """A link without an address or without words; buttons made of links are left alone."""
    if element.get("onclick") or element.get("role") == "button" or element.get("aria-hidden"):
        return None
    if not target.strip():
        return f'a link "{normalise(content(element))}" without an address', "an address"
    named = element.get("aria-label") or element.get("title") or normalise(content(element))
    if not named and not element.xpath(".//img | .//svg | .//i"):
        return f"a link to {target} without words", "words to click on"
    return None


def _unresolved(
    target: str, page: Page, ids: Mapping[str, frozenset[str]], files: frozenset[str]
) -> tuple[str, str] | None:
    """Say what is wrong with a link to a file of the book."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return f"a link to {target}", "a valid address"
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    folder = "" if path.startswith("/") else posixpath.dirname(page.name)
    file = posixpath.normpath(posixpath.join(folder, path.lstrip("/"))) if path else page.name
    if file not in files and posixpath.join(file, "index.html").removeprefix("./") in files:
        file = posixpath.join(file, "index.html").removeprefix("./")
    if file not in files:
        return f"a link to {target}", "a file of the book"
    anchor = unquote(parts.fragment)
    if not anchor or anchor == "top" or anchor.startswith(":~:") or file not in ids:
        return None
    if anchor not in ids[file]:
        return f"a link to {target}", f"an element with the id {anchor} in {file}"
    return None
