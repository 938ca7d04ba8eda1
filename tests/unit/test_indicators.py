"""indicators.py: one canonical form for each kind, in whatever spelling it comes."""

import pytest

from functions.domain.addresses import addresses
from functions.domain.indicators import (
    HASH_NAMES,
    Indicator,
    IndicatorKind,
    InvalidIndicator,
    canonical,
    parse_asked,
    recognize,
)

HOST, DOMAIN, IP = IndicatorKind.HOST, IndicatorKind.DOMAIN, IndicatorKind.IP
ADDRESS, HASH, MESSAGE_ID = IndicatorKind.ADDRESS, IndicatorKind.HASH, IndicatorKind.MESSAGE_ID

HOSTS = {
    # without a scheme, or with too few or too many slashes
    "evil.example": "evil.example",
    "www.evil-login.example/x": "www.evil-login.example",
    "//evil.example/x": "evil.example",
    "\\\\evil.example\\share": "evil.example",
    "evil.example:8443/x": "evil.example",
    "localhost:8080/x": "localhost",
    "https:///evil10.example": "evil10.example",
    "https:evil11.example/x": "evil11.example",
    "http:/evil.example": "evil.example",
    "https:/\\/evil.example": "evil.example",
    "https:\\\\evil.example\\x": "evil.example",
    "hTTpS://EVIL.Example": "evil.example",
    # user info, port, query, fragment
    "https://bank.example@evil.example/": "evil.example",
    "https://bank.example:pass@word@evil.example:8443": "evil.example",
    "https://evil.example\\@bank.example/": "evil.example",
    "https://evil.example?@bank.example/": "evil.example",
    "https://evil.example#@bank.example/": "evil.example",
    "https://evil.example:/": "evil.example",
    "https://evil.example:99999/": "evil.example",
    "ann@evil.example": "evil.example",
    # characters
    " \x00\x1fhttps://evil.example/ ": "evil.example",
    "\ufeffhttps://evil.example/\u200b": "evil.example",
    "ht\ttps://ev\nil.exa\rmple/": "evil.example",
    "https://%65vil%2Eexample/": "evil.example",
    "https://ｅｖｉｌ．ｅｘａｍｐｌｅ/": "evil.example",  # noqa: RUF001
    "https://evil。example": "evil.example",
    "https://evil｡example": "evil.example",
    "https://ev\u00adil.exam\u200bple": "evil.example",
    "https://evil.example./x": "evil.example",
    "https://evil.example../x": "evil.example..",
    "https://a_b.example": "a_b.example",
    # IDNA
    "https://bücher.example/login": "xn--bcher-kva.example",
    "https://bu\u0308cher.example/login": "xn--bcher-kva.example",
    "https://B%C3%9CCHER.example": "xn--bcher-kva.example",
    "XN--Bcher-KVA.example": "xn--bcher-kva.example",
    "https://faß.example": "xn--fa-hia.example",
    "https://раураl.example/": "xn--l-7sba6dbr.example",  # noqa: RUF001
    "https://💩.example": "xn--ls8h.example",
    # IPv4 and IPv6
    "http://192.0.2.1/": "192.0.2.1",
    "http://3221225985/": "192.0.2.1",
    "http://0xC0000201": "192.0.2.1",
    "http://0300.0.02.1": "192.0.2.1",
    "http://192.513": "192.0.2.1",
    "http://192.0.2.1.": "192.0.2.1",
    "http://[2001:0DB8:0:0::1]:8080/": "2001:db8::1",
    "2001:DB8::1": "2001:db8::1",
    "[2001:db8::1]:443": "2001:db8::1",
    "fe80::1": "fe80::1",
    "http://[::ffff:192.0.2.1]/": "192.0.2.1",
    "http://[::ffff:c000:201]/": "192.0.2.1",
    # other schemes
    "ftp://evil.example/x": "evil.example",
    "file://Evil.Example/share": "evil.example",
    "ms-app://Evil.Example/x": "evil.example",
    "file:///etc/passwd": "",
    "mailto:ann@evil.example": "",
    "tel:555": "",
    "javascript:alert(1)": "",
    "JavaScript://evil.example/%0aalert(1)": "",
    "data:text/html,https://evil.example": "",
    "about:blank": "",
    "/login": "",
    "#top": "",
    "": "",
    # no browser opens these
    "https://exa mple.com/x": "exa mple.com",
    "https://999.1.1.1/": "999.1.1.1",
    "https://[2001:zz]/": "[2001:zz]",
    "https://a%00b.example/": "a%00b.example",
    "Click   HERE": "click here",
}
IPS = {
    "192.0.2.1": "192.0.2.1",
    " 192.0.2.1\n": "192.0.2.1",
    "[192.0.2.1]": "192.0.2.1",
    "192.0.2.1:25": "192.0.2.1",
    "2001:0DB8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "2001:db8:0::1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:DB8::1]:25": "2001:db8::1",
    "[IPv6:2001:db8::1]": "2001:db8::1",
    "IPv6:2001:db8::1": "2001:db8::1",
    "fe80::1%eth0": "fe80::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::FFFF:c000:0201": "192.0.2.1",
    "::": "::",
    "999.1.1.1": "999.1.1.1",
    "192.0.2.1%2eevil.example": "192.0.2.1%2eevil.example",
    "Unknown  Relay": "unknown relay",
}
ADDRESSES = {
    "ann@corp.example": "ann@corp.example",
    "Ann.Lee@Corp.EXAMPLE": "ann.lee@corp.example",
    "<ann@corp.example>": "ann@corp.example",
    "Ann Lee <ann@corp.example>": "ann@corp.example",
    '"Lee, Ann" <ann@corp.example>': "ann@corp.example",
    '"Ann \\" <x@y.example>" <ann@corp.example>': "ann@corp.example",
    '"boss@corp.example" <ann@evil.example>': "ann@evil.example",
    "boss@corp.example <ann@evil.example>": "ann@evil.example",
    "ann@corp.example (Ann (from (work)) x@y.example)": "ann@corp.example",
    "(x@y.example \\) ) ann@corp.example": "ann@corp.example",
    "(never closed ann@corp.example": "ann@corp.example",
    '"never closed <ann@corp.example>': "ann@corp.example",
    'Ann (") <ann@corp.example>': "ann@corp.example",
    "Ann <ann@corp.example": "ann@corp.example",
    "'ann@corp.example'": "ann@corp.example",
    "mailto:ann@corp.example?subject=x": "ann@corp.example",
    "<@relay.example,@b.example:ann@corp.example>": "ann@corp.example",
    '"ann.lee"@corp.example': "ann.lee@corp.example",
    '"Ann Lee"@corp.example': '"ann lee"@corp.example',
    r'"a\"@,b"@corp.example': r'"a\"@,b"@corp.example',
    "ann+tag=x@corp.example": "ann+tag=x@corp.example",
    "ann@bücher.example": "ann@xn--bcher-kva.example",
    "ann@corp.example.": "ann@corp.example",
    "jörg@corp.example": "jörg@corp.example",
    "ann@[192.0.2.1]": "ann@[192.0.2.1]",
    "ann@[IPv6:2001:DB8::1]": "ann@[2001:db8::1]",
    "=?utf-8?q?x=40y=2Eexample?= <ann@corp.example>": "ann@corp.example",
    "undisclosed-recipients:;": "undisclosed-recipients:;",
    "<>": "<>",
    "MAILER-DAEMON": "mailer-daemon",
    "@corp.example": "@corp.example",
    "ann@": "ann@",
}
LISTS = {
    "a@x.example, b@y.example": ("a@x.example", "b@y.example"),
    "Team: a@x.example, B <b@y.example>;": ("a@x.example", "b@y.example"),
    "Team: a@x.example;, Others: b@y.example;": ("a@x.example", "b@y.example"),
    "undisclosed-recipients:;": (),
    "a@x.example; b@y.example": ("a@x.example", "b@y.example"),
    "A <a@x.example> B <b@y.example>": ("a@x.example", "b@y.example"),
    "Lee, Ann <a@x.example>, b@y.example": ("a@x.example", "b@y.example"),
    "a@x.example, A@X.example": ("a@x.example",),
    'a@x.example, "b@z.example" <>, <c@y.example>': ("a@x.example", "c@y.example"),
    "": (),
}
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HASHES = {
    SHA256: SHA256,
    SHA256.upper(): SHA256,
    f"sha256:{SHA256}": SHA256,
    f"SHA-256 = {SHA256}": SHA256,
    f"SHA256(invoice.pdf)= {SHA256}": SHA256,
    f"sha256 {SHA256}": SHA256,
    f"{SHA256}  invoice.pdf": SHA256,
    " ".join(SHA256[at : at + 8] for at in range(0, 64, 8)): SHA256,
    ":".join(SHA256[at : at + 2] for at in range(0, 64, 2)): SHA256,
    f"\t{SHA256[:32]}\n {SHA256[32:]}": SHA256,
    f"SHA1: {SHA256[:40]}": SHA256[:40],
    f"md5={SHA256[:32].upper()}": SHA256[:32],
    f"hash: {SHA256[:40]}": SHA256[:40],
    f"{SHA256}0": f"{SHA256}0",
    "Not  Known": "not known",
}
MESSAGE_IDS = {
    "<CAF+1@mail.Example>": "caf+1@mail.example",
    "CAF+1@mail.Example": "caf+1@mail.example",
    " <caf+1@mail.example>\r\n": "caf+1@mail.example",
    "<caf+1@\r\n mail.example>": "caf+1@mail.example",
    "< caf+1@mail.example >": "caf+1@mail.example",
    "<<caf+1@mail.example>>": "caf+1@mail.example",
    "<caf+1@mail.example": "caf+1@mail.example",
    "<caf+1@mail.example> (added by relay)": "caf+1@mail.example",
    "<no-at-sign>": "no-at-sign",
    "<>": "",
}
TABLE = [
    *((HOST, it, expected) for it, expected in HOSTS.items()),
    *((IP, it, expected) for it, expected in IPS.items()),
    *((ADDRESS, it, expected) for it, expected in ADDRESSES.items()),
    *((HASH, it, expected) for it, expected in HASHES.items()),
    *((MESSAGE_ID, it, expected) for it, expected in MESSAGE_IDS.items()),
]


