"""The render package: a small book with everything the chapters use, and what must be refused."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import lxml.html
import pytest
from pypdf import PdfReader

from render.__main__ import build, build_environment, main
from render.builtin.citations import set_citations
from render.builtin.config import read_book
from render.builtin.crossref import number_and_link, shown_in
from render.builtin.document import Chapter, read_chapter
from render.builtin.execute import Kernel, Weaver, Woven, running_kernel
from render.builtin.nodes import attribute, find
from render.builtin.source import read_source
from render.builtin.style import scss_rules, style_sheet
from render.engine import choose_engine
from render.errors import BookError
from render.faults import find_faults
from render.project import Project
from render.staging import staged

RENDER = Path(__file__).parent.parent / "render"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt">'
    '<text x="5" y="20" font-family="DejaVu Sans">84.9%</text></svg>'
)
CONFIG = """
project:
  type: book
  output-dir: _book
  execute-dir: project
  pre-render: python prepare.py
book:
  title: "A *small* book"
  subtitle: Of everything
  author: [Ada Bee, {name: Cy Dee}]
  date: "2026-11-20"
  description: What the chapters use.
  output-file: small-book
  repo-url: https://example.org/repo
  downloads: [pdf]
  chapters: [index.qmd, chapters/01-one.qmd, chapters/02-two.qmd, chapters/03-references.qmd]
  appendices: [chapters/90-end.qmd]
lang: en-GB
bibliography: references.bib
link-citations: true
number-sections: true
execute: {echo: false, warning: false}
format:
  html:
    toc: true
    theme: {light: [cosmo, look.scss], dark: [darkly, look.scss]}
    include-in-header: {text: '<meta name="from-config" content="yes">'}
  typst:
    toc: true
    papersize: a5
    citeproc: true
    include-in-header: header.typ
"""
FILES = {
    "_quarto.yml": CONFIG,
    # Appends, so that a second run would show.
    "prepare.py": """
import os, pathlib
with open("prepared.txt", "a") as log:
    log.write(os.environ["BOOK_ENGINE"] + "\\n")
pathlib.Path("_report/data").mkdir(parents=True, exist_ok=True)
pathlib.Path("_report/numbers.json").write_text("[]")
pathlib.Path("_report/data/pools.csv").write_text("pool\\n")
""",
    "helper.py": """
class Number:
    def __init__(self, key, text):
        self.key, self.text = key, text
    def _repr_markdown_(self):
        return f'[{self.text}]{{.num data-key="{self.key}"}}'
""",
    "figures/a.svg": SVG,
    "figures/a.csv": "x\n1\n",
    "look.scss": """/*-- scss:defaults --*/
$x: 1;
/*-- scss:rules --*/
.num { color: inherit; }
""",
    "header.typ": "#set table(stroke: none)\n",
    "references.bib": """
@article{bee2014, author={Bee, Ada}, title={On rescue}, journal={J}, year={2014}}
@article{dee2017, author={Dee, Cy}, title={One}, journal={J}, year={2017}}
@article{dee2017b, author={Dee, Cy}, title={Two}, journal={J}, year={2017}}
""",
    "index.qmd": """# Findings {#sec-findings .unnumbered}

```{python}
#| include: false
from helper import Number
secret = "from the index"
```

About `{python} Number("a.b", "84.9%")` respond; see @fig-front, @tbl-one and @sec-one.
The [ledger](numbers.json) has it.

