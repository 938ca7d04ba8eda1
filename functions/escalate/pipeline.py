"""The path of a batch, in stages. Each stage takes what is still open and returns it one step further, or finished.

The cost of a batch is its number of network calls, so the stages share calls: ten detections at the same time, then one
read of what is known, one claim, one publish and one mark for the whole batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.escalate.decision import Policy
from functions.escalate.finish import Finisher
from functions.escalate.investigate import Investigator, Known
from functions.escalate.notify import Notifier
from functions.escalate.request import InvalidRequest, read_request
from functions.escalate.sqs_message import Message
from functions.escalate.stages import MessageResult, Request, advance


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
        seconds_left = invocation.seconds_left
        requests = self.read(messages)
        detected = advance(requests, lambda items: self.investigator.detect(items, seconds_left()))
        decided = advance(detected, lambda items: [self.policy.decide(item, self.now()) for item in items])
        known = advance(decided, self.notifier.look_up)
        notified = advance(known, lambda items: self.notify(items, invocation))
        return self.finisher.finish(notified, seconds_left)

    def notify(self, known: list[Known], invocation: Invocation) -> list[MessageResult]:
        """The results of decisions, in order: claim the alerts that are due, publish them, mark their records."""
        owner, seconds_left = invocation.owner, invocation.seconds_left
        detailed = self.investigator.add_details(known)
        claimed = self.notifier.claim(detailed, owner, seconds_left())
        published = self.notifier.publish(claimed, seconds_left)
        marked = self.notifier.mark(published, owner, seconds_left)
        results = {result.message.id: result for item in marked for result in item.results}
        return [results[decision.request.message.id] for decision, _ in known]

    def read(self, messages: Sequence[Message]) -> list[Request | MessageResult]:
        """The requests; a body that names no email is REJECTED, or IGNORED if producers send it by themselves."""
        requests: list[Request | MessageResult] = []
        for message in messages:
            try:
                requests.append(read_request(message, self.policy.account_id, self.policy.known_to_escalate))
            except InvalidRequest as exc:
                requests.append(MessageResult(message, exc.outcome, exc.reason, str(exc), exc.id))
        return requests
