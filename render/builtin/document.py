"""A chapter as a tree, and the refusal of what the built-in engine cannot set."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

from render.builtin.execute import Woven
from render.builtin.nodes import (
    ATTR_TYPES,
    Node,
    attr,
    attribute,
    classes,
    div,
    find,
    identifier,
    rewrite,
    string,
    text,
)
from render.builtin.pandoc import inlines, read_markdown

# Quarto's layout features; without them the page would look wrong without a word.
QUARTO_CLASSES = re.compile(r"panel-|column-|aside$|landscape$|incremental$|cell-fold|theorem$")
QUARTO_ATTRIBUTES = re.compile(r"layout|fig-(?!alt$)|tbl-|lst-|when-(?!format$)|unless-(?!format$)")
# Prefixes that Quarto numbers and this engine does not.
OTHER_PREFIXES = re.compile(
    r"(?:lst|eq|thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|nte|tip|wrn|imp|cau)-"
)
FLOAT_ID = re.compile(r"(fig|tbl)-")
CALLOUTS = ("note", "tip", "important", "warning", "caution")
CALLOUT_TITLE = "callout-title"
FORMATS = ("html", "typst")
CONDITIONS = ("when-format", "unless-format")
CONDITIONAL = frozenset(("content-visible", "content-hidden"))


@dataclass
class Chapter:
    """A chapter's blocks; the first is its `# heading`. `path` is that of its source."""

    path: str
    is_appendix: bool
    woven: Woven
    blocks: list[Node]
    number: str = ""

    @property
    def heading(self) -> Node:
        """The chapter's own heading."""
        return self.blocks[0]

    @property
    def ids(self) -> set[str]:
        """All ids that a link may point to."""
        return {identifier(node) for node in find(self.blocks, *ATTR_TYPES)} - {""}

    def place(self, words: str) -> str:
        """Where `words` stand in the source, as file:line, as far as that can be told."""
        found = self.woven.text.find(words)
        if found < 0:
            return self.path
        line = self.woven.text.count("\n", 0, found) + 1
        return f"{self.path}:{self.woven.source_line(line)}"

    def fault(self, words: str, message: str) -> str:
        """A message with the place of `words`."""
        return f"{self.place(words)}: {message}"


def read_chapter(
    root: Path, path: str, is_appendix: bool, woven: Woven
) -> tuple[Chapter, list[str]]:
    """Parse a chapter; returns it with the list of what is wrong with it."""
    blocks = rewrite(read_markdown(woven), title_callout)
    chapter = Chapter(path, is_appendix, woven, blocks)
    if not chapter.blocks or chapter.heading["t"] != "Header" or chapter.heading["c"][0] != 1:
        return chapter, [f"{path}: must start with `# Title` or have a title in its front matter"]
    return chapter, [
        *heading_faults(chapter),
        *node_faults(chapter),
        *conditional_faults(chapter),
        *id_faults(chapter),
        *image_faults(root, chapter),
    ]


def callout_kind(node: Node) -> str | None:
    """note, tip, important, warning or caution; None if the node is no callout."""
    if node["t"] != "Div":
        return None
    return next((kind for kind in CALLOUTS if f"callout-{kind}" in classes(node)), None)


def title_callout(node: Node) -> list[Node] | None:
    """Put a callout's title in front of its body, as a div of its own.

    It is the attribute `title`, else a first heading, which then is no section any more, else
    the callout's kind.
    """
    kind = callout_kind(node)
    if kind is None:
        return None
    body = node["c"][1]
    if title := attribute(node, "title"):
        words = inlines(title)
    elif body and body[0]["t"] == "Header":
        words, body = body[0]["c"][2], body[1:]
    else:
        words = [string(kind.capitalize())]
    title_div = div("", [CALLOUT_TITLE], [], [{"t": "Plain", "c": words}])
    attr(node)[2] = [pair for pair in attr(node)[2] if pair[0] != "title"]
    node["c"][1] = [title_div, *body]
    return [node]


def callout_parts(node: Node) -> tuple[list[Node], list[Node]]:
    """The inlines of a callout's title, and its body."""
    title, *body = node["c"][1]
    return title["c"][1][0]["c"], body


def heading_faults(chapter: Chapter) -> list[str]:
    """One `#` per chapter, and no level left out: numbers and outlines depend on it."""
    faults = []
    level = 1
    for header in list(find(chapter.blocks, "Header"))[1:]:
        if header["c"][0] == 1:
            faults.append(
                chapter.fault(text(header), f"a second chapter heading: # {text(header)}")
            )
        elif header["c"][0] > level + 1:
            faults.append(
                chapter.fault(
                    text(header), f"heading {text(header)!r} leaves out level {level + 1}"
                )
            )
        level = header["c"][0]
    return faults


