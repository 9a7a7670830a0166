"""`nox -s bench`: how long the build takes and how much memory, beside the renderer's own floor.

The floor is pandoc and Typst on the same chapters with their values already in place: what any
engine built on them must pay. Numbers are ratios measured in one run; nothing is asserted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pypandoc
import typst

from render.__main__ import build_environment, figure_fonts
from render.builtin.config import read_book
from render.builtin.execute import weave
from render.builtin.source import read_source
from render.engine import choose_engine
from render.project import Project

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 2**20
CHANGES = 240


@dataclass(frozen=True)
class Cost:
    """Wall time in seconds and the largest memory of all processes together, in MiB."""

    seconds: float
    mebibytes: float


def cost_of(command: list[str]) -> Cost:
    """Run a command of the project and measure it with all its children.

    Raises subprocess.CalledProcessError when it fails.
    """
    start, largest = time.perf_counter(), 0
    # As `python -m analysis` does: on tiny matrices threads only wait for one another.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=environment)
    while process.poll() is None:
        memory = 0
        try:
            for member in (process, *process.children(recursive=True)):
                memory += member.memory_info().rss
        except psutil.NoSuchProcess:
            pass
        largest = max(largest, memory)
        time.sleep(0.02)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - start, largest / MEBIBYTE)


def seconds(action: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


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


def main() -> None:
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
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
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


if __name__ == "__main__":
    main()
