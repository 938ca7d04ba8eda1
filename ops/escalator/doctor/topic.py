"""The topics: who is subscribed, who waits, whose filter lets nothing through, and whose queue refuses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.alert.alert import Alert, Audience
from ops.escalator.alerts.filter_policy import UnknownFilter
from ops.escalator.alerts.subscriptions import Subscription, read_subscriptions
from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, listed, ok, skipped, warning
from ops.escalator.doctor.queue import Queue, read_queue_by_arn
from ops.escalator.text.labels import counted

_DEPLOY = "run `sam deploy` again"
_BY_LINK = frozenset({"email", "email-json", "http", "https"})
"""Protocols whose subscribers confirm by a link."""
_IN_THE_BODY = frozenset({"email", "email-json"})


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that exists, and its subscriptions."""

    name: str
    arn: str
    subscriptions: tuple[Subscription, ...]

    @property
    def confirmed(self) -> list[Subscription]:
        """The subscriptions that SNS delivers to."""
        return [it for it in self.subscriptions if it.is_confirmed]


Queues = Mapping[str, Queue | None]
"""The queues that subscriptions name, by ARN; None for one that does not exist."""


def read_topic(connection: Connection, name: str, arn: str) -> Topic | None:
    """Describe a topic; None if there is none. Raises CommandFailed."""
    sns = connection.client("sns")
    with explained(f"describe the topic {arn}"):
        try:
            sns.get_topic_attributes(TopicArn=arn)
        except sns.exceptions.NotFoundException:
            return None
    return Topic(name, arn, tuple(read_subscriptions(sns, arn)))


def read_queues(connection: Connection, topics: Iterable[Topic]) -> Queues:
    """Describe the queues of this account and region that the topics deliver to. Raises CommandFailed."""
    found: dict[str, Queue | None] = {}
    for topic in topics:
        for it in topic.confirmed:
            for arn in filter(None, (it.endpoint if it.protocol == "sqs" else "", it.dead_letters)):
                if arn.split(":")[3:5] == topic.arn.split(":")[3:5] and arn not in found:
                    found[arn] = read_queue_by_arn(connection, arn)
    return found


def check_topic(name: str, topic: Topic | None) -> Check:
    """Whether a topic exists."""
    if topic is None:
        return failure(f"{name} topic", "it does not exist", _DEPLOY)
    return ok(
        f"{name} topic", f"{len(topic.confirmed)} of {counted(len(topic.subscriptions), 'subscription')} confirmed"
    )


def check_alert_subscribers(findings: Topic | None, people: Topic | None) -> list[Check]:
    """Whether an alert reaches someone. Machines alone may page: a pager can be subscribed to the findings."""
    if findings is None or people is None:
        return skipped("alert subscribers", because="a topic does not exist")
    advice = f"aws sns subscribe --topic-arn {people.arn} --protocol email --notification-endpoint ADDRESS"
    if people.confirmed:
        found = f"{len(people.confirmed)} of people, {len(findings.confirmed)} of machines"
        return [ok("alert subscribers", found)]
    if findings.confirmed:
        return [warning("alert subscribers", f"{len(findings.confirmed)} of machines, and none of people", advice)]
    return [failure("alert subscribers", "none is confirmed: alerts reach no one", advice)]


def check_operations(topic: Topic | None) -> list[Check]:
    """Whether an alarm reaches someone."""
    if topic is None:
        return [check_topic("operations", None), *skipped("alarm subscribers", because="the topic does not exist")]
    if topic.confirmed:
        found = ok("alarm subscribers", listed([it.name for it in topic.confirmed]))
    else:
        advice = f"aws sns subscribe --topic-arn {topic.arn} --protocol email --notification-endpoint ADDRESS"
        found = failure("alarm subscribers", "none is confirmed: alarms reach no one", advice)
    return [check_topic("operations", topic), found]


def check_pending(topics: Sequence[Topic]) -> Check:
    """Subscriptions that wait for their confirmation."""
    waiting = [f"{it.name} ({topic.name})" for topic in topics for it in topic.subscriptions if not it.is_confirmed]
    if not waiting:
        return ok("pending subscriptions", "none")
    advice = "open the link in the e-mail from AWS; SNS deletes the subscription after 48 hours, then subscribe again"
    return failure("pending subscriptions", f"not confirmed: {listed(waiting)}", advice)


