"""Writes the book as one Typst document and sets it as PDF."""

import datetime
import re
from pathlib import Path
from urllib.parse import urlsplit

import typst

from render.builtin.config import Book
from render.builtin.crossref import BOOK_LINK, float_parts
from render.builtin.document import (
    FLOAT_ID,
    Chapter,
    callout_kind,
    callout_parts,
    is_page_break,
    local_path,
)
from render.builtin.nodes import (
    ATTR_TYPES,
    Node,
    attr,
    attribute,
    classes,
    identifier,
    raw,
    rewrite,
    text,
)
from render.builtin.page import written_date
from render.builtin.pandoc import inlines, write
from render.errors import BookError

TEMPLATE = Path(__file__).parent.parent / "builtin.typ"
# Ids that stand once in the book; all others are made so by their chapter's path.
BOOK_WIDE_ID = re.compile(r"(?:fig|tbl|sec|ref)-")


def write_pdf(
    book: Book,
    chapters: list[Chapter],
    root: Path,
    folder: Path,
    fonts: str,
    timestamp: int | None,
) -> None:
    """Set the book as `folder`/OUTPUT_FILE.pdf.

    Only the fonts that come with the typst package and those in the folder `fonts` are used,
    and no clock, so every machine makes the same file. `timestamp` is in seconds since 1970.

    Raises:
        BookError: Typst failed or warned.
    """
    blocks = [block for chapter in chapters for block in chapter_blocks(chapter)]
    header = folder / "header.typ"
    header.write_text(book.pdf.header, encoding="utf-8")
    source = write(blocks, metadata(book), arguments(book, header))
    header.unlink()
    type_faces = typst.Fonts(include_system_fonts=False, font_paths=[fonts])
    compiler = typst.Compiler(source.encode(), root=str(root), font_paths=type_faces)
    pdf = folder / f"{book.output_file}.pdf"
    try:
        _, warnings = compiler.compile_with_warnings(output=pdf, format="pdf", timestamp=timestamp)
    except typst.TypstError as error:
        raise BookError(f"Typst could not set the PDF: {error}") from None
    if warnings:
        raise BookError.listing("Typst warned", [str(warning) for warning in warnings])


def arguments(book: Book, header: Path) -> list[str]:
    """pandoc's arguments for the whole document."""
    chosen = {
        **book.pdf.variables,
        "toc-depth": str(book.pdf.toc_depth),
        "author-names": f"({''.join(f'{quoted(author)}, ' for author in book.authors)})",
        "document-date": "none",
    }
    if book.pdf.toc:
        chosen["toc"] = "true"
    if book.date:
        day = datetime.date.fromisoformat(book.date)
        chosen["document-date"] = f"datetime(year: {day.year}, month: {day.month}, day: {day.day})"
    return [
        # The citations are set already.
        "--to=typst-citations",
        "--syntax-highlighting=idiomatic",
        f"--template={TEMPLATE}",
        f"--include-in-header={header}",
        *(f"--variable={name}={value}" for name, value in chosen.items()),
    ]


def metadata(book: Book) -> dict[str, Node]:
    """Title page and document properties."""
    language, _, region = book.lang.partition("-")
    texts = {
        "plain-title": text(inlines(book.title)),
        "plain-description": text(inlines(book.description)) if book.description else "",
        "date": written_date(book),
        "language": language,
        "region": region,
    }
    markdown = {"title": book.title, "subtitle": book.subtitle, "description": book.description}
    return {
        **{name: {"t": "MetaString", "c": value} for name, value in texts.items() if value},
        **{
            name: {"t": "MetaInlines", "c": inlines(value)}
            for name, value in markdown.items()
            if value
        },
    }


def chapter_blocks(chapter: Chapter) -> list[Node]:
    """A chapter's blocks, ready for pandoc's Typst writer."""
    blocks: list[Node] = rewrite(chapter.blocks, Lowering(chapter.path).change)
    return blocks


