"""The one style sheet of the built-in engine's pages."""

import re
from pathlib import Path

from render.errors import BookError

FRAME = Path(__file__).parent.parent / "builtin.css"
REGION = re.compile(r"^/\*--\s*scss:(\w+)\s*--\*/\s*$", re.MULTILINE)
# Sass is compiled by Quarto only; what both engines share must be plain CSS.
SASS = re.compile(
    r"^\s*(?:@(?:include|mixin|extend|use|import|function|if|each)\b.*|\$.*|//.*)$|#\{", re.M
)


def style_sheet(files: list[Path]) -> str:
    """The frame of the page, then the project's own rules.

    Raises:
        BookError: a rule needs Sass.
    """
    parts = [FRAME.read_text(encoding="utf-8")]
    for path in files:
        code = path.read_text(encoding="utf-8")
        rules = scss_rules(code) if path.suffix == ".scss" else code
        if found := SASS.search(rules):
            raise BookError(
                f"{path.name}: rules must be plain CSS, as the built-in engine has no Sass: "
                f"{found.group().strip()}"
            )
        parts.append(rules)
    return "\n".join(parts)


def scss_rules(code: str) -> str:
    """The `scss:rules` regions of a Quarto theme file; the others set Bootstrap's variables."""
    pieces = REGION.split(code)
    names, bodies = pieces[1::2], pieces[2::2]
    return "\n".join(body for name, body in zip(names, bodies, strict=True) if name == "rules")
