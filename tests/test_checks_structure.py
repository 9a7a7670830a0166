"""Every number that a book gives itself is checked against what it ought to be."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest
from lxml import etree

from checks import citations, structure
from checks.faults import Fault
from checks.html import SPOKEN, Block, Page, content, page, read_page

PROJECT = {
    "_quarto.yml": b"""
number-sections: true
book:
  title: A book
  author: [Ann, Bob]
  date: "2026-11-22"
  description: Of 2 things
  chapters: [index.qmd, part/one.qmd, {part: Last, chapters: [part/references.qmd]}]
  appendices: [part/extra.qmd]
""",
    "index.qmd": b"# Findings {#sec-findings .unnumbered}\n",
    "part/one.qmd": b"# The 1st question\n\nRun `make 3` on:\n\n```bash\n# 4 lines\npip3\n```\n",
    "part/references.qmd": b"# References {-}\n\n::: {#refs}\n:::\n",
    "part/extra.qmd": b"# Rows\n",
    "data/datapackage.json": b"""{"resources": [{"name": "rows", "schema": {"fields":
        [{"name": "tau2_low", "constraints": {"enum": ["dose_3"]}}]}}]}""",
    "data/references.bib": """
@article{lee2007, author = {Lee and others}, year = 2007, title = {{Age of 2007 cells}},
  journal = {Blood}, volume = {12}, pages = {1539--1558}, doi = {10.1/ABC.2007.12}}
