"""Adds what readers may download: the ledger, the pooled data, and each figure with its data."""

import shutil
from pathlib import Path


def add_downloads(root: Path, book: Path) -> None:
    """Copy the generated files of the project at `root` into `book`."""
    numbers = root / "_report" / "numbers.json"
    if numbers.is_file():
        shutil.copyfile(numbers, book / "numbers.json")
    data = root / "_report" / "data"
    if data.is_dir():
        shutil.copytree(data, book / "data", dirs_exist_ok=True)
    for pattern in ("*.svg", "*.csv"):
        for figure in sorted((root / "figures").glob(pattern)):
            (book / "figures").mkdir(exist_ok=True)
            shutil.copyfile(figure, book / "figures" / figure.name)