class Lowering:
    """Turns what pandoc does not know into calls of Typst functions."""

    def __init__(self, path: str) -> None:
        self.path = path

    def change(self, node: Node) -> list[Node] | None:
        """Rewrite one node."""
        kind = node["t"]
        if kind == "Header":
            return [self.heading(node)]
        if kind == "Div":
            return self.div(node)
        if kind == "Table":
            # As it is, not in a figure of its own.
            classes(node).append("typst:no-figure")
            return [node]
        if kind == "Image":
            return [self.image(node)]
        if kind == "Link":
            return self.link(node)
        if kind == "Para" and is_page_break(node):
            return [raw("RawBlock", "typst", "#pagebreak(weak: true)")]
        if kind in ATTR_TYPES and identifier(node):
            attr(node)[0] = label(self.path, identifier(node))
            return [node]
        return None

    def heading(self, node: Node) -> Node:
        """A heading that shows the number it has in the HTML, in outline and bookmarks too."""
        level, _, content = node["c"]
        number = attribute(node, "number")
        numbering = f'(..) => "{number}"' if number else "none"
        outlined = "false" if "unlisted" in classes(node) else "true"
        return wrapped(
            f"#heading(level: {level}, numbering: {numbering}, outlined: {outlined})[",
            content,
            f"] {labelled(label(self.path, identifier(node)))}",
        )

    def div(self, node: Node) -> list[Node] | None:
        """Figures, tables, callouts and the reference list; other divs stay blocks."""
        if FLOAT_ID.match(identifier(node)):
            return self.floating(node)
        if kind := callout_kind(node):
            title, body = callout_parts(node)
            return [
                wrapped(f'#callout("{kind}", [', title, "])["),
                *body,
                raw("RawBlock", "typst", "]"),
            ]
        if identifier(node) == "refs":
            return [
                raw("RawBlock", "typst", "#references["),
                *node["c"][1],
                raw("RawBlock", "typst", "]"),
            ]
        if identifier(node):
            attr(node)[0] = label(self.path, identifier(node))
            return [node]
        return None

    def floating(self, node: Node) -> list[Node]:
        """A figure of Quarto's kinds, so that report.typ's rules fit both engines."""
        id_ = identifier(node)
        word, number, content, caption = float_parts(node)
        rest = (
            f'], kind: "quarto-float-{id_[:3]}", supplement: [{word}], '
            f'numbering: (..) => "{number}") {labelled(id_)}'
        )
        return [
            raw("RawBlock", "typst", "#figure(["),
            *content,
            wrapped("], caption: [", caption, rest),
        ]

    def image(self, node: Node) -> Node:
        """pandoc does not pass the alternative text on."""
        path = "/" + local_path(self.path, node["c"][2][0])
        alt = attribute(node, "fig-alt")
        values = [quoted(path), f"alt: {quoted(text(node['c'][1]) if alt is None else alt)}"]
        values += [
            f"{side}: {size}" for side in ("width", "height") if (size := attribute(node, side))
        ]
        return raw("RawInline", "typst", f"#box(image({', '.join(values)}))")

    def link(self, node: Node) -> list[Node] | None:
        """Links inside the book lead to labels; files lie beside the PDF."""
        url = node["c"][2][0]
        if url.startswith(BOOK_LINK):
            path, _, fragment = url.removeprefix(BOOK_LINK).partition("#")
            node["c"][2][0] = f"#{label(path, fragment)}"
            return [node]
        parts = urlsplit(url)
        if parts.path and not parts.scheme and not parts.netloc:
            node["c"][2][0] = local_path(self.path, url)
            return [node]
        return None


def wrapped(before: str, content: list[Node], after: str) -> Node:
    """Inline content between two pieces of Typst, without a paragraph around it."""
    return {
        "t": "Plain",
        "c": [raw("RawInline", "typst", before), *content, raw("RawInline", "typst", after)],
    }


def label(path: str, id_: str) -> str:
    """The label of an id in the chapter at `path`, one of a kind in the book."""
    if BOOK_WIDE_ID.match(id_):
        return id_
    return f"{path.removesuffix('.qmd').replace('/', '-')}--{id_}"


def labelled(name: str) -> str:
    """The label of what stands before it."""
    return f"#label({quoted(name)})" if name else ""


def quoted(value: str) -> str:
    """A Typst string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
