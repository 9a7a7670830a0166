"""Numbers headings, figures and tables as Quarto does, and turns references into links.

What stands in one format only is counted in both, so that a number means the same everywhere.

Every link inside the book becomes `book:PATH#ID`, PATH being the source of the chapter; each
format then writes it in its own way.
"""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from render.builtin.document import FLOAT_ID, Chapter, local_path, only_for
from render.builtin.nodes import (
    Node,
    attr,
    attribute,
    classes,
    find,
    identifier,
    link,
    rewrite,
    span,
    string,
    text,
)
from render.errors import BookError

REFERENCE = re.compile(r"(?:fig|tbl|sec)-")
WORDS = {"fig": "Figure", "tbl": "Table", "sec": "Section"}
BOOK_LINK = "book:"
NO_BREAK_SPACE = "\u00a0"


@dataclass(frozen=True)
class Target:
    """What a reference points to; no number for an unnumbered heading."""

    path: str
    word: str
    number: str


@dataclass
class Targets:
    """All targets of the book by id, and the faults met on the way."""

    by_id: dict[str, Target] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, chapter: Chapter, id_: str, target: Target) -> None:
        """Take a target in; an id of this kind may stand once in the book."""
        if id_ in self.by_id:
            self.faults.append(
                chapter.fault(f"#{id_}", f"duplicate id #{id_}, also in {self.by_id[id_].path}")
            )
        self.by_id[id_] = target


def number_and_link(chapters: list[Chapter], number_sections: bool) -> None:
    """Give every heading and float its number, and resolve references and links, in place.

    Raises:
        BookError: lists all duplicate ids, unresolved references and dead links of the book.
    """
    targets = Targets()
    chapter_count = appendix_count = 0
    for chapter in chapters:
        if number_sections and "unnumbered" not in classes(chapter.heading):
            if chapter.is_appendix:
                appendix_count += 1
                chapter.number = chr(ord("A") + appendix_count - 1)
            else:
                chapter_count += 1
                chapter.number = str(chapter_count)
        Numbering(chapter, targets).apply()
    headings = {chapter.path: identifier(chapter.heading) for chapter in chapters}
    ids = {chapter.path: chapter.ids for chapter in chapters}
    for chapter in chapters:
        Linking(chapter, headings, ids, targets).apply()
    if targets.faults:
        raise BookError.listing("cross-references and links", targets.faults)


def shown_in(format_name: str, chapters: list[Chapter]) -> list[Chapter]:
    """The chapters as one format shows them.

    Raises:
        BookError: lists the links in it that lead to places which it does not show.
    """
    shown = [replace(chapter, blocks=only_for(format_name, chapter.blocks)) for chapter in chapters]
    there = {f"{chapter.path}#{id_}" for chapter in shown for id_ in chapter.ids}
    faults = []
    for chapter in shown:
        for node in find(chapter.blocks, "Link"):
            url = node["c"][2][0].removeprefix(BOOK_LINK)
            if url != node["c"][2][0] and url not in there:
                words = url.partition("#")[2]
                message = f"link to #{words}, which {format_name} does not show"
                faults.append(chapter.fault(words, message))
    if faults:
        raise BookError.listing("links", faults)
    return shown


class Numbering:
    """Numbers one chapter."""

    def __init__(self, chapter: Chapter, targets: Targets) -> None:
        self.chapter = chapter
        self.targets = targets
        # Counters of the levels below the chapter's own.
        self.sections: list[int] = []
        self.floats = {"fig": 0, "tbl": 0}

    def apply(self) -> None:
        """Add the attribute `number` to what is numbered, and enter it as a target."""
        self.chapter.blocks = rewrite(self.chapter.blocks, self.change)

    def change(self, node: Node) -> list[Node] | None:
        """Number one node."""
        if node["t"] == "Header":
            return self.number_heading(node)
        if node["t"] == "Div" and FLOAT_ID.match(identifier(node)):
            return self.number_float(node)
        return None

    def number_heading(self, node: Node) -> list[Node]:
        """Headings of an unnumbered chapter have no numbers, as in Quarto."""
        level = node["c"][0]
        number = ""
        if self.chapter.number and "unnumbered" not in classes(node):
            if level > 1:
                self.sections = [*self.sections, *[0] * level][: level - 1]
                self.sections[-1] += 1
            number = ".".join([self.chapter.number, *map(str, self.sections)])
            attr(node)[2].append(["number", number])
        elif "unnumbered" not in classes(node):
            classes(node).append("unnumbered")
        if identifier(node).startswith("sec-"):
            top = "Appendix" if self.chapter.is_appendix else "Chapter"
            word = top if level == 1 else WORDS["sec"]
            self.targets.add(
                self.chapter, identifier(node), Target(self.chapter.path, word, number)
            )
        return [node]

    def number_float(self, node: Node) -> list[Node]:
        """Figures and tables are counted by chapter; those of an unnumbered one from 1."""
        id_ = identifier(node)
        kind = id_[:3]
        self.floats[kind] += 1
        number = ".".join(filter(None, [self.chapter.number, str(self.floats[kind])]))
        attr(node)[2].append(["number", number])
        self.targets.add(self.chapter, id_, Target(self.chapter.path, WORDS[kind], number))
        if fault := float_fault(node):
            self.targets.faults.append(self.chapter.fault(f"#{id_}", f"#{id_} {fault}"))
        return [node]


