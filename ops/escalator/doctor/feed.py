"""How far the feed has come, by what it has written to the table."""

from functions.domain.times import duration
from functions.feed.runner import Result
from ops.escalator.doctor.check import Check, failure, ok, warning
from ops.escalator.feed.status import LATE, FeedStatus

_NAME = "feed lag"


def check_feed(status: FeedStatus, stack: str) -> Check:
    """The lag, and whether the feed's share of the rate limit is enough."""
    lag = duration(status.state.lag(status.now).total_seconds())
    last = status.runs[0] if status.runs else None
    ended = f"; the last run ended as {last.result}" if last else ""
    if status.is_late:
        found = f"{lag}, more than {LATE.total_seconds() / 60:.0f} min{ended}"
        return failure(_NAME, found, f"escalator feed status --stack {stack}; its log says why")
    unfinished = sum(run.result == Result.CONTINUES for run in status.runs)
    if unfinished > len(status.runs) / 2:
        found = f"{lag}, but {unfinished} of the last {len(status.runs)} runs did not finish"
        return warning(_NAME, found, "raise FeedShare: the detections of a day need more requests than it has")
    return ok(_NAME, f"{lag}{ended}")
