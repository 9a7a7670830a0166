"""Every digit of a page accounted for: by the key of its tag, or by the place where it stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from lxml import etree

from checks.chapters import Item
from checks.faults import Fault
from checks.html import Block, Claim, Page, Picture, classes, content
from checks.ledger import Ledger, Number
from checks.sight import hidden_fault, out_of_sight, ragged, unreadable
from checks.sources import Sources
from checks.spoken import check_alt
from checks.tags import Findings
from checks.text import around, in_words, is_word, normalise, numbers_in

_TAG_IT = 'take it from the ledger: `{python} num("KEY")`, or word("KEY") for a word'
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # marks that set text from right to left


@lru_cache(maxsize=4096)
def account(page: Page, ledger: Ledger, sources: Sources) -> Findings:
    """Look at every number of a page; Findings.items are its keys, quotations and figures in order.

    Counted are tagged numbers (ledger, constants), numerals explained by their place (structure)
    and those that nothing explains (unexplained).
    """
    findings = Findings([*unreadable(page), *ragged(page)])
    seen: set[etree._Element] = set()
    cells: set[etree._Element] = set()
    hidden = out_of_sight(page)
    for part in page.parts:
        if isinstance(part, Picture):
            findings.add(_picture(part, page, ledger.numbers, sources))
            if part.element in hidden:
                findings.faults.append(hidden_fault(page, part.element, "a figure"))
            continue
        _numbers_of(part, page, findings)
        before = len(findings.items)
        cell = _cell(part)
        for run in part.runs:
            claim = run.claim
            if claim is None or claim.element in seen:
                continue
            seen.add(claim.element)
            if claim.kind == "num":
                _tagged(claim.element, page, ledger.numbers, findings, claim.element in hidden)
            elif claim.kind == "datum":
                _quoted(claim.element, page, sources, findings)
                if claim.element in hidden:
                    findings.faults.append(hidden_fault(page, claim.element, "words of the data"))
            elif claim.kind == "citation" and cell is not None:
                studies = (claim.element.get("data-cites") or "").split()
                findings.items += [Item("cite", study) for study in studies]
        if cell is not None:
            findings.items[before:before] = _placed(cell, part, len(findings.items) > before, cells)
    findings.faults += _copied_alts(page)
    for element in page.root.iter(etree.Element):
        half_tagged = "num" in classes(element) or element.get("data-key") is not None
        if half_tagged and element not in seen and element.tag != "img":
            _tagged(element, page, ledger.numbers, findings, element in hidden)
    return findings


def _cell(block: Block) -> etree._Element | None:
    """The cell of a table that a block stands in."""
    element = block.runs[0].element
    return next((e for e in (element, *element.iterancestors()) if e.tag in ("td", "th")), None)


def _placed(
    cell: etree._Element, block: Block, shows: bool, seen: set[etree._Element]
) -> list[Item]:
    """The place of a block in its table: the words of a header, or the column of what it shows."""
    column = sum(1 for other in cell.itersiblings(preceding=True) if other.tag in ("td", "th"))
    if any(outer.tag == "thead" for outer in cell.iterancestors()):
        return [Item("head", f"{column} {normalise(block.text)}")]
    if not shows or cell in seen:
        return []
    seen.add(cell)
    return [Item("cell", str(column))]


def _numbers_of(block: Block, page: Page, findings: Findings) -> None:
    """Explain each numeral and number word of a block by the claim of the runs it touches."""
    starts, position = [], 0
    for run in block.runs:
        starts.append((position, position + len(run.text), run))
        position += len(run.text)
    for start, end, run in starts:
        before, after = block.text[max(0, start - 1) : start], block.text[end : end + 1]
        joined = any(map(_joins, before + after))
        # Before digits a dash is a sign that belongs to the number; before a word it is beside it.
        joined |= run.text[:1].isalpha() and unicodedata.category(before or " ") == "Pd"
        if run.claim is not None and run.claim.kind == "num" and joined:
            shown = block.text[max(0, start - 1) : end + 1]
            words = around(block.text, start, end)
            findings.faults.append(_overflow(page.place(run.element), shown, run.claim, words))
    if _TURNING.search(block.text):
        findings.faults.append(
            Fault(
                "untagged",
                page.place(block.runs[0].element),
                f'a mark that turns the direction of "{around(block.text, 0, 30)}"',
                "text in the direction in which it is read",
                "remove the mark",
            )
        )
    for number in numbers_in(block.text):
        touched = [run for start, end, run in starts if start < number.end and end > number.start]
        claims = {run.claim for run in touched}
        claim = touched[0].claim
        if len(claims) == 1 and claim is not None:
            if claim.kind != "num":
                findings.counts["structure"] += 1
            continue
        words = around(block.text, number.start, number.end)
        findings.counts["unexplained"] += 1
        place = page.place(touched[0].element)
        tagged = next((c for c in claims if c is not None and c.kind == "num"), None)
        if tagged is not None:
            findings.faults.append(_overflow(place, number.text, tagged, words))
        else:
            rule = "words" if is_word(number) else "untagged"
            findings.faults.append(
                Fault(
                    rule,
                    f"{place} <{touched[0].element.tag!s}>",
                    f'"{number.text}" without a key in "{words}"',
                    "a tagged number, or a place that explains it",
                    _TAG_IT,
                )
            )


def _joins(character: str) -> bool:
    """Whether a character beside a number reads as a part of it: a letter, accent or sign."""
    kind = unicodedata.category(character)
    return character.isalnum() or kind[0] == "M" or kind in ("Sm", "Sc", "Sk")


def _overflow(place: str, text: str, claim: Claim, words: str) -> Fault:
    return Fault(
        "text",
        place,
        f'"{text}" in "{words}"',
        f'"{normalise(content(claim.element))}" alone, as {claim.element.get("data-key")} has it',
        "remove what stands beside the tagged number",
    )


def _tagged(
    element: etree._Element,
    page: Page,
    numbers: Mapping[str, Number],
    findings: Findings,
    hidden: bool,
) -> None:
    """A tagged number: a known key, its text or its word, and in sight."""
    place, key, shown = page.place(element), element.get("data-key"), normalise(content(element))
    if not key or "num" not in classes(element):
        findings.counts["unexplained"] += 1
        findings.faults.append(
            Fault("text", place, f'"{shown}" with half a tag', 'class "num" with a data-key',
                  'write it as [TEXT]{.num data-key="KEY"}')
        )  # fmt: skip
        return
    findings.items.append(Item("num", key))
    findings.tag("text", place, key, _as_digits(shown, key, numbers), numbers)
    if element.tag != "span" or len(element) or set(element.keys()) != {"class", "data-key"}:
        findings.faults.append(
            Fault("text", place, f"{key} with more than text in its tag",
                  '<span class="num" data-key="KEY">TEXT</span>', "remove all else from the tag")
        )  # fmt: skip
    if hidden:
        findings.faults.append(hidden_fault(page, element, key))


def _as_digits(shown: str, key: str, numbers: Mapping[str, Number]) -> str:
    """The ledger's text where a number is written as its word, else what is shown."""
    number = numbers.get(key)
    if number is None or isinstance(number.value, str):
        return shown
    word = in_words(number.value)
    return number.text if word is not None and shown.lower() == word else shown


