"""Figures read back: SVG marks and texts by key, and the data beside each figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from checks.faults import Fault
from checks.ledger import REBUILD, Number
from checks.tags import Findings

ID_PREFIX = "num-"


def check_figures(book: Path, numbers: Mapping[str, Number]) -> tuple[int, Findings]:
    """Check every figures/*.svg of the book; return how many there are and what was found."""
    findings = Findings()
    figures = sorted((book / "figures").glob("*.svg"))
    for path in figures:
        place = path.relative_to(book).as_posix()
        try:
            root = etree.parse(path, etree.XMLParser(resolve_entities=False)).getroot()
        except (OSError, etree.XMLSyntaxError) as error:
            findings.faults.append(Fault(place, f"broken XML ({error})", "an SVG file", REBUILD))
            continue
        findings.add(check_svg(root, place, numbers))
        findings.faults += _data_beside(path, place)
    return len(figures), findings


def check_svg(root: etree._Element, place: str, numbers: Mapping[str, Number]) -> Findings:
    """Check the elements whose id is num-KEY; a text must print what the ledger says."""
    findings = Findings()
    for element in root.iter(etree.Element):
        name = element.get("id", "")
        if name.startswith(ID_PREFIX):
            where = f"{place} line {element.sourceline}"
            findings.tag(where, name.removeprefix(ID_PREFIX), _text(element), numbers)
    return findings


def _text(element: etree._Element) -> str | None:
    """What the element prints; None for a mark, whose title is for the pointer only."""
    texts = element.xpath("descendant-or-self::*[local-name()='text']")
    if not texts:
        return None
    return " ".join("".join(text.itertext()) for text in texts)


def _data_beside(path: Path, place: str) -> list[Fault]:
    data = path.with_suffix(".csv")
    expected = f"its data beside it in {data.name}"
    if not data.is_file():
        return [Fault(place, f"no {data.name}", expected, REBUILD)]
    if data.read_bytes().count(b"\n") < 2:
        return [Fault(place, f"no line of data in {data.name}", expected, REBUILD)]
    return []
