"""Overviews of deployments, made without AWS."""

from datetime import UTC, datetime, timedelta

from functions.feed.state import first_state
from functions.ledger.feed_run import COUNTS, FeedDay, FeedRun
from ops.escalator.doctor.queue import Queue
from ops.escalator.feed.status import FeedStatus
from ops.escalator.status.alerts import AlertCounts
from ops.escalator.status.letters import Letters
from ops.escalator.status.log import Log
from ops.escalator.status.overview import Overview
from ops.escalator.status.waiting import Tries

NOW = datetime(2026, 11, 26, 9, 35, tzinfo=UTC)
EMPTY = Queue("arn:aws:sqs:eu-west-1:1:requests", "", 0, retention=timedelta(days=4))


def minutes_ago(minutes: float) -> datetime:
    """A time before now."""
    return NOW - timedelta(minutes=minutes)


def queue(visible: int = 0, in_flight: int = 0, delayed: int = 0) -> Queue:
    """A queue with messages."""
    count = visible + in_flight + delayed
    return Queue(EMPTY.arn, "", count, "", visible, in_flight, delayed, timedelta(days=14))


def feed(*results: str, lag: float = 0.5) -> FeedStatus:
    """A feed that has run every minute, with the last result first. lag: in minutes."""
    counts = dict.fromkeys(COUNTS, 0)
    runs = tuple(FeedRun(minutes_ago(number), result, "", counts) for number, result in enumerate(results))
    day = FeedDay("2026-11-26", counts, runs)
    return FeedStatus(NOW, first_state(minutes_ago(lag), timedelta()), (day,))


HEALTHY = Overview(
    stack="email-alerts",
    now=NOW,
    requests=EMPTY,
    log=Log(minutes_ago(60), (), remaining=(1100, minutes_ago(1))),
    tries=Tries((), minutes_ago(5)),
    letters=Letters(0, {}, timedelta(days=14)),
    undelivered=EMPTY,
    alarms=(),
    feed=feed("done", "done"),
    alerts=AlertCounts(0, 0, {}),
    limit=1200,
)