::: {#fig-front .forest}
![](figures/a.svg){fig-alt="Rate of 84.9%" data-keys="a.b"}

In front `{python} Number("a.b", "84.9%")`. [Data](figures/a.csv)
:::

## A part of it

Said [@dee2017b].
""",
    "chapters/01-one.qmd": """# One *thing* {#sec-one}

```{python}
#| label: first
#| echo: true
from helper import Number
kept = "secret" in globals()
```

Names of the index are here: `{python} kept`. Plain `{python} "a*b_c|d"`, number `{python} 1 + 1`.
Said [@dee2017; @dee2017b] and by @bee2014.[^note]
To [the end](90-end.qmd#sec-end), to [two](02-two.qmd).
Here is [the deep part](#sec-deep), refs @fig-b, [see @tbl-two], [-@fig-b], [@fig-b; @fig-c].

[^note]: With `{python} Number("k", "1.2")`.

## Deep `{python} Number("k", "7")` {#sec-deep}

### Deeper

::: {#tbl-one}

| A therapy with a name that is so long that the columns get widths | Rate | n |
|:--------------------------------------------------------------|-----:|:-:|
| Sirolimus | `{python} Number("a.b", "84.9%")` | 3 |

Caption with `{python} Number("k", "1")`.

:::

```{python}
#| output: asis
for name in "bc":
    print(f'''
## Part {name} {{#sec-part-{name}}}

::: {{#fig-{name}}}
![](../figures/a.svg){{fig-alt="Alt {name}" data-keys="k" width=50%}}

A paragraph above.

Caption {name}.
:::
''')
```

::: {.callout-note}
No title.
:::

::: {.callout-warning title="Mind *this*" collapse="true"}
Folded.
:::

::: {.callout-tip}
## Headed

Under a heading.
:::

{{< pagebreak >}}

::: {.content-visible when-format="html"}
Only on the web.
:::

::: {.content-visible when-format="typst"}
Only on paper.
:::

::: {.content-hidden when-format="html"}
Hidden on the web.
:::

Term
:   Definition

::: {.own-class #own}
Own [words]{.own}.
:::

```{=html}
<p class="raw">raw html</p>
```

```{=typst}
#text(red)[raw typst]
```

<!-- A comment with `{python} nonsense` and {{< nonsense >}}
over two lines -->

```python
print("shown, not run")
```
""",
    "chapters/02-two.qmd": """---
title: Two *things*
---

```{python}
#| code-fold: true
#| echo: true
#| warning: true
import sys
from IPython.display import Markdown
print("to the side", file=sys.stderr)
Markdown("**bold** output")
```

```{python}
print("printed")
```

```{python}
[1, 2]
```

```{python}
#| eval: false
#| echo: true
raise SystemError("not run")
```

::: {#tbl-two}

+-------+-------+
| A     | B     |
+:======+======:+
| one   | - x   |
|       | - y   |
+-------+-------+

Grid.

:::
""",
    "chapters/03-references.qmd": "# References {.unnumbered}\n\n::: {#refs}\n:::\n",
    "chapters/90-end.qmd": """# The end {#sec-end}

```{python}
#| include: false
import os
```

Made with `{python} os.environ["BOOK_ENGINE"]`.

## Sub {#sec-end-sub}

See @sec-end, @sec-end-sub and @tbl-end.

::: {#tbl-end}

| a | b |
|---|---|
| 1 | 2 |

Last table.

:::
""",
}


def write_files(root: Path, files: dict[str, str]) -> Path:
    """Write a project's files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    """All files under a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass
class Built:
    """The small book, built; `runs` is what its pre-render command wrote."""

    root: Path
    runs: list[str]

    @property
    def book(self) -> Path:
        return self.root / "_book"

    def page(self, name: str) -> lxml.html.HtmlElement:
        return lxml.html.document_fromstring((self.book / name).read_bytes())

    def words(self, name: str) -> str:
        """The page's text, with all kinds of space as one."""
        return " ".join(self.page(name).text_content().split())

    @cached_property
    def pdf(self) -> PdfReader:
        return PdfReader(self.book / "small-book.pdf")

    @cached_property
    def paper(self) -> str:
        """The PDF's text."""
        return " ".join(" ".join(page.extract_text() for page in self.pdf.pages).split())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = write_files(tmp_path_factory.mktemp("book"), FILES)
    build(root, "builtin", None)
    return Built(root, (root / "prepared.txt").read_text().splitlines())


# The built-in engine: what it makes.


def test_every_page_is_where_quarto_would_put_it(built: Built) -> None:
    assert {name for name in contents(built.book) if name.endswith((".html", ".pdf"))} == {
        "index.html",
        "chapters/01-one.html",
        "chapters/02-two.html",
        "chapters/03-references.html",
        "chapters/90-end.html",
        "checked.html",
        "small-book.pdf",
    }


def test_downloads_stand_beside_the_pages(built: Built) -> None:
    assert {"numbers.json", "data/pools.csv", "figures/a.svg", "figures/a.csv"} <= set(
        contents(built.book)
    )


def test_pre_render_runs_once_and_knows_the_engine(built: Built) -> None:
    assert len(built.runs) == 1
    assert built.runs[0].startswith("built-in (pandoc ")


def test_the_colophon_can_print_the_engine(built: Built) -> None:
    assert "Made with built-in (pandoc" in built.words("chapters/90-end.html")
    assert "Made with built-in (pandoc" in built.paper


@pytest.mark.parametrize(
    ("page", "id_", "words"),
    [
        ("index.html", "fig-front", "Figure 1: In front 84.9%."),
        ("chapters/01-one.html", "tbl-one", "Table 1.1: Caption with 1."),
        ("chapters/01-one.html", "fig-b", "Figure 1.1: Caption b."),
        ("chapters/01-one.html", "fig-c", "Figure 1.2: Caption c."),
        ("chapters/02-two.html", "tbl-two", "Table 2.1: Grid."),
        ("chapters/90-end.html", "tbl-end", "Table A.1: Last table."),
    ],
)
def test_floats_are_numbered_by_chapter(built: Built, page: str, id_: str, words: str) -> None:
    caption = built.page(page).get_element_by_id(id_).find(".//figcaption")
    assert caption is not None
    assert " ".join(caption.text_content().split()).startswith(words)
    assert words in built.paper


def test_only_the_last_paragraph_of_a_float_is_its_caption(built: Built) -> None:
    figure = built.page("chapters/01-one.html").get_element_by_id("fig-b")
    assert "A paragraph above." in figure.text_content()
    assert "A paragraph above." not in figure.find(".//figcaption").text_content()


@pytest.mark.parametrize(
    ("page", "id_", "words"),
    [
        ("chapters/01-one.html", "sec-one", "1 One thing"),
        ("chapters/01-one.html", "sec-deep", "1.1 Deep 7"),
        ("chapters/01-one.html", "deeper", "1.1.1 Deeper"),
        ("chapters/01-one.html", "sec-part-c", "1.3 Part c"),
        ("chapters/90-end.html", "sec-end", "Appendix A — The end"),
        ("chapters/90-end.html", "sec-end-sub", "A.1 Sub"),
        ("index.html", "sec-findings", "Findings"),
    ],
)
def test_headings_keep_ids_and_have_numbers(built: Built, page: str, id_: str, words: str) -> None:
    place = built.page(page).get_element_by_id(id_)
    heading = place if place.tag == "span" else place[0]
    assert " ".join(heading.text_content().split()) == words
    assert words.removeprefix("Appendix ").replace(" — ", " ") in built.paper


@pytest.mark.parametrize(
    ("page", "target", "words"),
    [
        ("index.html", "#fig-front", "Figure 1"),
        ("index.html", "chapters/01-one.html#tbl-one", "Table 1.1"),
        ("index.html", "chapters/01-one.html#sec-one", "Chapter 1"),
        ("chapters/01-one.html", "#fig-b", "Figure 1.1"),
        ("chapters/01-one.html", "02-two.html#tbl-two", "see 2.1"),
        ("chapters/01-one.html", "#fig-c", "Figure 1.2"),
        ("chapters/90-end.html", "#sec-end", "Appendix A"),
        ("chapters/90-end.html", "#sec-end-sub", "Section A.1"),
    ],
)
def test_references_are_links_with_numbers(
    built: Built, page: str, target: str, words: str
) -> None:
    links = built.page(page).xpath(f"//a[contains(@class, 'quarto-xref')][@href='{target}']")
    assert links
    assert " ".join(links[0].text_content().split()) == words
    assert words in built.paper


def test_links_between_chapters_lead_to_pages(built: Built) -> None:
    page = built.page("chapters/01-one.html")
    targets = {link.text_content(): link.get("href") for link in page.xpath("//main//p/a[@href]")}
    assert targets["the end"] == "90-end.html#sec-end"
    assert targets["two"] == "02-two.html#two-things"
    assert targets["the deep part"] == "#sec-deep"


def test_inline_values_stand_in_text_tables_captions_headings_and_notes(built: Built) -> None:
    page = built.page("chapters/01-one.html")
    for place in ("td", "figcaption", "h2", "section[@id='footnotes']"):
        spans = page.xpath(f"//main//{place}//span[@class='num']")
        assert spans, place
        assert spans[0].get("data-key") in ("a.b", "k")
    assert built.page("index.html").xpath("//p/span[@data-key='a.b']")[0].text == "84.9%"


def test_plain_values_are_not_read_as_markup(built: Built) -> None:
    assert "Plain a*b_c|d, number 2." in built.words("chapters/01-one.html")
    assert "Plain a*b_c|d, number 2." in built.paper


def test_no_chapter_sees_the_names_of_another(built: Built) -> None:
    assert "Names of the index are here: False." in built.words("chapters/01-one.html")


def test_outputs_of_cells(built: Built) -> None:
    page = built.page("chapters/02-two.html")
    assert page.xpath("//div[contains(@class, 'cell-output-markdown')]//strong")[0].text == "bold"
    assert page.xpath("//div[contains(@class, 'cell-output-stdout')]//code")[0].text == "printed"
    assert (
        page.xpath("//div[contains(@class, 'cell-output-stderr')]//code")[0].text == "to the side"
    )
    assert "[1, 2]" in [code.text for code in page.xpath("//pre/code")]
    assert "printed" in built.paper


def test_code_is_shown_and_folded_as_the_options_say(built: Built) -> None:
    two = built.page("chapters/02-two.html")
    folded = two.xpath("//details[@class='code-fold'][summary='Code']")
    assert len(folded) == 1
    assert "import sys" in folded[0].text_content()
    assert 'raise SystemError("not run")' in built.words("chapters/02-two.html")
    one = built.page("chapters/01-one.html").get_element_by_id("first")
    assert "from helper import Number" in one.text_content()
    assert "secret =" not in built.words("index.html")


def test_callouts(built: Built) -> None:
    page = built.page("chapters/01-one.html")
    note, warning, tip = page.xpath("//*[contains(@class, 'callout-titled')]")
    assert "callout-note" in note.get("class")
    assert note.text_content().split() == ["Note", "No", "title."]
    assert warning.tag == "details"
    assert warning.get("open") is None
    assert warning.xpath("summary/em")[0].text == "this"
    # A callout's heading is a title, not a section with a number.
    assert tip.text_content().split() == ["Tip:", "Headed", "Under", "a", "heading."]
    assert "Folded." in built.paper


def test_what_is_for_one_format_stays_in_it(built: Built) -> None:
    web = built.words("chapters/01-one.html")
    assert ("Only on the web." in web, "Only on the web." in built.paper) == (True, False)
    assert ("Only on paper." in web, "Only on paper." in built.paper) == (False, True)
    assert ("Hidden on the web." in web, "Hidden on the web." in built.paper) == (False, True)
    assert ("raw html" in web, "raw html" in built.paper) == (True, False)
    assert ("raw typst" in web, "raw typst" in built.paper) == (False, True)


def test_own_classes_lists_tables_and_comments(built: Built) -> None:
    page = built.page("chapters/01-one.html")
    assert page.get_element_by_id("own").get("class") == "own-class"
    assert page.xpath("//span[@class='own']")[0].text == "words"
    assert page.xpath("//dl/dt")[0].text == "Term"
    cells = page.get_element_by_id("tbl-one").xpath(".//td/@style")
    assert cells == ["text-align: left;", "text-align: right;", "text-align: center;"]
    assert page.get_element_by_id("tbl-one").xpath(".//col/@style")
    assert page.xpath("//div[@class='page-break']")
    items = built.page("chapters/02-two.html").get_element_by_id("tbl-two").xpath(".//td//li")
    assert [item.text for item in items] == ["x", "y"]
    assert b"nonsense" not in contents(built.book)["chapters/01-one.html"]


def test_wide_tables_scroll_with_the_keyboard_too(built: Built) -> None:
    for name in ("chapters/01-one.html", "chapters/02-two.html"):
        page = built.page(name)
        for table in page.xpath("//main//table"):
            box = table.getparent()
            assert box.get("tabindex") == "0"
            assert page.get_element_by_id(box.get("aria-labelledby")).tag == "figcaption"


def test_images_keep_alternative_text_and_keys(built: Built) -> None:
    image = built.page("index.html").xpath("//figure//img")[0]
    assert image.get("alt") == "Rate of 84.9%"
    assert image.get("data-keys") == "a.b"
    assert image.get("src") == "figures/a.svg"
    assert {"Rate of 84.9%", "Alt b", "Alt c"} <= set(alternative_texts(built.pdf))


def alternative_texts(reader: PdfReader) -> list[str]:
    """Every /Alt in the PDF's structure."""
    found, stack = [], [reader.trailer["/Root"]["/StructTreeRoot"]]
    while stack:
        node = stack.pop()
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            if "/Alt" in node:
                found.append(str(node["/Alt"]))
            if "/K" in node:
                stack.append(node["/K"])
    return found


def test_citations_agree_on_all_pages_and_on_paper(built: Built) -> None:
    """Only a run over the whole book makes Dee's two papers a and b everywhere."""
    references = built.words("chapters/03-references.html")
    letter = "b" if "2017b. ‘Two’" in references else "a"
    assert f"2017{letter}. ‘Two’" in references
    assert f"Said (Dee 2017{letter})." in built.words("index.html")
    assert f"Said (Dee 2017{letter})." in built.paper
    links = built.page("index.html").xpath("//span[@class='citation']/a/@href")
    assert links == ["chapters/03-references.html#ref-dee2017b"]


def test_the_page_frame(built: Built) -> None:
    page = built.page("chapters/01-one.html")
    assert page.get("lang") == "en-GB"
    assert page.findtext(".//title") == "1 – One thing – A small book"
    assert page.xpath("//meta[@name='description']/@content") == ["What the chapters use."]
    assert page.xpath("//meta[@name='viewport']")
    assert page.xpath("//meta[@name='from-config']/@content") == ["yes"]
    current = page.xpath("//nav[@id='quarto-sidebar']//a[@aria-current='page']")
    assert [" ".join(link.text_content().split()) for link in current] == ["1 One thing"]
    assert len(page.xpath("//nav[@id='quarto-sidebar']//a")) == 5
    assert page.xpath("//nav[@id='TOC']//a/@href")[:2] == ["#sec-deep", "#deeper"]
    assert page.xpath("//nav[@class='page-navigation']/a/@href") == ["../index.html", "02-two.html"]
    assert page.xpath("//a[@class='skip-link']/@href") == ["#quarto-document-content"]
    assert page.xpath("//a[text()='PDF']/@href") == ["../small-book.pdf"]
    assert "A small book" in built.words("index.html")
    assert "20 November 2026" in built.words("index.html")


def test_pages_need_nothing_from_elsewhere_and_no_script(built: Built) -> None:
    for name, data in contents(built.book).items():
        if name.endswith(".html"):
            page = lxml.html.document_fromstring(data)
            assert not page.xpath("//script")
            loaded = page.xpath("//img/@src | //link/@href")
            assert not [url for url in loaded if re.match(r"\w+:|//", url)]
    style = contents(built.book)["book.css"].decode()
    assert ".num { color: inherit; }" in style
    assert "$x" not in style
    assert "url(" not in style


def test_the_pdf_as_a_document(built: Built) -> None:
    information = built.pdf.metadata
    assert information is not None
    assert information.title == "A small book"
    assert "Ada Bee" in (information.author or "")
    assert built.pdf.trailer["/Root"]["/Lang"] == "en-GB"
    titles = [item["/Title"] for item in flat(built.pdf.outline)]
    assert any("One thing" in title for title in titles)
    assert built.paper.startswith("A small book Of everything Ada Bee and Cy Dee 20 November 2026")
    width = float(built.pdf.pages[0].mediabox.width)
    assert width == pytest.approx(419.5, abs=1)  # A5, as the settings say
    fonts = {
        font["/BaseFont"].partition("+")[2]
        for page in built.pdf.pages
        for font in page["/Resources"].get_object().get("/Font", {}).values()
    }
    assert any(name.startswith("DejaVuSans") for name in fonts)  # the figures' letters


def flat(outline: list[object]) -> list[dict[str, str]]:
    """All entries of a PDF's outline."""
    entries: list[dict[str, str]] = []
    for item in outline:
        entries += flat(item) if isinstance(item, list) else [item]  # type: ignore[list-item]
    return entries


def test_references_in_the_pdf_are_internal_links(built: Built) -> None:
    destinations = []
    for page in built.pdf.pages:
        for note in page.get("/Annots", []):
            action = note.get_object()
            if "/Dest" in action or action.get("/A", {}).get("/S") == "/GoTo":
                destinations.append(action)
    assert len(destinations) > 12


def test_the_same_sources_make_the_same_bytes(built: Built, tmp_path: Path) -> None:
    build(built.root, "builtin", tmp_path / "again")
    assert contents(tmp_path / "again") == contents(built.book)


def test_a_book_can_be_built_again_over_itself(tmp_path: Path) -> None:
    output = tmp_path / "_book"
    for words in ("first", "second"):
        with staged(output) as folder:
            (folder / "index.html").write_text(words)
    assert (output / "index.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["_book"]


# The built-in engine: what it refuses.


def project_with(root: Path, **changes: str) -> Project:
    """The small project with some of its files changed."""
    return Project.read(write_files(root, {**FILES, **changes}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lang: en-GB", "langue: en", r"_quarto.yml: .* does not know langue"),
        ("    papersize: a5", "    paper: a5", "does not know format.typst.paper"),
        ("format:", "format:\n  epub: default", "does not know format.epub"),
        ("citeproc: true", "citeproc: false", "citeproc must be true"),
        ("toc: true", "toc: perhaps", "format.html.toc must be true or false, found 'perhaps'"),
        ("chapters/02-two.qmd, ", "chapters/22.qmd, ", "no such file: chapters/22.qmd"),
        ('date: "2026-11-20"', "date: today", "book.date must be a day written YYYY-MM-DD"),
        ("lang: en-GB", "lang: [", "not valid YAML"),
        ("type: book", "type: website", "project.type must be book"),
    ],
)
def test_settings_that_are_not_known_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in CONFIG
    with pytest.raises(BookError, match=message):
        read_book(project_with(tmp_path, **{"_quarto.yml": CONFIG.replace(old, new, 1)}))


def test_all_unknown_settings_are_listed_at_once(tmp_path: Path) -> None:
    config = CONFIG.replace("lang: en-GB", "langue: en").replace("toc: true", "toctoc: true", 1)
    with pytest.raises(BookError, match=r"does not know langue, format\.html\.toctoc"):
        read_book(project_with(tmp_path, **{"_quarto.yml": config}))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("# A\n\n{{< video x.mp4 >}}\n", r"c\.qmd:3: unknown shortcode \{\{< video x\.mp4 >\}\}"),
        ("# A\n\nText {{< pagebreak >}}\n", r"c\.qmd:3: unknown shortcode"),
        ("# A\n\n```{r}\n1\n```\n", r"c\.qmd:3: only plain ```\{python\} cells are run"),
        ("# A\n\n```{python echo=false}\n1\n```\n", r"c\.qmd:3: only plain"),
        ("# A\n\n- x\n\n  ```{python}\n  1\n  ```\n", r"c\.qmd:5: a cell must not be indented"),
        ("# A\n\n```{python}\n1\n", r"c\.qmd:3: this code block is never closed"),
        ("# A\n\n```{python}\n#| ehco: true\n```\n", r"c\.qmd:3: unknown cell option ehco"),
        ("# A\n\n```{python}\n#| echo: fenced\n```\n", r"echo must be one of true, false"),
        ("# A\n\n```{python}\n#| eval: 1\n```\n", r"eval must be one of true, false, found 1"),
        ("# A\n\n```{python}\n#| label: fig-x\n```\n", r"c\.qmd:3: label fig-x: write .* as a div"),
        ("---\ntitle: A\nformat: pdf\n---\n", r"c\.qmd: .* does not know format"),
        ("---\ntitle: A\n", r"c\.qmd:1: the front matter has no closing ---"),
        ("# A\n\n`{r} 1`\n", r"c\.qmd:3: unknown inline expression"),
        ("# A\n\n```\n`{python} 1`\n```\n", r"c\.qmd:4: inline expressions .* code block"),
    ],
)
def test_sources_that_are_not_supported_are_refused(
    tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "c.qmd").write_text(source, encoding="utf-8")
    with pytest.raises(BookError, match=message):
        read_source(tmp_path, "c.qmd")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with running_kernel(tmp_path_factory.mktemp("kernel"), dict(os.environ)) as running:
        yield running


def weave_text(kernel: Kernel, root: Path, text: str) -> Woven:
    (root / "c.qmd").write_text(text, encoding="utf-8")
    return Weaver(read_source(root, "c.qmd"), kernel, {}).weave()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "# A\n\n```{python}\n#| echo: false\n\nx = 1\nx / 0\n```\n",
            r"c\.qmd:3: the cell `x = 1` failed: ZeroDivisionError: division by zero",
        ),
        (
            "# A\n\nText\nand `{python} 1 / 0`.\n",
            r"c\.qmd:4: `\{python\} 1 / 0` failed: ZeroDivisionError",
        ),
        ("# A\n\n`{python} object()`\n", r"c\.qmd:3: .* has no text of its own"),
        (
            "# A\n\n```{python}\nfrom IPython.display import SVG\nSVG('<svg></svg>')\n```\n",
            r"c\.qmd:3: .* shows image/svg\+xml; the built-in engine shows Markdown and plain",
        ),
        (
            "# A\n\n```{python}\nfrom IPython.display import HTML\nHTML('<b>x</b>')\n```\n",
            r"shows text/html",
        ),
        (
            "# A\n\n```{python}\n#| output: asis\nprint('{{< video x >}}')\n```\n",
            r"c\.qmd:3: .* a shortcode in the cell's output",
        ),
    ],
)
def test_code_that_fails_is_named(
    kernel: Kernel, tmp_path: Path, source: str, message: str
) -> None:
    with pytest.raises(BookError, match=message):
        weave_text(kernel, tmp_path, source)


def test_values_follow_the_cells_in_order(kernel: Kernel, tmp_path: Path) -> None:
    text = "x\n\n```{python}\n#| include: false\nx = 1\n```\n\n`{python} x`\n\n"
    text += "```{python}\n#| include: false\nx = 2\n```\n\n`{python} x`\n"
    woven = weave_text(kernel, tmp_path, text)
    assert woven.text.split() == ["x", "1", "2"]
    assert woven.source_line(woven.text.count("\n", 0, woven.text.index("2")) + 1) == 15


def chapters(root: Path, **texts: str) -> tuple[list[Chapter], list[str]]:
    """Chapters without code, parsed; a name that starts with z is an appendix."""
    write_files(root, {"figures/a.svg": SVG})
    parsed = []
    for name, text in texts.items():
        woven = Woven(f"{name}.qmd")
        woven.add(text, 1, follows_source=True)
        parsed.append(read_chapter(root, woven.path, name.startswith("z"), woven))
    return [chapter for chapter, _ in parsed], [fault for _, found in parsed for fault in found]


FIGURE = "::: {#fig-x}\n![](figures/a.svg){fig-alt=x}\n\nCaption.\n:::\n"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("Text\n", "a.qmd: must start with `# Title`"),
        ("# A\n\n# B\n", "a.qmd:3: a second chapter heading: # B"),
        ("# A\n\n### B\n", "a.qmd:3: heading 'B' leaves out level 2"),
        ("# A\n\nHere $x^2$.\n", "a.qmd:3: math is not supported, write it as text: x^2"),
        ("# A\n\n\\LaTeX\n", "raw tex is not supported"),
        ("# A\n\n![Cap](figures/a.svg)\n", "a.qmd:3: a figure must be a div"),
        ("# A\n\n![](figures/b.svg)\n", "a.qmd:3: no such image file: figures/b.svg"),
        ("# A\n\n| a |\n|---|\n| 1 |\n\n: Cap\n", "a table with a caption must be a div"),
        ("# A\n\n::: {layout-ncol=2}\nx\n:::\n", 'attribute layout-ncol="2" is not supported'),
        ("# A\n\n::: {.panel-tabset}\nx\n:::\n", "class .panel-tabset is not supported"),
        ("# A\n\n::: {.callout-danger}\nx\n:::\n", "class .callout-danger is not supported"),
        ("# A\n\n::: {#thm-x}\nx\n:::\n", "#thm-x: only fig-, tbl- and sec- are numbered"),
        ("# A\n\n::: {.content-visible}\nx\n:::\n", ".content-visible needs when-format"),
        (
            '# A\n\n::: {.content-visible when-format="pdf"}\nx\n:::\n',
            'attribute when-format="pdf" is not supported',
        ),
        ("# A\n\n[x]{#y} [z]{#y}\n", "a.qmd:3: duplicate id #y (2 times)"),
        ("# A\n\nx []{.page-break}\n", "pagebreak >}} needs blank lines around it"),
    ],
)
def test_markup_that_is_not_supported_is_listed(tmp_path: Path, body: str, fault: str) -> None:
    _, faults = chapters(tmp_path, a=body)
    assert [found for found in faults if fault in found], faults


def test_what_pandoc_doubts_is_refused_with_the_source_line(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"a\.qmd: Div at line 3 unclosed"):
        chapters(tmp_path, a="# A\n\n::: {.x}\nx\n")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("See @fig-none.", "a.qmd:3: unresolved cross-reference @fig-none"),
        ("See @sec-none.", "a.qmd:3: unresolved cross-reference @sec-none"),
        ("See @sec-u.", "@sec-u is an unnumbered heading"),
        ("[x](#none)", "link to an anchor that is not in a.qmd: #none"),
        ("[x](b.qmd#none)", "link to an anchor that is not in b.qmd: b.qmd#none"),
        ("[x](none.qmd)", "link to a chapter that is not in the book: none.qmd"),
        ("[x](b.html)", "name the chapter's source (.qmd) instead"),
        ("[x]()", "empty link with the text 'x'"),
        ("[](b.qmd)", "link without text to 'b.qmd'"),
        ("[@fig-x; @bee2014]", "@fig-x stands in one bracket with a citation"),
        ("[@fig-x, page 3]", "text after @fig-x inside the bracket is not supported"),
        ("::: {#fig-y}\n![](figures/a.svg){fig-alt=x}\n:::", "#fig-y must end with a paragraph"),
        ("::: {#fig-y}\nText.\n\nCaption.\n:::", "#fig-y holds no image above its caption"),
        ("::: {#tbl-y}\nText.\n\nCaption.\n:::", "#tbl-y holds no table above its caption"),
        ("::: {#tbl-y}\n| a |\n|---|\n| 1 |\n:::", "#tbl-y must end with a paragraph"),
    ],
)
def test_references_that_lead_nowhere_are_listed(tmp_path: Path, body: str, fault: str) -> None:
    parsed, faults = chapters(
        tmp_path,
        a=f"# A\n\n{body}\n",
        b=f"# B\n\n{FIGURE}\n## U {{#sec-u .unnumbered}}\n",
    )
    assert not faults
    with pytest.raises(BookError, match=re.escape(fault)):
        number_and_link(parsed, True)


