"""Emails of a sender who wants to hide an indicator from a later search, or to flood the search for another's."""

from typing import Any

import pytest

from functions.domain.search_values import SearchKind, search_values
from ops.escalator.records.query import asked_value
from tests.unit.examples import details, detection

HIDDEN = "evil.example"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
PADDING = "a" * 3_000


def link(href: str, text: str | None = None) -> dict[str, Any]:
    """A detection with this link."""
    return {"links": [{"href": href, "text": text}]}


def finding(**fields: str) -> dict[str, Any]:
    """A detection with this finding."""
    return {"findings": [fields]}


def header(name: str, value: str) -> dict[str, Any]:
    """A detection with this header."""
    return {"headers": [{"name": name, "value": value}]}


HOSTS: dict[str, dict[str, Any]] = {
    "user name of 3,000 characters in a finding": finding(value=f"https://{PADDING}@evil.example/"),
    "user name with a comma in a finding": finding(value="https://bank.example,x@evil.example/"),
    "user name with a parenthesis in a sentence": finding(detail="QR leads to https://bank(1)@evil.example/ now"),
    "user name with a space in a finding": finding(value="https://bank example@evil.example/"),
    "line break in the URL of a finding": finding(value="https://ev\nil.example/"),
    "text before the URL": finding(detail="QR:https://evil.example/"),
    "digits before the URL": finding(detail="1https://evil.example/"),
    "URL as a JSON member": finding(detail='{"url":"https://evil.example"}'),
    "URL after another URL": finding(detail="https://a.example,https://evil.example"),
    "URL in brackets": finding(detail="[https://evil.example]"),
    "backslashes in a finding": finding(detail="opens https:\\\\evil.example\\x"),
    "no slashes in a finding": finding(detail="opens https:evil.example"),
    "defanged by the scanner": finding(detail="opens hxxps[://]evil[.]example/x"),
    "name without a scheme": finding(detail="The QR code opens evil.example/login."),
    "name of a finding": finding(name="QR code to https://evil.example"),
    "wide dots": finding(detail="opens https://evil。example/"),
    "redirect": link("https://search.example/url?q=https://evil.example/&sa=D"),
    "encoded redirect": link("https://safe.example/?url=https%3A%2F%2Fevil.example%2Fx&data=1"),
    "redirect that is encoded twice": link("https://safe.example/?url=https%253A%252F%252Fevil.example"),
    "visible text": link("https://track.example/1", "https://evil.example/login"),
    "unsubscribe link": header("List-Unsubscribe", "<mailto:a@b.example>, <https://evil.example/u>"),
    "soft hyphens": link("https://e\u00advil.exam\u00adple/"),
    "variation selector": link("https://evil\ufe0f.example/"),
    "word joiner and final dot": link("https://evil\u2060.example./"),
    "reason in the details": {"reasons": ["Known bad link https://evil.example/"]},
    "hundred links before a finding": {
        "links": [{"href": f"https://{n}.example"} for n in range(200)],
        "findings": [{"detail": "x" * 5_000 + " https://evil.example/"}],
    },
}


@pytest.mark.parametrize("mail", HOSTS.values(), ids=HOSTS)
def test_host_is_found(mail: dict[str, Any]) -> None:
    reasons = mail.get("reasons", [])
    found = search_values(detection(**mail), details(detection_reasons=reasons)).values
    assert asked_value("link_host", HIDDEN) in found[SearchKind.LINK_HOST]


LOOKALIKES = {
    "signs of defanging": "https://a(.)evil.example/",
    "word of defanging": "https://x{dot}evil.example/",
    "hxxp in a name": "https://hxxp-login.example/",
    "space in a host": "https://evil .example/",
    "line break in a host": "https://ev\r\nil.example/",
    "quote at the start": "https://'evil.example/",
    "comma at the end": "https://evil.example,",
}


@pytest.mark.parametrize("href", LOOKALIKES.values(), ids=LOOKALIKES)
def test_host_is_found_as_the_email_and_the_table_have_it(href: str) -> None:
    [value] = search_values(detection(**link(href)), None).values[SearchKind.LINK_HOST]
    assert (value, value) == (asked_value("link_host", href), asked_value("link_host", value))


