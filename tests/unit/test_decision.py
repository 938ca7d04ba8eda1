"""decision.py: detections -> decisions, and what is written down of each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.contract import unknown_fields
from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Detected, Escalating, Request
from functions.escalate.decision import Policy
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from tests.strategies import Answer, Drifted, drifted, json_values, wild_answers
from tests.unit.examples import ACCOUNT, INVESTIGATE_ID, NOON, POSTFIX_ID, RESULT, message, record

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
RECORD_ALL = replace(POLICY, record_all=True)
REQUEST = Request(message(POSTFIX_ID), MessageId(INVESTIGATE_ID))


def decide(result: Answer, policy: Policy = POLICY) -> Escalating | Settled:
    return policy.decide(Detected(REQUEST, result, NOON), NOON)


def verdict(case: Escalating | Settled) -> tuple[str, str, str | None]:
    """Outcome, reason and disposition of a decision."""
    it = case.record if isinstance(case, Escalating) else case
    return it.outcome, it.reason, it.disposition


def test_a_malicious_mail() -> None:
    """It is on its way to an alert, with a record that explains it."""
    case = decide(RESULT)
    assert isinstance(case, Escalating)
    expected = record(
        escalate_on=("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"), detection=case.detection, outcome=Outcome.ESCALATED
    )
    assert (expected, "QUARANTINED") == (case.record, case.detection.action)


BELOW = {
    "spam": ("SPAM", Reason.DISPOSITION_BELOW_THE_LINE, "SPAM"),
    "spam in lower case": ("spam", Reason.DISPOSITION_BELOW_THE_LINE, "SPAM"),
    "none": ("NONE", Reason.DISPOSITION_BELOW_THE_LINE, "NONE"),
    "null": (None, Reason.DISPOSITION_NOT_GIVEN, None),
}


@pytest.mark.parametrize(("disposition", "reason", "recorded"), BELOW.values(), ids=BELOW)
def test_a_mail_below_the_line(disposition: str | None, reason: Reason, recorded: str | None) -> None:
    """It is settled without an alert, and recorded where all decisions are."""
    result = RESULT | {"final_disposition": disposition}
    case, with_record = decide(result), decide(result, RECORD_ALL)
    assert isinstance(case, Settled)
    assert isinstance(with_record, Settled)
    assert with_record.record is not None
    assert (Outcome.NOT_ESCALATED, reason, recorded, None) == (*verdict(case), case.record)
    assert (Outcome.NOT_ESCALATED, reason, recorded) == (
        with_record.record.outcome,
        with_record.record.reason,
        with_record.record.disposition,
    )


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
    drift = after.record.drift if isinstance(after, Escalating) else after.drift
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
    assert isinstance(case, Escalating) or case.outcome in (Outcome.NOT_ESCALATED, Outcome.REJECTED)