def test_all_bad_references_are_listed_at_once(tmp_path: Path) -> None:
    parsed, _ = chapters(tmp_path, a=f"# A\n\n@fig-one\n\n{FIGURE}", b=f"# B\n\n{FIGURE}\n@tbl-two")
    with pytest.raises(BookError) as caught:
        number_and_link(parsed, True)
    assert str(caught.value).splitlines() == [
        "cross-references and links (3):",
        "  b.qmd:3: duplicate id #fig-x, also in a.qmd",
        "  a.qmd:3: unresolved cross-reference @fig-one",
        "  b.qmd:9: unresolved cross-reference @tbl-two",
    ]


def test_links_to_what_a_format_hides_are_listed(tmp_path: Path) -> None:
    hidden = f'::: {{.content-visible when-format="typst"}}\n{FIGURE}\n:::\n'
    parsed, _ = chapters(tmp_path, a="# A\n\nSee @fig-x.\n", b=f"# B\n\n{hidden}\n")
    number_and_link(parsed, True)
    assert shown_in("typst", parsed)
    with pytest.raises(BookError, match=r"a\.qmd:3: link to #fig-x, which html does not show"):
        shown_in("html", parsed)


def test_a_number_means_the_same_in_both_formats(tmp_path: Path) -> None:
    """What stands in one format only is counted in both."""
    second = FIGURE.replace("fig-x", "fig-y")
    parsed, _ = chapters(
        tmp_path, a=f'# A\n\n::: {{.content-visible when-format="html"}}\n{FIGURE}\n:::\n\n{second}'
    )
    number_and_link(parsed, True)
    (paper,) = shown_in("typst", parsed)
    assert [attribute(node, "number") for node in find(paper.blocks, "Div")] == ["1.2"]


