from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pypandoc
import pytest

from analysis import prose, report, tables
from analysis.report import Report

HOSTILE = [
    "`{python} 1+1`",
    "{{< include /etc/passwd >}}",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1)){.num data-key=y}",
    "@feng2020 and ^up^ ~down~ $x$ **bold** _it_",
    "a | b \n c",
    "::: {.callout-note}",
    "\"quoted\" 'single' -- dash ... #1",
]


@pytest.fixture(scope="module")
def book(shipped: Report) -> Report:
    """The chapters' functions, looking at the shipped report."""
    prose.book.cache_clear()
    original = report.load
    report.load = lambda folder=report.REPORT: shipped
    yield shipped
    report.load = original
    prose.book.cache_clear()


def parse(markdown: str) -> list[dict]:  # type: ignore[type-arg]
    """The blocks that pandoc makes of some Markdown."""
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), "-f", "markdown", "-t", "json"],
        input=markdown, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)["blocks"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_the_data_is_only_text(text: str) -> None:
    (block,) = parse(prose.escape(text))
    assert block["t"] == "Para"
    assert {inline["t"] for inline in block["c"]} <= {"Str", "Space"}
    said = "".join(" " if i["t"] == "Space" else i["c"] for i in block["c"])
    assert said == " ".join(text.split())


def test_a_number_is_a_span_with_its_key(book: Report) -> None:
    (block,) = parse(prose.num("pool.sirolimus.overall_response.k"))
    span = block["c"][0]
    assert span["t"] == "Span"
    assert span["c"][0] == ["", ["num"], [["data-key", "pool.sirolimus.overall_response.k"]]]
    text = book.ledger["pool.sirolimus.overall_response.k"].text
    assert span["c"][1] == [{"t": "Str", "c": text}]


def test_an_unknown_key_is_an_error_with_the_nearest(book: Report) -> None:
    with pytest.raises(KeyError, match=r"nearest: pool\.sirolimus"):
        prose.num("pool.sirolimus.overall_respons.k")


def test_one_study_is_not_several(book: Report) -> None:
    assert prose.counts("cited.sirolimus.overall_response").startswith("[1]")
    assert "} study with " in prose.counts("cited.sirolimus.overall_response")
    assert "} studies with " in prose.counts("pool.sirolimus.overall_response")


def test_forest_sections_know_only_outcomes_of_pools(book: Report) -> None:
    with pytest.raises(ValueError, match="not an outcome of pools"):
        prose.forest_sections("relapse")


@pytest.mark.parametrize(
    "table",
    [
        tables.summary, tables.flow, tables.exclusions, tables.shared_patients,
        tables.late_visits, tables.studies, tables.outcome_rows, tables.constants,
        tables.cited, tables.cited_beside_all, tables.versions,
        lambda: tables.pools("pool", "overall_response", 2),
        lambda: tables.pools("class", "overall_response"),
    ],
)  # fmt: skip
def test_each_table_is_one_table_with_even_rows(book: Report, table) -> None:  # type: ignore[no-untyped-def]
    (block,) = parse(table())
    assert block["t"] == "Table"
    columns = len(block["c"][2])
    rows = [row for body in block["c"][4] for row in body[3]]
    assert rows
    assert all(len(row[1]) == columns for row in rows)


def test_dictionary_has_every_column_of_the_schema(book: Report) -> None:
    made = tables.dictionary()
    for resource in book.evidence.package["resources"]:
        for field in resource["schema"]["fields"]:
            assert f"| `{field['name']}` |" in made


def test_summary_ranks_nothing(book: Report) -> None:
    labels = [
        book.members(prefix).unit_label for prefix in book.prefixes("pool", "overall_response", 2)
    ]
    assert labels == sorted(labels, key=str.lower)


def test_chapters_hold_no_typed_percentages() -> None:
    """A percentage in a chapter comes from the ledger, never from the keyboard."""
    chapters = [report.ROOT / "index.qmd", *(report.ROOT / "chapters").glob("*.qmd")]
    assert len(chapters) > 10
    for chapter in chapters:
        assert "%" not in Path(chapter).read_text(encoding="utf-8"), chapter.name
