"""entry.py: what the page is told of one record."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.escalator.report.entry import LIMIT, entry
from ops.escalator.report.shown import duration, moment, size, version
from tests.report.records import HOSTILE, records
from tests.strategies import any_text, json_values
from tests.unit.mail_client import links


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


TIMES = {
    "decided_at": "2026-11-24T02:19:01.003Z",
    "queued_at": "2026-11-24T02:18:59.146Z",
    "published_at": "2026-11-24T02:19:01.051Z",
    "context": {"sent_at": "2026-11-23T20:00:00-05:00"},
}


def test_the_times_of_a_record() -> None:
    """They stand in their order, in UTC, each with what passed since the one before."""
    shown = entry(TIMES)
    assert ("2026-11-24T02:19:01.003+00:00", 1.905, "1.9 s") == (
        shown["decided"],
        shown["seconds"],
        shown["alerted_after"],
    )
    assert [
        {"what": "Mail sent, says its sender", "at": "2026-11-24 01:00:00.000", "after": ""},
        {"what": "Request queued", "at": "2026-11-24 02:18:59.146", "after": "+1 h 18 min"},
        {"what": "Decided", "at": "2026-11-24 02:19:01.003", "after": "+1.9 s"},
        {"what": "Alert published", "at": "2026-11-24 02:19:01.051", "after": "+48 ms"},
    ] == shown["timeline"]


DELIVERED = {"true": "delivered", "false": "held", "unknown": "unknown", None: "unknown", "<b>": "unknown"}


@pytest.mark.parametrize(("word", "expected"), DELIVERED.items(), ids=str)
def test_delivery(word: str | None, expected: str) -> None:
    """There are three answers to whether a mail is in an inbox, whatever the record says."""
    assert expected == entry({"delivered": word})["delivered"]


def test_what_is_not_known() -> None:
    """It is left out; a turn of 0 and a flag that is false are known."""
    shown = entry({"turn": 0, "state": "", "drift": [], "context": {"is_quarantined": False}, "detection": None})
    assert {"delivered": "unknown", "turn": "0", "quarantined": "no"} == shown


def test_a_mail_whose_context_is_not_known() -> None:
    """Its headers say what it calls itself, and who it says it is from."""
    headers = [{"name": "SUBJECT", "value": "Hello"}, {"name": "From", "value": "Eve <eve@evil.example>"}]
    shown = entry({"detection": {"headers": headers}})
    assert ("Hello", "Eve <eve[@]evil[.]example>") == (shown["subject"], shown["from"])


def test_an_envelope_that_says_the_same() -> None:
    """It is left out; one that says something else is not."""
    context = {
        "from": "a@b.example",
        "envelope_from": "a@b.example",
        "to": ["c@d.example"],
        "envelope_to": ["e@d.example"],
    }
    shown = entry({"context": context})
    assert (False, ["e[@]d[.]example"]) == ("envelope_from" in shown, shown["envelope_to"])


def test_a_list_that_is_too_long() -> None:
    """What Cloudflare gave beyond that which is shown is counted, also where the record kept less."""
    links_of_a_mail = [{"href": f"https://evil.example/{n}"} for n in range(25)]
    shown = entry({"detection": {"links": links_of_a_mail}, "detection_counts": {"links": 900}})
    assert (20, 880) == (len(shown["links"]), shown["links_more"])


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record(payload: str) -> None:
    """It does not grow beyond its limit, and of what attacks display or reader nothing is left."""
    at = list(HOSTILE.values()).index(payload)
    shown = entry(list(records(len(HOSTILE)))[at])
    assert len(json.dumps(shown, ensure_ascii=False)) <= LIMIT
    assert [] == [it for it in texts(shown) if links(it)]


any_record = st.fixed_dictionaries(
    {},
    optional={
        name: json_values() | st.fixed_dictionaries({}, optional=dict.fromkeys(inner, json_values()))
        if inner
        else json_values()
        for name, inner in {
            **dict.fromkeys(("decided_at", "queued_at", "published_at", "expires_at", "severity", "state", "id"), ()),
            **dict.fromkeys(("drift", "escalate_on", "delivered", "delivery_status", "disposition", "release"), ()),
            "context": ("subject", "from", "to", "envelope_to", "sent_at", "is_quarantined"),
            "detection": (
                "links",
                "attachments",
                "findings",
                "headers",
                "threat_categories",
                "sender_info",
                "validation",
            ),
            "detection_counts": ("links", "findings"),
        }.items()
    },
)


WORST = '"' * 10_000
FULL = {
    "context": {"subject": WORST, "to": [WORST] * 99, "envelope_to": [WORST] * 98, "client_recipients": [WORST] * 97},
    "drift": [WORST] * 99,
    "escalate_on": [WORST] * 99,
    "detection": {
        "links": [{"href": WORST, "text": WORST}] * 99,
        "attachments": [{"filename": WORST, "sha256": WORST, "md5": WORST}] * 99,
        "findings": [{"reason": WORST, "detail": WORST, "value": WORST, "name": WORST}] * 99,
        "threat_categories": [{"name": WORST, "description": WORST}] * 99,
    },
}


def test_a_record_that_is_full() -> None:
    """Its lists give way, and are still counted; what there is one of stays."""
    names = ("id", "alert_id", "owner", "detail", "disposition", "sender_domain", "sqs_message_id", "reason", "release")
    shown = entry(FULL | dict.fromkeys(names, WORST))
    assert len(json.dumps(shown, ensure_ascii=False)) <= LIMIT
    assert 99 == len(shown.get("links", [])) + shown["links_more"]
    assert {"subject", "detail", "disposition", "alert_id"} <= shown.keys()


@given(any_record)
def test_any_record(record: dict[str, Any]) -> None:
    """Whatever stands in it, it becomes JSON that any parser takes, of visible text without a link."""
    shown = entry(record)
    json.dumps(shown, allow_nan=False)
    for it in texts(shown):
        assert [] == links(it)
        assert [] == [c for c in it if unicodedata.category(c)[0] == "C"]


@given(
    st.lists(st.fixed_dictionaries({"href": any_text | st.just("\U0001f600" * 1_000), "text": any_text}), max_size=40)
)
def test_any_links(items: list[dict[str, str]]) -> None:
    """As many are shown as there is room for, and the rest is counted."""
    shown = entry({"detection": {"links": items}})
    assert len(items) == len(shown.get("links", [])) + shown.get("links_more", 0)


DURATIONS = {
    0.0: "0.0 s",
    59.94: "59.9 s",
    59.96: "1 min",
    61: "1 min 1 s",
    3_600: "1 h",
    3_605: "1 h",
    93_784: "1 d 2 h",
    -2.0: "-2.0 s",
}


@pytest.mark.parametrize(("seconds", "expected"), DURATIONS.items(), ids=DURATIONS.values())
def test_a_duration(seconds: float, expected: str) -> None:
    """It is told in two units at most, the greatest and the next."""
    assert expected == duration(seconds)


MOMENTS = {
    "ours": ("2026-11-24T02:19:01.003Z", datetime(2026, 11, 24, 2, 19, 1, 3_000, UTC)),
    "another zone": ("2026-11-24T02:19:01+02:00", datetime(2026, 11, 24, 0, 19, 1, 0, UTC)),
    "without a zone": ("2026-11-24T02:19:01", datetime(2026, 11, 24, 2, 19, 1, 0, UTC)),
    "epoch seconds": (1_795_486_741, datetime(2026, 11, 24, 2, 19, 1, 0, UTC)),
    "no time": ("yesterday", None),
    "before computers": ("0001-01-01T00:00:00+14:00", None),
    "beyond calendars": (10**400, None),
    "no number": (float("nan"), None),
    "a flag": (True, None),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("value", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_a_moment(value: Any, expected: datetime | None) -> None:
    """It is read in UTC, or is none."""
    assert expected == moment(value)


SIZES = {"small": (999, "999 bytes"), "large": (143_355, "143.4 kB (143,355 bytes)"), "text": ("a.b", "a[.]b")}


@pytest.mark.parametrize(("value", "expected"), SIZES.values(), ids=SIZES)
def test_a_size(value: Any, expected: str) -> None:
    """It is told for a human, and exactly."""
    assert expected == size(value)


VERSIONS = {"0.1.0": "0.1.0", "2.10": "2.10", "192.0.2.1": "192[.]0[.]2[.]1", "1.evil.example": "1[.]evil[.]example"}


@pytest.mark.parametrize(("value", "expected"), VERSIONS.items(), ids=VERSIONS)
def test_a_release(value: str, expected: str) -> None:
    """Its dots stay, if it is one; an address is none."""
    assert expected == version(value)
