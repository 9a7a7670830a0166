"""What counts as a number in a text, however it is set: digits, and cardinals written as words."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Marks that nobody sees: soft hyphen, zero-width characters, word joiner, byte order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffe"))
_LIGATURES = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
# Hyphen, no-break hyphen and minus are one sign; figure and en dash stay, for they mark ranges.
_SIGNS = dict.fromkeys(map(ord, "\u2010\u2011\u2212\ufe63\uff0d"), "-")
_PERCENT = dict.fromkeys(map(ord, "\ufe6a\uff05"), "%")
_WIDE_DIGITS = {0xFF10 + digit: str(digit) for digit in range(10)}
_CHARACTERS: dict[int, str | None] = {
    **_INVISIBLE,
    **_SIGNS,
    **_PERCENT,
    **_WIDE_DIGITS,
    **{ord(ligature): letters for ligature, letters in _LIGATURES.items()},
}


# Hyphen, dashes, hyphen bullet, heavy minus, small em dash: before a digit they read as a minus.
_MINUS = "-\u2012-\u2015\u2043\u2796\ufe58"
_GROUP = "[,'\u2009\u202f\u00a0]"  # thin, narrow and no-break space as thousands separators
_NUMERAL = re.compile(
    rf"""
    (?:(?<![\w)\]%]) [{_MINUS}] (?=\.?\d))?                  # a sign, not the dash of a range
    (?: \d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)(?:\.\d+)?       # 1,234 and its kin
      | \d+(?:[.,]\d+)*                                      # 62.5, 4.1.2, 0.0.13
      | (?<!\w)\.\d+ )
    (?:\s*[%\u2030\u2031\u066a])?                          # the per-cent sign belongs to it
    | [\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089\u2150-\u218b]+                # ², ½, Ⅵ
    | [\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3220-\u3229\u3248-\u325f\u32b1-\u32bf]+  # ①
    """,
    re.VERBOSE,
)
_ONES = "two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_OTHERS = (
    "zero hundred hundreds thousand thousands million millions billion billions dozen dozens "
    "half halves thirds quarter quarters twice thrice"
)
# "one" is an article or a pronoun more often than a number, so it counts before such nouns only.
_COUNTED = (
    "study studies trial cohort patient participant row arm therapy centre month year week "
    "responder percentage"
)
_WORD = re.compile(
    rf"\b(?:(?:{'|'.join(f'{_ONES} {_TEENS} {_TENS} {_OTHERS}'.split())})(?:fold)?"
    rf"|one(?=\s+(?:{'|'.join(_COUNTED.split())})\b))\b",
    re.IGNORECASE,
)
_NAMES: dict[float, str] = {0.5: "half", 1: "one", 20: "twenty"}
_NAMES |= dict(enumerate(f"{_ONES} {_TEENS}".split(), start=2))


@dataclass(frozen=True)
class Numeral:
    """A number in a text: as it reads, in one spelling, and where it stands in the text."""

    text: str
    start: int
    end: int


def clean(text: str) -> str:
    """The text with one spelling of sign, per cent and ligatures; special spaces stay."""
    return text.translate(_CHARACTERS)


def normalise(text: str) -> str:
    """The text as a reader sees it: clean, and with one kind of space."""
    return " ".join(clean(text).split())  # str.split knows no-break, thin and narrow spaces


def numerals(text: str) -> list[Numeral]:
    """Every number written with digits in a cleaned text, in order.

    Sign, decimal point, thousands separators and per-cent sign belong to the number; the
    separators are dropped from its text, so that 1,234 and 1 234 are one number.
    """
    return [
        Numeral(_one_spelling(match.group()), match.start(), match.end())
        for match in _NUMERAL.finditer(text)
    ]


def number_words(text: str) -> list[Numeral]:
    """Every cardinal written as a word (two and above, half, one study), in order."""
    return [
        Numeral(match.group().lower(), match.start(), match.end()) for match in _WORD.finditer(text)
    ]


def numbers_in(text: str) -> list[Numeral]:
    """Numerals and number words of a cleaned text, by where they stand."""
    return sorted([*numerals(text), *number_words(text)], key=lambda number: number.start)


def is_word(number: Numeral) -> bool:
    """Whether the number is written as a word."""
    return number.text.isalpha()


def in_words(value: float) -> str | None:
    """The word for a number, None where only digits are used."""
    return _NAMES.get(value)


def around(text: str, start: int, end: int, reach: int = 30) -> str:
    """The words around a place in a text, for a message."""
    left, right = max(0, start - reach), end + reach
    before, after = ("..." if left else ""), ("..." if right < len(text) else "")
    return f"{before}{normalise(text[left:right])}{after}"


def _one_spelling(text: str) -> str:
    sign = "-" if re.match(f"[{_MINUS}]", text) else ""
    digits = re.sub(rf"(?<=\d){_GROUP}(?=\d{{3}}(?!\d))", "", text.lstrip(text[: len(sign)]))
    return sign + re.sub(r"\s", "", digits)
