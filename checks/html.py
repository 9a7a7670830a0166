"""A page read back: its text in reading order, and for each piece the element that explains it.

A digit is explained by the nearest element around it that says what it is: a tagged number, words
quoted from the data, a section number, a citation and so on (`Claim`). Which elements those are is
known from where they stand and what the renderer calls them, never from the look of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html.parser import HTMLParser

from lxml import etree, html

from checks.figures import Figure, drawn
from checks.shown import Chapter, Shown
from checks.text import around, clean, numbers_in

_UNREAD = {"script", "style", "template", "noscript", "head"}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "dfn", "em", "i", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
}  # fmt: skip
#: Attributes that a reader, a screen reader or a search engine is told; alt has its own rule.
SPOKEN = (
    "title", "placeholder", "label", "value", "summary", "abbr", "aria-label", "aria-description",
    "aria-placeholder", "aria-roledescription", "aria-valuetext", "aria-valuenow",
    "aria-valuemin", "aria-valuemax", "aria-braillelabel", "aria-brailleroledescription",
)  # fmt: skip
_NAVIGATION_IDS = {"quarto-sidebar", "quarto-header", "TOC", "quarto-margin-sidebar"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
# What pages tell the browser; all other metadata are told to somebody.
_UNTOLD = {"viewport", "generator", "color-scheme", "theme-color", "quarto:offset"}
_END = re.compile(r"</body\s*>\s*</html\s*>\s*\Z", re.IGNORECASE)

# Elements whose end tag HTML lets an author leave out, or that have none.
_MAY_STAY_OPEN = {
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "option", "p", "param", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "track", "wbr", "path", "use", "rect", "circle", "line",
}  # fmt: skip

# Elements that answer for all that is in them: a section number in a link is the link's affair.
_WHOLE = {"navigation", "bibliography", "citation", "listing", "title"}

#: What may explain a digit: how the element is called in the report.
KINDS = {
    "num": "tagged number",
    "datum": "words of the data",
    "symbol": "symbol",
    "heading": "section number",
    "label": "figure or table number",
    "reference": "cross-reference",
    "citation": "citation",
    "bibliography": "bibliography",
    "listing": "listing",
    "code": "identifier",
    "date": "date",
    "footnote": "footnote number",
    "navigation": "navigation",
    "title": "page title",
    "meta": "page description",
}


@dataclass(frozen=True)
class Claim:
    """What explains the digits of an element."""

    kind: str
    element: etree._Element


@dataclass(frozen=True)
class Run:
    """A piece of text with one explanation, None where nothing explains it."""

    text: str
    element: etree._Element
    claim: Claim | None


@dataclass(frozen=True)
class Block:
    """The runs of one paragraph, cell or heading, whose numbers may cross inline elements.

    area is main (what print shows too), online (shown on the page alone), or aside (navigation,
    the head, the title block). spoken: it is an attribute, which is told and not shown.
    """

    runs: tuple[Run, ...]
    area: str
    spoken: bool = False

    @cached_property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Picture:
    """An image with its alternative text."""

    element: etree._Element
    area: str

    @property
    def figure(self) -> str:
        """The name of the figure that it shows."""
        return (self.element.get("src") or "").rpartition("/")[2].rpartition(".")[0]


@dataclass(frozen=True, eq=False)
class Page:
    """One parsed page; name is its path in the book."""

    name: str
    root: etree._Element
    ids: frozenset[str] = field(default_factory=frozenset)

    def place(self, element: etree._Element) -> str:
        """Page and line of an element."""
        return f"{self.name} line {element.sourceline}"

    @cached_property
    def parts(self) -> tuple[Block | Picture, ...]:
        """Blocks and pictures in reading order; a caption comes after what it describes."""
        return tuple(_read_parts(self.root, captions_last=True))

    @cached_property
    def as_written(self) -> tuple[Block | Picture, ...]:
        """The same in the order of the file."""
        return tuple(_read_parts(self.root, captions_last=False))

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """Its images, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def title(self) -> str:
        """The words of the chapter's heading; the book's own title on its first page is not it."""
        headings = list(self.root.iter("h1"))
        for heading in sorted(headings, key=lambda h: "title" in classes(h)):
            return " ".join(content(heading).split())
        return ""


