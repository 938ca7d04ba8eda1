"""alert.py: one SNS message, which SNS is sure to take, whatever was found."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert.alert import ALERT_LIMIT, Alert, Style, describe
from functions.cloudflare.context import read_context
from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.decision import weighed
from functions.escalate.verdict import judge
from functions.ledger.record import Record, Told
from tests.strategies import Answer, answers, contexts, wild_answers, wild_contexts
from tests.unit.examples import ACCOUNT, FORMS, FULL, INVESTIGATE_ID, POSTFIX_ID, context, detection, escalated

LONGEST_ID = "M" * 64 + "-2024-01-05T10:00:00-" + "9" * 20
CHAT = Style(chat=True)


def facts(alert: Alert) -> dict[str, Any]:
    """What a machine reads."""
    it: dict[str, Any] = json.loads(json.loads(alert.message)["default"])
    return it


# --- what it is made of -----------------------------------------------------------------------------------------------


def test_the_bodies() -> None:
    """JSON for everybody, text for people; a chat's JSON only where https subscribers are a chat."""
    plain, chat = describe(escalated()), describe(escalated(), CHAT)
    assert {"default", "email", "sms"} == json.loads(plain.message).keys()
    assert {"default", "email", "sms", "https"} == json.loads(chat.message).keys()
    assert plain.subject == plain.bodies["sms"]


def test_the_attributes() -> None:
    """What a subscription's filter policy can ask for."""
    alert = describe(escalated(context=context(delivery_status=["delivered"])))
    expected = {
        "alert_id": escalated().alert_id,
        "account_id": ACCOUNT,
        "activity": "Create",
        "delivered": "true",
        "disposition": "MALICIOUS",
        "severity": "Critical",
    }
    assert expected == alert.attributes


def test_the_same_alert_again() -> None:
    """A repeat is the same to the last byte, and known by the same id."""
    it = escalated(detection=read_detection(FULL))
    first, second = describe(it, CHAT), describe(it, CHAT)
    assert (first, first.message) == (second, second.message)
    assert first.alert_id == first.attributes["alert_id"] == facts(first)["finding_info"]["uid"] == it.alert_id


# --- the subject ------------------------------------------------------------------------------------------------------

SUSPICIOUS = Told("SUSPICIOUS", "0" * 32)
SUBJECTS: dict[str, tuple[Record, str]] = {
    "delivery unknown": (escalated(), f"[High] MALICIOUS mail, delivery unknown: {POSTFIX_ID}"),
    "delivered": (
        escalated(context=context(delivery_status=["delivered"])),
        f"[Critical] MALICIOUS mail, in an inbox: {POSTFIX_ID}",
    ),
    "held": (
        escalated(disposition="SUSPICIOUS", context=context(delivery_status=["quarantined"])),
        f"[Medium] SUSPICIOUS mail, held: {POSTFIX_ID}",
    ),
    "changed": (
        escalated(previous=SUSPICIOUS, turn=1),
        f"[High] MALICIOUS mail, delivery unknown, was SUSPICIOUS: {POSTFIX_ID}",
    ),
    "closed": (
        escalated(disposition="NONE", escalates=False, outcome="CLOSED", previous=SUSPICIOUS, turn=1),
        f"[Informational] Mail is NONE now, no longer SUSPICIOUS: {POSTFIX_ID}",
    ),
    "longest id": (escalated(id=MessageId(LONGEST_ID)), f"[High] MALICIOUS mail, delivery unknown: {'M' * 16}"),
}