def _quoted(element: etree._Element, page: Page, sources: Sources, findings: Findings) -> None:
    """Words of the data: a known address, and the words that stand there."""
    address, shown = element.get("data-from"), content(element)
    if address:
        findings.items.append(Item("datum", address))
    if not address or not sources.reads_as(shown, address):
        there = sources.text(address) if address else None
        findings.faults.append(
            Fault(
                "quotation",
                page.place(element),
                f'"{normalise(shown)}" as the words of {address or "nothing"}',
                f'"{there}"' if there is not None else "an address that the data have",
                "render the book again; if it stays, correct the address where it is written",
            )
        )


def _copied_alts(page: Page) -> list[Fault]:
    """An engine may copy a picture's words to what surrounds it; the copy reads as the picture."""
    return [
        Fault("alt", page.place(element), f'"{element.get("alt")}" on <{element.tag!s}>',
              "the words of the picture within", "render the book again")
        for element in page.root.xpath("//*[@alt and not(self::img)]")
        if element.get("alt") not in [img.get("alt") for img in element.iter("img")]
    ]  # fmt: skip


def _picture(
    picture: Picture, page: Page, numbers: Mapping[str, Number], sources: Sources
) -> Findings:
    """An image: its alternative text, by the keys that it says it speaks."""
    element = picture.element
    alt = element.get("alt", "")
    place = f"{page.place(element)} alt text"
    findings = check_alt(place, alt, (element.get("data-keys") or "").split(), numbers, sources)
    findings.items.append(Item("figure", picture.figure))
    if not alt.strip() and element.get("data-keys") is not None:
        findings.faults.append(
            Fault("alt", place, "no text", "the figure in words", "give the figure its fig-alt")
        )
    return findings
