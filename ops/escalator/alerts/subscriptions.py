"""The subscriptions of a topic, and who of them gets a message."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.escalator.alerts.filter_policy import ATTRIBUTES, FilterPolicy, UnknownFilter, read_filter_policy
from ops.escalator.aws import explained

_NOT_CONFIRMED = frozenset({"PendingConfirmation", "Deleted"})
"""What SNS lists in place of an ARN."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription.

    arn:              None until it is confirmed. SNS does not tell more of it then.
    filter_problem:   why its filter policy cannot be evaluated.
    is_authenticated: whether only its owner can end it. If not, anyone with the link in an e-mail can.
    dead_letters:     the ARN of the queue that gets what cannot be delivered.
    """

    arn: str | None
    protocol: str
    endpoint: str
    policy: FilterPolicy | None = None
    filter_problem: str = ""
    is_authenticated: bool = True
    dead_letters: str = ""

    @property
    def name(self) -> str:
        """How a line names it."""
        return f"{self.protocol} {self.endpoint}"

    @property
    def is_confirmed(self) -> bool:
        """Whether SNS delivers to it."""
        return self.arn is not None

    @property
    def is_filtered(self) -> bool:
        """Whether it has a filter policy."""
        return self.policy is not None or bool(self.filter_problem)

    def passes(self, attributes: Mapping[str, str], body: str) -> bool:
        """Whether a message passes the filter policy, if there is one. Raises UnknownFilter."""
        if self.filter_problem:
            raise UnknownFilter(self.filter_problem)
        return self.policy is None or self.policy.passes(attributes, body)


def read_subscriptions(sns: Any, topic_arn: str) -> list[Subscription]:
    """Read all subscriptions of a topic. Raises CommandFailed."""
    with explained(f"list the subscriptions of {topic_arn}"):
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
        listed = [it for page in pages for it in page["Subscriptions"]]
        return [_read(sns, it) for it in listed]


def _read(sns: Any, listed: Mapping[str, str]) -> Subscription:
    arn = listed["SubscriptionArn"]
    if arn in _NOT_CONFIRMED:
        return Subscription(None, listed["Protocol"], listed["Endpoint"])
    try:
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    except sns.exceptions.AuthorizationErrorException:
        if listed.get("Owner") in (None, topic_account(listed["TopicArn"])):
            raise
        problem = f"it belongs to the account {listed['Owner']}, and only that one can read its filter"
        return Subscription(arn, listed["Protocol"], listed["Endpoint"], filter_problem=problem)
    return subscription_of(listed, attributes)


def topic_account(arn: str) -> str:
    """The account of a topic."""
    return arn.split(":")[4]


def subscription_of(listed: Mapping[str, str], attributes: Mapping[str, str]) -> Subscription:
    """A confirmed subscription from what SNS says of it."""
    policy, problem = None, ""
    if text := attributes.get("FilterPolicy"):
        try:
            policy = read_filter_policy(text, attributes.get("FilterPolicyScope") or ATTRIBUTES)
        except UnknownFilter as exc:
            problem = str(exc)
    return Subscription(
        arn=None if attributes.get("PendingConfirmation") == "true" else listed["SubscriptionArn"],
        protocol=listed["Protocol"],
        endpoint=listed["Endpoint"],
        policy=policy if policy is None or policy.policy else None,
        filter_problem=problem,
        is_authenticated=attributes.get("ConfirmationWasAuthenticated") == "true",
        dead_letters=json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", ""),
    )