@pytest.mark.parametrize(("kind", "text", "expected"), TABLE)
def test_each_spelling_has_one_canonical_form(kind: IndicatorKind, text: str, expected: str) -> None:
    assert expected == canonical(kind, text)
    assert expected == canonical(kind, expected)


@pytest.mark.parametrize("text", HOSTS)
def test_a_sender_domain_has_the_form_of_a_host(text: str) -> None:
    assert canonical(HOST, text) == canonical(DOMAIN, text)


@pytest.mark.parametrize(("header", "expected"), LISTS.items())
def test_every_address_of_a_list_is_found(header: str, expected: tuple[str, ...]) -> None:
    assert expected == addresses(header)


def test_the_length_of_a_hash_names_its_algorithm() -> None:
    assert ["SHA-256", "SHA-1", "MD5"] == [HASH_NAMES[len(canonical(HASH, SHA256[:size]))] for size in (64, 40, 32)]


# --- asked in any spelling --------------------------------------------------------------------------------------------

ASKED = {
    "hxxps[://]plain[.]example[:]8443/x": (HOST, "plain.example"),
    "hxxp://evil.example/x": (HOST, "evil.example"),
    "hXXps://evil(.)example": (HOST, "evil.example"),
    "h**ps://evil.example": (HOST, "evil.example"),
    "evil{.}example": (HOST, "evil.example"),
    "evil[dot]example": (HOST, "evil.example"),
    "evil [DOT] example": (HOST, "evil.example"),
    "hxxp[:]//evil[.]example": (HOST, "evil.example"),
    "[\\\\]evil[.]example\\share": (HOST, "evil.example"),
    "evil[。]example": (HOST, "evil.example"),
    "evil[．]example": (HOST, "evil.example"),  # noqa: RUF001
    "hxxp-proxy[.]example": (HOST, "http-proxy.example"),
    "hxxp-proxy.example": (HOST, "hxxp-proxy.example"),
    "<https://evil.example/x>,": (HOST, "evil.example"),
    '"evil.example"': (HOST, "evil.example"),
    "\u201cevil.example\u201d": (HOST, "evil.example"),
    "hxxp[://][2001[:]db8::1]/": (HOST, "2001:db8::1"),
    "hxxps[://]evil[.]example/long…": (HOST, "evil.example"),
    "corp[.]example": (DOMAIN, "corp.example"),
    "192[.]0[.]2[.]1": (IP, "192.0.2.1"),
    "2001[:]db8[:]:1": (IP, "2001:db8::1"),
    "user[@]x[.]example": (ADDRESS, "user@x.example"),
    "user [at] x [dot] example": (ADDRESS, "user@x.example"),
    "User <user@x.example>": (ADDRESS, "user@x.example"),
    f"`sha256:{SHA256}`": (HASH, SHA256),
    "<id[@]x[.]example>": (MESSAGE_ID, "id@x.example"),
}


