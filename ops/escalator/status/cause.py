"""What is wrong, and since when: the problems that the parts of the status show, the most urgent one first."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.outcome import Reason
from functions.feed.runner import Result
from ops.escalator.doctor.queue import Queue
from ops.escalator.feed.status import FeedStatus
from ops.escalator.status.overview import Overview
from ops.escalator.status.part import NotKnown
from ops.escalator.status.waiting import Tries, WaitingReason
from ops.escalator.text.labels import counted

NORMAL = frozenset({Reason.NO_DETECTION, Reason.CLAIMED_BY_ANOTHER, Reason.SUPERSEDED})
"""Reasons of a RETRY that are no fault."""
DELIVERY_ALARMS = frozenset(
    {"DeliveryAlarm", "PeopleDeliveryAlarm", "SubscriberAlarm", "PeopleSubscriberAlarm", "UndeliveredLostAlarm"}
    | {"EventBacklogAlarm", "EventDeadLetterAlarm"}
)
"""Alarms that say that subscribers may have missed alerts."""
DELAY_ALARMS = frozenset(
    {"WaitingAlarm", "BacklogAlarm", "RateLimitAlarm", "CredentialsAlarm", "FeedAlarm", "FeedCredentialsAlarm"}
)
"""Alarms that say that requests or the feed wait, which is one problem and not two."""
KEPT_ALARMS = frozenset({"DeadLetterAlarm", "RejectedAlarm", "UndeliveredAlarm"})
"""Alarms that say that messages are kept for an operator."""
COUNT_DELAY = timedelta(minutes=2)
"""The counts of a queue can be this late. SQS documents about a minute."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a reason means for an operator, and what to do. is_cloudflare: whether an answer of Cloudflare ends it."""

    text: str
    advice: str
    is_cloudflare: bool = False


CAUSES: Mapping[str, Words] = {
    Reason.CREDENTIALS_REFUSED: Words("Cloudflare refuses the credentials", "put a valid token into the secret", True),
    Reason.THROTTLED: Words(
        "Cloudflare's rate limit is used up", "wait for the end of the block; if it lasts, send fewer ids", True
    ),
    Reason.CLOUDFLARE_UNAVAILABLE: Words("Cloudflare fails", "see Cloudflare's status page", True),
    Reason.OUT_OF_TIME: Words("Cloudflare is slow", "see Cloudflare's status page", True),
    Reason.LEDGER_UNAVAILABLE: Words("DynamoDB fails", "see AWS's status page, and `detail` in the log"),
    Reason.PUBLISH_FAILED: Words("SNS takes no alerts", "see AWS's status page, and `detail` in the log"),
    Reason.QUEUE_UNAVAILABLE: Words("SQS fails", "see AWS's status page, and `detail` in the log"),
}
FEED_REASONS: Mapping[str, Reason] = {
    Result.CREDENTIALS_REFUSED: Reason.CREDENTIALS_REFUSED,
    Result.BLOCKED: Reason.THROTTLED,
    Result.UNAVAILABLE: Reason.CLOUDFLARE_UNAVAILABLE,
}
"""The reason that a failed run of the feed shares with requests that wait. `unavailable` can also be the table or the queue."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something is wrong. since: None if that is not known."""

    text: str
    since: datetime | None
    advice: str


def find_problems(it: Overview) -> list[Problem]:
    """All problems, the most urgent one first."""
    delays, kept = [*_delays(it)], [*_kept(it)]
    explained = DELIVERY_ALARMS | (DELAY_ALARMS if delays else frozenset()) | (KEPT_ALARMS if kept else frozenset())
    return [*_deliveries(it), *delays, *kept, *_other_alarms(it, explained), *_unknown(it)]


def delayed(it: Overview) -> list[WaitingReason]:
    """The reasons for which requests wait now. The log alone cannot tell whether a request was deleted."""
    if isinstance(it.tries, NotKnown):
        return []
    is_empty = isinstance(it.requests, Queue) and not it.requests.waiting
    return [known for known in it.tries.reasons if not is_empty or known.last > it.now - COUNT_DELAY]


def failing_since(feed: FeedStatus) -> datetime | None:
    """Since when all runs of the feed fail; None if the last one did not. The end of what is listed, if all known runs fail."""
    failed = [run.result in FEED_REASONS for run in feed.runs]
    if not failed or not failed[0]:
        return None
    count = failed.index(False) if False in failed else len(failed)
    return feed.watermark if count == len(failed) else feed.runs[count - 1].at


