"""Pages are read as a browser shows them, and no digit of a page goes without an explanation."""

from __future__ import annotations

import json

import pytest

from checks import links
from checks.accounting import account
from checks.chapters import Item
from checks.html import Block, Page, chapter, read_page
from checks.ledger import Ledger, Number
from checks.leftovers import leftovers_in
from checks.sources import Sources
from checks.tags import Findings

NUMBERS = {
    "pool.a.overall_response.estimate": ("62.5%", 0.625),
    "pool.a.overall_response.k": ("2", 2),
    "pool.a.overall_response.n": ("1,234", 1234),
    "pool.a.overall_response.state": ("two studies", "two_studies"),
    "const.level": ("95%", 0.95),
}
RATE, K, N, STATE = (f"pool.a.overall_response.{stat}" for stat in ("estimate", "k", "n", "state"))
LEDGER = Ledger({k: Number(k, value, text, "", ()) for k, (text, value) in NUMBERS.items()}, ())
PACKAGE = {"n": 2100, "words": 'at "month" 12, of 300', "code": "dose_3"}
SOURCES = Sources(
    {
        "studies.csv": b"study_id,first_author,year\nlee2007,Lee,2007\n",
        "therapies.csv": b"therapy,label,drug_class\nil_11,IL-11,cytokine\n",
        "datapackage.json": json.dumps(PACKAGE).encode(),
    },
    {},
)


