"""sanitize.py: text from an attacker, made safe to show."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.alert.sanitize import defanged, plain
from functions.domain.spelling import refang
from ops.escalator.text.csv_lines import spreadsheet_safe
from tests.unit.mail_client import links

HOSTILE = {
    "null": "\x00",
    "newline": "\n",
    "carriage return": "\r",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "soft hyphen": "\xad",
    "arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "left-to-right embedding": "\u202a",
    "pop": "\u202c",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "invisible times": "\u2062",
    "left-to-right isolate": "\u2066",
    "pop isolate": "\u2069",
    "byte order mark": "\ufeff",
    "half a surrogate pair": "\ud800",
    "tag": "\U000e0041",
    "private": "\ue000",
    "no character": "\uffff",
}
BLANKS = {
    "combining grapheme joiner": "\u034f",
    "hangul choseong filler": "\u115f",
    "hangul jungseong filler": "\u1160",
    "khmer inherent vowel": "\u17b4",
    "mongolian variation selector": "\u180b",
    "hangul filler": "\u3164",
    "variation selector": "\ufe0f",
    "halfwidth hangul filler": "\uffa0",
    "variation selector supplement": "\U000e0100",
}


def test_combining_marks_are_limited_to_four() -> None:
    """Languages need a few. A tall stack would cover other lines."""
    for word in ("Tiếng Việt".replace("ế", "e\u0302\u0301"), "שָּׁלוֹם", "ที่นี่"):
        assert word == plain(word)
    assert "a" + "\u0301" * 4 + "b" == plain("a" + "\u0301" * 100 + "b")
    assert "a" + "\u20dd" * 4 == plain("a" + "\u20dd\u0301" * 2 + "\u20dd" * 9).replace("\u0301", "\u20dd")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_invisible_character_becomes_a_space(hostile: str) -> None:
    """The texts on both sides of it stay apart."""
    assert ("a b", "a b") == (plain(f"a{hostile}b"), defanged(f"a{hostile}b"))


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_default_ignorable_letter_is_removed(blank: str) -> None:
    """Unicode calls some letters and marks 'default ignorable': they have no width."""
    assert blank not in plain(f"a{blank}b")


PLAIN = {
    "ordinary": ("Invoice 4711", "Invoice 4711"),
    "other scripts": ("Rechnung für 株式会社 😀", "Rechnung für 株式会社 😀"),
    "whitespace": ("  a \t\n b\u00a0\u3000c  ", "a b c"),
    "empty": ("", ""),
    "only invisible characters": ("\u200b\u202e\n", ""),
    "a second header line": ("a\r\nBcc: b", "a Bcc: b"),
}


@pytest.mark.parametrize(("text", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain_text_is_one_line_of_visible_characters(text: str, expected: str) -> None:
    """Runs of whitespace become one space."""
    assert expected == plain(text)


CUT = {
    "length one below the limit": ("x" * 9, "x" * 9),
    "length at the limit": ("x" * 10, "x" * 10),
    "length one above the limit": ("x" * 11, "x" * 9 + "…"),
    "length far above the limit": ("x" * 10**7, "x" * 9 + "…"),
}


@pytest.mark.parametrize(("text", "expected"), CUT.values(), ids=CUT)
def test_long_text_is_cut_with_an_ellipsis(text: str, expected: str) -> None:
    """The ellipsis counts as one of the ten characters."""
    assert expected == plain(text, 10)


MARKS = {3: 3, 4: 4, 5: 4, 6: 4}


@pytest.mark.parametrize(("written", "shown"), MARKS.items(), ids=str)
@pytest.mark.parametrize("mark", ["\u0301", "\u20dd"], ids=["accent", "enclosing circle"])
def test_fifth_mark_of_a_letter_is_dropped(mark: str, written: int, shown: int) -> None:
    """The next letter has marks of its own."""
    assert f"a{mark * shown}b{mark}" == plain(f"a{mark * written}b{mark}")


READ = {"one below": (38, "x"), "at the end": (39, "x"), "one above": (40, "")}


@pytest.mark.parametrize(("spaces", "expected"), READ.values(), ids=READ)
def test_four_times_the_limit_is_read(spaces: int, expected: str) -> None:
    """Spaces that are dropped do not count, but a text of megabytes is not read to its end."""
    assert expected == plain(" " * spaces + "x", 10)


DEFANGED_CUT = {6: "a[.]b", 5: "a[.]b", 4: "a[.…", 3: "a…", 2: "a…"}


@pytest.mark.parametrize(("limit", "expected"), DEFANGED_CUT.items(), ids=str)
def test_defanged_text_is_cut_at_the_limit_without_an_open_bracket(limit: int, expected: str) -> None:
    """Brackets count, and a bracket at the cut is dropped."""
    assert expected == defanged("a.b", limit)


CLICKABLE = {
    "url": "https://evil.example/a?b#c",
    "url in capitals": "HTTPS://EVIL.EXAMPLE/A",
    "url of another scheme": "ftp://evil.example",
    "url without dots": "http://2130706433/a",
    "url with a user": "http://bank.example@evil.example/",
    "url in a sentence": "see http://evil.example, now",
    "two urls": "http://evil.example/?u=https://bank.example",
    "url after a zero width space": "\u200bhttp://evil.example",
    "url cut by a zero width space": "ht\u200btp://evil.exam\u200bple",
    "url with backslashes in a sentence": r"see http:\\evil.example\a",
    "url without slashes in a sentence": "see https:evil.example",
    "www": "www.evil.example",
    "bare domain": "evil.example",
    "bare domain with a path": "evil.example/login",
    "domain of another script": "приклад.укр",
    "punycode": "xn--bcher-kva.xn--p1ai",
    "address": "boss@evil.example",
    "address with its scheme": "mailto:boss@evil.example",
    "address without dots": "boss@localhost",
    "ip": "192.0.2.1",
    "file name": "invoice.pdf.exe",
    "dots in a row": "evil..example",
    "full-width www": "\uff37\uff37\uff37.evil.example",
    "ideographic full stop": "evil\u3002example",
    "host after two slashes": "//evil.example/a",
    "ipv6 after two slashes": "//[::1]/a",
    "this machine": "http://localhost:8000",
    "mailto without a host": "mailto:x",
}


@pytest.mark.parametrize("text", CLICKABLE.values(), ids=CLICKABLE)
def test_defanged_text_has_no_link_and_stays_readable(text: str) -> None:
    """The original text can be restored from the defanged one."""
    shown = defanged(text)
    assert links(shown) == []
    restored = shown.replace("[", "").replace("]", "").replace("hxxp", "http")
    assert plain(text).lower().replace("[", "").replace("]", "") == restored.lower()


def test_network_share_is_defanged() -> None:
    r"""Outlook links \\host\share, and Windows sends the user's hash to it."""
    assert not re.search(r"(?<!\S)\\\\\w", defanged(r"\\evil\share\invoice"))


