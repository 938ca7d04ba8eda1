"""Decisions on detections, and the record of each decision."""

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
from functions.escalate.stages import BelowThreshold, Detected, Escalating, MessageResult, Request
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

DecidedItem = Escalating | BelowThreshold | MessageResult


def decide(result: Answer, policy: Policy = POLICY) -> DecidedItem:
    return policy.decide(Detected(REQUEST, read_detection_result(FOUND_AS, result), NOON), NOON)


def verdict(item: DecidedItem) -> tuple[str, str, str | None]:
    """Return outcome, reason and disposition of a decision."""
    return _verdict_of(item if isinstance(item, MessageResult) else item.record)


def _verdict_of(decision: Record | MessageResult) -> tuple[str, str, str | None]:
    return decision.outcome, decision.reason, decision.disposition


def test_malicious_email_escalates_with_a_full_record() -> None:
    item = decide(RESULT)
    assert isinstance(item, Escalating)
    expected = record(
        id=REQUEST.id,
        resolved_id=FOUND_AS,
        escalate_on=("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"),
        outcome=Outcome.ESCALATED,
        escalates=True,
        severity=Severity.HIGH,
        detection=read_detection(RESULT),
    )
    assert (REQUEST, expected) == (item.request, item.record)


NOT_ESCALATED = {
    "SPAM": ("SPAM", "SPAM"),
    "spam in lower case": ("spam", "SPAM"),
    "NONE": ("NONE", "NONE"),
}


@pytest.mark.parametrize(("disposition", "recorded"), NOT_ESCALATED.values(), ids=NOT_ESCALATED)
def test_disposition_that_does_not_escalate_is_below_the_threshold(disposition: str, recorded: str) -> None:
    """Its record would close an earlier alert. Without an earlier alert, it is settled."""
    item = decide(RESULT | {"final_disposition": disposition})
    assert isinstance(item, BelowThreshold)
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_ESCALATED, recorded)
    assert (expected, expected) == (verdict(item), verdict(item.result))
    assert (REQUEST, False, FOUND_AS) == (item.request, item.record.escalates, item.record.resolved_id)
    assert (REQUEST.message, REQUEST.id) == (item.result.message, item.result.id)


@pytest.mark.parametrize(("disposition", "recorded"), NOT_ESCALATED.values(), ids=NOT_ESCALATED)
def test_record_of_email_below_the_threshold_is_kept_only_if_all_are_recorded(disposition: str, recorded: str) -> None:
    result = RESULT | {"final_disposition": disposition}
    item, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(item, BelowThreshold)
    assert isinstance(with_record, BelowThreshold)
    assert (None, with_record.record) == (item.result.record, with_record.result.record)
    assert recorded == with_record.record.disposition


WITHOUT_DISPOSITION: dict[str, Answer] = {
    "a null disposition": RESULT | {"final_disposition": None},
    "no disposition field": {name: value for name, value in RESULT.items() if name != "final_disposition"},
}


@pytest.mark.parametrize("result", WITHOUT_DISPOSITION.values(), ids=WITHOUT_DISPOSITION)
def test_email_without_disposition_is_settled_as_not_escalated(result: Answer) -> None:
    """A missing disposition never closes an alert."""
    item, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(item, MessageResult)
    assert isinstance(with_record, MessageResult)
    assert with_record.record is not None
    expected = (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_GIVEN, None)
    assert (expected, expected, None) == (verdict(item), _verdict_of(with_record.record), item.record)


def test_unknown_disposition_is_rejected_with_its_path_and_all_drift() -> None:
    """The detail does not contain the value."""
    item = decide(RESULT | {"final_disposition": "CANARY", "brand_new": 1})
    assert isinstance(item, MessageResult)
    assert (Outcome.REJECTED, Reason.UNKNOWN_DISPOSITION, None) == verdict(item)
    assert ("$.brand_new: unknown", "$.final_disposition: enum") == item.drift
    assert "$.final_disposition" in item.detail
    assert "CANARY" not in item.detail


@given(drifted())
def test_drift_is_reported_and_does_not_change_the_verdict(change: Drifted) -> None:
    """If the disposition is missing, an unknown field may hold it, so the answer is rejected."""
    before, after = decide(change.before, RECORD_ALL), decide(change.after, RECORD_ALL)
    drift = after.drift if isinstance(after, MessageResult) else after.record.drift
    assert [] != [each for each in drift if each.startswith(change.reported)]
    if "final_disposition" not in change.after and unknown_fields(change.after):
        assert (Outcome.REJECTED, Reason.INVALID_ANSWER, None) == verdict(after)
    else:
        assert verdict(before) == verdict(after)


def test_unknown_field_without_a_disposition_is_rejected() -> None:
    """The unknown field may hold the disposition, so a human has to look."""
    item = decide({"action": "NONE", "verdict": "MALICIOUS"})
    assert isinstance(item, MessageResult)
    assert (Outcome.REJECTED, Reason.INVALID_ANSWER) == (item.outcome, item.reason)
    assert "$.verdict" in item.detail