@pytest.mark.parametrize(("text", "expected"), ASKED.items())
def test_a_question_is_understood_in_any_spelling(text: str, expected: tuple[IndicatorKind, str]) -> None:
    kind, value = expected
    assert value == parse_asked(kind, text)


INVALID = {
    (IP, "999.1.1.1"): "`999.1.1.1` is not an IP address: expected one such as 192.0.2.1 or 2001:db8::1.",
    (IP, "evil.example"): "`evil.example` is not an IP address: expected one such as 192.0.2.1 or 2001:db8::1.",
    (HASH, "zzz"): "`zzz` is not a hash: expected 32, 40 or 64 hexadecimal digits.",
    (HASH, SHA256[:-1]): f"`{SHA256[:-1]}` is not a hash: expected 32, 40 or 64 hexadecimal digits.",
    (HOST, "mailto:ann@corp.example"): (
        "`mailto:ann@corp.example` has no host: expected a URL or a host such as evil.example."
    ),
    (HOST, "evil[.]exam…"): "`evil.exam…` is cut off at the end. Give the whole value.",
    (ADDRESS, "a@x.example, b@x.example"): "`a@x.example, b@x.example` has more than one address. Give one.",
    (ADDRESS, "ann[@]corp[.]exa…"): "`ann@corp.exa…` is cut off at the end. Give the whole value.",
    (MESSAGE_ID, "<>"): "`` has no value.",
    (DOMAIN, " "): "`` has no host: expected a URL or a host such as evil.example.",
}


