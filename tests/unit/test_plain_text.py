"""plain_text.py: what an attacker wrote, made safe to show."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.alert.plain_text import defanged, plain
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


def test_a_tower_of_marks() -> None:
    """Marks stand on a letter as languages need them, and not so high that they cover other lines."""
    for word in ("Tiếng Việt".replace("ế", "e\u0302\u0301"), "שָּׁלוֹם", "ที่นี่"):
        assert word == plain(word)
    assert "a" + "\u0301" * 4 + "b" == plain("a" + "\u0301" * 100 + "b")
    assert "a" + "\u20dd" * 4 == plain("a" + "\u20dd\u0301" * 2 + "\u20dd" * 9).replace("\u0301", "\u20dd")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_character_that_nobody_sees(hostile: str) -> None:
    """It becomes a gap that one can see: what stands on either side does not grow together."""
    assert ("a b", "a b") == (plain(f"a{hostile}b"), defanged(f"a{hostile}b"))


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_a_letter_that_nobody_sees(blank: str) -> None:
    """Unicode calls some letters and marks 'default ignorable': they have no width, and are format in all but name."""
    assert blank not in plain(f"a{blank}b")


PLAIN = {
    "ordinary": ("Invoice 4711", "Invoice 4711"),
    "other scripts": ("Rechnung für 株式会社 😀", "Rechnung für 株式会社 😀"),
    "whitespace": ("  a \t\n b\u00a0\u3000c  ", "a b c"),
    "empty": ("", ""),
    "only what nobody sees": ("\u200b\u202e\n", ""),
    "a header in it": ("a\r\nBcc: b", "a Bcc: b"),
}


@pytest.mark.parametrize(("text", "expected"), PLAIN.values(), ids=PLAIN)
def test_text(text: str, expected: str) -> None:
    """One line, with what was visible in it."""
    assert expected == plain(text)


CUT = {
    "at the limit": ("x" * 10, "x" * 10),
    "one beyond": ("x" * 11, "x" * 9 + "…"),
    "far": ("x" * 10**7, "x" * 9 + "…"),
}


@pytest.mark.parametrize(("text", "expected"), CUT.values(), ids=CUT)
def test_a_long_text(text: str, expected: str) -> None:
    """It is cut to ten with an ellipsis that says so."""
    assert expected == plain(text, 10)


CLICKABLE = {
    "url": "https://evil.example/a?b#c",
    "url in capitals": "HTTPS://EVIL.EXAMPLE/A",
    "url of another scheme": "ftp://evil.example",
    "url without dots": "http://2130706433/a",
    "url with a user": "http://bank.example@evil.example/",
    "url in a sentence": "see http://evil.example, now",
    "two urls": "http://evil.example/?u=https://bank.example",
    "url behind a zero width space": "\u200bhttp://evil.example",
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
}


@pytest.mark.parametrize("text", CLICKABLE.values(), ids=CLICKABLE)
def test_what_can_be_clicked_on(text: str) -> None:
    """It is none of that any more, and still to be read."""
    shown = defanged(text)
    assert links(shown) == []
    refanged = shown.replace("[", "").replace("]", "").replace("hxxp", "http")
    assert plain(text).lower() == refanged.lower()


def test_a_network_share() -> None:
    r"""Outlook makes a link of \\host\share, and Windows sends its user's hash there."""
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
def test_any_text(text: str, limit: int) -> None:
    """One line of visible characters within the limit, and nothing in it that could be clicked on."""
    shown, broken = plain(text, limit), defanged(text, limit)
    assert len(shown) <= limit
    for it in (shown, broken):
        assert [it] == it.splitlines() or it == ""
        assert [] == [c for c in it if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
        it.encode()
    assert links(broken) == []
