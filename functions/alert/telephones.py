"""Telephone numbers that no phone dials when they are touched.

The sender of a callback scam wants the reader to call. A number keeps its characters, so it stays readable, and without
the brackets it is the number again: `0800[ ]123[ ]4567`, `+4420[]7946[]0018`.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

_SEPARATOR = r"[ .()\[\]~/\-\u2010-\u2015\u2212\u30fc\uff08\uff09\uff0d\uff0e]"
"""What Google's libphonenumber, which Android uses, accepts between digits. It reads digits of any script."""
_NUMBER = re.compile(rf"(?:[+\uff0b][ (\uff08]{{0,2}}|[(\uff08])?\d+(?:{_SEPARATOR}{{1,4}}\d+)*")
_WORD = re.compile(r"[\d-]+")
"""Digits that continue a word, as in a UUID: clients dial only what follows them."""
_HEX = re.compile(r"[a-f][0-9a-f]{3}")
"""What follows the digits at the beginning of a hash."""
_SHORTEST_HASH = 32
"""Digits of MD5."""
_KEPT = re.compile(
    r"(?<!\d)(?<!\d[-.])(?:(?:19|20)\d\d([-./])\d\d?\1\d\d?|\d\d?([-./])\d\d?\2(?:19|20)\d\d|\d{1,3}(?:\.\d{1,3}){3})(?![-.]?\d)"
)
"""A date or an IPv4 address."""
_LEAST_DIGITS = 8
"""Fewer are called only within one town, and most numbers that are so short are not telephone numbers."""
_LEAST_BESIDE_A_DATE = 5
"""With the four digits of the year: `123 456 2026-11-17` begins like a number of North America."""
_LEAST_ALONE = 10
"""Without a separator, a plus sign or a zero at the beginning: the length in North America."""
_BREAK = re.compile(
    r"(?:^|(?<=[\d.)\uff09]))[ ~\[\]\-/\u2010-\u2015\u2212\u30fc\uff0d]{1,4}(?=[.\d(\uff08]|$)"
    r"|(?<=[\d.)\uff09])(?=[(\uff08])|(?<=[)\uff09])(?=\d)"
)
"""Where brackets are inserted. A dot gets its own like every dot in a name."""
_DIGITS = re.compile(r"\d+")
_LONGEST_GROUP = 5
"""Digits that stay together."""


def undialable(text: str) -> str:
    """Put brackets between the digits of telephone numbers."""
    return _NUMBER.sub(_without_kept, text)


def _without_kept(found: re.Match[str]) -> str:
    """The number with brackets. Dates, IPv4 addresses and digits within a word, such as a hash, are unchanged."""
    text, number = found.string, found[0]
    start, shown = 0, []
    if number[0].isdigit() and _is_letter(text[: found.start()][-1:]) and (word := _WORD.match(number)):
        start = word.end()
        shown.append(word[0])
    parts = [*_KEPT.finditer(number, start)]
    for kept in parts:
        shown += [_broken(number[start : kept.start()], beside=True), kept[0]]
        start = kept.end()
    rest = number[start:]
    digits = rest.strip()
    in_word = digits.isdecimal() and (len(digits) >= _SHORTEST_HASH or _HEX.match(text, found.end()))
    return "".join([*shown, rest if in_word else _broken(rest, beside=bool(parts))])


def _is_letter(character: str) -> bool:
    """Whether it is a letter of a Latin alphabet. Phones find a number after any other character, and x is an extension."""
    return character.isalpha() and character < "\u0250" and character not in "xX"


def _broken(number: str, *, beside: bool) -> str:
    """The text with brackets if its digits are a number, by themselves or beside a date."""
    groups = _DIGITS.findall(number)
    alone = len(groups) == 1 and not beside and number[0] not in "+\uff0b" and groups[0][0] != "0"
    least = _LEAST_ALONE if alone else _LEAST_BESIDE_A_DATE if beside else _LEAST_DIGITS
    if sum(map(len, groups)) < least:
        return number
    shown = _BREAK.sub(lambda it: f"[{it[0]}]", number)
    # libphonenumber accepts one pair of brackets, unless it is empty.
    last = shown.rindex(groups[-1]) if len(groups) == 2 else -1
    return _DIGITS.sub(lambda it: "[]".join(_parts(it[0], 2 if it.start() == last else 1)), shown)


def _parts(digits: str, least: int) -> Iterator[str]:
    """Digits in nearly equal groups."""
    count = max(-(-len(digits) // _LONGEST_GROUP), min(least, len(digits)))
    ends = [len(digits) * it // count for it in range(count + 1)]
    return (digits[start:end] for start, end in pairwise(ends))
