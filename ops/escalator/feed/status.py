"""What the table says about the feed: its watermark, its last runs, its counts, and its next sweeps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.record import moment
from functions.domain.times import duration
from functions.feed.state import FeedState, read_state
from functions.feed.windows import LOOPS, MINUTE, Loop, Progress
from functions.ledger.feed_run import COUNTS, FeedDay, FeedRun, read_day
from functions.ledger.keys import feed_runs_partition, feed_state_key
from ops.escalator.aws import CommandFailed
from ops.escalator.records.reader import RecordReader

DAYS = 8
"""Days that are counted: as far back as the daily sweep reaches."""
RUNS = 7
"""Last runs that are shown."""
LATE = timedelta(minutes=15)
"""The lag at which FeedAlarm fires."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """now: the time of the status. days: the newest first, at most DAYS."""

    now: datetime
    state: FeedState
    days: tuple[FeedDay, ...]

    @property
    def watermark(self) -> datetime:
        """The end of what the minute loop has listed completely."""
        return self.state.progress[MINUTE.name].until

    @property
    def is_late(self) -> bool:
        """Whether the lag is one at which FeedAlarm fires."""
        return self.state.lag(self.now) > LATE

    @property
    def runs(self) -> tuple[FeedRun, ...]:
        """The last runs, the newest first."""
        runs = sorted((run for day in self.days[:2] for run in day.runs), key=lambda run: run.at, reverse=True)
        return tuple(runs[:RUNS])

    @property
    def counts(self) -> dict[str, int]:
        """The sums of all days."""
        return {name: sum(day.counts[name] for day in self.days) for name in COUNTS}

    def sweeps(self) -> Iterator[tuple[Loop, str]]:
        """Each sweep, with when it is due or how far it has come."""
        for loop in LOOPS:
            if not loop.every:
                continue
            progress = self.state.progress[loop.name]
            if progress.position is not None:
                yield loop, f"at work: has listed until {_utc(progress.position)} of {_utc(progress.goal)}"
                continue
            due = progress.until + loop.every
            yield loop, f"due {_utc(due)}" if due > self.now else "due now"

    def as_json(self) -> dict[str, Any]:
        """All facts, with names that stay."""
        state = self.state
        return {
            "watermark": moment(self.watermark),
            "lag_seconds": round(state.lag(self.now).total_seconds()),
            "blocked_until": moment(state.blocked_until) if state.blocked_until else None,
            "sweeps": {loop.name: _sweep(loop, state.progress[loop.name]) for loop in LOOPS if loop.every},
            "since": self.days[-1].date if self.days else None,
            "counts": self.counts,
            "runs": [
                {"at": moment(run.at), "result": run.result, "detail": run.detail, **run.counts} for run in self.runs
            ],
        }

    def lines(self) -> dict[str, str]:
        """What a person reads first, by name."""
        state, counts = self.state, self.counts
        late = ", which fires FeedAlarm" if self.is_late else ""
        known = {
            "watermark": f"{_utc(self.watermark)}, {duration(state.lag(self.now).total_seconds())} ago{late}",
            **{f"{loop.name} sweep": text for loop, text in self.sweeps()},
        }
        if state.blocked_until and state.blocked_until > self.now:
            known["blocked"] = f"Cloudflare has blocked the token until {_utc(state.blocked_until)}"
        if self.days:
            known[f"since {self.days[-1].date}"] = (
                f"{counts['runs']:,} runs, {counts['requests']:,} requests to Cloudflare, {counts['queued']:,} queued,"
                f" {counts['late']:,} of them found only by a sweep, {counts['unresolved']:,} unresolved"
            )
        return known


def read_status(reader: RecordReader, account_id: str, now: datetime) -> FeedStatus:
    """Read the status. Raises CommandFailed if the feed has not run."""
    key = feed_state_key(account_id)
    item: Mapping[str, Any] | None = reader.items([(key["pk"], key["sk"])]).get((key["pk"], key["sk"]))
    if not item:
        raise CommandFailed(
            f"the table {reader.table} has no state of a feed for the account {account_id}: it is off, or has not run yet;"
            " check the parameter Feed, the account and the log of the feed"
        )
    days = reader.partition(feed_runs_partition(account_id), DAYS)
    return FeedStatus(now, read_state(item), tuple(map(read_day, days)))


def _sweep(loop: Loop, progress: Progress) -> dict[str, str | None]:
    return {
        "last_end": moment(progress.until),
        "due": moment(progress.until + loop.every),
        "position": moment(progress.position) if progress.position else None,
        "goal": moment(progress.goal) if progress.position else None,
    }


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
