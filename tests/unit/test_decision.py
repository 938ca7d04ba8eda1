"""Decisions on detections, and the record of each."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.contract import read_detection_result, unknown_fields
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.domain.severity import FAMILIES, Severity
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy, with_severity
from functions.escalate.stages import Decision, Detected, MessageResult, Request
from tests.strategies import Answer, Drifted, drifted, json_values, wild_answers
from tests.unit.examples import (
    ACCOUNT,
    INVESTIGATE_ID,
    NOON,
    POSTFIX_ID,
    RESULT,
    details,
    detection,
    escalated,
    message,
    record,
)

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
RECORD_ALL = replace(POLICY, record_all=True)
FOUND_AS = EmailId(INVESTIGATE_ID)
REQUEST = Request(message(POSTFIX_ID), EmailId(POSTFIX_ID))

Decided = Decision | MessageResult


def decide(result: Answer, policy: Policy = POLICY) -> Decided:
    return policy.decide(Detected(REQUEST, read_detection_result(FOUND_AS, result), NOON), NOON)


def verdict(case: Decided) -> tuple[str, str, str | None]:
    """The outcome, reason and disposition of a decision."""
    return _verdict_of(case if isinstance(case, MessageResult) else case.record)


def _verdict_of(it: Record | MessageResult) -> tuple[str, str, str | None]:
    return it.outcome, it.reason, it.disposition


def test_malicious_email_escalates_with_a_record_that_explains_it() -> None:
    case = decide(RESULT)
    assert isinstance(case, Decision)
    expected = record(
        id=REQUEST.id,
        resolved_id=FOUND_AS,
        escalate_on=("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"),
        outcome=Outcome.ESCALATED,
        escalates=True,
        severity=Severity.HIGH,
        detection=read_detection(RESULT),
    )
    assert (REQUEST, expected) == (case.request, case.record)


NOT_ESCALATED = {
    "spam": ("SPAM", "SPAM"),
    "spam in lower case": ("spam", "SPAM"),
    "none": ("NONE", "NONE"),
}


@pytest.mark.parametrize(("disposition", "recorded"), NOT_ESCALATED.values(), ids=NOT_ESCALATED)
def test_disposition_that_is_not_listed_is_a_decision_not_to_alert(disposition: str, recorded: str) -> None:
    """Its record can close an earlier alert. Without one, the message ends as NOT_ESCALATED."""
    case = decide(RESULT | {"final_disposition": disposition})
    assert isinstance(case, Decision)
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_ESCALATED, recorded)
    assert (expected, expected) == (verdict(case), verdict(case.result))
    assert (REQUEST, False, FOUND_AS) == (case.request, case.record.escalates, case.record.resolved_id)
    assert (REQUEST.message, REQUEST.id) == (case.result.message, case.result.id)


@pytest.mark.parametrize(("disposition", "recorded"), NOT_ESCALATED.values(), ids=NOT_ESCALATED)
def test_decision_not_to_alert_is_recorded_only_if_all_decisions_are(disposition: str, recorded: str) -> None:
    result = RESULT | {"final_disposition": disposition}
    case, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(case, Decision)
    assert isinstance(with_record, Decision)
    assert (None, with_record.record) == (case.result.record, with_record.result.record)
    assert recorded == with_record.record.disposition


MISSING: dict[str, Answer] = {
    "null": RESULT | {"final_disposition": None},
    "absent": {name: it for name, it in RESULT.items() if name != "final_disposition"},
}


@pytest.mark.parametrize("result", MISSING.values(), ids=MISSING)
def test_answer_without_a_disposition_ends_the_message(result: Answer) -> None:
    """It can close no alert, because it says nothing about the email."""
    case, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(case, MessageResult)
    assert isinstance(with_record, MessageResult)
    assert with_record.record is not None
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_GIVEN, None)
    assert (expected, expected, None) == (verdict(case), _verdict_of(with_record.record), case.record)


def test_unknown_disposition_is_rejected_by_path_and_with_all_drift() -> None:
    """The detail has no email content."""
    case = decide(RESULT | {"final_disposition": "CANARY", "brand_new": 1})
    assert isinstance(case, MessageResult)
    assert (Outcome.REJECTED, Reason.UNKNOWN_DISPOSITION, None) == verdict(case)
    assert ("$.brand_new: unknown", "$.final_disposition: enum") == case.drift
    assert "$.final_disposition" in case.detail
    assert "CANARY" not in case.detail


@given(drifted())
def test_drift_outside_the_decision_is_reported_and_changes_no_verdict(change: Drifted) -> None:
    """Without a disposition, a new field may be the renamed one, so the message is rejected."""
    before, after = decide(change.before, RECORD_ALL), decide(change.after, RECORD_ALL)
    drift = after.drift if isinstance(after, MessageResult) else after.record.drift
    assert [] != [it for it in drift if it.startswith(change.reported)]
    if "final_disposition" not in change.after and unknown_fields(change.after):
        assert (Outcome.REJECTED, Reason.INVALID_ANSWER, None) == verdict(after)
    else:
        assert verdict(before) == verdict(after)


def test_renamed_disposition_is_rejected() -> None:
    """It does not count as a missing disposition: a human looks at it."""
    case = decide({"action": "NONE", "verdict": "MALICIOUS"})
    assert isinstance(case, MessageResult)
    assert (Outcome.REJECTED, Reason.INVALID_ANSWER) == (case.outcome, case.reason)
    assert "$.verdict" in case.detail


@given(wild_answers(json_values(), json_values()))
def test_any_answer_with_a_listed_disposition_escalates(answer: Answer) -> None:
    case = decide(answer | {"final_disposition": "Suspicious"})
    assert isinstance(case, Decision)
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "SUSPICIOUS") == verdict(case)


@given(wild_answers(json_values(), st.none() | st.text(st.characters(), min_size=1)))
def test_any_answer_becomes_a_decision_or_ends_the_message(answer: Answer) -> None:
    case = decide(answer)
    outcome, _, _ = verdict(case)
    expected = {
        Decision: {Outcome.ESCALATED, Outcome.NOT_ESCALATED},
        MessageResult: {Outcome.NOT_ESCALATED, Outcome.REJECTED},
    }
    assert outcome in expected[type(case)]


@given(wild_answers(json_values(), json_values()))
def test_any_answer_with_a_disposition_that_is_not_listed_does_not_escalate(answer: Answer) -> None:
    """Record and result agree."""
    case = decide(answer | {"final_disposition": "Spam"}, RECORD_ALL)
    assert isinstance(case, Decision)
    assert (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_ESCALATED, "SPAM") == verdict(case) == verdict(case.result)
    assert (case.record.drift, case.record) == (case.result.drift, case.result.record)


def test_severity_rises_in_an_inbox_only_if_the_record_escalates() -> None:
    delivered = details(delivery_status=["delivered"])
    assert Severity.CRITICAL == with_severity(escalated(details=delivered)).severity
    assert Severity.INFORMATIONAL == with_severity(record(disposition="NONE", details=delivered)).severity


RANKS: dict[str, list[object]] = {
    "escalated after not escalated": ["SPAM", "SUSPICIOUS"],
    "unknown between them": ["SPAM", "CANARY", "SUSPICIOUS"],
    "families": ["SUSPICIOUS", "MALICIOUS"],
    "missing before unknown": [None, "CANARY"],
}


@pytest.mark.parametrize("dispositions", RANKS.values(), ids=RANKS)
def test_severity_rank_orders_the_detections_of_one_id(dispositions: list[object]) -> None:
    """If an id matches several emails, the most severe one decides."""
    ranked = [POLICY.severity_rank(detection(final_disposition=it)) for it in dispositions]
    assert all(less < more for less, more in itertools.pairwise(ranked))


def test_listed_disposition_of_no_family_is_more_severe_than_an_unknown_one() -> None:
    policy = replace(POLICY, escalate_on=frozenset({"SPAM", "SUSPICIOUS"}))
    ranked = [policy.severity_rank(detection(final_disposition=it)) for it in ("BULK", "CANARY", "SPAM", "SUSPICIOUS")]
    assert all(less < more for less, more in itertools.pairwise(ranked))


@pytest.mark.parametrize(("less", "more"), [*itertools.pairwise(FAMILIES)])
def test_later_family_is_more_severe_and_so_are_its_new_words(less: str, more: str) -> None:
    ranks = [POLICY.severity_rank(detection(final_disposition=it)) for it in (less, f"{less}-NEW", more, f"{more}-NEW")]
    assert ranks[0] == ranks[1] < ranks[2] == ranks[3]


def test_disposition_under_another_name_does_not_hide_one_that_is_given() -> None:
    case = decide(RESULT | {"verdict": "NONE"})
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "MALICIOUS") == verdict(case)


def test_record_has_the_times_of_queue_fetch_and_decision() -> None:
    hour = timedelta(hours=1)
    request = replace(REQUEST, message=replace(REQUEST.message, first_seen=NOON - hour))
    case = POLICY.decide(Detected(request, read_detection_result(FOUND_AS, RESULT), NOON), NOON + hour)
    assert isinstance(case, Decision)
    assert (NOON - hour, NOON, NOON + hour) == (case.record.queued_at, case.record.fetched_at, case.record.decided_at)


def test_severity_drops_when_email_is_not_in_inbox() -> None:
    statuses = ("delivered", "quarantined")
    found = [with_severity(escalated(details=details(delivery_status=[it]))).severity for it in statuses]
    assert [Severity.CRITICAL, Severity.HIGH] == found


def test_severity_of_a_listed_disposition_of_no_family_is_the_lowest_that_alerts() -> None:
    assert Severity.LOW == with_severity(escalated(disposition="SPAM")).severity
