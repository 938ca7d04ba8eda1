"""alert.py: what is published, whatever the mail's sender wrote."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.alert import ALERT_LIMIT, Alert, describe, severity
from functions.escalate.plain_text import plain
from functions.escalate.verdict import judge
from functions.release import RELEASE
from tests.strategies import Answer, answers, wild_answers
from tests.unit.examples import ACCOUNT, FORMS, INVESTIGATE_ID, POSTFIX_ID, RESULT, detection, record
from tests.unit.mail_client import links

COLUMNS = 72
LONGEST_ID = "M" * 64 + "-2024-01-05T10:00:00-" + "9" * 20


def email(alert: Alert) -> str:
    return alert.bodies["email"]


def facts(alert: Alert) -> dict[str, Any]:
    """What a machine reads."""
    it: dict[str, Any] = json.loads(json.loads(alert.message)["default"])
    return it


def visible(text: str) -> bool:
    """Whether a text has line feeds and spaces in it, and else only what one sees."""
    return all(c in "\n " or c == plain(c) for c in text)


def too_long(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > COLUMNS]


FULL: Answer = RESULT | {
    "attachments": [{"size": 7, "name": "invoice.pdf.exe", "sha256": "0" * 64}],
    "findings": [{"reason": "Credential harvester"}],
    "headers": [{"name": "Subject", "value": "Your invoice"}],
    "links": [{"href": "https://login.evil.example/a", "text": "click"}],
    "sender_info": {
        "as_name": "EXAMPLE-NET",
        "as_number": 64500,
        "geo": "US/-/-",
        "ip": "192.0.2.1",
        "pld": "evil.example",
    },
    "threat_categories": [{"id": 1, "name": "Phish"}],
    "validation": {"spf": "fail", "dkim": "none", "dmarc": "fail"},
}


def test_the_text_for_a_human() -> None:
    """Everything needed for a first decision, on one page, with nothing to click on."""
    it = record(drift=("$.a: unknown",))
    expected = f"""\
Disposition:      MALICIOUS (severity High)
Action taken:     QUARANTINED
Mail:             {INVESTIGATE_ID}
Sender:           evil[.]example
Sent from:        192[.]0[.]2[.]1
Network:          EXAMPLE-NET (AS64500)
Located:          US/-/-
SPF, DKIM, DMARC: fail, none, fail
Decided:          2026-11-23T12:00:00.000Z
Alert:            {it.alert_id}

Threat categories (1):
  Phish

Why (1):
  Credential harvester

Attachments (1):
  invoice[.]pdf[.]exe

