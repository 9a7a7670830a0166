"""Glyphs of a finished PDF changed by hand, as if others had been drawn."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject, ContentStream, NameObject


def redrawn(content: bytes, page: int, before: str, after: str, nth: int = 0) -> bytes:
    """The same file with glyphs of one text on a page replaced, as if Typst had drawn others.

    Nothing but the glyph numbers in a content stream changes; nth is the occurrence to change.
    """
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    for holder in holders(writer.pages[page - 1]):
        stream = ContentStream(holder.get_contents() if hasattr(holder, "get_contents") else holder,
                               writer, forced_encoding="bytes")  # fmt: skip
        if replace_glyphs(stream, holder["/Resources"], before, after, nth):
            if hasattr(holder, "get_contents"):
                holder[NameObject("/Contents")] = writer._add_object(stream)
            else:
                holder.set_data(stream.get_data())
            written = BytesIO()
            writer.write(written)
            return written.getvalue()
    raise AssertionError(f'no "{before}" on page {page}')


def holders(holder: Any) -> list[Any]:
    """A page and all forms drawn in it."""
    forms = holder.get("/Resources", {}).get("/XObject", {}).values()
    found = [holder]
    for form in (form.get_object() for form in forms):
        if form["/Subtype"] == "/Form":
            found += holders(form)
    return found


def replace_glyphs(stream: Any, resources: Any, before: str, after: str, nth: int) -> bool:
    glyphs: list[tuple[str, dict[str, bytes], Any, int, int]] = []
    letters: dict[bytes, str] = {}
    for operands, operator in stream.operations:
        if operator == b"Tf":
            letters = letters_of(resources["/Font"][operands[0]])
        if operator not in (b"Tj", b"TJ"):
            continue
        codes = {letter: code for code, letter in letters.items()}
        pieces = operands[0] if isinstance(operands[0], ArrayObject) else operands
        for index, piece in enumerate(pieces):
            if isinstance(piece, bytes):
                for at in range(0, len(piece), 2):
                    glyphs.append((letters[piece[at : at + 2]], codes, pieces, index, at))
    # A ligature is one glyph; the texts to change have none.
    text = "".join(glyph[0][:1] for glyph in glyphs)
    starts = [match.start() for match in re.finditer(re.escape(before), text)]
    if len(starts) <= nth:
        return False
    start = starts[nth]
    for letter, (_, codes, pieces, index, at) in zip(after, glyphs[start:], strict=False):
        piece = pieces[index]
        pieces[index] = ByteStringObject(piece[:at] + codes[letter] + piece[at + 2 :])
    return True


def letters_of(font: Any) -> dict[bytes, str]:
    """What each glyph of a font reads as (its ToUnicode map)."""
    cmap = font["/ToUnicode"].get_data().decode()
    return {
        bytes.fromhex(code): bytes.fromhex(text).decode("utf-16-be")
        for code, text in re.findall(r"<(\w{4})> <(\w+)>", cmap)
    }
