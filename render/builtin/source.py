"""Reads a chapter's source: front matter, Markdown, inline expressions and code cells.

Only what runs or what pandoc does not know is looked at here; the Markdown itself is pandoc's.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from render.builtin.config import names, refuse_unknown_keys
from render.errors import BookError
from render.project import read_yaml

FRONT_MATTER = frozenset(
    names("", "title engine jupyter") | names("execute.", "echo output warning include eval")
)
# Each cell option with the values it may take; a label is free.
CELL_OPTIONS: dict[str, tuple[bool | str, ...]] = {
    "label": (),
    "echo": (True, False),
    "output": (True, False, "asis"),
    "include": (True, False),
    "eval": (True, False),
    "warning": (True, False),
    "code-fold": (True, False, "show"),
}
FENCE = re.compile(r"^(?P<indent>\s*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")
CELL_INFO = re.compile(r"^\s*\{+(?P<language>[A-Za-z][\w-]*)(?P<rest>[^}]*)\}+\s*$")
# The same pattern as Quarto's.
INLINE = re.compile(r"(?<!`)`\{python\}[ \t]([^`]+)`")
OTHER_INLINE = re.compile(r"(?<!`)`\{(r|julia|ojs)\}[ \t]")
SHORTCODE = re.compile(r"\{\{+<.*?>\}+\}")
PAGEBREAK = re.compile(r"^\{\{<[ \t]*pagebreak[ \t]*>\}\}[ \t]*$", re.MULTILINE)
# One line for one line, so that line numbers stay true; becomes a raw block later.
PAGEBREAK_MARK = "[]{.page-break}"


@dataclass(frozen=True)
class Text:
    """Markdown for pandoc; `line` is the source line (from 1) on which it starts."""

    text: str
    line: int


@dataclass(frozen=True)
class Inline:
    """An expression whose value stands in the text."""

    expression: str
    line: int


@dataclass(frozen=True)
class Cell:
    """A ```{python} cell; `code` without its option lines."""

    code: str
    options: dict[str, Any]
    line: int


Piece = Text | Inline | Cell


@dataclass
class Source:
    """One chapter as written; `path` is relative to the project's root."""

    path: str
    front: dict[str, Any]
    pieces: list[Piece] = field(default_factory=list)


def read_source(root: Path, path: str) -> Source:
    """Read the chapter at `root`/`path`.

    Raises:
        BookError: something the built-in engine does not support, with file and line.
    """
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    front: dict[str, Any] = {}
    start = 0
    if lines and lines[0].rstrip() == "---":
        ends = [i for i, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")]
        if not ends:
            raise BookError(f"{path}:1: the front matter has no closing ---")
        start = ends[0] + 1
        front = read_yaml("\n".join(lines[1 : ends[0]]), path)
        refuse_unknown_keys(front, path, FRONT_MATTER)
    return Source(path, front, Scanner(path, lines, start).scan())


class Scanner:
    """Goes through a chapter's lines once and cuts them into pieces."""

    def __init__(self, path: str, lines: list[str], start: int) -> None:
        self.path = path
        self.lines = lines
        self.next = start
        self.pieces: list[Piece] = []
        self.prose: list[str] = []
        self.prose_line = start + 1

    def scan(self) -> list[Piece]:
        """All pieces in order."""
        in_comment = False
        while self.next < len(self.lines):
            line = self.lines[self.next]
            fence = None if in_comment else FENCE.match(line)
            if fence:
                self.take_fence(fence)
                continue
            line, in_comment = without_comments(line, in_comment)
            self.prose.append(line)
            self.next += 1
        self.end_prose()
        return self.pieces

    def take_fence(self, fence: re.Match[str]) -> None:
        """A fenced block: a cell to run, or code that stays as it is."""
        opened = self.next
        ticks = fence["ticks"]
        closing = re.compile(rf"^\s*{re.escape(ticks[0])}{{{len(ticks)},}}\s*$")
        body = []
        self.next += 1
        while self.next < len(self.lines) and not closing.match(self.lines[self.next]):
            body.append(self.lines[self.next])
            self.next += 1
        if self.next == len(self.lines):
            raise BookError(f"{self.path}:{opened + 1}: this code block is never closed")
        self.next += 1
        self.end_prose()
        info = CELL_INFO.match(fence["info"])
        if info is None:
            for offset, line in enumerate(body, opened + 2):
                self.refuse_in_code(line, offset)
            self.pieces.append(Text("\n".join(self.lines[opened : self.next]) + "\n", opened + 1))
        else:
            if info["language"] != "python" or info["rest"].strip() or "{{" in fence["info"]:
                raise BookError(
                    f"{self.path}:{opened + 1}: only plain ```{{python}} cells are run, "
                    f"found {fence['info'].strip()}; options go on #| lines"
                )
            if fence["indent"]:
                raise BookError(f"{self.path}:{opened + 1}: a cell must not be indented")
            self.pieces.append(self.cell(body, opened + 1))
        self.prose_line = self.next + 1

    def refuse_in_code(self, line: str, number: int) -> None:
        """Quarto would run or replace these even inside shown code."""
        if INLINE.search(line) or SHORTCODE.search(line):
            raise BookError(
                f"{self.path}:{number}: inline expressions and shortcodes are not supported "
                f"inside a code block: {line.strip()}"
            )

    def cell(self, body: list[str], line: int) -> Cell:
        """Split a cell's option lines from its code."""
        count = next((i for i, text in enumerate(body) if not text.startswith("#|")), len(body))
        where = f"{self.path}:{line}"
        yaml = "\n".join(text[2:].removeprefix(" ") for text in body[:count])
        options = read_yaml(yaml, f"{where}: cell options")
        for name, value in options.items():
            check_option(where, name, value)
        return Cell("\n".join(body[count:]), options, line)

    def end_prose(self) -> None:
        """Cut the collected prose at its inline expressions."""
        text = "".join(f"{line}\n" for line in self.prose)
        line = self.prose_line
        self.refuse_in_prose(text, line)
        text = PAGEBREAK.sub(PAGEBREAK_MARK, text)
        done = 0
        for match in INLINE.finditer(text):
            self.pieces.append(Text(text[done : match.start()], line))
            line += text.count("\n", done, match.start())
            self.pieces.append(Inline(match[1].strip(), line))
            line += match.group().count("\n")
            done = match.end()
        self.pieces.append(Text(text[done:], line))
        self.prose = []

    def refuse_in_prose(self, text: str, start: int) -> None:
        """Shortcodes other than a pagebreak alone on its line, and other languages' values."""
        for pattern, what in ((SHORTCODE, "shortcode"), (OTHER_INLINE, "inline expression")):
            for match in pattern.finditer(PAGEBREAK.sub("", text)):
                line = start + text.count("\n", 0, text.index(match.group()))
                raise BookError(
                    f"{self.path}:{line}: unknown {what} {match.group()}; of shortcodes "
                    "{{< pagebreak >}} is known, alone on its line; of languages python"
                )


