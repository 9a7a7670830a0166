"""The files that readers download, and the index of the search box, against the second road."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from checks.counts import fates
from checks.faults import Fault
from checks.ledger import REBUILD
from checks.rows import Data, select
from checks.text import clean, numerals

POOLS = "data/pools.csv"
ROWS = "data/rows.csv"
SEARCH = "search.json"
RENDER = "render the book again; if it stays, the page or its index was changed by hand"

Cells = tuple[str, ...]


def check(files: Mapping[str, bytes], data: Data) -> list[Fault]:
    """Compare the tables to download with data/; files: the book's files by path."""
    return check_pools(files.get(POOLS), data) + check_rows(files.get(ROWS), data)


def check_pools(content: bytes | None, data: Data) -> list[Fault]:
    """Compare pools.csv, in any order of lines, with the studies of every pool."""
    wanted: dict[Cells, Cells] = {
        (prefix, entry.study_id): (str(entry.events), str(entry.n))
        for prefix, entries in select(data).items()
        for entry in entries
    }
    return _compare(POOLS, content, ("pool", "study_id", "events", "n"), wanted)


def check_rows(content: bytes | None, data: Data) -> list[Fault]:
    """Compare rows.csv, in any order of lines, with what became of every row."""
    of_row = fates(data)
    wanted: dict[Cells, Cells] = {
        (row.address,): (
            row.study_id,
            row.therapy,
            row.pool_outcome,
            of_row[row.address],
            row.cells["exclusion"],
        )
        for row in data.rows
    }
    header = ("address", "study_id", "therapy", "pool_outcome", "fate", "exclusion")
    return _compare(ROWS, content, header, wanted)


def _compare(
    place: str, content: bytes | None, header: Cells, wanted: Mapping[Cells, Cells]
) -> list[Fault]:
    """Compare a CSV file with its lines; wanted maps the cells that name a line to the others."""
    form = f"a CSV file with {','.join(header)}"
    if content is None:
        return [_fault(place, "no file", form)]
    try:
        text = content.decode("utf-8-sig")
        lines = [tuple(cells) for cells in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        return [_fault(place, str(error), form)]
    if not lines or lines[0] != header:
        return [_fault(place, ",".join(lines[0]) if lines else "an empty file", form)]
    width = len(next(iter(wanted))) if wanted else 0
    faults = []
    seen: set[Cells] = set()
    for number, cells in enumerate(lines[1:], start=2):
        name, where = cells[:width], f"{place} line {number}"
        right = ",".join(name + wanted[name]) if name in wanted else "no such line"
        if name in seen:
            faults.append(_fault(where, f"{','.join(cells)} a second time", "each line once"))
        elif name not in wanted or cells != name + wanted[name]:
            faults.append(_fault(where, ",".join(cells) or "a blank line", right))
        seen.add(name)
    faults += [
        _fault(place, f"no line for {', '.join(name)}", ",".join(name + wanted[name]))
        for name in wanted
        if name not in seen
    ]
    return faults


def _fault(place: str, found: str, expected: str, remedy: str = REBUILD) -> Fault:
    return Fault("download", place, found, expected, remedy)


def check_search(content: bytes, numerals_of_page: Callable[[str], tuple[str, ...]]) -> list[Fault]:
    """Compare the numbers in the index of the search box with those of the pages.

    numerals_of_page gives the numerals of a page by its address in the book, in reading order;
    none where there is no such page. An index entry may leave out whole paragraphs and lists,
    and has its heading first, but within a paragraph or table no number may be missing.
    """
    form = "a list of entries with href, title, section and text"
    try:
        entries = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return [_fault(SEARCH, f"broken JSON ({error})", form)]
    if not isinstance(entries, list):
        return [_fault(SEARCH, f"a JSON {type(entries).__name__}", form)]
    faults = []
    for position, entry in enumerate(entries, start=1):
        place = f"{SEARCH} entry {position}"
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(name), str) for name in ("href", "title", "section", "text")
        ):
            faults.append(_fault(place, repr(entry), form))
            continue
        section, heading = entry["section"], entry["text"].partition("\n")[0]
        if section and heading != section:
            faults.append(_fault(place, f'"{heading}"', f'"{section}", its section', RENDER))
        page = numerals_of_page(entry["href"].partition("#")[0])
        if missing := _not_in_order(entry["title"], section, entry["text"], page):
            numbers, words = f"numbers {', '.join(missing)}", f'"{entry["text"]}"'
            wanted = f"the numbers of {entry['href']} in their order, near {words}"
            faults.append(_fault(place, numbers, wanted, RENDER))
    return faults


@lru_cache(maxsize=1024)
def _not_in_order(title: str, section: str, text: str, page: tuple[str, ...]) -> tuple[str, ...]:
    """The first run of an entry's numerals that the page does not show in its place."""
    heading, _, body = text.partition("\n")
    for run in (_numerals(title), _numerals(section), _numerals(heading)):
        if _find(run, page, 0) is None:
            return run
    start = 0
    # A run ends where a sentence does: only after one may the index leave something out.
    for paragraph in re.split(r"(?<=[.:;?!])\n", body):
        run = _numerals(paragraph)
        found = _find(run, page, start)
        if found is None:
            return run
        start = found + len(run)
    return ()


def _numerals(text: str) -> tuple[str, ...]:
    return tuple(numeral.text for numeral in numerals(clean(text)))


def _find(run: tuple[str, ...], page: tuple[str, ...], start: int) -> int | None:
    """Where a run of numerals stands in the page, from a place on; None where it does not."""
    places = range(start, len(page) - len(run) + 1)
    return next((at for at in places if page[at : at + len(run)] == run), None)
