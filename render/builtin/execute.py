"""Runs the chapters' code in one Jupyter kernel and writes its results into their Markdown."""

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from render.builtin.source import SHORTCODE, Cell, Inline, Source, Text
from render.errors import BookError

DEFAULTS: dict[str, Any] = {
    "echo": True,
    "output": True,
    "include": True,
    "eval": True,
    "warning": True,
}
# What Markdown would read as markup in a plain text.
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$@])")
MEMORY_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")


@dataclass
class Woven:
    """A chapter's Markdown with all results in it.

    `ends[i]` is the source line to which the i-th newline of `text` (from 0) belongs, `last` that
    of what follows the last one.
    """

    path: str
    parts: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    last: int = 1

    @property
    def text(self) -> str:
        """The Markdown for pandoc."""
        return "".join(self.parts)

    def add(self, text: str, line: int, follows_source: bool = False) -> None:
        """Append `text`; it all came from source line `line`, or starts there and runs along."""
        self.parts.append(text)
        step = 1 if follows_source else 0
        newlines = text.count("\n")
        self.ends.extend(line + step * count for count in range(newlines))
        self.last = line + step * newlines

    def source_line(self, woven_line: int) -> int:
        """The source line of a line (from 1) of `text`."""
        return self.ends[woven_line - 1] if woven_line <= len(self.ends) else self.last


class ThisInterpreter(KernelSpecManager):
    """Knows one kernel: this very Python, whatever kernels the machine's user has set up."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel's command, whatever its name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "--log-level=40"]
        return KernelSpec(
            argv=[*argv, "-f", "{connection_file}"], display_name=kernel_name, language="python"
        )


class CodeError(Exception):
    """Code of a chapter failed; the text is the exception's."""


