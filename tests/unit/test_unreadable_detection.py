"""investigate.py: an alert goes out by the message details if its detection cannot be used."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.contract import DetectionResult, read_detection_result
from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    Throttled,
    Unavailable,
)
from functions.domain.email_id import EmailId
from functions.domain.message_details import MessageDetails
from functions.domain.outcome import Outcome, Reason
from functions.domain.severity import Severity
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.escalate.investigate import RESERVE_SECONDS, Investigator
from functions.escalate.stages import Decision, MessageResult, Request
from tests.unit.examples import ACCOUNT, FULL, INVESTIGATE_ID, NOON, POSTFIX_ID, details, message

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
TOO_LARGE = InvalidAnswer("the answer is larger than 8388608 bytes")


@dataclass
class FakeCloudflare:
    """Cloudflare that returns this result and these details, or raises them."""

    result: object
    details: MessageDetails | CloudflareError
    asked: list[str] = field(default_factory=list)

    def drop_idle_connections(self) -> None:
        """Do nothing."""

    def detection(self, id: EmailId, _: float) -> DetectionResult:
        """Parse the result."""
        if isinstance(self.result, CloudflareError):
            raise self.result
        return read_detection_result(id, self.result)

    def search_details(self, id: EmailId, seconds: float) -> MessageDetails:
        """Return the details."""
        assert 0 < seconds
        self.asked.append(id.value)
        if isinstance(self.details, CloudflareError):
            raise self.details
        return self.details


def decide(cloudflare: FakeCloudflare) -> Decision | MessageResult:
    """The decision about one message."""
    request = Request(message(POSTFIX_ID), EmailId(POSTFIX_ID))
    with ThreadPoolExecutor(1) as threads:
        investigator = Investigator(cast("Cloudflare", cloudflare), threads, POLICY, True, lambda: NOON)
        [detected] = investigator.detect([request], RESERVE_SECONDS + 9)
        return detected if isinstance(detected, MessageResult) else POLICY.decide(detected, NOON)


WITHOUT: dict[str, Any] = {name: value for name, value in FULL.items() if name != "final_disposition"}
UNUSABLE: dict[str, tuple[object, str]] = {
    "disposition is a number": (FULL | {"final_disposition": 7}, "$.final_disposition: type"),
    "disposition is a list": (FULL | {"final_disposition": ["MALICIOUS"]}, "$.final_disposition: type"),
    "disposition is an object": (FULL | {"final_disposition": {"value": "NONE"}}, "$.final_disposition: type"),
    "disposition is empty": (FULL | {"final_disposition": ""}, "$.final_disposition: minLength"),
    "disposition is blank": (FULL | {"final_disposition": " "}, "$.final_disposition: not a known value"),
    "disposition is an unknown word": (FULL | {"final_disposition": "DANGEROUS"}, "$.final_disposition: not a known"),
    "disposition has another name": (WITHOUT | {"verdict": "MALICIOUS"}, "does not know $.verdict"),
    "result is a list": ([FULL], "$: type"),
    "result is a text": ("MALICIOUS", "$: type"),
    "response is too large": (TOO_LARGE, "larger than"),
    "response is nested too deeply": (InvalidAnswer("nested too deeply: $: nesting"), "$: nesting"),
}


@pytest.mark.parametrize(("result", "problem"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_detection_alerts_if_the_details_escalate(result: object, problem: str) -> None:
    """The alert says that the detection could not be read, and has what is known of it."""
    decision = decide(FakeCloudflare(result, details(final_disposition="malicious ", delivery_status="delivered")))
    assert isinstance(decision, Decision)
    record = decision.record
    assert (Outcome.ESCALATED, "MALICIOUS", Severity.CRITICAL) == (record.outcome, record.disposition, record.severity)
    assert problem in record.detail
    assert record.detail == decision.result.detail
    assert record.detail.startswith("the detection could not be read")
    assert "details.$.delivery_status: type" in record.drift
    assert INVESTIGATE_ID == record.investigate_id
    links = record.detection.links if record.detection else ()
    assert bool(links) == (isinstance(result, dict))


DETAILS: dict[str, MessageDetails | CloudflareError] = {
    "are not escalated": details(final_disposition="SPAM"),
    "have no disposition": details(),
    "have an unknown disposition": details(final_disposition="DANGEROUS"),
    "are not found": NoDetection("404", id_exists=False),
    "are refused": Refused("400"),
    "are too large": TOO_LARGE,
}


@pytest.mark.parametrize("answer", DETAILS.values(), ids=DETAILS)
@pytest.mark.parametrize(("result", "problem"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_detection_is_rejected_if_the_details(
    result: object, problem: str, answer: MessageDetails | CloudflareError
) -> None:
    decision = decide(FakeCloudflare(result, answer))
    assert isinstance(decision, MessageResult)
    reason = Reason.UNKNOWN_DISPOSITION if "not a known" in problem else Reason.INVALID_ANSWER
    assert (Outcome.REJECTED, reason) == (decision.outcome, decision.reason)
    assert problem in decision.detail


FAILURES: dict[str, tuple[CloudflareError, Outcome]] = {
    "unavailable": (Unavailable("502"), Outcome.RETRY),
    "throttled": (Throttled("429", 300.0), Outcome.DEFERRED),
    "refused for the credentials": (CredentialsRefused("403"), Outcome.DEFERRED),
}


@pytest.mark.parametrize(("failure", "outcome"), FAILURES.values(), ids=FAILURES)
def test_unusable_detection_is_tried_again_while_the_details_are(failure: CloudflareError, outcome: Outcome) -> None:
    """A failure that passes must not turn an alert into a dead letter."""
    decision = decide(FakeCloudflare(TOO_LARGE, failure))
    assert isinstance(decision, MessageResult)
    assert outcome is decision.outcome


def test_details_are_asked_by_the_id_of_the_unreadable_delivery() -> None:
    cloudflare = FakeCloudflare(InvalidAnswer("too large", EmailId(INVESTIGATE_ID)), details())
    decide(cloudflare)
    assert [INVESTIGATE_ID] == cloudflare.asked


@pytest.mark.parametrize("disposition", ["MALICIOUS", "SPAM", None])
def test_usable_detection_needs_no_details(disposition: str | None) -> None:
    cloudflare = FakeCloudflare(FULL | {"final_disposition": disposition}, details())
    decide(cloudflare)
    assert [] == cloudflare.asked
