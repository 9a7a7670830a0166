"""Figures read back: every text with a digit is explained by its id, every mark is asked for.

Ids: `num-KEY` a number of the ledger, `datum-ADDRESS` a name quoted from the data (several
addresses joined by +), `axis-50` a tick, `symbol-tau2` a name with a digit, `mark-...` a mark. A
second text of one key has `#2` behind it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from checks import chart_geometry, figure_data, geometry
from checks.faults import Fault
from checks.geometry import base
from checks.ledger import REBUILD, Ledger
from checks.plans.figure import FigurePlan
from checks.shown import Shown
from checks.sources import Sources
from checks.svg import SVG, TAGGED, Drawing, draw
from checks.tags import Findings
from checks.text import around, normalise, numbers_in

_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, eq=False)
class Figure:
    """One figure: its name, the root of its SVG, and the text of the CSV beside it, if any."""

    name: str
    root: etree._Element
    data: str | None

    @property
    def place(self) -> str:
        """Where it is in the book."""
        return f"figures/{self.name}.svg"


def read(name: str, svg: bytes, csv: bytes | None) -> Figure:
    """Parse a figure.

    Raises ValueError, with a sentence for the reader, where it cannot be read as SVG.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, attribute_defaults=False
    )
    try:
        words = svg.decode("utf-8")
        root = etree.fromstring(svg, parser)
        data = None if csv is None else csv.decode("utf-8-sig")
    except (etree.XMLSyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"broken XML or CSV ({error})") from None
    # Declarations could add attributes that only a browser would see.
    if re.search(r"<!DOCTYPE[^>]*\[|\0", words):
        raise ValueError("a DOCTYPE with declarations of its own")
    if root.tag != f"{SVG}svg":
        raise ValueError(f"an XML file of <{root.tag!s}>, not SVG")
    return Figure(name, root, data)


def drawn(figure: Figure) -> tuple[Shown, ...]:
    """Numerals and number words of all texts, in the order of the file."""
    return tuple(
        Shown(number.text, f"{figure.place} line {text.line}", text.words)
        for text in drawing(figure).texts
        for number in numbers_in(text.words)
    )


@lru_cache(maxsize=256)
def drawing(figure: Figure) -> Drawing:
    """What the figure draws."""
    return draw(figure.root)


def check_names(names: Collection[str], plans: Mapping[str, FigurePlan]) -> list[Fault]:
    """Figures that the data ask for and the book lacks, and those that nothing asks for."""
    missing = [
        Fault("figure", f"figures/{name}.svg", "no such figure", "one, by the data", REBUILD)
        for name in plans
        if name not in names
    ]
    return missing + [
        Fault("figure", f"figures/{name}.svg", "a figure", "none: the data do not ask for it",
              "remove it, or teach checks/figure_plan.py")
        for name in names
        if name not in plans
    ]  # fmt: skip


@lru_cache(maxsize=256)
def check(figure: Figure, ledger: Ledger, sources: Sources, plan: FigurePlan | None) -> Findings:
    """Check the texts, the marks, the places and the data of one figure.

    plan is None for a figure that should not be there; its texts are looked at all the same.
    """
    findings = Findings()
    if plan is None:
        for text in drawing(figure).texts:
            _unexplained(text.words, f"{figure.place} line {text.line}", findings)
        return findings
    _texts(figure, ledger, plan, findings)
    _silent_words(figure, findings)
    findings.faults += _ids(figure, plan)
    if plan.chart:
        findings.faults += chart_geometry.check(figure.place, drawing(figure), plan.chart)
    else:
        findings.faults += geometry.check(figure.place, drawing(figure), plan, ledger.numbers)
    findings.faults += figure_data.check(figure.name, figure.data, plan, ledger.numbers, sources)
    return findings


def _texts(figure: Figure, ledger: Ledger, plan: FigurePlan, findings: Findings) -> None:
    """Each text reads as its id says; those without an id hold no number."""
    keys, quoted, others = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    for text in drawing(figure).texts:
        place = f"{figure.place} line {text.line}"
        kind, _, name = base(text.id).partition("-")
        if kind == "num":
            findings.tag("figure", place, name, text.words, ledger.numbers)
            keys[name] += 1
            continue
        if kind not in ("datum", "axis", "symbol"):
            _unexplained(text.words, place, findings)
            continue
        findings.counts["structure"] += len(numbers_in(text.words))
        if kind == "datum":
            quoted[base(text.id), text.words] += 1  # compared with the plan's labels below
            continue
        wanted = plan.fixed.get(text.id)
        if plan.kind == "map" and _YEAR.fullmatch(name):
            wanted = name  # any years will do
        others[text.id] += 1
        if text.words != wanted:
            found = f'"{text.words}" for {text.id}'
            expected = f'"{wanted}"' if wanted else "no such text in this figure"
            findings.faults.append(Fault("figure", place, found, expected, REBUILD))
    fixed = others if plan.kind == "map" else plan.fixed
    findings.faults += _differences(figure, keys, plan.keys, "text")
    findings.faults += _differences(figure, _named(quoted), _named(plan.labels), "label")
    findings.faults += _differences(figure, others, Counter([*fixed]), "text")


def _named(labels: Counter[tuple[str, str]]) -> Counter[str]:
    return Counter({f'{name} "{words}"': count for (name, words), count in labels.items()})


def _differences(
    figure: Figure, found: Counter[str], wanted: Counter[str], what: str
) -> list[Fault]:
    """Things that stand in the figure less or more often than the data ask for."""
    return [
        Fault(
            "figure",
            figure.place,
            f"{found[name]} of the {what} {name}",
            f"{wanted[name]} by the data",
            REBUILD,
        )
        for name in sorted(found.keys() | wanted.keys())
        if found[name] != wanted[name]
    ]


def _ids(figure: Figure, plan: FigurePlan) -> list[Fault]:
    """Every mark that the data ask for, and each id once."""
    ids = Counter(
        name
        for group in figure.root.iter(etree.Element)
        if (name := group.get("id", "")).startswith(TAGGED)
    )
    marks = Counter(name for name in ids if name.startswith("mark-"))
    faults = _differences(figure, marks, Counter(plan.marks), "mark")
    return faults + [
        Fault("figure", figure.place, f"{count} elements with the id {name}", "one", REBUILD)
        for name, count in ids.items()
        if count > 1
    ]


def _silent_words(figure: Figure, findings: Findings) -> None:
    """Words outside of texts: titles, descriptions and the like, which some readers are told."""
    for element in figure.root.iter(etree.Element):
        if element.tag in (f"{SVG}text", f"{SVG}style"):
            continue
        place = f"{figure.place} line {element.sourceline} <{str(element.tag).rpartition('}')[2]}>"
        inside = [element.text, *(child.tail for child in element)]
        for words in filter(None, inside):
            if not words.isspace():
                _unexplained(normalise(words), place, findings)


def _unexplained(words: str, place: str, findings: Findings) -> None:
    """Report every number of a text that has no id."""
    for number in numbers_in(words):
        findings.counts["unexplained"] += 1
        findings.faults.append(
            Fault(
                "words" if number.text.isalpha() else "untagged",
                place,
                f'"{number.text}" without a key in "{around(words, number.start, number.end)}"',
                "an id that explains it: num-KEY, datum-ADDRESS, axis-VALUE or symbol-NAME",
                "draw it from the ledger or the data, with its gid",
            )
        )
