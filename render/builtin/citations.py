"""Sets the citations of the whole book at once, so that 2017a is the same everywhere."""

import json
from pathlib import Path

from render.builtin.config import Book
from render.builtin.crossref import BOOK_LINK
from render.builtin.document import Chapter
from render.builtin.nodes import Node, attr, attribute, div, find, identifier, rewrite
from render.builtin.pandoc import api_version, pandoc
from render.errors import BookError


def set_citations(book: Book, chapters: list[Chapter]) -> None:
    """Replace citations by their text and fill `::: {#refs}`, in place.

    Raises:
        BookError: lists all citation keys that the bibliography lacks; or no place for the
            reference list.
    """
    cited = {item["citationId"] for chapter in chapters for item in citations(chapter.blocks)}
    if not cited:
        return
    refuse_unknown_keys(chapters, cited - bibliography_keys(book.bibliography))
    meta = {
        "bibliography": {"t": "MetaList", "c": [string(path) for path in book.bibliography]},
        "link-citations": {"t": "MetaBool", "c": book.link_citations},
        "lang": string(book.lang),
    }
    if book.csl:
        meta["csl"] = string(book.csl)
    parts = [div("", [], [["chapter", chapter.path]], chapter.blocks) for chapter in chapters]
    document = {"pandoc-api-version": api_version(), "meta": meta, "blocks": parts}
    output, warnings = pandoc(
        ["--from", "json", "--to", "json", "--citeproc"], json.dumps(document)
    )
    if warnings:
        raise BookError(f"setting the citations: {warnings}")
    by_path = {attribute(part, "chapter"): part["c"][1] for part in json.loads(output)["blocks"]}
    for chapter in chapters:
        chapter.blocks = by_path[chapter.path]
    link_to_references(chapters)


def citations(tree: list[Node]) -> list[Node]:
    """Each single citation of a work."""
    return [item for cite in find(tree, "Cite") for item in cite["c"][0]]


def string(value: object) -> Node:
    """A value of the metadata."""
    return {"t": "MetaString", "c": str(value)}


def bibliography_keys(files: list[Path]) -> set[str]:
    """The keys of all entries."""
    keys: set[str] = set()
    for path in files:
        source = "csljson" if path.suffix == ".json" else "biblatex"
        output, _ = pandoc(["--from", source, "--to", "csljson", str(path)], "")
        keys |= {entry["id"] for entry in json.loads(output)}
    return keys


def refuse_unknown_keys(chapters: list[Chapter], unknown: set[str]) -> None:
    """Raise a BookError that names each unknown key with its chapters."""
    faults = []
    for chapter in chapters:
        here = {item["citationId"] for item in citations(chapter.blocks)}
        faults += [chapter.fault(f"@{key}", f"unknown @{key}") for key in sorted(here & unknown)]
    if faults:
        raise BookError.listing("citations that no bibliography file has", faults)


def link_to_references(chapters: list[Chapter]) -> None:
    """Let citations lead to the chapter that holds the reference list."""
    homes = [
        chapter.path
        for chapter in chapters
        if any(identifier(node) == "refs" for node in find(chapter.blocks, "Div"))
    ]
    if len(homes) != 1:
        raise BookError(
            "citations need one place for the reference list, ::: {#refs} ::: in one chapter; "
            f"found in {', '.join(homes) or 'none'}"
        )

    def change(node: Node) -> list[Node] | None:
        if node["t"] != "Link" or not node["c"][2][0].startswith("#ref-"):
            return None
        node["c"][2][0] = f"{BOOK_LINK}{homes[0]}{node['c'][2][0]}"
        attr(node)[2].append(["role", "doc-biblioref"])
        return [node]

    for chapter in chapters:
        chapter.blocks = rewrite(chapter.blocks, change)