@pytest.mark.parametrize(("asked", "expected"), INVALID.items())
def test_an_impossible_question_says_what_to_give(asked: tuple[IndicatorKind, str], expected: str) -> None:
    with pytest.raises(InvalidIndicator) as refused:
        parse_asked(*asked)
    assert expected == str(refused.value)


RECOGNIZED: dict[str, list[tuple[IndicatorKind, str]]] = {
    "hxxps[://]a[.]example[:]8443/x?e=ann[@]corp[.]example": [(HOST, "a.example")],
    "https://192.0.2.1/x": [(HOST, "192.0.2.1"), (IP, "192.0.2.1")],
    "http://exa mple.com/": [(HOST, "exa mple.com")],
    "//evil.example": [(HOST, "evil.example")],
    "evil[.]example": [(HOST, "evil.example"), (DOMAIN, "evil.example")],
    "bücher.example/login": [(HOST, "xn--bcher-kva.example"), (DOMAIN, "xn--bcher-kva.example")],
    "192[.]0[.]2[.]1": [(IP, "192.0.2.1"), (HOST, "192.0.2.1")],
    "2001:DB8::1": [(IP, "2001:db8::1"), (HOST, "2001:db8::1")],
    "Ann <ann@corp.example>": [(ADDRESS, "ann@corp.example")],
    "ann[@]corp[.]example": [(ADDRESS, "ann@corp.example"), (MESSAGE_ID, "ann@corp.example")],
    "mailto:ann@corp.example": [(ADDRESS, "ann@corp.example")],
    "To: ann@corp.example, bob@corp.example": [(ADDRESS, "ann@corp.example"), (ADDRESS, "bob@corp.example")],
    "<id@mail.example>": [(MESSAGE_ID, "id@mail.example"), (ADDRESS, "id@mail.example")],
    "<no-at-sign>": [(MESSAGE_ID, "no-at-sign")],
    "Message-ID: <id@mail.example>": [(MESSAGE_ID, "id@mail.example")],
    f"SHA256: {SHA256}": [(HASH, SHA256)],
    "4Njp3P0STMz2c02Q": [],
    "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678": [],
    "Your invoice is overdue": [],
    "999.1.1.1": [],
    "javascript:alert(1)": [],
    "": [],
}


@pytest.mark.parametrize(("text", "expected"), RECOGNIZED.items())
def test_a_pasted_text_is_recognized(text: str, expected: list[tuple[IndicatorKind, str]]) -> None:
    assert [Indicator(*it) for it in expected] == recognize(text)
