"""The checks pass a right book and name every fault of a wrong one."""

from __future__ import annotations

import ast
import json
import math
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import beta, binom, chi2, norm
from scipy.stats import t as student_t

from checks import rows, statistics
from checks.__main__ import main
from checks.ledger import normalise
from checks.mixed_model import MixedModel

ROOT = Path(__file__).parents[1]
OUTCOMES = ("overall_response", "complete_response", "durable_response_on", "durable_response_off")
Entry = dict[str, Any]
Member = tuple[str, int, int, list[str]]

# --- a book small enough to work out by hand -------------------------------------------------
# Every pooled study has 10 or 30 responders of 40, so each logit is -ln 3 or ln 3 and all share
# one variance. REML then has a closed form: tau2 = max(0, variance of the logits - v).

STUDIES = """study_id,year,population,itp_type,line,n_enrolled,seed_reference,overlaps_with
s1,2001,adult,primary,rescue,64,,
s2,2002,mixed,mixed,rescue,40,,
s3,2003,adult,primary,mixed,40,,
s4,2004,adult,primary,mixed,10,,s1
s5,2005,adult,primary,mixed,40,3,
s6,2006,adult,primary,mixed,,,
child,2007,child,primary,mixed,8,,
"""
ROWS = """study_id,arm,therapy,outcome,months,months_basis,window,platelet_threshold,\
treatment_status,events,n,reported_percent,confidence,exclusion
s1,a,alpha,overall_response,3,visit,at_timepoint,50,,8,40,20,high,
s1,a,alpha,overall_response,3,visit,at_timepoint,30,,10,40,,high,
s1,a,alpha,overall_response,,,any_time,,,35,40,,high,
s2,low,alpha,overall_response,5.5,visit,best_by_timepoint,50,,10,20,,medium,
s2,high,alpha,overall_response,5.5,visit,best_by_timepoint,50,,20,20,,medium,
s3,a,alpha,overall_response,,,any_time,,,30,40,,high,
s3,b,beta,overall_response,2,visit,at_timepoint,50,,1,9,,low,
s4,a,alpha,overall_response,3,visit,at_timepoint,50,,9,10,,high,
s5,b,beta,overall_response,1.4,visit,at_timepoint,50,,10,40,,high,
s5,b,beta,complete_response,1.4,visit,at_timepoint,100,,9,12,88.7,high,
s6,b_2.5mg,beta,overall_response,6,visit,at_timepoint,50,,30,40,,high,
s6,b_2.5mg,beta,durable_response,24,visit,at_timepoint,,off,0,8,,high,
s6,b_2.5mg,beta,overall_response,12,visit,at_timepoint,,,,,65,high,
child,a,alpha,overall_response,3,visit,at_timepoint,50,,6,8,,high,
s6,p,placebo,overall_response,3,visit,at_timepoint,50,,1,9,,high,not_itp
"""
THERAPIES = """therapy,label,drug_class,mode
alpha,Alpha,mTOR inhibitor,continuous
beta,Beta,mTOR inhibitor,course
placebo,Placebo,control,continuous
"""
S1: Member = ("s1", 10, 40, ["s1/a/overall_response/3~at_timepoint~30"])
S2: Member = ("s2", 30, 40, ["s2/high/overall_response/5.5", "s2/low/overall_response/5.5"])
S3: Member = ("s3", 30, 40, ["s3/a/overall_response/any"])
S5: Member = ("s5", 10, 40, ["s5/b/overall_response/1.4"])
S6: Member = ("s6", 30, 40, ["s6/b_2.5mg/overall_response/6"])
S5_COMPLETE: Member = ("s5", 9, 12, ["s5/b/complete_response/1.4"])
S6_DURABLE: Member = ("s6", 0, 8, ["s6/b_2.5mg/durable_response_off/24"])
POOLS: dict[str, list[Member]] = {
    **{f"pool.{t}.{o}": [] for t in ("alpha", "beta", "placebo") for o in OUTCOMES},
    **{f"class.mtor_inhibitor.{o}": [] for o in OUTCOMES},
    "pool.alpha.overall_response": [S1, S2, S3],
    "pool.beta.overall_response": [S5, S6],
    "pool.beta.complete_response": [S5_COMPLETE],
    "pool.beta.durable_response_off": [S6_DURABLE],
    "class.mtor_inhibitor.overall_response": [S1, S2, S3, S5, S6],
    "class.mtor_inhibitor.complete_response": [S5_COMPLETE],
    "class.mtor_inhibitor.durable_response_off": [S6_DURABLE],
    "rescue.alpha.overall_response": [S1, S2],
    "cited.beta.overall_response": [S5],
    "cited.beta.complete_response": [S5_COMPLETE],
}
ALPHA, BETA = "pool.alpha.overall_response", "pool.beta.overall_response"
WORDS = {0: "none", 1: "single_study", 2: "two_studies"}
PRINT: dict[str, Callable[[Any], str]] = {
    "percent": lambda v: f"{100 * v:.1f}%",
    "percent_whole": lambda v: f"{100 * v:.0f}%",
    "per_100": lambda v: f"{100 * v:.0f}",
    "count": lambda v: f"{v:,}",
    "number": lambda v: f"{v:.2f}",
    "months": lambda v: f"{v:g}",
    "plain": lambda v: f"{v:g}",
    "platelets": lambda v: f"{v:g}",
    "printed_percent": lambda v: f"{v:g}%",
    "state": lambda v: v.replace("_", " "),
}


