"""Calls pandoc: it reads the Markdown, sets the citations, and writes HTML and Typst."""

import functools
import json
import re
import subprocess
from typing import Any

import pypandoc

from render.builtin.execute import Woven
from render.builtin.nodes import Node
from render.errors import BookError

# As Quarto reads it; the front matter is already off, so --- is a rule.
READER = "markdown-yaml_metadata_block-table_attributes"


def pandoc(arguments: list[str], text: str) -> tuple[str, str]:
    """Run pandoc on `text`; returns its output and its warnings.

    Raises:
        BookError: pandoc failed.
    """
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), *arguments],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise BookError(f"pandoc failed: {said}")
    return done.stdout.decode(), said


def read_markdown(woven: Woven) -> list[Node]:
    """The blocks of a chapter.

    Raises:
        BookError: pandoc is not sure what is meant (a div never closed, a note never used).
    """
    arguments = ["--from", READER, "--to", "json", "--strip-comments"]
    output, warnings = pandoc(arguments, woven.text)
    if warnings:

        def in_source(match: re.Match[str]) -> str:
            return f"line {woven.source_line(int(match[1]))}"

        warnings = re.sub(r"line (\d+)(?: column \d+)?", in_source, warnings)
        raise BookError(f"{woven.path}: {warnings.replace('[WARNING] ', '')}")
    blocks: list[Node] = json.loads(output)["blocks"]
    return blocks


@functools.cache
def api_version() -> list[int]:
    """The version that pandoc's JSON must carry."""
    version: list[int] = json.loads(pandoc(["--to", "json"], "")[0])["pandoc-api-version"]
    return version


@functools.cache
def inlines(markdown: str) -> list[Node]:
    """A short Markdown text (a title) as inline nodes."""
    blocks = json.loads(pandoc(["--from", READER, "--to", "json"], markdown)[0])["blocks"]
    if len(blocks) != 1 or blocks[0]["t"] not in ("Para", "Plain"):
        raise BookError(f"a title must be one line of text, found {markdown!r}")
    found: list[Node] = blocks[0]["c"]
    return found


def write(blocks: list[Node], meta: dict[str, Any], arguments: list[str]) -> str:
    """Write blocks in the format that `arguments` name.

    Raises:
        BookError: pandoc warned; what it leaves out would be missing from the book.
    """
    document = {"pandoc-api-version": api_version(), "meta": meta, "blocks": blocks}
    output, warnings = pandoc(
        ["--from", "json", "--wrap", "none", *arguments], json.dumps(document)
    )
    if warnings:
        raise BookError(f"pandoc warned: {warnings.replace('[WARNING] ', '')}")
    return output
