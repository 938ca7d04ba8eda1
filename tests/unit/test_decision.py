"""decision.py: detections -> decisions, and what is written down of each."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.contract import FAMILIES, unknown_fields
from functions.cloudflare.detection import read_detection
from functions.cloudflare.found import read_found
from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Detected, Dismissed, Escalating, Request
from functions.escalate.decision import Policy, weighed
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.severity import Severity
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from functions.ledger.record import Record
from tests.strategies import Answer, Drifted, drifted, json_values, wild_answers
from tests.unit.examples import (
    ACCOUNT,
    INVESTIGATE_ID,
    NOON,
    POSTFIX_ID,
    RESULT,
    context,
    detection,
    escalated,
    message,
    record,
)

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
RECORD_ALL = replace(POLICY, record_all=True)
FOUND_AS = MessageId(INVESTIGATE_ID)
REQUEST = Request(message(POSTFIX_ID), MessageId(POSTFIX_ID))

Decided = Escalating | Dismissed | Settled


def decide(result: Answer, policy: Policy = POLICY) -> Decided:
    return policy.decide(Detected(REQUEST, read_found(FOUND_AS, result), NOON), NOON)


def verdict(case: Decided) -> tuple[str, str, str | None]:
    """Outcome, reason and disposition of a decision."""
    return _verdict_of(case if isinstance(case, Settled) else case.record)


def _verdict_of(it: Record | Settled) -> tuple[str, str, str | None]:
    return it.outcome, it.reason, it.disposition


def test_a_malicious_mail() -> None:
    """It is on its way to an alert, with a record that explains it."""
    case = decide(RESULT)
    assert isinstance(case, Escalating)
    expected = record(
        id=REQUEST.id,
        found_as=FOUND_AS,
        escalate_on=("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"),
        outcome=Outcome.ESCALATED,
        escalates=True,
        severity=Severity.HIGH,
        detection=read_detection(RESULT),
    )
    assert (REQUEST, expected) == (case.request, case.record)


BELOW = {
    "spam": ("SPAM", "SPAM"),
    "spam in lower case": ("spam", "SPAM"),
    "none": ("NONE", "NONE"),
}


@pytest.mark.parametrize(("disposition", "recorded"), BELOW.values(), ids=BELOW)
def test_a_mail_below_the_line(disposition: str, recorded: str) -> None:
    """It is dismissed with a record that would close an alert, and ends without one unless there was one."""
    case = decide(RESULT | {"final_disposition": disposition})
    assert isinstance(case, Dismissed)
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_BELOW_THE_LINE, recorded)
    assert (expected, expected) == (verdict(case), verdict(case.settled))
    assert (REQUEST, False, FOUND_AS) == (case.request, case.record.escalates, case.record.found_as)
    assert (REQUEST.message, REQUEST.id) == (case.settled.message, case.settled.id)


@pytest.mark.parametrize(("disposition", "recorded"), BELOW.values(), ids=BELOW)
def test_a_mail_below_the_line_and_its_record(disposition: str, recorded: str) -> None:
    """It is written down where all decisions are, and nowhere else."""
    result = RESULT | {"final_disposition": disposition}
    case, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(case, Dismissed)
    assert isinstance(with_record, Dismissed)
    assert (None, with_record.record) == (case.settled.record, with_record.settled.record)
    assert recorded == with_record.record.disposition


NOT_GIVEN: dict[str, Answer] = {
    "null": RESULT | {"final_disposition": None},
    "absent": {name: it for name, it in RESULT.items() if name != "final_disposition"},
}


@pytest.mark.parametrize("result", NOT_GIVEN.values(), ids=NOT_GIVEN)
def test_a_mail_without_a_disposition(result: Answer) -> None:
    """It is settled at once: no opinion is none to close an alert with."""
    case, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(case, Settled)
    assert isinstance(with_record, Settled)
    assert with_record.record is not None
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_GIVEN, None)
    assert (expected, expected, None) == (verdict(case), _verdict_of(with_record.record), case.record)


def test_a_mail_of_unknown_disposition() -> None:
    """It is rejected, by path and not by value, with all that has drifted."""
    case = decide(RESULT | {"final_disposition": "CANARY", "brand_new": 1})
    assert isinstance(case, Settled)
    assert (Outcome.REJECTED, Reason.UNKNOWN_DISPOSITION, None) == verdict(case)
    assert ("$.brand_new: unknown", "$.final_disposition: enum") == case.drift
    assert "$.final_disposition" in case.detail
    assert "CANARY" not in case.detail


@given(drifted())
def test_drift_and_the_verdict(change: Drifted) -> None:
    """Drift outside of the decision changes no verdict, and is told; but without a disposition a new field may be it."""
    before, after = decide(change.before, RECORD_ALL), decide(change.after, RECORD_ALL)
    drift = after.drift if isinstance(after, Settled) else after.record.drift
    assert [] != [it for it in drift if it.startswith(change.reported)]
    if "final_disposition" not in change.after and unknown_fields(change.after):
        assert (Outcome.REJECTED, Reason.INVALID_ANSWER, None) == verdict(after)
    else:
        assert verdict(before) == verdict(after)


def test_disposition_under_another_name() -> None:
    """It is not taken for none given: a human is told."""
    case = decide({"action": "NONE", "verdict": "MALICIOUS"})
    assert isinstance(case, Settled)
    assert (Outcome.REJECTED, Reason.INVALID_ANSWER) == (case.outcome, case.reason)
    assert "$.verdict" in case.detail


@given(wild_answers(json_values(), json_values()))
def test_any_answer_with_a_listed_disposition(answer: Answer) -> None:
    """It escalates, whatever the rest of it is."""
    case = decide(answer | {"final_disposition": "Suspicious"})
    assert isinstance(case, Escalating)
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "SUSPICIOUS") == verdict(case)


@given(wild_answers(json_values(), st.none() | st.text(st.characters(), min_size=1)))
def test_any_answer_at_all(answer: Answer) -> None:
    """It ends in one of three ways."""
    case = decide(answer)
    outcome, _, _ = verdict(case)
    expected = {
        Escalating: {Outcome.ESCALATED},
        Dismissed: {Outcome.NOT_ESCALATED},
        Settled: {Outcome.NOT_ESCALATED, Outcome.REJECTED},
    }
    assert outcome in expected[type(case)]


@given(wild_answers(json_values(), json_values()))
def test_any_answer_with_a_disposition_below_the_line(answer: Answer) -> None:
    """It is dismissed, whatever the rest of it is; record and outcome say the same."""
    case = decide(answer | {"final_disposition": "Spam"}, RECORD_ALL)
    assert isinstance(case, Dismissed)
    assert (Outcome.NOT_ESCALATED, Reason.DISPOSITION_BELOW_THE_LINE, "SPAM") == verdict(case) == verdict(case.settled)
    assert (case.record.drift, case.record) == (case.settled.drift, case.settled.record)


def test_a_record_weighed_again() -> None:
    """Where the mail is makes it more urgent, once that is known; what is below the line never is."""
    delivered = context(delivery_status=["delivered"])
    assert Severity.CRITICAL == weighed(escalated(context=delivered)).severity
    assert Severity.INFORMATIONAL == weighed(record(disposition="NONE", context=delivered)).severity


GRAVITY: dict[str, list[object]] = {
    "the line": ["SPAM", "SUSPICIOUS"],
    "an unheard-of one, between": ["SPAM", "CANARY", "SUSPICIOUS"],
    "the families": ["SUSPICIOUS", "MALICIOUS"],
    "none given": [None, "CANARY"],
}


@pytest.mark.parametrize("dispositions", GRAVITY.values(), ids=GRAVITY)
def test_gravity(dispositions: list[object]) -> None:
    """Of several mails under one id the gravest is told."""
    ranked = [POLICY.gravity(detection(final_disposition=it)) for it in dispositions]
    assert all(less < more for less, more in itertools.pairwise(ranked))


def test_listed_disposition_of_no_family_is_graver_than_an_unknown_one() -> None:
    policy = replace(POLICY, escalate_on=frozenset({"SPAM", "SUSPICIOUS"}))
    ranked = [policy.gravity(detection(final_disposition=it)) for it in ("BULK", "CANARY", "SPAM", "SUSPICIOUS")]
    assert all(less < more for less, more in itertools.pairwise(ranked))


@pytest.mark.parametrize(("less", "more"), [*itertools.pairwise(FAMILIES)])
def test_later_family_is_graver_and_its_new_words_are_as_grave(less: str, more: str) -> None:
    ranks = [POLICY.gravity(detection(final_disposition=it)) for it in (less, f"{less}-NEW", more, f"{more}-NEW")]
    assert ranks[0] == ranks[1] < ranks[2] == ranks[3]


def test_disposition_under_another_name_does_not_hide_one_that_is_given() -> None:
    case = decide(RESULT | {"verdict": "NONE"})
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "MALICIOUS") == verdict(case)


def test_record_keeps_when_the_mail_was_queued_fetched_and_decided() -> None:
    hour = timedelta(hours=1)
    request = replace(REQUEST, message=replace(REQUEST.message, first_seen=NOON - hour))
    case = POLICY.decide(Detected(request, read_found(FOUND_AS, RESULT), NOON), NOON + hour)
    assert isinstance(case, Escalating)
    assert (NOON - hour, NOON, NOON + hour) == (case.record.queued_at, case.record.fetched_at, case.record.decided_at)


def test_severity_drops_when_mail_is_not_in_inbox() -> None:
    statuses = ("delivered", "quarantined")
    found = [weighed(escalated(context=context(delivery_status=[it]))).severity for it in statuses]
    assert [Severity.CRITICAL, Severity.HIGH] == found


def test_severity_of_a_listed_disposition_of_no_family_is_the_lowest_that_alerts() -> None:
    assert Severity.LOW == weighed(escalated(disposition="SPAM")).severity