def entry(key: str, value: Any, unit: str, used: list[str] | None = None) -> Entry:
    text = PRINT[unit](value)
    return {"key": key, "value": value, "text": text, "unit": unit, "rows": used or []}


def proportion(prefix: str, events: int, n: int, used: list[str]) -> list[Entry]:
    low = float(beta.ppf(0.025, events, n - events + 1)) if events else 0.0
    high = float(beta.ppf(0.975, events + 1, n - events)) if events < n else 1.0
    stats = {"estimate": events / n, "ci_low": low, "ci_high": high}
    return [entry(f"{prefix}.{stat}", value, "percent", used) for stat, value in stats.items()]


def pooled(prefix: str, members: list[Member], used: list[str]) -> list[Entry]:
    """Closed form for studies that share one variance."""
    k, y, v = len(members), [math.log(e / (n - e)) for _, e, n, _ in members], 1 / 10 + 1 / 30
    mean = sum(y) / k
    squares = sum((x - mean) ** 2 for x in y)
    tau2 = max(0.0, squares / (k - 1) - v)
    assert tau2 > 0, "then the Knapp-Hartung scale is exactly 1"
    se, t = math.sqrt((v + tau2) / k), student_t.ppf(0.975, k - 1)
    spread = math.sqrt(tau2 + se**2)
    low, high = (max(0.0, squares / chi2.ppf(p, k - 1) - v) for p in (0.975, 0.025))
    percent = {"estimate": mean, "ci_low": mean - t * se, "ci_high": mean + t * se}
    if k > 2:
        percent |= {"pi_low": mean - t * spread, "pi_high": mean + t * spread}
    found = [entry(f"{prefix}.{s}", float(expit(x)), "percent", used) for s, x in percent.items()]
    numbers = {"tau2": tau2, "tau2_low": low, "tau2_high": high, "q": squares / v}
    found += [entry(f"{prefix}.{s}", float(x), "number", used) for s, x in numbers.items()]
    found.append(entry(f"{prefix}.i2", tau2 / (tau2 + v), "percent_whole", used))
    if k > 2:
        above = float(student_t.cdf(mean / spread, k - 1))
        found.append(entry(f"{prefix}.p_above_50", above, "per_100", used))
    for study, _, _, own in members:
        found.append(entry(f"{prefix}.study.{study}.weight", 1 / k, "percent", own))
    return found


def tiny_ledger() -> list[Entry]:
    found = []
    for prefix, members in POOLS.items():
        k, used = len(members), [row for member in members for row in member[3]]
        events, n = sum(m[1] for m in members), sum(m[2] for m in members)
        found.append(entry(f"{prefix}.state", WORDS.get(k, "pooled"), "state", used))
        for stat, count in {"k": k, "events": events, "n": n}.items():
            found.append(entry(f"{prefix}.{stat}", count, "count", used))
        for study, e, size, own in members:
            place = f"{prefix}.study.{study}"
            found += [entry(f"{place}.events", e, "count", own)]
            found += [entry(f"{place}.n", size, "count", own), *proportion(place, e, size, own)]
        if k == 1:
            found += proportion(prefix, events, n, used)
        elif k > 1:
            found += pooled(prefix, members, used)
    s1, s5, s6 = "study.s1.a.overall_response.3", "study.s5.b.complete_response.1.4", "study.s6"
    own = ["s1/a/overall_response/3"]
    found += [entry(f"{s1}.events", 8, "count", own), entry(f"{s1}.n", 40, "count", own)]
    found += [*proportion(s1, 8, 40, own), entry(f"{s1}.months", 3, "months", own)]
    found += [entry(f"{s1}.platelet_threshold", 50.0, "platelets", own)]
    found += [entry(f"{s1}.enrolled", 64, "count", own)]
    found += [entry(f"{s1}.estimate_all_enrolled", 0.125, "percent", own)]
    found += [entry(f"{s1}~at_timepoint~30.events", 10, "count", S1[3])]
    found += [entry(f"{s5}.reported_percent", 88.7, "printed_percent", S5_COMPLETE[3])]
    found += [entry(f"{s6}.b_2.5mg.durable_response_off.24.n", 8, "count", S6_DURABLE[3])]
    return [*found, entry("flow.rows", 1234, "count"), entry("const.dose", 2.5, "plain")]


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Tiny</title>
<script>const a = window.b ?? "{python}";</script></head>
<body><h1 id="top-of-page">Tiny</h1>
<p>Alpha: SPANS</p>
<p><a href="chapters/01-a.html#sec-a">chapter</a> <a href="numbers.json">ledger</a>
<a href="https://example.org/x?y=1">elsewhere</a> <a href="" onclick="f()" title="t"></a></p>
<img src="figures/forest.svg" data-keys="ALPHA.estimate ALPHA.k"
alt="ESTIMATE in K studies.">
</body></html>
"""
CHAPTER = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A</title></head>
<body><h1 id="sec-a">A</h1><p><a href="../index.html">back</a> <a href="#sec-a">here</a>
<span class="num" data-key="flow.rows">1,234</span></p></body></html>
"""
SVG = """<?xml version="1.0" encoding="utf-8"?>
<svg xmlns="http://www.w3.org/2000/svg"><g id="num-ALPHA.estimate"><text>ESTIMATE</text></g>
<path id="num-ALPHA.ci_low" d="M0 0"/></svg>
"""


