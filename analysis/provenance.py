"""What a book was made from: version, digests of data and code, engine and packages.

A digest is the sha256 (hex) over each file's relative path and content in the order of the paths,
each followed by a NUL; line ends count as LF, so that a checkout on any system gives the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tomllib
from collections.abc import Iterable
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

BUILD_FILE = "build.json"
PACKAGES = ("matplotlib", "numpy", "pandas", "pymare", "scipy")
#: The files of data/ that are evidence; data/reference/ holds goldens of the tests.
_DATA = ("*.bib", "*.csv", "*.json")
_CODE = (
    "analysis/**/*.py",
    "analysis/records/*.json",
    *(f"render/**/*.{kind}" for kind in ("py", "scss", "typ", "css", "html", "csl", "js")),
    "index.qmd",
    "chapters/*.qmd",
    "_quarto.yml",
    "pyproject.toml",
    "constraints.txt",
    "checks/mutations.json",
)


def data_digest(folder: Path) -> str:
    """The digest of the evidence in `folder`, as paths `data/NAME` wherever the folder lies."""
    files = chain.from_iterable(folder.glob(pattern) for pattern in _DATA)
    return _digest((f"data/{path.name}", path) for path in files)


def code_digest(root: Path) -> str:
    """The digest of what turns the evidence into the book: analysis, engines, styles, chapters."""
    files = chain.from_iterable(root.glob(pattern) for pattern in _CODE)
    return _digest((path.relative_to(root).as_posix(), path) for path in files)


def program_digest(root: Path) -> str:
    """The digest of what computes: every module of analysis/."""
    files = root.glob("analysis/**/*.py")
    return _digest((path.relative_to(root).as_posix(), path) for path in files)


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files):
        if path.is_file():
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def describe(data: str, root: Path) -> dict[str, Any]:
    """What this build is made from, as build.json has it; `data` is the digest of the evidence."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "version": project["version"],
        "data": data,
        "code": code_digest(root),
        "engine": os.environ.get("BOOK_ENGINE", "Quarto, started by hand"),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def to_json(build: dict[str, Any]) -> str:
    """The content of build.json."""
    return json.dumps(build, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
