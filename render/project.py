"""The project as both engines see it: its root, `_quarto.yml`, and the few keys both need."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from render.errors import BookError

CONFIG_NAME = "_quarto.yml"


@dataclass(frozen=True)
class Project:
    """A folder with a `_quarto.yml`; `config` is that file as plain mappings and lists."""

    root: Path
    config: dict[str, Any]

    @classmethod
    def read(cls, root: Path) -> "Project":
        """Read `_quarto.yml` in `root`.

        Raises:
            BookError: there is no such file, it is not YAML, or it is not a book project.
        """
        path = root / CONFIG_NAME
        if not path.is_file():
            raise BookError(f"no {CONFIG_NAME} in this folder; run it from the project's root")
        project = cls(root, read_yaml(path.read_text(encoding="utf-8"), CONFIG_NAME))
        if project.section("project").get("type") != "book":
            raise BookError(f"{CONFIG_NAME}: project.type must be book")
        return project

    def section(self, name: str) -> dict[str, Any]:
        """The mapping under a top-level key, empty if the key is absent."""
        value = self.config.get(name) or {}
        if not isinstance(value, dict):
            raise BookError(f"{CONFIG_NAME}: {name} must be a mapping, found {value!r}")
        return value

    @property
    def output_dir(self) -> Path:
        """Where the finished book goes unless the command line says otherwise."""
        return self.root / str(self.section("project").get("output-dir", "_book"))

    @property
    def date(self) -> datetime.date | None:
        """The book's date; a moving date (`today`) would make every build different."""
        found = self.section("book").get("date")
        if found is None:
            return None
        try:
            return datetime.date.fromisoformat(str(found))
        except ValueError:
            raise BookError(
                f"{CONFIG_NAME}: book.date must be a day written YYYY-MM-DD, found {found!r}"
            ) from None


def read_yaml(text: str, name: str) -> dict[str, Any]:
    """Parse YAML that must be a mapping; `name` stands in the error's text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BookError(f"{name}: not valid YAML: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BookError(f"{name}: expected keys and values, found {type(value).__name__}")
    return value
