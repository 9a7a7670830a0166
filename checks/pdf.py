"""The printed book read back."""

from __future__ import annotations

import logging
from pathlib import Path

from pypdf import PdfReader

from checks.faults import Fault
from checks.html import leftovers_in


def check_pdf(book: Path) -> tuple[int, list[Fault]]:
    """Check that the book has one PDF with text and no leftovers; return its number of pages."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its repairs are faults here
    files = sorted(book.glob("*.pdf"))
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "no PDF"
        return 0, [Fault("the PDF", found, "one PDF in the book's folder", "render it again")]
    name = files[0].name
    try:
        texts = [page.extract_text() for page in PdfReader(files[0], strict=True).pages]
    except Exception as error:  # a damaged file can make the reader raise nearly anything
        return 0, [Fault(name, f"a broken file ({error})", "a whole PDF", "render it again")]
    faults = []
    if not any(text.strip() for text in texts):
        faults.append(Fault(name, "no text", "text that can be searched", "render it again"))
    for number, text in enumerate(texts, start=1):
        faults += leftovers_in(text, f"{name} page {number}")
    return len(texts), faults
