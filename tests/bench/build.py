"""How long the build takes and how much memory, beside the renderer's own floor.

The floor is pandoc and Typst on the same chapters with their values already in place: what any
engine built on them must pay. Numbers are ratios measured in one run; nothing is asserted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pypandoc
import typst

from render.__main__ import build_environment, figure_fonts
from render.builtin.config import read_book
from render.builtin.execute import weave
from render.builtin.source import read_source
from render.engine import choose_engine
from render.project import Project
from tests.bench.measure import ROOT, cost_of, seconds

CHANGES = 240


def executed_chapters() -> list[str]:
    """The Markdown of the chapters with all values in place."""
    project = Project.read(ROOT)
    environment = build_environment(project, choose_engine("builtin"))
    book = read_book(project)
    sources = [read_source(ROOT, path) for path in (*book.chapters, *book.appendices)]
    woven = weave(sources, ROOT, environment, book.execute, book.jupyter_everywhere)
    return [chapter.text.replace("](../figures/", "](/figures/") for chapter in woven]


def pandoc(text: str, to: str) -> str:
    """pandoc with no extras; citations stay text, for there is nothing to resolve them."""
    command = [pypandoc.get_pandoc_path(), "-f", "markdown-citations", "-t", to, "--standalone"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def floor_html(chapters: list[str]) -> None:
    """Each chapter to HTML."""
    for chapter in chapters:
        pandoc(chapter, "html")


def floor_pdf(chapters: list[str]) -> None:
    """All chapters to one PDF."""
    text = "\n\n".join(chapters).replace("](figures/", "](/figures/")
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        source = Path(folder) / "floor.typ"
        source.write_text(pandoc(text, "typst"), encoding="utf-8")
        typst.compile(source, root=ROOT, font_paths=[figure_fonts()])


def measure() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix="_book.") as folder:
        output = str(Path(folder) / "book")
        ledger = cost_of([sys.executable, "-c", "from analysis import report; report.build()"])
        analysis = cost_of([sys.executable, "-m", "analysis"])
        render = cost_of(
            [sys.executable, "-m", "render", "--engine", "builtin", "--output", output]
        )
        check = cost_of([sys.executable, "-m", "checks", output])
        attack = cost_of([sys.executable, "-m", "checks.mutate", output, "--count", str(CHANGES)])
    chapters = executed_chapters()
    html = seconds(lambda: floor_html(chapters))
    pdf = seconds(lambda: floor_pdf(chapters))
    floor = html + pdf
    rendering = render.seconds - analysis.seconds
    print(f"{'':44}{'seconds':>9}{'MiB':>8}")
    for name, cost in (
        ("data to ledger", ledger),
        ("data to ledger, downloads and figures", analysis),
        ("whole build, built-in engine", render),
        ("check of the whole book", check),
        (f"{CHANGES} changes, each checked", attack),
    ):
        print(f"{name:44}{cost.seconds:9.1f}{cost.mebibytes:8.0f}")
    print(f"{'floor: pandoc to HTML, values in place':44}{html:9.1f}")
    print(f"{'floor: pandoc and Typst to PDF':44}{pdf:9.1f}")
    print(f"rendering without the analysis takes {rendering / floor:.1f} times the floor")
    print(f"the check takes {check.seconds / render.seconds:.2f} of the build")
    # Every process of the attack reads and checks the book once before it begins.
    each = (attack.seconds - check.seconds) / CHANGES
    print(f"a change and its check take {each / check.seconds:.3f} of a check from the start")