def whole(body: str, head: str = "") -> str:
    """A page with this in its main part."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><title>T</title>{head}</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def parse(body: str, head: str = "") -> Page:
    return read_page("a/page.html", whole(body, head).encode())


def num(key: str, text: str) -> str:
    return f'<span class="num" data-key="{key}">{text}</span>'


def look(body: str, head: str = "") -> Findings:
    return account(parse(body, head), LEDGER, SOURCES)


def rules(body: str, head: str = "") -> list[str]:
    return [fault.rule for fault in look(body, head).faults]


# --- pages that cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its end is not"),
        (whole("<p>ok</p>")[:60], "its end is not|never closed"),
        (whole("<p>ok</p>").replace("</html>", ""), "its end is not"),
        (whole("<p>ok</p>").replace("</body>\n", ""), "</html> where </body>|its end is not"),
        (whole("<div><p>ok</p>"), "line 6 has </main> where </div> of line 5 should be"),
        (whole("<p><b>ok</p>"), "</main> where </b>"),
        (whole("<p>ok</b></p>"), "</b> where </main>"),
        (whole("<div>ok</div></div>"), "</div> where </main>"),
        (whole("ok") + "</div>", "</div> without its opening tag"),
        (whole('<p class="a>ok</p><p id="b">'), "<p> with the attribute|never closed|where"),
        (whole("<p id=a id=b>ok</p>"), "with an attribute twice"),
        # Where browsers show a number that a parser takes for a part of something else.
        (whole("<!-- --!>61<!-- -->"), "a comment that ends before"),
        (whole("<!-->61<!-- -->"), "a comment that ends before"),
        (whole("<!--->61<!-- -->"), "a comment that ends before"),
        (whole("<svg><text><![CDATA[61]]></text></svg>"), r"<!\[CDATA"),
        (whole("<?php > 61 ?>"), r"<\?php"),
        (whole("<!DOCTYPE svg [ > 61 ]>"), "<!DOCTYPE svg"),
        (whole("ok").replace("</body>", "</body>61"), "its end is not"),
        (whole("ok").replace("</html>", "</html>61"), "its end is not"),
        (whole("ok") + "&#54;", "its end is not"),
    ],
)
def test_a_broken_page_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_page("page.html", text.encode())


def test_a_page_in_another_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not UTF-8.*at byte"):
        read_page("page.html", whole("K\u00f6h").encode("latin-1"))


def test_tags_that_may_stay_open_and_capitals_are_read() -> None:
    page = parse("<UL><LI>a<LI>b</UL><TABLE><TR><TD>c<TD>d</TABLE><br/><p>e<p>f")
    assert [part.text.strip() for part in page.parts if isinstance(part, Block)][1:] == [*"abcdef"]


# --- what stands where ----------------------------------------------------------------------------

AREAS = """<html><head><title>T 1</title><meta name="viewport" content="width=2">
<meta name="description" content="d 3"></head><body title="4"><header>h 5</header>
<main><header id="title-block-header"><h1 class="title">t 6</h1><p>b 7</p></header>
<nav>n 8</nav><figure><figcaption>c 9</figcaption><img src="figures/f.svg" alt="a 10"
title="11"><p>p 12</p></figure><div style="display: none">o 13</div>
<div class="online-only">o 14</div><p title="15">x 16</p></main><footer>f 17</footer></body></html>
"""


def test_areas_and_captions_last() -> None:
    page = read_page("page.html", AREAS.encode())
    texts: dict[str, list[str]] = {"main": [], "online": [], "aside": []}
    for part in page.parts:
        text = part.text if isinstance(part, Block) else part.element.get("alt", "")
        texts[part.area].append(text.split()[-1])
    assert texts == {
        "main": ["6", "10", "12", "9", "16"],
        "online": ["11", "13", "14", "15"],
        "aside": ["1", "3", "4", "5", "7", "8", "17"],
    }
    written = [p.text for p in page.as_written if isinstance(p, Block) and p.area == "main"]
    assert written == ["t 6", "c 9", "p 12", "x 16"]
    assert [picture.figure for picture in page.pictures] == ["f"]
    shown = chapter(page, ())
    assert [n.text for n in shown.prose] == ["6", "12", "9", "16"]
    assert [n.text for n in shown.spoken] == ["10"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (num(K, "2"), "num"),
        ('<b data-key="x">2</b>', "num"),
        ('<span class="datum">2</span>', "datum"),
        ('<span class="datum"><code>2</code></span>', "datum"),
        ('<span class="symbol">I\u00b2</span>', "symbol"),
        ('<span class="citation"><a>2</a></span>', "citation"),
        ('<a class="quarto-xref"><span>2</span></a>', "reference"),
        ('<div class="csl-entry"><code>2</code></div>', "bibliography"),
        ('<a class="footnote-ref">2</a>', "footnote"),
        ("<nav>2</nav>", "navigation"),
        ('<div class="sidebar"><a>2</a></div>', "navigation"),
        ("<pre><code>2</code></pre>", "listing"),
        ("<pre>2</pre>", "listing"),
        ("<code>2</code>", "code"),
        ('<p class="date">2</p>', "date"),
        ('<h2><span class="header-section-number">2</span></h2>', "heading"),
        ('<figcaption class="quarto-float-caption">Figure 2: x</figcaption>', "label"),
        ("<p>2</p>", None),
        ("<time>2</time>", None),
        ("<sup>2</sup>", None),
        ('<figcaption class="quarto-float-caption">x: 2</figcaption>', None),
    ],
)
def test_the_nearest_element_that_says_what_it_is_explains_a_digit(
    body: str, kind: str | None
) -> None:
    runs = [r for p in parse(body).parts if isinstance(p, Block) for r in p.runs]
    (claim,) = {run.claim for run in runs if set(run.text) & set("2\u00b2")}
    assert (claim and claim.kind) == kind


# --- tagged numbers -------------------------------------------------------------------------------


def test_right_tags_are_counted_in_order() -> None:
    datum = '<span class="datum" data-from="therapies#il_11#label">IL-11</span>'
    findings = look(
        f"<p>{num(RATE, '62.5%')}, {num(K, 'Two')} of {num(N, '1,234')}\u2013{num(K, '2')}</p>"
        f"<p>({num('const.level', '95&shy;%')} CI), {datum}: "
        f"{num(STATE, 'two studies')}</p><img src='f/x.svg' alt='2 of 1,234' data-keys='{K} {N}'>"
    )
    assert findings.faults == []
    assert [str(item) for item in findings.items] == [
        RATE, K, N, K, "const.level", "datum therapies#il_11#label", STATE, "figure x",
    ]  # fmt: skip
    assert dict(findings.counts) == {"ledger": 7, "constants": 1, "structure": 1}


WRONG_TAGS = {
    "another number": num(RATE, "62.4%"),
    "no per-cent sign": num(RATE, "62.5"),
    "another key": num(N, "62.5%"),
    "unknown key": num("pool.a.x", "62.5%"),
    "spaces in the key": num(f" {K} ", "2"),
    "another word": num(K, "three"),
    "word of a number without one": num(N, "thousand"),
    "empty": num(K, ""),
    "no class": f'<span data-key="{K}">2</span>',
    "no key": '<span class="num">2</span>',
    "empty key": num("", "2"),
    "class in capitals": f'<span class="NUM" data-key="{K}">2</span>',
    "empty half tag": f'<p><i data-key="{K}"></i></p>',
    "two classes": f'<span class="num x" data-key="{K}" id="y">2</span>',
    "another element": f'<b class="num" data-key="{K}">2</b>',
    "nested": f'<span class="num" data-key="{K}">{num(K, "2")}</span>',
    "digit in a child": f'<span class="num" data-key="{N}">1,2<sup>34</sup></span>',
    "digit in a hidden child": f'<span class="num" data-key="{N}">1,2<i hidden>34</i></span>',
    "digit in a break": f'<span class="num" data-key="{N}">1,2<br>34</span>',
    "sign beside": f"\u2212{num(K, '2')}",
    "sign in an element": f"<b>\u2013</b>{num(K, '2')}",
    "heavy minus": f"\u2796{num(K, '2')}",
    "sign before a word": f"\u2013{num(K, 'two')}",
    "digit before": f"1{num(K, '2')}",
    "digit after": f"{num(K, '2')}<i>1</i>",
    "decimals after": f"{num(K, '2')}.5",
    "superscript after": f"{num(K, '2')}\u00b2",
    "circled digit after": f"{num(K, '2')}\u24ea",
    "per cent after": f"{num(K, '2')}%",
    "per cent in the next line": f"{num(K, '2')}\n%",
    "per mille after": f"{num(K, '2')}\u2030",
    "letter after": f"{num(K, '2')}k",
    "enclosed": f"{num(K, '2')}\u20dd",
    "turned round": f"\u202e{num(N, '1,234')}",
    "bdo": f'<bdo dir="rtl">{num(N, "1,234")}</bdo>',
}


@pytest.mark.parametrize("name", WRONG_TAGS)
def test_a_wrong_tag_is_named(name: str) -> None:
    findings = look(f"<p>{WRONG_TAGS[name]}</p>")
    assert {fault.rule for fault in findings.faults} & {"text", "untagged"}
    assert findings.faults[0].place.startswith("a/page.html line 5")


HIDING = [
    '<i hidden>{}</i>', '<i style="display: none">{}</i>', '<i style="DISPLAY:NONE">{}</i>',
    '<i style="visibility:collapse">{}</i>', '<i style="opacity:.0">{}</i>',
    '<i style="color:transparent">{}</i>', '<i style="position:absolute;left:-9em">{}</i>',
    '<i style="display:/**/none">{}</i>', '<i style="width:0">{}</i>', '<i class="d-none">{}</i>',
    '<i aria-hidden="true">{}</i>', "<del>{}</del>", "<s>{}</s>", "<sup>{}</sup>",
    "<select><option>{}</option></select>", "<textarea>{}</textarea>", "<details>{}</details>",
]  # fmt: skip


@pytest.mark.parametrize("around", HIDING)
@pytest.mark.parametrize(
    "shown",
    [
        num(K, "2"),
        '<span class="datum" data-from="therapies#il_11#label">IL-11</span>',
        f'<img src="x.svg" alt="2" data-keys="{K}">',
    ],
)
def test_what_is_checked_stands_in_plain_sight(around: str, shown: str) -> None:
    if "textarea" in around and "<" in shown:
        # Markup in a text area is its text: the parser may or may not see elements there.
        assert rules(around.format(shown))
        return
    assert rules(f"<p>{shown}</p>") == []
    assert "text" in rules(around.format(shown))


def test_layout_of_cells_hides_nothing() -> None:
    cell = f'<table><tr><td style="text-align: right; width:19%">{num(K, "2")}</td></tr></table>'
    assert rules(cell) == []


# --- untagged numbers -----------------------------------------------------------------------------

UNTAGGED = [
    "<p>61 of us</p>", "<p>&#54;&#x31;</p>", "<p>6<wbr>1</p>", "<p>6<br>1</p>", "<p>6\u200d1</p>",
    "<p>6<!-- 9 -->1</p>", "<P>61</P>", "<p>x<sup>6</sup></p>", "<p>\u00bd</p>", "<p>\u2165</p>",
    "<ul><li>61</li></ul>", "<dl><dt>61</dt><dd>x</dd></dl>", "<dl><dd>61</dd></dl>",
    "<h2>61 ways</h2>", "<table><tr><td>61</td></tr></table>",
    "<table><tr><th>61</th></tr></table>", "<table><caption>61</caption></table>",
    "<figure><figcaption>61</figcaption></figure>",
    '<figure><figcaption class="quarto-float-caption">Table 1: 61 rows</figcaption></figure>',
    "<blockquote>61</blockquote>", "<p><del>61</del><ins>62</ins></p>", "<x-y>61</x-y>",
    "<details><summary>61</summary>x</details>", "<select><option>61</option></select>",
    "<textarea>61</textarea>", "<button>61</button>", "<kbd>61</kbd>", "<p hidden>61</p>",
    '<p style="display:none">61</p>', '<p class="online-only">61</p>', "<svg><text>61</text></svg>",
    "<svg><title>61</title></svg>", "<math><mn>61</mn></math>", "<title>61</title>",
    '<p title="61 of us">x</p>', '<div aria-label="61">x</div>', '<div aria-valuetext="61">x</div>',
    '<p aria-roledescription="61">x</p>', '<p aria-braillelabel="61">x</p>',
    '<table><tr><th abbr="61">x</th></tr></table>', '<input placeholder="61">',
    '<input value="61">', '<meter value="61"></meter>', '<li value="61">x</li>',
    '<img src="x.svg" alt="x" title="61">', '<img src="x.svg" alt="61">',
    f'<img src="x.svg" alt="2 of 61" data-keys="{K}">',
    '<p><span class="symbol">I\u00b2</span>6</p>', "<ruby>x<rt>61</rt></ruby>",
    "</main><p>61</p><main>", "</main><footer>61</footer><main>",
]  # fmt: skip


@pytest.mark.parametrize("body", UNTAGGED)
def test_an_untagged_digit_is_named_wherever_it_stands(body: str) -> None:
    assert rules("<p>x</p>") == []
    faults = [fault for fault in look(body).faults if fault.rule == "untagged"]
    assert faults
    assert all(fault.place.startswith("a/page.html line 5") for fault in faults)


@pytest.mark.parametrize(
    "body",
    ["<p>three of us</p>", "<p>thr<b>ee</b></p>", "<p>one\nstudy</p>", '<p title="zero">x</p>',
     '<img src="x.svg" alt="two of us">', "<h2>Twenty ways</h2>"],
)  # fmt: skip
def test_an_untagged_word_is_named(body: str) -> None:
    assert rules(body) == ["words"]


def test_an_unexplained_number_is_counted_and_quoted() -> None:
    findings = look(f"<p>in <b>{num(K, '2')}</b> of 61 patients</p>")
    (fault,) = findings.faults
    assert fault.found == '"61" without a key in "in 2 of 61 patients"'
    assert findings.counts["unexplained"] == 1


UNREADABLE = (
    "applet area audio base bdo canvas embed iframe input math noscript object picture source svg "
    "template video"
)


@pytest.mark.parametrize("tag", UNREADABLE.split())
def test_what_the_check_cannot_read_is_named(tag: str) -> None:
    single = tag in {"area", "base", "embed", "input", "source"}
    assert rules(f"<{tag}>" if single else f"<{tag}></{tag}>") == ["untagged"]


@pytest.mark.parametrize(
    "body",
    [
        "<script>document.write(61)</script>",
        "<style>p::after { content: '61' }</style>",
        '<img src="x.svg" srcset="y.png" alt="x">',
        '<p style="background: url(61.png)">x</p>',
        '<ol start="61"><li>x</li></ol>',
        "<ol reversed><li>x</li></ol>",
        '<ol><li>x</li></ol><ol start="3"><li>y</li></ol>',
    ],
)
def test_numbers_that_a_browser_would_add_are_named(body: str) -> None:
    assert rules(body) == ["untagged"]


def test_a_list_may_go_on_after_a_paragraph() -> None:
    assert rules('<ol><li>x</li><li>y</li></ol><p>z</p><ol start="3"><li>y</li></ol>') == []


# --- tables ---------------------------------------------------------------------------------------

HEADER = "<thead><tr><th>Study</th><th>Rate</th><th>Patients</th></tr></thead>"


def table(*rows: tuple[str, ...]) -> str:
    lines = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{HEADER}<tbody>{''.join(lines)}</tbody></table>"


def test_a_row_says_which_study_it_is_about() -> None:
    cite = '<span class="citation" data-cites="lee2001">Lee</span>'
    found = look(table((cite, num(RATE, "62.5%"), "\u2013"))).items[3:]
    assert found[:3] == [Item("cell", "0"), Item("cite", "lee2001"), Item("cell", "1")]


def test_a_number_stands_under_its_own_heading() -> None:
    rate, n = num(RATE, "62.5%"), num(N, "1,234")
    right = ("x", rate, n)
    assert rules(table(right, ("y", "\u2013", n), ("z", rate, "\u2013"))) == []
    heads = [Item("head", "0 Study"), Item("head", "1 Rate"), Item("head", "2 Patients")]
    in_one, in_two = Item("cell", "1"), Item("cell", "2")
    assert look(table(("y", "\u2013", n))).items == [*heads, in_two, Item("num", N)]
    assert look(table(("y", n, "\u2013"))).items == [*heads, in_one, Item("num", N)]
    assert rules(table(right, ("y", rate))) == ["sequence"]
    assert rules(table(right, ("y", rate, n, "\u2013"))) == ["sequence"]
    assert rules(table(right).replace("<td>x", '<td rowspan="2">x')) == ["sequence"]
    assert rules(table(right).replace("<td>x", '<td colspan="1">x')) == ["sequence"]


# --- words of the data ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address", "right"),
    [
        ("Lee 2007", "studies#lee2007#label", True),
        ("Lee\u00a02007", "studies#lee2007#label", True),
        ("Lee 2008", "studies#lee2007#label", False),
        ("Lee 2007", "studies#lee2007#name", False),
        ("Lee 2007", "studies#kim2007#label", False),
        ("Lee 2007", "", False),
        ("2,100", "package#/n", True),
        ("2100", "package#/n", True),
        ("2,10", "package#/n", False),
        ("dose 3", "package#/code", True),
        ('at "month" 12, of 300', "package#/words", True),
        ('at "month" 12, of\u2026', "package#/words", True),
        ('at "month"\u2026', "package#/words", True),
        ('at "month" 1\u2026', "package#/words", False),  # a number cut in two is another number
        ('at "month" 13\u2026', "package#/words", False),
        ("\u2026", "package#/words", False),
        ("{}", "package#", False),
    ],
)
def test_quoted_words_read_as_in_the_data(text: str, address: str, right: bool) -> None:
    found = rules(f'<p><span class="datum" data-from="{address}">{text}</span></p>')
    assert found == ([] if right else ["quotation"])


# --- the head -------------------------------------------------------------------------------------


def test_what_a_page_tells_search_engines_is_read() -> None:
    head = """<meta name="viewport" content="width=1"><meta name="abstract" content="61">
