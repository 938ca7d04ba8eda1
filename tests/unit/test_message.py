"""message.py: an SQS record, parsed once."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.escalate.message import FIRST_SEEN, read_messages

EVENTS = Path(__file__).parents[2] / "events"
RECORD: dict[str, Any] = json.loads((EVENTS / "malicious.json").read_text(encoding="utf-8"))["Records"][0]
SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def record(**attributes: object) -> dict[str, Any]:
    """A record that was sent at noon, with these message attributes."""
    it = copy.deepcopy(RECORD)
    it["attributes"]["SentTimestamp"] = epoch_ms(SENT)
    return it | {"messageAttributes": attributes}


def epoch_ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def number(value: str) -> dict[str, object]:
    return {"stringValue": value, "dataType": "Number"}


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_an_event_of_ours(path: Path) -> None:
    """Every record is read, in order, with what SQS said about it."""
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
        (it.id, it.body, it.receipt_handle, it.receives, epoch_ms(it.sent_at))
        for it in read_messages({"Records": records})
    ]
    assert expected == actual


def test_an_event_that_is_not_of_sqs() -> None:
    """A wrong trigger is told at once, and not taken for an empty batch."""
    with pytest.raises(KeyError):
        read_messages({"detail-type": "Scheduled Event"})


def test_a_message_that_was_sent_again() -> None:
    """The time of its first arrival has travelled with it."""
    first = SENT - timedelta(days=2)
    [read] = read_messages({"Records": [record(**{FIRST_SEEN: number(epoch_ms(first))})]})
    assert (SENT, first) == (read.sent_at, read.first_seen)


NO_FIRST_SEEN: dict[str, dict[str, object]] = {
    "absent": {},
    "somebody else's attribute": {"traceparent": {"stringValue": "1795183637359", "dataType": "String"}},
    "another case": {"First_Seen": number("1795183637359")},
    "without a value": {FIRST_SEEN: {}},
    "null": {FIRST_SEEN: {"stringValue": None, "dataType": "String"}},
    "binary": {FIRST_SEEN: {"binaryValue": "MTc5NTE4MzYzNzM1OQ==", "dataType": "Binary"}},
    "empty": {FIRST_SEEN: number("")},
    "seconds instead of milliseconds": {FIRST_SEEN: number("1795183637")},
    "a date": {FIRST_SEEN: number("2026-11-20T00:00:00Z")},
    "negative": {FIRST_SEEN: number("-179518363735")},
    "digits of another script": {FIRST_SEEN: number("١٧٩٥١٨٣٦٣٧٣٥٩")},
    "with a newline": {FIRST_SEEN: number("1795183637359\n")},
    "beyond every calendar": {FIRST_SEEN: number("9" * 400)},
    "in the future": {FIRST_SEEN: number("9999999999999")},
    "before there was a queue": {FIRST_SEEN: number("0000000000000")},
}


@pytest.mark.parametrize("attributes", NO_FIRST_SEEN.values(), ids=NO_FIRST_SEEN)
def test_no_plausible_first_arrival(attributes: dict[str, object]) -> None:
    """A producer's attribute neither breaks the batch, nor keeps a message for ever, nor gives it up at once."""
    [read] = read_messages({"Records": [record(**attributes)]})
    assert read.first_seen == SENT
