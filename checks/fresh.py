"""Whether a book was made from the data and the code that stand beside it.

The book's build.json says what it was made from: sha256 digests over each file's path, a NUL, its
content and a NUL, in the order of the paths, line ends counted as LF.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from checks.faults import Fault, UnreadableError

BUILD = "build.json"
BUILD_AGAIN = "build it again (nox -s book)"
_DATA_FOLDER = "data/"
_DATA_KINDS = {".bib", ".csv", ".json"}
_RENDER_KINDS = {".py", ".scss", ".typ", ".css", ".html", ".csl", ".js"}
_CODE = re.compile(
    r"index\.qmd|chapters/[^/]+\.qmd|_quarto\.yml|pyproject\.toml|constraints\.txt"
    r"|checks/mutations\.json|analysis/records/[^/]+\.json"
)
_DIGEST = re.compile("[0-9a-f]{64}")
_SHOWN = 12  # digits of a digest in a message


def read_files(root: Path, data_folder: Path) -> dict[str, bytes]:
    """Return the data and the sources of the book, by path from the project's root.

    The data are named data/NAME wherever data_folder lies. Raises UnreadableError where a folder
    or a file cannot be read.
    """
    if not data_folder.is_dir():
        raise UnreadableError(
            f"{data_folder}: found no folder; expected the evidence; give --data the folder that "
            "the book was built from"
        )
    places = {_DATA_FOLDER + path.name: path for path in data_folder.iterdir()}
    for path in _candidates(root):
        places.setdefault(path.relative_to(root).as_posix(), path)
    wanted = {name: path for name, path in places.items() if _is_data(name) or _is_code(name)}
    try:
        return {name: path.read_bytes() for name, path in wanted.items() if path.is_file()}
    except OSError as error:
        raise UnreadableError(
            f"{error.filename}: found {error.strerror}; expected a readable file; make it readable"
        ) from None


def _candidates(root: Path) -> Iterator[Path]:
    yield from root.glob("*.*")
    yield from (root / "checks").glob("*.json")
    for folder in ("analysis", "render", "chapters"):
        yield from (root / folder).rglob("*.*")


def _is_data(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder == "data" and Path(name).suffix in _DATA_KINDS


def _is_code(path: str) -> bool:
    kind = Path(path).suffix
    return (
        (path.startswith("analysis/") and kind == ".py")
        or (path.startswith("render/") and kind in _RENDER_KINDS)
        or _CODE.fullmatch(path) is not None
    )


def data_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of the evidence among the project's files."""
    return _digest(files, _is_data)


def code_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of what turns the evidence into the book."""
    return _digest(files, _is_code)


def _digest(files: Mapping[str, bytes], belongs: Callable[[str], bool]) -> str:
    parts = []
    for path in sorted(filter(belongs, files)):
        parts += [path.encode(), files[path].replace(b"\r\n", b"\n")]
    return hashlib.sha256(b"".join(part + b"\0" for part in parts)).hexdigest()


def check(build: bytes | None, files: Mapping[str, bytes]) -> list[Fault]:
    """Compare a book's build.json (None where there is none) with the project's files."""
    form = "what the book was made from"
    if build is None:
        return [_fault("no file", form)]
    try:
        stated = json.loads(build.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return [_fault(f"broken JSON ({error})", form)]
    if missing := _missing(stated):
        return [_fault(f"no {missing} in it", form)]
    faults = [
        _fault(f"the book was made from other {name}: {stated[name][:_SHOWN]}", now[:_SHOWN])
        for name, now in (("data", data_digest(files)), ("code", code_digest(files)))
        if stated[name] != now
    ]
    return faults + _version(stated["version"], files) + _packages(stated, files)


def _fault(found: str, expected: str) -> Fault:
    return Fault("fresh", BUILD, found, expected, BUILD_AGAIN)


def _missing(stated: Any) -> str:
    """The first thing that build.json should say and does not, blank where all is there."""
    if not isinstance(stated, dict):
        return "object"
    for name in ("version", "data", "code", "engine", "python"):
        value = stated.get(name)
        if not isinstance(value, str) or not value:
            return name
        if name in ("data", "code") and not _DIGEST.fullmatch(value):
            return f"digest of the {name}"
    try:
        Version(stated["python"])
    except InvalidVersion:
        return "version of Python"
    packages = stated.get("packages")
    if not isinstance(packages, dict) or not packages:
        return "packages"
    return next((f"version of {n}" for n, v in packages.items() if not isinstance(v, str)), "")


def _version(stated: str, files: Mapping[str, bytes]) -> list[Fault]:
    try:
        text = files.get("pyproject.toml", b"").decode("utf-8")
        version = tomllib.loads(text)["project"]["version"]
    except (ValueError, KeyError, TypeError):
        return [_fault(f"version {stated}", "a version in pyproject.toml to compare it with")]
    if stated == version:
        return []
    return [_fault(f"version {stated} of the book", f"{version}, as in pyproject.toml")]


def _packages(stated: Mapping[str, Any], files: Mapping[str, bytes]) -> list[Fault]:
    """Packages of another version than constraints.txt pins for the Python of the build."""
    text = files.get("constraints.txt", b"").decode("utf-8", errors="replace")
    python = {
        "python_full_version": stated["python"],
        "python_version": ".".join(stated["python"].split(".")[:2]),
    }
    pinned: dict[str, str] = {}
    for line in text.splitlines():
        try:
            needed = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        if needed.marker is None or needed.marker.evaluate(python):
            pinned[needed.name] = str(needed.specifier).removeprefix("==")
    return [
        _fault(f"{name} {version}", f"{pinned.get(name, 'no such package')} (constraints.txt)")
        for name, version in stated["packages"].items()
        if pinned.get(name) != version
    ]