ADDRESSES: dict[str, dict[str, Any]] = {
    "second address of the From header": header("From", "ann@corp.example, drop@evil.example"),
    "group": header("Reply-To", "Team: ann@corp.example, drop@evil.example;"),
    "second From header": {
        "headers": [{"name": "From", "value": it} for it in ("ann@corp.example", "drop@evil.example")]
    },
    "header with a space in its name": header("Reply-To ", "drop@evil.example"),
    "wide at sign": header("From", "drop\uff20evil.example"),
    "zero width in the local part": header("From", "dr\u200bop@evil.example"),
    "null in the local part": header("From", "dr\x00op@evil.example"),
    "mailto link": link("mailto:drop%40evil.example?subject=x"),
    "mailto link with a field": link("mailto:?cc=drop@evil.example&body=x"),
    "address in a finding": finding(detail="Replies go to <drop@evil.example>."),
    "behind nested comments": header("From", "(" * 500 + ")" * 500 + " drop@evil.example"),
}


@pytest.mark.parametrize("mail", ADDRESSES.values(), ids=ADDRESSES)
def test_address_of_a_sender_is_found(mail: dict[str, Any]) -> None:
    found = search_values(detection(**mail), None).values[SearchKind.SENDER]
    assert asked_value("sender", "Drop@Evil.example") in found


HASHES = {
    "in groups": finding(value=" ".join(SHA256[at : at + 8] for at in range(0, 64, 8))),
    "in a sentence": finding(detail=f"attachment (SHA256:{SHA256.upper()}), known"),
    "in groups in a sentence": finding(
        detail=f"known sha-256 {':'.join(SHA256[at : at + 2] for at in range(0, 64, 2))}!"
    ),
    "with dashes": {"attachments": [{"sha256": "-".join(SHA256[at : at + 8] for at in range(0, 64, 8))}]},
    "with 0x": {"attachments": [{"sha256": f"0x{SHA256}"}]},
    "behind 200 attachments": {
        "attachments": [{"sha256": f"{n:064x}"} for n in range(200)],
        "findings": [{"reason": f"{SHA256} is malware"}],
    },
}


@pytest.mark.parametrize("mail", HASHES.values(), ids=HASHES)
def test_hash_is_found(mail: dict[str, Any]) -> None:
    assert (
        asked_value("attachment_hash", SHA256)
        in search_values(detection(**mail), None).values[SearchKind.ATTACHMENT_HASH]
    )


IPS = {
    "mapped": {"sender_info": {"ip": "::ffff:c633:6407"}},
    "hexadecimal": {"sender_info": {"ip": "0xC6336407"}},
    "decimal": {"sender_info": {"ip": "3325256711"}},
    "octal": {"sender_info": {"ip": "0306.063.0144.07"}},
    "in brackets with a port": {"sender_info": {"ip": "[198.51.100.7]:25"}},
    "header of a webmail": header("X-Originating-IP", "[198.51.100.7]"),
    "in a finding": finding(detail="sent from ip=198.51.100.7, first seen today"),
    "in a comment of the validation": {"validation": {"spf": "fail", "comment": "client-ip=198.51.100.7;"}},
}


@pytest.mark.parametrize("mail", IPS.values(), ids=IPS)
def test_ip_address_is_found(mail: dict[str, Any]) -> None:
    assert (
        asked_value("sender_ip", "198[.]51[.]100[.]7")
        in search_values(detection(**mail), None).values[SearchKind.SENDER_IP]
    )


FLOODS: dict[str, tuple[SearchKind, str, dict[str, Any]]] = {
    "user name of a link": (SearchKind.LINK_HOST, "bank.example", link("https://bank.example@evil.example/")),
    "path of a link": (SearchKind.LINK_HOST, "bank.example", link("https://evil.example/bank.example/login")),
    "fragment of a link": (SearchKind.LINK_HOST, "bank.example", link("https://evil.example#@bank.example")),
    "display name": (SearchKind.SENDER, "boss@corp.example", header("From", '"boss@corp.example" <drop@evil.example>')),
    "comment": (SearchKind.SENDER, "boss@corp.example", header("From", "drop@evil.example (boss@corp.example)")),
    "another header": (SearchKind.SENDER, "boss@corp.example", header("X-Note", "boss@corp.example")),
    "name of a recipient": (
        SearchKind.RECIPIENT,
        "boss@corp.example",
        header("To", '"boss@corp.example" <a@b.example>'),
    ),
    "relay": (SearchKind.SENDER_IP, "192.0.2.9", header("Received", "from mx (192.0.2.9) by mx for <a@b.example>")),
}


@pytest.mark.parametrize(("kind", "value", "mail"), FLOODS.values(), ids=FLOODS)
def test_search_for_another_is_not_flooded(kind: SearchKind, value: str, mail: dict[str, Any]) -> None:
    assert asked_value(kind, value) not in search_values(detection(**mail), None).values[kind]
