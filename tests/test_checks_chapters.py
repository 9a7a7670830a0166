"""What each page must show is worked out from its chapter, with words of the checks' own."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import prose, report, tables
from analysis.report import Report
from checks import fresh, ledger, pages, rows
from checks.chapters import ChapterError, Item, items, marker
from checks.ledger import Number
from checks.vocabulary import vocabulary
from tests.projects import NO_PUBLISHED_POOLS

ROOT = Path(__file__).parents[1]
OUTCOMES = ("overall_response", "complete_response", "durable_response_on", "durable_response_off")
BASES = (
    "pool", "class", "cited", "second_line", "rescue",
    "rescue_month_3", "rescue_month_6", "rescue_month_12",
)  # fmt: skip

# --- running a chapter ----------------------------------------------------------------------------

WORDS = {"num": lambda key: marker("num", key), "pair": lambda: marker("num", "x") + "1, 2"}
TICKS = "```"


def asked(source: str) -> list[str]:
    return [str(item) for item in items(source, "a.qmd", WORDS)]


def test_cells_and_inline_values_are_read_in_their_order() -> None:
    source = f"""# Of `{{python}} num("a")`
{TICKS}{{python}}
#| output: asis
from analysis.prose import *
import analysis
k = "c"
print(num("b"), pair())
{TICKS}
and `{{python}} num(k + ".d")`, `num("code")`, `{{r}} num("r")`
"""
    assert asked(source) == ["a", "b", "x", "c.d"]


def test_figures_and_quotations_are_items_too() -> None:
    words = {"figure": lambda name: marker("figure", name) + marker("datum", "t#x#label")}
    found = items('`{python} figure("f")`', "a.qmd", words)
    assert found == [Item("figure", "f"), Item("datum", "t#x#label")]
    assert [str(item) for item in found] == ["figure f", "datum t#x#label"]


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ('{.content-visible when-format="typst"}', False),
        ('{.content-hidden when-format="html"}', False),
        ('{.content-visible when-format="html"}', True),
        ('{.content-hidden when-format="typst"}', True),
        ("{.callout-note}", True),
        ("note", True),
    ],
)
def test_what_only_print_shows_is_left_out(attributes: str, shown: bool) -> None:
    source = f"""`{{python}} num("a")`

:::: {attributes}
`{{python}} num("b")`

