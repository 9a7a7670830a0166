"""Copies of the project, to build and to break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What a book is made from, and what the check of a book reads.
PARTS = (
    "analysis", "chapters", "data", "render", "_quarto.yml", "index.qmd", "pyproject.toml",
    "constraints.txt", "checks/mutations.json",
)  # fmt: skip

REMEMBERED = "_report/cache"


def copy_project(target: Path) -> Path:
    """Copy into a folder what a book is made from; the folder is returned.

    What is remembered of earlier builds goes along, which saves time and changes nothing else.
    """
    for name in PARTS:
        source, place = ROOT / name, target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)
    if (ROOT / REMEMBERED).is_dir():
        shutil.copytree(ROOT / REMEMBERED, target / REMEMBERED)
    return target


def build(project: Path) -> subprocess.CompletedProcess[str]:
    """Build the book of a copy with the built-in engine, by the copy's own code."""
    return subprocess.run(
        [sys.executable, "-m", "render", "--engine", "builtin"],
        cwd=project, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(project)},
    )  # fmt: skip


#: published_pools.csv without a line, for made-up data.
NO_PUBLISHED_POOLS = (
    "source,year,doi,pmid,therapy,population,outcome,definition,k,n,estimate_percent,ci_low,"
    "ci_high,method_note\n"
)
