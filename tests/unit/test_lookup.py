"""lookup.py: what becomes of questions that nobody answers in time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Request
from functions.escalate.decision import Policy
from functions.escalate.lookup import RESERVE_SECONDS, Lookup
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from tests.unit.examples import ACCOUNT, NOON, POSTFIX_ID, message


class Hanging:
    """Cloudflare behind a resolver that does not answer until it is told to."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

    def wake(self) -> None:
        """Nothing to do."""

    def detection(self, mail: MessageId, _: float) -> dict[str, Any]:
        """Hang, beyond every deadline."""
        self.asked.append(mail.value)
        self.released.wait(30)
        return {"final_disposition": "NONE"}


def test_questions_that_hang() -> None:
    """All are deferred in time, and one that had not begun never begins: it would use up a turn for nobody."""
    hanging = Hanging()
    requests = [Request(message(POSTFIX_ID), MessageId(f"{POSTFIX_ID}{n}")) for n in range(3)]
    with ThreadPoolExecutor(1) as threads:
        policy = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
        lookup = Lookup(cast("Cloudflare", hanging), threads, policy, lambda: NOON)

        cases = lookup.detect(requests, RESERVE_SECONDS + 0.1)

        hanging.released.set()
    expected = [(Outcome.DEFERRED, Reason.OUT_OF_TIME)] * 3
    assert expected == [(case.outcome, case.reason) for case in cases if isinstance(case, Settled)]
    assert [f"{POSTFIX_ID}0"] == hanging.asked