def check_option(where: str, name: str, value: Any) -> None:
    """Raise a BookError unless the cell option is known and its value allowed."""
    allowed = CELL_OPTIONS.get(name)
    if allowed is None:
        raise BookError(f"{where}: unknown cell option {name}; known are {', '.join(CELL_OPTIONS)}")
    if name == "label":
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][\w-]*", value):
            raise BookError(f"{where}: a label is letters, digits and hyphens, found {value!r}")
        if value.startswith(("fig-", "tbl-")):
            raise BookError(
                f"{where}: label {value}: write the figure or table as a div, "
                f"::: {{#{value}}} … :::, from a cell with output: asis"
            )
    elif not any(type(value) is type(option) and value == option for option in allowed):
        words = ", ".join(str(option).lower() for option in allowed)
        raise BookError(f"{where}: {name} must be one of {words}, found {value!r}")


def without_comments(line: str, in_comment: bool) -> tuple[str, bool]:
    """Take HTML comments out of a line, also one that goes over several lines."""
    kept = ""
    while True:
        if in_comment:
            end = line.find("-->")
            if end < 0:
                return kept, True
            line, in_comment = line[end + 3 :], False
        start = line.find("<!--")
        # An odd number of backticks before it: shown as code, not a comment.
        if start < 0 or line[:start].count("`") % 2:
            return kept + line, False
        kept, line, in_comment = kept + line[:start], line[start + 4 :], True