def _deliveries(it: Overview) -> Iterator[Problem]:
    if isinstance(it.alarms, NotKnown):
        return
    for alarm in it.alarms:
        if alarm.name in DELIVERY_ALARMS:
            yield Problem(
                f"Subscribers do not get alerts: {alarm.name}", alarm.since, "correct the subscription, then replay"
            )


def _delays(it: Overview) -> Iterator[Problem]:
    """Requests that wait and a feed that fails, each cause once."""
    reasons = {known.reason: known for known in delayed(it) if known.reason not in NORMAL}
    feed = it.feed if isinstance(it.feed, FeedStatus) else None
    feed_since = failing_since(feed) if feed else None
    feed_reason = FEED_REASONS.get(feed.runs[0].result) if feed and feed_since else None
    if isinstance(it.tries, Tries) and not feed_reason and _is_over(it.tries, [*reasons.values()]):
        first = min(known.since for known in reasons.values())
        yield Problem(
            "Cloudflare answers again. Requests wait for their next try", first, "they are retried within 15 min"
        )
        return
    for reason, known in reasons.items():
        words = CAUSES.get(reason) or Words(f"requests are retried: {reason}", "see `detail` in the log")
        shared = [feed_since] if feed_since and reason == feed_reason else []
        yield Problem(f"Requests wait: {_text(reason, words, it)}", min([known.since, *shared]), words.advice)
    if feed_reason and feed_reason not in reasons:
        words = CAUSES[feed_reason]
        yield Problem(f"The feed waits: {_text(feed_reason, words, it)}", feed_since, words.advice)
    elif feed and feed.is_late and not feed_reason:
        yield Problem("The feed is late", feed.watermark, f"escalator feed status --stack {it.stack}")
    yield from _no_outcomes(it)


def _text(reason: str, words: Words, it: Overview) -> str:
    """The text of a cause. The feed knows whether the token is blocked, and until when."""
    until = it.feed.state.blocked_until if isinstance(it.feed, FeedStatus) else None
    if reason == Reason.THROTTLED and until and until > it.now:
        return f"Cloudflare blocks the token until {until:%H:%M}"
    return words.text


def _is_over(tries: Tries, reasons: list[WaitingReason]) -> bool:
    """Whether Cloudflare's answers have led to outcomes after the last failure of each request."""
    answered = tries.answered_at
    return bool(reasons) and all(
        known.reason in CAUSES and CAUSES[known.reason].is_cloudflare and answered is not None and answered > known.last
        for known in reasons
    )


def _no_outcomes(it: Overview) -> Iterator[Problem]:
    """The function does not run, if requests can be received and the log has none of them."""
    if isinstance(it.requests, NotKnown) or isinstance(it.log, NotKnown):
        return
    if it.requests.visible and not it.log.lines:
        yield Problem(
            "Requests wait: the function has logged no outcome for an hour",
            it.log.since,
            f"escalator doctor --stack {it.stack}",
        )


def _kept(it: Overview) -> Iterator[Problem]:
    """What is kept until an operator acts."""
    if not isinstance(it.letters, NotKnown) and it.letters.count:
        text = f"{counted(it.letters.count, 'request is', 'requests are')} on the dead-letter queue"
        yield Problem(text, it.letters.oldest, f"escalator redrive list --stack {it.stack}")
    if isinstance(it.undelivered, Queue) and it.undelivered.waiting:
        text = f"SNS could not deliver {counted(it.undelivered.waiting, 'message')} to a subscriber"
        yield Problem(text, None, f"escalator redrive list --undelivered --stack {it.stack}")
    if it.alerts and not isinstance(it.alerts, NotKnown) and it.alerts.unconfirmed:
        text = f"{counted(it.alerts.unconfirmed, 'alert is', 'alerts are')} not confirmed as sent"
        yield Problem(text, it.alerts.since, f"escalator history --pending --stack {it.stack}")


def _other_alarms(it: Overview, explained: AbstractSet[str]) -> Iterator[Problem]:
    """The alarms that no other problem explains."""
    if isinstance(it.alarms, NotKnown):
        return
    for alarm in it.alarms:
        if alarm.name not in explained:
            yield Problem(f"{alarm.name} is on", alarm.since, "docs/outcomes-and-alarms.md says what to do")


def _unknown(it: Overview) -> Iterator[Problem]:
    if it.not_known:
        text = f"It is not known whether all is well: cannot read {', '.join(it.not_known)}"
        yield Problem(text, None, "each part below says why it cannot be read")