def test_chapters_count_without_the_unnumbered_and_appendices_have_letters(tmp_path: Path) -> None:
    parsed, _ = chapters(
        tmp_path, i="# I {.unnumbered}\n", a="# A\n", b="# B\n", y="# Y {.unnumbered}\n",
        z="# Z\n", zz="# ZZ\n",
    )  # fmt: skip
    number_and_link(parsed, True)
    assert [chapter.number for chapter in parsed] == ["", "1", "2", "", "A", "B"]


def test_unknown_citations_are_named_with_their_chapter(tmp_path: Path) -> None:
    book = read_book(project_with(tmp_path))
    parsed, _ = chapters(
        tmp_path, a="# A\n\n@bee2014 and\n[@none2000; @nil1999]\n", b="# B\n\n::: {#refs}\n:::\n"
    )
    with pytest.raises(BookError) as caught:
        set_citations(book, parsed)
    assert str(caught.value).splitlines()[1:] == [
        "  a.qmd:4: unknown @nil1999",
        "  a.qmd:4: unknown @none2000",
    ]


def test_citations_need_one_place_for_the_references(tmp_path: Path) -> None:
    book = read_book(project_with(tmp_path))
    parsed, _ = chapters(tmp_path, a="# A\n\n@bee2014\n")
    with pytest.raises(BookError, match="one place for the reference list"):
        set_citations(book, parsed)