class Kernel:
    """One running kernel for the whole book: imports stay warm, names do not."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.count = 0

    def run(self, code: str) -> list[NotebookNode]:
        """Run code and return its outputs (nbformat's output objects).

        Raises:
            CodeError: the code raised, or the kernel died.
        """
        cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
        self.client.nb.cells = [cell]
        try:
            self.client.execute_cell(cell, 0)
        except CellExecutionError as error:
            raise CodeError(f"{error.ename}: {error.evalue}") from None
        except DeadKernelError:
            raise CodeError("the kernel died") from None
        return list(cell.outputs)

    def values(self, expressions: list[str]) -> list[dict[str, Any]]:
        """Evaluate expressions in one go: per expression, what IPython tells of its value."""
        # Nothing of ours may be left among the chapter's names, hence one expression.
        code = (
            "get_ipython().display_pub.publish({'application/json': "
            f"get_ipython().user_expressions({dict(enumerate(expressions))!r})}})"
        )
        results = self.run(code)[-1].data["application/json"]
        return [results[str(number)] for number in range(len(expressions))]

    def reset(self) -> None:
        """Forget all names, so that no chapter leans on another's."""
        self.run("%reset -f")


@contextmanager
def running_kernel(root: Path, environment: dict[str, str]) -> Iterator[Kernel]:
    """Start a kernel in `root`; it stops when the block is left."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),  # type: ignore[no-untyped-call]
        km=AsyncKernelManager(kernel_spec_manager=ThisInterpreter()),
        timeout=None,
        shutdown_kernel="immediate",
        coalesce_streams=True,
    )
    with client.setup_kernel(cwd=str(root), env=environment):
        yield Kernel(client)


class Weaver:
    """Weaves one chapter."""

    def __init__(self, source: Source, kernel: Kernel, defaults: dict[str, Any]) -> None:
        self.source = source
        self.kernel = kernel
        self.defaults = {**DEFAULTS, **defaults, **(source.front.get("execute") or {})}
        self.woven = Woven(source.path)

    def weave(self) -> Woven:
        """Run everything in the order of the text.

        Raises:
            BookError: code failed or gave something that cannot be shown, with file and line.
        """
        if title := self.source.front.get("title"):
            self.woven.add(f"# {title}\n\n", 1)
        pending: list[Text | Inline] = []
        for piece in self.source.pieces:
            if isinstance(piece, Cell):
                self.add_pending(pending)
                pending = []
                self.add_cell(piece)
            else:
                pending.append(piece)
        self.add_pending(pending)
        return self.woven

    def add_pending(self, pieces: list[Text | Inline]) -> None:
        """Text and inline values between two cells; all values are fetched at once."""
        inlines = [piece for piece in pieces if isinstance(piece, Inline)]
        values = iter(
            self.kernel.values([piece.expression for piece in inlines]) if inlines else []
        )
        for piece in pieces:
            if isinstance(piece, Text):
                self.woven.add(piece.text, piece.line, follows_source=True)
            else:
                self.woven.add(self.inline_text(piece, next(values)), piece.line)

    def inline_text(self, piece: Inline, value: dict[str, Any]) -> str:
        """The Markdown of an inline value; plain text with its markup characters escaped."""
        where = f"{self.source.path}:{piece.line}: `{{python}} {piece.expression}`"
        if value["status"] == "error":
            raise BookError(f"{where} failed: {value['ename']}: {value['evalue']}")
        if "text/markdown" in value["data"]:
            return str(value["data"]["text/markdown"])
        text = str(value["data"]["text/plain"])
        if MEMORY_ADDRESS.search(text):
            raise BookError(f"{where} has no text of its own: {text}")
        if text[:1] in "'\"":
            text = ast.literal_eval(text)
        return MARKUP.sub(r"\\\1", text)

    def add_cell(self, cell: Cell) -> None:
        """Run a cell and add its code and outputs as its options say."""
        options = {**self.defaults, **cell.options}
        outputs = self.outputs(cell) if options["eval"] else []
        if not options["include"]:
            return
        parts = [self.shown_code(cell, options)] if options["echo"] else []
        asis = options["output"] == "asis"
        for output in outputs if options["output"] else []:
            parts.append(self.output_markdown(cell, output, asis, options["warning"]))
        body = "\n\n".join(part for part in parts if part)
        if SHORTCODE.search(body):
            raise BookError(f"{self.where(cell)}: a shortcode in the cell's output is unsupported")
        if body and not (asis and "label" not in options):
            name = f"#{options['label']} " if "label" in options else ""
            body = f"::: {{{name}.cell}}\n{body}\n:::"
        self.woven.add(f"\n{body}\n\n", cell.line)

    def outputs(self, cell: Cell) -> list[NotebookNode]:
        """Run the cell's code."""
        try:
            return self.kernel.run(cell.code)
        except CodeError as error:
            raise BookError(f"{self.where(cell)} failed: {error}") from None

    def where(self, cell: Cell) -> str:
        """File, line and first line of code, for messages."""
        first = next((line for line in cell.code.splitlines() if line.strip()), "")
        return f"{self.source.path}:{cell.line}: the cell `{first.strip()}`"

    def shown_code(self, cell: Cell, options: dict[str, Any]) -> str:
        """The cell's code as a code block."""
        fold = options.get("code-fold")
        attribute = "" if fold is None else f' code-fold="{str(fold).lower()}"'
        return fenced(cell.code.strip("\n"), f"{{.python .cell-code{attribute}}}")

    def output_markdown(self, cell: Cell, output: NotebookNode, asis: bool, warnings: bool) -> str:
        """One output: Markdown if it has one, else its plain text; nothing richer."""
        if output.output_type == "stream":
            if output.name == "stderr":
                return self.boxed(fenced(output.text), "stderr") if warnings else ""
            return output.text if asis else self.boxed(fenced(output.text), "stdout")
        if "text/markdown" in output.data:
            text = output.data["text/markdown"]
            return text if asis else self.boxed(text, "display .cell-output-markdown")
        richer = sorted(set(output.data) - {"text/plain"})
        if richer:
            raise BookError(
                f"{self.where(cell)} shows {', '.join(richer)}; the built-in engine shows "
                "Markdown and plain text: write figures to figures/ and include them as SVG"
            )
        text = fenced(output.data["text/plain"])
        return text if asis else self.boxed(text, "display")

    @staticmethod
    def boxed(text: str, kind: str) -> str:
        """The div that Quarto puts around an output."""
        return f"::: {{.cell-output .cell-output-{kind}}}\n{text}\n:::"


def fenced(text: str, attributes: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks} {attributes}\n{text.rstrip()}\n{ticks}"


def weave(
    sources: list[Source],
    root: Path,
    environment: dict[str, str],
    defaults: dict[str, Any],
    jupyter_everywhere: bool,
) -> Iterator[Woven]:
    """Run the chapters one after another in one kernel and give each one's Markdown.

    Raises:
        BookError: see `Weaver.weave`; or inline values in a chapter that Quarto would not run.
    """
    with running_kernel(root, environment) as kernel:
        for number, source in enumerate(sources, 1):
            print(f"render: [{number}/{len(sources)}] {source.path}", flush=True)
            if not jupyter_everywhere:
                refuse_values_without_cell(source)
            yield Weaver(source, kernel, defaults).weave()
            kernel.reset()


def refuse_values_without_cell(source: Source) -> None:
    """Quarto starts Jupyter only for a chapter with a cell and leaves lone values as they are."""
    if source.front.get("engine") == "jupyter" or "jupyter" in source.front:
        return
    inlines = [piece for piece in source.pieces if isinstance(piece, Inline)]
    if inlines and not any(isinstance(piece, Cell) for piece in source.pieces):
        raise BookError(
            f"{source.path}:{inlines[0].line}: inline values need a ```{{python}} cell in the "
            "chapter (Quarto runs no chapter without one)"
        )
