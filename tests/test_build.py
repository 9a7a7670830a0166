"""What a methodologist meets who makes a mistake: the book of the project, built from a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import build, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a book in place that must survive."""
    copy_project(tmp_path)
    (tmp_path / "_book").mkdir()
    (tmp_path / "_book" / "index.html").write_text("the last good book", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",73,86,", ",seventy,86,", ("column events", "seventy")),
        (",73,86,", ",87,86,", ("events 87", "n 86")),
        ("feng2020,sirolimus,sirolimus,", "feng2020,sirolimus,sirolimuss,", ("sirolimuss",)),
    ],
    ids=["a word for a number", "events above n", "unknown therapy"],
)
def test_a_typo_stops_the_build_with_its_place(
    project: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    outcomes = project / "data" / "outcomes.csv"
    text = outcomes.read_text(encoding="utf-8")
    assert old in text
    outcomes.write_text(text.replace(old, new, 1), encoding="utf-8")

    done = build(project)

    assert done.returncode == 1
    assert "outcomes.csv, row " in done.stderr
    assert all(word in done.stderr for word in said)
    assert "Traceback" not in done.stderr
    assert [path.name for path in (project / "_book").iterdir()] == ["index.html"]
    assert (project / "_book" / "index.html").read_text(encoding="utf-8") == "the last good book"
    assert not [path.name for path in project.iterdir() if path.name.startswith("_book.")]


def test_a_chapter_that_asks_for_an_unknown_number_stops_the_build(project: Path) -> None:
    chapter = project / "chapters" / "15-limits.qmd"
    with chapter.open("a", encoding="utf-8") as file:
        file.write('\nNew: `{python} num("pool.sirolimus.overall_response.estimat")`.\n')

    done = build(project)

    assert done.returncode == 1
    assert "15-limits.qmd" in done.stderr
    assert "nearest: pool.sirolimus.overall_response.estimate" in done.stderr
    assert (project / "_book" / "index.html").read_text(encoding="utf-8") == "the last good book"
