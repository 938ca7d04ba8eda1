"""Items of the table, parsed once into dataclasses, or reported as unreadable."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.detection import Detection
from functions.domain.message_details import Delivery
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import State
from functions.domain.severity import Severity
from ops.escalator.records.record_summary import RecordSummary, read_summary
from ops.escalator.records.stored_record import (
    StoredEmail,
    StoredRecord,
    UnreadableRecord,
    read_stored_email,
    read_stored_record,
)
from tests.strategies import json_values
from tests.unit.examples import INVESTIGATE_ID, POSTFIX_ID
from tests.unit.items import email_item, record_item


def stored(**changes: Any) -> StoredRecord:
    """The record of an item that can be read."""
    record = read_stored_record(record_item(**changes))
    assert isinstance(record, StoredRecord), record
    return record


def test_record_has_enums_and_times() -> None:
    """Closed sets are enums and times have a time zone."""
    record = stored(lease_until="2026-11-21T00:01:05+01:00", expires_at=1_795_486_741)
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED) == (record.record.outcome, record.record.reason)
    assert (State.SENT, Severity.HIGH) == (record.state, record.record.severity)
    assert (datetime(2026, 11, 20, 23, tzinfo=UTC), 2.5) == (record.record.decided_at, record.seconds_to_publish)
    assert record.claim is not None
    assert (datetime(2026, 11, 20, 23, 1, 5, tzinfo=UTC), "worker-1") == (record.claim.lease_until, record.claim.owner)
    assert datetime(2026, 11, 24, 2, 19, 1, tzinfo=UTC) == record.expires_at


def test_time_with_offset_is_read_in_utc() -> None:
    """Days are counted in UTC, whatever the offset of a time."""
    assert "2026-11-20T23:00:00+00:00" == stored(decided_at="2026-11-21T01:00:00+02:00").record.decided_at.isoformat()


def test_odd_values_inside_detection_and_details_read_as_absent() -> None:
    """A sender or a new contract cannot make a record unreadable."""
    record = stored(detection={"links": 7, "sender_info": []}, detection_counts={}, details={"to": {"a": 1}}).record
    assert isinstance(record.detection, Detection)
    assert ((), None, Delivery.UNKNOWN) == (record.detection.links, record.detection.sender_info.ip, record.delivery)


UNREADABLE: dict[str, tuple[str, Any]] = {
    "unknown outcome": ("outcome", "POSTPONED"),
    "unknown reason": ("reason", "moon-phase"),
    "unknown severity": ("severity", "Extreme"),
    "unknown state": ("state", "LOST"),
    "list as outcome": ("outcome", ["ESCALATED"]),
    "number as account": ("account_id", 7),
    "text as list": ("escalate_on", "MALICIOUS"),
    "list of numbers": ("drift", [1]),
    "text as detection": ("detection", "none"),
    "null as details": ("details", None),
    "text as count": ("detection_counts", {"links": "many"}),
    "no time": ("queued_at", "yesterday"),
    "time without a zone": ("queued_at", "2026-11-20T23:00:00"),
    "time before 1970": ("published_at", "0001-01-01T00:00:00Z"),
    "time before the calendar": ("published_at", "0001-01-01T00:00:00+14:00"),
    "epoch beyond the calendar": ("expires_at", 10**400),
    "epoch that is no number": ("expires_at", float("nan")),
    "flag as epoch": ("expires_at", True),
    "flag as revision": ("revision", True),
}


@pytest.mark.parametrize(("name", "value"), UNREADABLE.values(), ids=UNREADABLE)
def test_wrong_value_makes_record_unreadable(name: str, value: Any) -> None:
    """The attribute at fault is named, with the key of the record."""
    item = record_item(**{name: value})
    record = read_stored_record(item)
    assert isinstance(record, UnreadableRecord)
    assert (name, item["pk"], item["sk"]) == (record.attribute, record.position.pk, record.position.sk)
    assert record.item is item


REQUIRED = ("account_id", "id", "outcome", "reason", "decided_at", "queued_at", "state", "revision", "detection_counts")


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_attribute_makes_record_unreadable(name: str) -> None:
    """The message says which attribute is missing."""
    item = record_item()
    del item[name]
    record = read_stored_record(item)
    assert isinstance(record, UnreadableRecord)
    assert f"{item['pk']} {item['sk']}: attribute {name} is missing" == str(record)


def test_summary_has_enums_and_times() -> None:
    """An entry of the index by time has no more than what statistics need."""
    summary = read_summary(record_item())
    assert isinstance(summary, RecordSummary)
    assert (Outcome.ESCALATED, State.SENT, 2.5) == (summary.outcome, summary.state, summary.seconds_to_publish)


def test_email_has_its_last_alert_and_deliveries() -> None:
    """The key names the email and its account."""
    email = read_stored_email(email_item())
    assert isinstance(email, StoredEmail)
    assert (POSTFIX_ID, "account") == (email.email, email.account_id)
    assert email.state.alert is not None
    assert ("SUSPICIOUS", True) == (email.state.alert.disposition, email.state.complete)
    assert {INVESTIGATE_ID: Delivery.HELD} == {key: it.delivery for key, it in email.state.deliveries.items()}


WRONG_EMAIL: dict[str, tuple[dict[str, Any], str]] = {
    "text as flag": ({"escalated": "yes"}, "escalated"),
    "list as deliveries": ({"deliveries": []}, "deliveries"),
    "text as delivery": ({"deliveries": {"-": "held"}}, "deliveries"),
    "delivery without a time": ({"deliveries": {"-": {"disposition": "SPAM", "escalates": False}}}, "severity"),
}


@pytest.mark.parametrize(("changes", "attribute"), WRONG_EMAIL.values(), ids=WRONG_EMAIL)
def test_wrong_email_is_unreadable(changes: dict[str, Any], attribute: str) -> None:
    """The attribute at fault is named."""
    email = read_stored_email(email_item(**changes))
    assert isinstance(email, UnreadableRecord)
    assert attribute == email.attribute


@given(st.dictionaries(st.sampled_from([*record_item().keys() - {"pk", "sk"}]), json_values(), max_size=6))
def test_any_item_is_read_or_unreadable(changes: dict[str, Any]) -> None:
    """Reading never raises."""
    for read in (read_stored_record, read_summary, read_stored_email):
        assert isinstance(read(record_item(**changes)), StoredRecord | RecordSummary | StoredEmail | UnreadableRecord)


@given(st.dictionaries(st.sampled_from([*email_item().keys() - {"pk", "sk"}]), json_values(), max_size=6))
def test_any_email_item_is_read_or_unreadable(changes: dict[str, Any]) -> None:
    """Reading never raises."""
    assert isinstance(read_stored_email(email_item(**changes)), StoredEmail | UnreadableRecord)
