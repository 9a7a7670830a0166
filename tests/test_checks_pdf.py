"""The printed book is read as a person reads it, and every change of a number is noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO

import pytest
import typst
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText

from checks import pdf
from checks.pdf import Printed
from checks.shown import Chapter
from tests.pdf_editing import redrawn

SETTINGS = """
#set page(width: 9cm, height: 9cm, margin: 1.2cm, numbering: "1")
#set text(lang: "en", hyphenate: true)
#set heading(numbering: "1.1")
#show heading.where(level: 1): it => pagebreak(weak: true) + it
#show figure.where(kind: table): set block(breakable: true)
#let drawing(body) = image(bytes(
  "<svg xmlns='http://www.w3.org/2000/svg' width='220' height='60' font-size='10'
  font-family='Libertinus Serif'>" + body + "</svg>"), format: "svg", alt: "ALT")
"""
BOOK = (
    SETTINGS.replace("ALT", "A forest plot: 29 of 59, 49.2%.")
    + """
The book, printed 2026
#outline(title: none)
= First
Of 124 studies 62.5% respond, at best −0.25.

+ A list of three studies
+ and its end

== Below
#figure(
  drawing("<text y='20'>29</text><text x='40' y='20'>59</text><text y='45'>49.2%</text>"),
  caption: [Seen by 77 readers.],
)
= Second
#figure(
  table(
    columns: 2,
    table.header[Therapy][At month 6],
    ..range(20).map(i => ([Row #(100 + i)], [#(200 + i)%])).flatten(),
  ),
  caption: [All 20 rows.],
)
"""
)
TABLE = [text for row in range(20) for text in (str(100 + row), f"{200 + row}%")]


@cache
def compiled(source: str) -> bytes:
    return bytes(typst.compile(source.encode()))


@cache
def book() -> Printed:
    return pdf.read(compiled(BOOK), "book.pdf")


def read(body: str, settings: str = SETTINGS) -> Printed:
    return pdf.read(compiled(settings + body), "book.pdf")


def texts(chapter: Chapter) -> list[str]:
    return [shown.text for shown in chapter.prose]


def faults_of(content: bytes) -> list[str]:
    printed = pdf.read(content, "book.pdf")
    return [str(fault) for fault in (*printed.faults, *pdf.check(printed, book().chapters))]


# Reading


def test_chapters_begin_at_first_headings_and_captions_follow_what_they_describe() -> None:
    first, second = book().chapters
    assert (first.title, second.title) == ("1 First", "2 Second")
    numbers = ["1", "124", "62.5%", "-0.25", "three", "1.1", "1", "77"]
    assert texts(first) == numbers
    assert texts(second) == ["2", "6", *TABLE, "1", "20"]


def test_alternative_texts_and_texts_of_figures_are_read_apart() -> None:
    first, second = book().chapters
    assert [shown.text for shown in first.spoken] == ["29", "59", "49.2%"]
    assert [shown.text for shown in first.drawn] == ["29", "59", "49.2%"]
    assert second.spoken == second.drawn == ()


def test_a_sound_book_has_no_fault_and_its_furniture_is_counted() -> None:
    printed = book()
    assert not printed.faults
    assert [shown.text for shown in printed.front] == ["2026"]
    heads = len({shown.place for shown in printed.chapters[1].prose}) - 1
    contents, labels = 6, 2
    assert heads > 0
    assert printed.furniture == printed.pages + contents + labels + heads


def test_a_number_says_its_page_and_the_words_around_it() -> None:
    shown = book().chapters[0].prose[2]
    assert shown.place == "book.pdf page 2"
    assert "studies 62.5% respond" in shown.words


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("office 12 fit 13 fluffy 14", ["12", "13", "14"]),
        ("1\u202f234 and 5\u2009678 and 9\u00a0012 and 3,456", ["1234", "5678", "9012", "3456"]),
        ("\u22120.25 and -3", ["-0.25", "-3"]),
        ("20–30 and 2019-2021", ["20", "30", "2019", "2021"]),
        ("12.5\u2009% and 7\u202f% and 8 %", ["12.5%", "7%", "8%"]),
        ("Donau\u00addampf\u00adschiff77fahrt\u00adsge\u00adsell\u00adschaft 5", ["77", "5"]),
        ("#block(width: 2cm)[counterrevolutionaries77internationally 5]", ["77", "5"]),
        ("#block(width: 1.4cm)[counterpart seventeen hundred]", ["seventeen", "hundred"]),
        ("#block(width: 1.7cm)[low-dose fourteen seventeen thousand twenty-five three-year]",
         ["fourteen", "seventeen", "thousand", "twenty", "five", "three"]),
        ("#block(width: 1.6cm)[a 22-year 33-year 44-year 55-year]", ["22", "33", "44", "55"]),
        ("#block(width: 2cm)[in the years 2019–2021 and 20–24]", ["2019", "2021", "20", "24"]),
        ('#block(width: 2cm)[#link("https://a.b")[a.b/j.1600-0609.2005.00517.x]]',
         ["1600", "0609.2005.00517"]),
        ("End\\ 3 studies\\ 4", ["3", "4"]),
        ("#block(width: 1.9cm)[for one study]", ["one"]),
        ("#strong[6]2.5#strong[%] and #link(<x>)[71].5#text(red)[%]", ["62.5%", "71.5%"]),
        ("x#super[2] and 10⁹/L, tau²", ["2", "10", "⁹", "²"]),
        ("- 3\n- 4", ["3", "4"]),
        ("12#h(1em)34", ["12", "34"]),
    ],
)  # fmt: skip
def test_numbers_are_read_whole(body: str, numbers: list[str]) -> None:
    (chapter,) = read(f"#set par(justify: true)\n= A<x>\n{body}").chapters
    assert texts(chapter) == ["1", *numbers]


def test_a_row_and_a_paragraph_split_over_pages_are_read_on() -> None:
    cell = "#lorem(40) 41 #lorem(20) 42"
    row = f"#table(columns: 2)[{cell}][{cell.replace('4', '5')}]"
    (chapter,) = read(f"= A\n{row}\n61 #lorem(60) 62").chapters
    assert texts(chapter) == ["1", "41", "42", "51", "52", "61", "62"]
    places = {shown.text: shown.place for shown in chapter.prose}
    assert places["41"] < places["42"] > places["51"]
    assert places["61"] < places["62"]


def test_a_float_does_not_break_into_the_paragraph_around_it() -> None:
    floating = "#place(top, float: true)[81]"
    (chapter,) = read(f"= A\n#lorem(20) 61 {floating} #lorem(30) 62").chapters
    assert set(texts(chapter)) == {"1", "61", "62", "81"}
    assert texts(chapter).index("62") > texts(chapter).index("61")


# Comparison


def test_the_same_numbers_agree_whatever_the_section_number_looks_like() -> None:
    quarto = BOOK.replace('numbering: "1.1"', 'numbering: "1.1."')
    assert faults_of(compiled(quarto)) == []


@pytest.mark.parametrize(
    ("before", "after", "chapter", "page", "said"),
    [
        ("Of 124 ", "Of 125 ", "1 First", 2, ("125", "124")),
        ("62.5%", "6.25%", "1 First", 2, ("6.25%", "62.5%")),
        ("−0.25", "0.25", "1 First", 2, ("0.25", "-0.25")),
        (" 62.5% respond", " all respond", "1 First", 2, ("nothing before -0.25", "62.5%")),
        ("124 studies", "124 studies 124", "1 First", 2, ("124", "none")),
        ("Of 124 studies 62.5%", "Of 62.5% studies 124", "1 First", 2, ("nothing", "124")),
        ("of three", "of four", "1 First", 2, ("four", "three")),
        ("77 readers", "78 readers", "1 First", 2, ("78", "77")),
        ("29 of 59", "28 of 59", "1 First", 2, ("28", "29")),
        (">59<", ">58<", "1 First", 2, ("58", "59")),
        ("y='45'>49.2%", "y='45'>", "1 First", 2, ("nothing", "49.2%")),
        ("Row #(100 + i)", "Row #(if i == 19 { 9 } else { 100 + i })", "2 Second", 5, ("9", "119")),
        ("At month 6", "At month 7", "2 Second", 3, ("7", "6")),
    ],
)  # fmt: skip
def test_every_change_of_a_number_is_noticed(
    before: str, after: str, chapter: str, page: int, said: tuple[str, str]
) -> None:
    assert BOOK.count(before) == 1
    faults = faults_of(compiled(BOOK.replace(before, after)))
    assert faults
    for fault in faults:
        assert fault.startswith(f'book.pdf page {page}, "{chapter}", ')
        assert fault.endswith("[print]")
    assert f"found {said[0]}" in faults[0]
    assert any(f"expected {said[1]}" in fault for fault in faults)


def test_a_chapter_that_is_missing_or_too_many_is_named() -> None:
    printed, (first, second) = book(), book().chapters
    (fault,) = pdf.check(printed, [first])
    assert '"2 Second"' in fault.found
    (fault,) = pdf.check(printed, [first, second, second])
    assert '"2 Second"' in fault.expected
    (fault,) = pdf.check(printed, [first, second, Chapter("3 Third", (), (), ())])
    assert '"3 Third"' in fault.expected


# What stands around the text


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("= Second", "#counter(page).update(7)\n= Second", '"7" outside the text'),
        ("Of 124", "#pdf.artifact[99] Of 124", '"99" outside the text'),
        ('numbering: "1")', 'numbering: "1", header: [9 First])', '"9 First" outside the text'),
        ("= Second", "#counter(page).update(7)\n#pagebreak()\n= Second", '"2 Second 8"'),
        ("+ and its end", "5. and its end", "the labels 1, 5"),
    ],
)
def test_a_number_around_the_text_that_nothing_explains_is_a_fault(
    before: str, after: str, found: str
) -> None:
    assert BOOK.count(before) == 1
    printed = pdf.read(compiled(BOOK.replace(before, after)), "book.pdf")
    assert any(found in fault.found for fault in printed.faults)
    assert {fault.rule for fault in printed.faults} == {"print"}


@pytest.mark.parametrize("header", ["1 First", "Chapter 1. First", "1.1 Below"])
def test_a_running_head_is_a_heading_of_the_book(header: str) -> None:
    settings = f'numbering: "1", header: [{header}])'
    printed = pdf.read(compiled(BOOK.replace('numbering: "1")', settings)), "book.pdf")
    assert not printed.faults


def test_a_list_may_go_on_where_the_last_one_ended() -> None:
    assert not read("= A\n+ a\n+ b\n\nText\n\n3. c").faults
    assert read("= A\n+ a\n+ b\n\nText\n\n4. c").faults


def test_what_an_unfinished_render_leaves_is_found_in_text_and_in_alternative_text() -> None:
    settings = SETTINGS.replace("ALT", "??")
    printed = read('= A\nSee ?fig-x. #drawing("")', settings)
    assert {fault.place for fault in printed.faults} == {
        "book.pdf page 1", 'book.pdf alternative texts, "1 A"',
    }  # fmt: skip


def numbered_pages(writer: PdfWriter) -> None:
    writer.set_page_label(0, 4, style="/D", start=7)


def noted(writer: PdfWriter) -> None:
    writer.add_annotation(1, FreeText(text="99%", rect=(50, 50, 99, 99)))


@pytest.mark.parametrize(
    ("change", "place", "found"),
    [
        (
            lambda writer: writer.add_outline_item(title="2 Second", page_number=1),
            "bookmarks",
            '"2 Second"',
        ),
        (
            lambda writer: writer.add_outline_item(title="3 Second", page_number=2),
            "bookmarks",
            '"3 Second"',
        ),
        (numbered_pages, "page 1, label", '"7"'),
        (lambda writer: writer.add_metadata({"/Title": "All 99"}), "Title", '"All 99"'),
        (noted, "page 2", "an annotation"),
    ],
)
def test_a_number_that_a_viewer_tells_beside_the_pages_is_checked(
    change: Callable[[PdfWriter], object], place: str, found: str
) -> None:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(compiled(BOOK))))
    change(writer)
    written = BytesIO()
    writer.write(written)
    faults = pdf.read(written.getvalue(), "book.pdf").faults
    assert faults
    assert all(place in fault.place and found in fault.found for fault in faults[:1])


# A finished file changed


@pytest.mark.parametrize(
    ("page", "before", "after", "place"),
    [
        (2, "62.5%", "62.6%", "page 2"),
        (2, "−0.25", "−0.26", "page 2"),
        (2, "59", "52", "page 2"),
        (2, "77", "72", "page 2"),
        (3, "104", "124", "page 3"),
        (3, "204%", "205%", "page 3"),
        (5, "month 6", "month 1", "page 5"),
        (1, "1.1", "1.2", "page 1"),
    ],
)
def test_one_glyph_changed_in_a_finished_book_is_noticed(
    page: int, before: str, after: str, place: str
) -> None:
    content = redrawn(compiled(BOOK), page, before, after)
    faults = faults_of(content)
    assert faults
    assert all(fault.startswith(f"book.pdf {place}") for fault in faults)


def test_a_digit_drawn_in_the_place_of_a_soft_hyphen_is_noticed() -> None:
    body = "= A\n#block(width: 2cm)[low-dose 5 counterrevolutionaries 5]"
    content = compiled(SETTINGS + body)
    assert not pdf.read(content, "book.pdf").faults
    hyphen = PdfReader(BytesIO(content)).pages[0].extract_text().count("-") - 1
    (fault,) = pdf.read(redrawn(content, 1, "-", "5", nth=hyphen), "book.pdf").faults
    assert "ActualText" in fault.found


def test_redrawing_nothing_changes_nothing() -> None:
    assert faults_of(redrawn(compiled(BOOK), 2, "62.5%", "62.5%")) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_refused(share: float) -> None:
    content = compiled(BOOK)
    with pytest.raises(ValueError, match="cut off"):
        pdf.read(content[: int(len(content) * share)], "book.pdf")


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"%PDF-1.7\nnothing\n%%EOF\n"])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no PDF"):
        pdf.read(content, "book.pdf")


def test_a_file_without_tags_is_refused() -> None:
    with pytest.raises(ValueError, match="no tagged structure"):
        pdf.read(bytes(typst.compile(BOOK.encode(), pdf_tags=False)), "book.pdf")
