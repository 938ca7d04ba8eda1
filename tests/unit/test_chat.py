"""chat.py: what Amazon Q Developer shows in Slack and Teams."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import chat
from functions.alert.alert import Style, describe
from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.cloudflare.recipients import recipients
from functions.ledger.record import Record, Told
from tests.strategies import Answer, wild_answers, wild_contexts
from tests.unit.examples import FULL, INVESTIGATE_ID, POSTFIX_ID, context, detection, escalated
from tests.unit.mail_client import links

TITLE, DESCRIPTION = 250, 8_000
"""Characters that the schema allows."""


def notification(it: Record) -> dict[str, object]:
    """The notification about a record, with its recipients."""
    return chat.notification(it, recipients(it.detection, it.context))


def description(it: dict[str, Any]) -> str:
    text: str = it["content"]["description"]
    return text


def test_a_notification() -> None:
    """What it is, in a thread with all that was told of the mail."""
    it = escalated(detection=read_detection(FULL), context=context(delivery_status=["delivered"]))
    told: dict[str, Any] = json.loads(describe(it, Style(chat=True)).bodies["https"])
    assert notification(it) == told
    assert ("1.0", "custom", it.alert_id) == (told["version"], told["source"], told["id"])
    assert "client-markdown" == told["content"]["textType"]
    assert "🔴 Critical: MALICIOUS mail, in an inbox" == told["content"]["title"]
    assert 3 == len(told["content"]["nextSteps"])
    assert (POSTFIX_ID, [INVESTIGATE_ID]) == (told["metadata"]["threadId"], told["metadata"]["relatedResources"])
    assert f"""\
Cloudflare is sure: it is malicious, part of an active campaign. It is in an inbox.
*Mail:* `{INVESTIGATE_ID}`
*For:* `gareth[@]larkfield[.]example`
*From:* `pay[@]evil[.]example`
*Subject:* `Your invoice`
*Sent by:* `evil[.]example 192[.]0[.]2[.]1 EXAMPLE-NET`
*Threats:* `Phish`
*Links:* `hxxps[://]login[.]evil[.]example/a`
*Files:* `invoice[.]pdf[.]exe`""" == description(told)


def test_a_drop() -> None:
    """It stands in the same thread, and says so."""
    it = escalated(disposition="NONE", escalates=False, outcome="CLOSED", previous=Told("MALICIOUS", "1" * 32), turn=1)
    told: Any = notification(it)
    assert "⚪ Informational: Mail is NONE now, no longer MALICIOUS" == told["content"]["title"]
    assert (POSTFIX_ID, "mail-close") == (told["metadata"]["threadId"], told["metadata"]["eventType"])


MARKUP = {
    "mention of everybody": "<!channel> <!here> <@U123>",
    "named link": "<https://evil.example|your bank>",
    "markdown link": "[your bank](https://evil.example)",
    "end of the code": "` *bold* <https://evil.example> `",
    "entity": "&lt;!channel&gt;",
}


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_of_an_attacker(text: str) -> None:
    """It is shown as it is, and does nothing."""
    it = escalated(detection=detection(links=[{"href": text}]), context=context(subject=text, **{"from": text}))
    shown: Any = notification(it)
    for line in description(shown).split("\n")[1:]:
        assert re.fullmatch(r"\*[A-Z][a-z ]+:\* `[^`<>|&]+`", line)
    assert links(description(shown)) == []


any_words = st.text(st.characters(), max_size=80) | st.sampled_from(list(MARKUP.values())) | st.just("x" * 10_000)


@given(wild_answers(any_words, st.just("MALICIOUS")), st.none() | wild_contexts(any_words))
def test_any_text_of_an_attacker(answer: Answer, known: Answer | None) -> None:
    """Within the schema's limits, with nothing to click on."""
    context = None if known is None else read_context(known)
    shown: Any = notification(escalated(detection=read_detection(answer), context=context))
    text = description(shown)
    assert (len(shown["content"]["title"]) <= TITLE, len(text) <= DESCRIPTION) == (True, True)
    assert links(text) == []
    assert set("<>|&").isdisjoint(text)


@pytest.mark.parametrize(("count", "more"), [(2, ""), (3, ""), (4, " and 1 more"), (5, " and 2 more")])
def test_at_most_three_of_anything_are_shown_and_the_others_counted(count: int, more: str) -> None:
    found = detection(links=[{"href": f"link{n}"} for n in range(count)])
    people = context(client_recipients=[f"p{n}@a.example" for n in range(count)], to=[], envelope_to=[])
    shown: Any = notification(escalated(detection=found, context=people))
    facts, listed = description(shown).splitlines(), range(min(count, 3))
    assert f"*Links:* `{', '.join(f'link{n}' for n in listed)}{more}`" in facts
    assert f"*For:* `{', '.join(f'p{n}[@]a[.]example' for n in listed)}{more}`" in facts


SENDERS: dict[str, tuple[dict[str, None], list[str]]] = {
    "from": ({}, ["*From:* `pay[@]evil[.]example`"]),
    "only an envelope": ({"from": None}, ["*From:* `bounce[@]evil[.]example`"]),
    "nothing": ({"from": None, "envelope_from": None}, []),
}


@pytest.mark.parametrize(("fields", "shown"), SENDERS.values(), ids=SENDERS)
def test_sender_is_the_from_address_or_else_that_of_the_envelope(fields: dict[str, None], shown: list[str]) -> None:
    it: Any = notification(escalated(context=context(**fields)))
    assert shown == [line for line in description(it).splitlines() if line.startswith("*From:*")]


def test_file_is_shown_by_its_file_name_or_else_its_name() -> None:
    it: Any = notification(escalated(detection=detection(attachments=[{"filename": "b", "name": "a"}, {"name": "c"}])))
    assert "*Files:* `b, c`" in description(it).splitlines()