<meta property="og:title" content="62"><meta itemprop="d" content="63">
<meta http-equiv="refresh" content="64">"""
    told = [p.text for p in parse('<meta name="x" content="65">', head).parts if p.area == "aside"]
    assert told == ["T", "61", "62", "63", "64", "65"]


# --- alternative texts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alt", "keys", "rule"),
    [
        ("62.5% in two of 1,234.", f"{RATE} {K} {N}", None),
        ("IL-11: 2.", f"therapies#il_11#label {K}", None),
        ("62.4% in two.", f"{RATE} {K}", "alt"),
        ("162.5% in two.", f"{RATE} {K}", "alt"),
        ("two, 62.5%", f"{RATE} {K}", "alt"),
        ("62.5%", f"{RATE} {K}", "alt"),
        ("62.5% of 1,234", RATE, "untagged"),
        ("62.5% in three", RATE, "words"),
        ("62.5%", f"{RATE} pool.a.x", "alt"),
        ("IL-12", "therapies#il_11#label", "alt"),
        ("IL-11", "therapies#il_12#label", "alt"),
        ("", K, "alt"),
        (" ", "", "alt"),
    ],
)
def test_an_alternative_text_speaks_its_keys(alt: str, keys: str, rule: str | None) -> None:
    findings = look(f"<img src='f/x.svg' alt='{alt}' data-keys='{keys}'>")
    assert findings.items == [Item("figure", "x")]
    found = [fault.rule for fault in findings.faults]
    assert (not found) if rule is None else rule in found


# --- links and leftovers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<a href="b.html#sec">x</a> <a href="#here">x</a> <a id="here" href="../b/">x</a>', ""),
        ('<a href="/a/b.html">x</a> <a href="https://e.org/1">x</a> <a href="#top">x</a>', ""),
        ('<a href="b.html#:~:text=x">x</a> <a href="mailto:x@y.z">x</a>', ""),
        ('<a href="" onclick="f()"></a> <a role="button" href=""></a>', ""),
        ('<a href="x%20y.csv">x</a> <a href="b.html" title="x"></a>', ""),
        ('<a href="c.html">x</a>', "a link to c.html"),
        ('<a href="b.html#set">x</a>', "a link to b.html#set"),
        ('<a href="#there">x</a>', "a link to #there"),
        ('<a href="../../b.html">x</a>', "a link to ../../b.html"),
        ('<a href="">x</a>', 'a link "x" without an address'),
        ('<a href="b.html"></a>', "a link to b.html without words"),
        ('<a href="http://[">x</a>', "a link to http://["),
        ('<img src="y.svg" alt="x">', "a link to y.svg"),
        ('<img src="" alt="x">', "<img> without an address"),
        ('<img src="https://e.org/x.svg" alt="x">', "an image from https://e.org/x.svg"),
        ('<img src="//e.org/x.svg" alt="x">', "an image from //e.org/x.svg"),
        ('<img src="data:image/svg+xml,61" alt="x">', "an image from data:image/svg+xml,61"),
    ],
)
def test_links_lead_somewhere(body: str, found: str) -> None:
    site = (("a/b.html", frozenset({"sec"})), ("a/page.html", frozenset({"here"})))
    files = frozenset({"a/b.html", "a/page.html", "b/index.html", "a/x.svg", "a/x y.csv"})
    faults = links.check_links(parse(body), site, files)
    assert [fault.found for fault in faults] == ([found] if found else [])


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>right?</p>", None),
        ('<p>see <b class="quarto-unresolved-ref">?fig-x</b></p>', 'an unresolved reference "?fig'),
        ("<p><code>{python} num()</code></p>", "code that was not run"),
        ("<p>see ?@fig-x</p>", "a cross-reference to nothing"),
        ("<p>?sec-x</p>", "a cross-reference to nothing"),
        ('<p title="Figure ??">x</p>', "a reference that was not resolved"),
        ('<img src="x.svg" alt="Figure ??">', "a reference that was not resolved"),
        ("<script>a ?? b</script>", None),
    ],
)
def test_nothing_unfinished_is_left(body: str, found: str | None) -> None:
    faults = links.check_words(parse(body))
    assert len(faults) == (found is not None)
    assert found is None or faults[0].found.startswith(found)


def test_each_kind_of_leftover_is_named_once() -> None:
    assert len(leftovers_in("?? ?? {python} ?@x ?@y", "here")) == 3
