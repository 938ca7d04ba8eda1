"""The screen: the verdict, then one block for each part. At most 80 columns, also with long texts."""

import textwrap
from collections.abc import Iterator

from functions.domain.times import duration
from ops.escalator.doctor.queue import Queue
from ops.escalator.feed.status import LATE, FeedStatus
from ops.escalator.status.cause import delayed
from ops.escalator.status.overview import Overview
from ops.escalator.status.part import NotKnown
from ops.escalator.status.verdict import Verdict, ago, clock
from ops.escalator.text.labels import counted
from ops.escalator.text.sanitize import one_line

WIDTH = 80
_LABEL = 14
_MOST = 8
"""Lines of one part. The others are counted."""
_NOT_KNOWN = "not known: {}"


def screen(it: Overview, verdict: Verdict) -> list[str]:
    """All lines."""
    lines = [*_wrapped(verdict.headline), *_wrapped(verdict.lost)]
    for problem in verdict.problems[:1]:
        lines += _wrapped(f"> {problem.advice}", indent="  ")
    lines.append("")
    for name, texts in _parts(it).items():
        shown = texts[:_MOST] + ([f"and {len(texts) - _MOST} more"] if len(texts) > _MOST else [])
        for i, text in enumerate(shown):
            lines += _block(name if i == 0 else "", text)
    return lines


def _parts(it: Overview) -> dict[str, list[str]]:
    return {
        "Waiting": [*_waiting(it)],
        "Dead letters": [*_letters(it)],
        "Undelivered": [*_undelivered(it)],
        "Alarms": [*_alarms(it)],
        "Feed": [*_feed(it)],
        "Alerts": [*_alerts(it)],
        "Rate limit": [_rate_limit(it)],
        "Read": [*_coverage(it)],
    }


def _waiting(it: Overview) -> Iterator[str]:
    if isinstance(it.requests, NotKnown):
        yield _NOT_KNOWN.format(it.requests.why)
    elif it.requests.waiting:
        queue = it.requests
        states = f"{queue.visible:,} ready, {queue.in_flight:,} in work or retried later, {queue.delayed:,} deferred"
        yield f"{counted(queue.waiting, 'request')}: {states}"
    else:
        yield "none"
    if isinstance(it.tries, NotKnown):
        yield f"reasons not known: {it.tries.why}"
        return
    for known in delayed(it):
        since, last = clock(known.since, it.now), clock(known.last, it.now)
        yield f"{known.count:,} {known.reason}: since {since}, last tried {last}"
        if known.detail:
            yield f"  {known.detail}"


def _letters(it: Overview) -> Iterator[str]:
    letters = it.letters
    if isinstance(letters, NotKnown):
        yield _NOT_KNOWN.format(letters.why)
        return
    if not letters.count:
        yield "none"
        return
    since = f", the first since {clock(letters.oldest, it.now)}" if letters.oldest else ""
    read = f"; the reasons are those of {letters.read:,}" if letters.read < letters.count else ""
    yield f"{counted(letters.count, 'request')}{since}{read}"
    yield from (f"{count:,} {reason}" for reason, count in letters.reasons.items())


def _undelivered(it: Overview) -> Iterator[str]:
    match it.undelivered:
        case NotKnown(why):
            yield _NOT_KNOWN.format(why)
        case Queue() as queue if queue.waiting:
            yield counted(queue.waiting, "message")
        case _:
            yield "none"


def _alarms(it: Overview) -> Iterator[str]:
    if isinstance(it.alarms, NotKnown):
        yield _NOT_KNOWN.format(it.alarms.why)
        return
    if not it.alarms:
        yield "none is on"
    for alarm in it.alarms:
        yield f"{alarm.name} since {clock(alarm.since, it.now)}" if alarm.since else alarm.name


def _feed(it: Overview) -> Iterator[str]:
    feed = it.feed
    if feed is None:
        yield "off"
        return
    if isinstance(feed, NotKnown):
        yield _NOT_KNOWN.format(feed.why)
        return
    lag = duration(max(0.0, feed.state.lag(feed.now).total_seconds()))
    late = f", more than {LATE.total_seconds() / 60:.0f} min" if feed.is_late else ""
    yield f"lag {lag}{late}"
    for run in feed.runs[:1]:
        yield f"last run {clock(run.at, it.now)}: {run.result}{f', {run.detail}' if run.detail else ''}"


def _alerts(it: Overview) -> Iterator[str]:
    alerts = it.alerts
    if alerts is None:
        yield "not known: there is no table"
        return
    if isinstance(alerts, NotKnown):
        yield _NOT_KNOWN.format(alerts.why)
        return
    least = "at least " if alerts.is_cut else ""
    kinds = ", ".join(f"{count:,} {severity}" for severity, count in alerts.severities.items())
    yield f"{least}{alerts.hour:,} in the last hour, {alerts.day:,} in the last day{f' ({kinds})' if kinds else ''}"
    if alerts.unconfirmed and alerts.since:
        yield f"{alerts.unconfirmed:,} not confirmed as sent, since {clock(alerts.since, it.now)}"


def _rate_limit(it: Overview) -> str:
    if isinstance(it.log, NotKnown):
        return _NOT_KNOWN.format(it.log.why)
    if isinstance(it.feed, FeedStatus) and (until := it.feed.state.blocked_until) and until > it.now:
        return f"Cloudflare blocks the token until {clock(until, it.now)}"
    if it.log.remaining is None:
        return "not known: no answer of Cloudflare has said it in the last hour"
    count, at = it.log.remaining
    return f"{count:,} of {it.limit:,} requests left, {ago(at, it.now)} ago"


def _coverage(it: Overview) -> Iterator[str]:
    """What the screen is about. All times are UTC."""
    yield f"{it.stack}, {it.now:%Y-%m-%d %H:%M:%S} UTC"
    if not isinstance(it.log, NotKnown):
        cut = ", the newest ones" if it.log.is_cut else ""
        yield f"log since {clock(it.log.since, it.now)}: {counted(len(it.log.lines), 'outcome')}{cut}"


def _block(label: str, text: str) -> list[str]:
    lead = " " * (len(text) - len(text.lstrip()))
    indent = " " * _LABEL + lead
    return textwrap.wrap(
        f"{label:{_LABEL}}{lead}{one_line(text)}", WIDTH, subsequent_indent=indent, break_long_words=True
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH, subsequent_indent=indent)
