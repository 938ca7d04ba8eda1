"""Parsing of message details, from any result."""

from typing import Any

import pytest
from hypothesis import given

from functions.domain.email_id import EmailId
from functions.domain.message_details import Delivery, EmailKind, MessageDetails, read_message_details
from tests.strategies import Answer, documented_details, json_values, wild_details
from tests.unit.examples import DETAILS, INVESTIGATE_ID, details


def test_every_field_is_parsed() -> None:
    """Each field of the result is in the message details, and an unknown field is ignored."""
    expected = MessageDetails(
        id=EmailId(INVESTIGATE_ID),
        subject="s",
        from_="a@x.example",
        from_name="A",
        replyto="r@x.example",
        envelope_from="b@x.example",
        message_id="<1@x.example>",
        delivery_mode="DIRECT",
        is_quarantined=False,
        scanned_at="2026-01-01T00:00:01Z",
        sent_at="2026-01-01T00:00:00Z",
        to=("c@x.example",),
        envelope_to=("d@x.example",),
        client_recipients=("e@x.example",),
        delivery_status=("delivered",),
        detection_reasons=("because",),
    )
    assert expected == read_message_details(
        {
            "id": INVESTIGATE_ID,
            "subject": "s",
            "from": "a@x.example",
            "from_name": "A",
            "replyto": "r@x.example",
            "envelope_from": "b@x.example",
            "message_id": "<1@x.example>",
            "delivery_mode": "DIRECT",
            "is_quarantined": False,
            "scanned_at": "2026-01-01T00:00:01Z",
            "sent_at": "2026-01-01T00:00:00Z",
            "to": ["c@x.example"],
            "envelope_to": ["d@x.example"],
            "client_recipients": ["e@x.example"],
            "delivery_status": ["delivered"],
            "detection_reasons": ["because"],
            "brand_new": 1,
        }
    )


# --- delivery ---------------------------------------------------------------------------------------------------------

DELIVERIES = {
    "delivered": (Delivery.DELIVERED, "true"),
    "moved": (Delivery.MOVED, "false"),
    "quarantined": (Delivery.HELD, "false"),
    "rejected": (Delivery.REJECTED, "false"),
    "bounced": (Delivery.REJECTED, "false"),
    "deferred": (Delivery.UNDER_WAY, "unknown"),
    "queued": (Delivery.UNDER_WAY, "unknown"),
    "teleported": (Delivery.UNKNOWN, "unknown"),
    "": (Delivery.UNKNOWN, "unknown"),
}


@pytest.mark.parametrize(("status", "expected"), DELIVERIES.items(), ids=DELIVERIES)
def test_each_status_maps_to_a_delivery_in_any_case(status: str, expected: tuple[Delivery, str]) -> None:
    """An unknown status gives an unknown delivery."""
    lower_case = details(delivery_status=[status], is_quarantined=None)
    upper_case = details(delivery_status=[status.upper()], is_quarantined=None)
    assert expected == (lower_case.delivery, lower_case.delivery.delivered)
    assert lower_case.delivery == upper_case.delivery


SEVERAL_STATUSES = {
    "one recipient has it in an inbox": (["quarantined", "rejected", "delivered"], Delivery.DELIVERED),
    "it may still arrive": (["quarantined", "deferred"], Delivery.UNDER_WAY),
    "it was moved out of an inbox": (["rejected", "moved", "quarantined"], Delivery.MOVED),
    "quarantined or bounced": (["bounced", "quarantined"], Delivery.HELD),
    "bounced or rejected": (["bounced", "rejected"], Delivery.REJECTED),
    "the same status twice": (["delivered", "delivered"], Delivery.DELIVERED),
    "an unknown status and a known one": (["teleported", "rejected"], Delivery.REJECTED),
    "values that are not texts": ([None, 7, "moved", {}], Delivery.MOVED),
}


@pytest.mark.parametrize(("statuses", "expected"), SEVERAL_STATUSES.values(), ids=SEVERAL_STATUSES)
def test_most_urgent_status_applies_in_any_order(statuses: list[object], expected: Delivery) -> None:
    """An email to several recipients has the most urgent of their statuses."""
    in_both_orders = [details(delivery_status=order, is_quarantined=None) for order in (statuses, statuses[::-1])]
    assert [expected] * 2 == [parsed.delivery for parsed in in_both_orders]


QUARANTINED = {
    "no status": ([], True, Delivery.HELD),
    "an unknown status": (["teleported"], True, Delivery.HELD),
    "not quarantined": ([], False, Delivery.UNKNOWN),
    "is_quarantined null": ([], None, Delivery.UNKNOWN),
    "is_quarantined as text": ([], "true", Delivery.HELD),
    "a status that contradicts it": (["delivered"], True, Delivery.DELIVERED),
    "a status as a text in place of a list": ("delivered", None, Delivery.DELIVERED),
}