::: {{#tbl-x}}
{TICKS}{{python}}
print(num("c"))
{TICKS}
:::
`{{python}} num("d")`
::::

`{{python}} num("e")`
"""
    assert asked(source) == (["a", "b", "c", "d", "e"] if shown else ["a", "e"])


def test_other_listings_are_not_run() -> None:
    source = f'{TICKS}markdown\n`{{python}} num("a")`\n{TICKS}\n`{{python}} num("b")`\n'
    assert asked(source) == ["b"]
    assert asked(f'{TICKS}\n{TICKS[:1]}{{python}} num("a")`\n{TICKS}\n') == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('one\n\ntwo `{python} rate("a")`', "near line 3: NameError: name 'rate'"),
        (f"\n{TICKS}{{python}}\nprint(num)\nnum(\n{TICKS}\n", "near line 2: SyntaxError"),
        ("`{python} num()`", "near line 1: TypeError"),
        ("`{python} 1 / 0`", "near line 1: ZeroDivisionError"),
    ],
)
def test_a_chapter_that_cannot_be_run_names_the_line(source: str, message: str) -> None:
    with pytest.raises(ChapterError, match=message):
        asked(source)


def test_a_chapter_leaves_the_words_of_the_next_one_alone() -> None:
    asked(f"{TICKS}{{python}}\nnum = pair\n{TICKS}\n")
    assert asked('`{python} num("a")`') == ["a"]


# --- the vocabulary on data small enough to read --------------------------------------------------

TINY = {
    "studies.csv": """study_id,first_author,year,design,population,itp_type,line,n_enrolled,\
seed_reference,overlaps_with,citation_verified
lee,Lee,2001,rct,adult,primary,rescue,40,1,,yes
kim,Kim,2003,rct,adult,primary,second_line,40,,,yes
day,Day,2002,rct,adult,primary,mixed,40,2,,yes
ann,Ann,2002,rct,adult,primary,mixed,40,,kim,yes
""",
    "outcomes.csv": """study_id,arm,therapy,outcome,months,months_basis,window,platelet_threshold,\
treatment_status,events,n,reported_percent,confidence,exclusion,second_extraction,count_basis,\
denominator,source_kind,source_locator,definition
lee,a_1,zeta,overall_response,3,visit,at_timepoint,50,,8,20,40,high,,yes,p,x,t
kim,b,zeta,overall_response,24,visit,at_timepoint,50,,8,20,,high,,yes,p,x,t
kim,b,zeta,complete_response,3,visit,at_timepoint,100,,8,20,,high,,yes,p,x,t
ann,b,zeta,overall_response,3,visit,at_timepoint,50,,8,10,,high,,yes,p,x,t
day,c,alpha,overall_response,3,visit,at_timepoint,50,,,,65,high,,yes,p,x,t
day,c,alpha,overall_response,6,visit,at_timepoint,50,,1,9,,high,not_itp,yes,p,x,t
""",
    "therapies.csv": """therapy,label,drug_class,mode
zeta,Beta,B cells,course
alpha,Zoo,B cells,course
""",
    "constants.csv": "constant,value,unit,source,stated\nlimit,30,platelets,lee,\n",
    "published_pools.csv": NO_PUBLISHED_POOLS,
    "references.bib": "@article{lee, year = 2001}\n",
}
FIELDS = [
    {
        "name": "arm", "type": "string", "description": "d", "unit": "year", "blankMeans": "b",
        "constraints": {"enum": ["p", "q"], "pattern": "x", "minimum": 1, "maximum": 2},
        "valueDescriptions": {"p": "P"}, "patternDescription": "x's",
    },
    {"name": "exclusion", "valueDescriptions": {"no_itp": "N", "not_itp": "T", "cited": "C"}},
]  # fmt: skip
PACKAGE = {
    "resources": [
        {"name": "studies", "description": "s", "schema": {"fields": []}},
        {
            "name": "outcomes", "description": "o", "schema": {"fields": FIELDS},
            "rules": [{"message": "m"}],
        },
    ]
}  # fmt: skip
BUILD = {"version": "1", "packages": {"numpy": "2"}}
TRIALS = {
    "kinds": {"html": {"words": "w", "made": 1, "killed": 1}},
    "rules": {"text": {"words": "w", "noticed": 1, "alone": 1}},
}
P = "pool.zeta.overall_response"
KNOWN = {
    f"{P}.glmm_estimate", f"{P}.k", "study.lee.a_1.overall_response.3.events",
    "study.lee.a_1.overall_response.3.months", "flow.rows.excluded.not_itp",
}  # fmt: skip


def tiny(more: set[str] | frozenset[str] = frozenset()) -> dict[str, Any]:
    """The vocabulary of the tiny data; only these keys are in its ledger."""
    data = rows.read({name: text.encode() for name, text in TINY.items()})
    known = {key: Number(key, 1, "1", "count", ()) for key in KNOWN | more}
    return vocabulary(data, known, json.dumps(PACKAGE).encode(), BUILD, TRIALS)


def shown(text: str) -> list[str]:
    """The markers of a text: a key, an address, or the name of a figure."""
    return re.findall("\x02(?:num|datum|figure):([^\x03]+)\x03", text)


def of(prefix: str, *stats: str) -> list[str]:
    return [f"{prefix}.{stat}" for stat in stats]


RATE = [f"{P}.estimate", "const.level", f"{P}.ci_low", f"{P}.ci_high"]
ZETA, ALPHA = "therapies#zeta#label", "therapies#alpha#label"
PI = [f"{P}.pi_low"]
CENTRES = ["const.per_100_centres", f"{P}.p_above_50", "const.half"]
GLMM = of(P, "glmm_estimate", "glmm_ci_low", "glmm_ci_high")
PARAGRAPH = [*RATE, *of(P, "k", "n", "k"), *GLMM, "const.rate_floor", "const.rate_ceiling"]
POOLED = ("k", "events", "n", "estimate", "ci_low", "ci_high")
PHRASES: list[tuple[str, list[str]]] = [
    ('num("a.b")', ["a.b"]),
    ('word("a.b")', ["a.b"]),
    ('many("a.b", "one", "more")', ["a.b"]),
    (f'rate("{P}")', RATE),
    (f'prediction("{P}")', of(P, "pi_low", "pi_high")),
    (f'counts("{P}")', of(P, "k", "n")),
    (f'centres("{P}")', CENTRES),
    (f'compared("{P}", "{P}")', []),
    ('reference(["lee"])', []),
    ("how_to_read()", []),
    ("version()", ["build#/version"]),
    ("cited_alone()", []),
    ('figure("f", "Of 2")', ["f"]),
    (f'pool_paragraph("{P}")', PARAGRAPH),
    ('forest_sections("overall_response")',
     [ZETA, *PARAGRAPH, "forest-zeta-overall_response", ZETA]),
    ("tables.summary()",
     [ZETA, *of(P, "k", "n", "estimate", "ci_low", "ci_high", "state"),
      *of("pool.zeta.complete_response", "estimate", "ci_low", "ci_high", "state"), f"{P}.state"]),
    ('tables.pools("pool", "overall_response")',
     ["const.level", ZETA, *of(P, *POOLED), f"{P}.glmm_estimate"]),
    ('tables.pools("pool", "overall_response", 3)', ["const.level"]),
    ('tables.pools("class", "overall_response")',
     ["const.level", "classes#b_cells#label", *of("class.b_cells.overall_response", *POOLED)]),
    ("tables.cited()",
     [ZETA, *of("cited.zeta.overall_response", "events", "n", "estimate"), "const.level",
      *of("cited.zeta.overall_response", "ci_low", "ci_high"),
      "outcomes#day/c/overall_response/3#arm", "study.day.c.overall_response.3.reported_percent",
      "outcomes#day/c/overall_response/6#arm", "study.day.c.overall_response.6.reported_percent"]),
    ("tables.cited_beside_all()",
     [ZETA, *of("cited.zeta.overall_response", "estimate", "ci_low", "ci_high", "k", "n"),
      *of(P, "estimate", "ci_low", "ci_high", "k", "n")]),
    ("tables.exclusions()",
     ["package#/resources/1/schema/fields/1/valueDescriptions/not_itp",
      "flow.rows.excluded.not_itp"]),
    ("tables.shared_patients()", [ZETA]),
    ("tables.late_visits()", [ZETA, "study.kim.b.overall_response.24.months"]),
    ("tables.studies()", [ZETA, ZETA, ALPHA, ZETA]),
    ("tables.outcome_rows()",
     ["outcomes#lee/a_1/overall_response/3#arm",
      *of("study.lee.a_1.overall_response.3", "months", "events"),
      "outcomes#ann/b/overall_response/3#arm", "outcomes#day/c/overall_response/3#arm",
      "outcomes#day/c/overall_response/6#arm", "outcomes#kim/b/overall_response/24#arm",
      "outcomes#kim/b/complete_response/3#arm"]),
    ("tables.pool_ledger()", of(P, "k", "glmm_estimate")),
    ("tables.versions()",
     [f"build#/{n}" for n in ("version", "data", "code", "engine", "python", "packages/numpy")]),
    ("tables.mutations()", ["mutations#/kinds/html/words", *of("mutation.html", "made", "killed")]),
    ("tables.mutation_rules()",
     ["mutations#/rules/text/words", *of("mutation.rule.text", "noticed", "alone")]),
    ("tables.dictionary()",
     ["package#/resources/0/description", "package#/resources/1/description",
      *(f"package#/resources/1/schema/fields/0/{n}"
        for n in ("type", "unit", "description", "valueDescriptions/p", "patternDescription",
                  "constraints/minimum", "constraints/maximum", "blankMeans")),
      "package#/resources/1/rules/0/message"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "keys"), PHRASES)
def test_a_phrase_or_table_shows_these_keys_in_this_order(call: str, keys: list[str]) -> None:
    assert shown(str(eval(call, tiny()))) == keys


def test_a_prediction_interval_is_said_where_the_ledger_has_one() -> None:
    words = tiny({f"{P}.pi_low"})
    assert shown(words["pool_paragraph"](P))[6:11] == [*of(P, "pi_low", "pi_high"), *CENTRES]
    cells = of(P, "estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    assert shown(words["tables"].summary())[3:8] == cells


def test_a_table_names_its_columns_and_the_study_of_each_row() -> None:
    text = tiny()["tables"].late_visits()
    heads = ["0 Therapy", "1 Outcome", "2 Study", "3 Month"]
    assert re.findall("\x02head:([^\x03]+)\x03", text) == heads
    places = re.findall("\x02(cell|cite|datum|num):([^\x03]+)\x03", text)
    assert places[0] == ("cell", "0")
    assert places[2:5] == [("cell", "2"), ("cite", "kim"), ("cell", "3")]


def test_a_header_shows_the_number_of_its_key() -> None:
    words = tiny({"const.level"})
    assert "\x02head:3 Rate (1 CI)\x03" in words["tables"].pools("pool", "overall_response")


def test_the_flow_and_the_constants_name_every_line() -> None:
    words = tiny()
    flow = shown(words["tables"].flow())
    assert flow[:2] == ["flow.rows.total", "flow.studies.total"]
    assert flow[-2:] == ["flow.rows.pooled", "flow.studies.pooled"]
    assert shown(words["tables"].constants())[-2:] == ["const.limit", "constants#limit#source"]


# --- the vocabulary beside the code that it answers for -------------------------------------------


@pytest.fixture(scope="module")
def book(shipped: Report) -> Iterator[Report]:
    """What the chapters' functions look at: the shipped report, with figures that say nothing."""
    silent = defaultdict(lambda: SimpleNamespace(alt="", alt_keys=()))
    drawn = replace(shipped, figures=silent)  # type: ignore[arg-type]
    original = report.load
    report.load = lambda folder=report.REPORT: drawn
    prose.book.cache_clear()
    yield drawn
    report.load = original
    prose.book.cache_clear()


@pytest.fixture(scope="module")
def words(book: Report) -> dict[str, Any]:
    """The checks' words for the same data."""
    files = fresh.read_files(ROOT, ROOT / "data")
    data = {n.removeprefix("data/"): c for n, c in files.items() if n.startswith("data/")}
    numbers = ledger.read(book.ledger.to_json().encode()).numbers
    trials = dict(book.trials)
    return vocabulary(
        rows.read(data), numbers, data["datapackage.json"], dict(book.build), trials
    )  # fmt: skip


_TAGS = re.compile(r'\.num data-key="([^"]+)"|data-from="([^"]+)"|\{#fig-([^}\s]+)\}')


def tagged(markdown: str) -> list[str]:
    """The keys, addresses and figures of what the chapters' functions return, in order."""
    return ["".join(groups) for groups in _TAGS.findall(markdown)]


CALLS = [
    *(f'tables.pools("{basis}", "{outcome}", {k})'
      for basis in BASES for outcome in OUTCOMES for k in (1, 2)),
    *(f'tables.cited_beside_all("{outcome}")' for outcome in OUTCOMES),
    *(f'forest_sections("{outcome}")' for outcome in OUTCOMES),
    *(f"tables.{name}()" for name in (
        "summary", "cited", "flow", "exclusions", "shared_patients", "late_visits", "studies",
        "outcome_rows", "constants", "pool_ledger", "dictionary", "versions", "mutations",
        "mutation_rules")),
    "cited_alone()", "how_to_read()", "version()", 'figure("f", "Words.")', 'reference(["x"])',
    'num("const.level")', 'word("const.pool_studies")', 'many("evidence.studies", "a", "b")',
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_the_book_shows_the_keys_that_the_vocabulary_says(
    call: str, book: Report, words: dict[str, Any]
) -> None:
    said = {name: getattr(prose, name) for name in prose.__all__} | {"tables": tables}
    assert tagged(str(eval(call, said))) == shown(str(eval(call, dict(words))))


@pytest.mark.parametrize("phrase", ["rate", "prediction", "counts", "centres", "pool_paragraph"])
def test_phrases_of_every_pool_agree(phrase: str, book: Report, words: dict[str, Any]) -> None:
    pools = [p for outcome in OUTCOMES for p in book.prefixes("pool", outcome, 2)]
    told = [p for p in pools if f"{p}.pi_low" in book.ledger or phrase in {"rate", "counts"}]
    assert told
    for prefix in told if phrase != "pool_paragraph" else pools:
        assert tagged(getattr(prose, phrase)(prefix)) == shown(words[phrase](prefix))
    assert shown(words["compared"](pools[0], pools[1])) == []
    assert tagged(prose.compared(pools[0], pools[1])) == []


def test_both_sides_have_the_same_words(words: dict[str, Any]) -> None:
    assert set(prose.__all__) - {"book"} == set(words) - {"tables", *pages.PARTS}
    used = {
        name
        for path in [ROOT / "index.qmd", *(ROOT / "chapters").glob("*.qmd")]
        for name in re.findall(r"\btables\.(\w+)\(", path.read_text(encoding="utf-8"))
    }
    assert used == set(vars(words["tables"]))
    assert {call[7:].partition("(")[0] for call in CALLS if call.startswith("tables.")} == used


def test_every_chapter_can_be_run(words: dict[str, Any]) -> None:
    numbers = 0
    for path in [ROOT / "index.qmd", *(ROOT / "chapters").glob("*.qmd")]:
        numbers += len(items(path.read_text(encoding="utf-8"), path.name, words))
    assert numbers > 1000