def check_filters(topics: Mapping[Audience, Topic], possible: Sequence[Alert]) -> Check:
    """Filters that no alert passes. possible: one alert of each kind."""
    empty, unknown = [], []
    for audience, topic in topics.items():
        for it in (it for it in topic.confirmed if it.is_filtered):
            try:
                if not any(_passes(it, audience, alert) for alert in possible):
                    empty.append(f"{it.name} ({audience})")
            except UnknownFilter:
                unknown.append(f"{it.name} ({audience})")
    if empty:
        advice = "correct the filter policy; the people topic needs none. docs/alerts.md has the attributes"
        return failure("filters", f"no alert passes the filter of {listed(empty)}", advice)
    if unknown:
        return warning("filters", f"not understood: that of {listed(unknown)}", "compare it with SNS's documentation")
    count = sum(it.is_filtered for topic in topics.values() for it in topic.confirmed)
    return ok(
        "filters",
        f"{counted(count, 'subscription')} with a filter; alerts pass each" if count else "no subscription has one",
    )


def _passes(subscription: Subscription, audience: Audience, alert: Alert) -> bool:
    """SNS documents that a message with a body for each protocol has no attributes."""
    if audience is Audience.PEOPLE:
        return subscription.passes({}, alert.message)
    return subscription.passes(alert.attributes, alert.finding)


def check_queues_of_subscribers(topics: Sequence[Topic], queues: Queues) -> Check:
    """Queues that are subscribed: each must exist, and let SNS send."""
    problems = _problems(topics, queues, lambda it: it.endpoint if it.protocol == "sqs" else "")
    if problems:
        advice = "give it a policy that lets sns.amazonaws.com send from the topic, or remove the subscription"
        return failure("subscribed queues", listed(problems), advice)
    return ok("subscribed queues", "each of this account lets SNS send")


def check_lost_deliveries(topics: Sequence[Topic], queues: Queues) -> Check:
    """Dead-letter queues of subscriptions: each must exist, and let SNS send."""
    problems = _problems(topics, queues, lambda it: it.dead_letters)
    if problems:
        advice = "create the queue with a policy that lets sns.amazonaws.com send, or correct the RedrivePolicy"
        return failure("undelivered alerts", listed(problems), advice)
    confirmed = [it for topic in topics for it in topic.confirmed]
    have = sum(bool(it.dead_letters) for it in confirmed)
    return ok("undelivered alerts", f"{have} of {len(confirmed)} subscriptions have a dead-letter queue")


def _problems(topics: Sequence[Topic], queues: Queues, arn_of: Callable[[Subscription], str]) -> list[str]:
    found = []
    for topic in topics:
        for arn in filter(None, map(arn_of, topic.confirmed)):
            queue = queues.get(arn)
            name = arn.rpartition(":")[2]
            if arn in queues and queue is None:
                found.append(f"{name} does not exist")
            elif queue and not queue.allows_topic(topic.arn):
                found.append(f"{name} has no policy that lets the {topic.name} topic send")
    return found


def check_unfiltered_mail(findings: Topic | None) -> list[Check]:
    """E-mail subscribers of the findings topic: they get JSON, and all of it."""
    if findings is None:
        return skipped("e-mail of findings", because="the findings topic does not exist")
    found = [it.name for it in findings.confirmed if it.protocol in _IN_THE_BODY and not it.is_filtered]
    if found:
        advice = "subscribe it to the people topic; SNS ends an e-mail subscription above 10 messages a second"
        return [warning("e-mail of findings", f"without a filter: {listed(found)}", advice)]
    return [ok("e-mail of findings", "none without a filter")]


def check_unsubscribe_links(topics: Sequence[Topic]) -> Check:
    """Subscriptions that anyone with the link can end."""
    found = {
        topic.arn: it.name
        for topic in topics
        for it in topic.confirmed
        if it.protocol in _BY_LINK and not it.is_authenticated
    }
    if not found:
        return ok("unsubscribe links", "none ends a subscription without a login")
    arn, name = next(iter(found.items()))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return warning(
        "unsubscribe links",
        f"anyone with the link in a message can end {name}{more}; scanners of e-mail open links",
        "unsubscribe, subscribe again, do not open the link, and confirm with its token: aws sns confirm-subscription"
        f" --topic-arn {arn} --token TOKEN --authenticate-on-unsubscribe true",
    )
