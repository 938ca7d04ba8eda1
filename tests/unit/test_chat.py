"""chat.py: the notification that Amazon Q Developer shows in Slack and Teams."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import chat
from functions.alert.alert import AlertOptions, describe
from functions.domain.detection import read_detection
from functions.domain.header_fields import header_fields
from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert, Record
from tests.strategies import Answer, wild_answers, wild_details
from tests.unit.examples import FULL, INVESTIGATE_ID, POSTFIX_ID, details, detection, escalated
from tests.unit.mail_client import links

TITLE, DESCRIPTION = 250, 8_000
"""Characters that the schema of Amazon Q Developer allows."""


def notification(record: Record) -> dict[str, object]:
    """Build the notification about a record for its recipients."""
    return chat.notification(record, header_fields(record.detection, record.details))


def description(notification: dict[str, Any]) -> str:
    text: str = notification["content"]["description"]
    return text


def test_notification_shows_facts_and_next_steps_in_the_thread_of_the_email() -> None:
    """The thread id is the postfix id, the same for all alerts."""
    record = escalated(detection=read_detection(FULL), details=details(delivery_status=["delivered"]))
    body: dict[str, Any] = json.loads(describe(record, AlertOptions(chat=True)).bodies["https"])
    assert notification(record) == body
    assert ("1.0", "custom", record.alert_id) == (body["version"], body["source"], body["id"])
    assert "client-markdown" == body["content"]["textType"]
    assert "🔴 Critical: MALICIOUS email, in an inbox" == body["content"]["title"]
    assert 3 == len(body["content"]["nextSteps"])
    assert (POSTFIX_ID, [INVESTIGATE_ID]) == (body["metadata"]["threadId"], body["metadata"]["relatedResources"])
    assert f"""\
Cloudflare's verdict: malicious, part of an active campaign. It is in an inbox.
*Postfix ID:* `{POSTFIX_ID}`
*Email ID:* `{INVESTIGATE_ID}`
*Recipients:* `gareth[@]larkfield[.]example`
*From:* `Payroll (pay[@]evil[.]example)`
*Subject:* `Your invoice`
*Delivery:* `in an inbox`
*Origin:* `evil[.]example 192[.]0[.]2[.]1 EXAMPLE-NET`
*Checks:* `SPF fail, DKIM none, DMARC fail`
*Threats:* `Phish`
*Reason:* `Credential harvester`
*Links:* `hxxps[://]login[.]evil[.]example/a`
*Attachments:* `invoice[.]pdf[.]exe`""" == description(body)


def test_closed_alert_appears_in_the_same_thread() -> None:
    """The title says that the disposition is no longer escalated."""
    record = escalated(
        disposition="NONE", escalates=False, outcome="CLOSED", previous=PreviousAlert("MALICIOUS", "1" * 32), revision=1
    )
    body: Any = notification(record)
    assert "⚪ Informational: Email is now NONE, no longer MALICIOUS" == body["content"]["title"]
    assert (POSTFIX_ID, "email-close") == (body["metadata"]["threadId"], body["metadata"]["eventType"])


MARKUP = {
    "mention of the channel": "<!channel> <!here> <@U123>",
    "named link": "<https://evil.example|your bank>",
    "markdown link": "[your bank](https://evil.example)",
    "end of inline code": "` *bold* <https://evil.example> `",
    "entity": "&lt;!channel&gt;",
}


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_from_the_sender_is_shown_as_code(text: str) -> None:
    """No client turns it into a link, a mention or formatting."""
    record = escalated(detection=detection(links=[{"href": text}]), details=details(subject=text, **{"from": text}))
    shown: Any = notification(record)
    for line in description(shown).split("\n")[1:]:
        assert re.fullmatch(r"\*[A-Z][A-Za-z ]+:\* `[^`<>|&]+`", line)
    assert links(description(shown)) == []


any_text = st.text(st.characters(), max_size=80) | st.sampled_from(list(MARKUP.values())) | st.just("x" * 10_000)


@given(wild_answers(any_text, st.just("MALICIOUS")), st.none() | wild_details(any_text))
def test_any_text_from_the_sender_stays_within_limits_and_without_links(answer: Answer, fields: Answer | None) -> None:
    """No text creates a link or markup, or exceeds the limits."""
    details = None if fields is None else read_message_details(fields)
    shown: Any = notification(escalated(detection=read_detection(answer), details=details))
    text = description(shown)
    assert (len(shown["content"]["title"]) <= TITLE, len(text) <= DESCRIPTION) == (True, True)
    assert links(text) == []
    assert set("<>|&").isdisjoint(text)


@pytest.mark.parametrize(("count", "more"), [(2, ""), (3, ""), (4, " and 1 more"), (5, " and 2 more")])
def test_at_most_three_of_anything_are_shown_and_the_others_counted(count: int, more: str) -> None:
    found = detection(links=[{"href": f"link{n}"} for n in range(count)])
    people = details(client_recipients=[f"p{n}@a.example" for n in range(count)], to=[], envelope_to=[])
    shown: Any = notification(escalated(detection=found, details=people))
    facts, listed = description(shown).splitlines(), range(min(count, 3))
    assert f"*Links:* `{', '.join(f'link{n}' for n in listed)}{more}`" in facts
    assert f"*Recipients:* `{', '.join(f'p{n}[@]a[.]example' for n in listed)}{more}`" in facts


SENDERS: dict[str, tuple[dict[str, None], list[str]]] = {
    "from": ({}, ["*From:* `Payroll (pay[@]evil[.]example)`"]),
    "only an envelope": ({"from": None}, ["*From:* `Payroll (bounce[@]evil[.]example)`"]),
    "nothing": ({"from": None, "envelope_from": None}, ["*From:* `Payroll`"]),
}


@pytest.mark.parametrize(("fields", "shown"), SENDERS.values(), ids=SENDERS)
def test_sender_is_the_from_address_or_else_that_of_the_envelope(fields: dict[str, None], shown: list[str]) -> None:
    it: Any = notification(escalated(details=details(**fields)))
    assert shown == [line for line in description(it).splitlines() if line.startswith("*From:*")]


def test_file_is_shown_by_its_file_name_or_else_its_name() -> None:
    it: Any = notification(escalated(detection=detection(attachments=[{"filename": "b", "name": "a"}, {"name": "c"}])))
    assert "*Attachments:* `b, c`" in description(it).splitlines()
