"""The frame around a chapter's text: head, title, navigation."""

import datetime
import functools
from dataclasses import dataclass
from html import escape
from posixpath import dirname, relpath

from render.builtin.config import Book
from render.builtin.document import Chapter
from render.builtin.nodes import identifier, text
from render.builtin.pandoc import inlines, write

STYLE_NAME = "book.css"


@dataclass(frozen=True)
class Page:
    """One page's parts, written."""

    chapter: Chapter
    title: str
    toc: str
    body: str

    @property
    def path(self) -> str:
        """The page's path in the book."""
        return html_path(self.chapter.path)


def html_path(chapter_path: str) -> str:
    """The page of a chapter's source."""
    return chapter_path.removesuffix(".qmd") + ".html"


def page_values(book: Book, pages: list[Page], number: int) -> dict[str, str]:
    """What the page template needs."""
    page = pages[number]
    plain_title = text(inlines(book.title))
    heading = page_title(page)
    parts = [numbered(page.chapter), text(page.chapter.heading), plain_title]
    is_index = page.path == "index.html"
    return {
        "lang": escape(book.lang),
        "title": escape(plain_title if is_index else " – ".join(filter(None, parts))),
        "meta": meta_tags(book),
        "style": to(page, STYLE_NAME),
        "head": book.html.header,
        "home": to(page, "index.html"),
        "book_title": html_inlines(book.title),
        "tools": tools(book, page),
        "sidebar": sidebar(pages, number),
        "toc": contents(book, page),
        "heading": title_block(book) if is_index else heading,
        "body": page.body,
        "pager": pager(pages, number),
    }


def to(page: Page, path: str) -> str:
    """A path in the book as `page` writes it."""
    return relpath(path, dirname(page.path) or ".")


def numbered(chapter: Chapter) -> str:
    """A chapter's number as its heading has it: 3, Appendix A, or nothing."""
    return (
        f"Appendix {chapter.number}" if chapter.number and chapter.is_appendix else chapter.number
    )


def page_title(page: Page) -> str:
    """The chapter's heading with Quarto's ids and classes."""
    number = numbered(page.chapter)
    gap = " — " if page.chapter.is_appendix else "&nbsp; "
    prefix = f'<span class="chapter-number">{number}</span>{gap}' if number else ""
    id_ = escape(identifier(page.chapter.heading))
    return (
        f'<h1 class="title"><span id="{id_}" class="quarto-section-identifier">{prefix}'
        f'<span class="chapter-title">{page.title}</span></span></h1>'
    )


def title_block(book: Book) -> str:
    """The book's own title, on its first page."""
    parts = [f'<h1 class="title">{html_inlines(book.title)}</h1>']
    if book.subtitle:
        parts.append(f'<p class="subtitle lead">{html_inlines(book.subtitle)}</p>')
    if book.description:
        parts.append(f'<p class="description">{html_inlines(book.description)}</p>')
    if book.authors:
        parts.append(f'<p class="author">{escape(", ".join(book.authors))}</p>')
    if book.date:
        parts.append(f'<p class="date">{written_date(book)}</p>')
    return "\n".join(parts)


def written_date(book: Book) -> str:
    """The date in words where the book is in English, else as YYYY-MM-DD."""
    if not book.date or not book.lang.startswith("en"):
        return book.date
    day = datetime.date.fromisoformat(book.date)
    return f"{day.day} {day:%B %Y}"


@functools.cache
def html_inlines(markdown: str) -> str:
    """A short Markdown text as HTML."""
    return write([{"t": "Plain", "c": inlines(markdown)}], {}, ["--to=html5"]).strip()


def meta_tags(book: Book) -> str:
    """Author, date and description for machines."""
    pairs = [("author", author) for author in book.authors]
    pairs += [("dcterms.date", book.date)] if book.date else []
    if book.description:
        pairs.append(("description", text(inlines(book.description))))
    return "\n".join(f'<meta name="{name}" content="{escape(value)}">' for name, value in pairs)


def tools(book: Book, page: Page) -> str:
    """Links to the PDF and the sources."""
    links = []
    if book.offers_pdf:
        links.append(f'<a href="{to(page, f"{book.output_file}.pdf")}">PDF</a>')
    if book.repo_url:
        links.append(f'<a href="{escape(book.repo_url)}">Source</a>')
    return " ".join(links)


def sidebar(pages: list[Page], number: int) -> str:
    """The whole book, this page marked."""
    items = []
    for other, page in enumerate(pages):
        if page.chapter.is_appendix and not pages[other - 1].chapter.is_appendix:
            items.append('</ul>\n<p class="sidebar-heading">Appendices</p>\n<ul>')
        current = ' aria-current="page"' if other == number else ""
        items.append(
            f'<li><a href="{to(pages[number], page.path)}"{current}>{entry(page)}</a></li>'
        )
    return "\n".join(["<ul>", *items, "</ul>"])


def entry(page: Page) -> str:
    """A chapter's name in navigation."""
    number = page.chapter.number
    prefix = f'<span class="chapter-number">{number}</span>&nbsp; ' if number else ""
    return f'{prefix}<span class="chapter-title">{page.title}</span>'


def contents(book: Book, page: Page) -> str:
    """The page's own contents, nothing if it has no sections."""
    if not book.html.toc or not page.toc:
        return ""
    return (
        '<details class="page-toc">\n'
        f'<summary id="toc-title">{escape(book.html.toc_title)}</summary>\n'
        f'<nav id="TOC" role="doc-toc" aria-labelledby="toc-title">\n{page.toc}\n</nav>\n</details>'
    )


def pager(pages: list[Page], number: int) -> str:
    """Links to the pages before and after this one."""
    links = []
    for other, name, word in ((number - 1, "previous", "Previous"), (number + 1, "next", "Next")):
        if 0 <= other < len(pages):
            links.append(
                f'<a class="nav-page nav-page-{name}" rel="{name[:4]}" '
                f'href="{to(pages[number], pages[other].path)}">'
                f'<span class="nav-word">{word}</span> {entry(pages[other])}</a>'
            )
    return "\n".join(links)
