"""What is built once for all tests that look at it: the report of the shipped data, the book."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from analysis import report
from analysis.report import Report
from checks import figures, html, ledger, pdf
from checks.book import Book, Project, read_book, read_project
from tests.projects import build, copy_project

Parts = tuple[Book, Project]


@dataclass(frozen=True)
class BuiltBook:
    """A finished book and the copy of the project that it was built from; both to be read only."""

    project: Path
    folder: Path


@pytest.fixture(scope="session")
def shipped() -> Report:
    return report.build()


@pytest.fixture(scope="session")
def built_book(tmp_path_factory: pytest.TempPathFactory) -> BuiltBook:
    project = copy_project(tmp_path_factory.mktemp("project"))
    done = build(project)
    assert done.returncode == 0, done.stderr
    return BuiltBook(project, project / "_book")


@pytest.fixture(scope="session")
def read_once() -> Iterator[None]:
    """The check does not parse again what a test leaves as it was."""
    readers = ((html, "read_page"), (figures, "read"), (pdf, "read"), (ledger, "read"))
    with pytest.MonkeyPatch.context() as patch:
        for module, name in readers:
            patch.setattr(module, name, lru_cache(maxsize=None)(getattr(module, name)))
        yield


@pytest.fixture(scope="session")
def parts(built_book: BuiltBook, read_once: None) -> Parts:
    """The built book and its project as the check reads them."""
    project = built_book.project
    return read_book(built_book.folder), read_project(project, project / "data")


@pytest.fixture
def root(
    built_book: BuiltBook, read_once: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the built project to break, as the working folder; its book is _book."""
    root = tmp_path / "project"
    ignored = shutil.ignore_patterns("__pycache__", "_report")
    shutil.copytree(built_book.project, root, ignore=ignored)
    monkeypatch.chdir(root)
    return root