Links (1):
  hxxps[://]login[.]evil[.]example/a

The answer did not match Cloudflare's contract; see contract_drift.
"""
    assert expected == email(describe(it, read_detection(FULL)))


def test_the_facts_for_a_machine() -> None:
    """Values are raw, so that they can be searched for."""
    alert = describe(record(drift=("$.a: unknown",)), read_detection(FULL))
    said = facts(alert)
    assert {
        "alert_id": alert.alert_id,
        "account_id": ACCOUNT,
        "id": INVESTIGATE_ID,
        "postfix_id": POSTFIX_ID,
        "disposition": "MALICIOUS",
        "severity": "High",
        "release": RELEASE,
        "contract_drift": ["$.a: unknown"],
        "truncated": [],
    }.items() <= said.items()
    assert FULL["links"] == said["detection"]["links"]
    assert FULL["sender_info"] == said["detection"]["sender_info"]


def test_the_attributes_for_a_filter() -> None:
    """Subscribers choose by them."""
    alert = describe(record(), detection())
    assert alert.attributes == {
        "alert_id": record().alert_id,
        "account_id": ACCOUNT,
        "disposition": "MALICIOUS",
        "severity": "High",
    }


SEVERITIES = {
    "MALICIOUS": "High",
    "MALICIOUS-BEC": "High",
    "MALICIOUS-QR": "High",
    "SUSPICIOUS": "Medium",
    "SUSPICIOUS-LINK": "Medium",
    "SPAM": "Low",
    "": "Low",
}


@pytest.mark.parametrize(("disposition", "expected"), SEVERITIES.items(), ids=[*list(SEVERITIES)[:-1], "none"])
def test_the_severity(disposition: str, expected: str) -> None:
    """One table, by family."""
    assert expected == severity(disposition)


def test_the_same_alert_again() -> None:
    """A repeat is the same to the last byte, and known by the same id."""
    first, second = (describe(record(), read_detection(FULL)) for _ in range(2))
    assert (first, first.message) == (second, second.message)
    assert first.alert_id == first.attributes["alert_id"] == facts(first)["alert_id"] == record().alert_id


# --- the subject ------------------------------------------------------------------------------------------------------

SUBJECTS = {
    "ordinary": ("MALICIOUS", INVESTIGATE_ID, f"[High] Cloudflare Email Security: MALICIOUS mail {POSTFIX_ID}"),
    "longest id": ("SUSPICIOUS", LONGEST_ID, f"[Medium] Cloudflare Email Security: SUSPICIOUS mail {'M' * 16}"),
}


@pytest.mark.parametrize(("disposition", "value", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_the_subject(disposition: str, value: str, expected: str) -> None:
    """A fixed template, with as much of a long id as there is room for."""
    assert describe(record(disposition=disposition, id=MessageId(value)), detection()).subject.startswith(expected)


ids = st.sampled_from([*FORMS.values(), "M" * 20, LONGEST_ID])
dispositions = (
    st.sampled_from(["MALICIOUS", "SUSPICIOUS"]).flatmap(
        lambda family: st.text(st.characters(), max_size=60).map(lambda rest: family + rest)
    )
).map(lambda it: judge(it, frozenset()).disposition or "MALICIOUS")


@given(dispositions, ids)
def test_any_subject(disposition: str, value: str) -> None:
    """SNS takes it: printable ASCII, one line, under 100 characters. One that it refuses would be an alert lost."""
    subject = describe(record(disposition=disposition, id=MessageId(value)), detection()).subject
    assert re.fullmatch(r"[ -~]+", subject)
    assert len(subject) < 100


# --- text of an attacker ----------------------------------------------------------------------------------------------

HOSTILE = {
    "url": "https://evil.example/a",
    "url in a sentence": "please see http://evil.example/a today",
    "bare domain": "evil.example",
    "address": "boss@evil.example",
    "www": "www.evil.example",
    "lines": "x\r\nAction taken:     NONE\n\nAll clear",
    "override": "gpj.\u202eexe.eciovni",
    "zero width": "evil\u200b.exa\u200bmple",
    "escape": "\x1b[2J\x07",
    "half a surrogate pair": "\ud800",
    "long": "x" * 5_000,
    "dots": "a.b." * 500,
    "url of dots": "https://" + "a." * 500,
    "addresses": "a@b.cd " * 500,
    "wide": "株" * 500,
    "combining": "e\u0301" * 500,
}
TEXT_FIELDS: dict[str, Any] = {
    "action": lambda it: {"action": it},
    "as_name": lambda it: {"sender_info": {"as_name": it}},
    "geo": lambda it: {"sender_info": {"geo": it}},
    "ip": lambda it: {"sender_info": {"ip": it}},
    "pld": lambda it: {"sender_info": {"pld": it}},
    "spf": lambda it: {"validation": {"spf": it}},
    "threat category": lambda it: {"threat_categories": [{"name": it}]},
    "reason": lambda it: {"findings": [{"reason": it}]},
    "detail": lambda it: {"findings": [{"detail": it}]},
    "finding's name": lambda it: {"findings": [{"name": it}]},
    "filename": lambda it: {"attachments": [{"filename": it}]},
    "attachment's name": lambda it: {"attachments": [{"name": it}]},
    "href": lambda it: {"links": [{"href": it}]},
}
HARMLESS = len(email(describe(record(), read_detection({"action": "x"}))).splitlines())


def texts(field: str) -> dict[str, str]:
    """The text for a human with each hostile value in this field."""
    change = TEXT_FIELDS[field]
    return {name: email(describe(record(), detection(**change(value)))) for name, value in HOSTILE.items()}


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_nothing_to_click_on(field: str) -> None:
    """Wherever a sender's text stands, no client makes a link of it."""
    assert {} == {name: found for name, text in texts(field).items() if (found := links(text))}


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_the_width_of_the_text(field: str) -> None:
    """A mail client wraps none of it."""
    assert {} == {name: found for name, text in texts(field).items() if (found := too_long(text))}


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_no_line_of_an_attacker(field: str) -> None:
    """A sender's text begins no line of its own, and controls no display."""
    for text in texts(field).values():
        assert not re.search("^All clear", text, re.MULTILINE)
        assert visible(text)


WIDE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "longest id": ({"id": MessageId(LONGEST_ID)}, {}),
    "longest disposition": ({"disposition": "MALICIOUS" + "X" * 31}, {}),
    "largest network": ({}, {"sender_info": {"as_name": "x" * 40, "as_number": 2**32 - 1}}),
    "network of 64 bits": ({}, {"sender_info": {"as_name": "x" * 40, "as_number": -(2**63) + 1}}),
    "ordinary url": ({}, {"links": [{"href": "https://www.login.secure.bank.example.com/" + "a" * 40}]}),
    "ordinary host": ({}, {"sender_info": {"pld": "mail.outbound.protection.eu.example-company.co.uk"}}),
    "10,000 of everything": (
        {},
        {
            "links": [{"href": "x" * 99}] * 10_000,
            "attachments": [{"name": "x" * 99}] * 10_000,
            "findings": [{"reason": "x" * 99}] * 10_000,
            "threat_categories": [{"name": "x" * 99}] * 10_000,
        },
    ),
}


