"""The verdict: what is wrong, since when, and is anything lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.times import duration
from functions.escalate.retries import MAX_DEFERRAL
from ops.escalator.doctor.queue import Queue
from ops.escalator.feed.status import FeedStatus
from ops.escalator.status.cause import DELIVERY_ALARMS, Problem, failing_since, find_problems
from ops.escalator.status.overview import Overview
from ops.escalator.status.part import NotKnown
from ops.escalator.text.labels import counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """headline: one sentence. lost: whether anything is lost. problems: the most urgent one first; none if all is well."""

    headline: str
    lost: str
    problems: tuple[Problem, ...]

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong and every part is known."""
        return not self.problems


def judge(it: Overview) -> Verdict:
    """Judge a deployment."""
    problems = tuple(find_problems(it))
    if not problems:
        return Verdict("OK.", lost(it), ())
    first, *others = problems
    since = f" (since {clock(first.since, it.now)} UTC, {ago(first.since, it.now)})" if first.since else ""
    more = f" {counted(len(others), 'more problem')} below." if others else ""
    return Verdict(f"{first.text}{since}.{more}", lost(it), problems)


def lost(it: Overview) -> str:
    """Whether anything is lost, and what is kept for how long."""
    unknown = [name for name in ("requests queue", "dead letters", "alarms", "alerts", "feed") if name in it.not_known]
    risks = [*_risks(it)]
    waits = [*_waits(it)]
    if unknown:
        first = f"It is not known whether anything is lost: cannot read {', '.join(unknown)}."
        return " ".join([first, *(f"{_capital(risk)}." for risk in risks)])
    if risks:
        return " ".join(f"{_capital(text)}." for text in (*risks, *waits))
    return f"Nothing is lost: {', and '.join(waits)}." if waits else "Nothing is lost."


def clock(at: datetime, now: datetime) -> str:
    """A time in UTC, with its date if that is not today."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago a time was, to the minute."""
    seconds = max(0.0, (now - at).total_seconds())
    return duration(seconds if seconds < 60 else seconds // 60 * 60)


def _risks(it: Overview) -> Iterator[str]:
    """What subscribers may have missed, and what an operator has to act on before SQS deletes it."""
    if not isinstance(it.alarms, NotKnown) and any(alarm.name in DELIVERY_ALARMS for alarm in it.alarms):
        yield "subscribers may have missed alerts; the records have them all"
    if isinstance(it.undelivered, Queue) and it.undelivered.waiting:
        count = counted(it.undelivered.waiting, "message has", "messages have")
        yield f"{count} not reached a subscriber; SQS keeps each for {_days(it.undelivered.retention)}"
    if not isinstance(it.letters, NotKnown) and it.letters.count:
        until = f" SQS deletes the first one on {it.letters.expires:%Y-%m-%d}" if it.letters.expires else ""
        count = counted(it.letters.count, "request has", "requests have")
        yield f"not lost yet: {count} no decision and no alert.{until}"
    if it.alerts and not isinstance(it.alerts, NotKnown) and it.alerts.unconfirmed:
        yield f"it is not known whether {counted(it.alerts.unconfirmed, 'alert was', 'alerts were')} sent"


def _waits(it: Overview) -> Iterator[str]:
    if isinstance(it.requests, Queue) and it.requests.waiting:
        count = counted(it.requests.waiting, "request waits", "requests wait")
        kept = (
            "" if isinstance(it.letters, NotKnown) else f", then {_days(it.letters.retention)} on the dead-letter queue"
        )
        yield f"{count} in the queue (for up to {_days(MAX_DEFERRAL)}{kept})"
    if isinstance(it.feed, FeedStatus) and (it.feed.is_late or failing_since(it.feed)):
        yield f"the feed continues from {clock(it.feed.watermark, it.now)} UTC"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _days(time: timedelta) -> str:
    return counted(time.days, "day")