@given(wild_answers(json_values(), json_values()))
def test_listed_disposition_escalates_whatever_the_other_fields_hold(answer: Answer) -> None:
    item = decide(answer | {"final_disposition": "Suspicious"})
    assert isinstance(item, Escalating)
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "SUSPICIOUS") == verdict(item)


@given(wild_answers(json_values(), st.none() | st.text(st.characters(), min_size=1)))
def test_every_answer_ends_in_an_outcome_of_its_type(answer: Answer) -> None:
    item = decide(answer)
    outcome, _, _ = verdict(item)
    expected = {
        Escalating: {Outcome.ESCALATED},
        BelowThreshold: {Outcome.NOT_ESCALATED},
        MessageResult: {Outcome.NOT_ESCALATED, Outcome.REJECTED},
    }
    assert outcome in expected[type(item)]


@given(wild_answers(json_values(), json_values()))
def test_spam_does_not_escalate_whatever_the_other_fields_hold(answer: Answer) -> None:
    """Record and result agree on outcome, reason, disposition and drift."""
    item = decide(answer | {"final_disposition": "Spam"}, RECORD_ALL)
    assert isinstance(item, BelowThreshold)
    assert (Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_ESCALATED, "SPAM") == verdict(item) == verdict(item.result)
    assert (item.record.drift, item.record) == (item.result.drift, item.result.record)


def test_severity_rises_with_delivery_only_if_the_record_escalates() -> None:
    delivered = details(delivery_status=["delivered"])
    assert Severity.CRITICAL == with_severity(escalated(details=delivered)).severity
    assert Severity.INFORMATIONAL == with_severity(record(disposition="NONE", details=delivered)).severity


ASCENDING_RANKS: dict[str, list[object]] = {
    "escalated above not escalated": ["SPAM", "SUSPICIOUS"],
    "an unknown disposition between them": ["SPAM", "CANARY", "SUSPICIOUS"],
    "MALICIOUS above SUSPICIOUS": ["SUSPICIOUS", "MALICIOUS"],
    "no disposition below an unknown one": [None, "CANARY"],
}


@pytest.mark.parametrize("dispositions", ASCENDING_RANKS.values(), ids=ASCENDING_RANKS)
def test_severity_rank_orders_dispositions(dispositions: list[object]) -> None:
    """Of several emails under one id, the one with the highest rank is alerted."""
    ranked = [POLICY.severity_rank(detection(final_disposition=disposition)) for disposition in dispositions]
    assert all(lower < higher for lower, higher in itertools.pairwise(ranked))


def test_listed_disposition_of_no_family_ranks_above_an_unknown_one() -> None:
    policy = replace(POLICY, escalate_on=frozenset({"SPAM", "SUSPICIOUS"}))
    ranked = [
        policy.severity_rank(detection(final_disposition=disposition))
        for disposition in ("BULK", "CANARY", "SPAM", "SUSPICIOUS")
    ]
    assert all(lower < higher for lower, higher in itertools.pairwise(ranked))


@pytest.mark.parametrize(("lower", "higher"), [*itertools.pairwise(FAMILIES)])
def test_later_family_ranks_higher_and_its_new_dispositions_rank_equal(lower: str, higher: str) -> None:
    ranks = [
        POLICY.severity_rank(detection(final_disposition=disposition))
        for disposition in (lower, f"{lower}-NEW", higher, f"{higher}-NEW")
    ]
    assert ranks[0] == ranks[1] < ranks[2] == ranks[3]


def test_unknown_field_does_not_hide_a_given_disposition() -> None:
    item = decide(RESULT | {"verdict": "NONE"})
    assert (Outcome.ESCALATED, Reason.DISPOSITION_LISTED, "MALICIOUS") == verdict(item)


def test_record_keeps_queued_fetched_and_decided_times() -> None:
    hour = timedelta(hours=1)
    request = replace(REQUEST, message=replace(REQUEST.message, first_seen=NOON - hour))
    item = POLICY.decide(Detected(request, read_detection_result(FOUND_AS, RESULT), NOON), NOON + hour)
    assert isinstance(item, Escalating)
    assert (NOON - hour, NOON, NOON + hour) == (item.record.queued_at, item.record.fetched_at, item.record.decided_at)


def test_severity_drops_when_email_is_not_in_inbox() -> None:
    statuses = ("delivered", "quarantined")
    severities = [with_severity(escalated(details=details(delivery_status=[status]))).severity for status in statuses]
    assert [Severity.CRITICAL, Severity.HIGH] == severities


def test_listed_disposition_of_no_family_has_low_severity() -> None:
    assert Severity.LOW == with_severity(escalated(disposition="SPAM")).severity
