"""What answers about the deliveries of one email change: alerts, updates and closes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.email_id import EmailId
from functions.domain.email_state import MAX_ADDRESS, MAX_DELIVERIES, UNNAMED, EmailState, last_alert, most_severe, plan
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Activity, Record
from functions.domain.severity import Severity
from functions.escalate.decision import with_severity
from tests.unit.examples import ALERT_ID, NOON, POSTFIX_ID, details, record

FIRST, SECOND = f"{ALERT_ID}-1", f"{ALERT_ID}-2"
ESCALATED = {"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"}


def answer(disposition: str, id: str = FIRST, *, place: str | None = "quarantined", minute: int = 0) -> Record:
    """An answer about a delivery: its disposition, and the delivery status of its message details."""
    known = details(id=id, delivery_status=[place]) if place else None
    at = NOON + timedelta(minutes=minute)
    escalates = disposition in ESCALATED
    return with_severity(
        record(
            id=EmailId(id), disposition=disposition, escalates=escalates, details=known, fetched_at=at, decided_at=at
        )
    )


def apply(state: EmailState, *records: Record, complete: bool = True) -> tuple[EmailState, Record | None]:
    """The state once the alert that became due is claimed and, unless a worker dies, complete."""
    planned = plan(state, records)
    if planned.state == state and planned.alert is None:
        return state, None
    after = replace(planned.state, version=state.version + 1)
    if planned.alert:
        after = replace(after, alert=last_alert(planned.alert), complete=complete)
    return after, planned.alert


def test_first_escalated_answer_creates_an_alert() -> None:
    state, alert = apply(EmailState(), answer("MALICIOUS"))
    assert alert is not None
    assert (Activity.CREATE, 0, Severity.HIGH) == (alert.activity, alert.revision, alert.severity)
    assert {FIRST} == set(state.deliveries)


def test_answer_that_is_not_escalated_leaves_an_unknown_email_unknown() -> None:
    assert (EmailState(), None) == apply(EmailState(), answer("SPAM"))


@pytest.mark.parametrize("id", [POSTFIX_ID, ALERT_ID, FIRST], ids=["postfix id", "alert id", "investigate id"])
def test_repeated_answer_makes_no_alert_in_any_form_of_its_id(id: str) -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"))
    again = with_severity(replace(answer("MALICIOUS"), id=EmailId(id)))
    assert None is apply(state, again)[1]


def test_all_forms_of_an_id_have_one_alert_id() -> None:
    ids = {record(id=EmailId(form), disposition="MALICIOUS").alert_id for form in (POSTFIX_ID, ALERT_ID, FIRST, SECOND)}
    assert 1 == len(ids)


def test_short_postfix_id_on_another_day_is_another_email() -> None:
    days = [record(id=EmailId(f"C3CD21F3E90-2026-11-{day}T08:00:00")) for day in ("20", "21")]
    assert 2 == len({it.email for it in days})
    assert 2 == len({it.alert_id for it in days})


def test_further_delivery_of_the_same_severity_makes_no_alert_and_adds_its_recipients() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"))
    second = answer("MALICIOUS", SECOND)
    assert second.details is not None
    second = replace(second, details=replace(second.details, client_recipients=("new@corp.example",)))
    after, alert = apply(state, second)
    assert alert is None
    assert {FIRST, SECOND} == set(after.deliveries)
    assert "new@corp.example" in after.recipients


def test_release_into_an_inbox_raises_the_severity_and_is_an_update() -> None:
    state, first = apply(EmailState(), answer("MALICIOUS", place="quarantined"))
    _, alert = apply(state, answer("MALICIOUS", place="delivered", minute=1))
    assert first is not None
    assert alert is not None
    assert (Activity.UPDATE, 1, Severity.CRITICAL) == (alert.activity, alert.revision, alert.severity)
    assert alert.previous is not None
    assert first.alert_id == alert.previous.alert_id != alert.alert_id


def test_move_out_of_the_inbox_makes_no_alert() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", place="delivered"))
    assert None is apply(state, answer("MALICIOUS", place="moved", minute=1))[1]


def test_changed_disposition_is_an_update() -> None:
    state, _ = apply(EmailState(), answer("SUSPICIOUS"))
    _, alert = apply(state, answer("MALICIOUS", minute=1))
    assert alert is not None
    assert (Activity.UPDATE, "MALICIOUS") == (alert.activity, alert.disposition)


def test_email_closes_when_its_only_delivery_has_fallen() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"))
    _, alert = apply(state, answer("SPAM", minute=1))
    assert alert is not None
    assert (Activity.CLOSE, Outcome.CLOSED, Severity.INFORMATIONAL) == (alert.activity, alert.outcome, alert.severity)


def test_email_stays_open_while_one_delivery_is_malicious() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"), answer("MALICIOUS", SECOND))
    state, alert = apply(state, answer("SPAM", minute=1))
    assert alert is None
    _, alert = apply(state, answer("SPAM", SECOND, minute=2))
    assert alert is not None
    assert Activity.CLOSE is alert.activity


def test_fallen_delivery_leaves_the_disposition_of_the_other_one() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", place="delivered"), answer("SUSPICIOUS", SECOND))
    _, alert = apply(state, answer("SPAM", minute=1))
    assert alert is not None
    assert (Activity.UPDATE, "SUSPICIOUS", Severity.MEDIUM) == (alert.activity, alert.disposition, alert.severity)


def test_id_that_names_no_delivery_never_closes() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", POSTFIX_ID, place=None))
    assert {UNNAMED} == set(state.deliveries)
    state, alert = apply(state, answer("SPAM", POSTFIX_ID, place=None, minute=1))
    assert alert is None


def test_closed_email_that_escalates_again_is_an_update() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"))
    state, _ = apply(state, answer("SPAM", minute=1))
    _, alert = apply(state, answer("MALICIOUS", minute=2))
    assert alert is not None
    assert (Activity.UPDATE, 2) == (alert.activity, alert.revision)


def test_older_answer_about_the_same_delivery_is_superseded() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", minute=5))
    late = answer("SPAM", minute=1)
    assert frozenset({0}) == plan(state, [late]).superseded


def test_older_answer_about_another_delivery_is_used() -> None:
    state, _ = apply(EmailState(), answer("SUSPICIOUS", minute=5))
    planned = plan(state, [answer("MALICIOUS", SECOND, minute=1)])
    assert frozenset() == planned.superseded
    assert planned.alert is not None


def test_alert_of_a_dead_worker_is_taken_up_under_the_same_id() -> None:
    state, first = apply(EmailState(), answer("MALICIOUS"), complete=False)
    _, again = apply(state, answer("MALICIOUS", minute=1))
    assert first is not None
    assert again is not None
    assert (first.alert_id, first.revision) == (again.alert_id, again.revision)


@pytest.mark.parametrize("id", [POSTFIX_ID, FIRST], ids=["postfix id", "investigate id"])
def test_repeated_answer_needs_no_details_once_the_email_is_in_an_inbox(id: str) -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", place="delivered"))
    again = answer("MALICIOUS", id, place=None)
    assert not state.needs_details(again)
    assert state.needs_details(answer("SUSPICIOUS", id, place=None))
    assert replace(state, complete=False).needs_details(again)


def test_answer_about_a_further_delivery_needs_details() -> None:
    """They name its recipients."""
    state, _ = apply(EmailState(), answer("MALICIOUS", place="delivered"))
    assert state.needs_details(answer("MALICIOUS", SECOND, place=None))


def test_answer_about_an_id_of_several_deliveries_needs_details() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", place="delivered"))
    state, _ = apply(state, answer("MALICIOUS", SECOND, place="delivered"))
    assert state.needs_details(answer("MALICIOUS", POSTFIX_ID, place=None))


def test_held_email_needs_details_again() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", place="quarantined"))
    assert state.needs_details(answer("MALICIOUS", place=None))


def test_answer_that_may_close_an_alert_needs_details() -> None:
    """They name the delivery."""
    state, _ = apply(EmailState(), answer("MALICIOUS"))
    fallen = answer("SPAM", POSTFIX_ID, place=None)
    assert state.needs_details(fallen)
    assert not EmailState().needs_details(fallen)
    closed, _ = apply(state, answer("SPAM"))
    assert not closed.needs_details(fallen)


def test_answer_that_names_no_delivery_is_dropped_if_a_named_delivery_has_its_disposition() -> None:
    unnamed = answer("MALICIOUS", POSTFIX_ID, place=None)
    for records in ((unnamed, answer("MALICIOUS")), (answer("MALICIOUS"), unnamed)):
        state = EmailState()
        for it in records:
            state, _ = apply(state, it)
        assert {FIRST} == set(state.deliveries)
        _, closing = apply(state, answer("SPAM", minute=1))
        assert closing is not None
        assert Activity.CLOSE is closing.activity


def test_number_of_kept_deliveries_is_bounded_and_drops_those_that_do_not_escalate_first() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", f"{ALERT_ID}-0"))
    many = [answer("SPAM", f"{ALERT_ID}-{number}", minute=number) for number in range(1, MAX_DELIVERIES + 2)]
    after, alert = apply(state, *many)
    assert alert is None
    assert MAX_DELIVERIES == len(after.deliveries)
    assert f"{ALERT_ID}-0" in after.deliveries


def test_most_severe_of_several_answers_is_the_one_in_an_inbox() -> None:
    held, delivered = answer("MALICIOUS"), answer("MALICIOUS", SECOND, place="delivered")
    assert delivered == most_severe([held, delivered, answer("SPAM")])


ANSWERS = st.builds(
    answer,
    st.sampled_from(["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPAM", "NONE"]),
    st.sampled_from([FIRST, SECOND, POSTFIX_ID]),
    place=st.sampled_from(["delivered", "quarantined", "moved", None]),
)


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_repeated_sweeps_over_the_same_answers_make_no_further_alert(answers: list[Record]) -> None:
    """Ten sweeps that give each delivery's latest answer again never flap."""
    state = EmailState()
    for number, it in enumerate(answers):
        state, _ = apply(state, replace(it, fetched_at=NOON + timedelta(minutes=number)))
    latest = {it.investigate_id: it for it in answers}.values()
    for sweep in range(10):
        for it in latest:
            state, alert = apply(state, replace(it, fetched_at=NOON + timedelta(hours=1 + sweep)))
            assert alert is None or sweep == 0, f"sweep {sweep}: {alert.disposition}"


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_email_is_never_closed_while_a_known_delivery_escalates(answers: list[Record]) -> None:
    state = EmailState()
    for number, it in enumerate(answers):
        state, alert = apply(state, replace(it, fetched_at=NOON + timedelta(minutes=number)))
        if alert and alert.activity is Activity.CLOSE:
            assert not any(known.escalates for known in state.deliveries.values())


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_every_rise_of_the_email_is_alerted(answers: list[Record]) -> None:
    """After each answer that escalates, the last alert is at least as severe as this answer."""
    state = EmailState()
    for number, it in enumerate(answers):
        state, _ = apply(state, replace(it, fetched_at=NOON + timedelta(minutes=number)))
        if it.escalates:
            assert state.alert is not None
            assert state.alert.escalated
            assert it.severity is not None
            assert state.alert.severity.rank >= it.severity.rank or state.alert.disposition != it.disposition