def read_page(name: str, data: bytes) -> Page:
    """Parse a page.

    Raises ValueError where it is cut off, or a tag is broken, unclosed or closed twice: a parser
    would mend that in silence, and the reader's browser perhaps in another way.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 ({error.reason} at byte {error.start})") from None
    tags = _Tags()
    tags.feed(text)
    tags.close()
    if tags.fault:
        raise ValueError(tags.fault)
    if not _END.search(text):
        raise ValueError("its end is not </body></html>")
    return page(name, html.document_fromstring(text, html.HTMLParser(encoding="utf-8")))


def page(name: str, root: etree._Element) -> Page:
    """A page from its parsed root."""
    return Page(name, root, frozenset([*root.xpath("//@id"), *root.xpath("//a/@name")]))


class _Tags(HTMLParser):
    """Looks for tags that do not fit one another; `fault` says what and where."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._open: list[tuple[str, int]] = []
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        broken = next((name for name, _ in attrs if set(name) & set("<\"'")), None)
        if broken:
            self._note(f"a tag <{tag}> with the attribute {broken!r}")
        if len({name for name, _ in attrs}) < len(attrs):
            self._note(f"a tag <{tag}> with an attribute twice")
        if tag not in _MAY_STAY_OPEN:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    # Parsers and browsers do not agree on where these end, so text may hide in them.

    def handle_comment(self, data: str) -> None:
        if data.startswith((">", "->")) or "--!>" in data:
            self._note("a comment that ends before its -->")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self._note(f"<!{decl[:20]}>")

    def unknown_decl(self, data: str) -> None:
        self._note(f"<![{data[:20]}")

    def handle_pi(self, data: str) -> None:
        self._note(f"<?{data[:20]}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _MAY_STAY_OPEN:
            return
        if not self._open:
            self._note(f"</{tag}> without its opening tag")
            return
        name, line = self._open.pop()
        if name != tag:
            self._note(f"</{tag}> where </{name}> of line {line} should be")

    def close(self) -> None:
        super().close()
        if self._open:
            name, line = self._open[-1]
            self._note(f"<{name}> of line {line} that is never closed")

    def _note(self, fault: str) -> None:
        self.fault = self.fault or f"line {self.getpos()[0]} has {fault}"


def content(element: etree._Element) -> str:
    """All text of an element."""
    return "".join(element.itertext(etree.Element))


def classes(element: etree._Element) -> list[str]:
    """The classes of an element."""
    return (element.get("class") or "").split()


def _read_parts(root: etree._Element, captions_last: bool) -> Iterator[Block | Picture]:
    yield from _head(root)
    reader = _Reader(captions_last)
    reader.walk(root, None, "aside")
    yield from reader.parts


def _head(root: etree._Element) -> Iterator[Block]:
    """Title and descriptions: what search engines and browser tabs show."""
    for title in root.xpath("/html/head/title"):
        yield Block((Run(content(title), title, Claim("title", title)),), "aside")
    for meta in root.iter("meta"):
        told = clean(meta.get("content", ""))
        if told and (meta.get("name") or "").lower() not in _UNTOLD:
            yield Block((Run(told, meta, Claim("meta", meta)),), "aside")


class _Reader:
    """Walks a body and gathers runs into blocks."""

    def __init__(self, captions_last: bool) -> None:
        self._captions_last = captions_last
        self.parts: list[Block | Picture] = []
        self._runs: list[Run] = []

    def walk(self, element: etree._Element, claim: Claim | None, area: str) -> None:
        if not isinstance(element.tag, str) or element.tag in _UNREAD:
            return
        area = _area(element, area)
        claim = _claim(element, claim)
        inline = element.tag in _INLINE
        if not inline:
            self.flush(area)
        if element.tag == "img":
            self.parts.append(Picture(element, area))
        for name in SPOKEN:
            if element.get(name):
                self._spoken(element, name, claim, area)
        self._add(element.text, element, claim)
        for child in _captions_last(element) if self._captions_last else element:
            self.walk(child, claim, area)
            self._add(child.tail, element, claim)
        if not inline:
            self.flush(area)

    def flush(self, area: str) -> None:
        """End the block that was being read."""
        if any(run.text.strip() for run in self._runs):
            self.parts.append(Block(tuple(self._runs), area))
        self._runs = []

    def _add(self, text: str | None, element: etree._Element, claim: Claim | None) -> None:
        if not text:
            return
        text = clean(text)
        if claim is None and not self._runs and _is_caption(element):
            # A caption opens with its label, up to the first colon.
            label, colon, rest = text.partition(":")
            if colon:
                self._runs.append(Run(label + colon, element, Claim("label", element)))
                text = rest
        self._runs.append(Run(text, element, claim))

    def _spoken(self, element: etree._Element, name: str, claim: Claim | None, area: str) -> None:
        """An attribute is a block of its own; the text around it goes on."""
        run = Run(clean(element.get(name) or ""), element, claim)
        self.parts.append(Block((run,), "online" if area == "main" else area, spoken=True))


def _captions_last(element: etree._Element) -> list[etree._Element]:
    children = list(element)
    if element.tag == "figure":
        children.sort(key=lambda child: child.tag == "figcaption")
    return children


def _is_caption(element: etree._Element) -> bool:
    return element.tag == "figcaption" and "quarto-float-caption" in classes(element)


def _area(element: etree._Element, area: str) -> str:
    if element.tag == "main":
        return "main"
    if area == "main":
        if element.tag == "nav" or element.get("id") == "title-block-header":
            return "aside"
        hidden = "display:none" in (element.get("style") or "").replace(" ", "")
        if hidden or "online-only" in classes(element):
            return "online"
    elif element.tag == "h1" and "title" in classes(element):
        return "main"
    return area


def _claim(element: etree._Element, outer: Claim | None) -> Claim | None:
    kind = _kind(element)
    if outer is not None and outer.kind in _WHOLE:
        # Each link of the navigation answers for itself.
        link = outer.kind == "navigation" and element.tag == "a"
        return Claim("navigation", element) if link else outer
    if outer is not None and outer.kind == "datum" and kind == "code":
        return outer
    return Claim(kind, element) if kind else outer


def _kind(element: etree._Element) -> str | None:
    names = classes(element)
    if "num" in names or element.get("data-key") is not None:
        return "num"
    for name in ("datum", "symbol", "citation"):
        if name in names:
            return name
    if "quarto-xref" in names:
        return "reference"
    if "csl-entry" in names:
        return "bibliography"
    if "footnote-ref" in names or "footnote-back" in names:
        return "footnote"
    if element.tag == "nav" or element.get("id") in _NAVIGATION_IDS or "sidebar" in names:
        return "navigation"
    if element.tag == "pre":
        return "listing"
    if element.tag == "code":
        return "code"
    if element.tag == "p" and "date" in names:
        return "date"
    if "chapter-number" in names or "header-section-number" in names:
        return "heading"
    return None


@lru_cache(maxsize=4096)
def chapter(of: Page, drawings: tuple[Figure, ...]) -> Chapter:
    """What a page shows that print must show too; drawings are the figures that it holds."""
    by_name = {figure.name: figure for figure in drawings}
    prose: list[Shown] = []
    spoken: list[Shown] = []
    in_figures: list[Shown] = []
    for part in of.parts:
        if part.area != "main":
            continue
        if isinstance(part, Picture):
            alt = clean(part.element.get("alt", ""))
            spoken += shown_in(alt, f"{of.place(part.element)} alt text")
            if part.figure in by_name:
                in_figures += drawn(by_name[part.figure])
        else:
            prose += shown_in(part.text, of.place(part.runs[0].element))
    return Chapter(of.title, tuple(prose), tuple(spoken), tuple(in_figures))


def shown_in(text: str, place: str) -> list[Shown]:
    """The numerals and number words of a cleaned text, in order."""
    return [Shown(n.text, place, around(text, n.start, n.end)) for n in numbers_in(text)]
