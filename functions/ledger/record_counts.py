"""How many records have a value: the emails that resemble one that raises an alert."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

from functions.domain.record import moment
from functions.domain.search_values import SearchKind
from functions.ledger.keys import pointer_partition
from functions.ledger.table import LedgerUnavailable, Table

_SECONDS = 2.0
"""An alert never waits longer for its counts."""
_THREADS = 8

Value = tuple[SearchKind, str]
"""A value in its canonical form, with its kind."""


def record_counts(table: Table, values: Collection[Value], since: datetime, limit: int) -> Mapping[Value, int]:
    """The number of records of each value since a time, at most `limit`.

    A count that DynamoDB does not give in time is missing: an alert goes out without it.
    """
    if not values:
        return {}
    threads = ThreadPoolExecutor(min(_THREADS, len(values)), "counts")
    try:
        futures = {
            threads.submit(table.count, pointer_partition(kind, value), moment(since), limit): (kind, value)
            for kind, value in dict.fromkeys(values)
        }
        done = wait(futures, _SECONDS).done
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    counts: dict[Value, int] = {}
    for future in done:
        failure = future.exception()
        if failure is None:
            counts[futures[future]] = future.result()
        elif not isinstance(failure, LedgerUnavailable):
            raise failure
    return counts