@cache
def tiny_pdf(text: str) -> bytes:
    typst = pytest.importorskip("typst")
    return bytes(typst.compile(text.encode()))


def fill(template: str, ledger: list[Entry]) -> str:
    """Put the alpha pool's numbers where the template names them."""
    texts = {e["key"]: e["text"] for e in ledger}
    spans = " ".join(
        f'<span class="num" data-key="{ALPHA}.{s}">{texts[f"{ALPHA}.{s}"]}</span>'
        for s in ("estimate", "ci_low", "ci_high", "k")
    )
    known = {"SPANS": spans, "ESTIMATE": texts[f"{ALPHA}.estimate"], "K": texts[f"{ALPHA}.k"]}
    for name, text in (known | {"ALPHA": ALPHA}).items():
        template = template.replace(f"{name} ", f"{text} ").replace(f"{name}.", f"{text}.")
        template = template.replace(f"{name}<", f"{text}<")
    return template


class Book:
    """A tiny built book and the data it came from."""

    def __init__(self, folder: Path) -> None:
        self.book, self.data = folder / "_book", folder / "data"
        ledger = tiny_ledger()
        lines = [f"{p},{m[0]},{m[1]},{m[2]}" for p, members in POOLS.items() for m in members]
        self.write("../data/studies.csv", STUDIES)
        self.write("../data/outcomes.csv", ROWS)
        self.write("../data/therapies.csv", THERAPIES)
        self.write("numbers.json", json.dumps(ledger))
        self.write("data/pools.csv", "\n".join(["pool,study_id,events,n", *lines]) + "\n")
        self.write("index.html", fill(PAGE, ledger))
        self.write("chapters/01-a.html", CHAPTER)
        self.write("figures/forest.svg", fill(SVG, ledger))
        self.write("figures/forest.csv", "study,estimate\ns1,0.25\n")
        (self.book / "tiny.pdf").write_bytes(tiny_pdf("= Tiny\nAlpha responds."))

    def write(self, name: str, text: str) -> None:
        path = self.book / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.book / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new, 1))

    def edit(self, key: str, **fields: Any) -> None:
        """Change fields of one ledger entry; a new value is printed by its unit's rule."""
        ledger = json.loads((self.book / "numbers.json").read_text(encoding="utf-8"))
        (found,) = (e for e in ledger if e["key"] == key)
        if "value" in fields and "text" not in fields:
            fields["text"] = PRINT[found["unit"]](fields["value"])
        found.update(fields)
        self.write("numbers.json", json.dumps(ledger))

    def remove(self, key: str) -> None:
        ledger = json.loads((self.book / "numbers.json").read_text(encoding="utf-8"))
        self.write("numbers.json", json.dumps([e for e in ledger if e["key"] != key]))

    def add(self, *entries: Entry) -> None:
        ledger = json.loads((self.book / "numbers.json").read_text(encoding="utf-8"))
        self.write("numbers.json", json.dumps([*ledger, *entries]))

    def check(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
        code = main([str(self.book), "--data", str(self.data)])
        return code, capsys.readouterr().out.splitlines()


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_right_book_passes(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = book.check(capsys)
    total = len(tiny_ledger())
    assert lines == [
        f"checked 9 tagged numbers on 2 pages and 1 figures: 9 agree, 0 faults; {total - 2} of "
        f"{total} ledger values recomputed from {book.data} (2 flow, evidence and constants not "
        f"recomputed); {total - 5} ledger keys unused; PDF of 1 pages read"
    ]
    assert code == 0


def drop(name: str) -> Callable[[Book], None]:
    return lambda book: (book.book / name).unlink()


def swap(name: str, old: str, new: str) -> Callable[[Book], None]:
    return lambda book: book.replace(name, old, new)


def set_to(key: str, **fields: Any) -> Callable[[Book], None]:
    return lambda book: book.edit(key, **fields)


def pdf(text: str) -> Callable[[Book], object]:
    return lambda book: book.book.joinpath("tiny.pdf").write_bytes(tiny_pdf(text))


def cut_pdf(book: Book) -> None:
    whole = (book.book / "tiny.pdf").read_bytes()
    (book.book / "tiny.pdf").write_bytes(whole[: len(whole) // 2])


EST, INDEX, S1_KEY = f"{ALPHA}.estimate", "index.html", "study.s1.a.overall_response.3"
TAU2 = math.log(3) ** 2 * 4 / 3 - 2 / 15  # closed form for the alpha pool
DATA = "../data/outcomes.csv"
MIXED = "class.mtor_inhibitor.overall_response"
BROKEN: dict[str, tuple[Callable[[Book], Any], str]] = {
    # the ledger by itself
    "text misrounded": (set_to(EST, text="59.0%"), f'{EST}: found text "59.0%"'),
    "text of another unit": (set_to(f"{ALPHA}.k", text="3%"), 'expected "3" (count)'),
    "printed percent": (
        set_to("study.s5.b.complete_response.1.4.reported_percent", text="88.70%"),
        'expected "88.7%"',
    ),
    "state as identifier": (set_to(f"{BETA}.state", text="two_studies"), "expected words"),
    "not finite": (set_to(EST, value=math.nan, text="nan%"), "expected a finite number"),
    "number as words": (set_to(EST, value="x", unit="state", text="x"), "found value 'x'"),
    "value is text": (set_to(EST, value="0.59", text="59.1%"), "expected a finite number"),
    "enormous": (set_to(EST, value=1e300, text="1%"), "expected from 0 to 1"),
    "fraction above 1": (set_to("flow.rows", value=1.2, unit="percent", text="120.0%"), "0 to 1"),
    "negative count": (set_to("flow.rows", value=-1), "found value -1; expected 0 or more"),
    "count with decimals": (set_to("flow.rows", value=2.5, text="2.5"), "a whole number"),
    "unknown unit": (set_to(EST, unit="permille"), "unit 'permille'"),
    "limits swapped": (set_to(f"{ALPHA}.ci_low", value=0.99), "expected ci_low <= estimate"),
    "prediction inside": (set_to(f"{ALPHA}.pi_low", value=0.5), "expected pi_low <= ci_low"),
    "key twice": (lambda b: b.add(entry("flow.rows", 1234, "count")), "key flow.rows a second"),
    "field missing": (lambda b: b.add({"key": "flow.x", "value": 1}), "(flow.x): found no field"),
    "entry no object": (lambda b: b.add("x"), "expected an object"),  # type: ignore[arg-type]
    "rows no list": (set_to(EST, rows="s1"), "expected a list of row addresses"),
    # the ledger against data/
    "wrong estimate": (set_to(EST, value=0.5906), f"{EST}: found value 0.5906"),
    "wrong by 2e-6": (set_to(EST, value=float(expit(math.log(3) / 3)) + 2e-6), f"{EST}: found"),
    "tau2 wrong by 1e-5": (set_to(f"{ALPHA}.tau2", value=TAU2 + 1e-5), f"{ALPHA}.tau2: found"),
    "wrong interval": (set_to(f"{S1_KEY}.ci_low", value=0.1), f"{S1_KEY}.ci_low: found value 0.1"),
    "wrong count": (set_to(f"{ALPHA}.events", value=71), "found value 71; expected 70"),
    "wrong state": (set_to(f"{MIXED}.state", value="two_studies"), "'pooled' from data/"),
    "wrong tau2": (set_to(f"{ALPHA}.tau2", value=1.4), f"{ALPHA}.tau2: found value 1.4"),
    "wrong i2": (set_to(f"{ALPHA}.i2", value=0.9), f"{ALPHA}.i2: found value 0.9"),
    "wrong weight": (set_to(f"{ALPHA}.study.s1.weight", value=0.3), "weight: found value 0.3"),
    "wrong share": (set_to(f"{S1_KEY}.estimate_all_enrolled", value=0.2), "found value 0.2"),
    "line changed": (
        swap("../data/studies.csv", "primary,rescue", "primary,mixed"),
        "rescue.alpha.overall_response.k: found value 2; expected 1",
    ),
    "wrong months": (set_to(f"{S1_KEY}.months", value=4), "months: found value 4"),
    "wrong unit": (set_to(f"{ALPHA}.i2", unit="percent", text="91.4%"), "found unit percent"),
    "row missing": (set_to(f"{ALPHA}.k", rows=S1[3] + S2[3]), "not listed: s3/a/overall"),
    "row foreign": (set_to(f"{S1_KEY}.n", rows=S5[3]), "not among its rows: s5/b/overall"),
    "pool key missing": (lambda b: b.remove(f"{ALPHA}.pi_low"), "pi_low: found no such key"),
    "empty pool missing": (lambda b: b.remove("pool.placebo.overall_response.k"), "no such key"),
    "half an empty cited pool": (
        lambda b: b.add(entry("cited.alpha.overall_response.k", 0, "count")),
        "cited.alpha.overall_response.state: found no such key",
    ),
    "pi of two studies": (
        lambda b: b.add(entry(f"{BETA}.pi_low", 0.0, "percent", S5[3] + S6[3])),
        f"{BETA}.pi_low: found a key that data/ does not give",
    ),
    "unknown therapy": (
        lambda b: b.add(entry("pool.gamma.overall_response.k", 0, "count")),
        "pool.gamma.overall_response.k: found a key that data/ does not give",
    ),
    "unknown row": (
        lambda b: b.add(entry("study.s9.a.overall_response.3.n", 9, "count")),
        "study.s9.a.overall_response.3.n: found a key that data/ does not give",
    ),
    "unknown family": (lambda b: b.add(entry("fun.x", 9, "count")), "a family that the checks"),
    "event cell changed": (swap(DATA, ",,30,40,,high", ",,31,40,,high"), "study.s3.events"),
    "population changed": (swap("../data/studies.csv", "child,prim", "adult,prim"), f"{ALPHA}.k"),
    "overlap removed": (swap("../data/studies.csv", ",s1", ","), f"{ALPHA}.study.s4.n: found no"),
    "exclusion set": (swap(DATA, "10,20,,medium,", "10,20,,medium,x"), f"{ALPHA}.study.s2.events"),
    "class renamed": (
        swap("../data/therapies.csv", "Beta,mTOR inhibitor", "Beta,other"),
        f"{MIXED}.k: found a key that data/ does not give",
    ),
    "pools.csv count": (swap("data/pools.csv", "s3,30,40", "s3,31,40"), f"line 4: found {ALPHA},"),
    "pools.csv lacks": (swap("data/pools.csv", f"{ALPHA},s3,30,40\n", ""), "no line for s3"),
    "pools.csv foreign": (
        swap("data/pools.csv", f"{ALPHA},s3,30,40\n", f"{ALPHA},s3,30,40\n{ALPHA},s4,9,10\n"),
        "no such study in this pool",
    ),
    "pools.csv twice": (
        swap("data/pools.csv", f"{ALPHA},s3,30,40\n", f"{ALPHA},s3,30,40\n" * 2),
        "a second time",
    ),
    "pools.csv header": (swap("data/pools.csv", "pool,st", "prefix,st"), "found prefix,study_id"),
    "pools.csv missing": (drop("data/pools.csv"), "data/pools.csv: found"),
    # the pages
    "text typed": (swap(INDEX, ">59.1%<", ">59.2%<"), 'index.html line 5: found "59.2%"'),
    "key swapped": (swap(INDEX, f'"{ALPHA}.ci_low"', f'"{ALPHA}.ci_high"'), "for " + ALPHA),
    "key unknown": (swap(INDEX, f'"{EST}"', '"pool.alpha.x"'), 'found key "pool.alpha.x"'),
    "class lost": (swap(INDEX, ' class="num"', ""), "with half a tag"),
    "key lost": (swap(INDEX, f' data-key="{EST}"', ""), 'found "59.1%" with half a tag'),
    "alt text": (swap(INDEX, '"59.1% in', '"59.2% in'), "alt text: found"),
    "alt text longer": (swap(INDEX, '"59.1% in', '"159.1% in'), "alt text: found"),
    "alt order": (swap(INDEX, f"{EST} {ALPHA}.k", f"{ALPHA}.k {EST}"), "alt text: found"),
    "alt key": (swap(INDEX, f"{EST} {ALPHA}.k", "x.y"), 'found key "x.y"'),
    "python left": (swap(INDEX, "Alpha:", "<code>{python} f()</code>"), "code that was not run"),
    "reference left": (swap(INDEX, "Alpha:", "see ?@fig-x:"), "a cross-reference to nothing"),
    "marks left": (swap(INDEX, "Alpha:", "Figure ??:"), "a reference that was not resolved"),
    "left in alt": (swap(INDEX, 'alt="', 'alt="Figure ?? '), "alt: found a reference"),
    "page empty": (lambda b: b.write("chapters/02-b.html", ""), "02-b.html: found no readable"),
    "unresolved class": (
        swap(INDEX, "Alpha:", '<b class="quarto-unresolved-ref">?fig-x</b>'),
        'an unresolved reference "?fig-x"',
    ),
    "link without address": (swap(INDEX, 'href="numbers.json"', 'href=""'), "without an address"),
    "link without words": (swap(INDEX, ">ledger<", "><"), "without words"),
    "link to no file": (swap(INDEX, "numbers.json", "number.json"), "a link to number.json"),
    "link to no anchor": (swap(INDEX, "#sec-a", "#sec-b"), "an element with the id sec-b"),
    "link out of the book": (swap(INDEX, "numbers.json", "../data/studies.csv"), "a file of the"),
    "image missing": (swap(INDEX, "figures/forest.svg", "figures/tree.svg"), "figures/tree.svg"),
    "inline svg": (
        swap(INDEX, "Alpha:", f'<svg><text id="num-{EST}">9%</text></svg>'),
        f'found "9%" for {EST}',
    ),
    # figures
    "svg text": (swap("figures/forest.svg", "59.1%", "59.3%"), 'forest.svg line 2: found "59.3%"'),
    "svg key": (swap("figures/forest.svg", "ci_low", "ci_lower"), "ci_lower"),
    "svg broken": (swap("figures/forest.svg", "</svg>", ""), "broken XML"),
    "csv missing": (drop("figures/forest.csv"), "found no forest.csv"),
    "csv empty": (lambda b: b.write("figures/forest.csv", "study\n"), "no line of data"),
    # the PDF
    "pdf missing": (drop("tiny.pdf"), "the PDF: found no PDF"),
    "pdf twice": (lambda b: (b.book / "b.pdf").write_bytes(b"x"), "b.pdf, tiny.pdf"),
    "pdf cut off": (cut_pdf, "tiny.pdf: found a broken file"),
    "pdf empty": (lambda b: b.write("tiny.pdf", ""), "tiny.pdf: found a broken file"),
    "pdf without text": (pdf("#rect()"), "tiny.pdf: found no text"),
    "pdf leftover": (pdf("ok\n#pagebreak()\nFigure ?? x"), "tiny.pdf page 2: found a reference"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_wrong_book_is_named(name: str, book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    break_it, expected = BROKEN[name]
    break_it(book)
    code, lines = book.check(capsys)
    assert code == 1
    *faults, coverage = lines
    assert any(expected in line for line in faults), "\n".join(lines)
    assert all(": found " in f and "; expected " in f and f.count("; ") >= 2 for f in faults)
    assert coverage.startswith("checked ")
    assert f" {len(faults)} faults; " in coverage


UNREADABLE: dict[str, tuple[Callable[[Book], Any], str]] = {
    "no ledger": (drop("numbers.json"), "numbers.json: found no file"),
    "empty ledger": (lambda b: b.write("numbers.json", "[]"), "numbers.json: found an empty list"),
    "ledger an object": (lambda b: b.write("numbers.json", "{}"), "found a JSON dict"),
    "broken ledger": (swap("numbers.json", "}", ""), "numbers.json: found broken JSON"),
    "no book": (lambda b: b.book.rename(b.book.with_name("gone")), "_book: found no folder"),
    "no data": (drop("../data/studies.csv"), "studies.csv: found"),
    "column gone": (swap(DATA, "events,n", "events,m"), "outcomes.csv: found no column n"),
    "cell infinite": (swap(DATA, ",8,40", ",8,Infinity"), "line 2, n: found 'Infinity'"),
    "cell no number": (swap(DATA, ",8,40", ",8,forty"), "outcomes.csv line 2, n: found 'forty'"),
    "nobody": (swap(DATA, ",8,40", ",0,0"), "line 2: found 0 events of 0"),
    "events above n": (swap(DATA, ",8,40", ",80,40"), "line 2: found 80 events of 40"),
    "unknown study": (swap(DATA, "s3,a", "s33,a"), "line 7, study_id: found 's33'"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_is_one_line(name: str, book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    break_it, expected = UNREADABLE[name]
    break_it(book)
    code, lines = book.check(capsys)
    assert code == 1
    assert len(lines) == 1
    assert expected in lines[0]


def test_book_without_tagged_numbers(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("index.html", "chapters/01-a.html", "figures/forest.svg"):
        (book.book / name).unlink()
    book.write("index.html", "<!DOCTYPE html><html><body><p>59.1%</p></body></html>")
    code, lines = book.check(capsys)
    assert code == 1
    assert any("found no tagged number" in line for line in lines)


def test_typographic_variants_agree(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    book.replace(INDEX, ">59.1%<", ">\u00a059.\u00ad1%\u202f<")
    assert book.check(capsys)[0] == 0
    assert normalise("\u22121.0\u2009x") == "-1.0 x"


def test_either_side_of_a_tie_will_do(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("12", "13"):
        book.edit("flow.rows", value=0.125, unit="per_100", text=text)
        book.replace("chapters/01-a.html", ">1,234<" if text == "12" else ">12<", f">{text}<")
        assert book.check(capsys)[0] == 0
    book.edit("flow.rows", value=0.1251, text="12")
    assert book.check(capsys)[0] == 1


# The mixed model of the alpha pool by R: lme4 1.1 glmer, nAGQ = 60, profile interval.
GLMM = {"estimate": 0.59264417, "ci_low": 0.20762713, "ci_high": 0.89027805, "tau2": 0.99582483}


def glmm_entries(**changed: float) -> list[Entry]:
    return [
        entry(f"{ALPHA}.glmm_{stat}", value, "number" if stat == "tau2" else "percent",
              S1[3] + S2[3] + S3[3])
        for stat, value in (GLMM | changed).items()
    ]  # fmt: skip


def test_right_mixed_model_passes(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    book.add(*glmm_entries())
    code, lines = book.check(capsys)
    assert (code, len(lines)) == (0, 1)
    assert f"{len(tiny_ledger()) + 2} of {len(tiny_ledger()) + 4} ledger values" in lines[0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"estimate": 0.594}, "glmm_estimate: found value 0.594"),
        ({"ci_low": 0.2086}, "glmm_ci_low: found value 0.2086"),  # one printed digit
        ({"tau2": 1.2}, "glmm_*: found log likelihood"),
    ],
)
def test_wrong_mixed_model_is_named(
    changed: dict[str, float], expected: str, book: Book, capsys: pytest.CaptureFixture[str]
) -> None:
    book.add(*glmm_entries(**changed))
    code, lines = book.check(capsys)
    assert code == 1
    assert any(expected in line for line in lines)


def test_mixed_model_by_halves(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    book.add(*glmm_entries()[:3])
    code, lines = book.check(capsys)
    assert code == 1
    assert "glmm_tau2: found no such key" in lines[0]


def test_command_line(book: Book) -> None:
    book.edit(EST, text="59.0%")
    done = subprocess.run(
        [sys.executable, "-m", "checks", str(book.book), "--data", str(book.data)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == ""
    coverage = done.stdout.splitlines()[-1]
    # The text stands in the page, in its alt text and in the figure.
    assert coverage.startswith("checked 9 tagged numbers on 2 pages and 1 figures: 6 agree, 4 faul")


def test_checks_import_nothing_they_check() -> None:
    imported = {
        name.split(".")[0]
        for path in (ROOT / "checks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert "checks" in imported
    assert imported.isdisjoint({"analysis", "render", "pymare"})


# --- which rows ------------------------------------------------------------------------------

HEADER = ROWS.splitlines()[0]
PLACES = {
    "visit at 6": "6,visit,at_timepoint,50,,{e},{n}",
    "visit at 2.8": "2.8,visit,at_timepoint,50,,{e},{n}",
    "visit at 3.2": "3.2,visit,at_timepoint,30,,{e},{n}",
    "visit at 6.1": "6.1,visit,at_timepoint,30,,{e},{n}",
    "best by 3": "3,visit,best_by_timepoint,30,,{e},{n}",
    "best at any time": ",,any_time,30,,{e},{n}",
    "visit at 3, no threshold": "3,visit,at_timepoint,,,{e},{n}",
    "visit at 3": "3,visit,at_timepoint,50,,{e},{n}",
    "median follow-up of 3": "3,median_follow_up,at_timepoint,50,,{e},{n}",
    "off at 12": "12,visit,at_timepoint,50,off,{e},{n}",
    "off at 24": "24,visit,at_timepoint,100,off,{e},{n}",
    "off, no month": ",,any_time,30,off,{e},{n}",
}


def chosen(folder: Path, lines: list[str], studies: str = STUDIES) -> dict[str, list[rows.Entry]]:
    folder.joinpath("studies.csv").write_text(studies, encoding="utf-8")
    folder.joinpath("therapies.csv").write_text(THERAPIES, encoding="utf-8")
    text = "\n".join([HEADER, *lines]) + "\n"
    folder.joinpath("outcomes.csv").write_text(text, encoding="utf-8")
    return rows.select(rows.read(folder))


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("visit at 6", "best by 3"),
        ("best by 3", "best at any time"),
        ("best at any time", "visit at 6.1"),
        ("visit at 2.8", "visit at 6"),
        ("visit at 3.2", "visit at 2.8"),  # as near to month 3, lower threshold
        ("visit at 3", "visit at 3, no threshold"),
        ("visit at 3", "visit at 2.8"),
        ("off at 24", "off at 12"),
        ("off at 12", "off, no month"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_preferred_measure(better: str, worse: str, turned: bool, tmp_path: Path) -> None:
    outcome = "durable_response" if better.startswith("off") else "overall_response"
    lines = [
        f"s1,a,alpha,{outcome}," + PLACES[place].format(e=e, n=n) + ",,high,"
        for place, e, n in ((better, 7, 10), (worse, 9, 90))
    ]
    pools = chosen(tmp_path, lines[::-1] if turned else lines)
    kept = pools[f"pool.alpha.{outcome}{'_off' if outcome.startswith('durable') else ''}"]
    assert [(e.events, e.n) for e in kept] == [(7, 10)]


@pytest.mark.parametrize("turned", [False, True])
def test_fuller_measure_then_file_order(turned: bool, tmp_path: Path) -> None:
    small = "s1,a,alpha,overall_response," + PLACES["visit at 3"].format(e=7, n=10) + ",,high,"
    large = (
        "s1,a,alpha,overall_response,"
        + PLACES["median follow-up of 3"].format(e=9, n=12) + ",,high,"
    )  # fmt: skip
    lines = [large, small] if turned else [small, large]
    assert chosen(tmp_path, lines)["pool.alpha.overall_response"][0].n == 12
    same = [line.replace(",9,12,", ",7,10,") for line in lines]
    first = chosen(tmp_path, same)["pool.alpha.overall_response"][0]
    assert first.rows == {"s1/a/overall_response/3"}  # the plain address is the first row's


def test_shared_patients_go_from_the_largest_down(tmp_path: Path) -> None:
    studies = STUDIES.replace(
        "s2,2002,mixed,mixed,rescue,40,,", "s2,2002,adult,primary,rescue,40,,s1;s3"
    )
    lines = [
        f"{study},a,alpha,overall_response,3,visit,at_timepoint,50,,5,{n},,high,"
        for study, n in (("s1", 30), ("s2", 40), ("s3", 20), ("s4", 10), ("s5", 9))
    ]
    kept = chosen(tmp_path, lines, studies)["pool.alpha.overall_response"]
    # s2 drops s1 and s3; s4 is linked to s1 alone, which is gone, so s4 stays.
    assert [entry.study_id for entry in kept] == ["s2", "s4", "s5"]


def test_equal_size_keeps_the_later_study(tmp_path: Path) -> None:
    lines = [
        f"{study},a,alpha,overall_response,3,visit,at_timepoint,50,,5,30,,high,"
        for study in ("s1", "s4")
    ]
    kept = chosen(tmp_path, lines)["pool.alpha.overall_response"]
    assert [entry.study_id for entry in kept] == ["s4"]


# --- the statistics --------------------------------------------------------------------------
# Nielweise 2007 (R metadat dat.nielweise2007): catheter infections, control and treated arms.
CONTROL = np.array([3, 3, 9, 7, 6, 4, 3, 2, 19, 2, 7, 1, 5, 11, 0, 1, 3, 1.0])
CONTROL_N = np.array(
    [117, 35, 195, 136, 157, 139, 177, 39, 103, 122, 64, 58, 175, 180, 105, 262, 362, 69.0]
)
TREATED = np.array([0, 1, 2, 0, 5, 1, 1, 1, 1, 1, 0, 0, 3, 6, 0, 0, 1, 4.0])
TREATED_N = np.array(
    [116, 44, 208, 130, 151, 98, 174, 74, 97, 113, 66, 70, 188, 187, 118, 252, 345, 64.0]
)


@pytest.mark.parametrize(
    ("events", "n", "estimate", "se", "tau2"),
    [
        (CONTROL, CONTROL_N, -3.3018, 0.2378, 0.6629),
        (TREATED, TREATED_N, -4.2604, 0.2589, 0.3928),
    ],
)
def test_normal_model_of_stijnen_2010(
    events: Any, n: Any, estimate: float, se: float, tau2: float
) -> None:
    pool = statistics.pool(events, n)
    width = logit(pool.ci_high) - logit(pool.ci_low)
    assert logit(pool.estimate) == pytest.approx(estimate, abs=6e-5)
    # In both arms the Knapp-Hartung scale is floored at 1, so the standard error is Wald's.
    assert width / 2 / student_t.ppf(0.975, 17) == pytest.approx(se, abs=6e-5)
    assert pool.tau2 == pytest.approx(tau2, abs=6e-5)


def test_metafor_agrees() -> None:
    """metafor 3.8: rma(PLO, REML, test="adhoc", threshold 1e-13), confint, predict (Riley)."""
    pool = statistics.pool(CONTROL, CONTROL_N)
    limits = [float(logit(x)) for x in (pool.ci_low, pool.ci_high)]
    assert limits == pytest.approx([-3.80356107, -2.79999072], abs=1e-8)
    assert pool.q == pytest.approx(72.16591, abs=1e-5)
    assert (pool.tau2_low, pool.tau2_high) == pytest.approx((0.2415029, 2.015149), abs=1e-5)


@pytest.mark.parametrize(
    ("events", "n", "published", "exact"),
    [  # published: Stijnen 2010, table II; exact: lme4 glmer, nAGQ = 50, profile interval
        (CONTROL, CONTROL_N, (-3.4964, 0.8124), (-3.496406, -4.067729, -2.999422, 0.812211)),
        (TREATED, TREATED_N, (-4.8121, 0.8265), (-4.811855, -5.698843, -4.209680, 0.825332)),
    ],
)
def test_mixed_model_of_stijnen_2010(
    events: Any, n: Any, published: tuple[float, ...], exact: tuple[float, ...]
) -> None:
    fit = MixedModel(events, n).fit()
    logits = [float(logit(x)) for x in (fit.estimate, fit.ci_low, fit.ci_high)]
    assert [*logits, fit.tau2] == pytest.approx(exact, abs=2e-5)
    # The paper's software used few quadrature points, which shows in the third decimal.
    assert (logits[0], fit.tau2) == pytest.approx(published, abs=1.5e-3)


@pytest.mark.parametrize("tau", [0.01, 0.049, 0.051, 0.7, 3.0])
def test_mixed_likelihood_is_the_integral(tau: float) -> None:
    events, n = np.array([0.0, 12.0, 40.0]), np.array([9.0, 30.0, 40.0])
    expected = 0.0
    for e, size in zip(events, n, strict=True):

        def integrand(z: float, e: float = e, size: float = size) -> float:
            return float(binom.pmf(e, size, expit(-0.4 + tau * z)) * norm.pdf(z))

        expected += math.log(quad(integrand, -10, 10, epsabs=0, epsrel=1e-11, limit=400)[0])
    assert MixedModel(events, n).log_likelihood(-0.4, tau) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("events", "n"),
    [  # two maxima each: near 0.014 and 1.7, near 0.04 and 3.5
        ([97, 147, 89, 0], [227, 349, 251, 66]),
        ([116, 99, 21], [264, 266, 21]),
    ],
)
def test_reml_takes_the_higher_of_two_maxima(events: list[int], n: list[int]) -> None:
    y, v = statistics.logits(np.array(events, float), np.array(n, float))
    grid = np.concatenate([[0.0], np.geomspace(1e-4, 50, 4000)])
    likelihood = [statistics.restricted_log_likelihood(tau2, y, v) for tau2 in grid]
    peaks = [
        i for i in range(1, len(grid) - 1)
        if likelihood[i - 1] < likelihood[i] > likelihood[i + 1]
    ]  # fmt: skip
    tau2 = statistics.reml_tau2(y, v)
    assert len(peaks) + (likelihood[0] > likelihood[1]) == 2
    assert statistics.restricted_log_likelihood(tau2, y, v) >= max(likelihood)


def test_reml_at_the_boundary() -> None:
    pool = statistics.pool(np.array([51.0, 40, 62]), np.array([100.0, 80, 120]))
    assert pool.tau2 == 0
    assert pool.i2 == 0
    # Plain Knapp-Hartung would give 49-53 %, Wald 45-57 %.
    assert (pool.ci_low, pool.ci_high) == pytest.approx((0.39, 0.63), abs=0.005)


def test_exact_interval_at_the_ends() -> None:
    assert statistics.exact_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert statistics.exact_interval(10, 10) == pytest.approx((0.025**0.1, 1))


def test_pymare_agrees_on_random_pools() -> None:
    pymare = pytest.importorskip("pymare")
    estimators = pytest.importorskip("pymare.estimators")
    rng = np.random.default_rng(20)
    for _ in range(60):
        k = int(rng.integers(2, 25))
        n = rng.integers(5, 400, k).astype(float)
        theta = rng.normal(rng.normal(), rng.uniform(0, 1.5), k)
        events = rng.binomial(n.astype(int), expit(theta)).astype(float)
        y, v = statistics.logits(events, n)
        pool = statistics.pool(events, n)
        model = estimators.VarianceBasedLikelihoodEstimator(method="REML")
        found = model.fit_dataset(pymare.Dataset(y=y[:, None], v=v[:, None])).summary()
        assert float(found.tau2[0, 0]) == pytest.approx(pool.tau2, abs=1e-6 * (1 + pool.tau2))
        assert float(expit(found.fe_params[0, 0])) == pytest.approx(pool.estimate, abs=1e-6)
        heterogeneity = found.get_re_stats()
        assert float(heterogeneity["ci_l"][0]) == pytest.approx(pool.tau2_low, abs=1e-9)
        assert float(heterogeneity["ci_u"][0]) == pytest.approx(pool.tau2_high, rel=1e-9, abs=1e-9)
