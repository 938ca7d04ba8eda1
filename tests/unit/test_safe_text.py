"""ops/escalator/text/sanitize.py: text from an attacker, made safe for a terminal and for a spreadsheet."""

import pytest

from ops.escalator.text.csv_lines import csv_line, spreadsheet_safe
from ops.escalator.text.sanitize import one_line, visible

ONE_LINE: dict[str, tuple[object, str]] = {
    "nothing": (None, ""),
    "empty": ("", ""),
    "zero": (0, "0"),
    "false": (False, "False"),
    "one character": ("x", "x"),
    "one invisible character": ("\u202e", ""),
    "line ends": ("a\r\nb", "a b"),
    "long text": ("x" * 5_000, "x" * 5_000),
    "long text of marks": ("a" + "\u0301" * 500, "a" + "\u0301" * 4),
    "long text of spaces": ("a" + " " * 5_000 + "b", "a b"),
}


@pytest.mark.parametrize(("value", "expected"), ONE_LINE.values(), ids=ONE_LINE)
def test_value_is_one_line_that_is_not_cut(value: object, expected: str) -> None:
    assert expected == one_line(value)


VISIBLE = {
    "ordinary": ("a b", "a b", "a b"),
    "escape": ("\x1b[1m", "\\x1b[1m", "\\x1b[1m"),
    "right-to-left override": ("\u202e", "\\u202e", "\\u202e"),
    "character beyond the basic plane": ("\U000e0041", "\\U000e0041", "\\U000e0041"),
    "half a surrogate pair": ("\ud800", "\\ud800", "\\ud800"),
    "newline": ("a\nb", "a\\nb", "a\nb"),
    "carriage return": ("a\rb", "a\\rb", "a\\rb"),
    "tab": ("a\tb", "a\\tb", "a\\tb"),
}


@pytest.mark.parametrize(("text", "expected", "in_lines"), VISIBLE.values(), ids=VISIBLE)
def test_invisible_characters_are_escaped(text: str, expected: str, in_lines: str) -> None:
    """Only line ends may stay."""
    assert (expected, in_lines) == (visible(text), visible(text, lines=True))


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formula_gets_an_apostrophe_and_the_same_character_inside_a_text_does_not(first: str) -> None:
    assert (f"'{first}1", f"1{first}") == (spreadsheet_safe(f"{first}1"), spreadsheet_safe(f"1{first}"))


CELLS: dict[str, tuple[list[object], str]] = {
    "formula": (["=1+1"], "'=1+1\n"),
    "formula behind a space": ([" =1+1"], "'=1+1\n"),
    "formula behind an invisible character": (["\u200b=1+1"], "'=1+1\n"),
    "negative number": ([-5, -0.5], "-5,-0.5\n"),
    "negative number as text": (["-5"], "'-5\n"),
    "comma and quote": (['a,"b'], '"a,""b"\n'),
    "line end": (["a\r\nb"], "a b\n"),
    "nothing": ([None, "x", ""], ",x,\n"),
}


@pytest.mark.parametrize(("values", "line"), CELLS.values(), ids=CELLS)
def test_csv_line_is_safe_for_a_spreadsheet(values: list[object], line: str) -> None:
    assert line == csv_line(values)
