"""Records: the alert id, the activity, and the place of the email."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from functions.domain.email_id import EmailId
from functions.domain.message_details import Delivery
from functions.domain.record import Activity, PreviousAlert, moment
from tests.unit.examples import ACCOUNT, ALERT_ID, FORMS, INVESTIGATE_ID, NOON, POSTFIX_ID, details, record

PREVIOUS = PreviousAlert("SUSPICIOUS", "7" * 32)

# --- the alert id -----------------------------------------------------------------------------------------------------


def test_alert_id_is_the_same_in_every_release() -> None:
    """Subscribers store alert ids and look alerts up by them."""
    alert = record(account_id=ACCOUNT, id=EmailId(INVESTIGATE_ID), disposition="MALICIOUS")
    assert "8911c3171d42b289c3508a3c73f9fe0b" == alert.alert_id


def test_alert_id_of_an_update_is_the_same_in_every_release() -> None:
    assert "610af1eceea3e661ba03ca2810f9f872" == record(revision=1).alert_id


def test_alert_id_depends_on_account_email_and_revision_only() -> None:
    """Time, reason, message, place and disposition do not change it: a retry repeats the alert under the same id."""
    later = record(
        decided_at=NOON + timedelta(days=1),
        reason="disposition-family",
        sqs_message_id="2",
        drift=("$.a: unknown",),
        disposition="MALICIOUS-BEC",
        severity="Critical",
        details=details(),
        resolved_id=EmailId(INVESTIGATE_ID),
        previous=PREVIOUS,
    )
    assert record().alert_id == later.alert_id


def test_alert_id_is_the_same_for_all_forms_of_an_id() -> None:
    assert 1 == len({record(id=EmailId(form)).alert_id for form in FORMS.values()})


OTHER_ALERTS: dict[str, dict[str, object]] = {
    "another account": {"account_id": "f" * 32},
    "another email": {"id": EmailId("4Njp3P0STMz2c02R")},
    "short postfix id": {"id": EmailId("C3CD21F3E90-2026-11-20T08:00:00")},
    "short postfix id on another day": {"id": EmailId("C3CD21F3E90-2026-11-21T08:00:00")},
    "next revision": {"revision": 1},
    "later revision": {"revision": 2},
}


@pytest.mark.parametrize("changes", OTHER_ALERTS.values(), ids=OTHER_ALERTS)
def test_another_alert_has_another_alert_id(changes: dict[str, object]) -> None:
    assert record().alert_id != record(**changes).alert_id


def test_all_other_alert_ids_are_different() -> None:
    assert len(OTHER_ALERTS) == len({record(**changes).alert_id for changes in OTHER_ALERTS.values()})


# --- the email --------------------------------------------------------------------------------------------------------


def test_longest_known_id_identifies_the_email() -> None:
    """A short postfix id alone does not name the day. The id under which Cloudflare answered does."""
    short = EmailId("C3CD21F3E90")
    dated = EmailId("C3CD21F3E90-2026-11-20T08:00:00-7")
    expected = ["C3CD21F3E90", "C3CD21F3E90@2026-11-20", "C3CD21F3E90@2026-11-20"]
    records = [record(id=short), record(id=short, resolved_id=dated), record(id=short, details=details(id=dated.value))]
    assert expected == [it.email for it in records]


KNOWN_IDS = {
    "postfix id only": (POSTFIX_ID, None, None, (None, None)),
    "alert id in the request": (ALERT_ID, None, None, (ALERT_ID, None)),
    "investigate id in the request": (INVESTIGATE_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "investigate id from the search": (POSTFIX_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "investigate id in the message details": (POSTFIX_ID, POSTFIX_ID, INVESTIGATE_ID, (ALERT_ID, INVESTIGATE_ID)),
    "shorter id in the message details": (POSTFIX_ID, INVESTIGATE_ID, POSTFIX_ID, (ALERT_ID, INVESTIGATE_ID)),
    "invalid id in the message details": (POSTFIX_ID, None, "no id", (None, None)),
}


@pytest.mark.parametrize(("id", "resolved_id", "details_id", "expected"), KNOWN_IDS.values(), ids=KNOWN_IDS)
def test_record_has_every_id_that_is_known(
    id: str, resolved_id: str | None, details_id: str | None, expected: tuple[str | None, str | None]
) -> None:
    found = record(
        id=EmailId(id),
        resolved_id=EmailId(resolved_id) if resolved_id else None,
        details=details(id=details_id) if details_id else None,
    )
    assert expected == (found.cloudflare_alert_id, found.investigate_id)


# --- the activity -----------------------------------------------------------------------------------------------------

ACTIVITIES = {
    "escalated without a previous alert": (True, None, Activity.CREATE),
    "escalated after a previous alert": (True, PREVIOUS, Activity.UPDATE),
    "not escalated after a previous alert": (False, PREVIOUS, Activity.CLOSE),
    "not escalated without a previous alert": (False, None, Activity.CLOSE),
}


@pytest.mark.parametrize(("escalates", "previous", "expected"), ACTIVITIES.values(), ids=ACTIVITIES)
def test_activity_follows_from_escalation_and_previous_alert(
    escalates: bool, previous: PreviousAlert | None, expected: Activity
) -> None:
    assert expected == record(escalates=escalates, previous=previous).activity


def test_delivery_comes_from_the_message_details_and_is_unknown_without_them() -> None:
    records = [record(details=details(delivery_status=["delivered"])), record(details=None)]
    assert [Delivery.DELIVERED, Delivery.UNKNOWN] == [it.delivery for it in records]


def test_worst_delivery_of_the_email_replaces_that_of_the_message_details() -> None:
    alert = record(details=details(delivery_status=["quarantined"]), worst_delivery=Delivery.DELIVERED)
    assert Delivery.DELIVERED == alert.delivery


MOMENTS = {
    "whole second": (NOON, "2026-11-23T12:00:00.000Z"),
    "microseconds are cut": (NOON.replace(microsecond=999_999), "2026-11-23T12:00:00.999Z"),
    "start of the epoch": (datetime.fromtimestamp(0, UTC), "1970-01-01T00:00:00.000Z"),
    "another time zone": (NOON.astimezone(timezone(timedelta(hours=5))), "2026-11-23T12:00:00.000Z"),
}


@pytest.mark.parametrize(("at", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_moment_is_utc_text_to_the_millisecond(at: datetime, expected: str) -> None:
    """Such texts sort as the times do."""
    assert expected == moment(at)