def float_fault(node: Node) -> str | None:
    """A float is an image or a table with a caption as its last paragraph."""
    *content, caption = node["c"][1] or [{"t": "Null"}]
    kind = "Image" if identifier(node).startswith("fig-") else "Table"
    if caption["t"] != "Para" or not text(caption):
        return "must end with a paragraph, its caption"
    if not any(True for _ in find(content, kind)):
        return f"holds no {kind.lower()} above its caption"
    return None


def float_parts(node: Node) -> tuple[str, str, list[Node], list[Node]]:
    """A float's word (Figure, Table), number, content blocks and caption inlines."""
    *content, caption = node["c"][1]
    return WORDS[identifier(node)[:3]], attribute(node, "number") or "", content, caption["c"]


class Linking:
    """Resolves the references and links of one chapter."""

    def __init__(
        self,
        chapter: Chapter,
        headings: dict[str, str],
        ids: dict[str, set[str]],
        targets: Targets,
    ) -> None:
        self.chapter = chapter
        # By path of a chapter: the id of its heading, and all ids in it.
        self.headings = headings
        self.ids = ids
        self.targets = targets

    def apply(self) -> None:
        """Replace references by links, and write links inside the book as `book:` links."""
        self.chapter.blocks = rewrite(self.chapter.blocks, self.change)

    def change(self, node: Node) -> list[Node] | None:
        """Resolve one node."""
        if node["t"] == "Cite":
            return self.resolve_cite(node)
        if node["t"] == "Link":
            return self.resolve_link(node)
        return None

    def fault(self, words: str, message: str) -> None:
        """Note a fault at `words`."""
        self.targets.faults.append(self.chapter.fault(words, message))

    def resolve_cite(self, node: Node) -> list[Node] | None:
        """`@fig-x` and its like; a citation of the literature stays."""
        citations = node["c"][0]
        references = [item for item in citations if REFERENCE.match(item["citationId"])]
        if not references:
            return None
        words = f"@{references[0]['citationId']}"
        if len(references) < len(citations):
            self.fault(words, f"{words} stands in one bracket with a citation; part them")
        inlines: list[Node] = []
        for item in references:
            if inlines:
                inlines += [string(","), {"t": "Space"}]
            inlines += self.reference(item)
        return inlines

    def reference(self, item: Node) -> list[Node]:
        """The link for one reference."""
        id_ = item["citationId"]
        words = f"@{id_}"
        target = self.targets.by_id.get(id_)
        if target is None:
            self.fault(words, f"unresolved cross-reference {words}")
            return []
        if not target.number:
            self.fault(words, f"{words} is an unnumbered heading; write [text](file.qmd#{id_})")
        if item["citationSuffix"]:
            self.fault(words, f"text after {words} inside the bracket is not supported")
        word = item["citationPrefix"] or [string(target.word)]
        if item["citationMode"]["t"] == "SuppressAuthor":
            inlines = [span("", [string(target.number)])]
        else:
            inlines = [*word, string(NO_BREAK_SPACE), span("", [string(target.number)])]
        return [link(inlines, f"{BOOK_LINK}{target.path}#{id_}", "quarto-xref")]

    def resolve_link(self, node: Node) -> list[Node] | None:
        """Links to chapters and to places in this one."""
        url = node["c"][2][0]
        if url.startswith(BOOK_LINK):
            return None
        parts = urlsplit(url)
        if not text(node["c"][1]) and not any(True for _ in find(node["c"][1], "Image")):
            self.fault(f"]({url}", f"link without text to {url!r}")
        if not url:
            self.fault("]()", f"empty link with the text {text(node['c'][1])!r}")
        if parts.scheme or parts.netloc:
            return None
        path = local_path(self.chapter.path, url) if parts.path else self.chapter.path
        if path.endswith(".html") and f"{path.removesuffix('.html')}.qmd" in self.ids:
            self.fault(url, f"link to {url}: name the chapter's source (.qmd) instead")
        if not path.endswith(".qmd"):
            return None
        fragment = unquote(parts.fragment)
        if path not in self.ids:
            self.fault(url, f"link to a chapter that is not in the book: {url}")
            return None
        if fragment and fragment not in self.ids[path]:
            self.fault(url, f"link to an anchor that is not in {path}: {url}")
        fragment = fragment or self.headings[path]
        node["c"][2][0] = f"{BOOK_LINK}{path}#{fragment}"
        return [node]
