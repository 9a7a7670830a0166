"""No way of setting a number hides it or changes it."""

from __future__ import annotations

import pytest

from checks.text import (
    around,
    clean,
    in_words,
    is_word,
    normalise,
    number_words,
    numbers_in,
    numerals,
)


def read(text: str) -> list[str]:
    """The numbers of a text as it stands in a book."""
    return [number.text for number in numbers_in(clean(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # thousands separators: comma, apostrophe, thin, narrow and no-break space
        ("1,234 and 1'234", ["1234", "1234"]),
        ("1\u2009234\u202f567", ["1234567"]),
        ("1\u00a0234.5", ["1234.5"]),
        ("12,34 and 1,2345", ["12,34", "1,2345"]),
        ("1 234", ["1", "234"]),  # a plain space parts two numbers
        ("2,5", ["2,5"]),  # a decimal comma is not dropped
        ("4.1.2 and 0.25 and .5", ["4.1.2", "0.25", ".5"]),
        # per cent
        ("5% 5 % 5\u00a0% 5\u202f% 5\n%", ["5%"] * 5),
        ("5\uff05 5\ufe6a", ["5%", "5%"]),
        ("5\u2030 5\u2031 5\u066a", ["5\u2030", "5\u2031", "5\u066a"]),
        # signs and ranges
        ("\u22125 \u20115 \u20105 \ufe635 \uff0d5 \u20125 \u20135", ["-5"] * 7),
        ("\u20145 \u20155 \u20435 \u27965 \ufe585", ["-5"] * 5),
        ("\u2212.5", ["-.5"]),
        ("3\u20135 3-5 3\u20125 (3)\u20135", ["3", "5"] * 4),
        ("3%\u20135%", ["3%", "5%"]),
        ("from \u22121.2 to \u22120.4", ["-1.2", "-0.4"]),
        # marks that nobody sees
        ("1\u00ad2 1\u200b2 1\u200c2 1\u200d2 1\u20602 1\ufeff2", ["12"] * 6),
        ("62\u00ad.5\u00ad%", ["62.5%"]),
        ("th\u00adree \u200btwo", ["three", "two"]),
        # other digits
        ("\uff16\uff12.\uff15", ["62.5"]),
        ("\u0666\u0661 \u096c", ["\u0666\u0661", "\u096c"]),
        ("10\u2079 x\u00b2 H\u2082", ["10", "\u2079", "\u00b2", "\u2082"]),
        ("\u00bd 1\u00be \u2153 \u2189", ["\u00bd", "1", "\u00be", "\u2153", "\u2189"]),
        ("\u2460 \u24ea \u2776 \u3251 \u2165", ["\u2460", "\u24ea", "\u2776", "\u3251", "\u2165"]),
        ("x1y", ["1"]),
        # words
        ("Two, fifteen and HALF", ["two", "fifteen", "half"]),
        ("twenty-two thousand", ["twenty", "two", "thousand"]),
        ("\ufb01ve, \ufb01fteen", ["five", "fifteen"]),
        ("no zero, a quarter, two thirds", ["zero", "quarter", "two", "thirds"]),
        ("threefold", ["threefold"]),
        ("one study, one patient, one\nmonth, one\u00a0row", ["one"] * 4),
        ("one person; one of them; no one; anyone studies", []),
        ("often, tenure, weight, sixty", ["sixty"]),
        ("second-line, third and first", []),
    ],
)
def test_a_number_is_neither_hidden_nor_changed(text: str, found: list[str]) -> None:
    assert read(text) == found


def test_a_number_knows_where_it_stands() -> None:
    text = "in 1,234 of two"
    assert [text[n.start : n.end] for n in numbers_in(text)] == ["1,234", "two"]
    assert [n.text for n in numerals(text)] == ["1234"]
    assert [n.text for n in number_words(text)] == ["two"]
    assert [is_word(n) for n in numbers_in(text)] == [False, True]


def test_cleaning_keeps_spaces_and_dashes_and_normalising_makes_one_of_each_space() -> None:
    assert clean("a\u00a0b\u2013c \ufb03") == "a\u00a0b\u2013c ffi"
    assert normalise(" 5\u202f%\n\u2009of\u00a0\u00a06\u00ad0 ") == "5 % of 60"


def test_only_small_numbers_have_a_word() -> None:
    assert [in_words(n) for n in (0.5, 1, 2.0, 19, 20)] == [
        "half", "one", "two", "nineteen", "twenty",
    ]  # fmt: skip
    assert [in_words(n) for n in (0, 1.5, 21)] == [None] * 3


def test_words_around_a_place_say_where_they_were_cut() -> None:
    assert around("abcdef", 2, 3, reach=1) == "...bcd..."
    assert around("abc", 1, 2) == "abc"
