"""Timeouts of requests to Cloudflare, shared detections, and the message details of escalations."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
from functions.domain.email_state import EmailState, last_alert, plan
from functions.domain.message_details import Delivery, MessageDetails
from functions.domain.outcome import Outcome, Reason
from functions.domain.severity import Severity
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.escalate.investigate import DETAILS_SECONDS, RESERVE_SECONDS, Investigator, Known
from functions.escalate.stages import Decision, Detected, MessageResult, Request
from tests.clock import wait_for
from tests.unit.examples import ACCOUNT, INVESTIGATE_ID, NOON, POSTFIX_ID, decision, details, escalated, message

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)


def _investigator(cloudflare: object, threads: ThreadPoolExecutor, *, with_details: bool = True) -> Investigator:
    return Investigator(cast("Cloudflare", cloudflare), threads, POLICY, with_details, lambda: NOON)


class OneThread(ThreadPoolExecutor):
    """One thread. The call that is submitted first has started before the next one is submitted.

    So the first call is the one that hangs, even if the thread is slow to start.
    """

    def __init__(self, started: threading.Event) -> None:
        super().__init__(1)
        self._started = started

    def submit(self, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit, and wait until the first call has started."""
        future = super().submit(*args, **kwargs)
        wait_for(self._started, "the thread starts its call")
        return future


class HangingDetections:
    """Cloudflare whose detections do not return until they are released."""

    def __init__(self) -> None:
        self.started, self.released = threading.Event(), threading.Event()
        self.calls: list[str] = []

    def drop_idle_connections(self) -> None:
        """Do nothing."""

    def detection(self, email_id: EmailId, _: float) -> DetectionResult:
        """Hang past every deadline."""
        self.calls.append(email_id.value)
        self.started.set()
        wait_for(self.released, "the test releases the call")
        return read_detection_result(email_id, {"final_disposition": "NONE"})


def test_hanging_calls_are_deferred_and_queued_calls_never_start() -> None:
    """A call that starts after its deadline would waste a request of the rate limit."""
    hanging = HangingDetections()
    requests = [Request(message(POSTFIX_ID), EmailId(f"{POSTFIX_ID}{n}")) for n in range(3)]
    with OneThread(hanging.started) as threads:
        investigator = _investigator(hanging, threads)

        results = investigator.detect(requests, RESERVE_SECONDS + 0.1)

        hanging.released.set()
    expected = [(Outcome.DEFERRED, Reason.OUT_OF_TIME)] * 3
    assert expected == [(result.outcome, result.reason) for result in results if isinstance(result, MessageResult)]
    assert [f"{POSTFIX_ID}0"] == hanging.calls


class CountedDetections(HangingDetections):
    """Cloudflare that answers immediately and counts the requests."""

    def detection(self, email_id: EmailId, _: float) -> DetectionResult:
        """Return immediately."""
        self.calls.append(email_id.value)
        return read_detection_result(email_id, {"final_disposition": "NONE"})


def test_requests_with_the_same_id_share_one_detection() -> None:
    """A second request would waste one of the rate limit."""
    cloudflare = CountedDetections()
    requests = [Request(message(form), EmailId(form)) for form in (POSTFIX_ID, INVESTIGATE_ID, POSTFIX_ID)]
    with ThreadPoolExecutor(2) as threads:
        results = _investigator(cloudflare, threads).detect(requests, RESERVE_SECONDS + 60)
    assert requests == [result.request for result in results if isinstance(result, Detected)]
    assert sorted([POSTFIX_ID, INVESTIGATE_ID]) == sorted(cloudflare.calls)


class CutSearch(CountedDetections):
    """Cloudflare whose search by a shorter id has left something out."""

    def detection(self, email_id: EmailId, _: float) -> DetectionResult:
        """Return a malicious email."""
        assert POSTFIX_ID == email_id.value
        result = read_detection_result(EmailId(INVESTIGATE_ID), {"final_disposition": "MALICIOUS"})
        return replace(result, detail="the others were not checked")


def test_what_the_search_left_out_is_in_the_record() -> None:
    """An operator sees that other deliveries may exist."""
    with ThreadPoolExecutor(2) as threads:
        [result] = _investigator(CutSearch(), threads).detect(
            [Request(message(POSTFIX_ID), EmailId(POSTFIX_ID))], RESERVE_SECONDS + 60
        )
    assert isinstance(result, Detected)
    decided = POLICY.decide(result, NOON)
    assert isinstance(decided, Decision)
    assert ("the others were not checked",) * 2 == (decided.record.detail, decided.result.detail)


# --- add_details ----------------------------------------------------------------------------------------------------

DETAILS = details(delivery_status=["delivered"])
UNKNOWN_EMAIL = EmailState()


