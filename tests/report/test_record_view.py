"""What the page shows of one record."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.times import read_time
from ops.escalator.records.stored_record import UnreadableRecord, read_stored_record
from ops.escalator.report.formatting import size, version
from ops.escalator.report.record_view import MAX_SIZE, record_view
from ops.escalator.text.labels import UNREADABLE
from tests.report.records import HOSTILE, items, unreadable_item
from tests.strategies import any_text, json_values
from tests.unit.items import record_item
from tests.unit.mail_client import links


def view(**attributes: Any) -> dict[str, Any]:
    """The view of a record that can be read, with these attributes in place of others."""
    record = read_stored_record(record_item(**attributes))
    assert not isinstance(record, UnreadableRecord), record
    return record_view(record)


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for it in value.values():
            yield from texts(it)
    elif isinstance(value, list):
        for it in value:
            yield from texts(it)


def assert_safe(shown: dict[str, Any]) -> None:
    """The view is small JSON of visible text without a link."""
    assert len(json.dumps(shown, ensure_ascii=False, allow_nan=False)) <= MAX_SIZE
    for text in texts(shown):
        assert [] == links(text)
        assert [] == [c for c in text if unicodedata.category(c)[0] == "C"]


def test_timeline_has_every_time_in_order() -> None:
    """Times are in UTC, each with the time since the one before."""
    shown = view(details={"sent_at": "2026-11-20T15:00:00-05:00", "scanned_at": "soon"})
    assert ("2026-11-20T23:00:00.000+00:00", 2.5, "2.5 s") == (
        shown["decided"],
        shown["seconds"],
        shown["alerted_after"],
    )
    assert [
        {"what": "Email sent, according to its sender", "at": "2026-11-20 20:00:00.000", "after": ""},
        {"what": "Request queued", "at": "2026-11-20 22:59:58.000", "after": "+2 h 59 min"},
        {"what": "Cloudflare answered", "at": "2026-11-20 22:59:59.900", "after": "+1.9 s"},
        {"what": "Decided", "at": "2026-11-20 23:00:00.000", "after": "+100 ms"},
        {"what": "Claimed by a worker", "at": "2026-11-20 23:00:00.005", "after": "+5 ms"},
        {"what": "Alert published", "at": "2026-11-20 23:00:00.500", "after": "+495 ms"},
    ] == shown["timeline"]


DELIVERIES = {
    "delivered": "in an inbox",
    "moved": "moved out of an inbox",
    "quarantined": "quarantined",
    "rejected": "rejected",
    "bounced": "rejected",
    "queued": "not delivered yet",
    "<b>": "delivery unknown",
    7: "delivery unknown",
}


@pytest.mark.parametrize(("status", "label"), DELIVERIES.items(), ids=str)
def test_delivery_has_the_label_of_its_status(status: Any, label: str) -> None:
    """An email that was moved or has bounced is not called quarantined."""
    assert label == view(details={"delivery_status": [status]})["delivery"]


def test_unknown_values_are_left_out() -> None:
    """A revision of 0 and a flag that is false are known."""
    shown = view(drift=[], details={"is_quarantined": False})
    assert ("0", "no") == (shown["revision"], shown["quarantined"])
    assert set() == {"drift", "drift_more", "subject", "detail", "to", "links"} & shown.keys()


def test_headers_give_subject_and_sender_without_details() -> None:
    """Their names are compared without regard to case."""
    headers = [{"name": "SUBJECT", "value": "Hello"}, {"name": "From", "value": "Eve <eve@evil.example>"}]
    shown = view(detection={"headers": headers})
    assert ("Hello", "Eve <eve[@]evil[.]example>") == (shown["subject"], shown["from"])


def test_envelope_is_shown_only_where_it_differs() -> None:
    """It usually equals the headers."""
    details = {
        "from": "a@b.example",
        "envelope_from": "a@b.example",
        "to": ["c@d.example"],
        "envelope_to": ["e@d.example"],
    }
    shown = view(details=details)
    assert (False, ["e[@]d[.]example"]) == ("envelope_from" in shown, shown["envelope_to"])


def test_items_of_a_long_list_are_counted() -> None:
    """The count includes items that the record does not have."""
    urls = [{"href": f"https://evil.example/{n}"} for n in range(25)]
    shown = view(detection={"links": urls}, detection_counts={"links": 900})
    assert (20, 880) == (len(shown["links"]), shown["links_more"])
    shown = view(details={"to": [f"a{n}@b.example" for n in range(25)]}, details_counts={"to": 40})
    assert (20, 20) == (len(shown["to"]), shown["to_more"])


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_record_is_shown_as_safe_text(payload: str) -> None:
    """Nothing of it attacks the display or the reader, and it stays below the limit."""
    at = list(HOSTILE.values()).index(payload)
    record = read_stored_record(list(items(len(HOSTILE)))[at])
    assert not isinstance(record, UnreadableRecord), record
    assert_safe(record_view(record))


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_unreadable_record_is_shown_as_safe_text(payload: str) -> None:
    """It is one line that names the attribute at fault."""
    record = read_stored_record(unreadable_item(payload))
    assert isinstance(record, UnreadableRecord)
    shown = record_view(record)
    assert_safe(shown)
    assert UNREADABLE == shown["outcome"]
    assert shown["subject"].startswith(f"This record cannot be read: attribute {record.attribute} has a value ")


INNER_FIELDS = {
    "details": ("subject", "from", "to", "envelope_to", "sent_at", "is_quarantined"),
    "detection": ("links", "attachments", "findings", "headers", "threat_categories", "sender_info", "validation"),
    "detection_counts": ("links", "findings"),
}
any_details = st.fixed_dictionaries(
    {},
    optional={
        name: st.fixed_dictionaries({}, optional=dict.fromkeys(fields, json_values()))
        for name, fields in INNER_FIELDS.items()
    },
)
any_attributes = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys((*record_item().keys() - {"pk", "sk"}, *INNER_FIELDS, "expires_at"), json_values()),
)


@given(any_details | any_attributes)
def test_any_record_is_shown_as_safe_text(attributes: dict[str, Any]) -> None:
    """Values of any type are shown, left out, or named as the reason why the record cannot be read."""
    assert_safe(record_view(read_stored_record(record_item(**attributes))))


WORST = '"' * 10_000
FULL: dict[str, Any] = {
    "details": {"subject": WORST, "to": [WORST] * 99, "envelope_to": [WORST] * 98, "client_recipients": [WORST] * 97},
    "drift": [WORST] * 99,
    "escalate_on": [WORST] * 99,
    "detection": {
        "links": [{"href": WORST, "text": WORST}] * 99,
        "attachments": [{"filename": WORST, "sha256": WORST, "md5": WORST}] * 99,
        "findings": [{"reason": WORST, "detail": WORST, "value": WORST, "name": WORST}] * 99,
        "threat_categories": [{"name": WORST, "description": WORST}] * 99,
    },
}


def test_lists_of_a_full_record_are_cut_and_counted() -> None:
    """Single values stay."""
    names = ("alert_id", "owner", "detail", "disposition", "sender_domain", "sqs_message_id", "release")
    shown = view(**FULL | dict.fromkeys(names, WORST))
    assert_safe(shown)
    assert 99 == len(shown.get("links", [])) + shown["links_more"]
    assert {"subject", "detail", "disposition", "alert_id"} <= shown.keys()


@given(
    st.lists(st.fixed_dictionaries({"href": any_text | st.just("\U0001f600" * 1_000), "text": any_text}), max_size=40)
)
def test_any_links_are_shown_or_counted(urls: list[dict[str, str]]) -> None:
    """No link is lost from the count."""
    shown = view(detection={"links": urls}, detection_counts={"links": len(urls)})
    assert len(urls) == len(shown.get("links", [])) + shown.get("links_more", 0)


TIMES = {
    "time of the ledger": ("2026-11-24T02:19:01.003Z", datetime(2026, 11, 24, 2, 19, 1, 3_000, UTC)),
    "another zone": ("2026-11-24T02:19:01+02:00", datetime(2026, 11, 24, 0, 19, 1, 0, UTC)),
    "without a zone": ("2026-11-24T02:19:01", datetime(2026, 11, 24, 2, 19, 1, 0, UTC)),
    "no time": ("yesterday", None),
    "before computers": ("0001-01-01T00:00:00+14:00", None),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("value", "expected"), TIMES.values(), ids=TIMES)
def test_time_of_the_details_is_read_in_utc(value: str | None, expected: datetime | None) -> None:
    """Other text is not a time."""
    assert expected == read_time(value)


SIZES = {
    "small": (999, "999 bytes"),
    "large": (143_355, "143.4 kB (143,355 bytes)"),
    "negative": (-1, "-1"),
    "unknown": (None, ""),
}


@pytest.mark.parametrize(("value", "expected"), SIZES.values(), ids=SIZES)
def test_size_is_rounded_and_exact(value: int | None, expected: str) -> None:
    """A human reads the first number, a tool the second."""
    assert expected == size(value)


VERSIONS = {"0.1.0": "0.1.0", "2.10": "2.10", "192.0.2.1": "192[.]0[.]2[.]1", "1.evil.example": "1[.]evil[.]example"}


@pytest.mark.parametrize(("value", "expected"), VERSIONS.items(), ids=VERSIONS)
def test_release_is_shown_as_recorded(value: str, expected: str) -> None:
    """Only a version keeps its dots; an address does not."""
    assert expected == version(value)
