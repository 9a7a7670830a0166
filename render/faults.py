"""Reads a finished book's pages and lists what must not reach a reader.

Unresolved references, leftovers of the source's syntax, links that lead nowhere. Whichever
engine made the book: Quarto only warns of these and exits 0.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from posixpath import join, normpath
from urllib.parse import unquote, urlsplit

# Elements without an end tag.
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"))
LINKING_ATTRIBUTES = {
    "a": "href",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "iframe": "src",
}
# Attributes whose text a reader meets.
SPOKEN_ATTRIBUTES = ("alt", "title", "aria-label", "content")
LEFTOVERS = (
    ("unresolved cross-reference", re.compile(r"\?@[\w-]+|(?<![\w/.])@(?:fig|tbl|sec)-[\w-]+")),
    ("unresolved reference", re.compile(r"\?\?")),
    ("markup left as text", re.compile(r"^:{3,}|\[\^[\w-]+\]|\{[#.][A-Za-z][^}]*\}")),
    ("unresolved shortcode value", re.compile(r"\?(?:meta|var|env|invalid\b[\w ]*):\S*")),
)
# These are faults inside inline code too, where a failed expression stays.
CODE_LEFTOVERS = (
    ("inline expression left over", re.compile(r"\{python\}[^`]*")),
    ("shortcode left over", re.compile(r"\{\{<[^>]*(?:>\}\})?")),
)
# What pandoc puts, in bold, for a citation whose key it does not know.
MISSING_CITATION = re.compile(r"[\w:.#$%&+?<>~/-]+\?")
LOG_FAULTS = re.compile(r"Unable to resolve|[Cc]itation \S+ not found|Citeproc: citation")


@dataclass
class Link:
    """A link or an embedded file as the page writes it."""

    url: str
    in_main: bool
    is_anchor: bool
    text: str = ""


@dataclass
class Page:
    """What one HTML file holds that matters here."""

    ids: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


class PageReader(HTMLParser):
    """Collects a `Page` while it parses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []
        self.open_counts: Counter[str] = Counter()
        self.anchor: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
            self.open_counts[tag] += 1
        self.page.ids.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        if "quarto-unresolved-ref" in attributes.get("class", ""):
            self.page.leftovers.append("unresolved cross-reference (quarto-unresolved-ref)")
        spoken = " ".join(attributes[key] for key in SPOKEN_ATTRIBUTES if key in attributes)
        self.look_for(LEFTOVERS + CODE_LEFTOVERS, spoken)
        self.take_link(tag, attributes)
        if tag == "img" and self.anchor:
            self.anchor.text += attributes.get("alt", "")

    def take_link(self, tag: str, attributes: dict[str, str]) -> None:
        """Note where the element points, if it points anywhere."""
        name = LINKING_ATTRIBUTES.get(tag)
        if name is None or name not in attributes:
            return
        link = Link(attributes[name], self.inside("main"), tag == "a")
        self.page.links.append(link)
        if tag == "a":
            # Line anchors of highlighted code are hidden from everyone and rightly empty.
            hidden = attributes.get("aria-hidden") == "true"
            link.text = "hidden" if hidden else attributes.get("aria-label", "")
            self.anchor = link

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.anchor = None
        # An end tag also closes what was left open inside, as browsers have it.
        while self.inside(tag):
            closed = self.open.pop()
            self.open_counts[closed] -= 1
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.inside("script") or self.inside("style"):
            return
        if self.anchor:
            self.anchor.text += data
        if self.inside("pre"):
            return
        self.look_for(CODE_LEFTOVERS, data)
        if self.inside("code"):
            return
        self.look_for(LEFTOVERS, data)
        if MISSING_CITATION.fullmatch(data) and self.open[-2:] == ["span", "strong"]:
            self.page.leftovers.append(f"citation not found: {data}")

    def inside(self, tag: str) -> bool:
        """Whether an element of this name is open."""
        return self.open_counts[tag] > 0

    def look_for(self, patterns: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> None:
        """Note every match of `patterns` in `text`."""
        for what, pattern in patterns:
            self.page.leftovers.extend(f"{what}: {hit.group()}" for hit in pattern.finditer(text))


def find_faults(book: Path, log: str = "") -> list[str]:
    """List the faults of the pages under `book`, and those that the engine's `log` admits."""
    pages = {}
    for path in sorted(book.rglob("*.html")):
        reader = PageReader()
        reader.feed(path.read_text(encoding="utf-8"))
        reader.close()
        pages[path.relative_to(book).as_posix()] = reader.page
    faults = [f"{name}: {left}" for name, page in pages.items() for left in page.leftovers]
    for name, page in pages.items():
        for link in page.links:
            if fault := link_fault(book, pages, name, link):
                faults.append(f"{name}: {fault}")
    faults += [f"log: {line.strip()}" for line in log.splitlines() if LOG_FAULTS.search(line)]
    if "index.html" not in pages:
        faults.append("index.html: there is no such page")
    if len(list(book.glob("*.pdf"))) != 1:
        faults.append("the book's folder must hold one PDF")
    return list(dict.fromkeys(faults))


def link_fault(book: Path, pages: dict[str, Page], page: str, link: Link) -> str | None:
    """Say what is wrong with a link on `page`, or None."""
    # Quarto's navigation outside <main> has buttons written as links without a target.
    if link.is_anchor and link.in_main:
        if link.url in ("", "#"):
            return f"empty link with the text {link.text.strip()!r}"
        if not link.text.strip():
            return f"link without text to {link.url}"
    parts = urlsplit(link.url)
    if parts.scheme or parts.netloc or link.url in ("", "#"):
        return None
    target = page
    if parts.path:
        target = normpath(join(page, "..", unquote(parts.path)))
        if target.startswith(".."):
            return f"link leads out of the book: {link.url}"
        if (book / target).is_dir():
            target = normpath(join(target, "index.html"))
    if not (book / target).is_file():
        return f"link to a file that is not in the book: {link.url}"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return f"link to an anchor that is not on {target}: {link.url}"
    return None