@dataclass
class FakeDetails:
    """Cloudflare that returns the details for an id, or raises an error."""

    answers: dict[str, MessageDetails | CloudflareError]
    calls: list[tuple[str, float]] = field(default_factory=list)

    def message_details(self, email_id: EmailId, seconds: float) -> MessageDetails:
        """Return immediately."""
        self.calls.append((email_id.value, seconds))
        answer = self.answers[email_id.value]
        if isinstance(answer, CloudflareError):
            raise answer
        return answer


def escalating(id: str, resolved_id: str | None = None, state: EmailState = UNKNOWN_EMAIL) -> Known:
    return decision(escalated(id=EmailId(id), resolved_id=EmailId(resolved_id or id))), state


def deliveries_and_severities(
    cloudflare: object, cases: list[Known], *, with_details: bool = True
) -> list[tuple[Delivery, str | None]]:
    """Delivery and severity in each record, after the details are added."""
    with ThreadPoolExecutor(2) as threads:
        with_added = _investigator(cloudflare, threads, with_details=with_details).add_details(cases)
    assert [it.request for it, _ in cases] == [it.request for it, _ in with_added]
    return [(it.record.delivery, it.record.severity) for it, _ in with_added]


def test_details_set_delivery_and_severity_of_the_record() -> None:
    """An email in an inbox is more severe."""
    assert [(Delivery.DELIVERED, Severity.CRITICAL)] == deliveries_and_severities(
        FakeDetails({INVESTIGATE_ID: DETAILS}), [escalating(INVESTIGATE_ID)]
    )


def test_details_are_fetched_by_the_resolved_id_within_the_time_limit() -> None:
    """The resolved id is the one that Cloudflare has. The call ends before the alert has to go out."""
    cloudflare = FakeDetails({INVESTIGATE_ID: DETAILS})
    deliveries_and_severities(cloudflare, [escalating(POSTFIX_ID, INVESTIGATE_ID)])
    [(email_id, seconds)] = cloudflare.calls
    assert INVESTIGATE_ID == email_id
    assert 0 < seconds < DETAILS_SECONDS


def test_no_call_is_made_when_details_are_turned_off() -> None:
    """Delivery stays unknown."""
    cloudflare = FakeDetails({INVESTIGATE_ID: DETAILS})
    actual = deliveries_and_severities(cloudflare, [escalating(INVESTIGATE_ID)], with_details=False)
    assert ([(Delivery.UNKNOWN, Severity.HIGH)], []) == (actual, cloudflare.calls)


FAILURES: dict[str, CloudflareError] = {
    "unavailable": Unavailable("502"),
    "not found": NoDetection("404", id_exists=False),
    "throttled": Throttled("429", 300.0),
    "refused": Refused("400"),
    "credentials refused": CredentialsRefused("403"),
    "invalid": InvalidAnswer("$: type"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_failed_call_leaves_only_its_own_alert_without_details(failure: CloudflareError) -> None:
    """Delivery stays unknown for that alert. Other alerts get their details."""
    answers: dict[str, MessageDetails | CloudflareError] = {POSTFIX_ID: failure, INVESTIGATE_ID: DETAILS}
    expected = [(Delivery.UNKNOWN, Severity.HIGH), (Delivery.DELIVERED, Severity.CRITICAL)]
    assert expected == deliveries_and_severities(
        FakeDetails(answers), [escalating(POSTFIX_ID), escalating(INVESTIGATE_ID)]
    )


class HangingMessageDetails:
    """Cloudflare whose details do not return until they are released."""

    def __init__(self) -> None:
        self.started, self.released = threading.Event(), threading.Event()
        self.calls: list[str] = []

    def message_details(self, email_id: EmailId, _: float) -> MessageDetails:
        """Hang past every deadline."""
        self.calls.append(email_id.value)
        self.started.set()
        wait_for(self.released, "the test releases the call")
        return DETAILS


def test_hanging_details_do_not_delay_or_change_alerts() -> None:
    """Queued calls never start, and a late response changes no record."""
    hanging = HangingMessageDetails()
    cases = [escalating(f"{POSTFIX_ID}{n}") for n in range(3)]
    with OneThread(hanging.started) as threads:
        with_added = _investigator(hanging, threads).add_details(cases)
        returned_first = not hanging.released.is_set()
        hanging.released.set()
    assert (cases, True, [f"{POSTFIX_ID}0"]) == (with_added, returned_first, hanging.calls)


def test_details_are_requested_again_until_the_alert_is_complete_in_an_inbox() -> None:
    """A release from quarantine raises the severity. An email in an inbox cannot become more severe."""
    calls = {}
    for status in ("delivered", "quarantined"):
        alert = escalated(details=details(delivery_status=[status]))
        state = replace(plan(EmailState(), [alert]).state, version=1, alert=last_alert(alert), complete=True)
        cloudflare = FakeDetails({INVESTIGATE_ID: DETAILS})
        deliveries_and_severities(cloudflare, [escalating(INVESTIGATE_ID, state=state)])
        calls[status] = len(cloudflare.calls)
    assert {"delivered": 0, "quarantined": 1} == calls
