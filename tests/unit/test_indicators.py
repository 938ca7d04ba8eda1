"""indicators.py: one canonical form for each kind, in whatever spelling it comes."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.alert.sanitize import defanged
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
from functions.domain.spelling import LONGEST, refang
from tests.strategies import HOST_LABELS

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


# --- properties -------------------------------------------------------------------------------------------------------

kinds = st.sampled_from(IndicatorKind)
hostile_characters = st.sampled_from(
    [*"<>()[]{}\"'`\\@,;:./?#%=…-_\t\n\r\x00\x85\u00ad\ufeff\ud800\uff21ßİΣ。aZ09", "xn--", "://", "0x"]
)
hostile = st.lists(hostile_characters | st.characters(), max_size=80).map("".join)
labels = st.text("abcxyz0189", min_size=1, max_size=12) | st.sampled_from(["bücher", "xn--bcher-kva", "http-x", "例え"])
hosts = st.tuples(st.lists(labels, min_size=1, max_size=4), st.sampled_from(["example", "test", "भारत"])).map(
    lambda it: ".".join([*it[0], it[1]])
)
local_parts = st.text("abcXYZ019.+-_=!#", min_size=1, max_size=20)
ipv6 = st.integers(0, 2**128 - 1).map(IPv6Address)


@given(kinds, hostile)
@example(ADDRESS, '"\\"\\"(((("')
@example(HOST, "http://0x7f..")
@settings(max_examples=300, deadline=None)
def test_the_canonical_form_is_its_own(kind: IndicatorKind, text: str) -> None:
    once = canonical(kind, text)
    assert len(once) <= LONGEST
    assert once == canonical(kind, once)
    assert once == once.encode().decode()


@given(hostile)
@settings(max_examples=300, deadline=None)
def test_nothing_that_is_asked_fails_otherwise(text: str) -> None:
    for found in recognize(text):
        assert found.value == canonical(found.kind, found.value)
    for kind in IndicatorKind:
        with contextlib.suppress(InvalidIndicator):
            assert parse_asked(kind, text)


@given(hosts, st.sampled_from(["{}", "https://{}/x", "http://user@{}:8443", "//{}?q#f", "https:{}"]))
def test_a_host_is_found_as_an_alert_shows_it(host: str, link: str) -> None:
    expected = canonical(HOST, link.format(host))
    assert expected == canonical(HOST, host)
    for asked in (host, expected, link.format(host), defanged(link.format(host), 500), defanged(expected)):
        assert expected == parse_asked(HOST, asked)


@given(ipv6)
def test_an_ip_address_is_found_as_an_alert_shows_it(ip: IPv6Address) -> None:
    expected = canonical(IP, str(ip))
    for asked in (ip.exploded.upper(), str(ip), expected, defanged(str(ip)), f"[{ip}]", f"{ip}%1"):
        assert expected == parse_asked(IP, asked)
    assert expected == parse_asked(HOST, defanged(f"https://[{ip}]:8443/x"))


@given(local_parts, hosts)
def test_an_address_is_found_as_an_alert_shows_it(local: str, host: str) -> None:
    written = f"{local}@{host}"
    expected = canonical(ADDRESS, written)
    for asked in (expected, written, defanged(written), defanged(expected), f'"Lee, Ann" (x@y.example) <{written}>'):
        assert expected == parse_asked(ADDRESS, asked)


@given(st.lists(st.tuples(local_parts, hosts), max_size=8))
def test_addresses_are_found_among_names_and_comments(pairs: list[tuple[str, str]]) -> None:
    header = ", ".join(
        f'"x@{at}.example, <" (y@{at}.example) <{local}@{host}>' for at, (local, host) in enumerate(pairs)
    )
    expected = dict.fromkeys(canonical(ADDRESS, f"{local}@{host}") for local, host in pairs)
    assert [*expected] == [*addresses(header)]


@given(hosts)
def test_a_text_without_defanging_stays(host: str) -> None:
    for text in (host, f"https://{host}/x", f"http://[2001:db8::1]/{host}", f"Ann <ann@{host}>"):
        assert text == refang(text)


@pytest.mark.parametrize(
    "piece",
    ["(", "()", '"', '"\\', "\\", "<", "<>", "a", "a@", "@", "a.", ",", " ", "[", "\u0301", "%41", "ä", ":", "…"],
)
@pytest.mark.parametrize("kind", IndicatorKind)
def test_a_megabyte_is_read(kind: IndicatorKind, piece: str) -> None:
    """Nothing recurses, and nothing is squared: a million squared would end no test run."""
    text = piece * (2**20 // len(piece))
    assert len(canonical(kind, text)) <= LONGEST


def test_padding_does_not_hide_an_indicator() -> None:
    assert "evil.example" == canonical(HOST, f"https://{'a' * 2**20}@evil.example/")
    assert "evil.example" == canonical(HOST, f"https://{'/' * 2**20}evil.example/")
    assert "ann@corp.example" == canonical(ADDRESS, f"{'(' * 40_000}{')' * 40_000} <ann@corp.example>")
    assert "ann@corp.example" == canonical(ADDRESS, f'"{"x, " * 30_000}" <ann@corp.example>')


# --- the oracle -------------------------------------------------------------------------------------------------------

NODE = """
const urls = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const host = url => { try { return new URL(url).hostname } catch { return null } };
process.stdout.write(JSON.stringify(urls.map(host)));
"""
SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    "{}.".format,
    "\u00ad".join,
    "\t\n".join,
    lambda it: it.replace(".", "。"),
    lambda it: it.replace(".", "%2E"),
    lambda it: it.replace("a", "%61").replace("x", "ｘ"),  # noqa: RUF001
    lambda it: "".join(f"%{byte:02X}" for byte in it.encode()),
]
SCHEMES = ["http", "https", "HTTPS", "ws", "ftp", "ht\ttps", " \x01https"]
SLASHES = ["://", "://", ":", ":/", ":///", ":\\\\", ":/\\/", ":\n//"]
USERS = ["", "", "", "bank.example@", "user:pass@", "a@b@", "%40@", "bank.example:443@"]
ENDS = ["", "/", ":8443/x", "\\@bank.example", "?@bank.example", "#@bank.example", "/https://x.example", ":/"]


def odd_url(random: Random) -> str:
    """A URL that a sender spells to mislead a reader or a parser."""
    number = random.choice(["{}", "0{:o}", "0x{:X}", "{}."])
    host = random.choice(
        [
            ".".join([*random.choices(HOST_LABELS, k=random.randint(1, 4)), "example"]),
            ".".join(random.choice(["{}", "0{:o}", "0x{:x}"]).format(random.randint(0, 260)) for _ in range(4)),
            number.format(random.randint(0, 2**32)),
            f"[{IPv6Address(random.getrandbits(128) >> random.choice([0, 64, 100])).exploded.upper()}]",
            f"[::ffff:{IPv4Address(random.getrandbits(32))}]",
            "".join(random.choices("abc.xyz-_~!$&'()*+,;=%25\u00ad。é", k=random.randint(1, 10))),
        ]
    )
    spelled = host if host.startswith("[") else random.choice(SPELLINGS)(host)
    return "".join(map(random.choice, (SCHEMES, SLASHES, USERS))) + spelled + random.choice(ENDS)


@pytest.mark.skipif(shutil.which("node") is None, reason="the oracle is Node's URL, and node is not installed")
def test_a_host_is_what_node_opens() -> None:
    """Node's URL is the WHATWG parser of a browser's engine. It knows nothing of ours."""
    random = Random(12)
    urls = [*(it for it in HOSTS if it.startswith(("http", "ftp"))), *(odd_url(random) for _ in range(5_000))]
    done = subprocess.run(
        ["node", "-e", NODE], input=json.dumps(urls), capture_output=True, text=True, check=True, timeout=60
    )
    opened = {url: host for url, host in zip(urls, json.loads(done.stdout), strict=True) if host}
    ours = {url: canonical(HOST, url) for url in opened}
    assert len(opened) > 3_000
    assert {} == {url: (host, ours[url]) for url, host in opened.items() if not _same(host, ours[url])}


def _same(node: str, ours: str) -> bool:
    """Ours has no brackets and no final dot, and an IPv4-mapped address is the IPv4 address that it reaches."""
    if node.startswith("["):
        ip = IPv6Address(node[1:-1])
        return ours == str(ip.ipv4_mapped or ip)
    return ours == (node if node.endswith("..") else node.removesuffix(".") or node)