def test_styles_that_need_sass_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.scss"
    path.write_text("/*-- scss:rules --*/\n$colour: red;\n.a { color: $colour; }\n")
    with pytest.raises(BookError, match=r"x\.scss: rules must be plain CSS"):
        style_sheet([path])


def test_the_shared_styles_are_plain_css() -> None:
    path = RENDER / "report.scss"
    assert ".num" in scss_rules(path.read_text(encoding="utf-8"))
    assert style_sheet([path])


@pytest.mark.parametrize("place", ["--book-paper", "--book-shade"])
def test_colours_have_enough_contrast(place: str) -> None:
    """WCAG AA: 4.5 between a text and its ground, in light and in dark."""
    style = (RENDER / "report.scss").read_text(encoding="utf-8")
    found = re.findall(r"(--book-[\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", style)
    colours = {name: (light, dark) for name, light, dark in found}
    texts = set(colours) - {"--book-paper", "--book-shade", "--book-rule"}
    assert len(texts) >= 8
    for name in texts:
        for ink, ground in zip(colours[name], colours[place], strict=True):
            bright, dim = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, name


def luminance(colour: str) -> float:
    """The relative luminance of an sRGB colour RRGGBB, by WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# The choice of the engine.


def fake_quarto(folder: Path, answer: str, rest: str = "") -> Path:
    """A program that says it is Quarto."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "quarto"
    program.write_text(
        f"#!{sys.executable}\nimport os, pathlib, sys\n"
        f"if sys.argv[1:] == ['--version']:\n    print({answer!r})\n    sys.exit()\n{rest}"
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("1.9.36", "Quarto 1.9.36"),
        ("1.10.19", "Quarto 1.10.19"),
        ("2.0.1", "Quarto 2.0.1"),
        ("99.9.9", "Quarto 99.9.9"),
        ("1.9", "Quarto 1.9"),
        ("1.8.25", "built-in"),
        ("0.99.9", "built-in"),
        ("", "built-in"),
        ("not a version", "built-in"),
    ],
)
def test_the_version_decides(tmp_path: Path, answer: str, name: str) -> None:
    program = fake_quarto(tmp_path, answer)
    engine = choose_engine("auto", {"QUARTO_PATH": str(program), "PATH": ""})
    assert engine.name.startswith(name)
    assert engine.quarto == (program if name != "built-in" else None)