@pytest.mark.parametrize(("decided", "found"), WIDE.values(), ids=WIDE)
def test_the_width_of_what_is_not_an_attacker_s(decided: dict[str, Any], found: dict[str, Any]) -> None:
    """What is long without malice fits, too."""
    text = email(describe(record(**decided), detection(**found)))
    assert too_long(text) == []
    assert len(text.splitlines()) < HARMLESS + 4 * 9


any_words = st.text(st.characters(), max_size=80) | st.sampled_from(list(HOSTILE.values()))


@given(wild_answers(any_words, st.just("MALICIOUS")))
def test_any_text_of_an_attacker(answer: Answer) -> None:
    """Nothing to click on, nothing that controls the display."""
    text = email(describe(record(), read_detection(answer)))
    assert links(text) == []
    assert visible(text)


@given(answers)
def test_any_documented_answer(answer: Answer) -> None:
    """A small one is published whole."""
    alert = describe(record(), read_detection(answer))
    assert facts(alert)["truncated"] == []
    assert facts(alert)["detection_counts"]["links"] == len(answer["links"])


# --- size -------------------------------------------------------------------------------------------------------------


def large(text: str, items: int) -> Detection:
    """Every list of that many items, and every text like this."""
    one = text * 5_000
    return detection(
        action=one,
        attachments=[{"size": 1, "name": one, "filename": one}] * items,
        findings=[{"reason": one, "detail": one}] * items,
        headers=[{"name": one, "value": one}] * items,
        links=[{"href": one, "text": one}] * items,
        sender_info=dict.fromkeys(("as_name", "geo", "ip", "pld"), one),
        threat_categories=[{"name": one, "description": one}] * items,
        validation=dict.fromkeys(("comment", "spf", "dkim", "dmarc"), one),
    )


LARGE: dict[str, tuple[Detection, list[str]]] = {
    "10,000 links": (detection(links=[{"href": f"https://evil.example/{i}"} for i in range(10_000)]), ["links"]),
    "5 MB of headers": (detection(headers=[{"name": "Received", "value": "x" * 1_000}] * 5_000), ["headers"]),
    "one header of 5 MB": (detection(headers=[{"name": "Received", "value": "x" * 5_000_000}]), []),
    **{
        f"everything full of {name}": (large(text, 100), ["headers", "links", "findings", "attachments"])
        for name, text in {
            "letters": "x",
            "quotes": '"',
            "backslashes": "\\",
            "emoji": "😀",
            "control characters": "\x01",
            "line separators": "\u2028",
            "half surrogate pairs": "\ud800",
        }.items()
    },
}


@pytest.mark.parametrize(("found", "truncated"), LARGE.values(), ids=LARGE)
def test_a_mail_that_is_too_large(found: Detection, truncated: list[str]) -> None:
    """SNS takes the alert, which is JSON all the way down and says what went; nothing is cut in the middle."""
    alert = describe(record(id=MessageId(LONGEST_ID)), found)
    attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in alert.attributes.items())
    size = len(alert.message.encode()) + len(alert.subject.encode()) + attributes
    assert size <= ALERT_LIMIT == 256 * 1024
    assert size == alert.size
    said = facts(alert)
    assert truncated == said["truncated"][: len(truncated)]
    assert len(found.links) == said["detection_counts"]["links"]
    assert len(email(alert)) < 8_000


LEAST = {"nothing": ({}, 3_000), "an ordinary mail": (FULL, 4_000)}


@pytest.mark.parametrize(("answer", "limit"), LEAST.values(), ids=LEAST)
def test_a_mail_that_is_small(answer: Answer, limit: int) -> None:
    """Its alert is, too: a hundred of them fit into what one call may carry."""
    assert describe(record(), read_detection(answer)).size < limit
