"""Requests that wait: how many are on the queue, and by the log, why and since when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from functions.domain.outcome import Outcome
from functions.escalate.telemetry import WAITING
from ops.escalator.status.log import OutcomeLine

ANSWERED = frozenset(
    {Outcome.ESCALATED, Outcome.ALREADY_ESCALATED, Outcome.CLOSED, Outcome.NOT_ESCALATED, Outcome.NOT_FOUND}
)
"""Outcomes that need an answer of Cloudflare."""


@dataclass(frozen=True, slots=True)
class WaitingReason:
    """The requests that wait for one reason. since: for this reason. last, detail: of the newest line."""

    reason: str
    count: int
    since: datetime
    last: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Tries:
    """What the log says of requests that wait. answered_at: when Cloudflare's answer has last led to an outcome."""

    reasons: tuple[WaitingReason, ...]
    answered_at: datetime | None


def count_waiting(lines: Iterable[OutcomeLine]) -> Tries:
    """Group the requests whose last line is RETRY or DEFERRED by its reason, the most frequent one first.

    lines: oldest first.
    """
    waiting: dict[str, WaitingReason] = {}
    answered_at: datetime | None = None
    for line in lines:
        if line.outcome in ANSWERED:
            answered_at = line.at
        if line.outcome not in WAITING:
            waiting.pop(line.key, None)
            continue
        known = waiting.get(line.key)
        if known and known.reason == line.reason:
            waiting[line.key] = replace(known, last=line.at, detail=line.detail)
        else:
            # With another reason before, the request waits for this one since now only.
            since = line.at if known else line.waiting_since or line.at
            waiting[line.key] = WaitingReason(line.reason, 1, since, line.at, line.detail)
    reasons: dict[str, WaitingReason] = {}
    for it in waiting.values():
        known = reasons.get(it.reason)
        if known is None:
            reasons[it.reason] = it
            continue
        newest = max(known, it, key=lambda either: either.last)
        since = min(known.since, it.since)
        reasons[it.reason] = replace(newest, count=known.count + 1, since=since)
    return Tries(tuple(sorted(reasons.values(), key=lambda it: (-it.count, it.reason))), answered_at)
