"""sqs_message.py: an SQS record becomes a message."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.feed_facts import FeedFacts, feed_text, read_feed_text
from functions.escalate.sqs_message import FIRST_SEEN, FROM_FEED, read_messages

EVENTS = Path(__file__).parents[2] / "events"
RECORD: dict[str, Any] = json.loads((EVENTS / "malicious.json").read_text(encoding="utf-8"))["Records"][0]
SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def record(**attributes: object) -> dict[str, Any]:
    """A record that was sent at noon, with these message attributes."""
    copied = copy.deepcopy(RECORD)
    copied["attributes"]["SentTimestamp"] = epoch_ms(SENT)
    return copied | {"messageAttributes": attributes}


def epoch_ms(time: datetime) -> str:
    return str(int(time.timestamp() * 1000))


def number(value: str) -> dict[str, object]:
    return {"stringValue": value, "dataType": "Number"}


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_records_of_an_event_are_read_in_order(path: Path) -> None:
    """Body, ids, receive count and time come from the record."""
    records = json.loads(path.read_text(encoding="utf-8"))["Records"]
    expected = [
        (
            it["messageId"],
            it["body"],
            it["receiptHandle"],
            int(it["attributes"]["ApproximateReceiveCount"]),
            it["attributes"]["SentTimestamp"],
        )
        for it in records
    ]
    actual = [
        (it.id, it.body, it.receipt_handle, it.receive_count, epoch_ms(it.sent_at))
        for it in read_messages({"Records": records})
    ]
    assert expected == actual


def test_event_of_another_source_raises_key_error() -> None:
    """A wrong trigger is an error, not an empty batch."""
    with pytest.raises(KeyError):
        read_messages({"detail-type": "Scheduled Event"})


def test_requeued_message_keeps_the_time_of_its_first_arrival() -> None:
    """The attribute `first_seen` overrides the sent timestamp."""
    first_seen = SENT - timedelta(days=2)
    [read] = read_messages({"Records": [record(**{FIRST_SEEN: number(epoch_ms(first_seen))})]})
    assert (SENT, first_seen) == (read.sent_at, read.first_seen)


NO_FIRST_SEEN: dict[str, dict[str, object]] = {
    "absent": {},
    "attribute with another name": {"traceparent": {"stringValue": "1795183637359", "dataType": "String"}},
    "attribute in another case": {"First_Seen": number("1795183637359")},
    "without a value": {FIRST_SEEN: {}},
    "null": {FIRST_SEEN: {"stringValue": None, "dataType": "String"}},
    "binary": {FIRST_SEEN: {"binaryValue": "MTc5NTE4MzYzNzM1OQ==", "dataType": "Binary"}},
    "empty": {FIRST_SEEN: number("")},
    "seconds instead of milliseconds": {FIRST_SEEN: number("1795183637")},
    "a date": {FIRST_SEEN: number("2026-11-20T00:00:00Z")},
    "negative": {FIRST_SEEN: number("-179518363735")},
    "digits of another script": {FIRST_SEEN: number("١٧٩٥١٨٣٦٣٧٣٥٩")},
    "with a newline": {FIRST_SEEN: number("1795183637359\n")},
    "too large for a date": {FIRST_SEEN: number("9" * 400)},
    "in the future": {FIRST_SEEN: number("9999999999999")},
    "before SQS existed": {FIRST_SEEN: number("0000000000000")},
}


@pytest.mark.parametrize("attributes", NO_FIRST_SEEN.values(), ids=NO_FIRST_SEEN)
def test_implausible_first_seen_is_ignored(attributes: dict[str, object]) -> None:
    """A producer cannot break the batch, or change how long a message is retried."""
    [read] = read_messages({"Records": [record(**attributes)]})
    assert read.first_seen == SENT


ROLE = "AROA3XFRBF535EXAMPLE1"
SENDERS: dict[str, tuple[str | None, str | None, bool]] = {
    "the function": (ROLE, f"{ROLE}:stack-escalate", True),
    "another role": (ROLE, "AROA3XFRBF535EXAMPLE2:stack-escalate", False),
    "a role whose id begins in the same way": (ROLE, f"{ROLE}0:stack-escalate", False),
    "a user": (ROLE, "AIDA3XFRBF535EXAMPLE3", False),
    "a session with the name of the role": (ROLE, f"AROA3XFRBF535EXAMPLE2:{ROLE}:x", False),
    "an AWS service": (ROLE, "AIDAIT2UOQQY3AUEKVGXU", False),
    "an unknown sender": (ROLE, None, False),
    "a role in lower case": (ROLE, f"{ROLE.lower()}:stack-escalate", False),
    "anyone, if no role is configured": (None, "AIDA3XFRBF535EXAMPLE3", True),
    "an unknown sender, if no role is configured": (None, None, True),
}


@pytest.mark.parametrize(("role_id", "sender", "is_believed"), SENDERS.values(), ids=SENDERS)
def test_first_seen_counts_only_from_the_function(role_id: str | None, sender: str | None, is_believed: bool) -> None:
    """A producer cannot forge times, or trip an alarm."""
    first_seen = SENT - timedelta(days=2)
    it = record(**{FIRST_SEEN: number(epoch_ms(first_seen))})
    it["attributes"].pop("SenderId")
    it["attributes"] |= {} if sender is None else {"SenderId": sender}
    [read] = read_messages({"Records": [it]}, role_id)
    assert (first_seen if is_believed else SENT) == read.first_seen


# --- messages of the feed ---------------------------------------------------------------------------------------------

OURS, FEED = "AROA3XFRBF535EXAMPLE1", "AROA3XFRBF535EXAMPLE2"
FEED_SENDERS: dict[str, tuple[str, dict[str, Any], str | None, bool]] = {
    "the feed": (f"{FEED}:feed", {}, FEED, True),
    "the function, as a copy of the feed's message": (
        f"{OURS}:escalate",
        {FROM_FEED: {"stringValue": "true"}},
        FEED,
        True,
    ),
    "the function": (f"{OURS}:escalate", {}, FEED, False),
    "a producer that claims to be the feed": ("AIDAPRODUCER:x", {FROM_FEED: {"stringValue": "true"}}, FEED, False),
    "a producer whose id starts like the feed's": (f"{FEED}2:x", {}, FEED, False),
    "anyone, without a feed": (f"{FEED}:feed", {}, None, False),
}


@pytest.mark.parametrize(("sender", "attributes", "feed", "expected"), FEED_SENDERS.values(), ids=FEED_SENDERS)
def test_message_is_of_the_feed_if_its_role_sent_it(
    sender: str, attributes: dict[str, Any], feed: str | None, expected: bool
) -> None:
    """SQS sets the sender, so that no producer can choose it."""
    sent = record(**attributes)
    sent["attributes"]["SenderId"] = sender
    [message] = read_messages({"Records": [sent]}, OURS, feed)
    assert expected == (message.feed is not None)


FACTS = FeedFacts(
    loop="hourly",
    seen_at=SENT,
    missing=True,
    edf_hash="0f1e",
    delivery_mode="API",
    delivery_status=("quarantined", "delivered"),
    details_of="2026-11-23T12:01:00.000Z 0123/4Njp3P0STMz2c02Q#0",
)


@pytest.mark.parametrize("sender", [f"{FEED}:feed", f"{OURS}:escalate"], ids=["the feed", "a copy of the function"])
def test_facts_of_the_feed_are_read_and_kept_by_a_copy(sender: str) -> None:
    sent = record(**{FROM_FEED: {"stringValue": feed_text(FACTS)}})
    sent["attributes"]["SenderId"] = sender
    [message] = read_messages({"Records": [sent]}, OURS, FEED)
    assert FACTS == message.feed


@pytest.mark.parametrize("role_id", [OURS, None], ids=["with a role", "without a role"])
def test_facts_of_a_producer_are_not_read(role_id: str | None) -> None:
    """They would change the severity of an alert."""
    sent = record(**{FROM_FEED: {"stringValue": feed_text(FACTS)}})
    sent["attributes"]["SenderId"] = "AIDAPRODUCER:x"
    [message] = read_messages({"Records": [sent]}, role_id, FEED)
    assert message.feed is None


UNREADABLE = {
    "nothing": "",
    "true, of an older release": "true",
    "a list": "[]",
    "half": "{",
    "nested too deeply": "[" * 100_000,
    "of other types": '{"seen_at": "yesterday", "delivery_status": 5, "loop": {}}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_facts_of_the_feed_are_unknown(text: str) -> None:
    """A message of an older or a newer release is never lost."""
    assert FeedFacts() == read_feed_text(text)


def test_facts_that_are_no_words_are_left_out() -> None:
    """They come from Cloudflare. What does not look like a word could be mail content, or too long for the message."""
    odd = FeedFacts(edf_hash="x" * 65, delivery_mode="two words", delivery_status=("delivered",) * 9 + ("d\u202e",))
    assert FeedFacts(delivery_status=("delivered",)) == read_feed_text(feed_text(odd))