tokens = st.sampled_from(
    [
        "http",
        "HTTPS",
        "://",
        "//",
        ":",
        "www",
        ".",
        "@",
        "evil",
        "example",
        "com",
        "127",
        "1",
        "/",
        " ",
        "\u200b",
        "[",
        "]",
    ]
)
hostile_text = st.text(st.characters()) | st.lists(tokens, max_size=12).map("".join)


@given(hostile_text, st.integers(1, 300))
@example("WWW.", 4)
def test_any_text_becomes_one_visible_line_without_links(text: str, limit: int) -> None:
    """The line stays within the limit and can be encoded as UTF-8."""
    shown, without_links = plain(text, limit), defanged(text, limit)
    assert len(shown) <= limit
    for it in (shown, without_links):
        assert [it] == it.splitlines() or it == ""
        assert [] == [c for c in it if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
        it.encode()
    assert links(without_links) == []


TELEPHONES = {
    "with a country": ("+1 (555) 010-0199", "+1[ ](555)[ ]010[-]0199"),
    "digits alone": ("+442079460018", "+4420[]7946[]0018"),
    "with a leading zero": ("0800 123 4567", "0800[ ]123[ ]4567"),
    "with dots": ("1.800.555.0100", "1[.]800[.]555[.]0100"),
    "eleven digits": ("18005550100", "180[]0555[]0100"),
    "ten digits": ("2025550100", "20255[]50100"),
    "with the trunk zero": ("+49 (0) 30 123456", "+49[ ](0)[ ]30[ ]123[]456"),
    "with one separator": ("030/123456", "030[/]123[]456"),
    "with parentheses only": ("(202)5550100", "(202)[]555[]0100"),
    "with full-width digits": ("\uff10\uff18\uff10\uff10 123 4567", "\uff10\uff18\uff10\uff10[ ]123[ ]4567"),
    "with dashes": ("0800\u2013123\u20134567", "0800[\u2013]123[\u2013]4567"),
    "with a scheme": ("tel:+49301234567", "tel[:]+493[]0123[]4567"),
    "after a date": ("2026-11-17 0800 123 4567", "2026-11-17[ ]0800[ ]123[ ]4567"),
    "with an extension": ("2025550100x12", "20255[]50100x12"),
}


@pytest.mark.parametrize(("text", "expected"), TELEPHONES.values(), ids=TELEPHONES)
def test_telephone_number_cannot_be_dialled_by_a_touch(text: str, expected: str) -> None:
    """The sender of a callback scam wants the reader to call."""
    assert f"Call {expected} now" == defanged(f"Call {text} now")
    assert text == refang(defanged(text))


def test_cut_telephone_number_ends_with_its_first_group() -> None:
    """One pair of brackets is not enough: a phone would dial `0800[ ]12345`."""
    assert "Call 0800…" == defanged("Call 0800 12345 678901", 20)


READABLE = [
    "at 00:42",
    "2026-11-17T08:12:44",
    "08:12:44 today",
    "2001:db8::1",
    "2026-11-17",
    "AS65550",
    "HF-88213",
    "1 of 2",
    "2026-11-17 08:12:44",
    "2026-11-17 - 2026-11-18",
    "550e8400-e29b-41d4-a716-446655440000",
    "0123456789abcdef" * 4,
    "INV2026-4711",
    "/2026/11/17/0800",
    "1,000,000 EUR",
]


@pytest.mark.parametrize("text", READABLE)
def test_text_that_makes_no_link_stays_readable(text: str) -> None:
    assert text == defanged(text)


CELLS = {
    "a formula": ("=1+1", "'=1+1"),
    "in full width": ("\uff1d1+1", "'\uff1d1+1"),
    "after white space": ("  =1", "'  =1"),
    "after a quote": ('"=1', "'\"=1"),
    "after a semicolon": ("a;=1+1", "a;'=1+1"),
    "after a tab": ("a\t@SUM(1)", "a\t'@SUM(1)"),
    "after a comma": ("a, -2", "a,' -2"),
    "a line end": ("\n=1", "'\n=1"),
    "no formula": ("a = b; c", "a = b; c"),
}


@pytest.mark.parametrize(("text", "expected"), CELLS.values(), ids=CELLS)
def test_cell_is_no_formula_wherever_a_spreadsheet_splits(text: str, expected: str) -> None:
    assert expected == spreadsheet_safe(text)
