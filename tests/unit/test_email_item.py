"""The item of an email: its state as attributes, and back."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.email_state import UNNAMED, DeliveryState, EmailState, LastAlert, last_alert, plan
from functions.domain.message_details import Delivery
from functions.domain.record import PreviousAlert
from functions.domain.severity import Severity
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.email_item import email_attributes, read_email
from tests.unit.examples import INVESTIGATE_ID, NOON, details, escalated

EXPIRES_AT = 1_800_000_000
PREVIOUS = PreviousAlert("SUSPICIOUS", "2" * 32)


def test_missing_item_is_an_unknown_email() -> None:
    assert EmailState() == read_email({})


def test_item_has_the_deliveries_the_last_alert_and_the_next_version() -> None:
    alert = escalated(revision=1, previous=PREVIOUS, details=details())
    state = replace(plan(EmailState(version=4), [alert]).state, alert=last_alert(alert))
    assert {
        "version": 5,
        "deliveries": {
            INVESTIGATE_ID: {
                "disposition": "MALICIOUS",
                "escalates": True,
                "severity": "High",
                "delivery": "held",
                "fetched_at": "2026-11-23T12:00:00.000Z",
            }
        },
        "recipients": ["gareth@larkfield.example"],
        "expires_at": EXPIRES_AT,
        "last_disposition": "MALICIOUS",
        "last_severity": "High",
        "alert_id": alert.alert_id,
        "revision": 1,
        "escalated": True,
        "alert_decided_at": "2026-11-23T12:00:00.000Z",
        "notified": True,
        "previous_disposition": "SUSPICIOUS",
        "previous_alert_id": "2" * 32,
        "previous_notified": True,
    } == email_attributes(state, EXPIRES_AT)


moments = st.integers(0, 10**9).map(lambda milliseconds: NOON + timedelta(milliseconds=milliseconds))
dispositions = st.sampled_from(["MALICIOUS", "SUSPICIOUS", "NONE"])
delivery_states = st.builds(
    DeliveryState, dispositions, st.booleans(), st.sampled_from(Severity), st.sampled_from(Delivery), moments
)
last_alerts = st.builds(
    LastAlert,
    disposition=dispositions,
    severity=st.sampled_from(Severity),
    alert_id=st.sampled_from(["a" * 32, "b" * 32]),
    revision=st.integers(0, 100),
    escalated=st.booleans(),
    decided_at=moments,
    previous=st.none() | st.just(PREVIOUS),
)
states = st.builds(
    EmailState,
    version=st.integers(0, 100),
    deliveries=st.dictionaries(st.sampled_from([UNNAMED, INVESTIGATE_ID, f"{INVESTIGATE_ID}9"]), delivery_states),
    recipients=st.lists(st.emails(), max_size=3).map(tuple),
    alert=last_alerts,
)


@given(states)
def test_any_state_is_read_back_one_version_later(state: EmailState) -> None:
    item = from_item(to_item(email_attributes(state, EXPIRES_AT)))
    assert replace(state, version=state.version + 1) == read_email(item)


@given(states)
def test_email_is_complete_only_if_its_last_alert_is_complete(state: EmailState) -> None:
    """`complete_alert` names the alert, so that a later claim makes the email incomplete without another write."""
    assert state.alert is not None
    item = email_attributes(state, EXPIRES_AT)
    assert read_email(item | {"complete_alert": state.alert.alert_id}).complete
    assert not read_email(item | {"complete_alert": "c" * 32}).complete
    assert not read_email(item).complete
