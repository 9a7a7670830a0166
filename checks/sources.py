"""Words quoted from the data, by address: `TABLE#ROW#COLUMN`, or `TREE#/POINTER`.

ROW is a study, a therapy, a drug class, a constant, the address of an outcome row, or the name of a
published pool (published.py); COLUMN is one of those that the book quotes (QUOTED).
`studies#STUDY#label` is the name by which figures call a study: first author and year, with a
letter where two would read the same. TREE is package (datapackage.json), build (build.json) or
mutations (the last attack on the check).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from checks import published
from checks.rows import addresses, class_slug

SHORTENED = "…"
QUOTED = {
    "studies": ("label", "year"),
    "therapies": ("label",),
    "classes": ("label",),
    "constants": ("source", "stated"),
    "outcomes": ("arm", "definition", "reported_percent", "source_locator"),
    "published": ("source", "year", "definition", "method_note"),
}
_Table = Mapping[str, Mapping[str, str]]


class Sources:
    """The words that may be quoted; equal where all of them are, whatever else the data hold."""

    def __init__(self, files: Mapping[str, bytes], trees: Mapping[str, bytes]) -> None:
        """files: content of data/ by name (`studies.csv`); trees: further JSON by name."""
        studies = _by_id(_records(files, "studies.csv"), "study_id")
        therapies = _by_id(_records(files, "therapies.csv"), "therapy")
        outcomes = _records(files, "outcomes.csv")
        reviews = _records(files, "published_pools.csv")
        tables: dict[str, _Table] = {
            "studies": _labelled(studies),
            "therapies": therapies,
            "classes": {
                class_slug(therapy["drug_class"]): {"label": therapy["drug_class"]}
                for therapy in therapies.values()
            },
            "constants": _by_id(_records(files, "constants.csv"), "constant"),
            "outcomes": dict(zip(addresses(outcomes), outcomes, strict=True)),
            "published": dict(zip(published.names(reviews), reviews, strict=True)),
        }
        self._words = {
            f"{table}#{row}#{column}": cells[column]
            for table, records in tables.items()
            for row, cells in records.items()
            for column in QUOTED[table]
            if column in cells
        }
        content = {**trees, "package": files.get("datapackage.json", b"{}")}
        self._trees = {name: _parsed(json_text) for name, json_text in content.items()}
        self._identity = (frozenset(self._words.items()), frozenset(content.items()))
        self._hash = hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sources) and self._identity == other._identity

    def __hash__(self) -> int:
        return self._hash

    def text(self, address: str) -> str | None:
        """The words at an address, codes with spaces for underscores; None where there are none."""
        table, _, pointer = address.partition("#")
        found = self._words.get(address)
        if table in self._trees:
            found = _at(self._trees[table], pointer)
        if found is None or isinstance(found, dict | list):
            return None
        return f"{found:,}" if isinstance(found, int) else str(found).replace("_", " ")

    def reads_as(self, text: str, address: str) -> bool:
        """Whether a text shows the words at an address; it may be cut short with an ellipsis."""
        whole = self.text(address)
        if whole is None:
            return False
        shown = " ".join(text.replace("_", " ").split())
        whole = " ".join(whole.split())
        if shown.endswith(SHORTENED):
            return _begins(shown.removesuffix(SHORTENED), whole)
        return shown == whole or shown == whole.replace(",", "")


def _begins(start: str, whole: str) -> bool:
    """Whether a text begins so; a number is not cut in two, and something is left."""
    cut = start[-1:].isdecimal() and re.match(r"[.,]?\d", whole[len(start) :])
    return bool(start) and whole.startswith(start) and not cut


def _labelled(studies: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The studies with their labels."""
    by_name = defaultdict(list)
    for study_id, study in studies.items():
        by_name[f"{study['first_author']} {study['year']}"].append(study_id)
    labels = {
        study_id: f"{name}{chr(97 + place)}" if len(group) > 1 else name
        for name, group in by_name.items()
        for place, study_id in enumerate(group)
    }
    return {study_id: {**study, "label": labels[study_id]} for study_id, study in studies.items()}


def _parsed(json_text: bytes) -> Any:
    """The JSON, nothing where it is broken: whoever reads the file for itself says so."""
    try:
        return json.loads(json_text)
    except ValueError:
        return None


def _records(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    text = files.get(name, b"").decode("utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    return [{k: (v or "").strip() for k, v in record.items() if k} for record in reader]


def _by_id(records: list[dict[str, str]], column: str) -> dict[str, dict[str, str]]:
    return {record[column]: record for record in records}


def _at(tree: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), None where there is none."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(tree, list) and name.isdecimal() and int(name) < len(tree):
            tree = tree[int(name)]
        elif isinstance(tree, dict) and name in tree:
            tree = tree[name]
        else:
            return None
    return tree
