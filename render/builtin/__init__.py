"""The built-in engine: pandoc reads and writes, Jupyter runs the code, Typst sets the PDF.

The smallest thing that renders this book's chapters where there is no Quarto: the same sources,
ids and numbers, plainer looks. It refuses what it does not know.
"""

import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from render.builtin.citations import set_citations
from render.builtin.config import read_book
from render.builtin.crossref import number_and_link, shown_in
from render.builtin.document import FORMATS, Chapter, read_chapter
from render.builtin.execute import Woven, weave
from render.builtin.html import write_html
from render.builtin.pdf import write_pdf
from render.builtin.source import read_source
from render.errors import BookError
from render.project import Project


def render_builtin(project: Project, folder: Path, environment: dict[str, str]) -> None:
    """Render the book as HTML and PDF into `folder`.

    Raises:
        BookError: with file, line and what to do.
    """
    book = read_book(project)
    for command in book.pre_render:
        run_command(command, project.root, environment)
    paths = [*book.chapters, *book.appendices]
    sources = [read_source(project.root, path) for path in paths]
    woven = weave(sources, project.root, environment, book.execute, book.jupyter_everywhere)

    def read(text: Woven) -> tuple[Chapter, list[str]]:
        return read_chapter(project.root, text.path, text.path in book.appendices, text)

    # Each chapter is parsed while the next one runs; later, web and paper are set side by side.
    with ThreadPoolExecutor() as pool:
        parsed = list(pool.map(read, woven))
        if faults := [fault for _, found in parsed for fault in found]:
            raise BookError.listing("the built-in engine cannot set this", faults)
        chapters = [chapter for chapter, _ in parsed]
        number_and_link(chapters, book.number_sections)
        set_citations(book, chapters)
        for_web, for_paper = (shown_in(name, chapters) for name in FORMATS)
        print("render: writing the pages and setting the PDF", flush=True)
        pages = pool.submit(write_html, book, for_web, project.root, folder)
        epoch = environment.get("SOURCE_DATE_EPOCH")
        write_pdf(
            book,
            for_paper,
            project.root,
            folder,
            environment["TYPST_FONT_PATHS"],
            int(epoch) if epoch else None,
        )
        pages.result()


def run_command(command: str, root: Path, environment: dict[str, str]) -> None:
    """Run a pre-render command in the project's root, as Quarto would.

    Raises:
        BookError: it failed.
    """
    print(f"render: {command}", flush=True)
    words = shlex.split(command, posix=os.name == "posix")
    if words[0].endswith(".py"):
        words = [sys.executable, *words]
    elif words[0] == "python":
        # Not left to the search path: Windows looks beside the running program first.
        words[0] = sys.executable
    try:
        done = subprocess.run(words, cwd=root, env=environment, check=False)
    except OSError as error:
        raise BookError(f"pre-render command {command!r}: {error}") from None
    if done.returncode:
        raise BookError(f"pre-render command {command!r} failed with code {done.returncode}")
