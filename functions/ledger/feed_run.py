"""What the runs of the feed did: one item for each day, with the sums of the day and its last runs.

A run adds to the item without reading it. It needs no lease, so that a run which did not get the lease is counted, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.domain.record import moment

COUNTS = ("runs", "requests", "rows", "queued", "late", "unresolved")
"""The sums of a day. late: queued by a sweep and never before."""
SLOTS = 7
"""Runs kept in a day's item. A prime number, so that runs every 1, 2, 3 or 5 minutes fill all of them."""
RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FeedRun:
    """One run. result: how it ended; see functions/feed/runner.py. counts: by the names of COUNTS."""

    at: datetime
    result: str
    detail: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """The day of the run, in UTC."""
        return moment(self.at)[: len("YYYY-MM-DD")]


@dataclass(frozen=True, slots=True)
class FeedDay:
    """The sums of one day, and its last runs, oldest first."""

    date: str
    counts: Mapping[str, int]
    runs: tuple[FeedRun, ...]


def run_attributes(run: FeedRun) -> dict[str, object]:
    """The attributes that a run sets in the item of its day. It adds its counts to those of the item."""
    slot = int(run.at.timestamp()) // 60 % SLOTS
    known = {"at": moment(run.at), "result": run.result, "detail": run.detail, **run.counts}
    return {
        f"run_{slot}": {name: value for name, value in known.items() if value},
        "expires_at": int((run.at + RETENTION).timestamp()),
    }


def read_day(item: Mapping[str, Any]) -> FeedDay:
    """The day of an item."""
    runs = [_read_run(item[name]) for slot in range(SLOTS) if (name := f"run_{slot}") in item]
    counts = {name: item.get(name, 0) for name in COUNTS}
    return FeedDay(item["sk"], counts, tuple(sorted(runs, key=lambda run: run.at)))


def _read_run(item: Mapping[str, Any]) -> FeedRun:
    counts = {name: item.get(name, 0) for name in COUNTS if name != "runs"}
    return FeedRun(datetime.fromisoformat(item["at"]), item["result"], item.get("detail", ""), counts)
