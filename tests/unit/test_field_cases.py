"""Emails as they are seen in practice: each is found in the spelling that an analyst has, and each alert shows it."""

from typing import Any

import pytest

from functions.alert.alert import AlertOptions, describe
from functions.cloudflare.contract import find_drift
from functions.domain.message_details import Delivery
from functions.domain.search_values import SearchKind, search_values
from functions.domain.severity import Severity
from ops.escalator.records.query import asked_value
from tests.unit.examples import RESULT, details, detection, escalated

NO_RECIPIENTS: dict[str, Any] = {"to": [], "envelope_to": [], "client_recipients": []}


def links(*hrefs: str) -> dict[str, Any]:
    """A detection with these links."""
    return {"links": [{"href": href} for href in hrefs]}


def header(name: str, value: str) -> dict[str, Any]:
    """A detection with this header."""
    return {"headers": [{"name": name, "value": value}]}


# --- search -----------------------------------------------------------------------------------------------------------

LINKS: dict[str, tuple[str, list[str]]] = {
    "no scheme": ("www.pay-portal.example/a?b", ["www.pay-portal.example", "WWW.pay-portal[.]example"]),
    "no scheme, with a port": ("pay-portal.example:8080/a", ["pay-portal.example"]),
    "no scheme, two slashes": ("//pay-portal.example/a", ["pay-portal.example"]),
    "letters outside ASCII": ("https://größe.example/x", ["xn--gre-6ka8i.example", "größe.example", "GRÖßE[.]example"]),
    "letters of another script": ("https://пример.example/", ["xn--e1afmkfd.example", "hxxps://пример[.]example/"]),
    "homograph": ("https://аррӏе.example/", ["xn--80ak6aa92e.example", "https://аррӏе.example/login"]),  # noqa: RUF001
    "full-width letters": ("https://ｐａｙ.example/", ["pay.example"]),  # noqa: RUF001
    "port": ("https://pay-portal.example:444/x", ["hxxps[://]pay-portal[.]example[:]444/x", "pay-portal.example:444"]),
    "port of plain http": ("http://pay-portal.example:8000", ["hxxp[://]pay-portal[.]example[:]8000"]),
    "three slashes": ("https:///pay-portal.example", ["pay-portal.example"]),
    "backslashes": ("https:\\\\pay-portal.example\\x", ["pay-portal.example"]),
    "one slash": ("https:/pay-portal.example/x", ["pay-portal.example"]),
    "no slash": ("http:pay-portal.example/x", ["pay-portal.example"]),
    "user name": ("https://corp.example@pay-portal.example/", ["pay-portal.example"]),
    "final dot and upper case": ("HTTPS://PAY-Portal.example./", ["pay-portal.example"]),
}


@pytest.mark.parametrize(("href", "asked"), LINKS.values(), ids=LINKS)
def test_host_of_a_link_is_found_as_analysts_spell_it(href: str, asked: list[str]) -> None:
    found = search_values(detection(**links(href)), None).values[SearchKind.LINK_HOST]
    assert [True] * len(asked) == [asked_value("link_host", text) in found for text in [*asked, href]][1:]


SENDERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "long IPv6 address": ({"ip": "2001:0DB8:0000:0000:0000:0000:00AB:0001"}, "sender_ip", "2001:db8::ab:1"),
    "mapped IPv4 address": ({"ip": "::FFFF:198.51.100.9"}, "sender_ip", "198.51.100.9"),
    "IPv6 address in brackets": ({"ip": "[2001:DB8::7]"}, "sender_ip", "2001:db8:0::7"),
    "IPv4 address with a space": ({"ip": " 198.51.100.9"}, "sender_ip", "198[.]51[.]100[.]9"),
    "domain in mixed case": ({"pld": "Pay-Portal.Example"}, "sender_domain", "pay-portal.example"),
    "domain with a final dot": ({"pld": "pay-portal.example."}, "sender_domain", "PAY-PORTAL.example"),
    "domain in Unicode": ({"pld": "größe.example"}, "sender_domain", "xn--gre-6ka8i.example"),
}


@pytest.mark.parametrize(("sender", "option", "asked"), SENDERS.values(), ids=SENDERS)
def test_sender_is_found_as_analysts_spell_it(sender: dict[str, Any], option: str, asked: str) -> None:
    found = search_values(detection(sender_info=sender), None)
    assert asked_value(option, asked) in found.values[SearchKind(option)]


DECOYS = [f"https://static{n}.example/pixel.gif" for n in range(60)]
BEHIND: dict[str, dict[str, Any]] = {
    "five others": links(*DECOYS[:5], "https://pay-portal.example/"),
    "60 others": links(*DECOYS, "https://pay-portal.example/"),
    "60 others and its own repeats": links(*DECOYS, *["https://pay-portal.example/"] * 60),
    "before 60 others": links("https://pay-portal.example/", *DECOYS),
    "60 others, in a redirect": links(*DECOYS, "https://r.example/?u=https%3A%2F%2Fpay-portal.example%2F"),
}


@pytest.mark.parametrize("fields", BEHIND.values(), ids=BEHIND)
def test_host_is_found_behind_harmless_links(fields: dict[str, Any]) -> None:
    found = search_values(detection(**fields), None)
    assert asked_value("link_host", "pay-portal.example") in found.values[SearchKind.LINK_HOST]
    assert {} == found.cut


