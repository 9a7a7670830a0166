"""Writes one HTML page per chapter, where Quarto would put it and with its ids and classes."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from posixpath import dirname, relpath
from string import Template

from render.builtin.config import Book
from render.builtin.crossref import BOOK_LINK, NO_BREAK_SPACE, float_parts
from render.builtin.document import (
    FLOAT_ID,
    Chapter,
    callout_kind,
    callout_parts,
    is_page_break,
    local_path,
)
from render.builtin.nodes import (
    Node,
    attr,
    attribute,
    classes,
    div,
    find,
    identifier,
    raw,
    rewrite,
    span,
    string,
    text,
)
from render.builtin.page import STYLE_NAME, Page, html_path, page_values
from render.builtin.pandoc import write
from render.builtin.style import style_sheet

TEMPLATE = Path(__file__).parent.parent / "builtin.html"
# Quarto's own suffix for the ids of captions.
CAPTION_ID = "-caption-0ceaefa1-69ba-4598-a22c-09a6ac19f8ca"
# What pandoc writes of one chapter: three parts, for the frame to put in their places.
MARK = "<!--part-->"
FRAGMENT = MARK.join(("$chaptertitle$", "$toc$", "$body$"))


def write_html(book: Book, chapters: list[Chapter], root: Path, folder: Path) -> None:
    """Write all pages, their style sheet and the files they show into `folder`."""
    fragment = folder / "fragment.html"
    fragment.write_text(FRAGMENT, encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        pages = list(pool.map(lambda chapter: write_page(book, chapter, fragment), chapters))
    fragment.unlink()
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    for number, page in enumerate(pages):
        path = folder / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.substitute(page_values(book, pages, number)), encoding="utf-8")
    (folder / STYLE_NAME).write_text(style_sheet(book.html.styles), encoding="utf-8")
    copy_files(book, chapters, root, folder)


def write_page(book: Book, chapter: Chapter, fragment: Path) -> Page:
    """Let pandoc write one chapter."""
    lowering = Lowering(chapter, book.html.code_fold)
    # The frame has the chapter's heading; the first page has the book's title there instead.
    body = chapter.blocks if chapter.path == "index.qmd" else chapter.blocks[1:]
    title = rewrite(chapter.heading["c"][2], lowering.change)
    written = write(
        rewrite(body, lowering.change),
        {"chaptertitle": {"t": "MetaInlines", "c": title}},
        [
            "--to=html5",
            "--section-divs",
            "--toc",
            f"--toc-depth={book.html.toc_depth}",
            f"--template={fragment}",
        ],
    )
    return Page(chapter, *(part.strip() for part in written.split(MARK)))


class Lowering:
    """Turns what pandoc does not know into the HTML that Quarto makes of it."""

    def __init__(self, chapter: Chapter, code_fold: bool | str) -> None:
        self.chapter = chapter
        self.code_fold = code_fold

    def change(self, node: Node) -> list[Node] | None:
        """Rewrite one node."""
        kind = node["t"]
        if kind == "Header":
            return self.header(node)
        if kind == "Div" and FLOAT_ID.match(identifier(node)):
            return self.floating(node)
        if callout := callout_kind(node):
            return self.callout(node, callout)
        if kind == "CodeBlock" and "cell-code" in classes(node):
            return self.cell_code(node)
        if kind == "Table":
            return [self.scrolling(node)]
        if kind == "Image":
            return self.image(node)
        if kind == "Link":
            return self.link(node)
        if kind == "Para" and is_page_break(node):
            return [raw("RawBlock", "html", '<div class="page-break"></div>')]
        return None

    def header(self, node: Node) -> list[Node]:
        """The section's number before its text."""
        if number := attribute(node, "number"):
            node["c"][2][:0] = [span("header-section-number", [string(number)]), {"t": "Space"}]
        return [node]

    def floating(self, node: Node) -> list[Node]:
        """A figure with its caption below, a table with its caption above."""
        id_ = identifier(node)
        kind = id_[:3]
        word, number, content, caption = float_parts(node)
        place = "bottom" if kind == "fig" else "top"
        names = f"quarto-float-caption-{place} quarto-float-caption quarto-float-{kind}"
        caption_blocks = [
            raw("RawBlock", "html", f'<figcaption class="{names}" id="{id_}{CAPTION_ID}">'),
            {
                "t": "Plain",
                "c": [string(f"{word}{NO_BREAK_SPACE}{number}:"), {"t": "Space"}, *caption],
            },
            raw("RawBlock", "html", "</figcaption>"),
        ]
        for scroller in find(content, "Div"):
            if "table-scroll" in classes(scroller):
                attr(scroller)[2][-1] = ["aria-labelledby", id_ + CAPTION_ID]
        described = [["aria-describedby", id_ + CAPTION_ID]]
        if kind == "fig":
            # On a phone a figure scrolls inside itself, also with the keyboard.
            described += [["tabindex", "0"], ["role", "group"], ["aria-label", "Figure"]]
        body = [div("", [], described, content)]
        parts = body + caption_blocks if kind == "fig" else caption_blocks + body
        figure = f'<figure class="quarto-float quarto-float-{kind} figure">'
        return [
            div(
                id_,
                [*classes(node), "quarto-float", "quarto-figure", "quarto-figure-center"],
                [pair for pair in attr(node)[2] if pair[0] != "number"],
                [raw("RawBlock", "html", figure), *parts, raw("RawBlock", "html", "</figure>")],
            )
        ]

    def callout(self, node: Node, kind: str) -> list[Node]:
        """A box with a title; one that collapses is a <details>, so it works without scripts."""
        title, body = callout_parts(node)
        names = f"callout callout-style-default callout-{kind} callout-titled"
        collapse = attribute(node, "collapse")
        if collapse is None:
            outer, head = "div", "div"
        else:
            outer, head = "details", "summary"
        opened = " open" if collapse == "false" else ""
        id_ = f' id="{escape(identifier(node))}"' if identifier(node) else ""
        # Who hears the page must hear what the colour says.
        spoken = (
            ""
            if text(title).lower() == kind
            else (f'<span class="screen-reader-only">{kind.capitalize()}: </span>')
        )
        return [
            raw("RawBlock", "html", f'<{outer}{id_} class="{names}"{opened}>'),
            raw("RawBlock", "html", f'<{head} class="callout-header">'),
            {"t": "Plain", "c": [raw("RawInline", "html", spoken), *title]},
            raw("RawBlock", "html", f'</{head}><div class="callout-body">'),
            *body,
            raw("RawBlock", "html", f"</div></{outer}>"),
        ]

    def cell_code(self, node: Node) -> list[Node]:
        """A cell's code, folded where it or the book says so."""
        own = attribute(node, "code-fold")
        fold = own if own is not None else str(self.code_fold).lower()
        attr(node)[2] = [pair for pair in attr(node)[2] if pair[0] != "code-fold"]
        if fold not in ("true", "show"):
            return [node]
        opened = " open" if fold == "show" else ""
        return [
            raw("RawBlock", "html", f'<details class="code-fold"{opened}><summary>Code</summary>'),
            node,
            raw("RawBlock", "html", "</details>"),
        ]

    def scrolling(self, node: Node) -> Node:
        """A wide table scrolls inside itself, also with the keyboard."""
        pairs = [["tabindex", "0"], ["role", "region"], ["aria-label", "Table"]]
        return div("", ["table-scroll"], pairs, [node])

    def image(self, node: Node) -> list[Node]:
        """The alternative text stands in `fig-alt`."""
        alt = attribute(node, "fig-alt")
        if alt is not None:
            attr(node)[2] = [pair for pair in attr(node)[2] if pair[0] != "fig-alt"]
            node["c"][1] = [string(alt)] if alt else []
        classes(node).append("img-fluid")
        return [node]

    def link(self, node: Node) -> list[Node] | None:
        """Links inside the book, from this page."""
        url = node["c"][2][0]
        if not url.startswith(BOOK_LINK):
            return None
        path, _, fragment = url.removeprefix(BOOK_LINK).partition("#")
        page = "" if path == self.chapter.path else self.relative(html_path(path))
        node["c"][2][0] = f"{page}#{fragment}"
        return [node]

    def relative(self, path: str) -> str:
        """A path in the book as this page writes it."""
        return relpath(path, dirname(html_path(self.chapter.path)) or ".")


def copy_files(book: Book, chapters: list[Chapter], root: Path, folder: Path) -> None:
    """Copy the images that the chapters show and the project's resources."""
    paths = {
        local_path(chapter.path, image["c"][2][0])
        for chapter in chapters
        for image in find(chapter.blocks, "Image")
    }
    for pattern in book.resources:
        paths |= {
            path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file()
        }
    for path in sorted(paths):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, folder / path)