@pytest.mark.parametrize(("statuses", "quarantined", "expected"), QUARANTINED.values(), ids=QUARANTINED)
def test_is_quarantined_applies_only_without_a_known_status(
    statuses: object, quarantined: object, expected: Delivery
) -> None:
    """A known status takes precedence over `is_quarantined`."""
    assert expected == details(delivery_status=statuses, is_quarantined=quarantined).delivery


# --- recipients -------------------------------------------------------------------------------------------------------


def test_recipients_are_ordered_and_without_duplicates() -> None:
    """Mailboxes come first, then the envelope, then the headers."""
    parsed = details(client_recipients=["a@x", "b@x"], envelope_to=["b@x", "c@x"], to=["d@x", "a@x"])
    assert ("a@x", "b@x", "c@x", "d@x") == parsed.recipients


# --- arbitrary values -------------------------------------------------------------------------------------------------

ODD_IDS = {
    "a postfix_id": ("4Njp3P0STMz2c02Q", EmailId("4Njp3P0STMz2c02Q")),
    "a path": ("../../etc", None),
    "an id and a newline": (f"{INVESTIGATE_ID}\n", None),
    "a number": (7, None),
    "null": (None, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_IDS.values(), ids=ODD_IDS)
def test_id_is_absent_if_it_does_not_match_the_pattern(value: object, expected: EmailId | None) -> None:
    """Only an id of one of the three kinds is kept, because it becomes part of a key."""
    assert expected == details(id=value).id


def test_lone_surrogate_is_replaced() -> None:
    """The rest of the text stays, and can be encoded in UTF-8."""
    assert ("a?b", ("?",)) == (details(subject="a\ud83db").subject, details(to=["\ud83d"]).to)


@given(documented_details)
def test_documented_answer_is_parsed_completely(answer: Answer) -> None:
    """Each list keeps its length."""
    parsed = read_message_details(answer)
    names = ("to", "envelope_to", "client_recipients", "delivery_status", "detection_reasons")
    assert [len(answer.get(name, ())) for name in names] == [len(getattr(parsed, name)) for name in names]


@given(wild_details(json_values()))
def test_any_answer_can_be_parsed(answer: Answer) -> None:
    """The result has a delivery and recipients, and all texts are valid UTF-8."""
    parsed = read_message_details(answer)
    assert parsed.delivery in Delivery
    assert parsed.delivery.delivered in ("true", "false", "unknown")
    "".join((*parsed.recipients, parsed.subject or "", parsed.from_ or "")).encode()


@given(json_values())
def test_any_value_of_one_field_can_be_parsed(value: object) -> None:
    """Each field in turn has an arbitrary value."""
    for name in (*DETAILS, "replyto"):
        assert read_message_details({name: value}).delivery in Delivery


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, EmailKind.ORDINARY),
        ({"delivery_mode": " simulation_submission "}, EmailKind.SIMULATION),
        ({"delivery_mode": "SIMULATION_SUBMISSION", "is_phish_submission": True}, EmailKind.SIMULATION),
        ({"delivery_mode": "REVIEW_SUBMISSION"}, EmailKind.SUBMITTED),
        ({"delivery_mode": "THREAT_INTEL_SUBMISSION"}, EmailKind.SUBMITTED),
        ({"is_phish_submission": True}, EmailKind.REPORTED),
        ({"delivery_mode": None, "is_phish_submission": None}, EmailKind.ORDINARY),
    ],
)
def test_kind_is_read_from_delivery_mode_and_the_report_of_a_user(fields: dict[str, Any], expected: EmailKind) -> None:
    assert expected is read_message_details(fields).kind


def test_fingerprints_and_servers_are_read_and_a_wrong_type_is_drift() -> None:
    known = {
        "edf_hash": "0f1e",
        "htmltext_structure_hash": "aa",
        "smtp_previous_hop_ip": "192.0.2.7",
        "x_originating_ip": "192.0.2.8",
        "smtp_helo_server_ip": "192.0.2.9",
    }
    found = read_message_details(known | {"post_delivery_operations": ["MOVE"]})
    assert known == {name: getattr(found, name) for name in known}
    assert (("MOVE",), ()) == (found.post_delivery_operations, found.drift)
    odd = read_message_details(
        {**dict.fromkeys(known, 1), "is_phish_submission": "yes", "post_delivery_operations": "x"}
    )
    assert {f"details.$.{name}: type" for name in (*known, "is_phish_submission", "post_delivery_operations")} == {
        *odd.drift
    }
