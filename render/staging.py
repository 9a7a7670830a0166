"""Builds beside the output and swaps only a finished book in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import BookError


@contextmanager
def staged(output: Path) -> Iterator[Path]:
    """Give an empty folder beside `output`; on leaving without an error it becomes `output`.

    On any error the folder is removed and `output` stays as it was. The two renames can be
    interrupted only between them, and then the next run puts the old book back.

    Raises:
        BookError: `output` holds something that is not a book.
    """
    # A leading underscore keeps Quarto from taking these folders for sources.
    staging = output.with_name(f"_{output.name.lstrip('_')}.staging")
    old = output.with_name(f"_{output.name.lstrip('_')}.old")
    if old.exists() and not output.exists():
        old.rename(output)
    refuse_other_folders(output)
    for leftover in (staging, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    try:
        staging.mkdir(parents=True)
        yield staging
        swap(staging, output, old)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def swap(staging: Path, output: Path, old: Path) -> None:
    """Put `staging` in the place of `output`."""
    if output.exists():
        output.rename(old)
    try:
        staging.rename(output)
    except OSError:
        if old.exists():
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


def refuse_other_folders(output: Path) -> None:
    """Never replace a folder that was not a book: `--output .` must not eat the project."""
    if output.is_dir() and (not any(output.iterdir()) or (output / "index.html").is_file()):
        return
    if output.exists():
        raise BookError(f"{output} is not a book (it has no index.html); choose another --output")
