"""`datapackage.json`, the only schema: reads it, and finds in it what a table is described as."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from analysis.faults import Fault, Findings
from analysis.files import read_bytes

PACKAGE_FILE = "datapackage.json"
TABLES = ("studies", "outcomes", "therapies", "published_pools", "constants")
#: What a column of each type that the schema may use becomes in a frame.
DTYPES = {"string": "str", "integer": "Int64", "number": "Float64"}


def read_package(path: Path, findings: Findings) -> dict[str, Any]:
    """The parsed package; empty, with its faults, where the schema itself is at fault."""
    content = read_bytes(path, findings)
    if content is None:
        return {}
    from frictionless import FrictionlessException, Package

    allowed, remedy = "a valid data package (JSON)", "Undo the last change to this file."
    try:
        package = json.loads(content)
        Package.from_descriptor(package)
    except json.JSONDecodeError as error:
        findings.add(Fault(path.name, error.lineno, None, error.msg, allowed, remedy))
    except UnicodeDecodeError:
        findings.add(Fault(path.name, None, None, "text that is not UTF-8", allowed, remedy))
    except FrictionlessException as error:
        # Past add(), here and below: no fault of the schema has a row or column to tell it by.
        for reason in error.reasons or [error.error]:
            findings.faults.append(Fault(path.name, None, None, reason.message, allowed, remedy))
    else:
        faults = [
            Fault(path.name, None, None, found, allowed, "Correct the description.")
            for found, allowed in _unfit_descriptions(package)
        ]
        findings.faults += faults
        return {} if faults else package
    return {}


def _unfit_descriptions(package: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a valid data package says, and what it would have to say, to be read as Evidence."""
    described = [resource["name"] for resource in package["resources"]]
    if sorted(described) != sorted(TABLES):
        yield f"the tables {', '.join(described)}", f"the tables {', '.join(TABLES)}"
    for resource in package["resources"]:
        for name, column in fields_of(resource).items():
            if column.get("type") not in DTYPES:
                found = f"column {name} of {resource['name']} of type {column.get('type')}"
                yield found, f"the types {', '.join(DTYPES)}"


def fields_of(
    resource: dict[str, Any], names: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The described columns of a table by name, all or those named; KeyError for another name."""
    fields = {described["name"]: described for described in resource["schema"]["fields"]}
    return fields if names is None else {name: fields[name] for name in names}