def node_faults(chapter: Chapter) -> list[str]:
    """Nodes, classes and attributes that this engine does not set."""
    faults = []
    for math in find(chapter.blocks, "Math"):
        code = math["c"][1]
        faults.append(chapter.fault(code, f"math is not supported, write it as text: {code}"))
    for raw in find(chapter.blocks, "RawBlock", "RawInline"):
        format_name, code = raw["c"]
        if format_name not in FORMATS:
            faults.append(chapter.fault(code, f"raw {format_name} is not supported: {code}"))
    for figure in find(chapter.blocks, "Figure"):
        words = text(figure["c"][1])
        faults.append(
            chapter.fault(words, "a figure must be a div, ::: {#fig-…} ![](…) and a caption :::")
        )
    for table in find(chapter.blocks, "Table"):
        if words := text(table["c"][1]):
            faults.append(
                chapter.fault(words, "a table with a caption must be a div, ::: {#tbl-…}")
            )
    for mark in find(chapter.blocks, "Span"):
        if "page-break" in classes(mark) and not is_alone(chapter, mark):
            faults.append(f"{chapter.path}: {{{{< pagebreak >}}}} needs blank lines around it")
    for node in find(chapter.blocks, *ATTR_TYPES):
        faults += [f"{chapter.path}: {fault}" for fault in attr_faults(node)]
    return faults


def is_alone(chapter: Chapter, mark: Node) -> bool:
    """Whether a page-break mark is a paragraph of its own."""
    return any(
        para["c"][0] is mark and len(para["c"]) == 1 for para in find(chapter.blocks, "Para")
    )


def attr_faults(node: Node) -> list[str]:
    """Unsupported ids, classes and attributes of one node."""
    id_, names, pairs = attr(node)
    faults = []
    if OTHER_PREFIXES.match(id_):
        faults.append(f"#{id_}: only fig-, tbl- and sec- are numbered")
    if FLOAT_ID.match(id_) and node["t"] != "Div":
        faults.append(f"#{id_}: figures and tables must be divs, ::: {{#{id_}}} … :::")
    for name in names:
        kind = name.removeprefix("callout-")
        unknown_callout = kind not in (name, *CALLOUTS, "title")
        if QUARTO_CLASSES.match(name) or unknown_callout:
            faults.append(f"class .{name} is not supported by the built-in engine")
    for key, value in pairs:
        if QUARTO_ATTRIBUTES.match(key) or (key in CONDITIONS and value not in FORMATS):
            faults.append(f'attribute {key}="{value}" is not supported by the built-in engine')
    return faults


def conditional_faults(chapter: Chapter) -> list[str]:
    """A block for one format must say which."""
    return [
        f"{chapter.path}: .{sorted(CONDITIONAL & set(classes(node)))[0]} needs "
        f"{' or '.join(CONDITIONS)}"
        for node in find(chapter.blocks, "Div", "Span")
        if CONDITIONAL & set(classes(node))
        and not any(attribute(node, condition) for condition in CONDITIONS)
    ]


def id_faults(chapter: Chapter) -> list[str]:
    """An id may stand once on a page."""
    counts = Counter(identifier(node) for node in find(chapter.blocks, *ATTR_TYPES))
    return [
        chapter.fault(f"#{id_}", f"duplicate id #{id_} ({count} times)")
        for id_, count in counts.items()
        if id_ and count > 1
    ]


def image_faults(root: Path, chapter: Chapter) -> list[str]:
    """Images must be files of the project."""
    faults = []
    for image in find(chapter.blocks, "Image"):
        url = image["c"][2][0]
        if urlsplit(url).scheme or not (root / local_path(chapter.path, url)).is_file():
            faults.append(chapter.fault(url, f"no such image file: {url}"))
    return faults


def local_path(chapter_path: str, url: str) -> str:
    """The path from the project's root of a file that the chapter's source names."""
    return normpath(join(dirname(chapter_path), unquote(urlsplit(url).path)))


def only_for(format_name: str, blocks: list[Node]) -> list[Node]:
    """A copy of `blocks` without what is hidden in the format."""

    def change(node: Node) -> list[Node] | None:
        if node["t"] not in ("Div", "Span") or not CONDITIONAL & set(classes(node)):
            return None
        matches = attribute(node, "when-format") == format_name or attribute(
            node, "unless-format"
        ) not in (None, format_name)
        inner: list[Node] = node["c"][1]
        return inner if matches == ("content-visible" in classes(node)) else []

    copy: list[Node] = rewrite(blocks, change)
    return copy


def is_page_break(node: Node) -> bool:
    """Whether a paragraph is the mark of {{< pagebreak >}}."""
    return any(child["t"] == "Span" and "page-break" in classes(child) for child in node["c"])
