"""How many records have a value: the emails that resemble one that raises an alert."""

from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any, TypeVar

from functions.domain.campaign import CopyCounts
from functions.domain.record import moment
from functions.domain.search_values import SearchKind
from functions.ledger.campaign_copies import MAX_COPIES, count_copies
from functions.ledger.keys import pointer_partition
from functions.ledger.table import LedgerUnavailable, Table

_SECONDS = 2.0
"""An alert never waits longer for its counts."""
_THREADS = 8

T = TypeVar("T")
K = TypeVar("K")
Value = tuple[SearchKind, str]
"""A value in its canonical form, with its kind."""


def record_counts(
    table: Table, values: Collection[Value], since: datetime, limit: int, campaigns: Mapping[str, datetime]
) -> tuple[Mapping[Value, int], Mapping[str, CopyCounts]]:
    """The number of records of each value since a time, at most `limit`; and the copies of campaigns since theirs.

    One of the two is not empty. A count that DynamoDB does not give in time is missing: an alert goes out without it.
    """
    threads = ThreadPoolExecutor(min(_THREADS, len(values) + len(campaigns)), "counts")
    try:
        records = {
            threads.submit(table.count, pointer_partition(kind, value), moment(since), limit): (kind, value)
            for kind, value in dict.fromkeys(values)
        }
        copies = {
            threads.submit(count_copies, table, campaign, begun, MAX_COPIES): campaign
            for campaign, begun in campaigns.items()
        }
        started: list[Future[Any]] = [*records, *copies]
        done = wait(started, _SECONDS).done
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    return _results(records, done), _results(copies, done)


def _results(futures: Mapping[Future[T], K], done: Collection[Future[Any]]) -> dict[K, T]:
    """The results that came in time and did not fail."""
    results: dict[K, T] = {}
    for future, name in futures.items():
        failure = future.exception() if future in done else None
        if future in done and failure is None:
            results[name] = future.result()
        elif failure is not None and not isinstance(failure, LedgerUnavailable):
            raise failure
    return results