@pytest.mark.parametrize(("it", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_the_subject(it: Record, expected: str) -> None:
    """A fixed template: how urgent, what, where, which. It is what a telephone shows at night."""
    assert expected == describe(it).subject


ids = st.sampled_from([*FORMS.values(), "M" * 20, LONGEST_ID]).map(MessageId)
dispositions = (
    st.sampled_from(["MALICIOUS", "SUSPICIOUS"]).flatmap(
        lambda family: st.text(st.characters(), max_size=60).map(lambda rest: family + rest)
    )
).map(lambda it: judge(it, frozenset()).disposition or "MALICIOUS")
statuses = st.lists(st.sampled_from(["delivered", "moved", "quarantined", "rejected", "queued", "?"]))
told_before = st.none() | dispositions.map(lambda it: Told(it, "0" * 32))


@given(dispositions, ids, statuses, told_before, st.booleans())
def test_any_subject(
    disposition: str, mail: MessageId, status: list[str], previous: Told | None, escalates: bool
) -> None:
    """SNS takes it: printable ASCII, one line, at most 99 characters. One that it refuses would be an alert lost."""
    it = escalated(
        disposition=disposition,
        id=mail,
        context=context(delivery_status=status),
        previous=previous,
        turn=1 if previous else 0,
        escalates=escalates,
    )
    subject = describe(it).subject
    assert re.fullmatch(r"[ -~]{1,99}", subject)
    assert subject.startswith(f"[{it.severity}] ")
    assert subject.endswith(f": {mail.postfix_id[:16]}")


# --- size -------------------------------------------------------------------------------------------------------------


def size(alert: Alert) -> int:
    """Bytes that SNS counts."""
    attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in alert.attributes.items())
    return len(alert.message.encode()) + len(alert.subject.encode()) + attributes


def large(text: str, items: int) -> Detection:
    """Every list of that many items, and every text like this."""
    one = text * 5_000
    return detection(
        action=one,
        attachments=[{"size": 1, "name": one, "filename": one, "sha256": one}] * items,
        findings=[{"reason": one, "detail": one, "name": one}] * items,
        headers=[{"name": one, "value": one}] * items,
        links=[{"href": one, "text": one}] * items,
        sender_info=dict.fromkeys(("as_name", "geo", "ip", "pld"), one),
        threat_categories=[{"name": one, "description": one}] * items,
        validation=dict.fromkeys(("comment", "spf", "dkim", "dmarc"), one),
    )


def crowded(text: str, items: int) -> dict[str, Any]:
    """A context in which everything is long, and everybody has got the mail."""
    one = text * 5_000
    names = ("subject", "from", "from_name", "replyto", "envelope_from", "message_id", "delivery_mode", "scanned_at")
    lists = ("to", "envelope_to", "client_recipients", "detection_reasons")
    return dict.fromkeys((*names, "sent_at"), one) | {name: [one] * items for name in lists}


KINDS = {
    "letters": "x",
    "quotes": '"',
    "backslashes": "\\",
    "emoji": "😀",
    "control characters": "\x01",
    "line separators": "\u2028",
    "half surrogate pairs": "\ud800",
}
EVERYTHING = ["headers", "links", "findings", "attachments"]
LARGE: dict[str, tuple[Detection, dict[str, Any], list[str]]] = {
    "10,000 links": (detection(links=[{"href": f"https://evil.example/{i}"} for i in range(10_000)]), {}, ["links"]),
    "5 MB of headers": (detection(headers=[{"name": "Received", "value": "x" * 1_000}] * 5_000), {}, ["headers"]),
    "one header of 5 MB": (detection(headers=[{"name": "Received", "value": "x" * 5_000_000}]), {}, ["texts"]),
    "10,000 recipients": (detection(), {"to": [f"{i}@larkfield.example" for i in range(10_000)]}, ["context.to"]),
    **{f"everything full of {name}": (large(it, 100), crowded(it, 500), EVERYTHING) for name, it in KINDS.items()},
    **{f"only texts full of {name}": (large(it, 1), crowded(it, 1), []) for name, it in KINDS.items()},
}


@pytest.mark.parametrize("style", [Style(), CHAT], ids=["plain", "chat"])
@pytest.mark.parametrize(("found", "known", "dropped"), LARGE.values(), ids=LARGE)
def test_a_mail_that_is_too_large(found: Detection, known: dict[str, Any], dropped: list[str], style: Style) -> None:
    """SNS takes the alert, which is JSON all the way down and says what went; nothing is cut in the middle."""
    it = escalated(id=MessageId(LONGEST_ID), detection=found, context=read_context(known))
    alert = describe(it, style)
    assert size(alert) == alert.size <= ALERT_LIMIT == 256 * 1024
    said = facts(alert)["unmapped"]
    assert (True, dropped) == (said["truncated"], said["dropped"][: len(dropped)])
    assert (len(found.links), len(known.get("to", ()))) == (said["counts"]["links"], said["counts"]["context.to"])
    assert ("MALICIOUS", LONGEST_ID, it.alert_id) == (said["disposition"], said["id"], said["alert_id"])
    assert it.severity == facts(alert)["severity"]
    assert len(json.loads(alert.message)["email"]) < 12_000


@given(answers, contexts)
def test_any_documented_answer(answer: Answer, known: dict[str, Any]) -> None:
    """A small one is published whole."""
    said = facts(describe(escalated(detection=read_detection(answer), context=read_context(known))))["unmapped"]
    assert (False, []) == (said["truncated"], said["dropped"])
    assert len(answer["links"]) == said["counts"]["links"]


fat_text = st.sampled_from(list(KINDS.values())).flatmap(lambda one: st.integers(0, 40_000).map(lambda n: one * n))


@given(wild_answers(fat_text, st.just("MALICIOUS")), wild_contexts(fat_text), st.booleans())
def test_any_size(answer: Answer, known: dict[str, Any], chat: bool) -> None:
    """Whatever Cloudflare answers, the alert fits."""
    it = escalated(detection=read_detection(answer), context=read_context(known))
    assert size(describe(it, Style(chat=chat))) <= ALERT_LIMIT


def test_ten_ordinary_alerts() -> None:
    """They fit into one call, with room to spare."""
    it = escalated(detection=read_detection(FULL), context=context())
    assert 10 * describe(replace(it, id=MessageId(INVESTIGATE_ID)), CHAT).size < ALERT_LIMIT


def test_the_severity_of_the_examples() -> None:
    """They are weighed as the function weighs."""
    assert weighed(escalated()) == escalated()
