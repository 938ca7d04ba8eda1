"""Records: alert id, keys, activity and time format."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.email_id import EmailId
from functions.domain.message_details import Delivery
from functions.domain.record import Activity, PreviousAlert, moment
from functions.ledger.keys import alert_key, decision_key, last_alert_key
from tests.unit.examples import ACCOUNT, FORMS, INVESTIGATE_ID, NOON, POSTFIX_ID, details, record

PREVIOUS = PreviousAlert("SUSPICIOUS", "7" * 32)

# --- alert id ---------------------------------------------------------------------------------------------------------


def test_alert_id_is_the_same_in_every_release() -> None:
    """Subscribers store the id and look alerts up by it."""
    expected = "b919256a61f89654f72865c598798b34"
    actual = record(account_id=ACCOUNT, id=EmailId(INVESTIGATE_ID), disposition="MALICIOUS").alert_id
    assert expected == actual


def test_alert_id_of_a_revision_is_the_same_in_every_release() -> None:
    assert "ac3b55738a1e269aa7391e92ac7f88f2" == record(revision=1).alert_id


def test_alert_id_ignores_circumstances_of_the_decision() -> None:
    """Time, reason, message, severity, details and previous alert do not change the id."""
    later = record(
        decided_at=NOON + timedelta(days=1),
        reason="disposition-family",
        sqs_message_id="2",
        drift=("$.a: unknown",),
        severity="Critical",
        details=details(),
        resolved_id=EmailId(INVESTIGATE_ID),
        previous=PREVIOUS,
    )
    assert record().alert_id == later.alert_id


OTHER_ALERTS: dict[str, dict[str, object]] = {
    "another account": {"account_id": "f" * 32},
    "another id": {"id": EmailId(POSTFIX_ID)},
    "another disposition": {"disposition": "MALICIOUS-BEC"},
    "no disposition": {"disposition": None},
    "the first revision": {"revision": 1},
    "the second revision": {"revision": 2},
}


@pytest.mark.parametrize("changes", OTHER_ALERTS.values(), ids=OTHER_ALERTS)
def test_alert_id_changes_with_account_id_disposition_or_revision(changes: dict[str, object]) -> None:
    assert record().alert_id != record(**changes).alert_id


def test_alert_ids_of_different_alerts_all_differ() -> None:
    alert_ids = {record(**changes).alert_id for changes in OTHER_ALERTS.values()}
    assert len(OTHER_ALERTS) == len(alert_ids)


# --- keys -------------------------------------------------------------------------------------------------------------

ALERTS: dict[str, tuple[dict[str, object], str]] = {
    "the first alert": ({}, "MALICIOUS"),
    "the first alert, requested by another message": ({"sqs_message_id": "2"}, "MALICIOUS"),
    "an alert after one change": ({"revision": 1, "previous": PREVIOUS}, "MALICIOUS#1"),
    "an alert after two changes": ({"revision": 2, "previous": PREVIOUS}, "MALICIOUS#2"),
    "an alert that closes": ({"revision": 1, "previous": PREVIOUS, "disposition": "NONE"}, "NONE#1"),
}


@pytest.mark.parametrize(("changes", "suffix"), ALERTS.values(), ids=ALERTS)
def test_alert_key_is_unique_per_id_disposition_and_revision(changes: dict[str, object], suffix: str) -> None:
    """The key ignores the message, so the same alert cannot be claimed twice."""
    expected = {"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{INVESTIGATE_ID}#{suffix}"}
    assert expected == alert_key(record(**changes))


NOT_ALERTED = {
    "a disposition that does not escalate": ("SPAM", "NOT_ESCALATED", "SPAM#7"),
    "no disposition": (None, "NOT_ESCALATED", "NOT_ESCALATED#7"),
    "no detection": (None, "NOT_FOUND", "NOT_FOUND#7"),
}


@pytest.mark.parametrize(("disposition", "outcome", "suffix"), NOT_ALERTED.values(), ids=NOT_ALERTED)
def test_decision_key_is_unique_per_message(disposition: str | None, outcome: str, suffix: str) -> None:
    """No decision overwrites another, and a redelivery adds no record."""
    decided = record(disposition=disposition, outcome=outcome, sqs_message_id="7")
    assert {"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{INVESTIGATE_ID}#{suffix}"} == decision_key(decided)


def test_last_alert_key_ignores_disposition_and_revision() -> None:
    keys = [
        last_alert_key(record(**changes))
        for changes in ({}, {"disposition": "NONE", "revision": 3, "previous": PREVIOUS})
    ]
    assert [{"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{INVESTIGATE_ID}"}] * 2 == keys


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_all_keys_of_an_email_share_the_partition_key_for_every_id_kind(value: str) -> None:
    """Each key has its own sort key."""
    decided = record(id=EmailId(value))
    keys = [last_alert_key(decided), alert_key(decided), decision_key(decided)]
    assert [POSTFIX_ID] * 3 == [key["pk"] for key in keys]
    assert 3 == len({key["sk"] for key in keys})


def test_each_id_kind_of_an_email_has_its_own_alert_key() -> None:
    sort_keys = {alert_key(record(id=EmailId(value)))["sk"] for value in FORMS.values()}
    assert len(FORMS) == len(sort_keys)


# --- activity, delivery and time --------------------------------------------------------------------------------------

ACTIVITIES = {
    "escalated without a previous alert": (True, None, Activity.CREATE),
    "escalated after a previous alert": (True, PREVIOUS, Activity.UPDATE),
    "not escalated after a previous alert": (False, PREVIOUS, Activity.CLOSE),
    "not escalated and the previous alert unknown": (False, None, Activity.CLOSE),
}


@pytest.mark.parametrize(("escalates", "previous", "expected"), ACTIVITIES.values(), ids=ACTIVITIES)
def test_activity_follows_from_escalation_and_previous_alert(
    escalates: bool, previous: PreviousAlert | None, expected: Activity
) -> None:
    assert expected == record(escalates=escalates, previous=previous).activity


def test_delivery_comes_from_the_details_and_is_unknown_without_them() -> None:
    records = [record(details=details(delivery_status=["delivered"])), record(details=None)]
    assert [Delivery.DELIVERED, Delivery.UNKNOWN] == [each.delivery for each in records]


TIMES = {
    "a whole second": (NOON, "2026-11-23T12:00:00.000Z"),
    "microseconds cut to milliseconds": (NOON.replace(microsecond=999_999), "2026-11-23T12:00:00.999Z"),
    "the start of the epoch": (datetime.fromtimestamp(0, UTC), "1970-01-01T00:00:00.000Z"),
}


@pytest.mark.parametrize(("at", "expected"), TIMES.values(), ids=TIMES)
def test_moment_is_text_with_milliseconds(at: datetime, expected: str) -> None:
    """The text sorts in the order of time."""
    assert expected == moment(at)