# --- several answers in one batch -------------------------------------------------------------------------------------


def test_answer_that_names_no_delivery_does_not_take_back_another_one_in_the_batch() -> None:
    """Both may be about different deliveries, and the order of messages in a batch is chance."""
    escalates, harmless = answer("MALICIOUS", POSTFIX_ID, place=None), answer("NONE", ALERT_ID, place=None)
    for records in ([escalates, harmless], [harmless, escalates]):
        planned = plan(EmailState(), records)
        assert planned.alert is not None
        assert ("MALICIOUS", Activity.CREATE) == (planned.alert.disposition, planned.alert.activity)


def test_unnamed_alert_does_not_close_by_another_delivery() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS", POSTFIX_ID, place=None))
    state, unnamed = apply(state, answer("NONE", ALERT_ID, place=None, minute=1))
    _, named = apply(state, answer("NONE", SECOND, minute=2))
    assert [None, None] == [unnamed, named]


def test_alert_about_the_other_delivery_has_the_reason_of_an_alert() -> None:
    state, _ = apply(EmailState(), answer("MALICIOUS"), answer("SUSPICIOUS", SECOND))
    _, alert = apply(state, answer("SPAM", minute=1))
    assert alert is not None
    assert ("SUSPICIOUS", Reason.DISPOSITION_LISTED) == (alert.disposition, alert.reason)


def test_recipient_that_is_no_address_is_cut() -> None:
    """The item of an email holds 400 KB, and a sender must not be able to fill it."""
    long = answer("MALICIOUS")
    assert long.details is not None
    long = replace(long, details=replace(long.details, client_recipients=("@" * 450_000,)))
    state, _ = apply(EmailState(), long)
    assert MAX_ADDRESS >= max(len(it) for it in state.recipients)