@article{lee2007b, author = {Lee and others}, year = 2007, title = {{Dose}},
  url = {https://a.b/3}}
@article{koh2011, author = {K\u00f6h, A. and Rey, B.}, year = 2011, title = {{It's one study}}}
@article{uncited, author = {Doe}, year = 1999, title = {{None}}}
""".encode(),
}
KEYS = ["pool.a_1.k", "const.level"]
HEAD = """<html><head><title>{title}</title><meta name="author" content="Bob">
<meta name="dcterms.date" content="2026-11-22"><meta name="description" content="Of 2 things">
<meta property="og:title" content="A book"></head><body>
<nav id="quarto-sidebar"><a href="{up}index.html">Findings</a>
<a href="{up}part/one.html"><span class="chapter-number">1</span>&nbsp; The 1st question</a>
<a href="{up}part/extra.html">A  Rows</a><a href="{up}part/extra.html">More</a></nav>
<main>{main}</main></body></html>"""
INDEX = """<header id="title-block-header"><h1 class="title">A book</h1>
<p class="date">22 November 2026</p></header>
<section id="sec-findings" class="level1 unnumbered"><h1 class="unnumbered">Findings</h1>
<section id="sec-sum" class="level2"><h2>Sum</h2>
<div id="tbl-sum" class="quarto-float"><figure><figcaption class="quarto-float-caption">
Table&nbsp;1: All.</figcaption></figure></div>
<p>See <a class="quarto-xref" href="part/one.html"><span>1&nbsp; The 1st question</span></a>,
<a class="quarto-xref" href="part/one.html#sec-how">Section <span>1.1</span></a>,
<a class="quarto-xref" href="part/extra.html#sec-rows">Appendix A — Rows</a>,
<a class="quarto-xref" href="part/one.html#fig-b">Figure <span>1.2</span></a>.</p>
</section></section>"""
ONE = """<header id="title-block-header"><h1 class="title"><span id="sec-one">
<span class="chapter-number">1</span>&nbsp; <span class="chapter-title">The 1st question</span>
</span></h1></header><nav id="TOC"><ul>
<li><a href="#sec-how" title="How"><span class="header-section-number">1.1</span> How</a></li>
<li><a href="#sec-deep"><span class="header-section-number">1.1.1</span> Deep</a></li></ul></nav>
<section id="sec-how" class="level2" data-number="1.1">
<h2 data-number="1.1"><span class="header-section-number">1.1</span> How</h2>
<section id="sec-deep" class="level3">
<h3><span class="header-section-number">1.1.1</span> Deep</h3></section></section>
<section id="sec-free" class="level2 unnumbered"><h2 class="unnumbered">Free</h2></section>
<section id="sec-more" class="level2">
<h2 id="own"><span class="header-section-number">1.2</span> More</h2></section>
<div id="fig-a" class="quarto-float"><figure><img src="a.svg" alt="a">
<figcaption class="quarto-float-caption"> Figure 1.1: A.</figcaption></figure></div>
<div id="tbl-a" class="quarto-float"><figure>
<figcaption class="quarto-float-caption"> Table 1.1: A.</figcaption></figure></div>
<div id="fig-b" class="quarto-float"><figure>
<figcaption class="quarto-float-caption"> Figure 1.2: B.</figcaption></figure></div>
<p>By <a class="quarto-xref" href="../index.html#tbl-sum">Table <span>1</span></a>,
<a class="quarto-xref" href="#own">Section 1.2</a>, <a class="quarto-xref" href="#sec-one">Chapter
1</a><a class="footnote-ref" href="#fn1"><sup>1</sup></a>, <a class="footnote-ref"
href="#fn2"><sup>2</sup></a>. <span class="symbol">tau²</span> × <span class="symbol">10⁹/L</span>
<code>make 3</code> <code>pool.a_1</code> <code>tau2_low</code> <code>dose_3</code>
<code>k</code></p><pre><code># 4 lines
<span>pip<span>3</span></span></code></pre>
<p><span class="citation" data-cites="lee2007 lee2007b">(<a
href="references.html#ref-lee2007">Lee et al., 2007a</a>, <a
href="references.html#ref-lee2007b">2007b</a>)</span>, <span class="citation"
data-cites="koh2011">K\u00f6h and Rey (<a href="references.html#ref-koh2011">2011</a>)</span></p>
<nav class="page-navigation"><a href="../index.html">Previous Findings</a>
<a href="extra.html" aria-label="Rows">Next A&nbsp; Rows</a></nav>"""
REFERENCES = """<h1 class="title">References</h1><div id="refs">
<div id="ref-koh2011" class="csl-entry">K\u00f6h A, Rey B. It’s one study 2011.</div>
<div id="ref-lee2007" class="csl-entry">Lee et al. Age of 2007 cells. Blood 2007a;12:1539–58.
<a href="https://doi.org/10.1/ABC.2007.12">https://doi.org/10.1/ABC.2007.12</a>.</div>
<div id="ref-lee2007b" class="csl-entry">Lee et al. <a href="https://a.b/3">Dose</a> 2007b.</div>
</div>"""
EXTRA = """<h1 class="title"><span id="sec-rows">Appendix A — Rows</span></h1>
<section id="all" class="level2"><h2><span class="header-section-number">A.1</span> All</h2>
</section>"""
PAGES = {
    "index.html": ("A book", INDEX),
    "part/one.html": ("1&nbsp; The 1st question – A book", ONE),
    "part/references.html": ("References – A book", REFERENCES),
    "part/extra.html": ("Appendix A — Rows – A book", EXTRA),
}
VERIFIED = {
    "heading", "label", "reference", "citation", "bibliography", "listing", "code", "date",
    "footnote", "navigation", "title", "meta", "symbol",
}  # fmt: skip
MANUSCRIPT = structure.Manuscript(PROJECT, KEYS)
WORKS = citations.Works(PROJECT["data/references.bib"])


def book() -> dict[str, Page]:
    """The pages above, parsed."""
    parsed = {}
    for name, (title, main) in PAGES.items():
        up = "../" if "/" in name else ""
        text = HEAD.format(title=title, main=main, up=up)
        parsed[name] = read_page(name, text.encode())
    return parsed


def faults(pages: dict[str, Page]) -> list[Fault]:
    """All faults of structure and citations."""
    context = structure.context(MANUSCRIPT, pages.values())
    bibliography = citations.bibliography(WORKS, pages.values())
    found = structure.check_pages(context) + citations.check_list(bibliography)
    for one in pages.values():
        found += structure.check(one, context) + citations.check(one, bibliography)
    return found


def edited(name: str, old: str, new: str) -> list[Fault]:
    """The faults after an edit of one page, which must find what it edits."""
    pages = book()
    text = etree.tostring(pages[name].root, encoding="unicode", method="html")
    assert text.count(old) == 1, f"{text.count(old)} times {old}"
    pages[name] = read_page(name, text.replace(old, new).encode())
    return faults(pages)


def digits(of: Page) -> Iterator[tuple[str, etree._Element, str, int]]:
    """Each digit of each claimed element: kind, element, attribute or part of it, place."""
    seen = set()
    for part in of.parts:
        for run in part.runs if isinstance(part, Block) else ():
            claim = run.claim
            if claim is None or claim.kind not in VERIFIED or claim.element.tag == "nav":
                continue
            for element in claim.element.iter():
                names = ["text", "tail", *SPOKEN, "content"]
                for name in names[:1] if claim.kind == "label" else names:
                    outside = name == "tail" and element is claim.element
                    if outside or (element, name) in seen:
                        continue
                    seen.add((element, name))
                    text = text_of(element, name)
                    text = text.partition(":")[0] if claim.kind == "label" else text
                    for match in re.finditer(r"[\d²⁹]", text):
                        yield claim.kind, element, name, match.start()


def text_of(element: etree._Element, name: str) -> str:
    return (getattr(element, name) if name in ("text", "tail") else element.get(name)) or ""


def test_a_right_book_has_no_faults() -> None:
    assert faults(book()) == []


@pytest.mark.parametrize("name", PAGES)
def test_each_digit_that_is_changed_removed_or_added_is_a_fault(name: str) -> None:
    survived, kinds = [], set()
    for kind, element, where, place in digits(book()[name]):
        kinds.add(kind)
        original = element.getroottree()
        for new in (lambda d: "7" if d != "7" else "8", lambda d: "", lambda d: d + "0"):
            pages = book()
            root = copy.deepcopy(original.getroot())
            target = root.getroottree().xpath(original.getpath(element))[0]
            text = text_of(target, where)
            text = text[:place] + new(text[place]) + text[place + 1 :]
            if where in ("text", "tail"):
                setattr(target, where, text)
            else:
                target.set(where, text)
            pages[name] = page(name, root)
            if not faults(pages):
                survived.append((kind, content(element), text))
    assert survived == []
    assert kinds, "nothing was changed"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("part/one.html", '<span class="header-section-number">1.2</span> More', "More"),
        ("part/one.html", " Figure 1.1: A.", " A."),
        ("part/one.html", "Free", '<span class="header-section-number">1.2</span> Free'),
        ("part/one.html", '<h2 data-number="1.1">', '<h2 data-number="1.2">'),
        ("part/one.html", "<sup>1</sup>", "<sup></sup>"),
        ("part/one.html", "<p>By ", '<p>By <span class="header-section-number">9</span>'),
        ("part/one.html", 'aria-label="Rows"', 'aria-label="9 Rows"'),
        ("part/one.html", 'href="#own"', 'href="#sec-deep"'),
        ("part/one.html", "<code>k</code>", "<code>n</code>"),
        ("part/one.html", "<code>k</code>", "<code></code>"),
        ("part/one.html", '">10⁹/L', '">m²'),
        ("index.html", '<p class="date">22 November 2026</p>', ""),
        ("index.html", 'href="part/one.html#fig-b"', 'href="part/one.html#fig-c"'),
    ],
)
def test_what_is_missing_moved_or_made_up_is_a_fault(name: str, old: str, new: str) -> None:
    assert {fault.rule for fault in edited(name, old, new)} == {"structure"}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("part/one.html", "#ref-koh2011", "#ref-lee2007", "an entry of koh2011"),
        ("part/one.html", "2007b</a>", "2007c</a>", "2007b of lee2007b"),
        ("part/one.html", "K\u00f6h and Rey", "K\u00f6h", "k\u00f6h and rey of koh2011"),
        ("part/one.html", "Lee et al.", "Ray et al.", "lee of lee2007"),
        ("part/one.html", ")</span></p>", ", 12)</span></p>", "years in links to the references"),
        ("part/one.html", '"lee2007 lee2007b"', '"lee2007b"', "an entry of lee2007b"),
        ("part/references.html", 'id="ref-koh2011"', 'id="ref-uncited"', "title none of uncited"),
        ("part/references.html", "2007a;", "2007c;", "ab, each once"),
        ("part/references.html", "58.", "58. 12", "no number that is not in the entry lee2007"),
        ("part/references.html", "1539–58", "1539–558", "pages 1539-58 of lee2007"),
        ("part/references.html", '<a href="https://doi.org/10.1/ABC.2007.12">', "<a href='/3'>",
         "https://doi.org/10.1/abc.2007.12"),
    ],
)  # fmt: skip
def test_citations_and_entries_say_what_references_bib_says(
    name: str, old: str, new: str, expected: str
) -> None:
    found = edited(name, old, new)
    assert {fault.rule for fault in found} == {"citation"}
    assert any(expected in fault.expected for fault in found), list(map(str, found))


def test_a_listing_and_code_must_stand_in_the_source_of_their_own_chapter() -> None:
    assert edited("index.html", "<p>See", "<p><code>make 3</code> See")
    assert edited("index.html", "<p>See", "<pre># 4 lines\npip3</pre><p>See")


def test_a_page_by_itself_needs_no_letter_where_it_cites_one_of_the_two_works() -> None:
    alone = '<span class="citation" data-cites="lee2007">(<a href="part/references.html#ref-'
    assert edited("index.html", "<p>See", f'<p>{alone}lee2007">Lee et al., 2007</a>)</span>') == []
    assert edited("index.html", "<p>See", f'<p>{alone}lee2007">Lee et al., 2007b</a>)</span>')


def test_pages_are_those_of_the_list_of_chapters() -> None:
    pages = book()
    del pages["part/extra.html"]
    pages["stray.html"] = page("stray.html", copy.deepcopy(pages["index.html"].root))
    context = structure.context(MANUSCRIPT, pages.values())
    found = [(fault.rule, fault.place) for fault in structure.check_pages(context)]
    assert found == [("file", "part/extra.html"), ("file", "stray.html")]
    assert len(structure.check_pages(context, {"stray.html"})) == 1


def test_a_list_of_references_must_be_whole_and_no_more() -> None:
    pages = book()
    for entry in pages["part/references.html"].root.xpath("//div[@id='ref-koh2011']"):
        entry.getparent().remove(entry)
    found = faults(
        pages
        | {"part/references.html": page("part/references.html", pages["part/references.html"].root)}
    )
    assert any(fault.found == "no entry koh2011" for fault in found)
    del pages["part/references.html"]
    assert any(fault.found == "no list of references" for fault in faults(pages))


def test_equal_outlines_make_equal_contexts_so_that_pages_are_checked_once() -> None:
    first, second = (structure.context(MANUSCRIPT, book().values()) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize("settings", [b"book: [", b"- a list"])
def test_settings_that_cannot_be_read_are_named(settings: bytes) -> None:
    with pytest.raises(ValueError, match=r"_quarto\.yml"):
        structure.Manuscript({"_quarto.yml": settings}, [])


def test_an_entry_that_cannot_be_read_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match="line 2"):
        citations.Works(b"\n@article{a, title = {open\n")
