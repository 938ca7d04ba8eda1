"""The status for programs: all facts, with names that stay. A part that could not be read is `{"not_known": <why>}`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from functions.domain.record import moment
from ops.escalator.doctor.alarms import Alarm
from ops.escalator.doctor.queue import Queue
from ops.escalator.status.alerts import AlertCounts
from ops.escalator.status.cause import Problem, delayed
from ops.escalator.status.letters import Letters
from ops.escalator.status.log import Log
from ops.escalator.status.overview import Overview
from ops.escalator.status.part import NotKnown
from ops.escalator.status.verdict import Verdict

T = TypeVar("T")


def facts(it: Overview, verdict: Verdict) -> dict[str, Any]:
    """The object that --json prints."""
    return {
        "at": moment(it.now),
        "stack": it.stack,
        "is_fine": verdict.is_fine,
        "verdict": verdict.headline,
        "lost": verdict.lost,
        "problems": [*map(_problem, verdict.problems)],
        "waiting": _part(it.requests, _queue),
        "waiting_reasons": _part(it.tries, lambda _: _reasons(it)),
        "dead_letters": _part(it.letters, _letters),
        "undelivered": _part(it.undelivered, _queue),
        "alarms": _part(it.alarms, lambda alarms: [*map(_alarm, alarms)]),
        "feed": _part(it.feed, lambda feed: feed.as_json()),
        "alerts": _part(it.alerts, _alerts),
        "rate_limit": _part(it.log, lambda log: _rate_limit(log, it.limit)),
        "log": _part(it.log, _log),
    }


def _part(part: T | NotKnown | None, describe: Callable[[T], Any]) -> Any:
    """None stays None: the deployment has no such part."""
    if part is None:
        return None
    return {"not_known": part.why} if isinstance(part, NotKnown) else describe(part)


def _problem(it: Problem) -> dict[str, Any]:
    return {"text": it.text, "since": _time(it.since), "advice": it.advice}


def _queue(it: Queue) -> dict[str, Any]:
    return {"count": it.waiting, "visible": it.visible, "in_flight": it.in_flight, "delayed": it.delayed}


def _reasons(it: Overview) -> list[dict[str, Any]]:
    return [
        {
            "reason": known.reason,
            "count": known.count,
            "since": moment(known.since),
            "last": moment(known.last),
            "detail": known.detail,
        }
        for known in delayed(it)
    ]


def _letters(it: Letters) -> dict[str, Any]:
    return {
        "count": it.count,
        "read": it.read,
        "reasons": dict(it.reasons),
        "oldest": _time(it.oldest),
        "expires": _time(it.expires),
    }


def _alarm(it: Alarm) -> dict[str, Any]:
    return {"name": it.name, "since": _time(it.since)}


def _alerts(it: AlertCounts) -> dict[str, Any]:
    return {
        "hour": it.hour,
        "day": it.day,
        "severities": {severity.value: count for severity, count in it.severities.items()},
        "is_cut": it.is_cut,
        "unconfirmed": it.unconfirmed,
        "unconfirmed_since": _time(it.since),
    }


def _rate_limit(it: Log, limit: int) -> dict[str, Any]:
    remaining, at = it.remaining or (None, None)
    return {"limit": limit, "remaining": remaining, "at": _time(at)}


def _log(it: Log) -> dict[str, Any]:
    return {"since": moment(it.since), "outcomes": len(it.lines), "is_cut": it.is_cut}


def _time(at: datetime | None) -> str | None:
    return moment(at) if at else None
