"""Hostile texts from a seed, made of the pieces that matter: hypothesis finds the corners, these the combinations."""

import random
from collections.abc import Iterator

from functions.alert.links import shown_link
from functions.alert.sanitize import defanged

CASES = 100_000
SCHEMES = (
    *("http", "https", "HTTPS", "\uff48\uff54\uff54\uff50", "://", ":", "://", "//", "\\\\", "\\", "/"),
    *("ftp", "ftp:", "mailto:", "tel:", "sms:", "javascript:", "file:///", "data:"),
)
HOSTS = (
    *(
        "www",
        "WWW",
        "\uff37\uff37\uff37",
        "www2",
        "evil",
        "example",
        "com",
        "ru",
        "zip",
        "de",
        "рф",
        "xn--p1ai",
        "co.uk",
    ),
    *("evil.com", "www.evil.com", "EVIL.COM", "приклад.укр", "münchen.de", "例え.jp", "a", "localhost"),
    *("127.0.0.1", "192.0.2.1", "2130706433", "0x7f", "[::1]", "2001:db8::1", "::ffff:192.0.2.1", ":8443", ":80"),
)
SIGNS = (
    *(".", "..", "\u3002", "\uff0e", "\uff61", "\u2024", "\xb7", "@", "\uff20", "boss@evil.com", "@boss"),
    *("#", "?q=", "&", "=", "%2e", "%2F", "%40", "%3A", "_", "-", "~", ",", ";", "'", '"', "!", "*", "|"),
    *("[", "]", "(", ")", "<", ">", "{", "}", "\xab", "…", "[.]", "[]", "hxxp"),
)
SPACES = (
    *(" ", " ", "\t", "\n", "\r\n", "\xa0", "\u3000", "\u2028"),
    *("\u200b", "\u200d", "\u202e", "\u2066", "\xad", "\ufeff", "\u0301", "אב", "مثال"),
)
NUMBERS = (
    *("00:42", "2026-11-17", "17.11.2026", "2026-11-17T08:12:44", "08:12:44 UTC"),
    *("+1 555 0100 200", "+1 202-555-0100", "(202) 555-0100", "202-555-0100", "202.555.0100", "2025550100"),
    *("+49 (0) 30 123456", "0800 123 4567", "+442079460018", "020 7946 0018", "004930123456", "030/123456"),
    *("+", "(0)", "00", "0", "1", "49", "30", "555", "0100", "1234", "4567", "\uff10\uff18\uff10\uff10"),
)
LINK_PIECES = SCHEMES + HOSTS + SIGNS + SPACES + NUMBERS
TELEPHONE_PIECES = (*NUMBERS, " ", "-", ".", "/", "(", ")", "Call ", "x", "evil.com", "192.0.2.1", "\u2013", "\xa0")
FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"
CELL_PIECES = (
    *FORMULAS,
    *(";", ",", "\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", '"', '""', "'", "|", "!", "(", ")", "\\", "."),
    *(" ", "\xa0", "\u3000", "\u200b", "\u200e", "\u2060", "\ufeff", "\xad", "\u3164", "\ufe0f", "\x00"),
    *("=HYPERLINK(", "\uff1dcmd", "=1+1", "@SUM(1)", "cmd|' /C calc'!A0", "DDE", "a", "1", "A1", "-1", "+49 30 1"),
)


def texts(seed: int, pieces: tuple[str, ...], number: int = CASES) -> Iterator[str]:
    """Random texts of up to ten pieces."""
    chance = random.Random(seed)
    return ("".join(chance.choices(pieces, k=chance.randint(1, 10))) for _ in range(number))


def shown(seed: int, pieces: tuple[str, ...], number: int = CASES) -> Iterator[str]:
    """The texts as an alert shows them: whole, cut, and as links, which are cut at their ends."""
    chance = random.Random(seed)
    for at, text in enumerate(texts(seed, pieces, number)):
        if at % 4 < 2:
            yield defanged(text)
        else:
            yield (defanged, shown_link)[at % 2](text, chance.randint(5, 60))
