"""What may keep a number from the reader, or show one that is not in the text of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from checks.faults import Fault
from checks.html import Page, classes

# Where a tagged number may stand: what neither hides it, nor strikes it out, nor turns it round.
_PLAIN = {
    "a", "article", "aside", "b", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "html", "i", "img", "li",
    "main", "ol", "p", "section", "span", "strong", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
}  # fmt: skip
_LAYOUT = re.compile(r"(?:(?:text-align:\w+|(?:width|height):[1-9][\w.%]*)(?:;|$))*", re.IGNORECASE)
_HIDING = {"collapse", "d-none", "hidden", "invisible", "sr-only", "visually-hidden"}
# Elements whose content is shown by other means than the text of the page, or changes it.
_UNREADABLE = {
    "applet", "area", "audio", "base", "bdo", "canvas", "embed", "iframe",
    "input", "math", "noscript", "object", "picture", "source", "svg", "template", "video",
}  # fmt: skip


def out_of_sight(page: Page) -> set[etree._Element]:
    """All elements that an element, a style or an attribute may keep out of sight or disfigure."""
    hiding = (element for element in page.root.iter(etree.Element) if not _in_sight(element))
    return {inner for element in hiding for inner in element.iter(etree.Element)}


def _in_sight(element: etree._Element) -> bool:
    return (
        element.tag in _PLAIN
        and element.get("hidden") is None
        and element.get("aria-hidden") != "true"
        and _LAYOUT.fullmatch(element.get("style", "").replace(" ", "")) is not None
        and _HIDING.isdisjoint(classes(element))
    )


def hidden_fault(page: Page, element: etree._Element, what: str) -> Fault:
    return Fault(
        "text",
        page.place(element),
        f"{what} hidden or disfigured",
        "a place in plain sight",
        "remove the element, style or attribute around it that hides it",
    )


def unreadable(page: Page) -> Iterator[Fault]:
    """Elements that may show numbers which are not in the text of the page."""
    next_item = 1
    for element in page.root.iter(etree.Element):
        drawn = element.get("srcset") or "url(" in element.get("style", "")
        unread = element.tag in _UNREADABLE or bool(drawn)
        if element.tag in ("script", "style"):
            unread = bool(element.xpath("ancestor::main"))
        elif element.tag == "ol":
            # A list begins at one, or goes on where the list before it ended.
            start = element.get("start", "1")
            unread = start not in ("1", str(next_item)) or element.get("reversed") is not None
            next_item = int(start) + len(element) if start.isdecimal() else 1
        if unread:
            yield Fault(
                "untagged",
                page.place(element),
                f"<{element.tag!s}>, whose numbers the check cannot read",
                "text, lists in the order of counting, and figures as SVG files",
                "remove it, or show it as text",
            )


def ragged(page: Page) -> Iterator[Fault]:
    """Tables whose cells do not stand under one header each."""
    for table in page.root.iter("table"):
        lengths = {len(row.xpath("td | th")) for row in table.iter("tr")}
        if len(lengths) > 1 or table.xpath(".//*[@rowspan or @colspan]"):
            found, expected = "rows of unequal length", "one cell for each column in each row"
            yield Fault("sequence", page.place(table), found, expected, "render the book again")