def test_quarto_path_may_be_a_folder_and_goes_before_the_path(tmp_path: Path) -> None:
    wanted = fake_quarto(tmp_path / "wanted" / "bin", "1.9.1")
    other = fake_quarto(tmp_path / "other", "1.9.2")
    path = {"PATH": str(other.parent)}
    assert choose_engine("auto", path).quarto == other
    for place in (wanted, wanted.parent, wanted.parent.parent):
        assert choose_engine("auto", {**path, "QUARTO_PATH": str(place)}).quarto == wanted


def test_an_old_quarto_path_falls_back_to_the_path(tmp_path: Path) -> None:
    old = fake_quarto(tmp_path / "old", "1.4.0")
    new = fake_quarto(tmp_path / "new", "1.9.2")
    environment = {"QUARTO_PATH": str(old), "PATH": str(new.parent)}
    assert choose_engine("auto", environment).quarto == new


def test_without_quarto_the_reason_is_told(tmp_path: Path) -> None:
    assert "no Quarto" in choose_engine("auto", {"PATH": ""}).reason
    broken = choose_engine("auto", {"QUARTO_PATH": str(tmp_path / "none"), "PATH": ""})
    assert "not a Quarto that runs" in broken.reason
    with pytest.raises(BookError, match=r"no usable Quarto.*pip install quarto-cli.*QUARTO_PATH"):
        choose_engine("quarto", {"PATH": ""})