MANY = [f"staff{n}@corp.example" for n in range(60)]
MAILED: dict[str, dict[str, Any]] = {
    "mailboxes and a list": {"client_recipients": MANY, "to": ["all@corp.example"], "envelope_to": []},
    "envelope and a list": {"client_recipients": [], "to": ["all@corp.example"], "envelope_to": MANY},
    "header To and a list": {"client_recipients": [], "to": [*MANY, "all@corp.example"], "envelope_to": []},
    "names": {
        "client_recipients": [f"Staff <{it}>" for it in MANY],
        "to": ["All <All@Corp.example>"],
        "envelope_to": [],
    },
}


@pytest.mark.parametrize("mailed", MAILED.values(), ids=MAILED)
@pytest.mark.parametrize("asked", ["staff0@corp.example", "Staff <staff59@corp.example>", "all@corp.example"])
def test_each_of_many_recipients_is_found(mailed: dict[str, Any], asked: str) -> None:
    found = search_values(None, details(**mailed)).values[SearchKind.RECIPIENT]
    assert (True, 61) == (asked_value("recipient", asked) in found, len(found))


# --- recipients with names --------------------------------------------------------------------------------------------

NAMED = {
    "name": "Ann Lee <ann.lee@corp.example>",
    "name in quotes": '"Lee, Ann" <ann.lee@corp.example>',
    "name in mixed case": "ANN LEE <Ann.Lee@Corp.example>",
    "angle brackets alone": "<ann.lee@corp.example>",
    "comment": "ann.lee@corp.example (Ann Lee)",
    "name in another script": "Анна <ann.lee@corp.example>",
    "mailto": "mailto:ann.lee@corp.example",
    "encoded name": "=?utf-8?B?QW5u?= <ann.lee@corp.example>",
}


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("member", ["client_recipients", "to", "envelope_to"])
def test_recipient_with_a_name_is_masked_and_found(member: str, text: str) -> None:
    found = details(**NO_RECIPIENTS | {member: [text]})
    alert = describe(escalated(details=found), AlertOptions(mask_recipients=True, chat=True))
    published = "\n".join([alert.subject, *alert.bodies.values(), *alert.attributes.values()]).lower()
    assert "ann.lee@" not in published
    assert ("ann.lee@corp.example",) == search_values(None, found).values[SearchKind.RECIPIENT]


# --- without message details ------------------------------------------------------------------------------------------

HEADERS: dict[str, tuple[str, str, str]] = {
    "From": ("From", "Billing <billing@pay-portal.example>", "billing@pay-portal.example"),
    "From in lower case": ("from", "billing@pay-portal.example", "billing@pay-portal.example"),
    "To": ("To", "Ann <ann@corp.example>", "ann@corp.example"),
    "To in upper case": ("TO", "ann@corp.example", "ann@corp.example"),
    "Subject": ("Subject", "invoice 4711", "invoice 4711"),
    "Subject in upper case": ("SUBJECT", "invoice 4711", "invoice 4711"),
}


@pytest.mark.parametrize(("name", "value", "shown"), HEADERS.values(), ids=HEADERS)
def test_alert_without_details_shows_the_headers(name: str, value: str, shown: str) -> None:
    alert = describe(escalated(detection=detection(**header(name, value)), details=None), AlertOptions(chat=True))
    plain = [alert.bodies[name].replace("[.]", ".").replace("[@]", "@") for name in ("default", "email")]
    assert [True, True] == [shown in body for body in plain]


# --- delivery ---------------------------------------------------------------------------------------------------------

STATUSES: dict[str, tuple[object, Delivery, Severity]] = {
    "delivered": ("delivered", Delivery.DELIVERED, Severity.CRITICAL),
    "delivered in upper case": ("DELIVERED", Delivery.DELIVERED, Severity.CRITICAL),
    "quarantined": ("quarantined", Delivery.HELD, Severity.HIGH),
    "moved, padded": (" moved ", Delivery.MOVED, Severity.HIGH),
}


@pytest.mark.parametrize(("status", "delivery", "severity"), STATUSES.values(), ids=STATUSES)
def test_delivery_status_as_text_sets_severity_and_is_named(
    status: object, delivery: Delivery, severity: Severity
) -> None:
    found = details(delivery_status=status, is_quarantined=None)
    record = escalated(details=found)
    assert (delivery, severity) == (record.delivery, record.severity)
    assert ("details.$.delivery_status: type",) == found.drift


CATEGORIES: dict[str, list[object]] = {
    "texts": ["CredentialHarvester", "Dropper"],
    "text and object": [{"name": "CredentialHarvester"}, "Dropper"],
    "objects without ids": [{"name": "CredentialHarvester"}, {"name": "Dropper"}],
    "with null": ["CredentialHarvester", None, "Dropper"],
}


@pytest.mark.parametrize("categories", CATEGORIES.values(), ids=CATEGORIES)
def test_category_in_any_form_is_shown_and_found(categories: list[object]) -> None:
    found = detection(threat_categories=categories)
    alert = describe(escalated(detection=found), AlertOptions(chat=True))
    assert [True] * 3 == ["CredentialHarvester" in alert.bodies[name] for name in ("default", "email", "https")]
    values = search_values(found, None).values[SearchKind.CATEGORY]
    assert (True, True) == (asked_value("category", "credentialharvester") in values, "dropper" in values)


def test_odd_categories_are_named_as_drift() -> None:
    assert ("$.threat_categories[*]: type",) == find_drift(RESULT | {"threat_categories": ["Dropper"]})
