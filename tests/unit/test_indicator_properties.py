"""Indicators in any text: canonical forms are stable, and hostile text is read to its end."""

import contextlib
from ipaddress import IPv6Address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.alert.sanitize import defanged
from functions.domain.addresses import addresses
from functions.domain.indicators import (
    IndicatorKind,
    InvalidIndicator,
    canonical,
    parse_asked,
    recognize,
)
from functions.domain.spelling import LONGEST, refang

HOST, DOMAIN, IP = IndicatorKind.HOST, IndicatorKind.DOMAIN, IndicatorKind.IP
ADDRESS, HASH, MESSAGE_ID = IndicatorKind.ADDRESS, IndicatorKind.HASH, IndicatorKind.MESSAGE_ID

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