def test_builtin_can_be_asked_for(tmp_path: Path) -> None:
    program = fake_quarto(tmp_path, "1.9.36")
    engine = choose_engine("builtin", {"QUARTO_PATH": str(program), "PATH": ""})
    assert engine.quarto is None


# With Quarto: a stand-in that writes what it is told to.

GOOD_PAGE = '<main><p id="a">Text <a href="#a">here</a>.</p></main>'
STAND_IN = """
assert sys.argv[1:3] == ["render", "--output-dir"], sys.argv
folder = pathlib.Path(sys.argv[3])
assert not folder.is_absolute()
(folder / "index.html").write_text({page!r})
(folder / "book.pdf").write_bytes(b"%PDF")
pathlib.Path("environment.txt").write_text(repr(dict(os.environ)))
print({log!r})
sys.exit({code})
"""


def render_with(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str = GOOD_PAGE,
    log: str = "done",
    code: int = 0,
) -> int:
    """`python -m render` with a stand-in for Quarto; returns the exit code."""
    rest = STAND_IN.format(page=page, log=log, code=code)
    monkeypatch.setenv("QUARTO_PATH", str(fake_quarto(root / "bin", "1.9.38", rest)))
    monkeypatch.chdir(root)
    return main([])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose last good book is in place."""
    write_files(tmp_path, {**FILES, "_book/index.html": "old", "_book/old.pdf": "old"})
    return tmp_path


def test_quarto_builds_into_the_staging_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(project, {"_report/numbers.json": "[]", "_report/data/pools.csv": "pool\n"})
    assert render_with(project, monkeypatch) == 0
    assert set(contents(project / "_book")) == {
        "index.html", "book.pdf", "checked.html", "numbers.json", "data/pools.csv", "figures/a.svg",
        "figures/a.csv",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "render: engine Quarto 1.9.38 (found by QUARTO_PATH=" in said
    assert said.splitlines()[-2:] == ["render: _book/index.html", "render: _book/book.pdf"]


def test_quarto_gets_this_interpreter_the_fonts_and_the_engine(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert render_with(project, monkeypatch) == 0
    environment = eval((project / "environment.txt").read_text())
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["QUARTO_PYTHON"] == sys.executable
    assert environment["BOOK_ENGINE"] == "Quarto 1.9.38"
    assert Path(environment["TYPST_FONT_PATHS"], "DejaVuSans.ttf").is_file()
    assert environment["SOURCE_DATE_EPOCH"] == "1795132800"  # 2026-11-20, midnight UTC


@pytest.mark.parametrize(
    "failure",
    [
        {"code": 1},
        {"page": '<main><a href="none.html">x</a></main>'},
        {"log": "WARN: index.html: Unable to resolve crossref @fig-x"},
    ],
)
def test_a_failed_build_leaves_the_last_book_alone(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: dict[str, object],
) -> None:
    before = contents(project / "_book")
    assert render_with(project, monkeypatch, **failure) == 1  # type: ignore[arg-type]
    assert contents(project / "_book") == before
    assert not list(project.glob("_book.*"))
    error = capsys.readouterr().err
    assert error.startswith("render: ")
    assert "Traceback" not in error


def test_a_failed_builtin_build_leaves_the_last_book_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(project / "_book")
    (project / "prepare.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(project)
    assert main(["--engine", "builtin"]) == 1
    assert contents(project / "_book") == before
    assert not list(project.glob("_book.*"))
    assert "pre-render command 'python prepare.py' failed with code 3" in capsys.readouterr().err


def test_leftovers_of_a_killed_build_are_cleared_away(tmp_path: Path) -> None:
    write_files(tmp_path, {"_book.staging/half.html": "x", "_book.old/index.html": "good"})
    with pytest.raises(RuntimeError), staged(tmp_path / "_book"):
        raise RuntimeError
    assert contents(tmp_path) == {"_book/index.html": b"good"}


def test_a_swap_that_fails_puts_the_old_book_back(tmp_path: Path) -> None:
    write_files(tmp_path, {"_book/index.html": "good"})
    with pytest.raises(OSError, match="_book"), staged(tmp_path / "_book") as folder:
        shutil.rmtree(folder)
    assert contents(tmp_path) == {"_book/index.html": b"good"}


def test_a_folder_that_is_no_book_is_never_replaced(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    before = contents(project)
    for place in (".", "..", "chapters"):
        assert main(["--engine", "builtin", "--output", place]) == 1
    assert contents(project) == before
    assert "choose another --output" in capsys.readouterr().err


def test_outside_a_project_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    assert "no _quarto.yml in this folder" in capsys.readouterr().err


def test_render_does_not_load_pyplot() -> None:
    import subprocess

    code = "import sys, render.__main__; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=RENDER.parent, check=True)


def test_the_environment_keeps_a_date_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "5")
    environment = build_environment(project_with(tmp_path), choose_engine("builtin", {}))
    assert environment["SOURCE_DATE_EPOCH"] == "5"


# What must not reach a reader, whichever engine made it.


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<strong>?@fig-x</strong>", "unresolved cross-reference: ?@fig-x"),
        ("see @tbl-x.", "unresolved cross-reference: @tbl-x"),
        ('<span class="quarto-unresolved-ref">?fig-x</span>', "quarto-unresolved-ref"),
        ("Figure ??", "unresolved reference: ??"),
        ("::: {.note}", "markup left as text: :::"),
        ("See[^1].", "markup left as text: [^1]"),
        ("84.9% {.num data-key=x}", "markup left as text: {.num data-key=x}"),
        ("<code>{python} 1 / 0</code>", "inline expression left over: {python} 1 / 0"),
        ('<img src="a.svg" alt="`{python} x`">', "inline expression left over"),
        ("{{&lt; video x &gt;}}", "shortcode left over: {{< video x >}}"),
        ("<strong>?meta:x</strong>", "unresolved shortcode value: ?meta:x"),
        ('<a href="b.html">x</a>', "link to a file that is not in the book: b.html"),
        ('<a href="#x">x</a>', "link to an anchor that is not on index.html: #x"),
        ('<a href="sub/c.html#x">x</a>', "an anchor that is not on sub/c.html: sub/c.html#x"),
        ('<a href="../up.html">x</a>', "link leads out of the book: ../up.html"),
        ('<img src="none.svg" alt="">', "link to a file that is not in the book: none.svg"),
        ('<a href="">x</a>', "empty link with the text 'x'"),
        ('<a href="a.svg"> </a>', "link without text to a.svg"),
        ('<span class="citation">(<strong>bee?</strong>)</span>', "citation not found: bee?"),
    ],
)
def test_faults_of_pages_are_found(tmp_path: Path, body: str, fault: str) -> None:
    page = f"<html><body><main><p>{body}</p></main></body></html>"
    write_files(tmp_path, {"index.html": page, "a.svg": SVG, "sub/c.html": "<p>", "x.pdf": ""})
    faults = find_faults(tmp_path)
    assert [found for found in faults if fault in found], faults
    assert faults[0].startswith("index.html: ")


def test_good_pages_have_no_faults(tmp_path: Path) -> None:
    page = """<nav><a href="">toggle</a></nav><main><p id="a">Mail me@fig-tree.org? Yes.
    <a href="#a">a</a> <a href="sub/">sub</a> <a href="sub/index.html#b">b</a>
    <a href="https://example.org/none">out</a> <a href="a.svg"><img src="a.svg" alt="plot"></a>
    <code>::: {.shown}</code> {x}
    <pre><code>{{&lt; shown >}} @fig-x <a href="#l" id="l" aria-hidden="true"></a></code></pre>
    <script>"{python} ??"</script></main>"""
    sub = '<a href="../index.html#a">up</a><p id="b">'
    write_files(tmp_path, {"index.html": page, "sub/index.html": sub, "a.svg": SVG, "x.pdf": ""})
    assert find_faults(tmp_path) == []


def test_all_faults_are_listed_with_their_pages(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": "<main>?@fig-x <a href='n.html'>n</a></main>", "b.html": "??"})
    assert find_faults(tmp_path, "x\n[WARNING] Citeproc: citation bee not found\n") == [
        "a.html: unresolved cross-reference: ?@fig-x",
        "b.html: unresolved reference: ??",
        "a.html: link to a file that is not in the book: n.html",
        "log: [WARNING] Citeproc: citation bee not found",
        "index.html: there is no such page",
        "the book's folder must hold one PDF",
    ]
