"""Adds what readers may download: ledger, pooled data, figures with theirs, and what made them."""

import shutil
from pathlib import Path


def add_downloads(root: Path, book: Path) -> None:
    """Copy the generated files of the project at `root` into `book`."""
    for name in ("numbers.json", "build.json"):
        if (made := root / "_report" / name).is_file():
            shutil.copyfile(made, book / name)
    data = root / "_report" / "data"
    if data.is_dir():
        shutil.copytree(data, book / "data", dirs_exist_ok=True)
    # The check writes its report over this page; until then the book says that it is unchecked.
    shutil.copyfile(Path(__file__).with_name("unchecked.html"), book / "checked.html")
    for pattern in ("*.svg", "*.csv"):
        for figure in sorted((root / "figures").glob(pattern)):
            (book / "figures").mkdir(exist_ok=True)
            shutil.copyfile(figure, book / "figures" / figure.name)
