"""Reads a file of `data/` whole, or says why it cannot be read."""

from __future__ import annotations

from pathlib import Path

from analysis.faults import Fault, Findings

#: Byte order mark, which Excel puts before UTF-8.
BOM = "\ufeff".encode()


def read_bytes(path: Path, findings: Findings) -> bytes | None:
    """The content of a file, or None with a fault when it is missing, unreadable or empty."""
    try:
        content = path.read_bytes()
    except OSError as error:
        found, remedy = "no such file", "Put the file back under this name."
        if not isinstance(error, FileNotFoundError):
            found, remedy = f"a file that cannot be read ({error.strerror})", "Make it readable."
        findings.add(Fault(path.name, None, None, found, "a readable file", remedy))
        return None
    if not content.removeprefix(BOM).strip():
        remedy = "Put the file's content back."
        findings.add(Fault(path.name, None, None, "an empty file", "a file with content", remedy))
        return None
    return content
