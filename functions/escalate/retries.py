"""When a message that failed is processed again: backoff, the last receive, and the three-day limit.

Backoff: 30, 60, 120 ... 900 s, each shortened by up to half. 12 receives take about 1 h 20 min. Then a copy of the message
is sent again, with a delay, for three days at most.
"""

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta

from functions.domain.outcome import Outcome, Reason
from functions.escalate.stages import MessageResult

FIRST_BACKOFF_SECONDS = 30.0
MAX_BACKOFF_SECONDS = 900.0
MAX_DELAY_SECONDS = 900
"""The longest delay of a message that SQS accepts."""
MAX_DEFERRAL = timedelta(days=3)
"""The three-day limit: an older message is rejected, so that a human looks at it. The queue keeps messages for 4 days."""


def backoff_seconds(result: MessageResult, jitter: random.Random) -> int:
    """Seconds until the next receive of a RETRY. Jitter spreads messages that failed together."""
    backoff = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(result.message.receive_count - 1, 10))
    return math.ceil(max(result.delay or 0.0, backoff * jitter.uniform(0.5, 1.0)))


def delay_seconds(seconds: float | None, jitter: random.Random) -> int:
    """The SQS delay of a DEFERRED message that should return after this time; None for the default.

    The delay is up to 10 % longer than the time, never shorter. This jitter spreads messages that were deferred
    together. A longer time than SQS accepts needs a second deferral.
    """
    wanted = FIRST_BACKOFF_SECONDS if seconds is None else seconds
    return max(1, min(MAX_DELAY_SECONDS, math.ceil(wanted * jitter.uniform(1.0, 1.1))))


def limit_retries(result: MessageResult, max_receive_count: int, now: datetime) -> MessageResult:
    """The result, unless the message has been retried for too long.

    A RETRY at the last receive becomes DEFERRED: SQS would dead-letter the message without a reason, and the copy starts
    with a receive count of 0. A message that is DEFERRED after MAX_DEFERRAL is REJECTED with its last reason.
    """
    if result.outcome is Outcome.RETRY and result.message.receive_count >= max_receive_count:
        result = replace(result, outcome=Outcome.DEFERRED, delay=MAX_BACKOFF_SECONDS)
    if result.outcome is Outcome.DEFERRED and now - result.message.first_seen >= MAX_DEFERRAL:
        detail = f"deferred for {MAX_DEFERRAL.days} days; last reason: {result.reason}; {result.detail}"
        result = replace(result, outcome=Outcome.REJECTED, reason=Reason.DEFERRED_TOO_LONG, detail=detail)
    return result
