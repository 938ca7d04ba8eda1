"""The path of a batch, in stages. Each stage finishes messages, or passes them to the next stage.

The cost of a batch is its number of network calls, so the stages share calls: ten detections at the same time, then one
write that claims, one publish, and one write that marks. Emails that are not escalated cost one read, which shows whether
there was an alert before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.outcome import Outcome, Reason
from functions.escalate.decision import Policy
from functions.escalate.finish import Finisher
from functions.escalate.investigate import Investigator
from functions.escalate.notify import Notifier
from functions.escalate.request import InvalidRequest, read_request
from functions.escalate.sqs_message import Message
from functions.escalate.stages import Detected, Escalating, MessageResult, Request, advance


@dataclass(frozen=True, slots=True)
class Invocation:
    """owner: unlike that of any other invocation. seconds_left: until Lambda ends the invocation."""

    owner: str
    seconds_left: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages."""

    policy: Policy
    investigator: Investigator
    notifier: Notifier
    finisher: Finisher
    now: Callable[[], datetime]

    def run(self, messages: Sequence[Message], invocation: Invocation) -> list[MessageResult]:
        """One result for each message, in order. What fails is RETRY or DEFERRED; no message is lost."""
        owner, seconds_left = invocation.owner, invocation.seconds_left
        requests = self.read(messages)
        detected = advance(requests, lambda items: self.investigator.detect(items, seconds_left()))
        decided = advance(detected, self.decide)
        claimed = advance(decided, lambda items: self.notifier.claim(items, owner, seconds_left()))
        detailed = advance(claimed, self.investigator.add_details)
        published = advance(detailed, lambda items: self.notifier.publish(items, seconds_left))
        marked = advance(published, lambda items: self.notifier.mark(items, owner, seconds_left))
        return self.finisher.finish(marked, seconds_left)

    def decide(self, detected: list[Detected]) -> list[Escalating | MessageResult]:
        """The alerts that are due, by each detection and the previous alert about its email."""
        return self.notifier.check_previous_alerts([self.policy.decide(item, self.now()) for item in detected])

    def read(self, messages: Sequence[Message]) -> list[Request | MessageResult]:
        """The requests, each id once: a second message with the same id is retried after the first."""
        requests: list[Request | MessageResult] = []
        ids = set()
        for message in messages:
            try:
                request = read_request(message, self.policy.account_id)
            except InvalidRequest as exc:
                requests.append(MessageResult(message, Outcome.REJECTED, exc.reason, str(exc)))
                continue
            if request.id in ids:
                detail = "another message in this batch has the same id; this one is retried after it"
                requests.append(MessageResult(message, Outcome.RETRY, Reason.DUPLICATE_IN_BATCH, detail, request.id))
            else:
                ids.add(request.id)
                requests.append(request)
        return requests
