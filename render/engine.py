"""Chooses the engine: Quarto 1.9 or later if there is one, else the built-in one."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pypandoc

from render.errors import BookError

LEAST_VERSION = (1, 9)
HOW_TO_GET = (
    "install it with `pip install quarto-cli` or from https://quarto.org, "
    "or set QUARTO_PATH to its program or folder"
)


@dataclass(frozen=True)
class Engine:
    """The engine of one build; `quarto` is its program, None for the built-in engine."""

    name: str
    reason: str
    quarto: Path | None = None


def choose_engine(wish: str, environment: Mapping[str, str] | None = None) -> Engine:
    """Find the engine for `wish` (auto, quarto or builtin).

    Raises:
        BookError: `quarto` was asked for and none of version 1.9 or later was found.
    """
    if wish == "builtin":
        return Engine(builtin_name(), "asked for with --engine builtin")
    refusals = []
    for program, origin in quarto_candidates(os.environ if environment is None else environment):
        found = quarto_version(program)
        if found is None:
            refusals.append(f"{origin} is not a Quarto that runs")
        elif found[:2] < LEAST_VERSION:
            refusals.append(f"{origin} is {dotted(found)}, older than {dotted(LEAST_VERSION)}")
        else:
            return Engine(f"Quarto {dotted(found)}", f"found by {origin}", program)
    why = "; ".join(refusals) or "no Quarto by QUARTO_PATH or on the PATH"
    if wish == "quarto":
        raise BookError(f"no usable Quarto: {why}; {HOW_TO_GET}")
    return Engine(builtin_name(), why)


def quarto_candidates(environment: Mapping[str, str]) -> list[tuple[Path, str]]:
    """Programs that may be Quarto, each with the words for where it came from, best first."""
    found = []
    if wanted := environment.get("QUARTO_PATH"):
        found.append((program_at(Path(wanted)), f"QUARTO_PATH={wanted}"))
    if on_path := shutil.which("quarto", path=environment.get("PATH", "")):
        found.append((Path(on_path), "`quarto` on the PATH"))
    return found


def program_at(place: Path) -> Path:
    """The program that QUARTO_PATH means: a file, or a folder with `quarto` or `bin/quarto`."""
    for folder in (place, place / "bin"):
        if program := shutil.which("quarto", path=str(folder)):
            return Path(program)
    return place


def quarto_version(program: Path) -> tuple[int, ...] | None:
    """What `program --version` says as numbers, or None if it does not run or says none."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"\s*(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return tuple(int(part) for part in match.groups() if part) if match else None


def builtin_name() -> str:
    """The built-in engine's name with the versions of the two tools that do its work."""
    return f"built-in (pandoc {pypandoc.get_pandoc_version()}, typst {version('typst')})"


def dotted(numbers: tuple[int, ...]) -> str:
    """A version as it is written."""
    return ".".join(map(str, numbers))
