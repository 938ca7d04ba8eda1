"""The last alert of an email, and how a new decision relates to it."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.record import Activity, PreviousAlert, Record
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.keys import alert_key
from functions.ledger.last_alert import LastAlert, last_alert_attributes, read_last_alert
from tests.unit.examples import NOON, escalated, record

MALICIOUS, SUSPICIOUS, CLOSED = (
    PreviousAlert("MALICIOUS", "1" * 32),
    PreviousAlert("SUSPICIOUS", "2" * 32),
    PreviousAlert("NONE", "3" * 32),
)
EARLIER, LATER = NOON - timedelta(milliseconds=1), NOON + timedelta(milliseconds=1)
EXPIRES_AT = 1_800_000_000


def last_alert(
    alert: PreviousAlert = MALICIOUS,
    revision: int = 0,
    *,
    escalated: bool = True,
    previous: PreviousAlert | None = None,
) -> LastAlert:
    """Build a last alert whose answer Cloudflare gave at noon."""
    return LastAlert(alert, revision, escalated, NOON, previous)


# --- a decision that does not escalate --------------------------------------------------------------------------------

NOT_ESCALATED = {
    "after an alert": (last_alert(), "NONE", True),
    "with an alerted disposition that no longer escalates": (last_alert(), "MALICIOUS", True),
    "after a close with the same disposition": (
        last_alert(CLOSED, 1, escalated=False, previous=MALICIOUS),
        "NONE",
        True,
    ),
    "after a close with another disposition": (
        last_alert(CLOSED, 1, escalated=False, previous=MALICIOUS),
        "SPAM",
        False,
    ),
}


@pytest.mark.parametrize(("last", "disposition", "expected"), NOT_ESCALATED.values(), ids=NOT_ESCALATED)
def test_non_escalating_decision_concerns_only_an_alert_that_may_need_closing(
    last: LastAlert, disposition: str, expected: bool
) -> None:
    """The same close may not be published yet, so a retry repeats it. A second close adds nothing."""
    assert expected == last.needs_close(record(disposition=disposition))


# --- answers out of order ---------------------------------------------------------------------------------------------

ANSWERS = {
    "an older answer with another disposition": ("SUSPICIOUS", EARLIER, True),
    "an answer of the same time with another disposition": ("SUSPICIOUS", NOON, False),
    "a newer answer with another disposition": ("SUSPICIOUS", LATER, False),
    "an older answer with the same disposition": ("MALICIOUS", EARLIER, False),
    "a newer answer with the same disposition": ("MALICIOUS", LATER, False),
}


@pytest.mark.parametrize(("disposition", "fetched_at", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_last_alert_supersedes_only_an_older_answer_with_another_disposition(
    disposition: str, fetched_at: object, expected: bool
) -> None:
    assert expected == last_alert().supersedes(record(disposition=disposition, fetched_at=fetched_at))


# --- the next alert ---------------------------------------------------------------------------------------------------


def test_same_disposition_keeps_the_alert_id_and_key() -> None:
    """A repeated decision produces the claimed alert again, so no second alert is published."""
    first = record(revision=3, previous=SUSPICIOUS)
    repeated = last_alert(PreviousAlert("MALICIOUS", first.alert_id), 3, previous=SUSPICIOUS).link_to_previous(record())
    assert (first, first.alert_id, alert_key(first)) == (repeated, repeated.alert_id, alert_key(repeated))


CHANGES = {
    "a more severe disposition": (SUSPICIOUS, 0, escalated(), 1, Activity.UPDATE),
    "a less severe disposition that escalates": (MALICIOUS, 4, escalated(disposition="SUSPICIOUS"), 5, Activity.UPDATE),
    "a disposition that does not escalate": (MALICIOUS, 0, record(disposition="NONE"), 1, Activity.CLOSE),
    "a disposition that escalates after a close": (CLOSED, 1, escalated(), 2, Activity.UPDATE),
}


@pytest.mark.parametrize(("alert", "revision", "decided", "expected", "activity"), CHANGES.values(), ids=CHANGES)
def test_change_makes_a_new_alert_that_names_the_previous_one(
    alert: PreviousAlert, revision: int, decided: Record, expected: int, activity: Activity
) -> None:
    next_alert = last_alert(alert, revision).link_to_previous(decided)
    assert (expected, alert, activity) == (next_alert.revision, next_alert.previous, next_alert.activity)
    assert decided.alert_id != next_alert.alert_id


def test_closed_disposition_that_now_escalates_makes_an_update() -> None:
    """The email was closed as NONE, and EscalateOn has listed NONE since."""
    last = last_alert(CLOSED, 1, escalated=False, previous=MALICIOUS)
    next_alert = last.link_to_previous(escalated(disposition="NONE"))
    assert (2, CLOSED, Activity.UPDATE) == (next_alert.revision, next_alert.previous, next_alert.activity)
    assert CLOSED.alert_id != next_alert.alert_id


@given(st.lists(st.sampled_from(["MALICIOUS", "SUSPICIOUS", "NONE"]), min_size=2, max_size=12))
def test_each_change_makes_one_alert_that_names_the_previous_one(dispositions: list[str]) -> None:
    """A repeated disposition makes no new alert."""
    ids: list[str] = []
    last: LastAlert | None = None
    for disposition in dispositions:
        decided = record(disposition=disposition, escalates=disposition != "NONE")
        linked = last.link_to_previous(decided) if last else decided
        last = read_last_alert(last_alert_attributes(linked, EXPIRES_AT))
        assert linked.alert_id == last.alert.alert_id
        if not ids or linked.alert_id != ids[-1]:
            assert (ids[-1] if ids else None) == (linked.previous.alert_id if linked.previous else None)
            ids.append(linked.alert_id)
    changes = sum(before != after for before, after in itertools.pairwise(dispositions))
    assert (1 + changes, 1 + changes) == (len(ids), len({*ids}))


# --- in the table -----------------------------------------------------------------------------------------------------


def test_last_alert_attributes_describe_the_alert_and_expire_with_the_record() -> None:
    update = escalated(revision=1, previous=SUSPICIOUS)
    assert {
        "disposition": "MALICIOUS",
        "alert_id": update.alert_id,
        "revision": 1,
        "escalated": True,
        "fetched_at": "2026-11-23T12:00:00.000Z",
        "expires_at": EXPIRES_AT,
        "previous_disposition": "SUSPICIOUS",
        "previous_alert_id": "2" * 32,
    } == last_alert_attributes(update, EXPIRES_AT)


alertable_records = st.builds(
    record,
    disposition=st.sampled_from(["MALICIOUS", "NONE"]),
    escalates=st.booleans(),
    revision=st.integers(0, 100),
    previous=st.none() | st.sampled_from([MALICIOUS, SUSPICIOUS, CLOSED]),
)


@given(alertable_records)
def test_last_alert_survives_a_round_trip_through_the_table(alerted: Record) -> None:
    """The same decision links to the stored alert as the same record."""
    read = read_last_alert(from_item(to_item(last_alert_attributes(alerted, EXPIRES_AT))))
    expected = LastAlert(
        PreviousAlert(alerted.disposition or "", alerted.alert_id),
        alerted.revision,
        alerted.escalates,
        NOON,
        alerted.previous,
    )
    assert expected == read
    assert alerted == read.link_to_previous(record(disposition=alerted.disposition, escalates=alerted.escalates))
