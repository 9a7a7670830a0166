"""The printed book read back."""

from __future__ import annotations

from pathlib import Path

from pypdfium2 import PdfDocument

from checks.faults import Fault
from checks.html import leftovers_in


def check_pdf(book: Path) -> tuple[int, list[Fault]]:
    """Check that the book has one PDF with text and no leftovers; return its number of pages."""
    files = sorted(book.glob("*.pdf"))
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "no PDF"
        return 0, [Fault("the PDF", found, "one PDF in the book's folder", "render it again")]
    name = files[0].name
    try:
        texts = read_pages(files[0])
    except Exception as error:  # a damaged file can make the reader raise nearly anything
        return 0, [Fault(name, f"a broken file ({error})", "a whole PDF", "render it again")]
    faults = []
    if not any(text.strip() for text in texts):
        faults.append(Fault(name, "no text", "text that can be searched", "render it again"))
    for number, text in enumerate(texts, start=1):
        faults += leftovers_in(text, f"{name} page {number}")
    return len(texts), faults


def read_pages(file: Path) -> list[str]:
    """The text of each page.

    Raises ValueError for a file that does not end as a PDF does, which PDFium would mend in
    silence, and pypdfium2's own errors for one that it cannot read.
    """
    if b"%%EOF" not in file.read_bytes()[-1024:]:
        raise ValueError("it has no end")
    with PdfDocument(file) as document:
        return [page.get_textpage().get_text_bounded() for page in document]
