"""lookup.py: what becomes of questions that nobody answers in time, and which context an escalation gets."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.context import Context, Delivery
from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    Throttled,
    Unavailable,
)
from functions.cloudflare.found import Found, read_found
from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Escalating, Request
from functions.escalate.decision import Policy
from functions.escalate.lookup import CONTEXT_SECONDS, RESERVE_SECONDS, Lookup
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.severity import Severity
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from tests.clock import wait_for
from tests.unit.examples import ACCOUNT, INVESTIGATE_ID, NOON, POSTFIX_ID, context, escalated, message

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)


def _lookup(cloudflare: object, threads: ThreadPoolExecutor, *, with_context: bool = True) -> Lookup:
    return Lookup(cast("Cloudflare", cloudflare), threads, POLICY, with_context, lambda: NOON)


class OneThread(ThreadPoolExecutor):
    """One thread. What is submitted first has begun before the next is submitted.

    So what hangs is what was submitted first, also where the thread is slow to start.
    """

    def __init__(self, begun: threading.Event) -> None:
        super().__init__(1)
        self._begun = begun

    def submit(self, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit, and wait until the first work has begun."""
        future = super().submit(*args, **kwargs)
        wait_for(self._begun, "the thread begins its work")
        return future


class Hanging:
    """Cloudflare behind a resolver that does not answer until it is told to."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        self.asked: list[str] = []

    def wake(self) -> None:
        """Nothing to do."""

    def detection(self, mail: MessageId, _: float) -> Found:
        """Hang, beyond every deadline."""
        self.asked.append(mail.value)
        self.begun.set()
        wait_for(self.released, "the test releases the call")
        return read_found(mail, {"final_disposition": "NONE"})


def test_questions_that_hang() -> None:
    """All are deferred in time, and one that had not begun never begins: it would use up a turn for nobody."""
    hanging = Hanging()
    requests = [Request(message(POSTFIX_ID), MessageId(f"{POSTFIX_ID}{n}")) for n in range(3)]
    with OneThread(hanging.begun) as threads:
        lookup = _lookup(hanging, threads)

        cases = lookup.detect(requests, RESERVE_SECONDS + 0.1)

        hanging.released.set()
    expected = [(Outcome.DEFERRED, Reason.OUT_OF_TIME)] * 3
    assert expected == [(case.outcome, case.reason) for case in cases if isinstance(case, Settled)]
    assert [f"{POSTFIX_ID}0"] == hanging.asked


# --- contexts ---------------------------------------------------------------------------------------------------------

CONTEXT = context(delivery_status=["delivered"])


@dataclass
class Informed:
    """Cloudflare that answers about a mail's context with what stands under its id: a context, or an error."""

    answers: dict[str, Context | CloudflareError]
    asked: list[tuple[str, float]] = field(default_factory=list)

    def context(self, mail: MessageId, seconds: float) -> Context:
        """At once."""
        self.asked.append((mail.value, seconds))
        answer = self.answers[mail.value]
        if isinstance(answer, CloudflareError):
            raise answer
        return answer


def escalating(id: str, found_as: str | None = None) -> Escalating:
    mail = MessageId(id)
    return Escalating(Request(message(id), mail), escalated(id=mail, found_as=MessageId(found_as or id)))


def in_context(
    cloudflare: object, cases: list[Escalating], *, with_context: bool = True
) -> list[tuple[Delivery, str | None]]:
    """Where each mail is and how urgent that is, as its record says."""
    with ThreadPoolExecutor(2) as threads:
        known = _lookup(cloudflare, threads, with_context=with_context).contexts(cases)
    assert [case.request for case in cases] == [case.request for case in known]
    return [(case.record.delivery, case.record.severity) for case in known]


def test_a_context() -> None:
    """It becomes part of the record, and the severity follows on it."""
    assert [(Delivery.DELIVERED, Severity.CRITICAL)] == in_context(
        Informed({INVESTIGATE_ID: CONTEXT}), [escalating(INVESTIGATE_ID)]
    )


def test_the_id_that_is_asked_by() -> None:
    """It is the one under which Cloudflare has the mail; and the question has a time limit within the alert's."""
    cloudflare = Informed({INVESTIGATE_ID: CONTEXT})
    in_context(cloudflare, [escalating(POSTFIX_ID, INVESTIGATE_ID)])
    [(asked, seconds)] = cloudflare.asked
    assert INVESTIGATE_ID == asked
    assert 0 < seconds < CONTEXT_SECONDS


def test_contexts_turned_off() -> None:
    """Nobody is asked."""
    cloudflare = Informed({INVESTIGATE_ID: CONTEXT})
    known = in_context(cloudflare, [escalating(INVESTIGATE_ID)], with_context=False)
    assert ([(Delivery.UNKNOWN, Severity.HIGH)], []) == (known, cloudflare.asked)


FAILURES: dict[str, CloudflareError] = {
    "unavailable": Unavailable("502"),
    "not found": NoDetection("404", known=False),
    "throttled": Throttled("429", 300.0),
    "refused": Refused("400"),
    "credentials refused": CredentialsRefused("403"),
    "invalid": InvalidAnswer("$: type"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_context_that_is_not_given(failure: CloudflareError) -> None:
    """However it fails, the alert goes without, and the others with theirs."""
    answers: dict[str, Context | CloudflareError] = {POSTFIX_ID: failure, INVESTIGATE_ID: CONTEXT}
    expected = [(Delivery.UNKNOWN, Severity.HIGH), (Delivery.DELIVERED, Severity.CRITICAL)]
    assert expected == in_context(Informed(answers), [escalating(POSTFIX_ID), escalating(INVESTIGATE_ID)])


class Silent:
    """Cloudflare that does not answer before it is told to, whatever the time limit."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        self.asked: list[str] = []

    def context(self, mail: MessageId, _: float) -> Context:
        """Hang."""
        self.asked.append(mail.value)
        self.begun.set()
        wait_for(self.released, "the test releases the call")
        return CONTEXT


def test_contexts_that_hang() -> None:
    """Nobody waits for them, what has not begun never begins, and no answer changes a record afterwards."""
    silent = Silent()
    cases = [escalating(f"{POSTFIX_ID}{n}") for n in range(3)]
    with OneThread(silent.begun) as threads:
        known = _lookup(silent, threads).contexts(cases)
        returned_first = not silent.released.is_set()
        silent.released.set()
    assert (cases, True, [f"{POSTFIX_ID}0"]) == (known, returned_first, silent.asked)
